"""``/apply``: anybody applies to be admitted as a merchant, without an account and without scripts.

One page follows an application to its end: how it stands, what was said, what may be done now. The
receipt stands in no address: it is sent in a form, or behind # in a link that scripts read.
"""

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, Response, request
from werkzeug import Response as AnyResponse

from chain.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    Problem,
    RefusedError,
    UnavailableError,
)
from invoice_service.documents.certificate import clean_paper
from invoice_service.domain.application import OPEN, RIVAL_ADMITTED
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.merchant import districts, industries
from invoice_service.services.admission.desk import Applications, unknown
from invoice_service.services.admission.office import Admission
from invoice_service.services.admission.ports import Application
from invoice_service.web.apply.form import (
    LONGEST,
    MOST_PAPERS,
    act_asked,
    as_typed,
    catering_first,
    filled,
    papers_sent,
)
from invoice_service.web.ground.language import detail_of
from invoice_service.web.ground.page import page
from invoice_service.web.help.report_page import Told
from invoice_service.web.people.account import number_in

_FAULTS: Final = (MalformedError, RefusedError, NotFoundError, ConflictError, UnavailableError)
_LONGEST_RECEIPT: Final = 100
_PAGE: Final = 50


class ApplyPages:
    """The form, the applicant's one page, the public notice."""

    def __init__(
        self, desks: Admission, told: Told, site: Callable[[], str], public_url: str
    ) -> None:
        """``site`` names the network of the request."""
        self._desk: Applications = desks.applications
        self._owners, self._told, self._site = desks.owners, told, site
        self._url = public_url

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("apply_page", __name__, url_prefix="/apply")
        routes.get("")(self.show)
        routes.post("")(self.take)
        routes.get("/status")(self.ask)
        routes.post("/status")(self.status)
        routes.get("/notices")(self.notices)
        routes.get("/notices/<application>")(self.notice)
        routes.post("/notices/<application>")(self.object_to)
        return routes

    def show(self) -> Response:
        """The form."""
        return self._form({})

    def take(self) -> Response:
        """Keep an application, and show its receipt."""
        try:
            form = filled()
            receipt = self._desk.receipt(form.nonce, form.asked, form.papers)
            if not self._desk.is_known(receipt):
                self._desk.begin(self._site(), form.asked)
                pages = [one for data in form.papers for one in clean_paper(data)]
                self._desk.apply(receipt, form.asked, pages, self._site())
        except _FAULTS as problem:
            return self._form(as_typed(), self._told.public(problem))
        return page(
            "apply/receipt.html", receipt=receipt, link=f"{self._url}/apply/status#{receipt}"
        )

    def ask(self) -> Response:
        """Where a receipt is typed, or a link brings it."""
        return page("apply/ask.html", problem=None, receipt="")

    def status(self) -> Response:
        """How it stands; what the applicant does is done here."""
        receipt = ""
        try:
            fields = act_asked()
            receipt = fields.get("receipt", "")[:_LONGEST_RECEIPT]
            found = self._desk.look(receipt)
        except _FAULTS as problem:
            shown = self._told.public(problem)
            status = self._told.status(problem)
            said = self._said(shown)
            asks = {"receipt": receipt}
            return page("apply/ask.html", status, problem=said, receipt=receipt, asks=asks)
        try:
            found = self._act(receipt, fields) or found
        except _FAULTS as problem:
            shown = self._told.public(problem)
            answer = self._page(receipt, found, fields, shown)
            return _waited(answer, problem)
        return self._page(receipt, found)

    def notices(self) -> Response:
        """Whose public notice runs."""
        text = request.args.get("after", "")
        after = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
        found = self._desk.notices(after, _PAGE)
        more = found[-1].id if len(found) == _PAGE else None
        return page("apply/notices.html", notices=found, next=more, place=_places())

    def notice(self, application: str) -> Response:
        """One of them, with a form to object."""
        return self._notice(self._desk.noticed(_id(application)))

    def object_to(self, application: str) -> AnyResponse:
        """Keep an objection."""
        found = self._desk.noticed(_id(application))
        text = ""
        try:
            text = act_asked().get("text", "")
            self._desk.enter(self._site(), new=False)
            self._desk.object_to(found.id, text)
        except _FAULTS as problem:
            answer = self._notice(found, text, self._told.public(problem))
            return _waited(answer, problem)
        return self._notice(found, sent=True)

    def _act(self, receipt: str, fields: dict[str, str]) -> Application | None:
        """What a button of the applicant's page asks for; None for nothing but to be shown."""
        wanted = fields.get("act", "")
        if wanted == "withdraw":
            if fields.get("sure") != "yes":
                raise MalformedError("form_incomplete", "say that you are sure", pointer="sure")
            return self._desk.withdraw(receipt)
        if wanted == "comment":
            self._desk.enter(self._site(), new=False)
            return self._desk.comment(receipt, fields.get("text", ""))
        if wanted == "papers":
            papers = papers_sent()
            if not papers:
                raise MalformedError("papers_missing", "choose a file", pointer="paper")
            self._desk.enter(self._site(), new=False)
            pages = [one for data in papers for one in clean_paper(data)]
            return self._desk.add_papers(receipt, pages)
        if wanted == "account":
            found = self._desk.look(receipt)
            self._desk.enter(self._site(), new=False)
            named = (fields.get("name", ""), fields.get("login", ""))
            self._owners.invite(receipt, found, *named, request.remote_addr or "")
        return None

    def _page(
        self,
        receipt: str,
        found: Application,
        typed: dict[str, str] | None = None,
        problem: Problem | None = None,
    ) -> Response:
        invited = self._owners.invitation(receipt, found)
        return page(
            "apply/status.html",
            200 if problem is None else self._told.status(problem),
            found=found,
            open=found.state in OPEN,
            said=[one for one in found.comments if one.whose != "public"],
            place=_places(),
            receipt=receipt,
            typed=typed or {},
            account=self._owners.look(found),
            rival_admitted=RIVAL_ADMITTED,
            invitation=f"{self._url}/invitation/{invited.token}" if invited else "",
            longest=LONGEST,
            most=MOST_PAPERS,
            problem=None if problem is None else self._said(problem),
            asks={"receipt": receipt},
        )

    def _notice(
        self,
        found: Application,
        text: str = "",
        problem: Problem | None = None,
        *,
        sent: bool = False,
    ) -> Response:
        return page(
            "apply/notice.html",
            200 if problem is None else self._told.status(problem),
            found=found,
            text=text,
            sent=sent,
            place=_places(),
            longest=LONGEST,
            problem=None if problem is None else self._said(problem),
        )

    def _form(self, typed: dict[str, str], problem: Problem | None = None) -> Response:
        catering, others = catering_first()
        answer = page(
            "apply/apply.html",
            200 if problem is None else self._told.status(problem),
            typed=typed,
            nonce=self._desk.nonce(typed.get("nonce", "")),
            catering=catering,
            others=others,
            districts=districts().values(),
            longest=LONGEST,
            most=MOST_PAPERS,
            problem=None if problem is None else self._said(problem),
        )
        return answer if problem is None else _waited(answer, problem)

    def _said(self, problem: Problem) -> dict[str, Any]:
        title, detail = self._told.title(problem), detail_of(problem)
        return {
            "code": problem.code,
            "pointer": problem.pointer.rpartition("/")[2],
            "title": title,
            "detail": "" if detail in title else detail,
            "incident": problem.extra.get("incident"),
        }


def _waited(answer: Response, problem: Problem) -> Response:
    if "retry_after" in problem.extra:
        answer.headers["Retry-After"] = str(problem.extra["retry_after"])
    return answer


def _places() -> dict[str, Any]:
    """Industries and districts by their codes."""
    return {**industries(), **districts()}


def _id(text: str) -> int:
    try:
        return min(number_in(text, "application_unknown"), LARGEST)
    except NotFoundError:
        raise unknown() from None
