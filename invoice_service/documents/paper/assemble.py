"""From an invoice to its paper, with the proof that goes inside."""

from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from chain.commitment import anchor, parse_password_area
from chain.entry import SealEntry, parse_entry
from chain.errors import ConflictError
from chain.proof.file import Proof, parse_proof
from invoice_service.documents.paper.face import Face, Standing, Told, face_of
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
            file = build(self.invoices, self.log, digest, shown - hidden)
        except ConflictError:  # not_in_log, not_published
            file = None
        proof = None if file is None else parse_proof(file)
        link = scan_url(self.public_url, invoice.hash, invoice.number, invoice.total)
        as_of = None if proof is None else _as_of(proof)
        told = Told(link, as_of, self.bureau, hidden, self._standing(invoice, proof))
        face = face_of(invoice, shown, told)
        if file is None:
            return Paper(face, None)
        name = f"{invoice.number}.fapiao.json"
        return Paper(face, Attached(name, file.decode(), ABOUT))

    def _standing(self, invoice: StoredInvoice, proof: Proof | None) -> Standing:
        """What has become of it, as of when its row was read."""
        reds: list[StoredInvoice] = []
        if invoice.reversed_by:
            reds = self.invoices.returns_of(invoice.seq)[: len(invoice.reversed_by)]
        return Standing(
            reds=tuple(red.number for red in reds),
            later=tuple(one.number for one in self._later(invoice)),
            first=self._first(invoice),
            waits=proof is not None and _state_in(proof) != invoice.reversal,
        )

    def _later(self, invoice: StoredInvoice) -> list[StoredInvoice]:
        """What stands in its place; only of what was taken back is that asked."""
        return self.invoices.replacements_of(invoice.seq) if invoice.reversed_by else []

    def _first(self, invoice: StoredInvoice) -> str:
        replaced = msgspec.json.decode(invoice.face).get("replaces", "")
        first = self.invoices.invoice(parse_password_area(replaced)) if replaced else None
        return "" if first is None else first.number


def _state_in(proof: Proof) -> str | None:
    """How far it is reversed by what the proof says."""
    leaf = proof.state.leaf
    if leaf is None or leaf.key != anchor(proof.document):
        return None
    return leaf.value.get("reversal")


def _as_of(proof: Proof) -> tuple[int, str] | None:
    """The block that it is of, and when that was sealed, as clocks in Shenzhen showed it."""
    seal = parse_entry(proof.seal.entry)
    if not isinstance(seal, SealEntry):
        return None
    sealed = datetime.fromisoformat(seal.sealed_at).astimezone(SHANGHAI)
    return seal.height, f"{sealed:%Y-%m-%d %H:%M:%S}"
