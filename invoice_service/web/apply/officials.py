"""``/bureau/applications`` and ``/bureau/quota``: officials examine, decide, and answer."""

from collections.abc import Sequence
from typing import Any, Final

from flask import Blueprint, Response
from werkzeug import Response as AnyResponse

from chain.errors import ConflictError, MalformedError, Problem, RefusedError
from invoice_service.domain.application import (
    CREDITS,
    FROM,
    OPEN,
    RISKS,
    RIVAL_ADMITTED,
    STATES,
    STEPS,
    WARNINGS,
    Credit,
    Finding,
    Risk,
    State,
    Step,
    Warning_,
)
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.merchant import districts, industries
from invoice_service.domain.quota import Quotas
from invoice_service.services.admission.bench import LONGEST_SEARCH
from invoice_service.services.admission.office import Admission
from invoice_service.services.admission.ports import REQUEST_STATES, Decision, RequestState
from invoice_service.services.people.lookups import Lookups, What
from invoice_service.services.people.roles import has_power
from invoice_service.services.people.sessions import Visitor
from invoice_service.web.apply.official_files import applications, quota_requests
from invoice_service.web.apply.owner import Accounts
from invoice_service.web.bureau.navigation import bureau_page
from invoice_service.web.bureau.taking import Taking, files
from invoice_service.web.ground.limits import limits_typed, typed_limits
from invoice_service.web.people.account import number_in
from invoice_service.web.people.gate import Gate

_PAGE: Final = 50
_RIVALS_SHOWN: Final = 10
_STATES: Final[dict[str, State]] = {state: state for state in STATES}
_ASKED: Final[dict[str, RequestState]] = {state: state for state in REQUEST_STATES}
_STEPS: Final[dict[str, Step]] = {step: step for step in STEPS}
_RISKS: Final[dict[str, Risk]] = {risk: risk for risk in RISKS}
_CREDITS: Final[dict[str, Credit]] = {credit: credit for credit in CREDITS}
_WARNINGS: Final[dict[str, Warning_]] = {warning: warning for warning in WARNINGS}
DESK_WORK: Final = "admission"
"""The purpose of who opens what waits at this desk, and has said no other."""

_FAULTS: Final = (MalformedError, RefusedError, ConflictError)


class BureauPages:
    """The desk, one application, the queue of those who ask for more."""

    def __init__(
        self, gate: Gate, desks: Admission, accounts: Accounts, lookups: Lookups, taking: Taking
    ) -> None:
        self._gate, self._bench, self._quotas = gate, desks.bench, desks.quotas
        self._accounts, self._taking = accounts, taking
        self._owners, self._lookups = desks.owners, lookups

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("admission_desk", __name__, url_prefix="/bureau")
        routes.get("/applications")(self.all)
        routes.get("/applications/file/<kind>")(self.all_file)
        routes.get("/applications/<application>")(self.one)
        routes.post("/applications/<application>/comment")(self.comment)
        routes.post("/applications/<application>/decision")(self.decide)
        routes.post("/applications/<application>/invitation")(self.offer)
        routes.get("/applications/<application>/papers/<paper>")(self.paper)
        return routes

    def quota_blueprint(self) -> Blueprint:
        """The routes of the queue."""
        routes = Blueprint("quota_desk", __name__, url_prefix="/bureau/quota")
        routes.get("")(self.queue)
        routes.get("/file/<kind>")(self.queue_file)
        routes.post("/<request>")(self.answer)
        return routes

    def all(self) -> Response:
        """Those in one state, those that have waited longest first; or what is searched for, in
        all of them where no state is named.
        """
        self._gate.official("applications")
        state, text, states = self._asked()
        found = self._bench.store.applications(states, self._after(), _PAGE, text=text)
        return bureau_page(
            self._gate,
            "apply/desk.html",
            applications=found,
            state=state,
            text=text,
            longest=LONGEST_SEARCH,
            states=STATES,
            counts=self._bench.store.application_counts(),
            files=files("admission_desk.all_file", {"state": state or "", "text": text}),
            next=found[-1].id if len(found) == _PAGE else None,
            competing=self._bench.store.competing([one.tax_id for one in found]),
            place=_places(),
        )

    def all_file(self, kind: str) -> Response:
        """The whole list, of what the desk shows of each."""
        visitor = self._gate.official("applications")
        state, text, states = self._asked()
        taken = applications(self._bench.store, states, state or "", text)
        return self._taking.answer(kind, visitor, taken, f"applications-{state or 'found'}")

    def _asked(self) -> tuple[State | None, str, Sequence[State]]:
        """The state that is named, what is searched for, and the states in which that is."""
        state = _STATES.get(self._gate.asked("state"))
        text = self._gate.asked("text").strip()[:LONGEST_SEARCH]
        if state is None and not text:
            state = "received"
        return state, text, STATES if state is None else [state]

    def one(self, application: str) -> Response:
        """One, with papers, comments, and what may be done now."""
        visitor, id_ = self._gate.official("applications"), _number(application)
        return self._shown(visitor, id_)

    def comment(self, application: str) -> AnyResponse:
        """Ask or tell the applicant something."""
        visitor = self._gate.official("examine")
        fields, id_ = self._gate.fields(), _number(application)
        try:
            self._bench.comment(id_, fields.get("text", ""))
        except _FAULTS as problem:
            return self._shown(visitor, id_, fields, problem)
        return self._gate.go(f"/bureau/applications/{id_}")

    def decide(self, application: str) -> AnyResponse:
        """Take a step."""
        visitor, fields = self._gate.official("examine"), self._gate.fields()
        id_ = _number(application)
        try:
            decision = _decision(fields)
            if decision.step == "admit" and not has_power(visitor.person.role, "admit"):
                raise RefusedError("role_required", "this is for administrators")
            self._bench.decide(id_, decision, self._gate.by(visitor))
        except _FAULTS as problem:
            return self._shown(visitor, id_, fields, problem)
        return self._gate.go(f"/bureau/applications/{id_}")

    def offer(self, application: str) -> AnyResponse:
        """Offer whoever was admitted the first account anew, or no more."""
        visitor, fields = self._gate.official("admit"), self._gate.fields()
        found, by = self._bench.one(_number(application)), self._gate.by(visitor)
        change = self._owners.take_back if "withhold" in fields else self._owners.offer
        try:
            change(found, by)
        except _FAULTS as problem:
            return self._shown(visitor, found.id, {}, problem)
        return self._gate.go(f"/bureau/applications/{found.id}")

    def paper(self, application: str, paper: str) -> Response:
        """A page of its papers."""
        visitor, id_ = self._gate.official("applications"), _number(application)
        data = self._bench.paper(id_, number_in(paper, "application_unknown"))
        self._looks(visitor, f"application:{id_}", "application")
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'"}
        return Response(data, content_type="image/jpeg", headers=headers)

    def queue(self) -> Response:
        """What merchants ask for."""
        return self._queue(self._gate.official("applications"))

    def queue_file(self, kind: str) -> Response:
        """The whole queue in one state: a look-up like the page."""
        visitor = self._gate.official("applications")
        state = _ASKED.get(self._gate.asked("state"), "open")
        self._looks(visitor, "quota_requests", "list")
        taken = quota_requests(self._quotas.store, self._accounts.account, state)
        return self._taking.answer(kind, visitor, taken, f"quota-requests-{state}")

    def answer(self, request: str) -> AnyResponse:
        """Grant or refuse."""
        visitor, fields = self._gate.official("examine"), self._gate.fields()
        found = self._quotas.one(min(number_in(request, "request_unknown"), LARGEST))
        try:
            named = limits_typed(fields)
            granted = found.quotas if named == Quotas() else named
            wanted = granted if fields.get("answered") == "grant" else None
            version, said = _version(fields), fields.get("answer", "")
            self._quotas.answer(found.id, version, wanted, said, self._gate.by(visitor))
        except _FAULTS as problem:
            return self._queue(visitor, fields | {"request": str(found.id)}, problem)
        return self._gate.go("/bureau/quota")

    def _queue(
        self,
        visitor: Visitor,
        typed: dict[str, str] | None = None,
        problem: Problem | None = None,
    ) -> Response:
        state = _ASKED.get(self._gate.asked("state"), "open")
        found = self._quotas.store.quota_requests(None, state, self._after(), _PAGE)
        self._looks(visitor, "quota_requests", "list")
        values: dict[str, Any] = {
            "requests": found,
            "state": state,
            "states": REQUEST_STATES,
            "accounts": {one.id: self._accounts.account(one.merchant_id) for one in found},
            "limits": typed_limits,
            "files": files("quota_desk.queue_file", {"state": state}),
            "typed": typed or {},
            "next": found[-1].id if len(found) == _PAGE else None,
        }
        return bureau_page(self._gate, "apply/queue.html", problem, **values)

    def _shown(
        self,
        visitor: Visitor,
        id_: int,
        typed: dict[str, str] | None = None,
        problem: Problem | None = None,
    ) -> Response:
        found = self._bench.one(id_)
        self._looks(visitor, f"application:{found.id}", "application")
        values: dict[str, Any] = {
            "found": found,
            "open": found.state in OPEN,
            "steps": [step for step in STEPS if found.state in FROM[step]],
            "risks": RISKS,
            "credits": CREDITS,
            "warnings": WARNINGS,
            "typed": typed or {},
            "place": _places(),
            "account": self._owners.look(found),
            "rival_admitted": RIVAL_ADMITTED,
            "shown": _RIVALS_SHOWN,
        }
        return bureau_page(self._gate, "apply/one.html", problem, **values)

    def _looks(self, visitor: Visitor, subject: str, what: What) -> None:
        """Write down that somebody looks, with the purpose that they have said; at this desk it is
        the desk's own work where they have said none.
        """
        purpose = self._gate.purpose(visitor) or DESK_WORK
        self._lookups.note(self._gate.by(visitor), subject, what, purpose)

    def _after(self) -> int:
        text = self._gate.asked("after")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _decision(fields: dict[str, str]) -> Decision:
    """The step that a form asks for.

    MalformedError ``value_unknown``, ``finding_missing``, ``amount_invalid``.
    """
    step = _STEPS.get(fields.get("decision", ""))
    if step is None:
        raise MalformedError("value_unknown", f"one of {', '.join(STEPS)}", pointer="/decision")
    finding = None
    if step == "examine":
        risk, credit = _RISKS.get(fields.get("risk", "")), _CREDITS.get(fields.get("credit", ""))
        if risk is None or credit is None:
            raise MalformedError("finding_missing", "what was found?", pointer="/risk")
        finding = Finding(risk, credit, _WARNINGS.get(fields.get("warning", ""), ""))
    return Decision(
        step=step,
        version=_version(fields),
        finding=finding,
        batch=fields.get("batch", ""),
        quotas=limits_typed(fields) if step == "admit" else Quotas(),
        reason=fields.get("reason", ""),
        rivals=_rivals(fields) if step == "admit" else None,
    )


def _rivals(fields: dict[str, str]) -> frozenset[int]:
    """Those that the page has shown."""
    seen = fields.get("rivals", "").split()
    return frozenset(int(one) for one in seen if one.isascii() and one.isdecimal())


def _version(fields: dict[str, str]) -> int:
    return min(number_in(fields.get("version", ""), "application_unknown"), LARGEST)


def _number(text: str) -> int:
    return min(number_in(text, "application_unknown"), LARGEST)


def _places() -> dict[str, Any]:
    return {**industries(), **districts()}
