"""``/v1/reports``: what anybody reported, and scans that did not fit; officials only."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from flask import Blueprint, Response, current_app

from chain.commitment import parse_password_area
from chain.entry import format_time
from chain.errors import MalformedError
from invoice_service.api.access import Access
from invoice_service.api.answers import JSON, json_answer, raw_answer
from invoice_service.api.help.contract import (
    JPEG,
    MOST,
    MisfitBody,
    Misfits,
    ReportBody,
    ReportJudgement,
    ReportPage,
)
from invoice_service.api.parts import Parts
from invoice_service.api.requests import (
    body,
    media_type,
    one_of,
    query,
    shanghai_midnight,
    whole_number,
)
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.numbering import shanghai_day
from invoice_service.domain.reading import read_json
from invoice_service.services.help.desk import unknown
from invoice_service.services.help.ports import OTHERS, STATES, UNKNOWN, Report, ReportState, Scans
from invoice_service.services.help.scans import ScanCounts

SCANS: Final = "fapiao.scans"
"""Among the application's extensions: who counts scans that did not fit."""

_PAGE: Final = 100
_DAYS: Final = 30
"""Days that are shown unless it is said since when."""
_LONGEST_BODY: Final = 8192
_STATES: Final[dict[str, ReportState]] = {state: state for state in STATES}
_judgement: Final[msgspec.json.Decoder[ReportJudgement]] = msgspec.json.Decoder(ReportJudgement)


def blueprint(parts: Parts) -> Blueprint:
    """The routes."""
    return ReportCalls(parts).blueprint()


class ReportCalls:
    """Everything that officials ask about reports and scans."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._access = Access(parts.store, parts.clock)

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("slip_reports", __name__, url_prefix="/v1/reports")
        routes.get("")(self.listing)
        routes.get("/mismatches")(self.mismatches)
        one = '/<any_but("mismatches", "totals"):report>'
        routes.get(one)(self.one)
        routes.delete(one)(self.erase)
        routes.put("/<report>/state")(self.judge)
        routes.get("/<report>/pictures/<picture>")(self.picture)
        return routes

    def listing(self) -> Response:
        """A page of reports."""
        self._access.official("reports")
        asked = query("after", "limit", "state")
        state = one_of(asked, "state", _STATES) if "state" in asked else None
        limit = whole_number(asked, "limit", _PAGE, MOST)
        after = whole_number(asked, "after", 0, LARGEST, least=0)
        found = self._parts.reports.store.reports(state, after, limit)
        more = found[-1].id if len(found) == limit else None
        return json_answer(ReportPage([_report(one) for one in found], more))

    def mismatches(self) -> Response:
        """Invoices by how many scans did not fit."""
        self._access.official("reports")
        asked = query("from", "to", "limit")
        limit = whole_number(asked, "limit", _PAGE, MOST)
        first, last = self._days(asked)
        scans: ScanCounts = current_app.extensions[SCANS]
        scans.flush()  # of this process; others are a second behind
        store = self._parts.help_store
        rows = [self._misfit(one) for one in store.scans(first, last, limit)]
        unknown_, others = (store.scans_of(sum_, first, last) for sum_ in (UNKNOWN, OTHERS))
        return json_answer(Misfits(first, last, unknown_, others, rows))

    def one(self, report: str) -> Response:
        """One report."""
        self._access.official("reports")
        query()
        return json_answer(_report(self._parts.reports.one(_id(report))))

    def erase(self, report: str) -> Response:
        """All that was sent goes; that there was a report stays."""
        principal = self._access.official("judge")
        query()
        by = self._access.by(principal, int(self._parts.clock().timestamp()))
        return json_answer(_report(self._parts.reports.forget(_id(report), by)))

    def judge(self, report: str) -> Response:
        """How it stands from now on."""
        principal = self._access.official("judge")
        query()
        media_type(JSON)
        wanted = read_json(body(_LONGEST_BODY), _judgement, max_bytes=_LONGEST_BODY)
        by = self._access.by(principal, int(self._parts.clock().timestamp()))
        judged = self._parts.reports.judge(_id(report), wanted.state, wanted.note, by)
        return json_answer(_report(judged))

    def picture(self, report: str, picture: str) -> Response:
        """One of its pictures."""
        self._access.official("reports")
        query()
        found = self._parts.reports.store.picture(_id(report), _id(picture))
        if found is None:
            raise unknown()
        return raw_answer(found, JPEG)

    def _days(self, asked: dict[str, str]) -> tuple[str, str]:
        """The first and the last day; thirty days until today unless said."""
        today = int(self._parts.clock().timestamp())
        last = shanghai_midnight(asked, "to")
        last = today if last is None else last
        first = shanghai_midnight(asked, "from")
        first = last - int(timedelta(days=_DAYS - 1).total_seconds()) if first is None else first
        days = shanghai_day(first), shanghai_day(last)
        if days[0] > days[1]:
            raise MalformedError("range_invalid", "from is after to", pointer="from")
        return days

    def _misfit(self, found: Scans) -> MisfitBody:
        invoice = self._parts.store.invoice(parse_password_area(found.hash))
        return MisfitBody(
            hash=found.hash,
            number="" if invoice is None else invoice.number,
            merchant=found.merchant,
            count=found.count,
            first_day=found.first_day,
            last_day=found.last_day,
        )


def _id(text: str) -> int:
    """A number in an address; NotFoundError ``report_unknown`` for none."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST))):
        raise unknown()
    return min(int(text), LARGEST)


def _report(found: Report) -> ReportBody:
    sent = {name: getattr(found.sent, name) for name in found.sent.__struct_fields__}
    return ReportBody(
        id=found.id,
        at=_time(found.at),
        state=found.state,
        pictures=found.pictures,
        note=found.note,
        told_at="" if found.told_at is None else _time(found.told_at),
        erased=found.erased,
        **sent,
    )


def _time(seconds: int) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC))
