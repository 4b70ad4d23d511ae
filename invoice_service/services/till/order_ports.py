"""What tills need from a store for orders that they make of bills."""

from typing import Final, NamedTuple, Protocol

import msgspec

from invoice_service.domain.money import Fen
from invoice_service.services.claims.ports import ClaimStore, Order, Whole
from invoice_service.services.till.ports import Bill, Hand, Paid
from invoice_service.services.till.shapes import BillContent


class _Outcome(msgspec.Struct):
    """What came of a bill whose guests claim: no invoices yet, but an order."""

    order_id: str
    business_day: str
    order: str
    by: int
    at: int
    till: str
    invoices: tuple[str, ...] = ()
    change: Fen = 0


class _Ordered(msgspec.Struct):
    order: str = ""


_encode: Final = msgspec.json.Encoder().encode
_read: Final = msgspec.json.Decoder(_Ordered).decode


class Ordering(NamedTuple):
    """A bill on its way to being an order, which gets its number, day and till from the store."""

    bill_id: str
    version: int
    content: BillContent
    order: Order
    asked: bytes
    paid: Paid
    new_shift: str


class OrderStore(ClaimStore, Protocol):
    """What tills need of a store for orders; each change is whole or not at all."""

    def bill(self, merchant_id: int, bill_id: str) -> Bill | None:
        """One of a merchant's."""
        ...

    def order_bill(self, hand: Hand, ordering: Ordering) -> Whole:
        """Make the order of a bill; ConflictError as ``put_bill``."""
        ...

    def pay_order(self, hand: Hand, order_id: str, paid: Paid, new_shift: str) -> Whole | None:
        """Money has come into a till; ConflictError ``order_cancelled``."""
        ...

    def drop_order(self, hand: Hand, order_id: str, new_shift: str) -> Whole | None:
        """Cancel it, pay back, open its bill again; ConflictError ``order_claimed``."""
        ...

    def extend_order(self, merchant_id: int, order_id: str, until: int) -> Whole | None:
        """It may be claimed until then; ConflictError ``order_cancelled``."""
        ...

    def order_money(self, order: Order) -> dict[str, Fen]:
        """What has come into tills for it, and is still there, by kind."""
        ...


def outcome_of(order: Order, hand: Hand) -> bytes:
    """What a bill keeps of having become an order."""
    by, at = hand.person, hand.by.at
    return _encode(_Outcome(order.order_id, order.business_day, order.id, by, at, order.till))


def order_of(bill: Bill) -> str:
    """The order that a settled bill has become; "" for one that was sold."""
    return _read(bill.settlement).order if bill.settlement else ""
