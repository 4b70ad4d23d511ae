"""A tethered program ends with its parent, however that ended, and holds the lock until then."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoice_service.processes.tether import die_with_parent
from tests.patience import wait_until

# A parent that writes its pid, starts a tethered child, prints the child's pid, and waits.
_PARENT = """
import os, subprocess, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
(folder / "parent.pid").write_text(str(os.getpid()))
child = subprocess.Popen([sys.executable, "-m", "invoice_service.processes.tether", sys.argv[2],
    str(folder / "parent.pid"), str(folder / "lock"), sys.executable, "-c",
    "import time; print('up', flush=True); time.sleep(60)"], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", _PARENT, str(tmp_path), "SIGKILL"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        yield process
        process.kill()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def _locked(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_a_child_dies_with_a_parent_that_was_killed(
    tmp_path: Path, parent: subprocess.Popen[bytes]
) -> None:
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert _alive(child)
    assert _locked(tmp_path / "lock")
    parent.kill()
    parent.wait()
    wait_until(lambda: not _alive(child), "the child has ended")
    assert not _locked(tmp_path / "lock")


def test_who_starts_after_its_parent_has_ended_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "parent.pid").write_text("1")  # not the one that starts it
    done = subprocess.run(
        [
            *(sys.executable, "-m", "invoice_service.processes.tether", "SIGKILL"),
            *(str(tmp_path / "parent.pid"), str(tmp_path / "lock")),
            *(sys.executable, "-c", "print('ran')"),
        ],
        stdout=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == b""


def test_another_parent_than_ours_is_noticed() -> None:
    with pytest.raises(SystemExit):
        die_with_parent(1, signal.SIGCONT)  # a signal that does nothing, should it ever come
