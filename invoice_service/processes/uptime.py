"""For how long the machine has run: it counts on, whatever its clock is set to."""

from pathlib import Path
from typing import Final

from invoice_service.domain.clock import Running

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_UPTIME: Final = Path("/proc/uptime")  # time asleep included


def running(boot: Path = _BOOT, uptime: Path = _UPTIME) -> Running | None:
    """Which start this is, and the whole seconds since; None where the system does not say."""
    try:
        return Running(boot.read_text().strip(), int(uptime.read_text().partition(".")[0]))
    except (OSError, ValueError):
        return None
