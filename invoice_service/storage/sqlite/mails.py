"""Letters with invoices that wait to be sent; of those that were, only that they were.

An address is sealed under a key of its own, in a table of keys alone. The key goes by zeros over it
when the letter has ended, as those of people do (ADR 0034), and whoever tidies up next has the
write-ahead log forget it.
"""

import sqlite3
from collections.abc import Sequence
from secrets import token_bytes
from typing import Final

from sqlite_utils import Database

from chain.errors import RefusedError
from invoice_service.domain.persons import GONE, KEY_SIZE, hide, show
from invoice_service.retention.ports import Due
from invoice_service.services.mailing.ports import Letter, Limits, State, Told, Wanted
from invoice_service.storage.sqlite.connection import TO_WASH, Connections

_NONCE_SIZE: Final = 12
_TABLES: Final = (
    "CREATE TABLE mail_keys (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    f" key BLOB NOT NULL CHECK (length(key) = {KEY_SIZE})) STRICT",
    "CREATE TRIGGER mail_keys_end BEFORE UPDATE ON mail_keys"
    f" WHEN NEW.id IS NOT OLD.id OR NEW.key IS NOT zeroblob({KEY_SIZE})"
    " BEGIN SELECT RAISE(ABORT, 'mail_keys: a key is only destroyed'); END",
    "CREATE TRIGGER mail_keys_no_delete BEFORE DELETE ON mail_keys"
    " BEGIN SELECT RAISE(ABORT, 'mail_keys: no DELETE, rows are frozen'); END",
    "CREATE TABLE mails (id INTEGER PRIMARY KEY REFERENCES mail_keys (id),"
    " invoice INTEGER NOT NULL REFERENCES invoices (seq), merchant_id INTEGER NOT NULL,"
    " mark BLOB NOT NULL, sealed BLOB NOT NULL, language TEXT NOT NULL, at INTEGER NOT NULL,"
    " until INTEGER NOT NULL, due INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0,"
    " state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed')),"
    " code TEXT NOT NULL DEFAULT '') STRICT",
    "CREATE INDEX idx_mails_invoice ON mails (invoice)",
    "CREATE INDEX idx_mails_merchant ON mails (merchant_id, at)",
    "CREATE INDEX idx_mails_due ON mails (due) WHERE state = 'waiting'",
    "CREATE INDEX idx_mails_marked ON mails (at) WHERE mark <> x''",
    "CREATE TRIGGER mails_ended BEFORE UPDATE ON mails WHEN OLD.state <> 'waiting'"
    " AND (NEW.mark IS NOT x'' OR (NEW.id, NEW.invoice, NEW.at, NEW.state, NEW.code)"
    " IS NOT (OLD.id, OLD.invoice, OLD.at, OLD.state, OLD.code))"
    " BEGIN SELECT RAISE(ABORT, 'mails: what has ended is frozen'); END",
    "CREATE TRIGGER mails_no_delete BEFORE DELETE ON mails"
    " BEGIN SELECT RAISE(ABORT, 'mails: no DELETE, they are counted'); END",
)
_FORGOTTEN: Final = (
    "CREATE INDEX idx_mails_ended ON mails (at) WHERE state <> 'waiting'",
    "DROP TRIGGER mails_no_delete",
    "CREATE TRIGGER mails_no_delete BEFORE DELETE ON mails WHEN OLD.state = 'waiting'"
    " BEGIN SELECT RAISE(ABORT, 'mails: one that waits is sent, or given up'); END",
)
_NEXT: Final = (
    "SELECT m.id, m.invoice, m.sealed, k.key, m.language, m.at, m.until, m.tries"
    " FROM mails m JOIN mail_keys k ON k.id = m.id"
    " WHERE m.state = 'waiting' AND m.due <= ? ORDER BY m.due LIMIT 1"
)


class MailRows:
    """The part of the store that keeps letters."""

    connections: Connections

    def add_letter(self, wanted: Wanted, limits: Limits) -> bool:
        """Keep it until it is sent; whether it is new. The same again is the one there is.

        RefusedError ``mail_too_many``.
        """
        with self.connections.writing() as connection:
            if _is_known(connection, wanted):
                return False
            _check_limits(connection, wanted, limits)
            key = token_bytes(KEY_SIZE)
            number = connection.execute("INSERT INTO mail_keys (key) VALUES (?)", (key,)).lastrowid
            sealed = hide(wanted.address.encode(), key, token_bytes(_NONCE_SIZE))
            connection.execute(
                "INSERT INTO mails (id, invoice, merchant_id, mark, sealed, language, at, until,"
                " due) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7)",
                (
                    *(number, wanted.invoice, wanted.merchant_id, wanted.marks[0], sealed),
                    *(wanted.language, wanted.at, wanted.until),
                ),
            )
            return True

    def letters_due(self, now: int) -> bool:
        """Whether anything is to be done."""
        with self.connections.reading() as connection:
            query = "SELECT 1 FROM mails WHERE state = 'waiting' AND due <= ? LIMIT 1"
            return connection.execute(query, (now,)).fetchone() is not None

    def take_letter(self, now: int, pauses: Sequence[int]) -> Letter | None:
        """The next one, put off to its next try: whoever dies with it in hand loses nothing."""
        with self.connections.writing() as connection:
            row = connection.execute(_NEXT, (now,)).fetchone()
            if row is None:
                return None
            id_, invoice, sealed, key, language, at, until, tries = row
            pause = pauses[min(tries, len(pauses) - 1)]
            connection.execute(
                "UPDATE mails SET tries = tries + 1, due = ? WHERE id = ?",
                (min(now + pause, max(until, now + 1)), id_),
            )
        address = "" if key == GONE else show(sealed, key).decode()
        return Letter(id_, invoice, address, language, at, until, tries + 1)

    def put_off(self, id_: int, until: int) -> None:
        """Not now, and that was no try."""
        with self.connections.writing() as connection:
            connection.execute(
                "UPDATE mails SET tries = tries - 1, due = ? WHERE id = ? AND state = 'waiting'",
                (until, id_),
            )

    def end_letter(self, id_: int, state: State, code: str) -> None:
        """It was sent, or never will be: the key of its address is destroyed."""
        with self.connections.writing() as connection:
            done = connection.execute(
                "UPDATE mails SET state = ?, code = ?, sealed = x'' WHERE id = ?"
                " AND state = 'waiting'",
                (state, code, id_),
            )
            if done.rowcount:
                connection.execute("UPDATE mail_keys SET key = ? WHERE id = ?", (GONE, id_))
                connection.execute(TO_WASH)

    def letters_of(self, invoice: int) -> list[Told]:
        """What became of those of an invoice, in order; one whose address is gone has failed."""
        query = (
            "SELECT CASE WHEN m.state = 'waiting' AND k.key = ? THEN 'failed' ELSE m.state END,"
            " m.at FROM mails m JOIN mail_keys k ON k.id = m.id WHERE m.invoice = ? ORDER BY m.id"
        )
        with self.connections.reading() as connection:
            return [Told(*row) for row in connection.execute(query, (GONE, invoice))]

    def old_letters(self, before: int) -> Due:
        """Those that were sent or given up."""
        with self.connections.reading() as connection:
            query = "SELECT sum(at < ?), min(at) FROM mails WHERE state <> 'waiting'"
            count, oldest = connection.execute(query, (before,)).fetchone()
        return Due(count or 0, oldest)

    def drop_letters(self, before: int, most: int) -> int:
        """Delete them; returns how many. Of each the zeros stay that stand in its key's place."""
        with self.connections.writing() as connection:
            return connection.execute(
                "DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE state <> 'waiting'"
                " AND at < ? ORDER BY at LIMIT ?)",
                (before, most),
            ).rowcount

    def forget_marks(self, before: int) -> None:
        """Drop the digests of addresses that were asked for before then."""
        query = "SELECT 1 FROM mails WHERE mark <> x'' AND at < ? AND state <> 'waiting' LIMIT 1"
        with self.connections.reading() as connection:
            if connection.execute(query, (before,)).fetchone() is None:
                return
        with self.connections.writing() as connection:
            connection.execute(
                "UPDATE mails SET mark = x'' WHERE mark <> x'' AND at < ? AND state <> 'waiting'",
                (before,),
            )


def forget_letters(connection: sqlite3.Connection, invoices: Sequence[int]) -> None:
    """Destroy the keys of letters that wait: who is erased gets none. They end as given up.

    Nor is an address known apart any more: its digest would tell whoever has the key of digests,
    and guesses it.
    """
    connection.executemany(
        "UPDATE mail_keys SET key = ? WHERE id IN"
        " (SELECT id FROM mails WHERE invoice = ? AND state = 'waiting')",
        [(GONE, invoice) for invoice in invoices],
    )
    connection.executemany(
        "UPDATE mails SET mark = x'' WHERE invoice = ? AND mark <> x''",
        [(invoice,) for invoice in invoices],
    )


def create_mails(db: Database) -> None:
    """Make them, empty."""
    for statement in _TABLES:
        db.execute(statement)


def letters_end(db: Database) -> None:
    """What has ended may be forgotten in time."""
    for statement in _FORGOTTEN:
        db.execute(statement)


def _is_known(connection: sqlite3.Connection, wanted: Wanted) -> bool:
    """Whether the same letter waits or was sent; one that failed may be asked for again."""
    places = ", ".join("?" for _ in wanted.marks)
    query = (
        f"SELECT 1 FROM mails WHERE invoice = ? AND mark IN ({places})"  # noqa: S608 # placeholders
        " AND state <> 'failed'"
    )
    return connection.execute(query, (wanted.invoice, *wanted.marks)).fetchone() is not None


def _check_limits(connection: sqlite3.Connection, wanted: Wanted, limits: Limits) -> None:
    of_invoice = connection.execute(
        "SELECT count(*) FROM mails WHERE invoice = ?", (wanted.invoice,)
    ).fetchone()[0]
    of_merchant = connection.execute(
        "SELECT count(*) FROM mails WHERE merchant_id = ? AND at > ?",
        (wanted.merchant_id, limits.since),
    ).fetchone()[0]
    if of_invoice >= limits.of_invoice:
        raise RefusedError("mail_too_many", f"an invoice is sent {limits.of_invoice} times at most")
    if of_merchant >= limits.of_merchant:
        raise RefusedError(
            "mail_too_many", f"a merchant's invoices are sent {limits.of_merchant} times a day"
        )
