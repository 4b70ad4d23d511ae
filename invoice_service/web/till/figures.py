"""The figures of a day, or of a month."""

from flask import Blueprint, Response

from chain.errors import MalformedError
from invoice_service.web.till.session import TillGate, answer, asked


class FigureCalls:
    """Sums over a merchant's invoices."""

    def __init__(self, session: TillGate) -> None:
        self._session = session
        self._desk = session.desk

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.get("/figures")(self.figures)

    def figures(self) -> Response:
        """Of one of the two."""
        said = asked("day", "month")
        if len(said) != 1:
            raise MalformedError("missing_parameter", "say a day or a month", pointer="day")
        days = self._desk.days
        span = days.day(said["day"]) if "day" in said else days.month(said["month"])
        return answer(self._desk.books.figures(self._session.merchant_id(), span))
