"""``/bureau/``: the city at a glance, all of it at one block, and what waits for somebody."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from flask import Blueprint, Response

from invoice_service.domain.numbering import shanghai_time
from invoice_service.services.people.roles import OFFICIALS, Power
from invoice_service.services.people.sessions import Visitor
from invoice_service.web.bureau.figures import Figures, Row, numbers
from invoice_service.web.bureau.navigation import bureau_page
from invoice_service.web.people.gate import Gate

TREND_DAYS: Final = 30
TOP: Final = "10"
_DEPTHS: Final = 5  # of a tile's shade


class Waiting(NamedTuple):
    """Something that waits for an official with that power: its name, how many, and where."""

    name: str
    endpoint: str
    power: Power
    number: Callable[[], int]


class Tile(NamedTuple):
    """A district on the grid: its row, and how deep its shade is, 0 to 5."""

    row: Row
    shade: int


class Overview:
    """The page."""

    def __init__(
        self,
        gate: Gate,
        figures: Figures,
        clock: Callable[[], int],
        waiting: Sequence[Waiting],
    ) -> None:
        """``clock`` gives unix seconds."""
        self._gate, self._figures, self._clock = gate, figures, clock
        self._waiting = waiting

    def blueprint(self) -> Blueprint:
        """The route."""
        routes = Blueprint("bureau", __name__, url_prefix="/bureau")
        routes.get("/", endpoint="home")(self.show)
        return routes

    def show(self) -> Response:
        """One height for all questions: nothing on the page is older or newer than the rest."""
        visitor = self._gate.person(*OFFICIALS)
        height = self._figures.newest()
        today = shanghai_time(self._clock()).date()
        month = _days(today.replace(day=1), today)
        of_day = self._figures.show({"by": "day", **_days(today, today)}, height)
        compared = {"by": "month", "compare": "before,year_before"}
        of_month = self._figures.show({**compared, **month}, height)
        of_districts = self._figures.show({"by": "district", **month}, height)
        industries = self._figures.show({"by": "division", "top": TOP, **month}, height)
        since = today - timedelta(days=TREND_DAYS - 1)
        trend = self._figures.show({"by": "day", **_days(since, today)}, height)
        return bureau_page(
            self._gate,
            "bureau/overview.html",
            block=of_day.head["block"],
            today=today.isoformat(),
            of_day=of_day,
            of_month=of_month,
            compared={
                name: numbers(of_month.head[name])
                for name in ("before", "year_before")
                if name in of_month.head
            },
            tiles=_tiles(of_districts.rows),
            of_districts=of_districts,
            industries=industries,
            trend=trend,
            waiting=self._waits(visitor),
        )

    def _waits(self, visitor: Visitor) -> list[dict[str, Any]]:
        return [
            {"name": one.name, "endpoint": one.endpoint, "count": one.number()}
            for one in self._waiting
            if visitor.has(one.power)
        ]


def _days(first: date, last: date) -> dict[str, str]:
    return {"from": first.isoformat(), "to": last.isoformat()}


def _tiles(rows: Sequence[Row]) -> list[Tile]:
    """The rows of the districts, each with its shade: of the largest, in fifths."""
    largest = max((row.sums["net"]["total"] for row in rows), default=0)
    return [
        Tile(row, -(-_DEPTHS * max(row.sums["net"]["total"], 0) // largest) if largest > 0 else 0)
        for row in rows
    ]
