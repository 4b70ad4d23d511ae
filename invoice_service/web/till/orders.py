"""Orders by session: made of bills, listed, paid, closed, cancelled; their slips and codes."""

from typing import Any, Final

import msgspec
from flask import Blueprint, Response

from chain.errors import ConflictError, Problem
from invoice_service.documents.claim_slip import claim_slip
from invoice_service.documents.escpos import escpos
from invoice_service.documents.qr import qr_svg
from invoice_service.documents.slip import PAPERS, Slip, Width
from invoice_service.openapi.operation import OCTETS
from invoice_service.services.claims.desk import parts_of
from invoice_service.services.claims.ports import Whole
from invoice_service.services.till.desk import TillDesk
from invoice_service.services.till.orders import order_row
from invoice_service.services.till.shapes import BillOrder, OrderPaid, check_id
from invoice_service.web.people.gate import Door
from invoice_service.web.till.session import TillGate, answer, asked, raw, word_of

_order: Final = msgspec.json.Decoder(BillOrder)
_paid: Final = msgspec.json.Decoder(OrderPaid)
_CREATED: Final = 201
WIDTHS: Final[dict[str, Width]] = {str(width): width for width in PAPERS}
_ASKED: Final[dict[str, dict[str, Any]]] = {
    "width": {**WIDTHS},
    "drawer": {"0": False, "1": True},
    "format": {"escpos": "escpos", "png": "png"},
}


class OrderCalls:
    """A merchant's orders; another's are not there."""

    def __init__(self, session: TillGate, door: Door) -> None:
        self._session, self._door = session, door
        self._desk, self._orders = session.desk, session.desk.orders

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.post("/bills/<bill>/order")(self.make_order)
        routes.get("/orders")(self.orders)
        routes.get("/orders/<order>")(self.order)
        routes.delete("/orders/<order>")(self.cancel_order)
        routes.post("/orders/<order>/paid")(self.pay_order)
        routes.post("/orders/<order>/extension")(self.extend_order)
        routes.post("/orders/<order>/rest")(self.close_order)
        routes.get("/orders/<order>/slip")(self.order_slip)
        routes.get("/orders/<order>/code.svg")(self.order_code)

    def make_order(self, bill: str) -> Response:
        """An order of a bill; on disk when this returns."""
        asked()
        hand = self._session.hand()
        wanted = self._session.read(_order)
        try:
            made = self._orders.make(hand, check_id(bill), wanted)
        except Problem as problem:
            return self._session.refuse(problem)
        return answer({"order": order_row(made, self._orders.claims.now())}, _CREATED)

    def orders(self) -> Response:
        """Those of a day; of today without one."""
        day = asked("day").get("day", "")
        if day:
            self._desk.days.day(day)
        else:
            day = self._desk.days.of(self._door.desk.clock())
        return answer({"orders": self._orders.of_day(self._session.merchant_id(), day)})

    def order(self, order: str) -> Response:
        """All of one."""
        asked()
        return answer(self._orders.one(self._session.merchant_id(), order))

    def cancel_order(self, order: str) -> Response:
        """Nobody claims it any more, and its bill is open again."""
        asked()
        return answer(self._orders.cancel(self._session.hand(), order))

    def pay_order(self, order: str) -> Response:
        """The till has the money."""
        asked()
        hand = self._session.hand()
        payments = self._session.read(_paid).payments
        try:
            return answer(self._orders.pay(hand, order, payments))
        except Problem as problem:
            return self._session.refuse(problem)

    def extend_order(self, order: str) -> Response:
        """It may be claimed for longer."""
        asked()
        return answer(self._orders.extend(self._session.merchant_id(), order))

    def close_order(self, order: str) -> Response:
        """What nobody has claimed is issued to an unnamed individual."""
        asked()
        return answer(self._orders.close(self._session.merchant_id(), order))

    def order_slip(self, order: str) -> Response:
        """The bytes for a printer, or a picture."""
        said = asked(*_ASKED)
        chosen = {name: word_of(_ASKED[name], name, said) for name in _ASKED}
        slip = slip_of_order(self._desk, self._door, self._whole(order), chosen["width"])
        if chosen["format"] == "png":
            from invoice_service.documents.slip_picture import slip_png  # with its font

            return raw(slip_png(slip), "image/png")
        return raw(escpos(slip, drawer=chosen["drawer"]), OCTETS)

    def order_code(self, order: str) -> Response:
        """The code of its link, to be scanned from this screen."""
        asked()
        whole = self._whole(order)
        require_claimable(self._desk, whole)
        return raw(qr_svg(self._orders.claims.links.url(whole.order)), "image/svg+xml")

    def _whole(self, order: str) -> Whole:
        return self._orders.claims.one(self._session.merchant_id(), order)


def require_claimable(desk: TillDesk, whole: Whole) -> None:
    """ConflictError ``order_claimed``, ``order_cancelled``."""
    state = whole.state(desk.orders.claims.now())
    if state in ("claimed", "cancelled"):
        raise ConflictError(f"order_{state}", "nobody can claim this order any more")


def slip_of_order(desk: TillDesk, door: Door, whole: Whole, width: Width) -> Slip:
    """What its guests claim by; ConflictError as ``require_claimable``."""
    require_claimable(desk, whole)
    order, account = whole.order, desk.store.account(whole.order.merchant_id)
    seller = "" if account is None else account.merchant.name
    link = desk.orders.claims.links.url(order)
    return claim_slip(order, parts_of(order), seller, link, width, sample=door.sample)
