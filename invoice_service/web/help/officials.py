"""``/reports``: officials see what was reported, and say how it stands."""

from typing import Final

from flask import Blueprint, Response
from werkzeug import Response as AnyResponse

from chain.errors import MalformedError
from invoice_service.domain.bounds import LARGEST
from invoice_service.services.help.desk import ReportDesk, unknown
from invoice_service.services.help.ports import STATES, ReportState
from invoice_service.web.people.account import number_in
from invoice_service.web.people.gate import Gate

_PAGE: Final = 50
_STATES: Final[dict[str, ReportState]] = {state: state for state in STATES}


class OfficialPages:
    """The list, and one report with its pictures."""

    def __init__(self, gate: Gate, desk: ReportDesk) -> None:
        self._gate, self._desk = gate, desk

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("reports_page", __name__, url_prefix="/reports")
        routes.get("")(self.all)
        routes.get("/<report>")(self.one)
        routes.post("/<report>")(self.judge)
        routes.get("/<report>/pictures/<picture>")(self.picture)
        return routes

    def all(self) -> Response:
        """Reports of one state, those that wait first."""
        self._gate.official("reports")
        state = _STATES.get(self._gate.asked("state"), "new")
        text = self._gate.asked("after")
        after = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
        found = self._desk.store.reports(state, after, _PAGE)
        return self._gate.page(
            "help/reports.html",
            reports=found,
            state=state,
            counts=self._desk.store.counts(),
            next=found[-1].id if len(found) == _PAGE else None,
        )

    def one(self, report: str) -> Response:
        """One report, all of it."""
        self._gate.official("reports")
        return self._gate.page("help/one.html", report=self._desk.one(_id(report)))

    def judge(self, report: str) -> AnyResponse:
        """How it stands from now on."""
        visitor, fields = self._gate.official("judge"), self._gate.fields()
        state = _STATES.get(fields.get("state", ""))
        if state is None:
            raise MalformedError("value_unknown", "new, seen or closed", pointer="/state")
        judged = self._desk.judge(
            _id(report), state, fields.get("note", ""), self._gate.by(visitor)
        )
        return self._gate.go(f"/reports/{judged.id}")

    def picture(self, report: str, picture: str) -> Response:
        """A picture for the page."""
        self._gate.official("reports")
        found = self._desk.store.picture(_id(report), _id(picture))
        if found is None:
            raise unknown()
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'"}
        return Response(found, content_type="image/jpeg", headers=headers)


def _id(text: str) -> int:
    return min(number_in(text, "report_unknown"), LARGEST)
