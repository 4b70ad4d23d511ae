"""Slips by session: for the printer, as a picture; and the count of those that are on paper."""

from typing import Any, Final

from flask import Blueprint, Response

from invoice_service.documents.escpos import escpos
from invoice_service.documents.slip import FORMS, PAPERS, Asked, slip_of
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.qrtext import read_hash, scan_url
from invoice_service.openapi.operation import OCTETS
from invoice_service.services.checking.prove import ALL_GROUPS
from invoice_service.web.people.gate import Door
from invoice_service.web.till.session import TillGate, answer, asked, raw, word_of

_ASKED: Final[dict[str, dict[str, Any]]] = {
    "width": {str(width): width for width in PAPERS},
    "form": {form: form for form in FORMS},
    "copy": {"0": False, "1": True},
    "drawer": {"0": False, "1": True},
    "format": {"escpos": "escpos", "png": "png"},
}


class SlipCalls:
    """The slips of a merchant's invoices."""

    def __init__(self, session: TillGate, door: Door) -> None:
        self._session = session
        self._door = door

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.get("/invoices/<hash_>/slip")(self.slip)
        routes.post("/invoices/<hash_>/prints")(self.printed)

    def slip(self, hash_: str) -> Response:
        """The bytes for a printer, or a picture; a copy once a slip is on paper."""
        said = asked(*_ASKED)
        chosen = {name: word_of(_ASKED[name], name, said) for name in _ASKED}
        invoice = self._own(hash_)
        copy = bool(chosen["copy"]) or self._session.desk.store.prints(invoice.seq) > 0
        wanted = Asked(chosen["width"], chosen["form"], copy)
        link = scan_url(self._door.public_url, invoice.hash, invoice.number, invoice.total)
        slip = slip_of(invoice, wanted, link, ALL_GROUPS, sample=self._door.sample)
        if chosen["format"] == "png":
            from invoice_service.documents.slip_picture import slip_png  # with its font

            return raw(slip_png(slip), "image/png")
        return raw(escpos(slip, drawer=bool(chosen["drawer"])), OCTETS)

    def printed(self, hash_: str) -> Response:
        """Count a slip that is on paper."""
        asked()
        hand = self._session.hand()
        invoice = self._own(hash_)
        count = self._session.desk.store.add_print(invoice.seq, hand.by.at)
        return answer({"prints": count}, 201)

    def _own(self, hash_: str) -> StoredInvoice:
        return self._session.desk.books.own(self._session.merchant_id(), read_hash(hash_))
