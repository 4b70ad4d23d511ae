"""Check a figure: make a report again from documents alone, and prove each step on the way.

1. ``document``: the groups of each invoice that was counted hash to its password area, its columns
   and lines say the same, its number follows the one before;
2. ``entry``: its entry stands in the log at its place, of its block;
3. ``root``: each of these entries leads to the root of the newest signed checkpoint, which only
   adds to the block on which the report stands;
4. ``closing``: the closing of each of these days that is closed is in the log in the same way, and
   commits to the stored document, which has the sums of the day's documents;
5. ``report``: the report made of these documents is the report, byte by byte.

Nothing that was added up before is believed: neither totals by block, nor spans. The first that
does not fit is named. Cost and memory grow with the invoices of the days that are asked for.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

import msgspec

from chain.audit.finding import AuditError
from chain.block import Block
from chain.commitment import SALT_SIZE, parse_password_area
from chain.entry import AnchorEntry, SealEntry, closing_key, format_time, parse_entry
from chain.errors import ConflictError, MalformedError, RefusedError, VerificationError
from chain.hashing import Digest, leaf_hash
from chain.signing.checkpoint import Checkpoint, open_checkpoint
from chain.signing.keys import TrustedKeys
from chain.tree import merkle
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.services.anchoring.anchor import invoice_entry
from invoice_service.services.anchoring.close import (
    VERSION,
    Closing,
    DayCells,
    add_up_day,
    totals_document,
)
from invoice_service.services.anchoring.spans import (
    Asked,
    Cells,
    Head,
    Moved,
    Moves,
    Ranking,
    Returned,
    state_of,
)
from invoice_service.services.anchoring.totals import Taxed, sealing_day
from invoice_service.services.checking.audit_invoices import Books, Checked, InvoiceCheck
from invoice_service.services.ports import InvoiceFilter, PendingInvoice
from invoice_service.services.reporting.given import compare_reports
from invoice_service.services.reporting.mix import mixed_report, report_parts
from invoice_service.services.reporting.question import Question
from invoice_service.services.reporting.report import Totalled, height_of

STEPS: Final = ("document", "entry", "root", "closing", "report")

_NO_LIMIT: Final = 1 << 62
_TOLD: Final = 400  # characters: a closing's document is much longer, and says which by its place

Tell: TypeAlias = Callable[[int], None]
"""Called with how many invoices have been checked so far."""


class FigureLog(Protocol):
    """What checking a figure needs of the log."""

    def block(self, height: int) -> Block:
        """Return one block; NotFoundError when there is none."""
        ...

    def blocks(self, after: int, limit: int) -> Sequence[Block]:
        """Return up to ``limit`` blocks higher than ``after``, lowest first."""
        ...

    def find(self, key: bytes) -> int | None:
        """Return the index of the entry with this key."""
        ...

    def entry(self, index: int) -> bytes:
        """Return one entry; NotFoundError ``no_entry``."""
        ...

    def inclusion(self, index: int, size: int) -> list[Digest]:
        """Return the path from an entry to the root of a published size."""
        ...

    def consistency(self, old_size: int, new_size: int) -> list[Digest]:
        """Return the proof that the log of the new size only adds to that of the old."""
        ...

    def latest_checkpoint(self) -> tuple[Checkpoint, bytes]:
        """Return the published checkpoint and its note."""
        ...


class FigureTotals(Totalled, Protocol):
    """What checking a figure needs of the totals: when days ended, and the closings' documents."""

    def day_ends(self, first: str, height: int) -> Sequence[tuple[str, int]]:
        """Return the days from ``first`` on that have blocks, each with its last."""
        ...

    def closing(self, day: str, through: int) -> Closing | None:
        """Return the closing of ``day`` that covers the log up to index ``through``."""
        ...


class Step(NamedTuple):
    """What held: ``number`` of documents, entries, entries under the root, closed days, rows."""

    step: str
    number: int


class FigureCheck(NamedTuple):
    """What was proved; ``unclosed`` of the days have no closing yet.

    The root is that of the checkpoint of ``size`` entries; ``report`` the report's bytes.
    """

    steps: tuple[Step, ...]
    unclosed: int
    size: int
    root: str
    report: bytes

    def said(self) -> dict[str, Any]:
        """As it is told to programs."""
        steps = [{"step": step, "number": number} for step, number in self.steps]
        checkpoint = {"size": self.size, "root": self.root}
        return {"steps": steps, "unclosed": self.unclosed, "checkpoint": checkpoint}


def said_of(error: AuditError) -> dict[str, str]:
    """What does not fit, as it is told to programs: the step, where, and why."""
    names = {"step": "kind", "place": "place", "expected": "expected", "found": "found"}
    return {name: str(error.extra[key])[:_TOLD] for name, key in names.items()}


def check_figure(
    books: Books,
    totals: FigureTotals,
    log: FigureLog,
    keys: TrustedKeys,
    question: Question,
    report: bytes,
    *,
    most: int = _NO_LIMIT,
    tell: Tell | None = None,
) -> FigureCheck:
    """Make the report again from documents, each step proved; AuditError for what fails first.

    ``extra["kind"]`` is the step. RefusedError ``check_too_large`` beyond ``most`` invoices,
    ConflictError ``not_published`` while no checkpoint covers the block; else as ``mixed_report``
    for the question, and UnavailableError for what cannot be read now.
    """
    height = height_of(totals, log, question.at_block)
    path = _Path(log, keys, height)
    documents = _Documents(books, totals, log, path, most, tell or (lambda _: None))
    expected = b"".join(report_parts(mixed_report(documents, log, question)))
    closed, unclosed = documents.closings(height)
    rows = compare_reports(expected, report)
    counts = (documents.count, documents.count, path.count, closed, rows)
    steps = tuple(Step(*pair) for pair in zip(STEPS, counts, strict=True))
    return FigureCheck(steps, unclosed, path.size, path.root.hex(), expected)


class _Path:
    """Step 3: from entries to the root of the newest checkpoint."""

    def __init__(self, log: FigureLog, keys: TrustedKeys, height: int) -> None:
        """The block at ``height`` must be in it."""
        checkpoint, note = log.latest_checkpoint()
        self._log = log
        self.size, self.root, self.count = checkpoint.size, checkpoint.root, 0
        with _naming("root", checkpoint.size, "a checkpoint signed by the log"):
            signed = open_checkpoint(note, keys)
        if signed != checkpoint:
            raise AuditError("root", checkpoint.size, f"{checkpoint}", f"{signed}")
        if not height:
            return
        block = log.block(height)
        if block.size > self.size:
            raise ConflictError("not_published", f"block {height} is not published yet")
        with _naming("root", f"of block {height}", "one to which the log only adds"):
            way = log.consistency(block.size, self.size)
            merkle.verify_consistency(block.size, block.root, self.size, self.root, way)

    def entry(self, index: int) -> bytes:
        """An entry that is under the root."""
        entry = self._log.entry(index)
        with _naming("root", index, f"an entry under {self.root.hex()}"):
            way = self._log.inclusion(index, self.size)
            merkle.verify_inclusion(leaf_hash(entry), index, self.size, way, self.root)
        self.count += 1
        return entry


class _Documents:
    """Documents in the place of sums: the store of a report, which checks whatever it gives."""

    def __init__(
        self,
        books: Books,
        totals: FigureTotals,
        log: FigureLog,
        path: _Path,
        most: int,
        tell: Tell,
    ) -> None:
        self._books, self._totals, self._log, self._path = books, totals, log, path
        self._most, self._tell = most, tell
        self._check = InvoiceCheck(books)
        self._entries: Iterator[tuple[Block, int, bytes]] = iter(())
        self._last = -1
        self._reds: dict[int, Checked] = {}
        self._days: dict[str, DayCells] = {}
        self._names: dict[str, str] = {}
        self.count = 0

    def taxed(self, after: int, limit: int) -> list[Taxed]:
        """Steps 1 and 2: up to ``limit`` invoices above ``after``, each once it is proved."""
        if after != self._last:
            self._check = InvoiceCheck(self._books, after + 1)
            self._entries = self._entries_after(after)
        rows = self._books.invoices(InvoiceFilter(), after, limit)
        there = [one for due, one in enumerate(rows, after + 1) if one.seq == due]
        found = [self._proved(one) for one in there]
        if len(there) < max(len(rows), 1):
            missing = after + len(there) + 1
            raise AuditError("document", missing, "an invoice that is stored", "nothing")
        self._last = after + len(found)
        self._tell(self.count)
        return found

    def returned(self, seq: int) -> Returned:
        """What a red invoice did to its blue one, which is proved to be what was issued."""
        checked = self._reds[seq]
        blue = self._books.invoice_at(checked.invoice.reverses or 0)
        if blue is None or checked.reversal is None:
            raise AuditError("document", seq, "an invoice that it takes back", "nothing")
        own = self._document(InvoiceCheck(self._books, blue.seq), blue)
        back = sum(red.total for red in self._books.returns_of(blue.seq) if red.seq < seq)
        return Returned(blue.seq, state_of(blue.total, -back), checked.reversal, _taxed(own))

    def last_height(self) -> int:
        """The last block whose totals are stored."""
        return self._totals.last_height()

    def day_ends(self, first: str, height: int) -> list[tuple[str, int]]:
        """The days that have blocks, each with its last: as the seals say it."""
        found = list(self._totals.day_ends(first, height))
        for day, end in found:
            days = [
                sealing_day(self._log.block(at).sealed_at) for at in (end, min(end + 1, height))
            ]
            if days[0] != day or (end < height and days[1] <= day):
                raise AuditError("entry", f"block {end}", f"the last of {day}", f"of {days}")
        return found

    def spans(self, height: int) -> list[Head]:  # noqa: ARG002 # nothing was added up
        """None: everything is made of documents."""
        return []

    def last_part(self, day: str, height: int) -> Head | None:  # noqa: ARG002 # nothing was added up
        """None, likewise."""
        return None

    def cells_of(self, ids: Sequence[int], cubes: Sequence[int]) -> Cells:  # noqa: ARG002 # nothing was added up
        """Nothing, likewise."""
        return {}

    def moves_of(self, id_: int) -> Moves:  # noqa: ARG002 # nothing was added up
        """Nothing, likewise."""
        return {}

    def moved(self, ids: Sequence[int], first: str, last: str) -> list[tuple[Moved, list[int]]]:  # noqa: ARG002 # nothing was added up
        """Nothing, likewise."""
        return []

    def mixed(self, asked: Asked) -> Iterator[tuple[Any, ...]]:  # noqa: ARG002 # nothing was added up
        """Nothing, likewise."""
        return iter(())

    def ranked(self, asked: Asked, ranking: Ranking) -> tuple[int, list[tuple[str, ...]]]:  # noqa: ARG002 # nothing was added up
        """Nothing, likewise."""
        return 0, []

    def ranked_in_columns(
        self,
        asked: Asked,  # nothing was added up
        ranking: Ranking,  # likewise
        also: Collection[tuple[str, ...]],  # likewise
        beside: Mapping[tuple[str, ...], int],  # likewise
    ) -> None:
        """Nothing, likewise."""

    def names_of(self, merchants: Iterable[str]) -> Mapping[str, str]:
        """The names that stand on the invoices."""
        return {name: self._names.get(name, "") for name in merchants}

    def closings(self, height: int) -> tuple[int, int]:
        """Step 4: how many days are closed by what their documents come to, how many not."""
        closed = 0
        newest = self._totals.last_height()
        for day, cells in sorted(self._days.items()):
            (_, end), *_ = self._totals.day_ends(day, newest)
            index = self._log.find(closing_key(day))
            if index is None or end > height:
                continue  # the day goes on after the block, or has not ended
            through = self._log.block(end).size - 1
            entry = self._path.entry(index)
            stored = self._totals.closing(day, through)
            if stored is None:
                raise AuditError("closing", day, f"a document through {through}", "nothing")
            documents = _closing_documents(day, through, cells)
            if stored.document not in documents:
                found = stored.document.decode(errors="replace")
                raise AuditError("closing", day, f"document {documents[-1].decode()}", found)
            if len(stored.salt) != SALT_SIZE or stored.entry() != entry:
                raise AuditError("closing", day, "the document committed to", entry.decode())
            closed += 1
        return closed, len(self._days) - closed

    def _proved(self, invoice: StoredInvoice) -> Taxed:
        if self.count >= self._most:
            raise RefusedError(
                "check_too_large",
                f"more than {self._most:,} invoices: fewer days, or `fapiao report --verify`",
            )
        checked = self._document(self._check, invoice)
        block, index, entry = next(self._entries, (None, 0, b""))
        expected = invoice_entry(_pending(checked))
        if block is None or entry != expected:
            text = f"invoice {invoice.seq}, {expected.decode()}"
            raise AuditError("entry", index, text, entry.decode() or "nothing")
        taxed = _taxed(checked)
        day = sealing_day(block.sealed_at)
        add_up_day(self._days.setdefault(day, {}), taxed)
        if taxed.red:
            self._reds[invoice.seq] = checked
        self.count += 1
        return taxed

    def _document(self, check: InvoiceCheck, invoice: StoredInvoice) -> Checked:
        """Step 1."""
        try:
            checked = check.invoice(invoice)
        except AuditError as error:
            said = (str(error.extra[name]) for name in ("place", "expected", "found"))
            raise AuditError("document", *said) from error
        face = msgspec.json.decode(invoice.face, type=_Face)
        self._names[checked.merchant] = face.seller.name
        return checked

    def _entries_after(self, seq: int) -> Iterator[tuple[Block, int, bytes]]:
        """The invoices' entries from the block on that took the one after ``seq``, proved."""
        height = self._block_after(seq)
        before = self._log.block(height - 1).cursor if height > 1 else 0
        while blocks := self._log.blocks(height - 1, 1):
            (block,) = blocks
            self._seal(block)
            entries = [(index, self._path.entry(index)) for index in _indices(block)]
            own = [pair for pair in entries if isinstance(parse_entry(pair[1]), AnchorEntry)]
            if len(own) != block.cursor - before:
                place, wanted = f"of block {height}", f"{block.cursor - before} invoices"
                raise AuditError("entry", place, wanted, f"{len(own)}")
            yield from ((block, index, entry) for index, entry in own)
            before, height = block.cursor, height + 1

    def _block_after(self, seq: int) -> int:
        """The height of the first block that took an invoice above ``seq``."""
        low, high = 1, self._totals.last_height()
        while low < high:
            middle = (low + high) // 2
            if self._log.block(middle).cursor > seq:
                high = middle
            else:
                low = middle + 1
        return low

    def _seal(self, block: Block) -> None:
        seal = parse_entry(self._path.entry(block.seal_index))
        found = seal.sealed_at if isinstance(seal, SealEntry) else "none"
        if found != format_time(block.sealed_at):
            expected = format_time(block.sealed_at)
            raise AuditError("entry", block.seal_index, f"a seal of {expected}", str(found))


class _Seller(msgspec.Struct):
    name: str


class _Face(msgspec.Struct):
    seller: _Seller


@contextmanager
def _naming(step: str, place: int | str, expected: str) -> Iterator[None]:
    """What does not verify within is what is wrong at this place."""
    try:
        yield
    except (VerificationError, MalformedError) as error:
        raise AuditError(step, place, expected, str(error)) from error


def _indices(block: Block) -> range:
    return range(block.first, block.seal_index)


def _taxed(checked: Checked) -> Taxed:
    invoice = checked.invoice
    return Taxed(
        *(invoice.seq, invoice.type == "red", checked.merchant, invoice.industry),
        *(invoice.district, invoice.amount, invoice.tax, invoice.total),
        invoice.rates,
        invoice.till,
    )


def _pending(checked: Checked) -> PendingInvoice:
    invoice, blue = checked.invoice, checked.invoice.reverses_hash
    digest = parse_password_area(invoice.hash)
    if blue is None:
        return PendingInvoice(invoice.seq, digest)
    return PendingInvoice(invoice.seq, digest, parse_password_area(blue), checked.reversal)


def _closing_documents(day: str, through: int, cells: DayCells) -> list[bytes]:
    """The day's totals as a document of each version that can hold them, the newest last."""
    documents = []
    for version in range(1, VERSION + 1):
        with suppress(MalformedError):
            documents.append(totals_document(day, through, cells, version))
    return documents
