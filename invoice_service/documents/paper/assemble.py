"""From an invoice to its paper, with the proof that goes inside."""

from datetime import datetime
from typing import Final, NamedTuple

from chain.commitment import parse_password_area
from chain.entry import SealEntry, parse_entry
from chain.errors import ConflictError
from chain.proof.file import parse_proof
from invoice_service.documents.paper.face import Face, Told, face_of
from invoice_service.documents.paper.job import Attached
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.domain.qrtext import scan_url
from invoice_service.services.checking.prove import ProofLog, build
from invoice_service.services.ports import InvoiceReader

ABOUT: Final = "fapiao proof"


class Paper(NamedTuple):
    """A face, and its proof once there is one."""

    face: Face
    proof: Attached | None


class Printers(NamedTuple):
    """Where invoices are read and proved, and what stands on all papers."""

    invoices: InvoiceReader
    log: ProofLog
    public_url: str
    bureau: str

    def paper(
        self,
        invoice: StoredInvoice,
        shown: frozenset[str],
        hidden: frozenset[str] = frozenset(),
    ) -> Paper:
        """The paper; one that waits for the log says so, and has no proof.

        What is ``hidden`` is on neither, and the page says that it is not shown. Raises
        UnavailableError ``record_damaged``.
        """
        digest = parse_password_area(invoice.hash)
        try:
            proof = build(self.invoices, self.log, digest, shown - hidden)
        except ConflictError:  # not_in_log, not_published
            proof = None
        link = scan_url(self.public_url, invoice.hash, invoice.number, invoice.total)
        as_of = None if proof is None else _as_of(proof)
        told = Told(link, as_of, self.bureau, hidden)
        face = face_of(invoice, shown, told)
        if proof is None:
            return Paper(face, None)
        name = f"{invoice.number}.fapiao.json"
        return Paper(face, Attached(name, proof.decode(), ABOUT))


def _as_of(proof: bytes) -> tuple[int, str] | None:
    """The block that it is of, and when that was sealed, as clocks in Shenzhen showed it."""
    seal = parse_entry(parse_proof(proof).seal.entry)
    if not isinstance(seal, SealEntry):
        return None
    sealed = datetime.fromisoformat(seal.sealed_at).astimezone(SHANGHAI)
    return seal.height, f"{sealed:%Y-%m-%d %H:%M:%S}"
