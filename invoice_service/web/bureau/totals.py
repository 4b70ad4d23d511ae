"""``/bureau/totals``: a report is put together, looked at, linked to for ever, and taken along."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for
from werkzeug import Response as AnyResponse

from chain.errors import MalformedError, NotFoundError, Problem
from chain.hashing import sha256, sha256_of_parts
from invoice_service.documents.manifest import Asked, manifest
from invoice_service.documents.mixed import mixed_csv, mixed_workbook
from invoice_service.documents.taken import notes_of
from invoice_service.domain.merchant import districts
from invoice_service.domain.numbering import shanghai_time
from invoice_service.services.figure_desk import FigureDesk
from invoice_service.services.people.sessions import Visitor
from invoice_service.services.reporting.mix import MixedReport, report_parts
from invoice_service.services.reporting.periods import UNITS
from invoice_service.services.reporting.question import COMPARED, DIMENSIONS, MEASURES, WORDS
from invoice_service.web.bureau.checking import CheckPages
from invoice_service.web.bureau.figures import Figures
from invoice_service.web.bureau.navigation import bureau_page
from invoice_service.web.bureau.taking import Files, Taking, sent
from invoice_service.web.bureau.views import Views
from invoice_service.web.people.gate import Gate

SHOWN: Final = 200
"""Rows on a page; the files have all of them."""

_SEVERAL: Final = ("by", "compare")
_KINDS: Final = ("xlsx", "csv", "json", "manifest")


class TotalsPages:
    """The builder, its answers, their files."""

    def __init__(
        self, gate: Gate, figures: Figures, views: Views, desk: FigureDesk, taking: Taking
    ) -> None:
        self._gate, self._figures, self._views, self._taking = gate, figures, views, taking
        self._checks = CheckPages(gate, figures, desk)

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("bureau_totals", __name__, url_prefix="/bureau/totals")
        routes.get("")(self.show)
        routes.get("/file/<kind>")(self.file)
        routes.get("/check")(self.check)
        routes.post("/check")(self.check_now)
        routes.post("/views")(self.keep)
        routes.post("/views/<view>/removal")(self.drop)
        return routes

    def show(self) -> Response:
        """The form, and below it what it asks for: this month by day, before it was sent."""
        visitor = self._gate.official("totals")
        words = _asked() or self._begins()["month_by_day"]
        looks = self._looks(visitor, words)
        values: dict[str, Any] = {"words": words, "views": self._views.of(visitor.person.id)}
        try:
            values |= self._answer(words, looks=looks)
        except (MalformedError, NotFoundError) as problem:
            return self._page(problem, **values)
        return self._page(None, **values)

    def file(self, kind: str) -> Response:
        """What is shown, all of it; with a manifest that says what it is and its check sums."""
        visitor = self._gate.official("totals")
        if kind not in _KINDS:
            raise NotFoundError("no_such_address", "there is no such file")
        words = _asked()
        looks = self._looks(visitor, words)
        height = words.setdefault("at_block", str(self._figures.newest()))

        def report() -> MixedReport:
            return self._figures.report(words, looks=looks)

        stem = f"totals-{words.get('by', 'day').replace(',', '-')}-block-{height}"
        if kind == "manifest":
            said = _manifest(words, report, self._taking.asked(visitor))
            return sent((said,), kind, f"{stem}.manifest.json")
        makers: dict[str, Callable[[MixedReport], Iterable[bytes]]] = {
            "json": report_parts,
            "csv": mixed_csv,
            "xlsx": lambda report: (mixed_workbook(report),),
        }
        return sent(makers[kind](report()), kind, f"{stem}.{kind}")

    def check(self) -> AnyResponse:
        """A figure made again from documents, or how many that would be."""
        visitor, words = self._gate.official("totals"), _asked()
        return self._checks.show(words, looks=self._looks(visitor, words), now=False)

    def check_now(self) -> AnyResponse:
        """The same, however many documents it takes, up to what is read while somebody waits."""
        visitor, words = self._gate.official("totals"), _asked()
        looks = self._looks(visitor, words)
        self._gate.fields()
        return self._checks.show(words, looks=looks, now=True)

    def keep(self) -> AnyResponse:
        """Keep what was asked under a name; without its block, so that it is always of today."""
        visitor, fields = self._gate.official("totals"), self._gate.fields()
        words = {name: value for name, value in fields.items() if name in WORDS and value}
        words.pop("at_block", None)
        try:
            self._views.add(visitor.person.id, fields.get("name", ""), words)
        except Problem as problem:
            values = {"words": words, "views": self._views.of(visitor.person.id)}
            return self._page(problem, **values)
        return self._gate.go(f"/bureau/totals?{urlencode(words)}")

    def drop(self, view: str) -> AnyResponse:
        """Forget one."""
        visitor = self._gate.official("totals")
        self._gate.fields()
        number = int(view) if view.isascii() and view.isdecimal() and len(view) < 16 else 0
        self._views.drop(visitor.person.id, number)
        return self._gate.go("/bureau/totals")

    def _looks(self, visitor: Visitor, words: Mapping[str, str]) -> bool:
        """Whether somebody sees whose figures they are; RefusedError for one's, unless they do."""
        if "merchant" in words:
            self._gate.official("look")
        return visitor.has("look")

    def _begins(self) -> dict[str, dict[str, str]]:
        """Questions to begin with, by name: their words."""
        today = shanghai_time(self._gate.door.desk.clock()).date()
        month = {"from": today.replace(day=1).isoformat(), "to": today.isoformat()}
        year = {**month, "from": today.replace(month=1, day=1).isoformat()}
        return {
            "month_by_day": {"by": "day", **month},
            "month_by_district": {"by": "district", **month, "compare": "before"},
            "year_by_month": {"by": "month", **year, "compare": "year_before"},
            "year_taken_back": {"by": "class", **year, "measure": "reversed", "top": "10"},
        }

    def _answer(self, words: dict[str, str], *, looks: bool) -> dict[str, Any]:
        asked = {"at_block": str(self._figures.newest()), **words}
        shown = self._figures.few(asked, SHOWN, looks=looks)
        by = shown.head["by"]
        kind = "line" if by[0] in UNITS and len(by) == 1 else "bars"
        query = urlencode(shown.words)
        return {
            "shown": shown,
            "kind": kind,
            "link": f"{url_for('bureau_totals.show')}?{query}",
            "files": Files(
                {one: f"{url_for('bureau_totals.file', kind=one)}?{query}" for one in _KINDS}
            ),
            "cut": shown.cut,
        }

    def _page(self, problem: Problem | None, **values: Any) -> Response:  # noqa: ANN401 # whatever a template shows
        visitor = self._gate.official("totals")
        return bureau_page(
            self._gate,
            "bureau/totals.html",
            problem,
            looks=visitor.has("look"),
            dimensions=DIMENSIONS,
            measures=MEASURES,
            compared=COMPARED,
            districts=districts(),
            begins=self._begins(),
            **values,
        )


def _asked() -> dict[str, str]:
    """What the address asks: of several fields of one name a list; empty fields are none."""
    found: dict[str, str] = {}
    for name in WORDS:
        values = [value for value in request.args.getlist(name) if value]
        if len(values) > 1 and name not in _SEVERAL:
            raise MalformedError("duplicate_parameter", f"{name} stands twice", pointer=name)
        if values:
            found[name] = ",".join(values)
    return found


def _manifest(words: dict[str, str], report: Callable[[], MixedReport], asked: Asked) -> bytes:
    """What was asked, of which block, how many rows, what they come to, the files' check sums."""
    made = report()
    head, rows = made.head, sum(1 for _ in made.rows)
    sums = {
        "json": sha256_of_parts(report_parts(report())).hex(),
        "csv": sha256_of_parts(mixed_csv(report())).hex(),
    }
    with suppress(MalformedError):  # of more rows than a workbook has there is none
        sums["xlsx"] = sha256(mixed_workbook(report())).hex()
    whole = {side: head[side] for side in ("gross", "reversed", "net")}
    members = {"what": "totals", "rows": rows, "notes": notes_of(["chain"]), **whole}
    return manifest(words, asked, head["block"], sums, members)
