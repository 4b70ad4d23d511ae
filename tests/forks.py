"""What processes of tests that have threads need where they fork."""

import ctypes
import os
import signal
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)


def end_forks_with_us() -> None:
    """Have the kernel kill what a test forked when the process of the tests ends.

    A fork holds the pipes by which a run is told that this process has ended: one that hangs, or
    that a test has stopped, would have the whole run wait for ever. The kernel means the thread
    that forked, so forks of other threads than the first are left alone; so are forks of forks.
    """
    tests = os.getpid()

    def die_with_tests() -> None:
        if os.getppid() == tests and forked_by == [threading.main_thread().ident]:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)

    def remember_thread() -> None:
        forked_by[:] = [threading.get_ident()]

    forked_by: list[int | None] = []
    os.register_at_fork(before=remember_thread, after_in_child=die_with_tests)


def open_a_database() -> None:
    """Stand still here or nowhere: after a fork, in the child.

    What another thread held of SQLite in the instant of the fork nobody lets go in the child: what
    finds files, opens them, draws numbers or counts memory is one for all databases. Whoever gets
    through all of it once will again.
    """
    with TemporaryDirectory() as folder, closing(sqlite3.connect(Path(folder, "any.db"))) as any_:
        any_.execute("CREATE TABLE t AS SELECT randomblob(8)")
