"""An invoice's proof, in the forms that it has."""

from collections.abc import Callable
from typing import Final

from flask import Blueprint, Response

from chain.commitment import parse_password_area
from chain.errors import MalformedError
from chain.hashing import Digest
from invoice_service.api.answers import JSON, raw_answer
from invoice_service.api.invoices.reading import HASH, HIDEABLE, TEXT
from invoice_service.api.looking import Looking
from invoice_service.api.parts import Parts
from invoice_service.api.requests import choices
from invoice_service.domain.qrtext import read_hash
from invoice_service.openapi.operation import (
    COSE,
    HIDE,
    LOG,
    LOOKING,
    PURPOSE,
    STORE,
    Operation,
    Parameter,
)
from invoice_service.openapi.operation import HASH as HASH_ASKED
from invoice_service.openapi.operation import TEXT as TEXT_TYPE
from invoice_service.services.checking.prove import (
    ProofLog,
    build,
    build_receipt,
    build_tlog,
)
from invoice_service.services.ports import InvoiceReader
from invoice_service.services.records import own_invoice

_Write = Callable[[InvoiceReader, ProofLog, Digest], bytes]
_Form = tuple[_Write | None, str, str]

_FORMS: Final[dict[str, _Form]] = {
    "fapiao": (None, JSON, "fapiao.json"),
    "tlog": (build_tlog, TEXT, "tlog-proof"),
    "cose": (build_receipt, COSE, "cose"),
}
"""What makes a form that shows no group; the form's type, and the ending of its files."""

OPERATIONS: Final = (
    Operation(
        "get",
        "/v1/invoices/{hash}/proof",
        "proof",
        "reading",
        "The proof file",
        "Canonical JSON, the text of C2SP tlog-proof, or a COSE receipt; docs/formats.md",
        ((JSON, "object"), (TEXT_TYPE, "string"), (COSE, "bytes")),
        "optional",
        (
            HASH_ASKED,
            Parameter(
                "format",
                "`fapiao`, the default: the proof file; `tlog`, `cose`: that the entry is in the"
                " log, as C2SP tlog-proof or as a COSE receipt (RFC 9942)",
                schema={"enum": list(_FORMS)},
            ),
            HIDE,
            PURPOSE,
        ),
        codes=(
            *("parameter_malformed", "password_area", "invoice_unknown", *LOOKING),
            *("not_in_log", "not_published", "receipt_missing", *STORE, *LOG),
        ),
    ),
)


def blueprint(parts: Parts) -> Blueprint:
    """``proof``."""
    looking = Looking(parts)
    routes = Blueprint("proofs", __name__, url_prefix="/v1/invoices")

    @routes.get(f"/{HASH}/proof")
    def proof(hash_: str) -> Response:
        hidden, asked = choices("hide", HIDEABLE, "format")
        write, kind, ending = _form(asked)
        invoice = own_invoice(parts.store, parse_password_area(read_hash(hash_)), None)
        digest = parse_password_area(invoice.hash)
        shown = looking.visible(invoice) - hidden
        if write is None:
            data = build(parts.store, parts.log, digest, shown)
        else:
            data = write(parts.store, parts.log, digest)
        answer = raw_answer(data, kind)
        name = f"{invoice.number}.{ending}"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    return routes


def _form(asked: dict[str, str]) -> _Form:
    """Which form of the proof is asked for."""
    form = _FORMS.get(asked.get("format", "fapiao"))
    if form is None:
        raise MalformedError(
            "parameter_malformed", f"format is one of {', '.join(_FORMS)}", pointer="format"
        )
    return form
