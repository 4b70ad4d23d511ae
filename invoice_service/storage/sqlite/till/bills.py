"""Bills: open ones change by compare-and-swap, one that is being settled is fixed."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET

from chain.commitment import password_area
from chain.errors import ConflictError
from chain.hashing import to_digest
from invoice_service.domain.request import Buyer
from invoice_service.services.till.ports import Bill, Fixing, Hand, Part, Place, Sale, Undo
from invoice_service.services.till.problems import with_members
from invoice_service.services.till.shapes import BillContent
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.till.buyers import Told, keep_told, read_told
from invoice_service.storage.sqlite.till.events import note
from invoice_service.storage.sqlite.till.sales import keep_sale
from invoice_service.storage.sqlite.till.shifts import current, opened

MOST_OPEN: Final = 500
"""Bills of a merchant at once."""

_COLUMNS: Final = Bill.__struct_fields__
_KEY: Final = ("merchant_id", "id", "opened_at", "person")
_KEPT: Final = (*_COLUMNS, "buyer_key")
_PUT: Final = (
    f"INSERT INTO till_bills ({', '.join(_KEPT)})"  # noqa: S608 # our own columns
    f" VALUES ({', '.join(f':{name}' for name in _KEPT)})"
    " ON CONFLICT (merchant_id, id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _KEPT if name not in _KEY)
)
_SELECT: Final = (
    f"SELECT {', '.join(_COLUMNS)},"  # noqa: S608 # our own columns
    " (SELECT key FROM till_buyer_keys k WHERE k.id = buyer_key) FROM till_bills"
)
_OPEN: Final = "state IN ('open', 'settling')"
_STALE: Final = (
    "SELECT b.merchant_id, b.id FROM till_bills b JOIN till_buyer_keys k ON k.id = b.buyer_key"
    " WHERE b.buyer_key > 0 AND b.state = 'open' AND k.at < ?"
)
_to_json: Final = msgspec.json.Encoder().encode
_read_buyers: Final = msgspec.json.Decoder(list[Buyer]).decode
_read_content: Final = msgspec.json.Decoder(BillContent).decode
_NOTHING: Final = BillContent()
_UNNAMED: Final[dict[str, Any]] = {
    **dict.fromkeys(("order_id", "business_day", "shift"), ""),
    **dict.fromkeys(("settlement", "buyers", "asked"), b""),
}
"""Of a bill that gets another number when it is settled."""


class BillRows:
    """The part of the store that keeps bills."""

    connections: Connections

    def bill(self, merchant_id: int, bill_id: str) -> Bill | None:
        """One of a merchant's."""
        with self.connections.reading() as connection:
            return _one(connection, merchant_id, bill_id)

    def open_bills(self, merchant_id: int) -> list[Bill]:
        """All that are open or being settled, the oldest first."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE merchant_id = ? AND {_OPEN} ORDER BY opened_at, id LIMIT ?",
                (merchant_id, MOST_OPEN),
            ).fetchall()
        return [_read(row) for row in rows]

    def put_bill(self, hand: Hand, bill_id: str, version: int, content: BillContent) -> Bill:
        """Keep what stands on a bill now, if its version is still this one."""
        with self.connections.writing() as connection:
            bill = bill_at(connection, hand, bill_id, version)
            if bill is None:
                bill = begin_bill(connection, hand, bill_id, content)
            else:
                bill = msgspec.structs.replace(
                    bill, content=content, version=version + 1, asked=b""
                )
                keep_bill(connection, bill, hand.by.at)
            return bill

    def drop_bill(self, hand: Hand, bill_id: str, version: int) -> None:
        """Nothing was sold. Safe to repeat."""
        with self.connections.writing() as connection:
            there = _one(connection, hand.merchant_id, bill_id)
            if there is not None and there.state == "dropped":
                return
            bill = bill_at(connection, hand, bill_id, version)
            if bill is not None:
                _drop(connection, bill)

    def merge_bills(
        self, hand: Hand, into: tuple[str, int], gone: tuple[str, int], content: BillContent
    ) -> Bill:
        """``content`` stands on the one, and the other goes."""
        with self.connections.writing() as connection:
            stays = bill_at(connection, hand, *into)
            goes = bill_at(connection, hand, *gone)
            if stays is None or goes is None:
                raise ConflictError("bill_changed", "there is no such bill yet")
            _drop(connection, goes)
            merged = msgspec.structs.replace(stays, content=content, version=stays.version + 1)
            keep_bill(connection, merged, hand.by.at)
            return merged

    def fix_bill(self, hand: Hand, fixing: Fixing) -> Bill:
        """Begin to settle: the bill gets its order's number, its day and a shift that is open.

        A crash after this leaves a bill that can only be settled as it was asked for here.
        """
        with self.connections.writing() as connection:
            bill = bill_at(connection, hand, fixing.bill_id, fixing.version)
            if bill is None:
                bill = begin_bill(connection, hand, fixing.bill_id, fixing.content)
            place = hand.place
            shift = current(connection, place.merchant_id, place.till) or opened(
                connection, hand, fixing.new_shift, 0
            )
            fixed = msgspec.structs.replace(
                numbered(connection, bill, place),
                state="settling",
                content=fixing.content,
                version=bill.version + 1,
                shift=shift.id,
                settlement=fixing.settlement,
                buyers=fixing.buyers,
                asked=fixing.asked,
            )
            keep_bill(connection, fixed, hand.by.at)
            return fixed

    def sold_parts(self, bill: Bill) -> list[Part]:
        """Which parts of its order have their invoices, in order."""
        with self.connections.reading() as connection:
            rows = connection.execute(f"{_SOLD} ORDER BY part", _order(bill)).fetchall()
        return [
            Part(part or 1, number, total, password_area(to_digest(digest)))
            for part, number, total, digest in rows
        ]

    def release_bill(self, merchant_id: int, bill_id: str) -> None:
        """Open it again, if its order has no invoice; it keeps its number, and what was asked."""
        with self.connections.writing() as connection:
            bill = _one(connection, merchant_id, bill_id)
            if bill is None or bill.state != "settling" or _is_sold(connection, bill):
                return
            version = bill.version + 1
            opened_again = msgspec.structs.replace(
                bill, state="open", version=version, shift="", settlement=b"", buyers=b""
            )
            keep_bill(connection, opened_again)

    def undo_bill(
        self, hand: Hand, bill_id: str, version: int, undo: Undo
    ) -> tuple[Bill, list[int]]:
        """Open it again with what ``undo`` leaves, and book what is sold; safe to repeat.

        Returns the places of the invoices that stay as well. Which parts are sold is read in the
        transaction that closes the order: issuing looks there in its own, so none comes after.
        """
        with self.connections.writing() as connection:
            name = (hand.merchant_id, bill_id, version)
            there = _one(connection, hand.merchant_id, bill_id)
            before = connection.execute(_UNDONE, name).fetchone()
            if before and there is not None and there.state == "open":
                return there, [*_places(connection, before).values()]
            bill = _being_settled(there, version)
            sold = _places(connection, _order(bill))
            left = undo(bill, sold)
            # A crash before the commit leaves a bill that is being settled, with nothing booked.
            row = (*_order(bill), bill_id, version, hand.person, hand.by.at)
            connection.execute(_UNDO, row)
            for sale in left.sales:
                keep_sale(connection, sale)
            opened_again = msgspec.structs.replace(
                bill, state="open", version=version + 1, content=left.content, **_UNNAMED
            )
            keep_bill(connection, opened_again, hand.by.at)
            return opened_again, [*sold.values()]

    def finish_bill(self, bill: Bill, sales: Sequence[Sale], outcome: bytes) -> Bill:
        """Keep how it was paid, once for all; of the bill, only ``outcome`` stays.

        A crash before the commit leaves a bill that is being settled, whose invoices are found
        again by its order.
        """
        with self.connections.writing() as connection:
            there = _one(connection, bill.merchant_id, bill.id)
            if there is not None and there.state == "settled":
                return there
            if there is None or there.order_id != bill.order_id:
                raise ConflictError("bill_changed", "its rest was opened again meanwhile")
            for sale in sales:
                keep_sale(connection, sale)
            done = msgspec.structs.replace(
                bill,
                state="settled",
                version=bill.version + 1,
                content=_NOTHING,
                settlement=outcome,
                buyers=b"",
            )
            keep_bill(connection, done)
            return done

    def forget_buyers(self, before: int) -> int:
        """Forget the people on open bills who stand there since before then (unix seconds).

        Returns of how many bills. Bills that are being settled are left: what was begun for
        somebody is finished for them.
        """
        with self.connections.reading() as connection:
            if not connection.execute(f"{_STALE} LIMIT 1", (before,)).fetchone():
                return 0
        with self.connections.writing() as connection:
            names = connection.execute(_STALE, (before,)).fetchall()
            for merchant_id, bill_id in names:
                bill = _one(connection, merchant_id, bill_id)
                if bill is not None:
                    content = msgspec.structs.replace(bill.content, buyer=UNSET)
                    later = {"content": content, "version": bill.version + 1}
                    keep_bill(connection, msgspec.structs.replace(bill, **later))
            return len(names)


def bill_at(connection: sqlite3.Connection, hand: Hand, bill_id: str, version: int) -> Bill | None:
    """The open bill, which is still at that version; None for one that is to begin.

    ConflictError: bill_settled, bill_settling, bill_changed.
    """
    bill = _one(connection, hand.merchant_id, bill_id)
    if bill is None:
        if version:
            raise ConflictError("bill_changed", "there is no such bill any more")
        return None
    if bill.state == "settled":
        raise _settled(bill)
    if bill.state == "settling":
        raise ConflictError("bill_settling", f"it is being settled as order {bill.order_id}")
    if bill.state == "dropped" or bill.version != version:
        raise with_members(
            ConflictError("bill_changed", f"it is at version {bill.version}"), bill=bill
        )
    return bill


def _being_settled(bill: Bill | None, version: int) -> Bill:
    """The bill that is being settled at that version; ConflictError bill_settled, bill_changed."""
    if bill is None:
        raise ConflictError("bill_changed", "there is no such bill any more")
    if bill.state == "settled":
        raise _settled(bill)
    if bill.state != "settling" or bill.version != version:
        raise with_members(
            ConflictError("bill_changed", f"it is at version {bill.version}"), bill=bill
        )
    return bill


def _settled(bill: Bill) -> ConflictError:
    return with_members(
        ConflictError("bill_settled", f"it is order {bill.order_id}"),
        **msgspec.json.decode(bill.settlement),
    )


def _places(connection: sqlite3.Connection, order: tuple[str, int, str, str]) -> dict[int, int]:
    """Where the first invoice of each sold part of an order is, by the part."""
    return {part or 1: seq for part, seq in connection.execute(_PLACES, order)}


def begin_bill(
    connection: sqlite3.Connection, hand: Hand, bill_id: str, content: BillContent
) -> Bill:
    """A new one within a transaction; ConflictError ``too_many_bills``."""
    count = connection.execute(
        f"SELECT count(*) FROM till_bills WHERE merchant_id = ? AND {_OPEN}",  # noqa: S608 # constant
        (hand.merchant_id,),
    ).fetchone()[0]
    if count >= MOST_OPEN:
        raise ConflictError("too_many_bills", f"{count} bills are open; {MOST_OPEN} may be")
    bill = Bill(
        merchant_id=hand.merchant_id,
        id=bill_id,
        version=1,
        state="open",
        content=content,
        opened_at=hand.by.at,
        person=hand.person,
        till=hand.place.till,
    )
    keep_bill(connection, bill, hand.by.at)
    return bill


def keep_bill(connection: sqlite3.Connection, bill: Bill, at: int = 0) -> None:
    """Write it down within a transaction; ``at`` is when a person on it is first told of."""
    row = msgspec.structs.asdict(bill)
    content = msgspec.structs.replace(bill.content, buyer=UNSET)
    key = connection.execute(
        "SELECT buyer_key FROM till_bills WHERE merchant_id = ? AND id = ?",
        (bill.merchant_id, bill.id),
    ).fetchone()
    parts = _read_buyers(bill.buyers) if bill.buyers else []
    told = Told(bill=bill.content.buyer, parts=parts)
    number, kept = keep_told(connection, told, key[0] if key else 0, at)
    row |= {"content": _to_json(content).decode(), "buyers": kept, "buyer_key": number}
    connection.execute(_PUT, row)
    note(connection, bill.merchant_id, "bill", bill.id)


def _drop(connection: sqlite3.Connection, bill: Bill) -> None:
    gone = msgspec.structs.replace(
        bill, state="dropped", version=bill.version + 1, content=_NOTHING
    )
    keep_bill(connection, gone)


def numbered(connection: sqlite3.Connection, bill: Bill, place: Place) -> Bill:
    """With its order's number within a transaction: the one it has, or the next of a till."""
    if bill.order_id:
        return bill
    number = _next_number(connection, place)
    return msgspec.structs.replace(bill, order_id=number, business_day=place.day, till=place.till)


def _next_number(connection: sqlite3.Connection, place: Place) -> str:
    """The next order's number of a till and day, past those that another program has used."""
    key = tuple(place)
    row = connection.execute(
        "SELECT last FROM till_numbers WHERE merchant_id = ? AND till = ? AND business_day = ?", key
    ).fetchone()
    number = (row[0] if row else 0) + 1
    while connection.execute(_TAKEN, (_order_id(number), *key)).fetchone():
        number += 1
    connection.execute("INSERT OR REPLACE INTO till_numbers VALUES (?, ?, ?, ?)", (*key, number))
    return _order_id(number)


def _order_id(number: int) -> str:
    """``P`` keeps pages' numbers apart from those of a till's own program."""
    return f"P{number:04}"


_TAKEN: Final = (
    "SELECT 1 FROM invoices WHERE order_id = ?1 AND merchant_id = ?2 AND till = ?3"
    " AND business_day = ?4 AND type = 'blue' UNION ALL SELECT 1 FROM claim_orders"
    " WHERE order_id = ?1 AND merchant_id = ?2 AND till = ?3 AND business_day = ?4"
    " AND cancelled_at IS NULL"
)


def _is_sold(connection: sqlite3.Connection, bill: Bill) -> bool:
    return connection.execute(_SOLD, _order(bill)).fetchone() is not None


_SOLD: Final = (
    "SELECT part, number, total, hash FROM invoices WHERE order_id = ? AND merchant_id = ?"
    " AND till = ? AND business_day = ? AND type = 'blue'"
)
_PLACES: Final = (
    "SELECT part, min(seq) FROM invoices WHERE order_id = ? AND merchant_id = ? AND till = ?"
    " AND business_day = ? AND type = 'blue' GROUP BY part"
)
_UNDO: Final = (
    "INSERT INTO till_undone (order_id, merchant_id, till, business_day, bill, version, person, at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_UNDONE: Final = (
    "SELECT order_id, merchant_id, till, business_day FROM till_undone"
    " WHERE merchant_id = ? AND bill = ? AND version = ?"
)


def bill_of_order(connection: sqlite3.Connection, named: tuple[int, str, str, str]) -> Bill | None:
    """The bill of a merchant's till, day and order's number."""
    row = connection.execute(
        f"{_SELECT} WHERE merchant_id = ? AND till = ? AND business_day = ? AND order_id = ?"
        " AND order_id <> ''",  # by the index, which has only those with a number
        named,
    ).fetchone()
    return None if row is None else _read(row)


def _order(bill: Bill) -> tuple[str, int, str, str]:
    return bill.order_id, bill.merchant_id, bill.till, bill.business_day


def _one(connection: sqlite3.Connection, merchant_id: int, bill_id: str) -> Bill | None:
    row = connection.execute(
        f"{_SELECT} WHERE merchant_id = ? AND id = ?", (merchant_id, bill_id)
    ).fetchone()
    return None if row is None else _read(row)


def _read(row: tuple[Any, ...]) -> Bill:
    *columns, key = row
    fields = dict(zip(_COLUMNS, columns, strict=True))
    told = read_told(fields["buyers"], key)
    content = _read_content(fields["content"])
    if told.bill is not UNSET:
        content = msgspec.structs.replace(content, buyer=told.bill)
    fields |= {"content": content, "buyers": _to_json(told.parts) if told.parts else b""}
    return Bill(**fields)
