"""Run a program that cannot outlive its parent.

``python -m invoice_service.processes.tether SIGNAL PIDFILE LOCK COMMAND…``

A supervisor that is killed outright stops nobody. So the kernel is asked to do it (prctl(2),
PR_SET_PDEATHSIG), and everyone holds a shared lock while alive, on which the next start can wait.
"""

import ctypes
import fcntl
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(parent: int, signum: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send us ``signum`` when ``parent`` ends; exits if it already has.

    Kept over exec, not over fork: each child asks for itself.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(signum), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it ended between our start and the call above
        sys.exit(1)


def hold_shared(lock: Path) -> None:
    """Share ``lock``: this process and all that it forks or execs, until the last has ended."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(descriptor, True)  # noqa: FBT003 # the function takes no keyword
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def main(arguments: list[str]) -> None:
    """Tie this process to the one whose pid stands in PIDFILE, then become COMMAND."""
    signum, pid_file, lock, *command = arguments
    die_with_parent(int(Path(pid_file).read_text(encoding="ascii")), signal.Signals[signum])
    hold_shared(Path(lock))
    os.execv(command[0], command)  # noqa: S606 # the arguments come from supervise.py


if __name__ == "__main__":
    main(sys.argv[1:])
