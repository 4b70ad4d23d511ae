"""``/till/state``: everything that a page begins with, and which till this browser is."""

from typing import Any, Final

import msgspec
from flask import Blueprint, Response

from invoice_service.domain.numbering import format_issued_at
from invoice_service.services.people.person import Person
from invoice_service.services.till.shapes import HereRequest
from invoice_service.web.till.session import TillGate, answer, asked, nothing

_here: Final = msgspec.json.Decoder(HereRequest)


class StateCalls:
    """Looking at all of it."""

    def __init__(self, session: TillGate) -> None:
        self._session = session
        self._desk = session.desk

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.get("/state")(self.state)
        routes.post("/here")(self.here)

    def state(self) -> Response:
        """All that a page needs; events go on from its ``cursor``."""
        asked()
        visitor, merchant_id = self._session.visitor(), self._session.merchant_id()
        cursor = self._desk.watch.cursor()  # first: what comes while we read is told twice
        till = self._session.till()
        now = self._session.gate.door.desk.clock()
        found: dict[str, Any] = {
            "merchant": self._merchant(merchant_id),
            "person": _person(visitor.person),
            "cashier": None if visitor.cashier is None else _person(visitor.cashier),
            "till": {"id": till, "name": till} if till else None,
            "tills": [{"id": name, "name": name} for name in self._desk.lists.tills(merchant_id)],
            "business_day": self._desk.days.of(now),
            "now": format_issued_at(now),
            "shift": self._desk.shifts.current(merchant_id, till),
            "quota": self._desk.watch.quota(merchant_id),
            "rates": self._desk.issuing.rates.texts,
            "people": self._people(merchant_id),
            **self._lists(merchant_id),
            "cursor": str(cursor),
        }
        return answer(found)

    def here(self) -> Response:
        """This browser is that till."""
        asked()
        wanted = self._session.read(_here)
        hand = self._session.hand(till=wanted.till)
        session = self._session.visitor().session
        self._desk.lists.choose_till(hand.merchant_id, session.id, wanted.till)
        return nothing()

    def _merchant(self, merchant_id: int) -> dict[str, Any]:
        account = self._desk.store.account(merchant_id)
        if account is None:
            return {"id": merchant_id, "name": "", "tax_id": ""}
        return {
            "id": merchant_id,
            "name": account.merchant.name,
            "tax_id": account.merchant.tax_id,
        }

    def _people(self, merchant_id: int) -> list[dict[str, Any]]:
        """Who can take a till over: those who have a PIN."""
        return [
            _person(one)
            for one in self._desk.store.people(merchant_id)
            if one.pin and one.state == "active"
        ]

    def _lists(self, merchant_id: int) -> dict[str, Any]:
        names = self._desk.books.names(merchant_id)
        lists = self._desk.lists
        return {
            "versions": lists.versions(merchant_id),
            "menu": lists.menu(merchant_id),
            "tables": lists.tables(merchant_id),
            "bills": [
                self._desk.bills.row(bill, names) for bill in self._desk.bills.open(merchant_id)
            ],
        }


def _person(person: Person) -> dict[str, Any]:
    return {"id": person.id, "name": person.name, "role": person.role}
