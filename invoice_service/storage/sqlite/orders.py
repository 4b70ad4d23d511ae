"""What stands under an order, as the issuing transaction sees it."""

import sqlite3
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from chain.commitment import password_area
from chain.errors import ConflictError
from chain.hashing import to_digest
from invoice_service.domain.invoice import Prepared
from invoice_service.domain.orders import NOWHERE, Place, Sold, place_in
from invoice_service.domain.persons import is_same
from invoice_service.storage.sqlite.buyers import KEY

_SOLD: Final = (
    "SELECT i.seq, i.hash, i.number, i.issued_at, i.total, i.request_digest, i.salts, i.keyed,"  # noqa: S608 # our own names
    f" i.attempt, i.part, i.face, {KEY},"
    " (SELECT coalesce(sum(r.total), 0) FROM invoices r WHERE r.reverses = i.seq)"
    " FROM invoices i WHERE "
)
_OF_ORDER: Final = (
    f"{_SOLD} i.order_id = ? AND i.merchant_id = ? AND i.till = ? AND i.business_day = ?"
    " AND i.type = 'blue'"  # no ORDER BY: SQLite would walk along seq to save itself the sorting
)
_AT: Final = f"{_SOLD} i.seq = ?"

_REMEMBERED: Final = (
    f"SELECT d.seq, d.request_digest, CASE WHEN i.type = 'blue' THEN {KEY} END"  # noqa: S608 # our own names
    " FROM idempotency d JOIN invoices i ON i.seq = d.seq WHERE d.merchant_id = ? AND d.key = ?"
)

_UNDONE: Final = (
    "SELECT 1 FROM till_undone WHERE merchant_id = ? AND till = ? AND business_day = ?"
    " AND order_id = ?"
)

Execute = Callable[..., sqlite3.Cursor]
"""A connection's ``execute``."""


class Remembered(NamedTuple):
    """The invoice for which an Idempotency-Key stands; whether it was for the same request."""

    seq: int
    same: bool


def remembered(execute: Execute, prepared: Prepared) -> Remembered | None:
    """What its Idempotency-Key stands for already."""
    named = prepared.merchant_id, prepared.idempotency_key
    row = execute(_REMEMBERED, named).fetchone()
    if row is None:
        return None
    seq, digest, key = row
    same = is_same(digest, key, prepared.rest_digest, prepared.request_digest)
    return Remembered(seq, same)


def sold_of_order(execute: Execute, prepared: Prepared) -> list[Sold]:
    """All blue invoices of its order, parts and earlier attempts included, in order of issue."""
    place = prepared.place or NOWHERE
    name = prepared.order_id, prepared.merchant_id, place.till, place.business_day
    return sorted(map(_sold, execute(_OF_ORDER, name)))


def sold_at(execute: Execute, seq: int) -> Sold:
    """The invoice at ``seq``."""
    return _sold(execute(_AT, (seq,)).fetchone())


def check_not_undone(execute: Execute, prepared: Prepared, place: Place) -> None:
    """Refuse a further part of a bill whose rest went back; ConflictError order_parts_conflict."""
    name = prepared.merchant_id, place.till, place.business_day, prepared.order_id
    if execute(_UNDONE, name).fetchone():
        raise ConflictError(
            "order_parts_conflict",
            "the rest of this bill went back, and no further part is issued under its number:"
            " give it another one",
            pointer="/part",
            detail_zh="该账单的其余部分已撤回，不再以此订单号开票：请使用新的订单号",
        )


def place_of(till: str, business_day: str, face: bytes) -> Place | None:
    """Where the order of a row stands; a row without a face of its own has no more to say."""
    if face:
        place = place_in(face)
        return None if place is NOWHERE else place
    return Place(till=till, business_day=business_day) if till or business_day else None


def _sold(row: tuple[Any, ...]) -> Sold:
    seq, digest, number, issued_at, total, request, salts, keyed, *rest = row
    attempt, part, face, key, red = rest
    place = place_in(face) if part else NOWHERE
    return Sold(
        seq=seq,
        hash=password_area(to_digest(digest)),
        number=number,
        issued_at=issued_at,
        total=total,
        returned=-red,
        digest=request,
        salts=salts,
        keyed=bool(keyed),
        attempt=attempt,
        part=part,
        parts=place.parts,
        order_total=place.order_total,
        key=key,
    )
