"""An invoice as a PDF on A4, with its proof inside."""

from typing import Final

from flask import Blueprint, Response

from chain.commitment import parse_password_area
from invoice_service.api.answers import raw_answer
from invoice_service.api.invoices.reading import HASH, HIDEABLE
from invoice_service.api.looking import Looking
from invoice_service.api.parts import Parts
from invoice_service.api.requests import choices
from invoice_service.documents.paper.printing import open_printing
from invoice_service.domain.qrtext import read_hash
from invoice_service.openapi.operation import HASH as HASH_ASKED
from invoice_service.openapi.operation import HIDE, LOG, LOOKING, PDF, PURPOSE, STORE, Operation
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
        (HASH_ASKED, HIDE, PURPOSE),
        codes=(
            "parameter_malformed",
            *LOOKING,
            "paper_busy",
            "paper_failed",
            "paper_unsigned",
            *LOG,
            "password_area",
            "invoice_unknown",
            *STORE,
        ),
    ),
)


def blueprint(parts: Parts) -> Blueprint:
    """``pdf``."""
    looking = Looking(parts)
    printing = open_printing(parts.store, parts.log, parts.config)
    routes = Blueprint("papers", __name__, url_prefix="/v1/invoices")

    @routes.get(f"/{HASH}/pdf")
    def pdf(hash_: str) -> Response:
        hidden, _ = choices("hide", HIDEABLE)
        invoice = own_invoice(parts.store, parse_password_area(read_hash(hash_)), None)
        shown = looking.visible(invoice)
        answer = raw_answer(printing.one(invoice, shown, hidden), PDF)
        answer.headers["Content-Disposition"] = f'inline; filename="{invoice.number}.pdf"'
        return answer

    return routes
