"""The page that has the service read a PDF of an invoice; without script, a form alone."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, Protocol

from flask import Blueprint, Response, request

from chain.errors import MalformedError
from invoice_service.documents.paper.agreement import Difference
from invoice_service.documents.paper.opened import MAX_BYTES
from invoice_service.documents.slip import yuan
from invoice_service.domain.verdict import Verification
from invoice_service.openapi.operation import FORM
from invoice_service.web.customers.words import PAPER_DIFFERS, words_of
from invoice_service.web.ground.catalogs import N_
from invoice_service.web.ground.page import page

PATH: Final = "/verify/paper"
FIELD: Final = "pdf"
_AROUND: Final = 65_536
"""Bytes of a form around its file."""

_MONEY: Final = frozenset({"total", "amount", "tax"})
_FIELDS: Final = {
    "code": N_("Invoice code"),
    "number": N_("Invoice number"),
    "issued_at": N_("Date"),
    "check_code": N_("Check code"),
    "hash": N_("Password area"),
    "total": N_("Total"),
    "amount": N_("Without tax"),
    "tax": N_("Tax"),
    "remark": N_("Remark"),
    "payee": N_("Payee"),
    "reviewer": N_("Reviewer"),
    "drawer": N_("Drawer"),
    "lines": N_("Lines"),
    "pages": N_("Pages"),
    "seller/name": N_("Seller"),
    "seller/tax_id": N_("Seller's tax id"),
    "seller/address_phone": N_("Seller's address and telephone"),
    "seller/bank_account": N_("Seller's bank account"),
    "buyer/name": N_("Buyer"),
    "buyer/tax_id": N_("Buyer's tax id"),
    "buyer/address_phone": N_("Buyer's address and telephone"),
    "buyer/payment_id": N_("Buyer's payment id"),
}
_GROUPS: Final = {"face": N_("Face"), "buyer": N_("Buyer"), "lines": N_("Lines")}


class Checked(Protocol):
    """What a PDF is worth."""

    @property
    def verification(self) -> Verification: ...
    @property
    def proved_block(self) -> int | None: ...
    @property
    def differences(self) -> tuple[Difference, ...]: ...
    @property
    def unproved(self) -> tuple[str, ...]: ...
    @property
    def text_compared(self) -> bool: ...


class Part(NamedTuple):
    """A part of a PDF; ``fits`` is None where there is no such part in it."""

    name: str
    fits: bool | None
    said: str


class Shown(NamedTuple):
    """A difference as people read it; of a proof that does not hold, only ``why``."""

    part: str
    field: str = ""
    found: str = ""
    proved: str = ""
    why: str = ""


def paper_blueprint(check: Callable[[bytes], Checked]) -> Blueprint:
    """``/verify/paper``."""
    blueprint = Blueprint("paper_page", __name__)

    @blueprint.get(PATH)
    def show() -> Response:
        return page("customers/paper.html", paper=None)

    @blueprint.post(PATH)
    def judge() -> Response:
        found = check(_sent())
        verification = found.verification
        return page(
            "customers/paper.html",
            paper=found,
            words=PAPER_DIFFERS if found.differences else words_of(verification),
            result=verification,
            parts=list(_parts(found)),
            differences=list(map(_shown, found.differences)),
            unproved=[_GROUPS[name] for name in found.unproved],
        )

    return blueprint


def _sent() -> bytes:
    """The file; MalformedError unsupported_media_type, empty_body, pdf_several, pdf_too_much."""
    if request.mimetype != FORM:
        raise MalformedError("unsupported_media_type", f"send {FORM}")
    if (request.content_length or 0) > MAX_BYTES + _AROUND:
        raise MalformedError("pdf_too_much", f"it is over {MAX_BYTES >> 20} MiB")
    request.max_content_length = MAX_BYTES + _AROUND
    files = [file for file in request.files.getlist(FIELD) if file.filename]
    if not files:
        raise MalformedError("pdf_missing", "choose the PDF of an invoice", pointer=FIELD)
    if len(files) > 1:
        raise MalformedError("pdf_several", f"{len(files)} files are in the form: send one")
    with files[0].stream as stream:
        return stream.read()


def _parts(found: Checked) -> Iterator[Part]:
    """Each part of the paper, and whether it says what the others say."""
    wrong = found.differences
    proof_fails = any(one.part == "proof" for one in wrong)
    has_proof = proof_fails or found.proved_block is not None
    text, amounts = N_("The page's text"), N_("The amounts")
    if found.text_compared:
        yield _part(text, wrong, "text", money=False)
        yield _part(amounts, wrong, "text", money=True)
    else:
        said = N_("could not be compared: the page is a picture, or no invoice of ours")
        yield from (Part(name, None, said) for name in (text, amounts))
    yield _part(N_("The QR code"), wrong, "code")
    name = N_("The proof inside")
    if not has_proof:
        yield Part(name, None, N_("none is in it: the invoice was not in the log yet"))
    else:
        yield Part(name, not proof_fails, N_("does not hold") if proof_fails else N_("holds"))
    if any(one.part == "signature" for one in wrong):
        said = N_("the file was changed after it had been signed")
        yield Part(N_("The signature"), fits=False, said=said)


def _part(
    name: str, wrong: tuple[Difference, ...], part: str, *, money: bool | None = None
) -> Part:
    fits = not any(
        one.part == part and (money is None or (one.field in _MONEY) == money) for one in wrong
    )
    return Part(name, fits, N_("fits") if fits else N_("differs"))


_PARTS: Final = {
    "text": N_("The page's text"),
    "code": N_("The QR code"),
    "proof": N_("The proof inside"),
    "signature": N_("The signature"),
}


def _shown(one: Difference) -> Shown:
    name = _PARTS[one.part]
    if one.part in ("proof", "signature"):
        return Shown(name, why=f"{one.field}: {one.proved}")
    field = _FIELDS.get(one.field, one.field)
    if (one.part, one.field) != ("code", "total"):
        return Shown(name, field, one.found, one.proved)
    found, proved = (yuan(int(fen)) if fen.isdecimal() else "" for fen in (one.found, one.proved))
    return Shown(name, field, found, proved)
