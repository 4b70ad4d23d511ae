"""The first sale, its slip, and the end of setting up."""

from decimal import Decimal
from typing import Any, Final

from flask import Blueprint, Response, request
from markupsafe import Markup
from werkzeug import Response as AnyResponse

from chain.errors import ConflictError, MalformedError, NotFoundError
from invoice_service.documents.escpos import escpos
from invoice_service.documents.qr import qr_svg
from invoice_service.documents.slip import PAPERS, Asked, Code, Pair, Rule, Slip, Text, slip_of
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.qrtext import scan_url
from invoice_service.domain.tax import TaxRates
from invoice_service.services.issuing.first import ITEM, first_order
from invoice_service.services.issuing.issue import IssuingDesk, issue_one
from invoice_service.services.issuing.promise import Promised
from invoice_service.services.people.setup import Standing
from invoice_service.services.ports import InvoiceFilter
from invoice_service.services.records import checked_face
from invoice_service.services.till.days import Days
from invoice_service.web.setup.entry import SetupGate, home

_SHOWN: Final = frozenset({"face", "buyer", "lines"})
_KINDS: Final = {Text: "text", Pair: "pair", Rule: "rule", Code: "code"}
_OCTETS: Final = "application/octet-stream"


class SalePages:
    """The last two steps."""

    def __init__(self, entry: SetupGate) -> None:
        self._entry = entry
        self._config = entry.parts.config
        self._store = entry.parts.store
        self._days = Days(self._config.till.day_begins)
        promised = Promised(entry.parts.issuer, self._config.anchor.max_delay, signed=False)
        self._rates = [(rate, _percent(rate)) for rate in self._config.tax.rates]
        self._desk = IssuingDesk(
            merchants=self._store,
            issuer=promised,
            rates=TaxRates(self._config.tax.rates),
            randbytes=entry.parts.randbytes,
        )

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.get("/sale")(self.sale)
        routes.post("/sale")(self.sell)
        routes.get("/end")(self.end)
        routes.post("/end")(self.finish)
        routes.get("/slip")(self.slip)

    def sale(self) -> AnyResponse:
        """A form for one thing sold."""
        found = self._entry.standing()
        if found.step != "sale":
            return self._entry.go_on()
        return self._entry.page("sale", found, typed={}, rates=self._rates, usual=ITEM)

    def sell(self) -> AnyResponse:
        """Issue it; a second time is the same one."""
        found, fields = self._entry.standing(), self._entry.gate.fields()
        if found.step != "sale" or found.account is None:
            return self._entry.go_on()
        try:
            issue_one(self._desk, found.account.merchant.id, self._order(found, fields))
        except MalformedError as problem:
            more = {"typed": fields, "rates": self._rates, "usual": ITEM}
            return self._entry.again("sale", found, problem, **more)
        except ConflictError:  # another tab has sold something else
            return self._entry.go_on()
        return self._entry.go_on()

    def end(self) -> AnyResponse:
        """The first slip, to be printed, and what comes next."""
        found = self._entry.standing()
        if found.step != "end":
            return self._entry.go_on()
        invoice, slip = self._first(found)
        blocks = [(_KINDS[type(block)], block) for block in slip.blocks]
        return self._entry.page("end", found, invoice=invoice, blocks=blocks, **self._next(invoice))

    def slip(self) -> Response:
        """The same for a printer: ESC/POS, for paper of 58 or, with ``width=80``, 80 mm."""
        invoice, slip = self._first(self._entry.standing())
        answer = Response(escpos(slip), content_type=_OCTETS)
        answer.headers["Content-Disposition"] = f'attachment; filename="{invoice.number}.bin"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def finish(self) -> AnyResponse:
        """Nobody sets up here any more; whoever has done it is signed in as the owner."""
        found = self._entry.standing()
        self._entry.gate.fields()
        if found.step != "end":
            return self._entry.go_on()
        self._entry.setup.finish(self._entry.by())
        return self._entry.gate.go(home())

    def _order(self, found: Standing, fields: dict[str, str]) -> bytes:
        """The request of this sale. MalformedError ``price_invalid``."""
        item, price, rate = (fields.get(name, "") for name in ("item", "price", "rate"))
        now = int(self._entry.parts.clock().timestamp())
        till = "" if found.till is None else found.till.terms.till
        return first_order(item, price, (rate, ""), till, self._days.of(now))

    def _first(self, found: Standing) -> tuple[StoredInvoice, Slip]:
        """The first invoice, and its slip as wide as was asked for."""
        wanted = InvoiceFilter(merchant_id=found.account.merchant.id if found.account else -1)
        invoice = next(iter(self._store.invoices(wanted, 0, 1)), None)
        if invoice is None:
            raise NotFoundError("invoice_unknown", "nothing was sold yet")
        checked_face(invoice)
        wide = request.args.get("width") == "80"
        copy = self._store.prints(invoice.seq) > 0
        asked = Asked(width=80 if wide else 58, copy=copy)
        sample = self._config.bureau.is_sample
        return invoice, slip_of(invoice, asked, self._link(invoice), _SHOWN, sample=sample)

    def _link(self, invoice: StoredInvoice) -> str:
        url = self._config.service.public_url
        return scan_url(url, invoice.hash, invoice.number, invoice.total)

    def _next(self, invoice: StoredInvoice) -> dict[str, Any]:
        """What the last page leads to, and says to keep."""
        link = self._link(invoice)
        picture = Markup(qr_svg(link).decode())  # noqa: S704 # a picture of our own making
        return {
            "picture": picture,
            "link": link,
            "keys_dir": str(self._config.keys_dir),
            "data_dir": str(self._config.data_dir),
            "widths": tuple(PAPERS),
        }


def _percent(rate: str) -> str:
    """A rate as people say it."""
    return f"{(Decimal(rate) * 100).normalize():f}%"
