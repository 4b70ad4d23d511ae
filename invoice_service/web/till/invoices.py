"""What was sold: the list, one invoice, taking back, titles used before."""

from typing import Final

import msgspec
from flask import Blueprint, Response

from chain.errors import MalformedError
from invoice_service.domain.qrtext import read_hash
from invoice_service.services.till.books import Wanted
from invoice_service.services.till.shapes import TakeBack, check_id
from invoice_service.web.till.session import TillGate, answer, asked

_LONGEST_PLACE: Final = 15  # digits
_take_back: Final = msgspec.json.Decoder(TakeBack)


class InvoiceCalls:
    """A merchant's invoices; another's are not there."""

    def __init__(self, session: TillGate) -> None:
        self._session = session
        self._desk = session.desk

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.get("/invoices")(self.invoices)
        routes.get("/invoices/<hash_>")(self.invoice)
        routes.post("/invoices/<hash_>/reversal")(self.take_back)
        routes.get("/titles")(self.titles)

    def invoices(self) -> Response:
        """Those of a day, or of all days, the newest first."""
        said = asked("day", "q", "after")
        span = self._desk.days.day(said["day"]) if "day" in said else None
        wanted = Wanted(span, said.get("q", "").strip())
        if after := said.get("after"):
            wanted = wanted._replace(before=_place(after))
        return answer(self._desk.books.listing(self._session.merchant_id(), wanted))

    def invoice(self, hash_: str) -> Response:
        """All of one."""
        asked()
        return answer(self._desk.books.one(self._session.merchant_id(), read_hash(hash_)))

    def take_back(self, hash_: str) -> Response:
        """A red invoice, and how it is paid back."""
        asked()
        hand = self._session.hand()
        wanted = self._session.read(_take_back)
        check_id(wanted.id, "/id")
        returned = self._desk.taking.take_back(hand, read_hash(hash_), wanted)
        red, blue = self._desk.books.rows_at(hand.merchant_id, [returned.red.seq, returned.blue])[
            ::-1
        ]
        return answer({"invoices": [red], "invoice": blue})

    def titles(self) -> Response:
        """Companies' titles that were used here."""
        text = asked("q").get("q", "").strip()
        merchant_id = self._session.merchant_id()
        return answer({"titles": self._desk.books.titles(merchant_id, text) if text else []})


def _place(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_PLACE):
        raise MalformedError("parameter_malformed", "after is the next of a list", pointer="after")
    return int(text)
