"""Building proof files."""

from typing import Protocol

from chain.commitment import GROUPS, anchor
from chain.errors import ConflictError, MalformedError, NotFoundError, VerificationError
from chain.hashing import Digest
from chain.proof import ProofSource, build_proof
from invoice_service.services.ports import InvoiceReader
from invoice_service.services.records import checked_face, damaged, groups_of

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
    invoice = invoices.invoice(digest)
    if invoice is None:
        raise NotFoundError("invoice_unknown", "there is no such invoice")
    checked_face(invoice)
    index = log.find(anchor(digest))
    if index is None:
        raise ConflictError("not_in_log", "this invoice is not in the log yet; try again")
    try:
        return build_proof(log, index, digest, groups_of(invoice, shown)).to_bytes()
    except (MalformedError, VerificationError, NotFoundError) as problem:
        raise damaged(f"the log cannot prove entry {index}: {problem}") from problem
