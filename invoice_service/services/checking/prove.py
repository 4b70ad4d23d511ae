"""Building proof files."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from chain.commitment import GROUPS, anchor
from chain.errors import ConflictError, MalformedError, NotFoundError, VerificationError
from chain.hashing import Digest
from chain.proof.file import Proof, ProofSource, build_proof
from chain.proof.receipt import Receipt, receipt_of
from chain.proof.tlogproof import tlog_proof_of
from invoice_service.services.ports import InvoiceReader
from invoice_service.services.records import checked_face, damaged, groups_of

_T = TypeVar("_T")

FACE_ONLY = frozenset({"face"})
ALL_GROUPS = frozenset(GROUPS)


class ProofLog(ProofSource, Protocol):
    """What proving needs of the log."""

    def find(self, key: bytes) -> int | None:
        """The index of the entry with that key."""
        ...


def build(
    invoices: InvoiceReader, log: ProofLog, digest: Digest, shown: frozenset[str] = ALL_GROUPS
) -> bytes:
    """The proof file of an invoice, under the newest checkpoint; other groups become digests.

    Raises NotFoundError ``invoice_unknown``, ConflictError ``not_in_log`` or ``not_published``
    while it waits for the log, UnavailableError ``record_damaged``.
    """
    if not shown <= ALL_GROUPS:
        raise MalformedError("group_unknown", f"the groups are {', '.join(GROUPS)}")
    return _prove(invoices, log, digest, lambda proof: proof.to_bytes(), shown)


def build_tlog(invoices: InvoiceReader, log: ProofLog, digest: Digest) -> bytes:
    """The same in the form of C2SP tlog-proof: nothing of the invoice; errors as ``build``."""
    return _prove(invoices, log, digest, lambda proof: tlog_proof_of(proof).to_bytes())


def build_receipt(invoices: InvoiceReader, log: ProofLog, digest: Digest) -> bytes:
    """The same as a COSE receipt; errors as ``build``, and ConflictError ``receipt_missing``."""
    return _prove(invoices, log, digest, lambda proof: receipt_of(proof).to_bytes())


def receipt_and_state(
    invoices: InvoiceReader, log: ProofLog, digest: Digest
) -> tuple[Receipt, str]:
    """The receipt, and how far the invoice was taken back as of it: "", "part", "full"."""

    def both(proof: Proof) -> tuple[Receipt, str]:
        leaf = proof.state.leaf
        own = leaf is not None and leaf.key == anchor(digest)
        return receipt_of(proof), leaf.value.get("reversal", "") if leaf and own else ""

    return _prove(invoices, log, digest, both)


def _prove(
    invoices: InvoiceReader,
    log: ProofLog,
    digest: Digest,
    write: Callable[[Proof], _T],
    shown: frozenset[str] = frozenset(),
) -> _T:
    invoice = invoices.invoice(digest)
    if invoice is None:
        raise NotFoundError("invoice_unknown", "there is no such invoice")
    checked_face(invoice)
    index = log.find(anchor(digest))
    if index is None:
        raise ConflictError("not_in_log", "this invoice is not in the log yet; try again")
    try:
        return write(build_proof(log, index, digest, groups_of(invoice, shown)))
    except (MalformedError, VerificationError, NotFoundError) as problem:
        raise damaged(f"the log cannot prove entry {index}: {problem}") from problem
