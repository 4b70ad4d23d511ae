"""Bills: kept, moved, merged, dropped, settled."""

from typing import Final

import msgspec
from flask import Blueprint, Response

from chain.errors import ConflictError, MalformedError, Problem
from invoice_service.services.till.ports import Bill
from invoice_service.services.till.selling import Outcome, SoldPart
from invoice_service.services.till.shapes import (
    BillRequest,
    MergeRequest,
    SettleRequest,
    UndoRequest,
    check_id,
)
from invoice_service.web.till.session import TillGate, answer, asked, nothing

_bill: Final = msgspec.json.Decoder(BillRequest)
_merge: Final = msgspec.json.Decoder(MergeRequest)
_settle: Final = msgspec.json.Decoder(SettleRequest)
_undo: Final = msgspec.json.Decoder(UndoRequest)


class BillCalls:
    """A merchant's bills, which all of its tills share."""

    def __init__(self, session: TillGate) -> None:
        self._session = session
        self._bills = session.desk.bills
        self._selling = session.desk.selling

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.put("/bills/<bill>")(self.put_bill)
        routes.delete("/bills/<bill>")(self.drop_bill)
        routes.post("/bills/<bill>/merge")(self.merge_bill)
        routes.post("/bills/<bill>/settle")(self.settle_bill)
        routes.post("/bills/<bill>/undo")(self.undo_bill)

    def put_bill(self, bill: str) -> Response:
        """What stands on it now."""
        asked()
        hand = self._session.hand()
        wanted = self._session.read(_bill)
        try:
            return self._shown(self._bills.put(hand, check_id(bill), wanted))
        except ConflictError as problem:
            return self._session.refuse(problem)

    def drop_bill(self, bill: str) -> Response:
        """Nothing was sold."""
        version = asked("version").get("version", "")
        if not (version.isascii() and version.isdigit() and len(version) <= 15):
            raise MalformedError("parameter_malformed", "say its version", pointer="version")
        hand = self._session.hand()
        try:
            self._bills.drop(hand, check_id(bill), int(version))
        except ConflictError as problem:
            return self._session.refuse(problem)
        return nothing()

    def merge_bill(self, bill: str) -> Response:
        """Another bill joins this one."""
        asked()
        hand = self._session.hand()
        wanted = self._session.read(_merge)
        try:
            return self._shown(self._bills.merge(hand, check_id(bill), wanted))
        except ConflictError as problem:
            return self._session.refuse(problem)

    def settle_bill(self, bill: str) -> Response:
        """Invoices and payments, once."""
        asked()
        hand = self._session.hand()
        wanted = self._session.read(_settle)
        if isinstance(wanted.id, str):
            check_id(wanted.id, "/id")
        try:
            outcome = self._selling.settle(hand, check_id(bill), wanted)
        except Problem as problem:
            return self._session.refuse(problem)
        return answer(self._sold(outcome))

    def undo_bill(self, bill: str) -> Response:
        """What is not sold is open again; the invoices of what is."""
        asked()
        hand = self._session.hand()
        wanted = self._session.read(_undo)
        try:
            found, sold = self._selling.undo(hand, check_id(bill), wanted.version)
        except Problem as problem:
            return self._session.refuse(problem)
        books = self._session.desk.books
        names = books.names(hand.merchant_id)
        return answer(
            {
                "bill": self._bills.row(found, names),
                "invoices": books.rows_at(hand.merchant_id, sold, names),
            }
        )

    def _shown(self, bill: Bill) -> Response:
        names = self._session.desk.books.names(bill.merchant_id)
        return answer(self._bills.row(bill, names))

    def _sold(self, outcome: Outcome) -> dict[str, object]:
        return {
            "order_id": outcome.order_id,
            "business_day": outcome.business_day,
            "invoices": [_part(one) for one in outcome.invoices],
            "change": outcome.change,
        }


def _part(one: SoldPart) -> dict[str, object]:
    return {
        **msgspec.to_builtins(one),
        "state": "issued",
        "slip": f"/till/invoices/{one.hash}/slip",
    }
