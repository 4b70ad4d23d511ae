"""Applications, for officials: lists, papers, comments, decisions."""

from collections.abc import Mapping
from typing import Final

import msgspec
from flask import Blueprint, Response

from chain.errors import MalformedError
from invoice_service.api.access import Access
from invoice_service.api.admission.bodies import (
    ApplicationPage,
    DecisionRequest,
    TextRequest,
    application_body,
    quotas_of,
)
from invoice_service.api.answers import JSON, json_answer, raw_answer
from invoice_service.api.looking import Looking
from invoice_service.api.parts import Parts
from invoice_service.api.requests import body, media_type, one_of, query, whole_number
from invoice_service.domain.acts import By
from invoice_service.domain.application import STATES, Finding, State
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.reading import read_json
from invoice_service.services.admission.bench import LONGEST_SEARCH
from invoice_service.services.admission.ports import Application, Decision

PAGE: Final = 100
MOST: Final = 500
JPEG: Final = "image/jpeg"
_STATES: Final[dict[str, State]] = {state: state for state in STATES}
_decision: Final[msgspec.json.Decoder[DecisionRequest]] = msgspec.json.Decoder(DecisionRequest)
_text: Final[msgspec.json.Decoder[TextRequest]] = msgspec.json.Decoder(TextRequest)


class ApplicationCalls:
    """An official's key is needed throughout."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._bench = parts, parts.admission.bench
        self._owners = parts.admission.owners
        self._access = Access(parts.store, parts.clock)
        self._looking = Looking(parts)
        self._limit = parts.config.limits.body_bytes

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("applications", __name__, url_prefix="/v1/applications")
        one = '/<any_but("mine", "notices"):application>'
        routes.get("")(self.listing)
        routes.get(one)(self.one)
        routes.get(f"{one}/papers/<paper>")(self.paper)
        routes.post(f"{one}/comments")(self.comment)
        routes.post(f"{one}/decision")(self.decide)
        routes.post(f"{one}/invitation")(self.offer)
        routes.delete(f"{one}/invitation")(self.take_back)
        return routes

    def listing(self) -> Response:
        """A page of them, oldest first."""
        self._access.official("applications")
        asked = query("after", "limit", "state", "text")
        states = [one_of(asked, "state", _STATES)] if "state" in asked else STATES
        limit = whole_number(asked, "limit", PAGE, MOST)
        after = whole_number(asked, "after", 0, LARGEST, least=0)
        found = self._bench.store.applications(states, after, limit, text=searched(asked))
        more = found[-1].id if len(found) == limit else None
        return json_answer(ApplicationPage([application_body(one) for one in found], more))

    def one(self, application: str) -> Response:
        """One, all of it."""
        principal = self._access.official("applications")
        query()
        found = self._bench.one(_id(application))
        self._looking.at(principal, f"application:{found.id}", "application")
        return self._shown(found)

    def paper(self, application: str, paper: str) -> Response:
        """A page of its papers."""
        principal = self._access.official("applications")
        query()
        number, id_ = whole_number({"paper": paper}, "paper", 0, LARGEST), _id(application)
        data = self._bench.paper(id_, number)
        self._looking.at(principal, f"application:{id_}", "application")
        return raw_answer(data, JPEG)

    def comment(self, application: str) -> Response:
        """Ask or tell the applicant something."""
        self._access.official("examine")
        query()
        media_type(JSON)
        text = read_json(body(self._limit), _text, max_bytes=self._limit).text
        return self._shown(self._bench.comment(_id(application), text))

    def decide(self, application: str) -> Response:
        """Take a step."""
        principal = self._access.official("examine")
        query()
        media_type(JSON)
        wanted = read_json(body(self._limit), _decision, max_bytes=self._limit)
        if wanted.decision == "admit":
            self._access.official("admit")
        by = self._access.by(principal, int(self._parts.clock().timestamp()))
        return self._shown(self._bench.decide(_id(application), decision_of(wanted), by))

    def offer(self, application: str) -> Response:
        """Offer whoever was admitted the first account anew."""
        found, by = self._admitted(application)
        self._owners.offer(found, by)
        return self._shown(self._bench.one(found.id))

    def take_back(self, application: str) -> Response:
        """Offer it no more; an invitation that was not used is void."""
        found, by = self._admitted(application)
        self._owners.take_back(found, by)
        return self._shown(self._bench.one(found.id))

    def _admitted(self, application: str) -> tuple[Application, By]:
        principal = self._access.official("admit")
        query()
        found = self._bench.one(_id(application))
        return found, self._access.by(principal, int(self._parts.clock().timestamp()))

    def _shown(self, found: Application) -> Response:
        return json_answer(application_body(found, self._owners.look(found)))


def decision_of(wanted: DecisionRequest) -> Decision:
    """The step that a body asks for; MalformedError ``finding_missing`` for half a finding."""
    finding = None
    if wanted.risk is not None and wanted.credit is not None:
        finding = Finding(wanted.risk, wanted.credit, wanted.warning)
    elif wanted.decision == "examine":
        missing = "risk" if wanted.risk is None else "credit"
        raise MalformedError("finding_missing", f"{missing} is missing", pointer=f"/{missing}")
    return Decision(
        step=wanted.decision,
        version=wanted.version,
        finding=finding,
        batch=wanted.batch,
        quotas=quotas_of(wanted),
        reason=wanted.reason,
        rivals=None if wanted.rivals is None else frozenset(wanted.rivals),
    )


def searched(asked: Mapping[str, str]) -> str:
    """What is looked for; MalformedError ``parameter_malformed``."""
    text = asked.get("text", "").strip()
    if len(text) > LONGEST_SEARCH:
        detail = f"text has at most {LONGEST_SEARCH} characters"
        raise MalformedError("parameter_malformed", detail, pointer="text")
    return text


def _id(text: str) -> int:
    return whole_number({"application": text}, "application", 0, LARGEST)
