"""``/reports/file``: reports of slips in one state, taken along; their pages are ``web.help``'s."""

from collections.abc import Iterator
from typing import Final

from flask import Blueprint, Response

from invoice_service.documents.bureau_tables import REPORTS, TITLES, table
from invoice_service.documents.taken import Row, Taken
from invoice_service.services.help.ports import STATES, ReportState, ReportStore
from invoice_service.web.bureau.taking import Taking
from invoice_service.web.bureau.words import in_both
from invoice_service.web.ground.catalogs import N_
from invoice_service.web.people.gate import Gate

_AT_ONCE: Final = 200
_STATES: Final[dict[str, ReportState]] = {state: state for state in STATES}
_WORDS: Final = {"new": N_("new"), "seen": N_("seen"), "closed": N_("closed")}


class ReportsFile:
    """What the list shows of each, whole; how to reach its sender stands on each one's page."""

    def __init__(self, gate: Gate, store: ReportStore, taking: Taking) -> None:
        self._gate, self._store, self._taking = gate, store, taking

    def blueprint(self) -> Blueprint:
        """The route."""
        routes = Blueprint("reports_file", __name__, url_prefix="/reports/file")
        routes.get("/<kind>")(self.file)
        return routes

    def file(self, kind: str) -> Response:
        """Those in one state, as the page has them."""
        visitor = self._gate.official("reports")
        state = _STATES.get(self._gate.asked("state"), "new")

        def rows() -> Iterator[Row]:
            after = 0
            while found := self._store.reports(state, after, _AT_ONCE):
                for one in found:
                    sent = one.sent
                    said = sent.said, sent.message, sent.place, one.note
                    yield (one.id, one.at, one.state, len(one.pictures), *said)
                after = found[-1].id

        tables = (table("reports", REPORTS, {"state": in_both(_WORDS)}, rows, "record"),)
        taken = Taken("reports", TITLES["reports"], {"state": state}, tables)
        return self._taking.answer(kind, visitor, taken, f"reports-{state}")
