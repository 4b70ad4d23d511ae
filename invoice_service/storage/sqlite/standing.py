"""How invoices stand and what an order would meet, without issuing anything."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from chain.errors import Problem
from chain.hashing import Digest
from invoice_service.domain.invoice import Prepared
from invoice_service.domain.orders import KEY_TAKEN, NOWHERE, Reached, Sold, decide, named
from invoice_service.domain.persons import GONE
from invoice_service.domain.verdict import Verdict
from invoice_service.services.issuing.standing import Stood
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.orders import remembered, sold_at, sold_of_order
from invoice_service.storage.sqlite.reading import Execute

_STOOD: Final = (
    "SELECT i.seq, i.total,"  # noqa: S608 # our own text
    " (SELECT json_group_array(json_array(red.seq, red.number, -red.total))"
    "  FROM invoices red WHERE red.reverses = i.seq),"
    " (SELECT json_group_array(json_array(next.seq, next.number, 0)) FROM invoices next"
    "  WHERE next.type = 'blue' AND next.order_id = i.order_id"
    "  AND next.merchant_id = i.merchant_id AND next.till = i.till"
    "  AND next.business_day = i.business_day AND next.part = i.part"
    "  AND next.attempt > i.attempt AND i.type = 'blue'),"
    f" (SELECT key = x'{GONE.hex()}' FROM buyer_keys WHERE invoice = i.seq)"
    " FROM invoices i WHERE i.hash = ? AND i.merchant_id = ?"
)

_read_others: Final = msgspec.json.Decoder(list[tuple[int, str, int]]).decode


class Standing:
    """The part of the store that tells, and foretells."""

    connections: Connections

    def stood(self, merchant_id: int, digests: Sequence[Digest]) -> list[Stood | None]:
        """Each in order; None for what is not this merchant's."""
        with self.connections.reading() as connection:
            execute = connection.execute
            return [_stood(execute(_STOOD, (one, merchant_id)).fetchone()) for one in digests]

    def foresee(self, batch: Sequence[Prepared], now: int) -> list[bool | Problem]:
        """Whether each would be answered with an invoice that is there; or why with none.

        As of now, in unix seconds, and as if the others were not in the batch. Quotas and
        suspended merchants are not looked at.
        """
        with self.connections.reading() as connection:
            return list(_foreseen(connection.execute, batch, now))


def _foreseen(execute: Execute, batch: Sequence[Prepared], now: int) -> Iterator[bool | Problem]:
    for prepared in batch:
        try:
            yield _is_repeat(execute, prepared, now)
        except Problem as problem:
            yield problem


def _is_repeat(execute: Execute, prepared: Prepared, now: int) -> bool:
    """As the issuing transaction decides."""
    if prepared.idempotency_key:
        found = remembered(execute, prepared)
        if found is not None:
            if not found.same:
                first = sold_at(execute, found.seq)
                raise named("idempotency_key_conflict", first, _judge, KEY_TAKEN)
            return True
    sold, place = sold_of_order(execute, prepared), prepared.place or NOWHERE
    if (sold or not place.is_plain) and isinstance(
        decide(prepared.asked(), sold, now, _judge), Sold
    ):
        return True
    Reached(now).check(place)
    return False


def _judge(sold: Sold) -> Verdict:
    """How one stands, where it is not asked how far the log has come."""
    if sold.returned:
        return Verdict.PARTLY_REVERSED if sold.stands else Verdict.REVERSED
    return Verdict.AUTHENTIC


def _stood(row: tuple[int, int, str, str, int | None] | None) -> Stood | None:
    if row is None:
        return None
    seq, total, reds, later, erased = row
    red = sorted(_read_others(reds))
    return Stood(
        seq=seq,
        total=total,
        returned=sum(one for _, _, one in red),
        reds=tuple(number for _, number, _ in red),
        later=tuple(number for _, number, _ in sorted(_read_others(later))),
        erased=bool(erased),
    )
