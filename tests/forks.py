"""What processes of tests that have threads need where they fork."""

import ctypes
import os
import signal
import threading
import time
from contextlib import suppress
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)

_OF_ALL: Final = (2, 11, 5)
"""SQLITE_MUTEX_STATIC_MAIN, _VFS1 and _PRNG: one for all databases, held while one is opened."""

_COUNT_MEMORY: Final = 9
"""SQLITE_CONFIG_MEMSTATUS: where memory is counted, each piece of it takes another mutex."""


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
    """Fork when no other thread is opening a database, of which SQLite does parts one at a time.

    What such a thread holds in the instant of a fork nobody lets go in the child, which would stand
    still at its first database. So the thread that forks takes all of it, and lets it go on both
    sides; and SQLite does not count its memory, of which nobody here asks. To be called before
    there is a connection. Where SQLite is no library of the system's, nothing is done.
    """
    with suppress(OSError):
        library = ctypes.CDLL("libsqlite3.so.0")
        library.sqlite3_shutdown()  # which its module has begun when it was imported
        library.sqlite3_config(_COUNT_MEMORY, 0)
        library.sqlite3_initialize()
        library.sqlite3_mutex_alloc.restype = ctypes.c_void_p
        mutexes = [ctypes.c_void_p(library.sqlite3_mutex_alloc(number)) for number in _OF_ALL]

        def leave(taken: int = len(mutexes)) -> None:
            for mutex in mutexes[:taken]:
                library.sqlite3_mutex_leave(mutex)

        def take() -> None:
            """All or none: others take them in an order of their own."""
            while True:
                for at, mutex in enumerate(mutexes):
                    if library.sqlite3_mutex_try(mutex):
                        leave(at)
                        break
                else:
                    return
                time.sleep(0.001)

        os.register_at_fork(before=take, after_in_parent=leave, after_in_child=leave)
