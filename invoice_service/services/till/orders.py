"""Orders that a till makes of bills, for their guests to claim the invoices (ADR 0046).

Making, paying and cancelling are one transaction each, in which the bill, the order and what is in
the drawer change together: there is nothing to be gone on with. What is issued for it goes the way
of every claim.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from chain.errors import ConflictError, MalformedError, NotFoundError
from chain.hashing import sha256
from invoice_service.domain.invoice import InvoiceRequest
from invoice_service.domain.money import Fen
from invoice_service.domain.numbering import format_issued_at
from invoice_service.domain.request import Buyer
from invoice_service.services.claims.desk import Claims, parts_of
from invoice_service.services.claims.ports import Claim, Whole
from invoice_service.services.issuing.issue import IssuingDesk
from invoice_service.services.till.order_ports import Ordering, OrderStore, order_of
from invoice_service.services.till.ports import Bill, Hand
from invoice_service.services.till.problems import with_members
from invoice_service.services.till.rows import Row
from invoice_service.services.till.selling import by_kind, content_of
from invoice_service.services.till.shapes import BillOrder, PartRequest, Payment
from invoice_service.services.till.splitting import check_bill, split

MOST: Final = 500
"""Orders of a day's list, the newest."""

_PREFIX: Final = b"fapiao/v1/till-order\n"
_encode: Final = msgspec.json.Encoder().encode


class Orders:
    """A merchant's orders, as its tills see them."""

    def __init__(
        self, store: OrderStore, claims: Claims, issuing: IssuingDesk, new_id: Callable[[], str]
    ) -> None:
        """``new_id`` names a shift that begins with money for an order."""
        self._store, self.claims = store, claims
        self._issuing, self._new_id = issuing, new_id

    def make(self, hand: Hand, bill_id: str, asked: BillOrder) -> Whole:
        """The order of a bill; the same call again is the order there is.

        Raises MalformedError as ``split`` and issuing do, and ``payments_differ``; ConflictError as
        ``BillStore.put_bill``; RefusedError ``merchant_suspended``.
        """
        digest = _digest(asked, hand)
        bill = self._store.bill(hand.merchant_id, bill_id)
        made = self._made(hand, bill, digest)
        if made is not None:
            return made
        ordering = self._ordering(hand, bill_id, bill, asked, digest)
        try:
            return self._store.order_bill(hand, ordering)
        except ConflictError:
            made = self._made(hand, self._store.bill(hand.merchant_id, bill_id), digest)
            if made is None:
                raise
            return made

    def of_day(self, merchant_id: int, day: str) -> list[Row]:
        """Those of a business day, the newest first; what was begun is finished first."""
        self.claims.settle_begun(merchant_id)
        found = self._store.orders_of_day(merchant_id, day, MOST)
        return [order_row(one, self.claims.now()) for one in found]

    def one(self, merchant_id: int, order_id: str) -> Row:
        """One, with what is on each share and what came for it; NotFoundError."""
        return self._shown(self.claims.one(merchant_id, order_id))

    def pay(self, hand: Hand, order_id: str, payments: Sequence[Payment]) -> Row:
        """The till has the money, all of it; once it is paid, nothing more.

        MalformedError ``payments_differ``, ConflictError ``order_cancelled``, NotFoundError.
        """
        order = self.claims.one(hand.merchant_id, order_id).order
        paid = _all_of_it(payments, order.total)
        found = self._store.pay_order(hand, order_id, paid, self._new_id())
        # A crash here: it is paid, and the worker issues what is to issue itself.
        return self._shown(found and self.claims.one(hand.merchant_id, order_id))

    def cancel(self, hand: Hand, order_id: str) -> Row:
        """Nobody claims it any more; its bill is open again. ConflictError ``order_claimed``."""
        self.claims.one(hand.merchant_id, order_id)  # what was begun is finished first
        return self._shown(self._store.drop_order(hand, order_id, self._new_id()))

    def extend(self, merchant_id: int, order_id: str) -> Row:
        """It may be claimed for as long as a new one; ConflictError ``order_cancelled``."""
        until = self.claims.now() + self.claims.seconds
        return self._shown(self._store.extend_order(merchant_id, order_id, until))

    def close(self, merchant_id: int, order_id: str) -> Row:
        """What nobody has claimed is issued to an unnamed individual; as ``Claims.issue_rest``."""
        return self._shown(self.claims.issue_rest(merchant_id, order_id))

    def _made(self, hand: Hand, bill: Bill | None, digest: bytes) -> Whole | None:
        if bill is None or bill.state != "settled" or bill.asked != digest:
            return None
        order = order_of(bill)
        return self.claims.one(hand.merchant_id, order) if order else None

    def _ordering(
        self, hand: Hand, bill_id: str, bill: Bill | None, asked: BillOrder, digest: bytes
    ) -> Ordering:
        content = msgspec.structs.replace(content_of(bill, asked.bill), buyer=UNSET)
        check_bill(content, self._issuing.rates, self._issuing.max_lines)
        shares = [PartRequest(lines=one.lines, amount=one.amount) for one in asked.shares]
        parts = split(content, shares)
        total = sum(part.total for part in parts)
        paid = _all_of_it(asked.payments, total) if asked.payments else {}
        requests = [
            _share(part.request, number, len(parts), total) for number, part in enumerate(parts, 1)
        ]
        amounts = [part.total for part in parts]
        order = self.claims.order_of(hand.merchant_id, requests, amounts, digest)
        version = asked.version
        return Ordering(bill_id, version, content, order, digest, paid, self._new_id())

    def _shown(self, whole: Whole | None) -> Row:
        if whole is None:
            raise NotFoundError("order_unknown", "there is no such order of yours")
        row = order_row(whole, self.claims.now())
        money = self._store.order_money(whole.order)
        for share, request in zip(row["shares"], parts_of(whole.order), strict=True):
            share["lines"] = [line.name for line in request.lines]
        return row | {"money": [{"kind": kind, "amount": fen} for kind, fen in money.items()]}


def order_row(whole: Whole, now: int) -> Row:
    """One in a list, as of ``now``; nothing of those who claimed but which invoice it is."""
    order, claims = whole.order, {claim.part: claim for claim in whole.claims}
    shares = [_share_row(part, fen, claims.get(part)) for part, fen in enumerate(order.shares, 1)]
    return {
        "id": order.id,
        "order_id": order.order_id,
        "till": order.till,
        "business_day": order.business_day,
        "total": order.total,
        "left": sum(share["amount"] for share in shares if share["state"] != "claimed"),
        "state": whole.state(now),
        "paid": whole.paid_at is not None,
        "after_payment": order.after_payment,
        "created_at": format_issued_at(order.created_at),
        "expires_at": format_issued_at(order.expires_at),
        "shares": shares,
        "payments": [
            {"by": one.by, "amount": one.amount, "counts": one.counts} for one in whole.payments
        ],
    }


def _share_row(part: int, amount: Fen, claim: Claim | None) -> dict[str, Any]:
    row: dict[str, Any] = {"part": part, "amount": amount, "state": "free"}
    if claim is None:
        return row
    if not claim.hash:
        return row | {"state": "begun"}
    return row | {"state": "claimed", "hash": claim.hash, "number": claim.number}


def _share(request: InvoiceRequest, number: int, parts: int, total: Fen) -> InvoiceRequest:
    told: dict[str, Any] = {"part": number, "parts": parts, "order_total": total}
    return msgspec.structs.replace(request, buyer=Buyer(), **(told if parts > 1 else {}))


def _all_of_it(payments: Sequence[Payment], total: Fen) -> dict[str, Fen]:
    paid = by_kind(payments)
    if sum(paid.values()) != total:
        raise with_members(
            MalformedError(
                "payments_differ", f"the order comes to {total} fen", pointer="/payments"
            ),
            total=total,
        )
    return paid


def _digest(asked: BillOrder, hand: Hand) -> bytes:
    """What two calls must share to be the same one; a buyer is no part of an order.

    Another till would take the same money once more: without an ``id``, till and person count.
    """
    bill = asked.bill
    if not isinstance(bill, UnsetType):
        bill = msgspec.structs.replace(bill, buyer=UNSET)
    shared = asked.version and isinstance(asked.id, UnsetType)
    whose = _encode([hand.place.till, hand.person]) if shared else b""
    plain = msgspec.structs.replace(asked, bill=bill)
    return bytes(sha256(_PREFIX + _encode(plain) + whose))
