"""Invoices to PDFs, for whoever may see them: one alone, or several in one file."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from invoice_service.config import Config
from invoice_service.documents.paper.assemble import Paper, Printers
from invoice_service.documents.paper.job import Attached, Job
from invoice_service.documents.paper.press import Press
from invoice_service.documents.paper.sealing import maker_of
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.services.checking.prove import FACE_ONLY, ProofLog
from invoice_service.services.ports import InvoiceReader


class Printing:
    """What a process's doors print with."""

    def __init__(self, printers: Printers, press: Press) -> None:
        self.printers, self.press = printers, press

    def one(
        self,
        invoice: StoredInvoice,
        shown: frozenset[str],
        hidden: frozenset[str] = frozenset(),
    ) -> bytes:
        """An invoice's PDF, without what is not ``shown``, or what somebody wants ``hidden``.

        Raises UnavailableError: paper_busy, paper_failed, record_damaged.
        """
        # What tells of a person is not kept: whoever is erased is erased here, too.
        keep = shown == FACE_ONLY and not invoice.sealed
        job = job_of([invoice], [self.printers.paper(invoice, shown, hidden)])
        return self.press.print(job, keep=keep)

    def many(
        self, invoices: Sequence[StoredInvoice], shown: frozenset[str], *, two_up: bool
    ) -> bytes:
        """All of them in one PDF; errors as ``one``."""
        papers = [self.printers.paper(invoice, shown) for invoice in invoices]
        return self.press.print(job_of(invoices, papers, two_up=two_up), keep=False)


def open_printing(invoices: InvoiceReader, log: ProofLog, config: Config) -> Printing:
    """With what the settings say of all papers."""
    printers = Printers(invoices, log, config.service.public_url, config.bureau.name)
    return Printing(printers, Press(maker_of(config.paper)))


def job_of(
    invoices: Sequence[StoredInvoice], papers: Sequence[Paper], *, two_up: bool = False
) -> Job:
    """What becomes one PDF, with the proofs of all that have one."""
    return Job(
        faces=[paper.face for paper in papers],
        attached=list(_named_once(papers)),
        made=max(invoice.issued_at for invoice in invoices),
        two_up=two_up,
    )


def _named_once(papers: Iterable[Paper]) -> Iterator[Attached]:
    """The proofs; of two with one number, the second by code and number."""
    names: set[str] = set()
    for face, proof in papers:
        if proof is None:
            continue
        if proof.name in names:
            proof = msgspec.structs.replace(proof, name=f"{face.code}-{proof.name}")
        names.add(proof.name)
        yield proof
