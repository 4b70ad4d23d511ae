"""Make a process careless about one kind of sync, to see whether the power-cut tests notice.

Or, the other way round, make it move its write-ahead logs into the databases all the time,
which a short run would otherwise never do.
"""

import os
import sqlite3
import stat
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

KINDS = ("file-syncs", "folder-syncs", "database-syncs")
EAGER = "early-checkpoints"


class _HasFileno(Protocol):
    def fileno(self) -> int: ...


def forget(kind: str) -> None:
    """From now on skip one of ``KINDS`` in this process; the empty string skips nothing.

    ``EAGER`` skips nothing either: SQLite then checkpoints after every few pages.
    """
    if kind == "file-syncs":
        _skip_syncs(stat.S_ISREG)
    elif kind == "folder-syncs":
        _skip_syncs(stat.S_ISDIR)
    elif kind == "database-syncs":
        _connect_with(_Unsynced)
    elif kind == EAGER:
        _connect_with(_Eager)
    elif kind:
        raise ValueError(kind)


def _connect_with(factory: type[sqlite3.Connection]) -> None:
    connect = partial(sqlite3.connect, factory=factory)
    sqlite3.connect = connect  # type: ignore[assignment]  # the same, but for the class


def _skip_syncs(of: Callable[[int], bool]) -> None:
    careful = os.fsync

    def fsync(fd: int | _HasFileno) -> None:
        number = fd if isinstance(fd, int) else fd.fileno()
        if not of(os.fstat(number).st_mode):
            careful(number)

    os.fsync = fsync


class _Unsynced(sqlite3.Connection):
    """A connection that turns every wish for synced commits into none."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:  # noqa: ANN401 # as given
        """Run a statement; ``synchronous = FULL`` becomes OFF."""
        if "synchronous" in sql.lower():
            sql = "PRAGMA synchronous = OFF"
        return super().execute(sql, parameters)


class _Eager(sqlite3.Connection):
    """A connection that moves the write-ahead log into the database after every few pages."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:  # noqa: ANN401 # as given
        """Run a statement; any other wish for the length of the log becomes 6 pages."""
        if "wal_autocheckpoint" in sql.lower():
            sql = "PRAGMA wal_autocheckpoint = 6"
        return super().execute(sql, parameters)
