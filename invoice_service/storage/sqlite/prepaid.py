"""Prepaid accounts: each rule is decided in the transaction that depends on it.

``release`` and ``give_back`` are called within the issuing transaction: an invoice that a meal is
paid by and what it releases are on disk together, or neither is.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from chain.commitment import password_area
from chain.errors import ConflictError, NotFoundError, RefusedError
from chain.hashing import Digest, to_digest
from invoice_service.domain.merchant import refuse_unless_active
from invoice_service.domain.money import Fen
from invoice_service.domain.prepaid import (
    MOVES,
    Event,
    Kind,
    Standing,
    Sums,
    ending_of,
    require_room,
    require_term,
)
from invoice_service.services.prepaid.ports import Done, Prepaid, Said, Whole
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.reading import Execute

_COLUMNS: Final = Prepaid.__struct_fields__
_NEW: Final = [name for name in _COLUMNS if name != "seq"]
_SELECT: Final = (
    f"SELECT {', '.join(f'a.{name}' for name in _COLUMNS)}, m.status = 'active',"  # noqa: S608 # our own columns
    " (SELECT at FROM prepaid_asks WHERE account = a.seq)"
    " FROM prepaid_accounts a JOIN merchants m ON m.id = a.merchant_id"
)
_OPEN: Final = (
    f"INSERT INTO prepaid_accounts ({', '.join(_NEW)})"  # noqa: S608 # our own columns
    f" VALUES ({', '.join('?' * len(_NEW))})"
)
_STATUS: Final = "SELECT status FROM merchants WHERE id = ?"
_EVENTS: Final = (
    "SELECT e.seq, e.kind, e.amount, e.at, e.invoice, e.red, coalesce(i.number, ''), e.reason,"
    " e.request_id FROM prepaid_events e LEFT JOIN invoices i ON i.hash = e.invoice"
    " WHERE e.account = ? ORDER BY e.seq"
)
_ADD: Final = (
    "INSERT INTO prepaid_events (seq, account, kind, debit, credit, amount, at, invoice, red,"
    " wallet, request_id, asked, reason) VALUES"
    " ((SELECT coalesce(max(seq), 0) + 1 FROM prepaid_events), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_STANDING: Final = (
    "SELECT a.seq, a.expires_at, m.status = 'active',"
    " EXISTS (SELECT 1 FROM prepaid_asks WHERE account = a.seq),"
    " coalesce(sum(CASE e.credit WHEN 'held' THEN e.amount ELSE -e.amount END), 0),"
    " coalesce(sum(e.kind = 'release'), 0), coalesce(sum(e.kind = 'refund'), 0)"
    " FROM prepaid_accounts a JOIN merchants m ON m.id = a.merchant_id"
    " LEFT JOIN prepaid_events e ON e.account = a.seq"
    " WHERE a.id = ? AND a.merchant_id = ? GROUP BY a.seq"
)
_OF_INVOICE: Final = (
    "SELECT account, sum(CASE credit WHEN 'released' THEN amount ELSE -amount END)"
    " FROM prepaid_events WHERE invoice = ? GROUP BY account"
)
_NOBODY: Final = Said("", "", b"")


def release(
    execute: Execute, account_id: str, merchant_id: int, digest: bytes, total: Fen, now: int
) -> int:
    """Release what an invoice comes to, and give the account's place; raises ``require_room``'s."""
    seq, standing = _standing(execute, account_id, merchant_id, now)
    require_room(standing, total)
    _add(execute, seq, "release", total, now, digest)
    return seq


def _standing(
    execute: Execute, account_id: str, merchant_id: int, now: int
) -> tuple[int, Standing | None]:
    """The account's place, and how it stands; (0, None) where there is none."""
    row = execute(_STANDING, (account_id, merchant_id)).fetchone()
    if row is None:
        return 0, None
    ending = ending_of(
        now=now,
        expires_at=row[1],
        active=bool(row[2]),
        asked=bool(row[3]),
        refunded=bool(row[6]),
    )
    return int(row[0]), Standing(row[4], row[5], ending)


def give_back(execute: Execute, blue: bytes, red: bytes, amount: Fen, now: int) -> None:
    """A red invoice takes back ``amount`` (fen, positive): as much of what was released is held.

    Nothing where no account paid, or where the wallet did not.
    """
    row = execute(_OF_INVOICE, (blue,)).fetchone()
    if row is not None and row[1]:
        _add(execute, row[0], "return", amount, now, blue, red)


class PrepaidRows:
    """The part of the store that keeps prepaid accounts."""

    connections: Connections

    def open_prepaid(self, account: Prepaid, amount: Fen, said: Said) -> Done:
        """Keep it, or give the one there is."""
        with self.connections.writing() as connection:
            there = _said_before(connection, said)
            if there is not None:
                return Done(there, new=False)
            require_term(account.opened_at, account.expires_at)
            values = tuple(getattr(account, name) for name in _NEW)
            seq = connection.execute(_OPEN, values).lastrowid or 0
            _add(connection.execute, seq, "open", amount, account.opened_at, said=said)
            (status,) = connection.execute(_STATUS, (account.merchant_id,)).fetchone()
            refuse_unless_active(status)
            return Done(_at(connection, seq), new=True)

    def prepaid(
        self, account_id: str, *, merchant_id: int | None = None, wallet: str | None = None
    ) -> Whole | None:
        """One by its id; of this merchant or this wallet, where they are said."""
        with self.connections.reading() as connection:
            found = _one(connection, "a.id = ?", (account_id,))
        if found is None or merchant_id not in (None, found.account.merchant_id):
            return None
        return found if wallet in (None, found.account.wallet) else None

    def has_prepaid(self, account_id: str, merchant_id: int) -> bool:
        """Whether there is such an account at this merchant's."""
        return self.prepaid(account_id, merchant_id=merchant_id) is not None

    def prepaid_standing(self, account_id: str, merchant_id: int, now: int) -> Standing | None:
        """How a merchant's account stands."""
        with self.connections.reading() as connection:
            return _standing(connection.execute, account_id, merchant_id, now)[1]

    def released_for(self, invoice: Digest) -> Fen | None:
        """What an account pays of an invoice; None where none does."""
        with self.connections.reading() as connection:
            row = connection.execute(_OF_INVOICE, (bytes(invoice),)).fetchone()
        return None if row is None else int(row[1])

    def prepaid_by_mark(self, marks: Sequence[bytes]) -> Whole | None:
        """One by the keyed digest of its token."""
        with self.connections.reading() as connection:
            for mark in marks:
                if (found := _one(connection, "a.mark = ?", (mark,))) is not None:
                    return found
        return None

    def prepaids(self, merchant_id: int, after: int, limit: int) -> list[Whole]:
        """A merchant's, those above ``after`` in the order in which they were opened."""
        return self._some("a.merchant_id = ? AND a.seq > ?", (merchant_id, after), limit)

    def all_prepaids(self, after: int, limit: int) -> list[Whole]:
        """Everybody's, likewise."""
        return self._some("a.seq > ?", (after,), limit)

    def prepaid_sums(self) -> Sums:
        """What stands in the books of all accounts, as the database adds it up."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                "SELECT book, sum(amount) FROM prepaid_entries GROUP BY book"
            ).fetchall()
        books = Sums()._asdict() | dict(rows)
        return Sums(**books | {"paid_in": -books["paid_in"]})

    def refund_prepaid(self, seq: int, amount: Fen | None, said: Said, now: int) -> Done:
        """So much, or all that is held, is paid back; from then on no meal is released."""
        with self.connections.writing() as connection:
            there = _said_before(connection, said)
            if there is not None:
                return Done(there, new=False)
            held = _at(connection, seq).sums.held
            if not held or (amount or 0) > held:
                raise RefusedError("prepaid_short", f"it holds {held} fen", held=held)
            _add(connection.execute, seq, "refund", amount or held, now, said=said)
            return Done(_at(connection, seq), new=True)

    def refuse_release(self, seq: int, invoice: Digest, said: Said, now: int) -> Done:
        """What a meal still has of the money is held again."""
        with self.connections.writing() as connection:
            there = _said_before(connection, said)
            if there is not None:
                return Done(there, new=False)
            row = connection.execute(_OF_INVOICE, (bytes(invoice),)).fetchone()
            if row is None or row[0] != seq:
                raise NotFoundError("prepaid_not_released", "nothing was released for this invoice")
            if not row[1]:
                raise RefusedError("prepaid_given_back", "all of it has come back already")
            _add(connection.execute, seq, "refuse", row[1], now, bytes(invoice), said=said)
            return Done(_at(connection, seq), new=True)

    def release_prepaid(self, account_id: str, merchant_id: int, invoice: Digest, now: int) -> Done:
        """Release what an invoice comes to that was issued before; once."""
        with self.connections.writing() as connection:
            found = _one(connection, "a.id = ? AND a.merchant_id = ?", (account_id, merchant_id))
            paid = connection.execute(_OF_INVOICE, (bytes(invoice),)).fetchone()
            if found is not None and paid is not None:
                if paid[0] == found.account.seq:
                    return Done(found, new=False)
                raise ConflictError("prepaid_released", "another account has paid this invoice")
            total = _whole_blue(connection, invoice, merchant_id)
            seq = release(connection.execute, account_id, merchant_id, bytes(invoice), total, now)
            return Done(_at(connection, seq), new=True)

    def ask_back(self, seq: int, now: int) -> None:
        """Keep that the customer wants what is left; safe to repeat."""
        with self.connections.writing() as connection:
            connection.execute(
                "INSERT INTO prepaid_asks SELECT ?1, ?2 WHERE NOT EXISTS"
                " (SELECT 1 FROM prepaid_asks WHERE account = ?1)",
                (seq, now),
            )

    def _some(self, where: str, values: tuple[object, ...], limit: int) -> list[Whole]:
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE {where} ORDER BY a.seq LIMIT ?", (*values, limit)
            ).fetchall()
            return [_whole(connection, row) for row in rows]


def _add(
    execute: Execute,
    account: int,
    kind: Kind,
    amount: Fen,
    at: int,
    invoice: bytes | None = None,
    red: bytes | None = None,
    *,
    said: Said = _NOBODY,
) -> None:
    values = (account, kind, *MOVES[kind], amount, at, invoice, red)
    execute(_ADD, (*values, said.wallet, said.request_id, said.digest, said.reason))


def _said_before(connection: sqlite3.Connection, said: Said) -> Whole | None:
    """The account of which a wallet has said this before; ConflictError ``prepaid_differs``."""
    row = connection.execute(
        "SELECT account, asked FROM prepaid_events WHERE wallet = ? AND request_id = ?",
        (said.wallet, said.request_id),
    ).fetchone()
    if row is None:
        return None
    if row[1] != said.digest:
        raise ConflictError(
            "prepaid_differs", f"request {said.request_id} has said something else here"
        )
    return _at(connection, row[0])


def _whole_blue(connection: sqlite3.Connection, invoice: Digest, merchant_id: int) -> Fen:
    """What an invoice comes to of which nothing was taken back."""
    row = connection.execute(
        "SELECT type = 'blue', total, EXISTS (SELECT 1 FROM invoices r WHERE r.reverses = i.seq)"
        " FROM invoices i WHERE hash = ? AND merchant_id = ?",
        (bytes(invoice), merchant_id),
    ).fetchone()
    if row is None:
        raise NotFoundError("invoice_unknown", "there is no such invoice", pointer="/hash")
    if not row[0] or row[2]:
        raise RefusedError(
            "prepaid_not_whole", "a meal is paid by an invoice that stands whole", pointer="/hash"
        )
    return int(row[1])


def _one(connection: sqlite3.Connection, where: str, values: tuple[object, ...]) -> Whole | None:
    row = connection.execute(f"{_SELECT} WHERE {where}", values).fetchone()
    return None if row is None else _whole(connection, row)


def _at(connection: sqlite3.Connection, seq: int) -> Whole:
    return _whole(connection, connection.execute(f"{_SELECT} WHERE a.seq = ?", (seq,)).fetchone())


def _whole(connection: sqlite3.Connection, row: tuple[Any, ...]) -> Whole:
    *fields, active, asked_at = row
    account = Prepaid(**dict(zip(_COLUMNS, fields, strict=True)))
    events = connection.execute(_EVENTS, (account.seq,)).fetchall()
    return Whole(account, tuple(map(_event, events)), asked_at, bool(active))


def _event(row: tuple[Any, ...]) -> Event:
    seq, kind, amount, at, invoice, red, number, reason, request_id = row
    return Event(
        seq=seq,
        kind=kind,
        amount=amount,
        at=at,
        invoice=_named(invoice),
        red=_named(red),
        number=number,
        reason=reason,
        request_id=request_id,
    )


def _named(digest: bytes | None) -> str:
    return "" if digest is None else password_area(to_digest(digest))
