"""What the front door for programs is given; ``wiring.Instance`` has all of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from chain.hashing import Digest
from chain.log.log import Log
from chain.signing.es256 import WalletKey
from chain.signing.keys import LogKeys
from invoice_service.config import Config
from invoice_service.retention.keeping import Keeping
from invoice_service.services.admission.office import Admission
from invoice_service.services.checking.acts import ActReader
from invoice_service.services.checking.audit_invoices import Books
from invoice_service.services.checking.verify import Verifier
from invoice_service.services.claims.desk import Claims
from invoice_service.services.claims.offers import Offers
from invoice_service.services.figure import FigureTotals
from invoice_service.services.figure_desk import FigureDesk
from invoice_service.services.health import PendingReader
from invoice_service.services.help.desk import ReportDesk
from invoice_service.services.help.ports import ScanStore
from invoice_service.services.issuing.issue import Issuer
from invoice_service.services.issuing.standing import StandingReader
from invoice_service.services.people.desk import PeopleDesk
from invoice_service.services.people.erase import BuyerStore
from invoice_service.services.people.lookups import Lookups
from invoice_service.services.people.person import PeopleReader
from invoice_service.services.people.ports import KeyStore, MerchantStore
from invoice_service.services.people.trail import ActStore, TrailReader
from invoice_service.services.ports import InvoiceReader, PrintStore
from invoice_service.services.prepaid.desk import PrepaidDesk
from invoice_service.services.reporting.collect import MixStore
from invoice_service.services.reporting.report import ReportStore


class Totals(ReportStore, MixStore, FigureTotals, Protocol):
    """Totals, as far as reports are made of them."""


class Store(
    BuyerStore,
    InvoiceReader,
    StandingReader,
    PrintStore,
    PendingReader,
    MerchantStore,
    KeyStore,
    PeopleReader,
    ActStore,
    TrailReader,
    Books,
    ActReader,
    Protocol,
):
    """The store, as far as the front door uses it."""

    @property
    def totals(self) -> Totals:
        """The totals."""
        ...


class PublicKeys(Protocol):
    """What the log says of its keys, asked for each time: they change."""

    def keys(self) -> LogKeys:
        """The keys of the newest statement."""
        ...

    def numbers(self) -> list[int]:
        """The numbers of all statements, in order."""
        ...

    def note(self, number: int) -> bytes:
        """A statement; NotFoundError ``no_statement``."""
        ...


class Wallets(Protocol):
    """Who signs for wallets, and the offers by which they are let in."""

    @property
    def offers(self) -> Offers: ...

    def credential(self, digest: Digest, shown: frozenset[str], holder: WalletKey) -> str:
        """The credential of an invoice for the holder of that key; Problems as it has them."""
        ...


class Parts(Protocol):
    """An open instance."""

    @property
    def config(self) -> Config: ...

    @property
    def store(self) -> Store: ...

    @property
    def log(self) -> Log: ...

    @property
    def keys(self) -> PublicKeys: ...

    @property
    def verifier(self) -> Verifier: ...

    @property
    def issuer(self) -> Issuer: ...

    @property
    def people(self) -> PeopleDesk: ...

    @property
    def claims(self) -> Claims: ...

    @property
    def keeping(self) -> Keeping: ...

    @property
    def reports(self) -> ReportDesk: ...

    @property
    def admission(self) -> Admission: ...

    @property
    def help_store(self) -> ScanStore: ...

    @property
    def wallets(self) -> Wallets: ...

    @property
    def lookups(self) -> Lookups: ...

    @property
    def figures(self) -> FigureDesk: ...

    @property
    def prepaid(self) -> PrepaidDesk: ...

    @property
    def clock(self) -> Callable[[], datetime]: ...

    @property
    def randbytes(self) -> Callable[[int], bytes]: ...
