"""What the till needs from a store: rows, each change whole or not at all."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec

from chain.hashing import Digest
from invoice_service.domain.acts import By
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.money import Fen
from invoice_service.domain.prepaid import Standing
from invoice_service.services.till.shapes import BillContent

ListKind = Literal["menu", "tables", "tills"]
BillState = Literal["open", "settling", "settled", "dropped"]
EventKind = Literal["bill", "shift", "menu", "order"]
Paid = Mapping[str, Fen]
"""Fen by kind of payment."""


class Kept(NamedTuple):
    """A merchant's list as JSON, and how often it was changed."""

    version: int
    items: bytes


NOTHING_KEPT = Kept(0, b"[]")


class Place(NamedTuple):
    """Whose till it is, which one, and on which business day."""

    merchant_id: int
    till: str
    day: str


class Hand(NamedTuple):
    """Who acts at a till: the person at work there, and as the trail has it."""

    place: Place
    person: int
    by: By

    @property
    def merchant_id(self) -> int:
        """Whose till it is."""
        return self.place.merchant_id


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """A bill; from settling on, its order is fixed, and once it is settled only that is kept.

    ``settlement`` is what is issued and how it is paid; then, what came of it. ``asked`` is the
    digest of the call that began it, ``buyers`` a JSON list of who gets each part's invoice.
    """

    merchant_id: int
    id: str
    version: int
    state: BillState
    content: BillContent
    opened_at: int
    person: int
    till: str
    order_id: str = ""
    business_day: str = ""
    shift: str = ""
    settlement: bytes = b""
    asked: bytes = b""
    buyers: bytes = b""


class Part(NamedTuple):
    """A part of a bill that has its invoice."""

    part: int
    number: str
    total: Fen
    hash: str


class Fixing(NamedTuple):
    """A bill on its way to being settled: what is to be issued, and what was there before."""

    bill_id: str
    version: int
    content: BillContent
    settlement: bytes
    buyers: bytes
    asked: bytes
    new_shift: str


class Sale(NamedTuple):
    """What a till keeps of an invoice beside it: how it was paid, signed as its total is."""

    invoice: int
    kind: Literal["sale", "return"]
    request: str
    place: Place
    shift: str
    person: int
    at: int
    paid: Paid


class Undone(NamedTuple):
    """What stays of a bill whose sale is not gone on with: what is open again, what is booked."""

    content: BillContent
    sales: Sequence[Sale]


Undo = Callable[[Bill, Mapping[int, int]], Undone]
"""From a bill and the places of the invoices that its parts have."""


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """A till between opening and closing; ``change`` is what was in the drawer before."""

    id: str
    till: str
    business_day: str
    change: Fen
    opened_at: int
    opened_by: int
    closed_at: int | None = None
    closed_by: int | None = None
    counted: dict[str, Fen] = {}
    expected: dict[str, Fen] = {}
    note: str = ""


class Returning(msgspec.Struct, frozen=True, kw_only=True):
    """A return that was begun at a till; ``red`` is the invoice that came of it, 0 before."""

    id: str
    invoice: int
    content: bytes
    shift: str
    person: int
    till: str
    business_day: str
    red: int = 0


class Listed(NamedTuple):
    """An invoice with what the till keeps of it; ``sale`` is None for what no page has sold."""

    invoice: StoredInvoice
    sale: Sale | None


class Span(NamedTuple):
    """Business days, both included, and the unix seconds in which they lie."""

    first: str
    last: str
    since: int
    until: int


class Sought(NamedTuple):
    """What is looked for in an invoice: a part of its names, or its amount, red or blue."""

    text: str
    fen: Fen | None = None


class Worked(NamedTuple):
    """What one person sold, or took back (``red``), at one till in one hour of the day."""

    person: int | None
    till: str
    hour: int
    red: int
    sales: int
    total: Fen
    tax: Fen


class Bought(NamedTuple):
    """What was sold under one name, less what came back; ``off`` was taken off when it was sold."""

    name: str
    millionths: int
    total: Fen
    off: Fen


class Figures(NamedTuple):
    """What the figures of some days are made of; (rate, amount, tax) for each rate.

    ``unrecorded`` was paid in no way that is known; None where there is no such invoice.
    """

    worked: Sequence[Worked]
    rates: Sequence[tuple[str, Fen, Fen]]
    paid: Paid
    unrecorded: Fen | None
    bought: Sequence[Bought]


class Event(NamedTuple):
    """Something of a merchant's has changed: ``subject`` says which."""

    seq: int
    kind: EventKind
    subject: str


class ListStore(Protocol):
    """The lists that a merchant keeps."""

    def till_list(self, merchant_id: int, kind: ListKind) -> Kept:
        """One of them."""
        ...

    def put_till_list(self, hand: Hand, kind: ListKind, kept: Kept) -> int:
        """Replace one whose version is still ``kept``'s; ConflictError ``list_changed``.

        Returns the new version; the act stands beside it.
        """
        ...

    def set_session_till(self, session_id: int, till: str) -> None:
        """This browser is that till."""
        ...


class BillStore(Protocol):
    """Bills, until they are settled."""

    def bill(self, merchant_id: int, bill_id: str) -> Bill | None:
        """One of a merchant's."""
        ...

    def open_bills(self, merchant_id: int) -> list[Bill]:
        """All that are open or being settled, the oldest first."""
        ...

    def put_bill(self, hand: Hand, bill_id: str, version: int, content: BillContent) -> Bill:
        """Keep what stands on a bill now, if its version is still this one.

        ConflictError ``bill_changed``, ``bill_settled``, ``bill_settling``, ``too_many_bills``.
        """
        ...

    def drop_bill(self, hand: Hand, bill_id: str, version: int) -> None:
        """Nothing was sold; ConflictError as ``put_bill``. Safe to repeat."""
        ...

    def merge_bills(
        self, hand: Hand, into: tuple[str, int], gone: tuple[str, int], content: BillContent
    ) -> Bill:
        """``content`` stands on the one, and the other goes; ConflictError as ``put_bill``."""
        ...

    def fix_bill(self, hand: Hand, fixing: Fixing) -> Bill:
        """Begin to settle: the bill gets its order's number, its day and a shift that is open.

        ConflictError as ``put_bill``.
        """
        ...

    def sold_parts(self, bill: Bill) -> list[Part]:
        """Which parts of its order have their invoices, in order."""
        ...

    def release_bill(self, merchant_id: int, bill_id: str) -> None:
        """Open it again, if its order has no invoice."""
        ...

    def undo_bill(
        self, hand: Hand, bill_id: str, version: int, undo: Undo
    ) -> tuple[Bill, list[int]]:
        """Open it again with what ``undo`` leaves, and book what is sold; safe to repeat.

        Returns the places of the invoices that stay as well. From then on no further part of its
        order is issued. ConflictError as ``put_bill``, ``bill_changed`` also for one that is not
        being settled, and what ``undo`` raises.
        """
        ...

    def finish_bill(self, bill: Bill, sales: Sequence[Sale], outcome: bytes) -> Bill:
        """Keep how it was paid, once for all; of the bill, only ``outcome`` stays."""
        ...

    def prepaid_standing(self, account_id: str, merchant_id: int, now: int) -> Standing | None:
        """How a merchant's prepaid account stands at ``now`` (unix seconds)."""
        ...


class ReturnStore(Protocol):
    """Returns, from when they were begun."""

    def begin_return(self, hand: Hand, wanted: Returning) -> Returning:
        """Note a return before it is issued; the one there is, if it was begun before."""
        ...

    def was_begun(self, merchant_id: int, return_id: str) -> bool:
        """Whether a return with this id was noted."""
        ...

    def finish_return(self, wanted: Returning, sale: Sale, by: By) -> None:
        """Keep how it was paid back, once for all, with its act."""
        ...

    def drop_return(self, merchant_id: int, return_id: str) -> None:
        """Nothing came of it."""
        ...

    def begun_returns(self, merchant_id: int, shift: str) -> list[Returning]:
        """Those of which nobody knows what came."""
        ...

    def released_for(self, invoice: Digest) -> Fen | None:
        """What a prepaid account pays of it, 0 where its wallet did not; None: no account does."""
        ...


class ShiftStore(Protocol):
    """Opening and closing."""

    def open_shift(self, hand: Hand, shift_id: str, change: Fen) -> Shift:
        """Open the till; the same shift again is the one there is. ConflictError ``till_open``."""
        ...

    def close_shift(
        self, hand: Hand, shift_id: str, counted: Paid, text: str, *, carry: bool
    ) -> Shift:
        """Count it; the same count again is the same answer.

        NotFoundError ``shift_unknown``; ConflictError ``shift_closed``, ``bills_open``.
        """
        ...

    def shift(self, merchant_id: int, shift_id: str) -> Shift | None:
        """One of a merchant's."""
        ...

    def current_shift(self, merchant_id: int, till: str) -> Shift | None:
        """The one that is open at a till."""
        ...

    def shifts(self, merchant_id: int, first: str, last: str, limit: int) -> list[Shift]:
        """Those of these business days, the newest first."""
        ...


class LookStore(Protocol):
    """Reading what was sold."""

    def released_for(self, invoice: Digest) -> Fen | None:
        """As ``ReturnStore`` has it."""
        ...

    def listed(self, merchant_id: int, span: Span | None, before: int, limit: int) -> list[Listed]:
        """Invoices of these days (None: of all) with ``seq`` below ``before``, newest first."""
        ...

    def listed_at(self, merchant_id: int, seqs: Sequence[int]) -> list[Listed]:
        """A merchant's invoices at these places, those that there are."""
        ...

    def named(
        self, merchant_id: int, text: str, limit: int, span: Span | None = None
    ) -> list[Listed]:
        """Those of these days with just this number, or of this order, the newest first."""
        ...

    def searched(
        self, merchant_id: int, span: Span, sought: Sought, before: int, limit: int
    ) -> list[Listed]:
        """Those of these days that hold ``sought``, with ``seq`` below ``before``, newest first."""
        ...

    def figures(self, merchant_id: int, span: Span) -> Figures:
        """The sums of these days."""
        ...

    def titles(self, merchant_id: int, text: str, limit: int) -> list[dict[str, str]]:
        """Companies and organisations that bought here and whose name or tax id has ``text``."""
        ...


class EventStore(Protocol):
    """What has changed since; cheap to ask."""

    def newest(self) -> tuple[int, int]:
        """The newest invoice and the newest event, of anybody."""
        ...

    def till_events(self, merchant_id: int, after: int, limit: int) -> list[Event]:
        """A merchant's events above ``after``."""
        ...

    def oldest_event(self) -> int:
        """The oldest that is kept; 0 when none is."""
        ...

    def seqs_between(self, merchant_id: int, low: int, high: int, limit: int) -> list[int]:
        """A merchant's invoices above ``low`` up to ``high``."""
        ...

    def order_news(self, order_id: str) -> dict[str, object]:
        """What a till is told of an order that its customer claims, or pays."""
        ...


class TillStore(ListStore, BillStore, ReturnStore, ShiftStore, LookStore, EventStore, Protocol):
    """All of it."""
