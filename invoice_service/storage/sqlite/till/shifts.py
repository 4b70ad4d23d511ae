"""Tills that are opened and closed, and what should be in them."""

import sqlite3
from typing import Any, Final

import msgspec

from chain.errors import ConflictError, NotFoundError
from invoice_service.domain.acts import Said, act_by
from invoice_service.domain.money import Fen
from invoice_service.services.till.ports import Hand, Paid, Shift
from invoice_service.services.till.problems import with_members
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.till.events import note
from invoice_service.storage.sqlite.trail import append

_COLUMNS: Final = Shift.__struct_fields__
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM till_shifts"  # noqa: S608 # our own columns
_to_json: Final = msgspec.json.Encoder(order="sorted").encode
_CASH: Final = "cash"


class ShiftRows:
    """The part of the store that keeps shifts."""

    connections: Connections

    def open_shift(self, hand: Hand, shift_id: str, change: Fen) -> Shift:
        """Open the till; the same shift again is the one there is. ConflictError ``till_open``."""
        with self.connections.writing() as connection:
            return opened(connection, hand, shift_id, change)

    def close_shift(
        self, hand: Hand, shift_id: str, counted: Paid, text: str, *, carry: bool
    ) -> Shift:
        """Count it; the same count again is the same answer.

        NotFoundError ``shift_unknown``; ConflictError ``shift_closed``, ``bills_open``.
        """
        with self.connections.writing() as connection:
            shift = _one(connection, "merchant_id = ? AND id = ?", (hand.merchant_id, shift_id))
            if shift is None:
                raise NotFoundError("shift_unknown", "there is no such shift")
            if shift.closed_at is not None:
                if shift.counted == dict(counted):
                    return shift
                raise ConflictError("shift_closed", "this shift was closed with another count")
            _refuse_open_bills(connection, hand.merchant_id, shift, carry=carry)
            return _closed(connection, hand, shift, dict(counted), text)

    def shift(self, merchant_id: int, shift_id: str) -> Shift | None:
        """One of a merchant's."""
        with self.connections.reading() as connection:
            return _one(connection, "merchant_id = ? AND id = ?", (merchant_id, shift_id))

    def current_shift(self, merchant_id: int, till: str) -> Shift | None:
        """The one that is open at a till."""
        with self.connections.reading() as connection:
            return current(connection, merchant_id, till)

    def shifts(self, merchant_id: int, first: str, last: str, limit: int) -> list[Shift]:
        """Those of these business days, the newest first."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE merchant_id = ? AND business_day BETWEEN ? AND ?"
                " ORDER BY opened_at DESC, id LIMIT ?",
                (merchant_id, first, last, limit),
            ).fetchall()
        return [_read(row) for row in rows]


def opened(connection: sqlite3.Connection, hand: Hand, shift_id: str, change: Fen) -> Shift:
    """Open a till within a transaction; ConflictError ``till_open``."""
    place = hand.place
    there = _one(connection, "merchant_id = ? AND id = ?", (place.merchant_id, shift_id))
    if there is not None:
        return there
    if current(connection, place.merchant_id, place.till) is not None:
        raise ConflictError("till_open", f"{place.till} is open: close it first")
    connection.execute(
        "INSERT INTO till_shifts (merchant_id, id, till, business_day, change, opened_at,"
        " opened_by) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (place.merchant_id, shift_id, place.till, place.day, change, hand.by.at, hand.person),
    )
    after: Said = {"merchant": place.merchant_id, "till": place.till, "float": change}
    append(connection, act_by(hand.by, "shift", f"shift:{shift_id}", after=after))
    note(connection, place.merchant_id, "shift", shift_id)
    return Shift(
        id=shift_id,
        till=place.till,
        business_day=place.day,
        change=change,
        opened_at=hand.by.at,
        opened_by=hand.person,
    )


def current(connection: sqlite3.Connection, merchant_id: int, till: str) -> Shift | None:
    """The shift that is open at a till."""
    return _one(
        connection, "merchant_id = ? AND till = ? AND closed_at IS NULL", (merchant_id, till)
    )


def _closed(
    connection: sqlite3.Connection, hand: Hand, shift: Shift, counted: dict[str, Fen], text: str
) -> Shift:
    expected = _expected(connection, hand.merchant_id, shift)
    closed = msgspec.structs.replace(
        shift,
        closed_at=hand.by.at,
        closed_by=hand.person,
        counted=counted,
        expected=expected,
        note=text,
    )
    connection.execute(
        "UPDATE till_shifts SET closed_at = ?, closed_by = ?, counted = ?, expected = ?, note = ?"
        " WHERE merchant_id = ? AND id = ?",
        (
            closed.closed_at,
            closed.closed_by,
            _to_json(counted).decode(),
            _to_json(expected).decode(),
            text,
            hand.merchant_id,
            shift.id,
        ),
    )
    after: Said = {"merchant": hand.merchant_id, "till": shift.till, "closed_at": hand.by.at}
    after |= {f"expected_{kind}": amount for kind, amount in expected.items()}
    after |= {f"counted_{kind}": amount for kind, amount in counted.items()}
    append(connection, act_by(hand.by, "shift", f"shift:{shift.id}", after=after))
    note(connection, hand.merchant_id, "shift", shift.id)
    return closed


def _expected(connection: sqlite3.Connection, merchant_id: int, shift: Shift) -> dict[str, Fen]:
    """What should be there: the change, and what was paid since, less what was paid back."""
    rows = connection.execute(
        "SELECT kind, sum(amount) FROM (SELECT p.kind, p.amount FROM till_sales s"
        " JOIN till_payments p ON p.invoice = s.invoice WHERE s.merchant_id = ?1 AND s.shift = ?2"
        " UNION ALL SELECT kind, amount FROM claim_money WHERE merchant_id = ?1 AND shift = ?2)"
        " GROUP BY kind",
        (merchant_id, shift.id),
    ).fetchall()
    found = {kind: int(amount) for kind, amount in rows}
    found[_CASH] = found.get(_CASH, 0) + shift.change
    return found


def _refuse_open_bills(
    connection: sqlite3.Connection, merchant_id: int, shift: Shift, *, carry: bool
) -> None:
    """Bills that are being settled belong to the shift; open ones may wait for the next."""
    rows = connection.execute(
        "SELECT id FROM till_bills WHERE merchant_id = ?1 AND ((state = 'settling' AND shift = ?2)"
        " OR (state = 'open' AND till = ?3 AND NOT ?4)) UNION ALL SELECT id FROM till_returns"
        " WHERE merchant_id = ?1 AND shift = ?2 AND red = 0",
        (merchant_id, shift.id, shift.till, carry),
    ).fetchall()
    if rows:
        problem = ConflictError("bills_open", f"{len(rows)} bills of this till are not settled")
        raise with_members(problem, bills=[row[0] for row in rows])


def _one(connection: sqlite3.Connection, where: str, values: tuple[object, ...]) -> Shift | None:
    row = connection.execute(f"{_SELECT} WHERE {where}", values).fetchone()
    return None if row is None else _read(row)


def _read(row: tuple[Any, ...]) -> Shift:
    fields = dict(zip(_COLUMNS, row, strict=True))
    fields |= {name: msgspec.json.decode(fields[name]) for name in ("counted", "expected")}
    return msgspec.convert(fields, Shift)
