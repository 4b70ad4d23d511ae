"""Who may sign in, for programs: a merchant's own people; for officials, anybody's."""

from datetime import UTC, datetime
from typing import Final

import msgspec
from flask import Blueprint, Response

from chain.entry import format_time
from invoice_service.api.access import Access
from invoice_service.api.answers import JSON, json_answer
from invoice_service.api.merchants.register import CREATED
from invoice_service.api.parts import Parts
from invoice_service.api.people.contract import PersonBody, PersonList, PersonRequest
from invoice_service.api.requests import body, media_type, query, whole_number
from invoice_service.domain.acts import By
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.reading import read_json
from invoice_service.services.people import admit
from invoice_service.services.people.person import Person, Whose
from invoice_service.services.people.roles import Power
from invoice_service.services.people.sign_in import require_official, scoped

_person: Final = msgspec.json.Decoder(PersonRequest)


def people_blueprint(parts: Parts) -> Blueprint:
    """Everything below ``/v1/people``; a key for managing is needed throughout."""
    return PeopleCalls(parts).blueprint()


class PeopleCalls:
    """Inviting, letting in again, removing."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._access = Access(parts.store, parts.clock)
        self._limit = parts.config.limits.body_bytes
        self._base = f"{parts.config.service.public_url}/invitation/"

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("people", __name__, url_prefix="/v1/people")
        routes.get("")(self.listing)
        routes.post("")(self.invite)
        routes.post("/<person>/invitation")(self.invite_again)
        routes.delete("/<person>")(self.remove)
        return routes

    def listing(self) -> Response:
        """All of them."""
        whose, _ = self._manager("staff")
        found = self._parts.store.people(whose.merchant_id)
        return json_answer(PersonList([_body(person) for person in found]))

    def invite(self) -> Response:
        """Somebody new."""
        whose, by = self._manager("people")
        media_type(JSON)
        wanted = read_json(body(self._limit), _person, max_bytes=self._limit)
        made = self._parts.people.staff.invite(whose, wanted.role, wanted.name, wanted.login, by)
        return json_answer(_body(made.person, self._base + made.token), CREATED)

    def invite_again(self, person: str) -> Response:
        """Void what lets somebody in, and invite anew."""
        whose, by = self._manager("people")
        made = self._parts.people.staff.invite_again(self._one(whose, person), by)
        return json_answer(_body(made.person, self._base + made.token), CREATED)

    def remove(self, person: str) -> Response:
        """Never again."""
        whose, by = self._manager("people")
        staff = self._parts.people.staff
        staff.remove(self._one(whose, person), by)
        return json_answer(_body(self._one(whose, person)))

    def _manager(self, power: Power) -> tuple[Whose, By]:
        """Whose people are meant, and who asks; a merchant's are its own."""
        principal = self._access.known()
        if principal.role == "official":
            require_official(principal, power)
        scoped(principal, "manage")
        asked = query("merchant")
        by = self._access.by(principal, int(self._parts.clock().timestamp()))
        if "merchant" not in asked:
            return Whose(principal.merchant_id), by
        require_official(principal, power)
        merchant_id = whole_number(asked, "merchant", 0, LARGEST)
        return Whose(admit.get_merchant(self._parts.store, merchant_id).merchant.id), by

    def _one(self, whose: Whose, person: str) -> Person:
        number = whole_number({"person": person}, "person", 0, LARGEST)
        return self._parts.people.staff.of(whose, number)


def _body(person: Person, invitation: str | None = None) -> PersonBody:
    return PersonBody(
        id=person.id,
        login=person.login,
        name=person.name,
        role=person.role,
        state=person.state,
        merchant=person.merchant_id,
        created_at=format_time(datetime.fromtimestamp(person.created_at, UTC)),
        invitation=invitation,
    )
