"""``help.db``: a file of its own, whose writers nobody waits for who issues or checks."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlite_utils import Database, Migrations

from chain.durable import make_folder
from chain.errors import UnavailableError
from chain.log.sqlite import make_private
from chain.log.turns import take
from invoice_service.storage.sqlite.connection import Connections, unavailable

FILE: Final = "help.db"

migrations = Migrations("help")

_TABLES: Final = (
    # Numbers are never given out twice: pictures are named by them.
    "CREATE TABLE reports (id INTEGER PRIMARY KEY AUTOINCREMENT, receipt BLOB NOT NULL UNIQUE,"
    " at INTEGER NOT NULL, said TEXT NOT NULL, hash TEXT NOT NULL, verdict TEXT NOT NULL,"
    " place TEXT NOT NULL, message TEXT NOT NULL, contact TEXT NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN ('new', 'seen', 'closed')), note TEXT NOT NULL,"
    " told_at INTEGER, erased INTEGER NOT NULL DEFAULT 0) STRICT",
    "CREATE INDEX idx_reports_state ON reports (state, id)",
    "CREATE TABLE pictures (report INTEGER NOT NULL REFERENCES reports (id), number INTEGER NOT"
    " NULL, bytes INTEGER NOT NULL, PRIMARY KEY (report, number)) STRICT, WITHOUT ROWID",
    "CREATE TABLE scans (day TEXT NOT NULL, hash TEXT NOT NULL, merchant INTEGER NOT NULL,"
    " count INTEGER NOT NULL CHECK (count > 0), PRIMARY KEY (day, hash)) STRICT, WITHOUT ROWID",
    "CREATE INDEX idx_scans_merchant ON scans (merchant, day)",
    "CREATE INDEX idx_scans_hash ON scans (hash, day)",
)


@migrations()
def begun(db: Database) -> None:
    """Reports with their pictures, and scans that did not fit."""
    for statement in _TABLES:
        db.execute(statement)


def open_tables(folder: Path) -> Connections:
    """The database in that folder, made or brought up to date; UnavailableError.

    Safe for two processes at once.
    """
    make_folder(folder)
    path = folder / FILE
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            folder.chmod(0o700)
            take(handle, folder, code="database_busy")
            return _migrated(path)
        finally:
            os.close(handle)
    except sqlite3.Error as error:
        raise unavailable(error) from error
    except OSError as error:
        detail = f"the database of reports cannot be made: {error}"
        raise UnavailableError("database_unavailable", detail) from error


def _migrated(path: Path) -> Connections:
    make_private(path)  # in it stands how to reach people
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    found = Connections(path)
    if migrations.pending(found.database):
        migrations.apply(found.database)
    return found
