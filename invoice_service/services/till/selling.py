"""Settling a bill: fixed, then issued, then booked; killed anywhere and asked again, once each.

1. The bill is fixed in one transaction: what is issued, how it is paid, the order's number and day.
2. Each part is issued as any order is, under that number and a key that follows from the bill's id:
   asking again gives the invoice that is there (ADR 0027).
3. What was paid is booked beside the invoices in one transaction, and the bill forgets its buyer.

What is refused before anything was issued opens the bill again. What is refused after a part was
issued brings the bill along: it is finished once the reason is gone, or undone. Undone, the parts
that are sold stay, no further one is ever issued under that number, and the rest is open again.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from chain.errors import ConflictError, MalformedError, NotFoundError, Problem, RefusedError
from chain.hashing import sha256
from invoice_service.domain.invoice import Issued
from invoice_service.domain.merchant import refuse_unless_active
from invoice_service.domain.money import Fen
from invoice_service.domain.prepaid import Standing, require_room
from invoice_service.domain.quota import check_left, check_limit
from invoice_service.domain.request import Buyer, LineRequest
from invoice_service.services.issuing.issue import IssuingDesk, issue_one, prepare_one
from invoice_service.services.till.ports import (
    Bill,
    BillStore,
    Fixing,
    Hand,
    Place,
    Sale,
    Undone,
)
from invoice_service.services.till.problems import with_members
from invoice_service.services.till.shapes import (
    PREPAID,
    BillContent,
    PartRequest,
    Payment,
    SettleRequest,
)
from invoice_service.services.till.splitting import Order, check_bill, rest_of, split

_KEY: Final = "till"
_BEGUN: Final = ("settling", "settled")
_encode: Final = msgspec.json.Encoder().encode


class SoldPart(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice of a settled bill, as the till is told."""

    hash: str
    code: str
    number: str
    total_amount: Fen


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a bill; and by whom, when (unix seconds) and at which till it was settled.

    ``order`` is that whose invoices its guests claim, if it became one. ``through`` is the till at
    which it was finished: another one may have begun it.
    """

    order_id: str
    business_day: str
    invoices: list[SoldPart]
    change: Fen
    by: int = 0
    at: int = 0
    till: str = ""
    order: str = ""
    through: str = ""

    def is_by(self, hand: Hand) -> bool:
        """Whether this person finished it, at this till."""
        return (self.by, self.through or hand.place.till) == (hand.person, hand.place.till)


class _PlannedPart(msgspec.Struct, frozen=True, kw_only=True):
    """What one part asks to have issued, without its order and buyer; and how it is paid."""

    request: msgspec.Raw
    total: Fen
    paid: dict[str, Fen]
    change: Fen
    of: list[int] = []

    def lines(self) -> list[LineRequest]:
        """What it has of the bill's lines ``of`` these numbers."""
        return _read_part(self.request).lines


class _PartLines(msgspec.Struct, frozen=True):
    lines: list[LineRequest]


_read_part: Final = msgspec.json.Decoder(_PartLines).decode
_NOBODY: Final = Buyer()
_read_buyers: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read_plan: Final = msgspec.json.Decoder(list[_PlannedPart]).decode
read_outcome: Final = msgspec.json.Decoder(Outcome).decode


class Selling:
    """Settles bills."""

    def __init__(self, store: BillStore, issuing: IssuingDesk, new_id: Callable[[], str]) -> None:
        """``new_id`` names a shift that begins with a sale."""
        self._store = store
        self._issuing = issuing
        self._new_id = new_id

    def settle(self, hand: Hand, bill_id: str, asked: SettleRequest) -> Outcome:
        """What came of the bill; on disk when this returns.

        Raises MalformedError as ``split`` and issuing do, and ``payments_differ``,
        ``prepaid_pays_all``; ConflictError as ``BillStore.put_bill`` and issuing do, RefusedError
        and NotFoundError as issuing, UnavailableError: then the same call again finishes what was
        begun.
        """
        digest = _digest(asked, hand)
        bill = self._store.bill(hand.merchant_id, bill_id)
        if bill is not None and bill.state == "open" and asked.parts is UNSET:
            raise with_members(ConflictError("bill_changed", "it is open"), bill=bill)
        if bill is None or bill.state not in _BEGUN:
            bill = self._begin(hand, bill_id, bill, asked, digest)
        if bill.state == "settled":
            return _again(bill, digest, asked, hand)
        if asked.parts is not UNSET and bill.asked != digest:
            raise ConflictError("bill_settling", f"it is being settled as order {bill.order_id}")
        outcome = self._finish(bill, hand)
        if asked.parts is UNSET and not outcome.is_by(hand):
            raise self._settled(hand, bill_id)  # another till finished it at the same moment
        return outcome

    def resume(self, hand: Hand, bill: Bill) -> Outcome:
        """Finish what was begun."""
        return self._finish(bill, hand)

    def undo(self, hand: Hand, bill_id: str, version: int) -> tuple[Bill, list[int]]:
        """Go no further with a bill of which a part was refused: what is not sold is open again.

        The parts that have their invoices are booked as they were paid, and can be taken back like
        any other; their places are returned beside the bill. Safe to repeat. ConflictError as
        ``BillStore.undo_bill``, ``bill_settling`` for one that is not in parts or was begun before
        there was a way back; one whose parts are all sold is finished, and ``bill_settled``.
        """

        def left(bill: Bill, sold: Mapping[int, int]) -> Undone:
            plan = _read_plan(bill.settlement)
            if len(plan) == 1 or not all(part.of for part in plan):
                raise ConflictError("bill_settling", f"it is being settled as {bill.order_id}")
            if len(sold) == len(plan):
                raise _AllSoldError
            gone = [(part, plan[part - 1], seq) for part, seq in sorted(sold.items())]
            rest = rest_of(bill.content, [(one.of, one.lines()) for _, one, _ in gone])
            return Undone(rest, [_sale(bill, hand, seq, one) for _, one, seq in gone])

        try:
            return self._store.undo_bill(hand, bill_id, version, left)
        except _AllSoldError:
            bill = self._store.bill(hand.merchant_id, bill_id)
            if bill is not None and bill.state == "settling":
                self._finish(bill, hand)
            raise self._settled(hand, bill_id) from None

    def _settled(self, hand: Hand, bill_id: str) -> ConflictError:
        bill = self._store.bill(hand.merchant_id, bill_id)
        if bill is None or bill.state != "settled":
            return ConflictError("bill_changed", "there is no such bill any more")
        return _settled_already(bill)

    def _begin(
        self, hand: Hand, bill_id: str, bill: Bill | None, asked: SettleRequest, digest: bytes
    ) -> Bill:
        """Fix it, or go on with what the same call has fixed meanwhile."""
        try:
            return self._fix(hand, bill_id, bill, asked, digest)
        except ConflictError:
            there = self._store.bill(hand.merchant_id, bill_id)
            if there is None or there.state not in _BEGUN or there.asked != digest:
                raise
            return there

    def _fix(
        self, hand: Hand, bill_id: str, bill: Bill | None, asked: SettleRequest, digest: bytes
    ) -> Bill:
        if isinstance(asked.parts, UnsetType):
            raise MalformedError("missing_field", "how is it paid?", pointer="/parts")
        content = content_of(bill, asked.bill)
        check_bill(content, self._issuing.rates, self._issuing.max_lines)
        orders = [
            order._replace(request=msgspec.structs.replace(order.request, prepaid=part.prepaid))
            for order, part in zip(split(content, asked.parts), asked.parts, strict=True)
        ]
        paid = _all_paid(asked.parts, orders)
        self._check(hand, orders)
        self._check_accounts(hand, orders)
        plan = [
            _PlannedPart(
                request=msgspec.Raw(_encode(msgspec.structs.replace(order.request, buyer=_NOBODY))),
                total=order.total,
                paid=amounts,
                change=change,
                of=order.of,
            )
            for order, (amounts, change) in zip(orders, paid, strict=True)
        ]
        version = asked.version
        if bill is not None and bill.state == "open" and bill.asked == digest:
            version = bill.version  # it was refused before, and is asked once more
        buyers = _encode([order.request.buyer for order in orders])
        new_shift = self._new_id()
        fixing = Fixing(bill_id, version, content, _encode(plan), buyers, digest, new_shift)
        return self._store.fix_bill(hand, fixing)

    def _check(self, hand: Hand, orders: Sequence[Order]) -> None:
        """Refuse now what issuing would refuse, while nothing is issued."""
        account = self._issuing.merchants.account(hand.merchant_id)
        if account is None:
            raise NotFoundError("merchant_unknown", "there is no such merchant")
        merchant = account.merchant
        refuse_unless_active(merchant.status)
        if merchant.quota is not None and merchant.quota - account.used < len(orders):
            raise RefusedError(
                "quota_exhausted", "the merchant's quota is used up", quota=merchant.quota
            )
        money = 0
        for number, order in enumerate(orders):
            try:
                prepared = prepare_one(self._issuing, merchant, _encode(order.request))
            except MalformedError as problem:
                raise _at_part(problem, number) from None
            check_limit(prepared.amount, merchant.invoice_limit)
            money += prepared.amount
        check_left(money, account.money_left(hand.by.at))

    def _check_accounts(self, hand: Hand, orders: Sequence[Order]) -> None:
        """Whether prepaid accounts pay what they are to, all parts together; as ``require_room``.

        What is refused now has issued nothing; issuing decides, each part in its transaction.
        """
        standings: dict[str, Standing | None] = {}
        for number, order in enumerate(orders):
            account = order.request.prepaid
            if isinstance(account, UnsetType):
                continue
            if account not in standings:
                standings[account] = self._store.prepaid_standing(
                    account, hand.merchant_id, hand.by.at
                )
            standing = standings[account]
            try:
                require_room(standing, order.total)
            except (NotFoundError, RefusedError) as problem:
                raise _at_part(problem, number) from None
            if standing is not None:
                standings[account] = standing._replace(
                    held=standing.held - order.total, releases=standing.releases + 1
                )

    def _finish(self, bill: Bill, hand: Hand) -> Outcome:
        plan = _read_plan(bill.settlement)
        issued = [self._issue(bill, plan, number) for number in range(1, len(plan) + 1)]
        outcome = Outcome(
            order_id=bill.order_id,
            business_day=bill.business_day,
            invoices=[_sold(one) for one in issued],
            change=sum(part.change for part in plan),
            by=hand.person,
            at=hand.by.at,
            till=bill.till,
            through=hand.place.till,
        )
        sales = [_sale(bill, hand, one.seq, part) for one, part in zip(issued, plan, strict=True)]
        done = self._store.finish_bill(bill, sales, _encode(outcome))
        return read_outcome(done.settlement)

    def _issue(self, bill: Bill, plan: Sequence[_PlannedPart], number: int) -> Issued:
        try:
            return issue_one(
                self._issuing,
                bill.merchant_id,
                _request(bill, plan, number),
                # The version is that of fixing it: what was undone since is another order.
                idempotency_key=f"{_KEY}:{bill.id}:{bill.version}:{number}",
            )
        except (RefusedError, ConflictError, MalformedError, NotFoundError) as problem:
            if number == 1:
                self._store.release_bill(bill.merchant_id, bill.id)
            there = self._store.bill(bill.merchant_id, bill.id)
            if there is not None and there.order_id != bill.order_id:
                gone = ConflictError("bill_changed", "its rest was opened again meanwhile")
                raise with_members(gone, bill=there) from None
            if there is not None and there.state == "settling":
                with_members(problem, bill=there)
            raise


def _request(bill: Bill, plan: Sequence[_PlannedPart], number: int) -> bytes:
    """The order as issuing reads it."""
    body: dict[str, Any] = msgspec.json.decode(plan[number - 1].request)
    body |= {"order_id": bill.order_id, "till": bill.till, "business_day": bill.business_day}
    if bill.buyers:
        body["buyer"] = _read_buyers(bill.buyers)[number - 1]
    if len(plan) > 1:
        whole = sum(part.total for part in plan)
        body |= {"part": number, "parts": len(plan), "order_total": whole}
    return _encode(body)


class _AllSoldError(Exception):
    """There is nothing to undo."""


def _sale(bill: Bill, hand: Hand, seq: int, part: _PlannedPart) -> Sale:
    place = Place(bill.merchant_id, bill.till, bill.business_day)
    return Sale(seq, "sale", bill.id, place, bill.shift, hand.person, hand.by.at, part.paid)


def _sold(issued: Issued) -> SoldPart:
    return SoldPart(
        hash=issued.hash, code=issued.code, number=issued.number, total_amount=issued.total
    )


def content_of(bill: Bill | None, sent: BillContent | UnsetType) -> BillContent:
    """What is sold: what stands on the bill, or, of a direct sale, what was sent along.

    NotFoundError ``bill_unknown``; ConflictError ``bill_changed`` for one that was dropped.
    """
    if bill is not None and bill.state == "dropped":
        raise ConflictError("bill_changed", "there is no such bill any more")
    if not isinstance(sent, UnsetType):
        return sent
    if bill is None:
        raise NotFoundError("bill_unknown", "there is no such bill")
    return bill.content


def _at_part(problem: Problem, number: int) -> Problem:
    """The same of the part with this number, counted from 0."""
    where = f"/parts/{number}{problem.pointer}"
    return type(problem)(problem.code, problem.detail, pointer=where, **problem.extra)


def _all_paid(
    parts: Sequence[PartRequest], orders: Sequence[Order]
) -> list[tuple[dict[str, Fen], Fen]]:
    """By kind, and the change; MalformedError ``payments_differ`` with what the parts come to.

    ``prepaid_pays_all``: an account pays its invoice alone, as that releases what it comes to.
    """
    found = []
    for number, (part, order) in enumerate(zip(parts, orders, strict=True)):
        amounts = by_kind(part.payments)
        if (part.prepaid is not UNSET or PREPAID in amounts) and (
            part.prepaid is UNSET or list(amounts) != [PREPAID]
        ):
            raise MalformedError(
                "prepaid_pays_all",
                "a part has an account and is paid by it alone, or neither",
                pointer=f"/parts/{number}/payments",
            )
        cash = amounts.get("cash", 0)
        tendered = cash if isinstance(part.tendered, UnsetType) else part.tendered
        if sum(amounts.values()) != order.total or tendered < cash:
            raise with_members(
                MalformedError(
                    "payments_differ",
                    f"part {number + 1} comes to {order.total} fen",
                    pointer=f"/parts/{number}/payments",
                ),
                totals=[one.total for one in orders],
            )
        found.append((amounts, tendered - cash))
    return found


def by_kind(payments: Sequence[Payment]) -> dict[str, Fen]:
    """What was paid in each way."""
    found: dict[str, Fen] = {}
    for payment in payments:
        if payment.amount:
            found[payment.kind] = found.get(payment.kind, 0) + payment.amount
    return found


def _again(bill: Bill, digest: bytes, asked: SettleRequest, hand: Hand) -> Outcome:
    """What was sold, for whoever sold it or finished it; others took no money for it."""
    outcome = read_outcome(bill.settlement)
    same = outcome.is_by(hand) if asked.parts is UNSET else bill.asked == digest
    if same and not outcome.order:
        return outcome
    raise _settled_already(bill)


def _settled_already(bill: Bill) -> ConflictError:
    """With what was sold, by whom and when."""
    return with_members(
        ConflictError("bill_settled", f"it is order {bill.order_id}"),
        **msgspec.to_builtins(read_outcome(bill.settlement)),
    )


def _digest(asked: SettleRequest, hand: Hand) -> bytes:
    """What two calls must share to be the same one: all but who a person among the buyers is.

    A digest of a person's name would outlive its erasure. Companies are told apart. A bill that
    other tills see may be paid at two of them alike: without an ``id``, till and person count.
    """
    if isinstance(asked.parts, UnsetType):
        return b""
    shared = asked.version and isinstance(asked.id, UnsetType)
    whose = _encode([hand.place.till, hand.person]) if shared else b""
    parts = [msgspec.structs.replace(part, buyer=_told(part.buyer)) for part in asked.parts]
    bill = asked.bill
    if not isinstance(bill, UnsetType):
        bill = msgspec.structs.replace(bill, buyer=_told(bill.buyer))
    plain = msgspec.structs.replace(asked, parts=parts, bill=bill)
    return bytes(sha256(b"fapiao/v1/settle\n" + _encode(plain) + whose))


def _told(buyer: Buyer | UnsetType) -> Buyer | UnsetType:
    """A buyer who is no person."""
    if isinstance(buyer, UnsetType) or buyer.kind == "individual":
        return UNSET
    return buyer
