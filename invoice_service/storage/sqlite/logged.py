"""Acts of which the log has an entry: their documents and salts, beside the acts of the trail.

A row comes into being in the transaction that appends the act to the trail, and only there. What
the trail has from before this table was made has none: nothing is committed to afterwards.
"""

import sqlite3
from collections.abc import Mapping
from secrets import token_bytes
from typing import Any, Final

from sqlite_utils import Database

from chain.commitment import SALT_SIZE
from chain.errors import MalformedError, UnavailableError
from chain.hashing import Digest, to_digest
from invoice_service.domain.acts import Act, LoggedAct, concerned, logged_act
from invoice_service.storage.sqlite.connection import Connections

_TABLES: Final = (
    "CREATE TABLE logged_acts (seq INTEGER PRIMARY KEY, trail INTEGER NOT NULL UNIQUE,"
    " type TEXT NOT NULL, subject TEXT NOT NULL, merchant_id INTEGER,"
    f" salt BLOB NOT NULL CHECK (length(salt) = {SALT_SIZE}), document BLOB NOT NULL,"
    " commitment BLOB NOT NULL UNIQUE CHECK (length(commitment) = 32)) STRICT",
    "CREATE INDEX idx_logged_acts_subject ON logged_acts (subject, seq)",
    "CREATE INDEX idx_logged_acts_merchant ON logged_acts (merchant_id, seq)"
    " WHERE merchant_id IS NOT NULL",
    "CREATE TRIGGER logged_acts_append BEFORE INSERT ON logged_acts WHEN"
    " NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM logged_acts)"
    " OR NEW.trail <= (SELECT trail FROM logged_from)"
    " OR NEW.trail <= (SELECT max(trail) FROM logged_acts)"
    " OR EXISTS (SELECT 1 FROM logged_acts WHERE commitment = NEW.commitment)"
    " BEGIN SELECT RAISE(ABORT, 'logged_acts are only ever appended'); END",
    # The last act of the trail from before there was this table.
    "CREATE TABLE logged_from (id INTEGER PRIMARY KEY CHECK (id = 1), trail INTEGER NOT NULL)"
    " STRICT",
    "INSERT INTO logged_from SELECT 1, coalesce(max(seq), 0) FROM acts",
    "CREATE TRIGGER logged_from_once BEFORE INSERT ON logged_from"
    " BEGIN SELECT RAISE(ABORT, 'logged_from: where it begins is fixed'); END",
)
_COLUMNS: Final = "seq, trail, type, subject, salt, document, commitment"
_INSERT: Final = (
    f"INSERT INTO logged_acts ({_COLUMNS}, merchant_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 # our own columns
)
_SELECT: Final = f"SELECT {_COLUMNS} FROM logged_acts WHERE "  # noqa: S608 # our own columns


def create_logged(db: Database) -> None:
    """Make the tables; note where in the trail they begin."""
    for statement in _TABLES:
        db.execute(statement)
    for table in ("logged_acts", "logged_from"):
        for change in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table}: no {change}, rows are frozen'); END"
            )


def log_act(connection: sqlite3.Connection, trail: int, act: Act) -> None:
    """Keep the document of the act at ``trail`` for the log, within the act's transaction.

    A crash before the commit leaves neither. Only one writer at a time is in a transaction, so
    nobody else finds the same predecessor.
    """
    query = "SELECT commitment FROM logged_acts WHERE subject = ? ORDER BY seq DESC LIMIT 1"
    last = connection.execute(query, (act.subject,)).fetchone()
    (seq,) = connection.execute("SELECT coalesce(max(seq), 0) + 1 FROM logged_acts").fetchone()
    previous = None if last is None else to_digest(last[0])
    made = logged_act(seq, trail, act, token_bytes(SALT_SIZE), previous)
    row = (seq, trail, made.type, made.subject, made.salt, made.document, made.commitment)
    connection.execute(_INSERT, (*row, concerned(act)))


class LoggedActs:
    """The part of the store that keeps what the log commits to of acts."""

    connections: Connections

    def logged_from(self) -> int:
        """The last act of the trail from before such documents were kept; 0 for none.

        UnavailableError ``record_damaged`` where that is not known any more.
        """
        with self.connections.reading() as connection:
            row = connection.execute("SELECT trail FROM logged_from").fetchone()
        if row is None:
            raise UnavailableError("record_damaged", "the row of logged_from is gone")
        return int(row[0])

    def last_logged_act(self) -> int:
        """``seq`` of the newest; 0 when there is none."""
        with self.connections.reading() as connection:
            row = connection.execute("SELECT coalesce(max(seq), 0) FROM logged_acts").fetchone()
        return int(row[0])

    def logged_acts(
        self, after: int, limit: int, merchant_id: int | None = None
    ) -> list[LoggedAct]:
        """Those above ``after``, in order, ``limit`` at most; of a merchant, or all (None).

        UnavailableError ``record_damaged`` for a row that is none of ours.
        """
        whose = "" if merchant_id is None else "merchant_id = :merchant AND "
        values = {"merchant": merchant_id, "after": after, "limit": limit}
        return self._logged(f"{whose}seq > :after ORDER BY seq LIMIT :limit", values)

    def logged_act(self, commitment: Digest, merchant_id: int | None = None) -> LoggedAct | None:
        """The one with this commitment, if it concerns that merchant (None: whomever)."""
        whose = "" if merchant_id is None else " AND merchant_id = :merchant"
        values = {"merchant": merchant_id, "commitment": commitment}
        found = self._logged(f"commitment = :commitment{whose}", values)
        return found[0] if found else None

    def logged_merchants(self, after: int, limit: int) -> list[int | None]:
        """The merchants whom the acts above ``after`` concern, as their rows say, in order."""
        with self.connections.reading() as connection:
            query = "SELECT merchant_id FROM logged_acts WHERE seq > ? ORDER BY seq LIMIT ?"
            return [row[0] for row in connection.execute(query, (after, limit))]

    def count_logged(self, through: int) -> dict[str, int]:
        """How many there are of each type up to ``through``."""
        with self.connections.reading() as connection:
            query = "SELECT type, count(*) FROM logged_acts WHERE seq <= ? GROUP BY type"
            return dict(connection.execute(query, (through,)).fetchall())

    def _logged(self, where: str, values: Mapping[str, object]) -> list[LoggedAct]:
        with self.connections.reading() as connection:
            rows = connection.execute(_SELECT + where, values).fetchall()
        return [_read(row) for row in rows]


def _read(row: tuple[Any, ...]) -> LoggedAct:
    seq, trail, type_, subject, salt, document, commitment = row
    try:
        return LoggedAct(seq, trail, type_, subject, salt, document, to_digest(commitment))
    except (MalformedError, TypeError) as error:
        detail = f"the row of act {seq} for the log is damaged: {error}"
        raise UnavailableError("record_damaged", detail) from error
