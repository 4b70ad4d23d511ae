"""The invoice store on SQLite: one file, write-ahead log, every commit synced to disk."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chain.errors import ConflictError, UnavailableError
from chain.log.sqlite import make_private
from chain.log.turns import LONG_SECONDS, take
from invoice_service.domain.clock import Running
from invoice_service.domain.numbering import Scheme
from invoice_service.storage.sqlite.admission import ApplicationRows
from invoice_service.storage.sqlite.bill_orders import BillOrderRows
from invoice_service.storage.sqlite.bureau import BureauRows
from invoice_service.storage.sqlite.buyers import Buyers, wash_if_possible
from invoice_service.storage.sqlite.claims import ClaimRows
from invoice_service.storage.sqlite.clock import Clocks, Times, not_counted, nothing_sealed
from invoice_service.storage.sqlite.connection import BUSY_SECONDS, Connections, unavailable
from invoice_service.storage.sqlite.decisions import DecisionRows
from invoice_service.storage.sqlite.factors import FactorRows
from invoice_service.storage.sqlite.first_owner import FirstOwnerRows
from invoice_service.storage.sqlite.forms import Forms
from invoice_service.storage.sqlite.issuing import Issuing, Queue, nothing_taken
from invoice_service.storage.sqlite.links import LinkRows
from invoice_service.storage.sqlite.logged import LoggedActs
from invoice_service.storage.sqlite.lookups import LookupRows
from invoice_service.storage.sqlite.mails import MailRows
from invoice_service.storage.sqlite.offers import OfferRows
from invoice_service.storage.sqlite.people import People
from invoice_service.storage.sqlite.prepaid import PrepaidRows
from invoice_service.storage.sqlite.prints import Prints
from invoice_service.storage.sqlite.proposals import ProposalRows
from invoice_service.storage.sqlite.quota_requests import QuotaRequestRows
from invoice_service.storage.sqlite.reading import Reading
from invoice_service.storage.sqlite.register import Register
from invoice_service.storage.sqlite.retention import RetentionRows
from invoice_service.storage.sqlite.schema import migrations
from invoice_service.storage.sqlite.sessions import SessionRows
from invoice_service.storage.sqlite.standing import Standing
from invoice_service.storage.sqlite.till import TillRows
from invoice_service.storage.sqlite.trail import Trail
from invoice_service.storage.totals import SqliteTotals

__all__ = ["WASH_EVERY", "SqliteStore", "create_store", "update_store"]

WASH_EVERY = 60  # seconds


class SqliteStore(
    Issuing,
    Reading,
    Standing,
    Prints,
    BureauRows,
    Buyers,
    Register,
    ApplicationRows,
    FirstOwnerRows,
    QuotaRequestRows,
    People,
    FactorRows,
    SessionRows,
    Trail,
    LoggedActs,
    TillRows,
    ClaimRows,
    BillOrderRows,
    RetentionRows,
    MailRows,
    OfferRows,
    PrepaidRows,
    ProposalRows,
    DecisionRows,
    LinkRows,
    LookupRows,
    Clocks,
):
    """``invoices.db``. Safe for threads and processes at once, and after a fork.

    Every method raises UnavailableError when the database cannot be used: ``database_busy``,
    ``disk_full``, ``database_damaged``, ``database_unavailable``.
    """

    def __init__(
        self,
        path: Path,
        scheme: Scheme | None = None,
        *,
        busy_seconds: float = BUSY_SECONDS,
        taken: Callable[[], int] = nothing_taken,
        sealed: Callable[[], int] = nothing_sealed,
        running: Callable[[], Running | None] = not_counted,
    ) -> None:
        """Open the file that ``create_store`` made; it is first touched when first used.

        ``taken`` tells the last invoice that is in the published log; it is asked only when that
        matters. ``sealed`` tells the time of the log's last seal in unix seconds, ``running`` for
        how long the machine has run, where the clock is the machine's.
        """
        self._queue = Queue(taken)
        self._forms = Forms()
        self._times = Times(sealed, running)
        self._washed = -WASH_EVERY
        self.connections = Connections(path, busy_seconds=busy_seconds)
        self._scheme = scheme or Scheme()
        self.totals = SqliteTotals(self.connections)

    def instance(self) -> str | None:
        """The mark of the instance whose invoices these are, or None while it has none."""
        with self.connections.reading() as connection:
            row = connection.execute("SELECT mark FROM instance").fetchone()
        return None if row is None else str(row[0])

    def bind_instance(self, mark: str) -> None:
        """Say whose invoices these are, once and for all; ConflictError ``instance_differs``."""
        with self.connections.writing() as connection:
            connection.execute(
                "INSERT INTO instance SELECT 1, ? WHERE NOT EXISTS (SELECT 1 FROM instance)",
                (mark,),
            )
        if (found := self.instance()) != mark:
            raise ConflictError("instance_differs", f"these are of {found}, not of {mark}")

    def fold(self) -> None:
        """Put what was committed into the file itself, so that no issue has to."""
        self.connections.fold()

    def tidy(self, now: int, keep: int) -> None:
        """Forget people whom bills have for longer than ``keep`` seconds, and wash what is to be.

        ``now`` is in unix seconds. Washing holds writers up for a moment: now and then will do.
        """
        self.forget_buyers(now - keep)
        if not 0 <= now - self._washed < WASH_EVERY:
            self._washed = now
            wash_if_possible(self.connections)

    def close(self) -> None:
        """Close the connections of all threads."""
        self.connections.close()


def create_store(path: Path) -> None:
    """Make the file if there is none, and bring its tables up to date.

    Safe to repeat, and for two processes at once. Raises UnavailableError.
    """
    try:
        with _alone(path.parent) as folder:
            _migrate(path)
            os.fsync(folder)  # the new file's name must survive a power cut
    except sqlite3.Error as error:
        raise unavailable(error) from error
    except OSError as error:
        detail = f"the database cannot be made: {error}"
        raise UnavailableError("database_unavailable", detail) from error


def update_store(path: Path) -> None:
    """Bring an older release's tables up to date, and finish what was being erased.

    What is no store of ours is left as it is.

    A file that is missing or damaged is for its first user to report. Raises UnavailableError
    when the tables are old and cannot be changed now, ``instance_mixed`` for somebody else's.
    """
    store = Connections(path)
    try:
        if path.is_file() and _is_foreign(store):
            raise UnavailableError(
                "instance_mixed", f"{path} holds no invoices: put the one of this instance back"
            )
        if path.is_file() and _is_behind(store):
            with store.reading(), _alone(path.parent):
                migrations.apply(store.database)
        if path.is_file():
            wash_if_possible(store)
    finally:
        store.close()


def _is_behind(store: Connections) -> bool:
    try:
        with store.reading():
            database = store.database
            return bool(migrations.applied(database) and migrations.pending(database))
    except UnavailableError:
        return False


def _is_foreign(store: Connections) -> bool:
    try:
        with store.reading():
            return bool(store.database.table_names()) and not migrations.applied(store.database)
    except UnavailableError:
        return False


@contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """Hold the folder's lock, and give its descriptor: two migrations must not meet.

    UnavailableError ``database_busy`` when another takes too long.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        take(descriptor, folder, seconds=LONG_SECONDS, code="database_busy")
        yield descriptor
    finally:
        os.close(descriptor)


def _migrate(path: Path) -> None:
    make_private(path)  # in it stand salts and buyers
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    finally:
        connection.close()
    store = Connections(path)
    try:
        migrations.apply(store.database)
    finally:
        store.close()
