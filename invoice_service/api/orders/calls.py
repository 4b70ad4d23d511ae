"""What a till does with orders: make, look, cancel, say that one is paid, print its claim."""

from typing import Final

from flask import Blueprint, Response

from chain.errors import ConflictError
from invoice_service.api.access import Access
from invoice_service.api.answers import JSON, OCTETS, json_answer, raw_answer
from invoice_service.api.orders.bodies import order_body
from invoice_service.api.orders.contract import OrderPage
from invoice_service.api.parts import Parts
from invoice_service.api.requests import body, media_type, one_of, query, whole_number
from invoice_service.documents.claim_slip import claim_slip
from invoice_service.documents.escpos import escpos
from invoice_service.documents.slip import PAPERS, Slip, Width
from invoice_service.domain.bounds import LARGEST
from invoice_service.services.claims.desk import parts_of
from invoice_service.services.claims.ports import Payment, Whole
from invoice_service.services.people.ports import Scope

CREATED, OK = 201, 200
MOST: Final = 500
_WIDTHS: Final[dict[str, Width]] = {str(width): width for width in PAPERS}


class OrderCalls:
    """``/v1/orders``; merchants only."""

    def __init__(self, parts: Parts) -> None:
        self._access = Access(parts.store, parts.clock)
        self._claims = parts.claims
        self._merchants = parts.store
        self._limit = parts.config.limits.body_bytes
        self._sample = parts.config.bureau.is_sample

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("orders", __name__, url_prefix="/v1/orders")
        routes.post("")(self.make)
        routes.get("")(self.listing)
        routes.get("/<order>")(self.one)
        routes.delete("/<order>")(self.cancel)
        routes.post("/<order>/paid")(self.paid)
        routes.post("/<order>/rest")(self.rest)
        routes.get("/<order>/slip")(self.slip)
        routes.get("/<order>/slip.png")(self.picture)
        return routes

    def make(self) -> Response:
        """An order; on disk when this returns."""
        query()
        _, merchant_id = self._access.merchant("issue")
        media_type(JSON)
        sent = body(self._limit)
        self._claims.settle_begun(merchant_id)
        made = self._claims.make(merchant_id, sent)
        return self._answer(made.whole, CREATED if made.new else OK)

    def listing(self) -> Response:
        """A page of them."""
        found = query("order_id", "business_day", "after", "limit")
        _, merchant_id = self._access.merchant("read")
        after = whole_number(found, "after", 0, LARGEST, least=0)
        limit = whole_number(found, "limit", 100, MOST)
        number, day = found.get("order_id", ""), found.get("business_day", "")
        self._claims.settle_begun(merchant_id)
        wholes = self._claims.store.orders(merchant_id, after, limit + 1, number=number, day=day)
        more = len(wholes) > limit
        now = self._claims.now()
        shown = [order_body(one, self._claims.links.url(one.order), now) for one in wholes[:limit]]
        return json_answer(OrderPage(shown, str(wholes[limit - 1].order.seq) if more else None))

    def one(self, order: str) -> Response:
        """One."""
        return self._answer(self._found(order, "read"))

    def cancel(self, order: str) -> Response:
        """Nobody claims it any more."""
        query()
        _, merchant_id = self._access.merchant("issue")
        return self._answer(self._claims.cancel(merchant_id, order))

    def paid(self, order: str) -> Response:
        """The till has the money."""
        whole = self._found(order, "issue")
        kept = whole.order
        payment = Payment(by="till", reference=kept.id, amount=kept.total, at=self._claims.now())
        new = self._claims.pay(whole, payment)
        return self._answer(self._claims.one(kept.merchant_id, kept.id), CREATED if new else OK)

    def rest(self, order: str) -> Response:
        """What nobody has claimed is issued, to nobody in particular."""
        query()
        _, merchant_id = self._access.merchant("issue")
        return self._answer(self._claims.issue_rest(merchant_id, order))

    def slip(self, order: str) -> Response:
        """Bytes for a printer."""
        return raw_answer(escpos(self._slip(order)), OCTETS)

    def picture(self, order: str) -> Response:
        """The same as a picture."""
        from invoice_service.documents.slip_picture import slip_png  # with its font, when needed

        return raw_answer(slip_png(self._slip(order)), "image/png")

    def _slip(self, order: str) -> Slip:
        """Of an order that may still be claimed; ConflictError order_claimed, order_cancelled."""
        width = one_of(query("width"), "width", _WIDTHS)
        _, merchant_id = self._access.merchant("read")
        whole = self._claims.one(merchant_id, order)
        state = whole.state(self._claims.now())
        if state in ("claimed", "cancelled"):
            raise ConflictError(f"order_{state}", "nobody can claim this order any more")
        account = self._merchants.account(merchant_id)
        seller = "" if account is None else account.merchant.name
        link, parts = self._claims.links.url(whole.order), parts_of(whole.order)
        return claim_slip(whole.order, parts, seller, link, width, sample=self._sample)

    def _found(self, order: str, scope: Scope) -> Whole:
        query()
        _, merchant_id = self._access.merchant(scope)
        return self._claims.one(merchant_id, order)

    def _answer(self, whole: Whole, status: int = OK) -> Response:
        link = self._claims.links.url(whole.order)
        return json_answer(order_body(whole, link, self._claims.now()), status)
