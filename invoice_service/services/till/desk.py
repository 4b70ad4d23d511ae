"""Everything that a till can do, put together over one store."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from invoice_service.domain.invoice import StoredInvoice
from invoice_service.services.claims.desk import Claims
from invoice_service.services.issuing.issue import IssuingDesk
from invoice_service.services.issuing.reverse import ReversingDesk
from invoice_service.services.people.erase import BuyerStore
from invoice_service.services.people.person import PeopleReader
from invoice_service.services.people.ports import KeyStore
from invoice_service.services.people.sessions import Sessions
from invoice_service.services.people.trail import Head
from invoice_service.services.ports import Account, PrintStore
from invoice_service.services.prepaid.ports import Whole
from invoice_service.services.till.bills import Bills
from invoice_service.services.till.books import Books
from invoice_service.services.till.days import Days
from invoice_service.services.till.lists import Lists
from invoice_service.services.till.order_ports import OrderStore
from invoice_service.services.till.orders import Orders
from invoice_service.services.till.ports import TillStore
from invoice_service.services.till.returning import Taking
from invoice_service.services.till.selling import Selling
from invoice_service.services.till.shifts import Shifts
from invoice_service.services.till.watch import Shown, Watch


class DeskStore(TillStore, OrderStore, BuyerStore, PeopleReader, KeyStore, PrintStore, Protocol):
    """What all of it needs of a store."""

    def account(self, merchant_id: int) -> Account | None:
        """One merchant."""
        ...

    def prepaid(self, account_id: str, *, merchant_id: int | None = None) -> Whole | None:
        """A prepaid account."""
        ...

    def last_act(self) -> Head:
        """The newest act of the trail."""
        ...

    def invoice_at(self, seq: int) -> StoredInvoice | None:
        """The invoice at ``seq``."""
        ...


class TillDesk(NamedTuple):
    """What a till's calls work with."""

    store: DeskStore
    lists: Lists
    bills: Bills
    selling: Selling
    taking: Taking
    books: Books
    shifts: Shifts
    watch: Watch
    days: Days
    issuing: IssuingDesk
    orders: Orders


def open_till(
    store: DeskStore,
    issuing: IssuingDesk,
    reversing: ReversingDesk,
    sessions: Sessions,
    days: Days,
    claims: Claims,
    published: Callable[[], int],
) -> TillDesk:
    """``published`` is the last invoice that the public log has."""

    def new_id() -> str:
        return issuing.randbytes(16).hex()

    lists = Lists(store, issuing.rates)
    bills = Bills(store, issuing.rates, issuing.max_lines)
    selling = Selling(store, issuing, new_id)
    taking = Taking(store, reversing, new_id)
    books = Books(store, published)
    shifts = Shifts(store, selling, taking, books, days)
    watch = Watch(store, sessions, Shown(bills, books, lists, shifts), published)
    orders = Orders(store, claims, issuing, new_id)
    return TillDesk(
        store, lists, bills, selling, taking, books, shifts, watch, days, issuing, orders
    )
