"""What processes of tests that have threads need where they fork."""

import ctypes
import os
import signal
import threading
from contextlib import suppress
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)

_OF_FILES: Final = 11  # SQLITE_MUTEX_STATIC_VFS1: held while a file is opened or closed
_COUNT_MEMORY: Final = 9  # SQLITE_CONFIG_MEMSTATUS: with a mutex for each piece of memory


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


def let_nobody_open_databases_at_forks() -> None:
    """Fork when no other thread is opening a database, which SQLite does one at a time.

    What such a thread holds in the instant of a fork nobody lets go in the child, which would stand
    still at its first database. So the thread that forks takes it, and lets it go on both sides;
    and SQLite does not count its memory, of which nobody here asks: that takes another mutex. To be
    called before there is a connection. Where SQLite is no library of the system's, nothing is done.
    """
    with suppress(OSError):
        library = ctypes.CDLL("libsqlite3.so.0")
        library.sqlite3_shutdown()  # which its module has begun when it was imported
        library.sqlite3_config(_COUNT_MEMORY, 0)
        library.sqlite3_initialize()
        library.sqlite3_mutex_alloc.restype = ctypes.c_void_p
        mutex = ctypes.c_void_p(library.sqlite3_mutex_alloc(_OF_FILES))

        def leave() -> None:
            library.sqlite3_mutex_leave(mutex)

        os.register_at_fork(
            before=lambda: library.sqlite3_mutex_enter(mutex),
            after_in_parent=leave,
            after_in_child=leave,
        )
