"""Applying, and following what becomes of it: for anybody. The receipt is sent in a header."""

from typing import Final, TypeVar

import msgspec
from flask import Blueprint, Response, request

from chain.errors import MalformedError
from invoice_service.api.admission.bodies import (
    AccountRequest,
    AppliedBody,
    ApplyRequest,
    InvitationBody,
    NoticeBody,
    NoticedBody,
    NoticePage,
    TextRequest,
    application_body,
    time_text,
)
from invoice_service.api.answers import JSON, OCTETS, json_answer
from invoice_service.api.parts import Parts
from invoice_service.api.peers import site_of
from invoice_service.api.requests import body, media_type, query, whole_number
from invoice_service.documents.certificate import MAX_BYTES, clean_paper
from invoice_service.domain.application import ApplicationRequest
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.numbering import shanghai_day
from invoice_service.domain.reading import read_json
from invoice_service.services.admission.owner import Invitation
from invoice_service.services.admission.ports import Application

PAGE: Final = 100
MOST: Final = 500
CREATED: Final = 201
RECEIPT: Final = "Fapiao-Receipt"
_LONGEST_RECEIPT: Final = 100
_Body = TypeVar("_Body")

_apply: Final[msgspec.json.Decoder[ApplyRequest]] = msgspec.json.Decoder(ApplyRequest)
_text: Final[msgspec.json.Decoder[TextRequest]] = msgspec.json.Decoder(TextRequest)
_owner: Final[msgspec.json.Decoder[AccountRequest]] = msgspec.json.Decoder(AccountRequest)


class ApplicantCalls:
    """Everything that needs no key."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._desk = parts, parts.admission.applications
        self._owners = parts.admission.owners
        self._limit = parts.config.limits.body_bytes
        self._url = parts.config.service.public_url

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("applicants", __name__, url_prefix="/v1/applications")
        routes.post("")(self.apply)
        routes.get("/mine")(self.mine)
        routes.post("/mine/comments")(self.comment)
        routes.post("/mine/papers")(self.add_paper)
        routes.post("/mine/withdrawal")(self.withdraw)
        routes.post("/mine/invitation")(self.invite)
        routes.get("/notices")(self.notices)
        routes.post("/notices/<application>/objections")(self.object_to)
        return routes

    def apply(self) -> Response:
        """Keep an application, and show its receipt."""
        wanted = self._read(_apply)
        texts = {name: getattr(wanted, name) for name in ApplicationRequest.__struct_fields__}
        asked = ApplicationRequest(**texts)
        receipt = self._desk.receipt(wanted.nonce or self._desk.nonce(), asked, [])
        if self._desk.is_known(receipt):
            return self._applied(receipt, self._desk.look(receipt), 200)
        self._desk.begin(self._site(), asked)
        return self._applied(receipt, self._desk.apply(receipt, asked, [], self._site()), CREATED)

    def mine(self) -> Response:
        """How it stands."""
        query()
        return self._shown(self._desk.look(_receipt()))

    def comment(self) -> Response:
        """The applicant says something."""
        text = self._read(_text).text
        self._desk.look(_receipt())
        self._desk.enter(self._site(), new=False)
        return self._shown(self._desk.comment(_receipt(), text))

    def add_paper(self) -> Response:
        """A picture or a PDF, made anew."""
        query()
        media_type(OCTETS)
        data = body(MAX_BYTES)
        self._desk.look(_receipt())
        self._desk.enter(self._site(), new=False)
        return self._shown(self._desk.add_papers(_receipt(), clean_paper(data)))

    def withdraw(self) -> Response:
        """End it."""
        query()
        return self._shown(self._desk.withdraw(_receipt()))

    def invite(self) -> Response:
        """Whoever is admitted names the owner of the first account, who sets a password by it."""
        wanted, receipt = self._read(_owner), _receipt()
        found = self._desk.look(receipt)
        there = self._owners.invitation(receipt, found)
        if there is not None:
            return self._invited(there, 200)
        self._desk.enter(self._site(), new=False)
        origin = request.remote_addr or ""
        made = self._owners.invite(receipt, found, wanted.name, wanted.login, origin)
        return self._invited(made, CREATED)

    def notices(self) -> Response:
        """Whose public notice runs."""
        asked = query("after", "limit")
        limit = whole_number(asked, "limit", PAGE, MOST)
        found = self._desk.notices(whole_number(asked, "after", 0, LARGEST, least=0), limit)
        more = found[-1].id if len(found) == limit else None
        return json_answer(NoticePage([_notice(one) for one in found], more))

    def object_to(self, application: str) -> Response:
        """Anybody says something against it."""
        text = self._read(_text).text
        number = whole_number({"application": application}, "application", 0, LARGEST)
        self._desk.noticed(number)
        self._desk.enter(self._site(), new=False)
        self._desk.object_to(number, text)
        return json_answer(NoticedBody(number), CREATED)

    def _read(self, decoder: "msgspec.json.Decoder[_Body]") -> _Body:
        query()
        media_type(JSON)
        return read_json(body(self._limit), decoder, max_bytes=self._limit)

    def _applied(self, receipt: str, found: Application, status: int) -> Response:
        shown = application_body(found, public=False)
        link = f"{self._url}/apply/status#{receipt}"
        return json_answer(AppliedBody(receipt, link, shown), status)

    def _invited(self, made: Invitation, status: int) -> Response:
        until = made.opening.until or 0
        link = f"{self._url}/invitation/{made.token}"
        return json_answer(InvitationBody(link, made.opening.login, time_text(until)), status)

    def _shown(self, found: Application) -> Response:
        return json_answer(application_body(found, self._owners.look(found), public=False))

    @staticmethod
    def _site() -> str:
        return site_of(request.remote_addr or "")


def _receipt() -> str:
    found = request.headers.get(RECEIPT)
    if found is None:
        raise MalformedError("missing_parameter", f"send {RECEIPT}", pointer=RECEIPT)
    return found[:_LONGEST_RECEIPT]


def _notice(one: Application) -> NoticeBody:
    until = one.notice_until or 0
    day = shanghai_day(one.at)
    return NoticeBody(one.id, one.name, one.industry, one.district, day, time_text(until))
