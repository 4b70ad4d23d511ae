"""Opening and closing a till."""

from typing import Final

import msgspec
from flask import Blueprint, Response

from chain.errors import MalformedError, NotFoundError
from invoice_service.services.till.shapes import CloseRequest, ShiftRequest, check_id
from invoice_service.web.till.session import TillGate, answer, asked

_open: Final = msgspec.json.Decoder(ShiftRequest)
_close: Final = msgspec.json.Decoder(CloseRequest)


class ShiftCalls:
    """Shifts of a merchant's tills."""

    def __init__(self, session: TillGate) -> None:
        self._session = session
        self._shifts = session.desk.shifts

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.get("/shifts")(self.shifts)
        routes.post("/shifts")(self.open_shift)
        routes.post("/shifts/<shift>/close")(self.close_shift)

    def shifts(self) -> Response:
        """Those of a month, the newest first."""
        said = asked("month")
        if "month" not in said:
            raise MalformedError("missing_parameter", "say a month", pointer="month")
        found = self._shifts.of_month(self._session.merchant_id(), said["month"])
        return answer({"shifts": found})

    def open_shift(self) -> Response:
        """Open a till with so much change."""
        asked()
        wanted = self._session.read(_open)
        hand = self._session.hand(till=wanted.till)
        if wanted.till not in self._session.desk.lists.tills(hand.merchant_id):
            raise NotFoundError("till_unknown", "there is no such till")
        return answer(self._shifts.open(hand, wanted))

    def close_shift(self, shift: str) -> Response:
        """Count it, and close."""
        asked()
        wanted = self._session.read(_close)
        hand = self._session.hand(till="-")
        return answer(self._shifts.close(hand, check_id(shift), wanted))
