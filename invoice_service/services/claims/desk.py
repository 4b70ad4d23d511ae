"""Orders and their claims; killed anywhere and asked again, each share is one invoice (ADR 0040).

1. *Begin.* One transaction keeps a share for one browser, with the buyer that it named.
2. *Issue.* The share goes the way of any order, under its order's number, till and day: asking
   again gives the invoice that is there, and what a till has issued meanwhile is in the way.
3. *Finish.* One transaction writes down the invoice, and forgets the buyer.

Whoever asks next goes on with what was begun: the same browser, another one, the till, a payment;
and the worker, which looks for it every few seconds.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from chain.errors import ConflictError, MalformedError, NotFoundError, Problem, RefusedError
from invoice_service.domain.invoice import InvoiceRequest, Issued
from invoice_service.domain.lines import add_up, write_lines
from invoice_service.domain.merchant import refuse_unless_active
from invoice_service.domain.money import Fen
from invoice_service.domain.orders import Place, Reached
from invoice_service.domain.prepaid import unknown
from invoice_service.domain.request import Buyer, check_buyer, check_request
from invoice_service.services.claims.links import Links, secret_digest
from invoice_service.services.claims.ports import (
    ANY,
    NOBODY,
    Claim,
    ClaimStore,
    Made,
    Order,
    Payment,
    Wanted,
    Whole,
)
from invoice_service.services.claims.shapes import OrderRequest, digest_of, invoice_of, parse_order
from invoice_service.services.claims.shares import came_of, divided, shares_of
from invoice_service.services.issuing.issue import IssuingDesk, issue_one, prepare_one

_encode: Final = msgspec.json.Encoder().encode
_read_content: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read_buyer: Final = msgspec.json.Decoder(Buyer).decode
_ID_BYTES: Final = 16
AT_ONCE: Final = 50
"""Begun claims that are gone on with in one call."""

GRACE: Final = 3
"""Seconds for which a claim is left to the process that has begun it."""

UNNAMED: Final = _encode(Buyer())


class Clocks(NamedTuple):
    """What time it is, and to which business day it belongs."""

    now: Callable[[], int]
    day: Callable[[int], str]


class Claims:
    """All that is done with orders."""

    def __init__(
        self,
        store: ClaimStore,
        issuing: IssuingDesk,
        links: Links,
        clocks: Clocks,
        seconds: int,
    ) -> None:
        """``seconds`` is for how long an order may be claimed that does not say."""
        self.store, self.links, self.seconds = store, links, seconds
        self._issuing, self._clocks = issuing, clocks

    def now(self) -> int:
        """The time, unix seconds."""
        return self._clocks.now()

    def make(self, merchant_id: int, body: bytes) -> Made:
        """Keep what a till sent; the same again is the order there is, open for as long again.

        Raises MalformedError as issuing does, as ``shares_of``, and ``business_day_ahead``;
        ConflictError ``order_differs``; RefusedError ``merchant_suspended``; NotFoundError
        ``prepaid_unknown``.
        """
        asked = parse_order(body, self._issuing.max_bytes)
        now = self.now()
        if asked.business_day is UNSET:
            asked = msgspec.structs.replace(asked, business_day=self._clocks.day(now))
        self._refuse_suspended(merchant_id)
        self._refuse_unpaid(merchant_id, asked)
        order = self._order(merchant_id, asked)
        Reached(now).check(Place(business_day=order.business_day))
        made = self.store.add_order(order)
        return made._replace(whole=self._settled(made.whole))

    def one(self, merchant_id: int, order_id: str) -> Whole:
        """A merchant's order, as it stands now; NotFoundError ``order_unknown``."""
        found = self.store.order(order_id, merchant_id)
        if found is None:
            raise _unknown()
        return self._settled(found)

    def cancel(self, merchant_id: int, order_id: str) -> Whole:
        """Nobody claims it any more; NotFoundError ``order_unknown``, ConflictError."""
        self.one(merchant_id, order_id)  # what was begun is finished first
        found = self.store.cancel_order(order_id, merchant_id, self.now())
        if found is None:
            raise _unknown()
        return found

    def settle_begun(self, merchant_id: int) -> None:
        """Go on with what was begun at this merchant's; what is refused stays as it is."""
        for whole in self.store.begun_claims(AT_ONCE, merchant_id=merchant_id):
            self._settled(whole)

    def finish_begun(self, after: int = 0) -> int:
        """The same for everybody's orders above ``after``; where to go on, 0 for the beginning.

        So what is refused again and again does not keep others waiting.
        """
        before = self.now() - GRACE
        found = self.store.begun_claims(AT_ONCE, after=after, before=before)
        for whole in found:
            self._settled(whole)
        return found[-1].order.seq if len(found) == AT_ONCE else 0

    def issue_rest(self, merchant_id: int, order_id: str) -> Whole:
        """Issue what nobody has claimed to an unnamed individual, its time over or not.

        Raises NotFoundError ``order_unknown``, ConflictError ``order_cancelled`` and
        ``order_not_paid``, and as issuing.
        """
        whole = self.one(merchant_id, order_id)
        while len(whole.claims) < len(whole.order.shares):
            try:
                self._issue_to_nobody(whole)
            except ConflictError as conflict:
                if conflict.code != "order_claimed":  # somebody was quicker: so much the better
                    raise
            whole = self.one(merchant_id, order_id)
        return whole

    def order_of(
        self,
        merchant_id: int,
        requests: Sequence[InvoiceRequest],
        shares: Sequence[Fen],
        asked: bytes,
    ) -> Order:
        """An order of these shares that is nowhere yet: its till, day and number are to be given.

        Raises as ``make`` does.
        """
        self._refuse_suspended(merchant_id)
        for request in requests:
            self._try(merchant_id, request)
        return self._new(merchant_id, requests, shares, asked, self.seconds)

    def linked(self, token: str) -> Whole:
        """The order of a link; NotFoundError ``claim_unknown``."""
        found = self.store.order_by_mark(self.links.marks(token))
        if found is None:
            raise NotFoundError("claim_unknown", "this link leads to no order")
        return self._settled(found)

    def claim(self, token: str, secret: str, buyer: Buyer, part: int = ANY) -> Claim:
        """Issue a share to ``buyer``, or find what this browser has claimed; on disk when it
        returns.

        Raises NotFoundError ``claim_unknown``; MalformedError as ``check_buyer``; ConflictError as
        ``rules.choose``, and ``order_claimed`` where the till has issued the order meanwhile;
        RefusedError and UnavailableError as issuing: then the same again is the same claim.
        """
        whole = self.linked(token)
        digest = secret_digest(secret)
        if not digest:
            raise MalformedError("claim_secret_invalid", "load the page again", pointer="mine")
        wanted = Wanted(digest, self.links.hide(_encode(check_buyer(buyer))), part)
        claim = self._begun(whole, wanted)
        if claim.hash:
            return claim
        done = self._issue(whole.order, claim)
        if done.secret != digest:
            raise _issued_beside()
        return done

    def own(self, whole: Whole, secret: str) -> Claim | None:
        """What this browser has claimed."""
        digest = secret_digest(secret)
        return next((one for one in whole.claims if digest and one.secret == digest), None)

    def pay(self, whole: Whole, payment: Payment) -> bool:
        """Write down that money has come; whether that is news. An order may issue by itself.

        Raises ConflictError ``payment_amount_differs``, once it is written down.
        """
        order = whole.order
        counts = payment.amount == order.total
        kept = msgspec.structs.replace(payment, counts=counts)
        new = self.store.add_payment(order.seq, kept)
        if not counts:
            raise ConflictError(
                "payment_amount_differs",
                f"{payment.amount} fen were paid, and the order comes to {order.total}",
            )
        # A crash here: it is paid, and whoever asks next has it issued.
        again = self.store.order(order.id, None)
        if again is not None:
            self._settled(again)
        return new

    def _refuse_suspended(self, merchant_id: int) -> None:
        account = self._issuing.merchants.account(merchant_id)
        if account is None:
            raise NotFoundError("merchant_unknown", "there is no such merchant")
        refuse_unless_active(account.merchant.status)

    def _refuse_unpaid(self, merchant_id: int, asked: OrderRequest) -> None:
        account = asked.prepaid
        if isinstance(account, UnsetType) or self.store.has_prepaid(account, merchant_id):
            return
        raise unknown("/prepaid")

    def _order(self, merchant_id: int, asked: OrderRequest) -> Order:
        request = check_request(invoice_of(asked), self._issuing.max_lines)
        amount, tax, _ = add_up(write_lines(request, self._issuing.rates))
        self._try(merchant_id, request)
        shares = shares_of(asked, amount + tax)
        requests = divided(request, shares, came_of(request, self._issuing.rates))
        if len(requests) > 1:
            for one in requests:
                self._try(merchant_id, one)
        lasts = self.seconds if isinstance(asked.expires_in, UnsetType) else asked.expires_in
        return msgspec.structs.replace(
            self._new(merchant_id, requests, shares, digest_of(asked), lasts),
            till="" if request.till is UNSET else request.till,
            business_day=str(request.business_day),
            order_id=request.order_id,
            auto_issue=asked.auto_issue,
            after_payment=asked.after_payment,
        )

    def _new(
        self,
        merchant_id: int,
        requests: Sequence[InvoiceRequest],
        shares: Sequence[Fen],
        asked: bytes,
        lasts: int,
    ) -> Order:
        link, now = self.links.new(), self.now()
        return Order(
            id=self._issuing.randbytes(_ID_BYTES).hex(),
            merchant_id=merchant_id,
            total=sum(shares),
            shares=tuple(shares),
            content=_encode(requests),
            asked=asked,
            sealed=link.sealed,
            mark=link.mark,
            created_at=now,
            expires_at=now + lasts,
        )

    def _try(self, merchant_id: int, request: InvoiceRequest) -> None:
        """Refuse now what issuing would refuse later."""
        account = self._issuing.merchants.account(merchant_id)
        if account is not None:
            prepare_one(self._issuing, account.merchant, _encode(request))

    def _begun(self, whole: Whole, wanted: Wanted) -> Claim:
        try:
            return self.store.begin_claim(whole.order.seq, wanted, self.now())
        except ConflictError as conflict:
            if conflict.code != "order_claimed":
                raise
        # Between our look and this a share may have been begun, and refused, or left by a kill.
        again = self.store.order(whole.order.id, None)
        if again is not None:
            self._settled(again)
        return self.store.begin_claim(whole.order.seq, wanted, self.now())

    def _settled(self, whole: Whole) -> Whole:
        """With what was begun finished, and what issues by itself issued; else as it was.

        What is in the way of another's claim is told to whoever made it, not to who looks.
        """
        waiting = [claim for claim in whole.claims if not claim.hash]
        by_itself = whole.issues_itself and len(whole.claims) < len(whole.order.shares)
        if not waiting and not by_itself:
            return whole
        for claim in waiting:
            _leave(partial(self._issue, whole.order, claim))
        while by_itself and _leave(partial(self._issue_to_nobody, whole)):
            pass
        return self.store.order(whole.order.id, None) or whole

    def _issue_to_nobody(self, whole: Whole) -> None:
        wanted = Wanted(NOBODY, self.links.hide(UNNAMED), ANY, forced=True)
        self._issue(whole.order, self.store.begin_claim(whole.order.seq, wanted, self.now()))

    def _issue(self, order: Order, claim: Claim) -> Claim:
        """The claim with its invoice; with nobody's secret where the till was first."""
        try:
            buyer = _read_buyer(self.links.reveal(claim.buyer))
            issued = issue_one(self._issuing, order.merchant_id, _request(order, claim.part, buyer))
        except ConflictError as conflict:
            if "first_hash" not in conflict.extra:
                self.store.drop_claim(order.seq, claim.part)
                raise
            done = _done(
                claim, NOBODY, conflict.extra["first_hash"], conflict.extra["first_number"]
            )
        except (RefusedError, MalformedError, NotFoundError):
            self.store.drop_claim(order.seq, claim.part)
            raise
        else:
            done = _done(claim, claim.secret, *_named(issued))
        # A crash before this is on disk: the invoice is there, and found again by its order.
        self.store.finish_claim(order.seq, done)
        return done


def parts_of(order: Order) -> list[InvoiceRequest]:
    """What is issued for each share, but for whom."""
    return msgspec.json.decode(order.content, type=list[InvoiceRequest])


def _request(order: Order, part: int, buyer: Buyer) -> bytes:
    """The share as issuing reads it."""
    said: dict[str, Any] = msgspec.json.decode(_read_content(order.content)[part - 1])
    said |= {"order_id": order.order_id, "business_day": order.business_day}
    if order.till:
        said["till"] = order.till
    if buyer != Buyer():
        said["buyer"] = buyer
    return _encode(said)


def _named(issued: Issued) -> tuple[str, str]:
    return issued.hash, issued.number


def _done(claim: Claim, secret: bytes, hash_: object, number: object) -> Claim:
    return msgspec.structs.replace(
        claim, secret=secret, hash=str(hash_), number=str(number), buyer=b""
    )


def _leave(action: Callable[[], object]) -> bool:
    """Whether it was done; a problem is for somebody else to be told."""
    try:
        action()
    except Problem:
        return False
    return True


def _unknown() -> NotFoundError:
    return NotFoundError("order_unknown", "there is no such order of yours")


def _issued_beside() -> ConflictError:
    return ConflictError("order_claimed", "this order has its invoice already")
