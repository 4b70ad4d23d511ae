"""The till's pages: frames that scripts fill with what the till's calls say."""

from contextlib import suppress
from typing import Any, Final

from flask import Blueprint, Response, request, url_for

from chain.errors import NotFoundError, UnavailableError
from invoice_service.documents.paper.printing import Printing
from invoice_service.documents.slip import FORMS, Asked, slip_of
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.qrtext import read_hash, scan_url
from invoice_service.retention.keeping import Keeping
from invoice_service.services.checking.prove import ALL_GROUPS
from invoice_service.services.help.ports import ScanStore
from invoice_service.services.mailing.desk import MailDesk
from invoice_service.services.till.desk import TillDesk
from invoice_service.web.customers.receipt_page import receipt
from invoice_service.web.people.gate import Gate
from invoice_service.web.till.buyers import BuyerPages
from invoice_service.web.till.figures_page import Misfit, figures_page, rate_name
from invoice_service.web.till.orders import WIDTHS, slip_of_order
from invoice_service.web.till.papers import PaperPages
from invoice_service.web.till.session import word_of

_WORDS: Final[dict[str, dict[str, Any]]] = {
    "width": {**WIDTHS},
    "form": {form: form for form in FORMS},
    "copy": {"0": False, "1": True},
    "print": {"0": False, "1": True},
}

_MONTH: Final = len("2026-11")
_MISFITS: Final = 20
"""Invoices that are named at most."""


def pages_blueprint(
    gate: Gate,
    desk: TillDesk,
    keeping: Keeping,
    scans: ScanStore,
    printing: Printing,
    mail: MailDesk,
) -> Blueprint:
    """``/till/`` and its like, for owners and cashiers; what goes wrong, the gate says."""
    routes = Blueprint("till_pages", __name__, url_prefix="/till")
    pages = TillPages(gate, desk, scans, mail)
    routes.get("/")(pages.sale)
    routes.get("/day")(pages.day)
    routes.get("/figures/page")(pages.figures)
    routes.get("/invoices/<hash_>/page")(pages.take_back)
    routes.get("/invoices/<hash_>/receipt")(pages.receipt)
    PaperPages(gate, desk, printing).add_to(routes)
    routes.get("/orders/<order>/receipt")(pages.claim)
    BuyerPages(gate, desk, keeping).add_to(routes)
    routes.get("/closing")(pages.closing)
    routes.get("/settings")(pages.settings)
    routes.add_app_template_filter(rate_name, "rate")
    return routes


class TillPages:
    """Each page by itself; all show who works here, and for whom."""

    def __init__(self, gate: Gate, desk: TillDesk, scans: ScanStore, mail: MailDesk) -> None:
        self._gate = gate
        self._desk = desk
        self._scans = scans
        self._mail = mail

    def sale(self) -> Response:
        """Where it sells."""
        return self._page("till/sale.html")

    def day(self) -> Response:
        """What was sold on a day."""
        return self._page("till/day.html")

    def figures(self) -> Response:
        """The sums of a day and of its month: a part of the page of the day."""
        merchant_id, books, days = self._merchant(), self._desk.books, self._desk.days
        day = request.args.get("day", "")
        of_day = books.figures(merchant_id, days.day(day))
        of_month = books.figures(merchant_id, days.month(day[:_MONTH]))
        return figures_page(day, of_day, day[:_MONTH], of_month, self._misfits(merchant_id, day))

    def _misfits(self, merchant_id: int, day: str) -> list[Misfit]:
        """Invoices of theirs that scans of that day did not fit; none where that is not known."""
        misfits = []
        with suppress(UnavailableError, NotFoundError):
            for found in self._scans.scans(day, day, _MISFITS, merchant_id):
                invoice = self._desk.books.own(merchant_id, found.hash)
                misfits.append(Misfit(invoice.number, found.count))
        return misfits

    def take_back(self, hash_: str) -> Response:
        """Some lines of an invoice, or an amount."""
        invoice = self._own(hash_)
        return self._page("till/return.html", hash=invoice.hash)

    def receipt(self, hash_: str) -> Response:
        """A slip with all that is on it, for the browser's own print."""
        invoice = self._own(hash_)
        said = {name: word_of(_WORDS[name], name, request.args) for name in _WORDS}
        copy = said["copy"] or self._desk.store.prints(invoice.seq) > 0
        door = self._gate.door
        link = scan_url(door.public_url, invoice.hash, invoice.number, invoice.total)
        wanted = Asked(said["width"], said["form"], copy)
        slip = slip_of(invoice, wanted, link, ALL_GROUPS, sample=door.sample)
        code = url_for("invoices.svg", hash_=invoice.hash)
        return receipt(invoice.number, code, slip, printing=said["print"])

    def claim(self, order: str) -> Response:
        """The slip by which guests claim, for the browser's own print."""
        width = word_of(_WORDS["width"], "width", request.args)
        printing = word_of(_WORDS["print"], "print", request.args)
        whole = self._desk.orders.claims.one(self._merchant(), order)
        slip = slip_of_order(self._desk, self._gate.door, whole, width)
        code = url_for("till_data.order_code", order=order)
        return receipt(whole.order.order_id, code, slip, printing=printing)

    def closing(self) -> Response:
        """Where it is opened and closed."""
        return self._page("till/closing.html")

    def settings(self) -> Response:
        """Menu, tables, tills, printer."""
        return self._page("till/settings.html")

    def _own(self, hash_: str) -> StoredInvoice:
        return self._desk.books.own(self._merchant(), read_hash(hash_))

    def _merchant(self) -> int:
        return self._gate.person("owner", "cashier").person.merchant_id or 0

    def _page(self, template: str, **values: Any) -> Response:  # noqa: ANN401 # whatever a template shows
        merchant_id = self._merchant()
        visitor = self._gate.person("owner", "cashier")
        works = visitor.working
        account = self._desk.store.account(merchant_id)
        return self._gate.page(
            template,
            merchant_id=merchant_id,
            merchant_name="" if account is None else account.merchant.name,
            person_name=visitor.person.name,
            cashier_name=works.name,
            is_owner=visitor.may("owner"),
            mails=self._mail.is_open,
            **values,
        )
