"""Keys of the people among the buyers: the only rows here that anybody may ever destroy (ADR 0034).

A key is destroyed by writing zeros over it. Its row stays where it is, so that SQLite moves no
other key about and leaves no copies of them in pages that it gives up.
"""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from secrets import token_bytes
from typing import Any, Final

from sqlite_utils import Database

from chain.errors import ConflictError, UnavailableError
from chain.hashing import ZERO
from invoice_service.domain.acts import By, act_by
from invoice_service.domain.invoice import committed
from invoice_service.domain.persons import (
    GONE,
    KEY_SIZE,
    is_person,
    keep,
    kept_digest,
    read_group,
)
from invoice_service.services.people.trail import BuyerStanding
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.mails import forget_letters
from invoice_service.storage.sqlite.retention import WAITS
from invoice_service.storage.sqlite.trail import append, last_said

KEEP: Final = "INSERT INTO buyer_keys (invoice, key) VALUES (?, ?)"
KEY: Final = (
    "CASE WHEN substr(i.buyer, 1, 1) = x'01'"
    " THEN (SELECT key FROM buyer_keys WHERE invoice = i.seq) END"
)
"""The SQL for the key of the buyer of invoice ``i``; null where that is stored as it is."""

_SUBJECT: Final = "'invoice:' || blue.code || '-' || blue.number"
_FAMILY: Final = (
    "SELECT k.invoice, k.key FROM buyer_keys k JOIN invoices i ON i.seq = k.invoice"
    " WHERE i.seq = ?1 OR i.reverses = ?1 ORDER BY k.invoice"
)
_DONE: Final = (
    "SELECT at FROM acts WHERE subject = ? AND type = 'erasure' AND outcome = 'done' ORDER BY seq"
)
_DESTROY: Final = "UPDATE buyer_keys SET key = ? WHERE invoice = ?"
_STANDINGS: Final = (
    "SELECT k.invoice, k.key, substr(i.buyer, 1, 1) = x'01',"  # noqa: S608 # our own texts
    f" {last_said('seq', _SUBJECT, 'erasure')}"
    " FROM buyer_keys k LEFT JOIN invoices i ON i.seq = k.invoice"
    " LEFT JOIN invoices blue ON blue.seq = coalesce(i.reverses, i.seq)"
    " WHERE k.invoice > ? ORDER BY k.invoice LIMIT ?"
)
_TABLES: Final = (
    "CREATE TABLE buyer_keys (invoice INTEGER PRIMARY KEY REFERENCES invoices (seq),"
    f" key BLOB NOT NULL CHECK (length(key) = {KEY_SIZE})) STRICT",
    "CREATE TABLE unwashed (invoice INTEGER PRIMARY KEY) STRICT",
    "CREATE TRIGGER buyer_keys_once BEFORE INSERT ON buyer_keys WHEN EXISTS"
    " (SELECT 1 FROM buyer_keys WHERE invoice = NEW.invoice)"
    " BEGIN SELECT RAISE(ABORT, 'buyer_keys are only ever appended'); END",
    "CREATE TRIGGER buyer_keys_end BEFORE UPDATE ON buyer_keys WHEN NEW.invoice IS NOT OLD.invoice"
    f" OR NEW.key IS NOT zeroblob({KEY_SIZE})"
    " BEGIN SELECT RAISE(ABORT, 'buyer_keys: a key is only destroyed, rows are frozen'); END",
    "CREATE TRIGGER buyer_keys_no_delete BEFORE DELETE ON buyer_keys"
    " BEGIN SELECT RAISE(ABORT, 'buyer_keys: no DELETE, rows are frozen'); END",
)

Execute = Callable[..., sqlite3.Cursor]
"""A connection's ``execute``."""


class Buyers:
    """The part of the store that erases people."""

    connections: Connections

    def erase_buyer(self, seq: int, subject: str, by: By) -> int:
        """Erase the buyer of the blue invoice at ``seq`` and of all that takes it back.

        Returns when (unix seconds) that was first done. Then the keys stand in no file of the
        database any more. UnavailableError ``database_busy`` may come when they are destroyed and
        a reader still needs the write-ahead log that holds them: the same call again, or the next
        start, empties it.
        """
        with self.connections.writing() as connection:
            family = connection.execute(_FAMILY, (seq,)).fetchall()
            alive = [row for row, key in family if key != GONE]
            if alive:
                connection.executemany(_DESTROY, [(GONE, row) for row in alive])
                forget_letters(connection, [row for row, _ in family])
                connection.execute("INSERT OR IGNORE INTO unwashed VALUES (?)", (seq,))
                connection.execute(WAITS, (seq,))
                append(connection, act_by(by, "erasure", subject, after={"documents": len(alive)}))
            done = connection.execute(_DONE, (subject,)).fetchone()
            # A crash before the COMMIT: nothing was done. After it: keys and act are as they should
            # be, and whoever opens the file next washes it.
        if done is None:
            raise UnavailableError("record_damaged", f"no act says how {subject} was erased")
        wash(self.connections)
        return int(done[0])

    def buyer_standings(self, after: int, limit: int) -> list[BuyerStanding]:
        """The keys of invoices above ``after``, each beside what the trail says at that moment."""
        with self.connections.reading() as connection:
            rows = connection.execute(_STANDINGS, (after, limit)).fetchall()
        return [
            BuyerStanding(invoice, key == GONE, bool(sealed), act is not None)
            for invoice, key, sealed, act in rows
        ]


def check_not_erased(execute: Execute, seq: int) -> None:
    """Refuse to issue anything in the name of a person who was erased meanwhile."""
    row = execute("SELECT key FROM buyer_keys WHERE invoice = ?", (seq,)).fetchone()
    if row is None or row[0] == GONE:
        raise ConflictError("buyer_erased", "the buyer was erased a moment ago; send this again")


def wash(connections: Connections) -> None:
    """Empty the write-ahead log, where keys stand that were destroyed since it was begun.

    Raises UnavailableError ``database_busy`` while a reader needs it.
    """
    with connections.reading() as connection:
        waiting = connection.execute("SELECT invoice FROM unwashed").fetchall()
    if waiting:
        connections.empty_log()
        # A crash here: it is emptied once more. What came in between is not among these. The commit
        # syncs the log, too: after a power cut its old end is not back.
        with connections.writing() as connection:
            connection.executemany("DELETE FROM unwashed WHERE invoice = ?", waiting)


def wash_if_possible(connections: Connections) -> None:
    """The same, for whoever opens the file; it can wait for the next."""
    with suppress(UnavailableError):
        wash(connections)


def create_buyer_keys(db: Database) -> None:
    """The table of keys, and a key for each person who was stored without one.

    What was remembered of their requests cannot be split any more: once erased, a repeat is taken
    for another request.
    """
    for statement in _TABLES:
        db.execute(statement)
    people = [row for row in db.execute(_INDIVIDUALS) if is_person(read_group(row[1]))]
    if not people:
        return
    guards = db.execute(_GUARDS).fetchall()
    for name, _ in guards:
        db.execute(f"DROP TRIGGER {name}")
    for row in people:
        _seal_row(db, *row)
    for _, sql in guards:
        db.execute(sql)


_INDIVIDUALS: Final = (
    "SELECT seq, buyer, salts, type, request_digest FROM invoices"
    ' WHERE instr(buyer, CAST(\'"kind":"individual"\' AS BLOB))'
)
_GUARDS: Final = (
    "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
    " AND name IN ('invoices_no_update', 'idempotency_no_update')"
)


def _seal_row(db: Database, seq: int, buyer: bytes, salts: bytes, *rest: Any) -> None:  # noqa: ANN401 # columns
    kind, digest = rest
    commitment, _ = committed(salts, buyer, b"")
    kept = keep(read_group(buyer), buyer, salts, commitment, token_bytes)
    if kind == "blue":
        digest = kept_digest(kept.key, ZERO, digest)
    db.execute(
        "UPDATE invoices SET buyer = ?, salts = ?, request_digest = ? WHERE seq = ?",
        (kept.buyer, kept.salts, digest, seq),
    )
    db.execute("UPDATE idempotency SET request_digest = ? WHERE seq = ?", (digest, seq))
    db.execute(KEEP, (seq, kept.key))
