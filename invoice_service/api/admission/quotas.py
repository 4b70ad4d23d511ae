"""What merchants ask for: more quota, or to leave; and what officials answer."""

from typing import Final

import msgspec
from flask import Blueprint, Response

from invoice_service.api.access import Access
from invoice_service.api.admission.bodies import (
    AnswerRequest,
    MorePage,
    MoreRequest,
    quotas_of,
    request_body,
)
from invoice_service.api.answers import JSON, json_answer
from invoice_service.api.looking import Looking
from invoice_service.api.parts import Parts
from invoice_service.api.requests import body, media_type, one_of, query, whole_number
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.quota import Quotas
from invoice_service.domain.reading import read_json
from invoice_service.services.admission.ports import REQUEST_STATES, QuotaRequest, RequestState

PAGE: Final = 100
MOST: Final = 500
CREATED: Final = 201
_STATES: Final[dict[str, RequestState]] = {state: state for state in REQUEST_STATES}
_asked: Final[msgspec.json.Decoder[MoreRequest]] = msgspec.json.Decoder(MoreRequest)
_answer: Final[msgspec.json.Decoder[AnswerRequest]] = msgspec.json.Decoder(AnswerRequest)


class QuotaCalls:
    """Merchants see their own, officials all."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._desk = parts, parts.admission.quotas
        self._access = Access(parts.store, parts.clock)
        self._looking = Looking(parts)
        self._limit = parts.config.limits.body_bytes

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("quota_requests", __name__, url_prefix="/v1/quota-requests")
        routes.get("")(self.listing)
        routes.post("")(self.ask)
        routes.post("/<request>/answer")(self.answer)
        routes.post("/<request>/withdrawal")(self.withdraw)
        return routes

    def listing(self) -> Response:
        """A page of them, oldest first."""
        principal = self._access.known()
        if principal.role == "merchant":
            _, merchant_id = self._access.merchant("read")
        else:
            self._access.official("applications")
            merchant_id = None
            self._looking.at(principal, "quota_requests", "list")
        asked = query("after", "limit", "state")
        state = one_of(asked, "state", _STATES) if "state" in asked else None
        limit = whole_number(asked, "limit", PAGE, MOST)
        after = whole_number(asked, "after", 0, LARGEST, least=0)
        found = self._desk.store.quota_requests(merchant_id, state, after, limit)
        more = found[-1].id if len(found) == limit else None
        return json_answer(MorePage([request_body(one) for one in found], more))

    def ask(self) -> Response:
        """Ask for more, or to leave."""
        principal, merchant_id = self._access.merchant("manage")
        query()
        media_type(JSON)
        wanted = read_json(body(self._limit), _asked, max_bytes=self._limit)
        by = self._access.by(principal, int(self._parts.clock().timestamp()))
        asked = quotas_of(wanted)
        made = self._desk.ask(merchant_id, wanted.kind, asked, wanted.reason, by)
        return json_answer(request_body(made), CREATED)

    def answer(self, request: str) -> Response:
        """Grant or refuse."""
        principal = self._access.official("examine")
        query()
        media_type(JSON)
        wanted = read_json(body(self._limit), _answer, max_bytes=self._limit)
        by = self._access.by(principal, int(self._parts.clock().timestamp()))
        found = self._desk.one(whole_number({"request": request}, "request", 0, LARGEST))
        granted = granted_of(found, quotas_of(wanted), granted=wanted.granted)
        made = self._desk.answer(found.id, wanted.version, granted, wanted.answer, by)
        return json_answer(request_body(made))

    def withdraw(self, request: str) -> Response:
        """Take back what one asked for."""
        principal, merchant_id = self._access.merchant("manage")
        query()
        id_ = whole_number({"request": request}, "request", 0, LARGEST)
        by = self._access.by(principal, int(self._parts.clock().timestamp()))
        return json_answer(request_body(self._desk.withdraw(id_, merchant_id, by)))


def granted_of(found: QuotaRequest, named: Quotas, *, granted: bool) -> Quotas | None:
    """What is granted: what was asked for, unless other limits are named; None for a refusal."""
    if not granted:
        return None
    return found.quotas if named == Quotas() else named
