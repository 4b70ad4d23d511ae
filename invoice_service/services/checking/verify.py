"""Verdicts: what a slip's number and amount are worth, checked from stored bytes to the log.

The steps are those of ``chain.proof.verify``, which needs no store; two more concern the slip and a
reversal. What cannot be believed (a damaged row, tile, seal or checkpoint) ends in
UnavailableError ``record_damaged``: it is never a verdict, least of all "unknown".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from chain.block import Head, Located
from chain.commitment import anchor, parse_password_area
from chain.entry import AnchorEntry, SealEntry, parse_entry, plain_anchor
from chain.errors import MalformedError, NotFoundError, VerificationError
from chain.hashing import Digest, digest_from_hex, leaf_hash
from chain.proof.file import ProofSource
from chain.signing.checkpoint import Checkpoint, open_checkpoint
from chain.signing.keys import TrustedKeys
from chain.tree.states import verify_state
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.lifecycle import reversal_of
from invoice_service.domain.numbering import format_issued_at, shanghai_day
from invoice_service.domain.qrtext import QrText
from invoice_service.domain.verdict import (
    Return,
    SameOrder,
    Step,
    Verdict,
    Verification,
    judge,
    shown_buyer_name,
)
from invoice_service.services.checking.known import Known, Paths
from invoice_service.services.ports import InvoiceReader
from invoice_service.services.records import checked_face, damaged

_UNSOUND = (VerificationError, MalformedError, NotFoundError)


class VerdictLog(ProofSource, Paths, Protocol):
    """What a verdict needs of the log."""

    def find(self, key: bytes) -> int | None:
        """The index of the entry with that key."""
        ...

    def locate(self, key: bytes) -> Located | None:
        """The entry with that key, its index, and where its block ends."""
        ...

    def head(self) -> Head:
        """Where the log stands, published or not."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where an invoice stands in the published log."""

    index: int
    size: int
    seal: SealEntry
    return_waits: bool


class Verifier:
    """Reaches verdicts. Remembers only what stays true: checked signatures and seals.

    ``verify`` checks, in this order, as far as it gets:

    1. groups: the stored groups hash to the password area;
    2. slip: number and amount on the slip are those of the face;
    3. entry: the log entry names that password area, and the same reversal as the face;
    4. signature: the log signed its newest checkpoint;
    5. inclusion: the entry is under the checkpoint's root;
    6. seal: the seal of the entry's block is under the same root;
    7. block: the seal closes the block with the entry;
    8. state: the state map under the newest seal says of it what our rows say, as far as its red
       invoices are in the log;
    9. reversal: each red invoice names this one, and together they come to what our rows say.
    """

    def __init__(
        self, invoices: InvoiceReader, log: VerdictLog, log_keys: Callable[[], TrustedKeys]
    ) -> None:
        """``log_keys`` are asked for each time: they change while a service runs."""
        self._invoices = invoices
        self._log = log
        self._log_keys = log_keys
        # Replaced as a whole, so threads need no lock.
        self._signed: tuple[bytes, TrustedKeys, Checkpoint] | None = None
        self._known: Known | None = None
        self._misfit: Callable[[Verification], object] = _nobody

    def watch(self, misfit: Callable[[Verification], object]) -> None:
        """Tell ``misfit`` of every verdict that finds no invoice as the slip says it."""
        self._misfit = misfit

    def verify(self, slip: QrText) -> Verification:
        """The verdict on a slip.

        Raises MalformedError ``password_area``; UnavailableError ``record_damaged``, or as
        store and log do when they cannot be read.
        """
        return self.told(self.look(slip))

    def told(self, found: Verification) -> Verification:
        """The same, once who watches has heard of it."""
        if found.face is None:
            self._misfit(found)
        return found

    def look(self, slip: QrText) -> Verification:
        """As ``verify``, for who asks about a slip that was checked before: nobody is told."""
        digest = parse_password_area(slip.hash)
        try:
            return self._verdict(slip, digest)
        except _UNSOUND:
            # A newer checkpoint may just have replaced the tiles that were being read. What
            # fails again, under the newest one and with nothing remembered, is damaged.
            self._signed = self._known = None
        try:
            return self._verdict(slip, digest)
        except _UNSOUND as problem:
            raise damaged(f"the records of this invoice fail: {problem}") from problem

    def _verdict(self, slip: QrText, digest: Digest) -> Verification:
        invoice = self._invoices.invoice(digest)
        if invoice is None:
            return self._unknown(slip.hash, digest)
        face = checked_face(invoice)
        if not slip_agrees(slip, face, invoice.issued_at):
            return Verification(verdict=Verdict.MISMATCH, hash=slip.hash, steps=_steps(1))
        reds = self._check_reds(invoice)
        place = self._find(invoice, reds, digest, face)
        return Verification(
            verdict=judge(
                known=True,
                slip_agrees=True,
                reversal=invoice.reversal,
                anchored=place is not None,
            ),
            hash=slip.hash,
            block=place.seal.height if place else None,
            sealed_at=place.seal.sealed_at if place else None,
            index=place.index if place else None,
            log_size=place.size if place else None,
            steps=_taken_steps(place, reds),
            face=face,
            buyer_name=shown_buyer_name(msgspec.json.decode(invoice.buyer)),
            buyer_erased=bool(invoice.erased),
            reversed_by=invoice.reversed_by,
            left=invoice.left if reds else None,
            returns=tuple(map(_return, reds)),
            replaces=self._first(face) if "replaces" in face else None,
            replaced_by=tuple(map(_same_order, self._later(invoice, face) if reds else ())),
        )

    def _unknown(self, hash_: str, digest: Digest) -> Verification:
        """Only when the log does not know it either: a row may have been lost."""
        if self._log.find(anchor(digest)) is not None:
            raise damaged("the log holds this invoice, and its row is missing")
        return Verification(verdict=Verdict.UNKNOWN, hash=hash_)

    def _check_reds(self, invoice: StoredInvoice) -> list[StoredInvoice]:
        """The red invoices, if there are any; they must be sound and name this one."""
        if not invoice.reversed_by:
            return []
        reds = self._invoices.returns_of(invoice.seq)[: len(invoice.reversed_by)]
        if any(checked_face(red).get("reverses") != invoice.hash for red in reds):
            raise damaged(f"a red invoice of invoice {invoice.seq} does not name it")
        if -sum(red.total for red in reds) != invoice.returned or invoice.left < 0:
            raise damaged(f"the red invoices of invoice {invoice.seq} come to something else")
        return reds

    def _first(self, face: dict[str, Any]) -> SameOrder:
        """The invoice in whose place one with this face stands."""
        first = self._invoices.invoice(parse_password_area(face["replaces"]))
        if first is None:
            raise damaged(f"the invoice that {face['number']} replaces is missing")
        checked_face(first)
        return _same_order(first)

    def _later(self, invoice: StoredInvoice, face: dict[str, Any]) -> list[StoredInvoice]:
        """What stands in its place now; it must name the same first invoice."""
        later = self._invoices.replacements_of(invoice.seq)
        first = face.get("replaces", invoice.hash)
        if any(checked_face(one).get("replaces") != first for one in later):
            raise damaged(f"what stands in the place of invoice {invoice.seq} does not say so")
        return later

    def _find(
        self,
        invoice: StoredInvoice,
        reds: Sequence[StoredInvoice],
        digest: Digest,
        face: dict[str, Any],
    ) -> Place | None:
        """Where it stands under the newest checkpoint, checked; None while it waits."""
        key = anchor(digest)
        found = self._locate(invoice, key)
        if found is None:
            return None
        _check_entry(found.entry, key, face)
        checkpoint = self._checkpoint()
        if found.size > checkpoint.size:
            return None  # sequenced, and not published yet
        known = self._under(checkpoint)
        known.check_inclusion(self._log, leaf_hash(found.entry), found.index)
        seal = self._seal(known, found)
        logged = [red for red in reds if self._is_under(red, checkpoint)]
        returned = -sum(red.total for red in logged)
        self._check_state(known, reversal_of(invoice.total, returned) if logged else None, key)
        return Place(found.index, checkpoint.size, seal, len(logged) < len(reds))

    def _is_under(self, invoice: StoredInvoice, checkpoint: Checkpoint) -> bool:
        """Whether it is in the log that the checkpoint is of."""
        found = self._locate(invoice, anchor(parse_password_area(invoice.hash)))
        return found is not None and found.index < checkpoint.size

    def _locate(self, invoice: StoredInvoice, key: Digest) -> Located | None:
        found = self._log.locate(key)
        if found is not None or self._log.head().cursor < invoice.seq:
            return found
        # The log has taken it by now; it was not there a moment ago, or it has gone.
        found = self._log.locate(key)
        if found is None:
            raise damaged(f"the log has taken invoice {invoice.seq} and does not hold it")
        return found

    def _checkpoint(self) -> Checkpoint:
        # The keys first: what is published at that moment, or later, has a signature that counts.
        keys = self._log_keys()
        _, note = self._log.latest_checkpoint()
        signed = self._signed
        if signed is None or signed[0] != note or signed[1] != keys:
            signed = self._signed = note, keys, open_checkpoint(note, keys)
        return signed[2]

    def _under(self, checkpoint: Checkpoint) -> Known:
        known = self._known
        known = Known(checkpoint) if known is None else known.under(checkpoint, self._log)
        self._known = known
        return known

    def _seal(self, known: Known, found: Located) -> SealEntry:
        seal = self._checked_seal(known, found.size - 1)
        if not seal.first <= found.index < seal.index:
            raise VerificationError("seal_other_block", "the entry stands in another block")
        return seal

    def _checked_seal(self, known: Known, index: int) -> SealEntry:
        seal = known.seals.get(index)
        if seal is None:
            entry = self._log.entry(index)
            known.check_inclusion(self._log, leaf_hash(entry), index)
            seal = _read_seal(entry, index)
            known.keep_seal(seal)
        return seal

    def _check_state(self, known: Known, reversal: str | None, key: Digest) -> None:
        """The map under the newest seal says just this of a reversal."""
        size = known.checkpoint.size
        newest = self._checked_seal(known, size - 1)
        proof = self._log.prove_state(key, size)
        root = digest_from_hex(newest.states)
        state = verify_state(root, key, proof.leaf, proof.siblings) or {}
        if state.get("reversal") != reversal:
            raise VerificationError("state_differs", "the log knows of another reversal")


def _nobody(_found: Verification) -> None:
    """Who watches where nobody does."""


def slip_agrees(slip: QrText, face: dict[str, Any], issued_at: int) -> bool:
    """Whether all that the slip says, in whichever form, is what the face says."""
    said_and_true = (
        (slip.number, face["number"]),
        (slip.total, face["total"]),
        (slip.code, face["code"]),
        (slip.seller_tax_id, face["seller"]["tax_id"]),
        (slip.amount, face["amount"]),
        (slip.day, shanghai_day(issued_at)),
    )
    return all(said is None or said == true for said, true in said_and_true)


def _check_entry(data: bytes, key: Digest, face: dict[str, Any]) -> None:
    said = face.get("reverses")
    if said is None and plain_anchor(data) == key:
        return
    entry = parse_entry(data)
    if not isinstance(entry, AnchorEntry) or entry.anchor != key.hex():
        raise VerificationError("anchor_mismatch", "the entry is of another password area")
    expected = None if said is None else anchor(parse_password_area(said))
    found = None if entry.reversed is None else entry.reversed[0]
    if found != expected:
        raise VerificationError("reversal_mismatch", "face and entry reverse different invoices")


def _read_seal(data: bytes, index: int) -> SealEntry:
    seal = parse_entry(data)
    if not isinstance(seal, SealEntry) or seal.index != index:
        raise VerificationError("seal_kind", f"entry {index} does not seal its block")
    return seal


_STEPS = {
    number: Step(number, name, text)
    for number, name, text in (
        (1, "groups", "the stored groups hash to the password area"),
        (2, "slip", "number and amount on the slip are those of the invoice"),
        (3, "entry", "the log entry names that password area"),
        (4, "signature", "the log signed its newest checkpoint"),
        (5, "inclusion", "the entry is under the checkpoint's root"),
        (6, "seal", "the block's seal is under the same root"),
        (7, "block", "the seal closes the block with the entry"),
        (8, "state", "the log's state map says the same of it as we do"),
        (9, "reversal", "the red invoice names this one"),
    )
}


def _return(red: StoredInvoice) -> Return:
    return Return(red.hash, red.number, format_issued_at(red.issued_at), -red.total)


def _same_order(one: StoredInvoice) -> SameOrder:
    return SameOrder(one.hash, one.number, format_issued_at(one.issued_at), one.total)


_WAITS = Step(8, "state", "the log's state map does not say so yet: the reversal waits for the log")


def _taken_steps(place: Place | None, reds: Sequence[StoredInvoice]) -> tuple[Step, ...]:
    """What was checked, and held."""
    steps = _steps(1, 2, *(range(3, 9) if place else ()), *((9,) if reds else ()))
    if place is None or not place.return_waits:
        return steps
    return tuple(_WAITS if step.number == _WAITS.number else step for step in steps)


def _steps(*numbers: int) -> tuple[Step, ...]:
    return tuple(_STEPS[number] for number in numbers)
