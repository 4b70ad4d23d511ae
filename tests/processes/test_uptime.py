"""For how long the machine has run."""

import time
from pathlib import Path

from invoice_service.domain.clock import Running
from invoice_service.processes.uptime import running


def test_it_counts_as_the_machine_does() -> None:
    before = int(time.clock_gettime(time.CLOCK_BOOTTIME))
    found = running()
    assert found is not None
    assert before - 1 <= found.seconds <= int(time.clock_gettime(time.CLOCK_BOOTTIME)) + 1
    assert len(found.boot) == 36
    again = running()
    assert again is not None
    assert (again.boot, again.seconds >= found.seconds) == (found.boot, True)


def test_what_the_system_says_is_read(tmp_path: Path) -> None:
    boot, uptime = tmp_path / "boot_id", tmp_path / "uptime"
    assert running(boot, uptime) is None
    boot.write_text("3e1f\n")
    uptime.write_text("1234.98 4321.00\n")
    assert running(boot, uptime) == Running("3e1f", 1234)
    uptime.write_text("soon")
    assert running(boot, uptime) is None
