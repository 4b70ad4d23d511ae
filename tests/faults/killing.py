"""Processes that kill themselves, by SIGKILL, right before or right after their n-th write."""

import os
import select
import signal
import sqlite3
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from tests.forks import open_a_database
from tests.patience import PATIENCE, growing

WRITES: Final = ("fsync", "rename", "replace", "unlink", "mkdir")
"""Calls of ``os`` that change what is on disk, or make it last."""

FIRST: Final = 4.0
"""Seconds that the first child is given to come to its work; each further one twice as many."""

T = TypeVar("T")


@dataclass
class Killer:
    """Counts writes; at the n-th (0: at none) the process is gone, with the write kept or lost."""

    kept: bool
    at: int = 0
    seen: int = 0

    def around(self, write: Callable[[], Any]) -> Any:  # noqa: ANN401 # whatever the call returns
        """Make a write, unless it is the one."""
        self.seen += 1
        is_the_one = self.seen == self.at  # asked now: one write may do others inside
        if is_the_one and not self.kept:
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return write()
        finally:
            if is_the_one:
                os.kill(os.getpid(), signal.SIGKILL)


def killed_at(
    number: int, *, kept: bool, prepare: Callable[[], T], work: Callable[[T], object]
) -> bool:
    """Do ``work`` in a process of its own that dies at a write of it; return whether it did.

    False when the work had fewer writes: it is done then. Any other end is an error.
    """
    killer = Killer(kept)

    def armed() -> T:
        _arm(killer)  # before databases are opened
        return prepare()

    def counted(prepared: T) -> object:
        killer.at, killer.seen = number, 0
        return work(prepared)

    status = _in_child(armed, counted)
    assert status in {0, -signal.SIGKILL}, "the work failed by itself"
    return status != 0


def in_child(work: Callable[[], object]) -> int:
    """Do ``work`` in a process of its own; return its exit status, or minus the signal it died of.

    A status of 1 means that it raised; what it raised is on standard error.
    """
    return _in_child(lambda: None, lambda _: work())


def _in_child(prepare: Callable[[], T], work: Callable[[T], object]) -> int:
    """As ``in_child``, once something is prepared there.

    A process that tests browsers and servers has threads, and what they hold in the instant of a
    fork nobody lets go there: a child that stands still before the work says nothing about it, so
    another is made, and soon: which child does the work decides nothing. One that stands still in
    its work is ended, and says where it stood.
    """
    for seconds in growing(FIRST):
        begun, begins = os.pipe()
        child = os.fork()
        if child == 0:  # the child must never come back into the test
            status = 1
            try:
                open_a_database()
                prepared = prepare()
                os.write(begins, b"!")
                work(prepared)
                status = 0
            except BaseException:  # noqa: BLE001 # whatever it was, it must be seen
                traceback.print_exc()
            finally:
                os._exit(status)
        os.close(begins)
        comes, ends = _is_heard(begun, seconds), False
        if comes:
            handle = os.pidfd_open(child)
            ends = _is_heard(handle, 2 * PATIENCE)
            os.close(handle)
        os.close(begun)
        if not ends:
            os.kill(child, signal.SIGABRT)  # it says where it stands
        _, status = os.waitpid(child, 0)
        if comes:
            return os.waitstatus_to_exitcode(status)
    raise AssertionError("no child comes to its work")


def _is_heard(handle: int, seconds: float) -> bool:
    return bool(select.select([handle], [], [], seconds)[0])


def _arm(killer: Killer) -> None:
    for name in WRITES:
        setattr(os, name, _wrapped(killer, getattr(os, name)))

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:  # noqa: ANN401 # as sqlite3
            run = super().execute
            if sql.strip().upper() != "COMMIT":
                return run(sql, *parameters)
            cursor: sqlite3.Cursor = killer.around(lambda: run(sql, *parameters))
            return cursor

        def commit(self) -> None:
            if self.in_transaction:
                killer.around(super().commit)

    connect = sqlite3.connect
    sqlite3.connect = lambda *args, **kwargs: connect(*args, **{"factory": Connection, **kwargs})


def _wrapped(killer: Killer, call: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: killer.around(lambda: call(*args, **kwargs))
