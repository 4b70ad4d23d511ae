"""An invoice as a PDF on A4, with its proof inside."""

from typing import Final

from flask import Blueprint, Response

from chain.commitment import parse_password_area
from invoice_service.api.access import Access
from invoice_service.api.answers import raw_answer
from invoice_service.api.invoices.reading import HASH, HIDEABLE, visible
from invoice_service.api.parts import Parts
from invoice_service.api.requests import choices
from invoice_service.documents.paper.assemble import Printers
from invoice_service.documents.paper.job import Job
from invoice_service.documents.paper.press import Press
from invoice_service.domain.qrtext import read_hash
from invoice_service.openapi.operation import HASH as HASH_ASKED
from invoice_service.openapi.operation import HIDE, LOG, PDF, STORE, Operation
from invoice_service.services.checking.prove import FACE_ONLY
from invoice_service.services.records import own_invoice

OPERATIONS: Final = (
    Operation(
        "get",
        "/v1/invoices/{hash}/pdf",
        "paper",
        "reading",
        "The invoice on A4, with its proof file inside; without what the asker may not see",
        "PDF/A-3b; while it waits for the log the page says 待上链, and no proof is inside",
        ((PDF, "bytes"),),
        "optional",
        (HASH_ASKED, HIDE),
        codes=(
            "parameter_malformed",
            "paper_busy",
            "paper_failed",
            *LOG,
            "password_area",
            "invoice_unknown",
            *STORE,
        ),
    ),
)


def blueprint(parts: Parts) -> Blueprint:
    """``pdf``."""
    access, press = Access(parts.store, parts.clock), Press()
    config = parts.config
    printers = Printers(parts.store, parts.log, config.service.public_url, config.bureau.name)
    routes = Blueprint("papers", __name__, url_prefix="/v1/invoices")

    @routes.get(f"/{HASH}/pdf")
    def pdf(hash_: str) -> Response:
        hidden, _ = choices("hide", HIDEABLE)
        invoice = own_invoice(parts.store, parse_password_area(read_hash(hash_)), None)
        shown = visible(access.anyone(), invoice)
        paper = printers.paper(invoice, shown, hidden)
        attached = [] if paper.proof is None else [paper.proof]
        job = Job(faces=[paper.face], attached=attached, made=invoice.issued_at)
        # What tells of a person is not kept: whoever is erased is erased here, too.
        keep = shown == FACE_ONLY and not invoice.sealed
        answer = raw_answer(press.print(job, keep=keep), PDF)
        answer.headers["Content-Disposition"] = f'inline; filename="{invoice.number}.pdf"'
        return answer

    return routes
