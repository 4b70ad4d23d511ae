"""The slip as a page: for telephones, and for whoever prints with the browser."""

from collections.abc import Callable
from typing import Final, Protocol

from flask import Blueprint, Response, url_for

from invoice_service.documents.slip import Code, Pair, Rule, Slip, Text
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.web.ground.page import page

ENDING: Final = "/receipt"
"""Of the address: what is refused there is answered with a page, beside programs' addresses."""

_KINDS: Final = {Text: "text", Pair: "pair", Rule: "rule", Code: "code"}


class Looked(Protocol):
    """A slip as its caller may see it."""

    @property
    def slip(self) -> Slip: ...

    @property
    def invoice(self) -> StoredInvoice: ...

    @property
    def printing(self) -> bool: ...


def receipt_blueprint(look: Callable[[str], Looked]) -> Blueprint:
    """``look`` gives the slip that the request under way asks for, by its hash."""
    blueprint = Blueprint("receipt_page", __name__)

    @blueprint.get(f'/v1/invoices/<any_but("batch"):hash_>{ENDING}')
    def show(hash_: str) -> Response:
        looked = look(hash_)
        code = url_for("invoices.svg", hash_=looked.invoice.hash)
        return receipt(looked.invoice.number, code, looked.slip, printing=looked.printing)

    return blueprint


def receipt(number: str, code: str, slip: Slip, *, printing: bool) -> Response:
    """The page of a slip; ``code`` is its picture's address.

    ``printing`` has the browser print it at once.
    """
    return page(
        "customers/receipt.html",
        number=number,
        code=code,
        width=slip.paper.width,
        blocks=[(_KINDS[type(block)], block) for block in slip.blocks],
        printing=printing,
    )
