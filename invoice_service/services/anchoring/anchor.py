"""Anchor what is pending: build the next blocks of the log, publish them, bring totals up to date.

Nothing here remembers what is done. The log's last block says which invoices have been taken
(its cursor), its last checkpoint what has been published, the last totals what has been added
up. So any number of workers may run this at once, and any of them may die anywhere.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol, TypeVar

import msgspec

from chain.block import Block, Head
from chain.commitment import anchor, anchors
from chain.entry import anchor_entry, plain_entry
from chain.errors import ConflictError, Problem, VerificationError
from chain.signing.checkpoint import Checkpoint
from chain.signing.note import NoteSigner
from chain.witness.client import Gathered
from invoice_service.domain.clock import MAX_FORWARDS, Known, check_ahead
from invoice_service.services.anchoring.acts import ACTS_A_BLOCK, ActDocuments, waiting_acts
from invoice_service.services.anchoring.close import ClosingStore, close_days
from invoice_service.services.anchoring.spans import SpanKeeper, keep_spans
from invoice_service.services.anchoring.totals import SealedBlocks, catch_up, sealing_day
from invoice_service.services.ports import PendingInvoice

_T = TypeVar("_T")

_MOST_BLOCKS: Final = 1_000
"""Blocks of one run, lost races included: a run ends, whatever others do."""


class Pending(Protocol):
    """What anchoring needs of the invoices."""

    def invoices_after(self, seq: int, limit: int) -> Sequence[PendingInvoice]:
        """Return up to ``limit`` invoices above ``seq``, lowest first."""
        ...


class AnchorLog(SealedBlocks, Protocol):
    """What anchoring needs of the log."""

    def head(self) -> Head:
        """Return where the log stands, published or not."""
        ...

    def sequence(
        self, expected: Head, drafts: Sequence[bytes], *, sealed_at: datetime, cursor: int
    ) -> Block:
        """Append ``drafts`` as one block, durably; ConflictError ``log_moved`` for a lost race."""
        ...

    def publish(self, *signers: NoteSigner, signed_at: datetime | None = None) -> Checkpoint:
        """Sign and publish the head; do what an interrupted call left undone."""
        ...

    def find(self, key: bytes) -> int | None:
        """Return the index of the entry with this anchor."""
        ...

    def latest_checkpoint(self) -> tuple[Checkpoint, bytes]:
        """Return the published checkpoint and its note."""
        ...


class TotalsToKeep(ClosingStore, SpanKeeper, Protocol):
    """Totals by block and by span, and closings."""


class Cosigners(Protocol):
    """The witnesses of the log's policy; ``chain.witness.cosigning``."""

    def confirm(self) -> Gathered | None:
        """Before the first signature, have our history confirmed by those who saw it."""
        ...

    def run(self) -> Gathered | None:
        """Have the newest checkpoint cosigned and published; None when nobody was asked."""
        ...


@dataclass(frozen=True, slots=True)
class Anchoring:
    """What anchoring works with; ``clock`` gives UTC, ``max_block`` is in invoices.

    ``signers`` gives the keys that sign now; it is asked each time, for keys change, and they
    stay so until its block ends: what is signed with them counts when it is stored.
    ``cosigners`` are None where the log's signature is enough. The clock may leap by
    ``max_forwards`` seconds from what is ``known``; one that is believed is noted (``note``).
    ``bind`` adds an act that holds the trail, where one is due at that unix second.
    ``fold`` does for the invoices' file what an issue would have to wait for.
    """

    invoices: Pending
    acts: ActDocuments
    totals: TotalsToKeep
    log: AnchorLog
    signers: Callable[[], AbstractContextManager[Sequence[NoteSigner]]]
    clock: Callable[[], datetime]
    randbytes: Callable[[int], bytes]
    max_block: int
    cosigners: Cosigners | None = None
    known: Callable[[], Known] = Known
    note: Callable[[int], None] = lambda _: None
    max_forwards: int = MAX_FORWARDS
    bind: Callable[[int], object] = lambda _: None
    fold: Callable[[], object] = lambda: None


@dataclass(frozen=True, slots=True)
class Anchored:
    """What a run did: ``blocks`` it sealed with ``invoices`` and ``acts`` in them.

    The log has ``size`` entries, ``published`` of them under a published checkpoint.
    ``missing`` tells of each witness that was asked in vain, None when none was asked.
    ``left`` says why totals, closings or acts could not be brought up to date: a later run does it.
    """

    blocks: int
    invoices: int
    size: int
    published: int
    missing: tuple[str, ...] | None = None
    left: tuple[Problem, ...] = ()
    acts: int = 0


def anchor_pending(parts: Anchoring, progress: Callable[[int], None] | None = None) -> Anchored:
    """Take all pending invoices, acts and ended days into the log; with none, add no block.

    ``progress`` is told how many invoices have been anchored so far. Raises UnavailableError when
    the disk is full or a database busy, VerificationError when the invoices are not those that
    the log has taken; what was sealed before that stays, and the next run goes on from it.
    UnavailableError ``clock_ahead`` when nothing may be sealed until somebody confirms the clock.
    Under a policy, UnavailableError ``witnesses_away`` and VerificationError ``log_rolled_back``
    as ``chain.witness.cosigning``; what cannot be published now will be by a later run.
    """
    if parts.cosigners is not None:
        parts.cosigners.confirm()
    run = _Run(parts)
    run.settle()
    gathered: Gathered | None = None
    blocks = invoices = acts = 0
    for _ in range(_MOST_BLOCKS):
        try:
            taken = run.seal_next()
        except ConflictError as error:
            if error.code != "log_moved":
                raise
            run.settle()
            continue  # another worker was first: see what it has left
        if taken is None:
            break
        run.settle()
        blocks += 1
        invoices += taken.invoices
        acts += taken.acts
        if gathered is None or gathered.met:  # else not again before the next run
            gathered = _cosign(parts)
        if progress is not None:
            progress(invoices)
        if taken.invoices < parts.max_block and taken.acts < ACTS_A_BLOCK:
            break  # what has come meanwhile is for the next run
    if not blocks:
        gathered = _cosign(parts)
    missing = None if gathered is None else tuple(map(str, gathered.failures()))
    run.keep_spans()
    published = parts.log.latest_checkpoint()[0].size
    size = parts.log.head().size
    return Anchored(blocks, invoices, size, published, missing, tuple(run.left.values()), acts)


def _cosign(parts: Anchoring) -> Gathered | None:
    return None if parts.cosigners is None else parts.cosigners.run()


class _Taken(NamedTuple):
    """What a block took."""

    invoices: int
    acts: int


class _Run:
    """The steps of one run; what is only derived may fail in it, and stops nothing else."""

    def __init__(self, parts: Anchoring) -> None:
        self._parts = parts
        self.left: dict[str, Problem] = {}

    def settle(self) -> None:
        """Publish and add up what is sealed and not yet published or added up, by whomever.

        A crash in here is repaired by the same call: all that it writes follows from the head.
        """
        parts = self._parts
        with parts.signers() as signers:
            parts.log.publish(*signers, signed_at=parts.clock())
        self._derive("totals", lambda: catch_up(parts.totals, parts.log))
        self._derive("fold", parts.fold)

    def keep_spans(self) -> None:
        """Keep what has ended for reports, once nothing waits for a block."""
        self._derive("spans", lambda: keep_spans(self._parts.totals, self._parts.log))

    def seal_next(self) -> _Taken | None:
        """Seal one more block; return what it took, None with nothing to seal."""
        parts = self._parts
        head = parts.log.head()  # before anything is collected: the race is about this head
        pending = _pending(parts, head)
        now = parts.clock()  # once: the day that is closed must be before the day of sealing
        self._check_clock(head, now)
        drafts = self._derive(
            "closings",
            lambda: close_days(parts.totals, parts.log, head, sealing_day(now), parts.randbytes),
        )
        # Before it is asked which acts wait, so that the block has it. A crash after it: it waits.
        self._derive("trail", lambda: parts.bind(int(now.timestamp())))
        acts = self._derive("acts", lambda: _act_entries(parts)) or []
        drafts = [*(drafts or ()), *invoice_entries(pending), *acts]
        if not drafts:
            return None
        cursor = pending[-1].seq if pending else head.cursor
        # A crash before this returns has sealed either nothing, and invoices and acts are still
        # pending, or the whole block, and its cursor and its entries say that they were taken.
        parts.log.sequence(head, drafts, sealed_at=now, cursor=cursor)
        return _Taken(len(pending), len(acts))

    def _check_clock(self, head: Head, now: datetime) -> None:
        """A seal's time stays for ever, and days are closed by it: a leap needs somebody's word.

        Nor is the last time repeated: invoices that waited while all slept would seem sealed in
        time.
        """
        moment, known = int(now.timestamp()), self._parts.known()
        if head.sealed_at is not None:
            sealed = max(int(head.sealed_at.timestamp()), known.sealed)
            known = msgspec.structs.replace(known, sealed=sealed)
        check_ahead(moment, known, self._parts.max_forwards)
        self._derive("clock", lambda: self._parts.note(moment))

    def _derive(self, what: str, work: Callable[[], _T]) -> _T | None:
        """Do what follows from the log; None when it fails: invoices do not wait for it."""
        try:
            done = work()
        except Problem as problem:
            self.left[what] = problem
            return None
        except Exception as error:  # noqa: BLE001 # whatever a sum can do must not stop the log
            self.left[what] = Problem("internal_error", f"{what}: {error!r}")
            return None
        self.left.pop(what, None)
        return done


def _act_entries(parts: Anchoring) -> list[bytes]:
    return [act.entry() for act in waiting_acts(parts.acts, parts.log)]


def _pending(parts: Anchoring, head: Head) -> Sequence[PendingInvoice]:
    """Return what comes after the last invoice taken, once sure that these are the same invoices.

    An invoice database that was restored from an old copy would give out numbers again that the
    log has taken, and those invoices would never be anchored.
    """
    if not head.cursor:
        return parts.invoices.invoices_after(0, parts.max_block)
    rows = parts.invoices.invoices_after(head.cursor - 1, parts.max_block + 1)
    if not rows or rows[0].seq != head.cursor:
        raise VerificationError(
            "invoices_missing", f"the log has taken invoice {head.cursor}, but it is not stored"
        )
    if len(rows) > 1 and parts.log.find(anchor(rows[0].digest)) is None:
        raise VerificationError(
            "invoices_differ", f"invoice {head.cursor} is not the one that the log has taken"
        )
    return rows[1:]


def invoice_entries(invoices: Sequence[PendingInvoice]) -> list[bytes]:
    """Return ``invoice_entry`` of each, at less cost than as many calls."""
    made = anchors([invoice.digest for invoice in invoices])
    return [
        plain_entry(anchored) if invoice.reverses is None else invoice_entry(invoice)
        for invoice, anchored in zip(invoices, made, strict=True)
    ]


def invoice_entry(invoice: PendingInvoice) -> bytes:
    """Return the log entry that anchors an invoice."""
    if invoice.reverses is None:
        return anchor_entry("invoice", anchor(invoice.digest))
    return anchor_entry(
        "invoice",
        anchor(invoice.digest),
        reverses=anchor(invoice.reverses),
        reversal=invoice.reversal,
    )
