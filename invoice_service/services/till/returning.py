"""Taking back at a till: noted, issued, booked; killed anywhere and asked again, once each.

A refund is for an invoice that is there, never a sale below zero, and what is paid back is what the
red invoice comes to.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from chain.commitment import parse_password_area
from chain.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    RefusedError,
    UnavailableError,
)
from invoice_service.domain.document import Line, read_lines
from invoice_service.domain.invoice import (
    Issued,
    ReversalRequest,
    StoredInvoice,
    parse_reversal,
)
from invoice_service.domain.lifecycle import check_reversible
from invoice_service.domain.lines import add_up, rates_within
from invoice_service.domain.money import Fen
from invoice_service.domain.returns import Standing, left_of, return_lines
from invoice_service.services.issuing.reverse import ReversingDesk, reverse
from invoice_service.services.records import own_invoice
from invoice_service.services.till.ports import Hand, Place, Returning, ReturnStore, Sale
from invoice_service.services.till.problems import with_members
from invoice_service.services.till.selling import by_kind
from invoice_service.services.till.shapes import PREPAID, TakeBack

_KEY: Final = "till-return"
_encode: Final = msgspec.json.Encoder().encode


class _Plan(msgspec.Struct, frozen=True):
    """What is asked of the reversal, and how it is paid back."""

    request: msgspec.Raw
    paid: dict[str, Fen]


_read_plan: Final = msgspec.json.Decoder(_Plan).decode


@dataclass(frozen=True, slots=True)
class Returned:
    """A red invoice, and the blue one that it is over."""

    red: Issued
    blue: int


class Taking:
    """Takes back."""

    def __init__(
        self, store: ReturnStore, reversing: ReversingDesk, new_id: Callable[[], str]
    ) -> None:
        """``new_id`` names a shift that begins with a return."""
        self._store = store
        self._reversing = reversing
        self._new_id = new_id

    def take_back(self, hand: Hand, hash_: str, asked: TakeBack) -> Returned:
        """Issue the red invoice and book what is paid back; on disk when this returns.

        Raises as ``reverse`` does, and MalformedError ``payments_differ``, ``prepaid_goes_back``.
        """
        blue = self._own(hand, hash_)
        request = _request(asked)
        wanted = Returning(
            id=asked.id,
            invoice=blue.seq,
            content=_encode(_Plan(msgspec.Raw(request), by_kind(asked.refund))),
            shift=self._new_id(),
            person=hand.person,
            till=hand.place.till,
            business_day=hand.place.day,
        )
        if not self._store.was_begun(hand.merchant_id, asked.id):
            self._check(blue, parse_reversal(request), by_kind(asked.refund))
        begun = self._store.begin_return(hand, wanted)
        if (begun.invoice, begun.content) != (wanted.invoice, wanted.content):
            raise ConflictError("till_id_taken", "this id stands for another return")
        return self._finish(hand, begun, blue)

    def resume(self, hand: Hand, begun: Returning, hash_: str) -> None:
        """Finish what was begun, or forget what is refused."""
        try:
            self._finish(hand, begun, self._own(hand, hash_))
        except (RefusedError, ConflictError, MalformedError):
            return

    def left(self, blue: StoredInvoice) -> list[Standing]:
        """What is left of each line that was sold."""
        return left_of(read_lines(blue.lines), self._reds(blue))

    def _own(self, hand: Hand, hash_: str) -> StoredInvoice:
        return own_invoice(self._reversing.invoices, parse_password_area(hash_), hand.merchant_id)

    def _reds(self, blue: StoredInvoice) -> list[Sequence[Line]]:
        return [read_lines(red.lines) for red in self._reversing.invoices.returns_of(blue.seq)]

    def _check(self, blue: StoredInvoice, asked: ReversalRequest, paid: dict[str, Fen]) -> None:
        """Refuse now what would be refused, and what does not add up, while nothing is issued."""
        check_reversible(blue.type)
        if not blue.left:
            raise ConflictError(
                "already_reversed",
                "this invoice is reversed already",
                reversed_by=blue.reversed_by[-1],
            )
        sold = read_lines(blue.lines)
        amount, tax, _ = add_up(return_lines(self.left(blue), asked, rates_within(sold)))
        total = -(amount + tax)
        if sum(paid.values()) != total:
            raise with_members(
                MalformedError("payments_differ", f"{total} fen come back", pointer="/refund"),
                total=total,
            )
        self._check_account(blue, paid)

    def _check_account(self, blue: StoredInvoice, paid: dict[str, Fen]) -> None:
        """What an account has paid its ledger gives back, all of it: nothing is handed out, too.

        Where its wallet did not pay, money that came otherwise may go back as it came.
        """
        released = self._store.released_for(parse_password_area(blue.hash))
        wrong = PREPAID in paid if released is None else released and list(paid) != [PREPAID]
        if wrong:
            raise MalformedError(
                "prepaid_goes_back",
                "an account pays this invoice" if released else "no account has paid this invoice",
                pointer="/refund",
            )

    def _finish(self, hand: Hand, begun: Returning, blue: StoredInvoice) -> Returned:
        plan = _read_plan(begun.content)
        digest = parse_password_area(blue.hash)
        try:
            red = reverse(
                self._reversing,
                hand.merchant_id,
                digest,
                bytes(plan.request),
                idempotency_key=f"{_KEY}:{begun.id}",
            )
        except (RefusedError, ConflictError, MalformedError, NotFoundError):
            self._store.drop_return(hand.merchant_id, begun.id)
            raise
        place = Place(hand.merchant_id, begun.till, begun.business_day)
        paid = _paid_back(plan.paid, -red.total)
        sale = Sale(red.seq, "return", begun.id, place, begun.shift, begun.person, hand.by.at, paid)
        self._store.finish_return(begun, sale, hand.by)
        return Returned(red, blue.seq)


def _request(asked: TakeBack) -> bytes:
    """The reversal as the programs' door would have it."""
    said: dict[str, Any] = msgspec.to_builtins(asked)
    for name in ("id", "refund"):
        said.pop(name, None)
    return _encode(said)


def _paid_back(paid: dict[str, Fen], total: Fen) -> dict[str, Fen]:
    """Below zero, and in all what the red invoice says.

    Another return may have come between looking and issuing; then what is booked follows the
    invoice, and the count at closing shows what was handed out.
    """
    if not paid:
        raise UnavailableError("record_damaged", "a return without a refund")
    first, *_ = paid
    paid = paid | {first: paid[first] + total - sum(paid.values())}
    return {kind: -amount for kind, amount in paid.items()}
