"""What all our SQLite files share: how a connection is made safe, and what an error means.

An error is told by SQLite's own result code, never by its English text. Each store has its own
codes for what is wrong; here stands only which kind of trouble it is.
"""

import os
import sqlite3
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from typing import Final

SAFE: Final = (
    "PRAGMA synchronous = FULL",  # a commit returns once the WAL is synced: then it is durable
    "PRAGMA journal_size_limit = 67108864",  # bytes that the WAL keeps after a large write
    "PRAGMA cell_size_check = ON",  # a damaged page is noticed when it is read
    "PRAGMA trusted_schema = OFF",  # a schema that somebody changed runs no function of ours
)
"""Statements for every new connection."""


class Trouble(Enum):
    """What an error of SQLite comes to."""

    BUSY = auto()
    FULL = auto()
    DISK = auto()
    READ_ONLY = auto()
    DAMAGED = auto()
    REFUSED = auto()
    OTHER = auto()


def make_private(path: Path) -> None:
    """Make a database's file, if it is new, for its owner alone.

    SQLite gives the files beside it the same mode. Where it cannot be made, SQLite says why.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


_TROUBLES: Final = {
    sqlite3.SQLITE_BUSY: Trouble.BUSY,
    sqlite3.SQLITE_LOCKED: Trouble.BUSY,
    sqlite3.SQLITE_PROTOCOL: Trouble.BUSY,
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_IOERR: Trouble.DISK,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_CORRUPT: Trouble.DAMAGED,
    sqlite3.SQLITE_NOTADB: Trouble.DAMAGED,
    sqlite3.SQLITE_CONSTRAINT: Trouble.REFUSED,
}


def trouble(error: sqlite3.Error) -> Trouble:
    """Which kind of trouble an error is; OTHER also for what Python raises by itself."""
    extended: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return _TROUBLES.get(extended & 0xFF, Trouble.OTHER)
