"""Reading invoices: a list, one, its QR code."""

from collections.abc import Callable

from flask import Blueprint, Response

from chain.commitment import parse_password_area
from chain.errors import MalformedError
from invoice_service.api.access import Access
from invoice_service.api.answers import json_answer, raw_answer
from invoice_service.api.invoices.bodies import Bodies
from invoice_service.api.invoices.contract import InvoicePage
from invoice_service.api.looking import Looking
from invoice_service.api.parts import Parts
from invoice_service.api.requests import query, shanghai_days, whole_number
from invoice_service.documents.qr import qr_png, qr_svg
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.numbering import parse_bill_number
from invoice_service.domain.qrtext import read_hash
from invoice_service.services.checking.prove import ALL_GROUPS, FACE_ONLY
from invoice_service.services.people.sign_in import Principal, require_official, scoped
from invoice_service.services.ports import InvoiceFilter
from invoice_service.services.records import own_invoice

Draw = Callable[[str, int], bytes]

PAGE, LONGEST_PAGE = 100, 500
LEAST_MODULE_DOTS, MODULE_DOTS, MAX_MODULE_DOTS = 4, 5, 32
TEXT = "text/plain; charset=utf-8"
HASH = '<any_but("batch","states"):hash_>'
HIDEABLE = ALL_GROUPS - FACE_ONLY
_ORDER = ("order_id", "till", "business_day")


def blueprint(parts: Parts) -> Blueprint:
    """``GET`` on invoices."""
    access, bodies = Access(parts.store, parts.clock), Bodies(parts)
    looking = Looking(parts)
    blueprint = Blueprint("invoices", __name__, url_prefix="/v1/invoices")

    @blueprint.get("")
    def listing() -> Response:
        principal = access.known()
        if principal.role == "official":
            require_official(principal, "look")
        scoped(principal, "read")
        wanted, after, limit = _search(principal)
        whose = wanted.merchant_id
        looking.at(principal, "invoices" if whose is None else f"merchant:{whose}", "list")
        found = parts.store.invoices(wanted, after, limit)
        state = bodies.states()
        more = str(found[-1].seq) if len(found) == limit else None
        return json_answer(
            InvoicePage([bodies.listed(invoice, state(invoice)) for invoice in found], more)
        )

    @blueprint.get(f"/{HASH}")
    def one(hash_: str) -> Response:
        query()
        invoice = _invoice(hash_)
        return json_answer(bodies.detail(invoice, looking.visible(invoice)))

    @blueprint.get(f"/{HASH}/qr.svg")
    def svg(hash_: str) -> Response:
        return _picture(hash_, qr_svg, "image/svg+xml")

    @blueprint.get(f"/{HASH}/qr.png")
    def png(hash_: str) -> Response:
        return _picture(hash_, qr_png, "image/png")

    def _invoice(hash_: str) -> StoredInvoice:
        return own_invoice(parts.store, parse_password_area(read_hash(hash_)), None)

    def _picture(hash_: str, draw: Draw, kind: str) -> Response:
        module = whole_number(
            query("module"), "module", MODULE_DOTS, MAX_MODULE_DOTS, least=LEAST_MODULE_DOTS
        )
        return raw_answer(draw(bodies.scan_url(_invoice(hash_)), module), kind)

    return blueprint


def _search(principal: Principal) -> tuple[InvoiceFilter, int, int]:
    """What the query asks for, within what the asker may see: (filter, after, limit)."""
    asked = query("after", "limit", *_ORDER, "number", "from", "to", "merchant")
    merchant_id = principal.merchant_id
    if "merchant" in asked:
        require_official(principal, "look")
        merchant_id = whole_number(asked, "merchant", 0, LARGEST)
    number = asked.get("number")
    if "order_id" not in asked and not asked.keys().isdisjoint(_ORDER):
        raise MalformedError(
            "missing_parameter", "till and business_day stand beside order_id", pointer="order_id"
        )
    since, until = shanghai_days(asked)
    wanted = InvoiceFilter(
        merchant_id=merchant_id,
        order_id=asked.get("order_id"),
        till=asked.get("till"),
        business_day=asked.get("business_day"),
        number=None if number is None else parse_bill_number(number),
        since=since,
        until=until,
    )
    after = whole_number(asked, "after", 0, LARGEST, least=0)
    return wanted, after, whole_number(asked, "limit", PAGE, LONGEST_PAGE)
