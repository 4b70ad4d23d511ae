"""Slips: bytes for the merchant's printer, a picture and a page for whoever has the hash."""

from typing import Final, NamedTuple

from flask import Blueprint, Response

from chain.commitment import parse_password_area
from invoice_service.api.access import Access
from invoice_service.api.answers import OCTETS, json_answer, raw_answer
from invoice_service.api.invoices.bodies import Bodies
from invoice_service.api.invoices.contract import Prints
from invoice_service.api.invoices.reading import HASH, HIDEABLE
from invoice_service.api.looking import Looking
from invoice_service.api.parts import Parts
from invoice_service.api.requests import choices, one_of, query
from invoice_service.documents.escpos import escpos
from invoice_service.documents.slip import FORMS, PAPERS, Asked, Form, Slip, Width, slip_of
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.qrtext import read_hash
from invoice_service.services.checking.prove import ALL_GROUPS
from invoice_service.services.people.ports import Scope
from invoice_service.services.records import own_invoice

CREATED: Final = 201
_WIDTHS: Final[dict[str, Width]] = {str(width): width for width in PAPERS}
_FORMS: Final[dict[str, Form]] = {form: form for form in FORMS}
_SWITCH: Final = {"0": False, "1": True}
_ASKED: Final = ("width", "form", "copy")


class Looked(NamedTuple):
    """A slip that somebody looks at, whose invoice it is of, and whether it is to be printed."""

    slip: Slip
    invoice: StoredInvoice
    printing: bool


def blueprint(parts: Parts) -> Blueprint:
    """``slip``, ``prints`` and ``slip.png``; the page is the web's."""
    return SlipCalls(parts).blueprint()


class SlipCalls:
    """Everything about the slip of one invoice."""

    def __init__(self, parts: Parts) -> None:
        self._access = Access(parts.store, parts.clock)
        self._looking = Looking(parts)
        self._bodies = Bodies(parts)
        self._store = parts.store
        self._clock = parts.clock
        self._sample = parts.config.bureau.is_sample

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("slips", __name__, url_prefix="/v1/invoices")
        routes.get(f"/{HASH}/slip")(self.printer)
        routes.post("/<hash_>/prints")(self.printed)
        routes.get(f"/{HASH}/slip.png")(self.picture)
        return routes

    def printer(self, hash_: str) -> Response:
        """The bytes for a printer; a copy once a slip is on paper."""
        found = query(*_ASKED, "drawer")
        asked, drawer = _asked(found), one_of(found, "drawer", _SWITCH)
        invoice = self._own(hash_, "read")
        if self._store.prints(invoice.seq):
            asked = asked._replace(copy=True)
        slip = self._slip(invoice, asked, ALL_GROUPS)
        return raw_answer(escpos(slip, drawer=drawer), OCTETS)

    def printed(self, hash_: str) -> Response:
        """Count a slip that is on paper."""
        query()
        invoice = self._own(hash_, "issue")
        now = int(self._clock().timestamp())
        return json_answer(Prints(self._store.add_print(invoice.seq, now)), CREATED)

    def picture(self, hash_: str) -> Response:
        """The slip as a picture."""
        from invoice_service.documents.slip_picture import slip_png  # with its font, when needed

        return raw_answer(slip_png(self._shown(hash_, _looked()).slip), "image/png")

    def look(self, hash_: str) -> Looked:
        """The slip that the request under way asks for on a page."""
        hidden, found = choices("hide", HIDEABLE, *_ASKED, "print")
        asked = _asked(found)._replace(hidden=hidden)
        return self._shown(hash_, asked, printing=one_of(found, "print", _SWITCH))

    def _shown(self, hash_: str, asked: Asked, *, printing: bool = False) -> Looked:
        """With what its caller may see."""
        invoice = self._invoice(hash_, None)
        shown = self._looking.visible(invoice)
        slip = self._slip(invoice, asked, shown)
        return Looked(slip, invoice, printing)

    def _slip(self, invoice: StoredInvoice, asked: Asked, shown: frozenset[str]) -> Slip:
        link = self._bodies.scan_url(invoice)
        return slip_of(invoice, asked, link, shown, sample=self._sample)

    def _own(self, hash_: str, scope: Scope) -> StoredInvoice:
        _, merchant_id = self._access.merchant(scope)
        return self._invoice(hash_, merchant_id)

    def _invoice(self, hash_: str, merchant_id: int | None) -> StoredInvoice:
        return own_invoice(self._store, parse_password_area(read_hash(hash_)), merchant_id)


def _looked() -> Asked:
    hidden, found = choices("hide", HIDEABLE, *_ASKED)
    return _asked(found)._replace(hidden=hidden)


def _asked(found: dict[str, str]) -> Asked:
    return Asked(
        one_of(found, "width", _WIDTHS),
        one_of(found, "form", _FORMS),
        one_of(found, "copy", _SWITCH),
    )
