"""``/till/files``: a file of orders is sent, shown as what it would come to, issued, told of."""

from typing import Any, Final, cast

from flask import Blueprint, Response, request
from werkzeug import Response as AnyResponse

from chain.errors import MalformedError, Problem
from invoice_service.documents.spreadsheet import BOM, csv_of, texts_workbook
from invoice_service.domain.acts import By
from invoice_service.files.kept import CAN_ISSUE, MOVING, Kept
from invoice_service.files.office import Office
from invoice_service.files.told import AMOUNTS, Tongue
from invoice_service.openapi.operation import CSV, XLSX
from invoice_service.services.people.sessions import Visitor
from invoice_service.web.ground.language import language
from invoice_service.web.people.gate import Gate

PATH: Final = "/till/files"
MOST_SHOWN: Final = 200
_KINDS: Final = {"xlsx": XLSX, "csv": CSV}
FORM: Final = "<any(xlsx,csv):form>"


class FilePages:
    """For a merchant's people; another merchant's file is like one that is not there."""

    def __init__(self, gate: Gate, office: Office, most: int) -> None:
        """``most`` bytes of a file are taken."""
        self._gate, self._office, self._most = gate, office, most

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("till_files", __name__, url_prefix=PATH)
        routes.get("")(self.all)
        routes.post("")(self.send)
        routes.get("/<file>")(self.one)
        routes.post("/<file>/issue")(self.issue)
        routes.post("/<file>/cancel")(self.cancel)
        routes.get(f"/<file>/results.{FORM}")(self.results)
        return routes

    def all(self) -> Response:
        """What was sent lately, and a form for another."""
        _, merchant_id = self._visitor()
        return self._all(merchant_id)

    def send(self) -> AnyResponse:
        """Keep a file, and show what it would come to; the same again is the same."""
        visitor, merchant_id = self._visitor()
        self._gate.fields(upload=self._most)
        try:
            sent = [one for one in request.files.getlist("file") if one.filename]
            if len(sent) != 1:
                raise MalformedError("file_needed", "choose one file")
            by, person = self._by(visitor)
            name = sent[0].filename or ""
            id_ = self._office.receive(merchant_id, name, sent[0].stream, by, person)
        except MalformedError as problem:
            return self._all(merchant_id, problem)
        return self._gate.go(f"{PATH}/{id_}")

    def one(self, file: str) -> Response:
        """How far it is: being read, what it would come to, being issued, what it came to."""
        _, merchant_id = self._visitor()
        return self._one(merchant_id, self._office.find(merchant_id, file))

    def issue(self, file: str) -> AnyResponse:
        """Begin to issue what was shown; a second time does nothing."""
        visitor, merchant_id = self._visitor()
        self._gate.fields()
        self._office.issue(merchant_id, file, *self._by(visitor))
        return self._gate.go(f"{PATH}/{file}")

    def cancel(self, file: str) -> AnyResponse:
        """Stop; what is not issued yet, is not."""
        _, merchant_id = self._visitor()
        self._gate.fields()
        self._office.cancel(merchant_id, file)
        return self._gate.go(PATH)

    def results(self, file: str, form: str) -> Response:
        """The result file of that name, as it is now."""
        _, merchant_id = self._visitor()
        with self._office.table(merchant_id, file, tongue(), self._title) as rows:
            if form == "xlsx":
                body = texts_workbook(rows[0], rows[1:], AMOUNTS)
            else:
                body = BOM.encode() + csv_of(rows)
        return download(body, "results", form)

    def _visitor(self) -> tuple[Visitor, int]:
        """Whoever may issue, and for which merchant."""
        visitor = self._gate.person("owner", "cashier")
        return visitor, cast("int", visitor.person.merchant_id)

    def _by(self, visitor: Visitor) -> tuple[By, int]:
        """Who acts, as the trail has it, and its id: who has taken the till over, or signed in."""
        person = visitor.working.id
        return self._gate.visit().by(person, self._gate.door.desk.clock()), person

    def _all(self, merchant_id: int, problem: Problem | None = None) -> Response:
        values: dict[str, Any] = {
            "files": [(one.about(), one.state()) for one in self._office.all(merchant_id)],
            "most": self._most >> 20,
        }
        if problem is None:
            return self._gate.page("till/files.html", **values)
        return self._gate.again("till/files.html", problem, **values)

    def _one(self, merchant_id: int, kept: Kept) -> Response:
        state = kept.state()
        told = state.stage in ("done", "stopped", "cancelled")
        return self._gate.page(
            "till/files_one.html",
            file=kept.about(),
            state=state,
            moving=state.stage in MOVING,
            can_issue=state.stage in CAN_ISSUE,
            preview=kept.preview(),
            refusals=self._office.refusals(merchant_id, kept.id, MOST_SHOWN) if told else [],
            told=told,
            most=MOST_SHOWN,
            title_of_code=self._title,
        )

    def _title(self, code: str) -> str:
        return self._gate.door.title(Problem(code, ""))


def tongue() -> Tongue:
    """The reader's language, as tables have it."""
    return "zh" if language().code == "zh" else "en"


def download(body: bytes, name: str, form: str) -> Response:
    """A table to be kept, as a workbook or CSV."""
    answer = Response(body, content_type=_KINDS[form])
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer
