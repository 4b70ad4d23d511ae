"""The audit of a whole instance: derive everything again from what is stored.

First the log, as ``chain.audit.audit`` does for any log. Then, in one walk along log and invoices:

1. each invoice's groups are canonical, and hash with their salts to its digest; of a buyer who was
   erased, the commitment stands for the group, and a person who was not can be;
2. its columns say what its document says, its seller is the merchant whose it is, the document's
   sums are those of its lines, and each line of a blue one follows from its price, quantity, rate
   and discount;
3. numbers follow one another without a gap, and time never goes back;
4. a red invoice takes back the whole of an earlier blue one, and no quota has less used of it than
   there are blue ones, or as money another sum than the month's invoices come to;
5. the parts of a bill agree, an invoice in the place of another names the order's first, and no
   more stands under such an order than was first sold;
6. each invoice up to the cursor stands in the log at its place, and each entry has its invoice;
7. days are closed in their order, by entries that commit to each day's sums;
8. the totals are those of the blocks, so are those of each day, month and year that are kept;
9. a buyer's key is gone where an act of the trail erased the buyer, and nowhere else;
10. the trail has no gap, each act's hash follows from the one before, and merchants and keys stand
   as its acts left them, none missing; so do the counts of refusals of each hour that is closed;
11. the log's entries of acts, their documents and the trail say the same, none missing anywhere,
   and each document goes on from the one before about the same subject;
12. what prepaid accounts hold, released and paid back is what was paid in, each release is an
   invoice, and what red invoices took back is held again;
13. each page of an application's papers is the one that its row and the decisions about it name.

What a row keeps beside its document (the key that was used, the attempt, the digest of the request)
follows from nothing that is stored, and is not looked at.

The first thing that is wrong is named. Memory grows with merchants and acts, not with invoices.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from chain.audit.audit import AuditReport, AuditStore, audit_log
from chain.audit.finding import AuditError
from chain.block import Block, Row
from chain.commitment import SALT_SIZE, parse_password_area
from chain.entry import ActEntry, ClosingEntry, parse_entry
from chain.errors import MalformedError, VerificationError
from chain.hashing import Digest
from chain.signing.keys import TrustedKeys
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.lifecycle import Reversal
from invoice_service.services.anchoring.anchor import invoice_entry
from invoice_service.services.anchoring.close import (
    VERSION,
    Closing,
    DayCells,
    add_up_day,
    days_until,
    totals_document,
)
from invoice_service.services.anchoring.totals import (
    Cells,
    Dimension,
    Sums,
    Taxed,
    count,
    sealing_day,
)
from invoice_service.services.checking.audit_acts import ActsAudit, LoggedWalk, StoredActs
from invoice_service.services.checking.audit_invoices import Books, checked_invoices
from invoice_service.services.checking.audit_papers import PapersAudit
from invoice_service.services.checking.audit_prepaid import (
    PrepaidAudit,
    StoredPrepaid,
    audit_prepaid,
)
from invoice_service.services.checking.audit_spans import SpanAudit, StoredSpans
from invoice_service.services.checking.audit_trail import (
    StoredTrail,
    TrailAudit,
    audit_trail,
)
from invoice_service.services.ports import PendingInvoice

Progress = Callable[[int, int], None]
"""Called with the steps done so far and those there are."""

_ROWS_AT_ONCE: Final = 256


class StoredTotals(StoredSpans, Protocol):
    """What the audit needs of the totals."""

    def last_height(self) -> int:
        """Return the last block whose totals are stored; 0 when there is none."""
        ...

    def days(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """Return (height, day) of up to ``limit`` blocks above ``after``, lowest first."""
        ...

    def row(self, dimension: Dimension, key: str, height: int) -> Sums | None:
        """Return the row that a block wrote for a cell."""
        ...

    def row_counts(self, height: int) -> dict[tuple[int, str], int]:
        """Return how many rows each cell has up to a block."""
        ...

    def closing(self, day: str, through: int) -> Closing | None:
        """Return the closing of ``day`` that covers the log up to index ``through``."""
        ...

    def check(self) -> None:
        """Check the database's own structure; VerificationError ``store_damaged``."""
        ...


@dataclass(frozen=True, slots=True)
class InstanceAudit:
    """What was derived again and held; ``pending`` invoices are not in the log yet.

    ``unclosed`` days have ended before the last block, and wait for their closing.
    """

    log: AuditReport
    invoices: int
    pending: int
    closings: int
    unclosed: int
    totalled: int
    logged: ActsAudit
    trail: TrailAudit
    prepaid: PrepaidAudit
    papers: PapersAudit


def audit_instance(
    log_store: AuditStore,
    log_folder: Path,
    log_keys: TrustedKeys,
    books: Books,
    totals: StoredTotals,
    logged: StoredActs,
    trail: StoredTrail,
    prepaid: StoredPrepaid,
    progress: Progress | None = None,
    papers: Callable[[], PapersAudit] = PapersAudit,
) -> InstanceAudit:
    """Derive everything again; return what held, or raise AuditError for the first that did not.

    ``papers`` looks at those of applications (``audit_papers``).

    May run beside an instance that works: it looks at what stood there when it began. Raises
    UnavailableError when something cannot be read now, which says nothing about it.
    """
    # In the order opposite to writing, so that what stands in the one stands in the next.
    totalled = totals.last_height()
    head = log_store.head()
    last = books.last_seq()
    steps = head.size + last

    def tell(done: int) -> None:
        if progress is not None:
            progress(min(done, steps), steps)

    log = audit_log(log_store, log_folder, log_keys, lambda done, _: tell(done))
    told = LoggedWalk(logged)
    walk = _Walk(log_store, books, totals, totalled, last, told, lambda seq: tell(head.size + seq))
    walk.blocks(head.height)
    pending = sum(1 for _ in walk.invoices)
    walk.finish()
    acts = audit_trail(trail)  # before what is held against it: its own hashes tell the most
    in_log = told.finish()
    accounts = audit_prepaid(prepaid)
    pages = papers()
    try:
        totals.check()
    except VerificationError as error:
        raise AuditError("store", "invoices.db", "a sound database", error.detail) from error
    tell(steps)
    return InstanceAudit(
        log=log,
        invoices=last,
        pending=pending,
        closings=walk.closings,
        unclosed=len(walk.ended),
        totalled=totalled,
        logged=in_log,
        trail=acts,
        prepaid=accounts,
        papers=pages,
    )


class _Ended(NamedTuple):
    """A day that is over, with the log's last index then, and what it came to."""

    day: str
    through: int
    cells: DayCells


class _Walk:
    """One walk along the log's blocks and the invoices and acts that they took."""

    def __init__(
        self,
        log_store: AuditStore,
        books: Books,
        totals: StoredTotals,
        totalled: int,
        last: int,
        logged: LoggedWalk,
        tell: Callable[[int], None],
    ) -> None:
        self._log_store = log_store
        self._totals = _Totals(totals, totalled)
        self._spans = SpanAudit(totals, totalled)
        self._stored = totals
        self._logged = logged
        self._before: Block | None = None
        self._day_cells: DayCells = {}
        self.ended: deque[_Ended] = deque()
        self.invoices = checked_invoices(books, last, tell)
        self.closings = 0

    def blocks(self, height: int) -> None:
        """Check every block up to ``height`` against the invoices and the closings."""
        done = 0
        while done < height:
            for block in self._log_store.blocks(done, min(_ROWS_AT_ONCE, height - done)):
                self._block(block)
                done = block.height

    def finish(self) -> None:
        """Check that nothing stands beside what was derived."""
        self._totals.finish()
        self._spans.finish()

    def _block(self, block: Block) -> None:
        before = self._before
        day = sealing_day(block.sealed_at)
        if before is not None:
            self._end_days(sealing_day(before.sealed_at), day, before.size - 1)
        taken = block.cursor - (before.cursor if before else 0)
        rows = list(self._log_store.rows(block.first, block.seal_index))
        closings = sum(1 for _ in takewhile(_is_closing, rows))
        acts = sum(1 for _ in takewhile(_is_act, reversed(rows)))
        expected = min(closings, len(self.ended)) + taken + acts
        _same("block", block.height, "count", expected, block.count)
        for row in rows[:closings]:
            self._closing(self.ended.popleft(), row.entry)
        cells: Cells = {}
        documents = rows[closings : closings + taken]
        invoices = [self._invoice(row.index, row.entry) for row in documents]
        for taxed in invoices:
            count(cells, taxed)
            add_up_day(self._day_cells, taxed)
        for row in rows[closings + taken :]:
            self._logged.entry(row.index, row.entry)
        self._totals.check(block.height, day, cells)
        self._spans.block(block, day, invoices)
        self._before = block

    def _end_days(self, first: str, today: str, through: int) -> None:
        """What the days before ``today`` came to waits for their closings."""
        for day in days_until(first, today):
            self.ended.append(_Ended(day, through, self._day_cells))
            self._day_cells = {}

    def _closing(self, ended: _Ended, entry: bytes) -> None:
        """Step 7: the entry commits to the stored document, which has the day's sums."""
        day, through, _ = ended
        parsed = parse_entry(entry)
        name = parsed.day if isinstance(parsed, ClosingEntry) else "none"
        _same("closing", day, "entry of", day, name)
        stored = self._stored.closing(day, through)
        if stored is None:
            raise AuditError("closing", day, f"a document through {through}", "nothing")
        documents = _documents(ended)
        if stored.document not in documents:
            found = stored.document.decode(errors="replace")
            raise AuditError("closing", day, f"document {documents[-1].decode()}", found)
        if len(stored.salt) != SALT_SIZE or stored.entry() != entry:
            raise AuditError("closing", day, "the salt committed to", stored.salt.hex())
        self.closings += 1

    def _invoice(self, index: int, entry: bytes) -> Taxed:
        """Step 6: the entry is that of the next invoice."""
        checked = next(self.invoices, None)
        if checked is None:
            raise AuditError("entry", index, "an entry of an invoice that is stored", "another")
        invoice, merchant, reversal = checked
        expected = invoice_entry(_pending(invoice, reversal))
        if entry != expected:
            raise AuditError(
                "entry", index, f"invoice {invoice.seq}, {expected.decode()}", entry.decode()
            )
        return Taxed(
            invoice.seq,
            invoice.type == "red",
            merchant,
            invoice.industry,
            invoice.district,
            invoice.amount,
            invoice.tax,
            invoice.total,
            invoice.rates,
            invoice.till,
        )


def _is_closing(row: Row) -> bool:
    return isinstance(parse_entry(row.entry), ClosingEntry)


def _is_act(row: Row) -> bool:
    return isinstance(parse_entry(row.entry), ActEntry)


def _documents(ended: _Ended) -> list[bytes]:
    """The day's totals as a document of each version that can hold them, the newest last."""
    documents = []
    for version in range(1, VERSION + 1):
        with suppress(MalformedError):
            documents.append(totals_document(*ended, version))
    return documents


class _Totals:
    """Step 8: cumulative sums, made again block by block."""

    def __init__(self, stored: StoredTotals, last: int) -> None:
        self._stored = stored
        self._last = last
        self._days = _stored_days(stored)
        self._sums: Cells = {}
        self._rows: dict[tuple[int, str], int] = {}
        self._height = 0

    def check(self, height: int, day: str, cells: Cells) -> None:
        """Compare what one block adds; the totals may not have come as far yet."""
        if height > self._last:
            return
        self._height = height
        found = next(self._days, None)
        if found != (height, day):
            raise AuditError("totals", f"of block {height}", f"day {day}", f"{found}")
        for cell, added in cells.items():
            before = self._sums.get(cell, [0] * len(added))
            self._sums[cell] = sums = [old + new for old, new in zip(before, added, strict=True)]
            self._rows[cell] = self._rows.get(cell, 0) + 1
            row = self._stored.row(*cell, height)
            if row != sums:
                raise AuditError("totals", _place(cell, height), f"{sums}", f"{row}")

    def finish(self) -> None:
        """Compare the numbers of rows: none may stand where no block has put one."""
        if self._height < self._last:
            raise AuditError("totals", f"of block {self._last}", "a block in the log", "none")
        found = self._stored.row_counts(self._last)
        for cell in sorted(found.keys() | self._rows.keys()):
            expected, rows = self._rows.get(cell, 0), found.get(cell, 0)
            if rows != expected:
                place = _place(cell, self._last)
                raise AuditError("totals", place, f"{expected} rows", f"{rows} rows")


def _place(cell: tuple[int, str], height: int) -> str:
    dimension, key = cell
    known = dimension in Dimension.__members__.values()
    name = Dimension(dimension).name.lower() if known else f"dimension {dimension}"
    return " ".join(filter(None, (name, key, f"at block {height}")))


def _stored_days(stored: StoredTotals) -> Iterator[tuple[int, str]]:
    rows = stored.days(0, _ROWS_AT_ONCE)
    while rows:
        yield from rows
        rows = stored.days(rows[-1][0], _ROWS_AT_ONCE)


def _pending(invoice: StoredInvoice, reversal: Reversal | None) -> PendingInvoice:
    blue: Digest | None = None
    if invoice.reverses_hash is not None:
        blue = parse_password_area(invoice.reverses_hash)
    return PendingInvoice(invoice.seq, parse_password_area(invoice.hash), blue, reversal)


def _same(kind: str, place: int | str, name: str, expected: int | str, found: int | str) -> None:
    if expected != found:
        raise AuditError(kind, place, f"{name} {expected}", f"{name} {found}")
