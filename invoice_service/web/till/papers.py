"""Invoices on A4 by session: one, or those of a day, two to a sheet."""

from typing import Final

from flask import Blueprint, Response

from invoice_service.documents.paper.printing import Printing
from invoice_service.domain.qrtext import read_hash
from invoice_service.openapi.operation import PDF
from invoice_service.services.checking.prove import ALL_GROUPS
from invoice_service.services.till.desk import TillDesk
from invoice_service.web.people.gate import Gate

MOST: Final = 100
"""Invoices of a day in one file."""


class PaperPages:
    """A merchant's invoices, with all that is on them."""

    def __init__(self, gate: Gate, desk: TillDesk, printing: Printing) -> None:
        self._gate, self._desk, self._printing = gate, desk, printing

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.get("/invoices/<hash_>/pdf")(self.pdf)
        routes.get("/day/pdf")(self.day_pdf)

    def pdf(self, hash_: str) -> Response:
        """One invoice."""
        invoice = self._desk.books.own(self._merchant(), read_hash(hash_))
        return _answer(self._printing.one(invoice, ALL_GROUPS), invoice.number)

    def day_pdf(self) -> Response:
        """Those of a day, in order of issue, two to a sheet."""
        merchant_id = self._merchant()
        span = self._desk.days.day(self._gate.asked("day"))
        invoices = self._desk.books.whole_days(merchant_id, span, MOST)
        return _answer(self._printing.many(invoices, ALL_GROUPS, two_up=True), span.first)

    def _merchant(self) -> int:
        return self._gate.person("owner", "cashier").person.merchant_id or 0


def _answer(data: bytes, name: str) -> Response:
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(data, headers=headers, content_type=PDF)
