"""What a till's page sends: JSON, read strictly; all money in fen, tax included."""

import re
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chain.errors import MalformedError
from invoice_service.domain.money import LIMIT
from invoice_service.domain.reading import Wire
from invoice_service.domain.request import Buyer, LineNumber, PrepaidId, ReturnedLine

PaymentKind = Literal["cash", "wechat", "alipay", "card", "other"]
PAYMENT_KINDS: Final = ("cash", "wechat", "alipay", "card", "other")
PREPAID: Final = "prepaid"
"""What an account of money paid in advance pays: nothing comes to the till."""

MOST_PARTS: Final = 5

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Short = Annotated[str, Meta(max_length=40)]
Table = Annotated[str, Meta(min_length=1, max_length=32)]
Money = Annotated[int, Meta(ge=0, le=LIMIT)]
Version = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Id = Annotated[str, Meta(max_length=64)]
Kind = Literal["zero", "exempt", "untaxed"]

_ID: Final = re.compile(r"[0-9A-Za-z-]{8,64}", re.ASCII)


class BillLine(Wire, frozen=True):
    """One thing on a bill; ``item`` is the id of the dish, where it is one of the menu's."""

    name: Name
    tax_rate: str
    unit_price: Money
    quantity: str = "1"
    discount: Money = 0
    item: Id = ""
    tax_kind: Kind | UnsetType = UNSET


class BillContent(Wire, frozen=True):
    """What stands on a bill; ``discount`` is taken off all of it."""

    lines: list[BillLine] = []  # noqa: RUF012 # msgspec copies it
    table: Table | UnsetType = UNSET
    discount: Money = 0
    buyer: Buyer | UnsetType = UNSET


class BillRequest(BillContent, frozen=True, kw_only=True):
    """A bill as it is from now on; ``version`` is the one that was changed, 0 for a new one."""

    version: Version


class MergeRequest(Wire, frozen=True):
    """Take another bill's lines over: ``from_id`` goes."""

    from_id: Id = msgspec.field(name="from")
    version: Version
    from_version: Version


class PartLine(Wire, frozen=True):
    """So much of the bill's line with this number, counted from 1; all of it without a quantity."""

    line: LineNumber
    quantity: str | UnsetType = UNSET


class Payment(Wire, frozen=True):
    """So much was paid in this way; of a return: paid back."""

    kind: PaymentKind | Literal["prepaid"]
    amount: Money


class Taken(Payment, frozen=True):
    """So much came to the till itself."""

    kind: PaymentKind


class PartRequest(Wire, frozen=True):
    """What one guest pays: these lines, or so much of everything, or all that is left.

    ``tendered`` is the cash that was handed over; ``prepaid`` the account that pays all of it.
    """

    lines: Annotated[list[PartLine], Meta(min_length=1)] | UnsetType = UNSET
    amount: Money | UnsetType = UNSET
    buyer: Buyer | UnsetType = UNSET
    payments: Annotated[list[Payment], Meta(max_length=20)] = []  # noqa: RUF012 # as above
    tendered: Money | UnsetType = UNSET
    prepaid: PrepaidId | UnsetType = UNSET


class SettleRequest(Wire, frozen=True):
    """How a bill is paid; without ``parts``, what was begun is finished.

    ``id`` is made by the page before its first try: who sends the same again, the same ``id`` with
    it, asks for the same sale; another till, which would take the same money once more, does not.
    """

    version: Version
    id: Id | UnsetType = UNSET
    parts: Annotated[list[PartRequest], Meta(min_length=1, max_length=MOST_PARTS)] | UnsetType = (
        UNSET
    )
    bill: BillContent | UnsetType = UNSET


class UndoRequest(Wire, frozen=True):
    """Go no further with a bill in parts that is at this version."""

    version: Version


class ShareRequest(Wire, frozen=True):
    """What one guest may claim: these lines, or so much of everything, or all of it."""

    lines: Annotated[list[PartLine], Meta(min_length=1)] | UnsetType = UNSET
    amount: Money | UnsetType = UNSET


class BillOrder(Wire, frozen=True):
    """A bill whose guests claim their invoices; ``payments`` is what came for it already."""

    version: Version
    shares: Annotated[list[ShareRequest], Meta(min_length=1, max_length=MOST_PARTS)]
    id: Id | UnsetType = UNSET  # as in ``SettleRequest``
    payments: Annotated[list[Taken], Meta(max_length=20)] = []  # noqa: RUF012 # as above
    bill: BillContent | UnsetType = UNSET


class OrderPaid(Wire, frozen=True):
    """How an order was paid, all of it."""

    payments: Annotated[list[Taken], Meta(min_length=1, max_length=20)]


class TakeBack(Wire, frozen=True):
    """What comes back, as reversals over the programs' door have it; and how it is paid back."""

    id: Id
    reason: str
    lines: Annotated[list[ReturnedLine], Meta(min_length=1)] | UnsetType = UNSET
    amount: Money | UnsetType = UNSET
    rate: str | UnsetType = UNSET
    tax_kind: Kind | UnsetType = UNSET
    refund: Annotated[list[Payment], Meta(max_length=20)] = []  # noqa: RUF012 # as above


class ShiftRequest(Wire, frozen=True):
    """Open a till with so much change in its drawer."""

    id: Id
    till: Table
    change: Money = msgspec.field(name="float", default=0)


class CloseRequest(Wire, frozen=True):
    """What was counted, by kinds; ``carry`` leaves open bills to whoever comes next."""

    counted: dict[PaymentKind, Money]
    note: Annotated[str, Meta(max_length=200)] = ""
    carry: bool = False


class Dish(Wire, frozen=True):
    """A dish of the menu; ``code`` is its bar code or a short one."""

    id: Id
    name: Name
    price: Money
    tax_rate: str
    category: Short = ""
    tax_kind: Kind | UnsetType = UNSET
    code: Short = ""
    position: Annotated[int, Meta(ge=0, le=100_000)] = 0


class MenuRequest(Wire, frozen=True):
    """The whole menu."""

    version: Version
    items: Annotated[list[Dish], Meta(max_length=2_000)]


class TablesRequest(Wire, frozen=True):
    """All tables, in the order in which they are shown."""

    version: Version
    tables: Annotated[list[Table], Meta(max_length=500)]


class TillRequest(Wire, frozen=True):
    """A till by name."""

    name: Table


class HereRequest(Wire, frozen=True):
    """Which till this browser is."""

    till: Table


def check_id(text: str, pointer: str = "") -> str:
    """An id that a browser has made: 8 to 64 letters, digits and "-"; ``till_id_invalid``."""
    if not _ID.fullmatch(text):
        raise MalformedError(
            "till_id_invalid", "an id is 8 to 64 letters, digits and -", pointer=pointer
        )
    return text
