"""Who may sign in, for programs: a merchant's own people; for officials, anybody's."""

from datetime import UTC, datetime
from typing import Final

import msgspec
from flask import Blueprint, Response

from chain.entry import format_time
from chain.errors import RefusedError
from invoice_service.api.access import Access
from invoice_service.api.answers import JSON, json_answer
from invoice_service.api.looking import Looking
from invoice_service.api.merchants.register import CREATED, reason_if_any
from invoice_service.api.parts import Parts
from invoice_service.api.people.contract import PersonBody, PersonList, PersonRequest, RoleRequest
from invoice_service.api.requests import body, media_type, query, whole_number
from invoice_service.domain.acts import By
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.reading import read_json
from invoice_service.services.people import admit
from invoice_service.services.people.person import Person, Whose
from invoice_service.services.people.roles import Power
from invoice_service.services.people.sign_in import require_official, scoped

_person: Final = msgspec.json.Decoder(PersonRequest)
_role: Final[msgspec.json.Decoder[RoleRequest]] = msgspec.json.Decoder(RoleRequest)


def people_blueprint(parts: Parts) -> Blueprint:
    """Everything below ``/v1/people``; a key for managing is needed throughout."""
    return PeopleCalls(parts).blueprint()


class PeopleCalls:
    """Inviting, letting in again, removing."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._access = Access(parts.store, parts.clock)
        self._looking = Looking(parts)
        self._limit = parts.config.limits.body_bytes
        self._base = f"{parts.config.service.public_url}/invitation/"

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("people", __name__, url_prefix="/v1/people")
        routes.get("")(self.listing)
        routes.post("")(self.invite)
        routes.post("/<person>/invitation")(self.invite_again)
        routes.delete("/<person>")(self.remove)
        routes.put("/<person>/role")(self.change_role)
        routes.post("/<person>/suspension")(self.suspend)
        routes.delete("/<person>/suspension")(self.reinstate)
        return routes

    def listing(self) -> Response:
        """All of them."""
        whose, _ = self._manager("staff")
        if whose.merchant_id is not None:
            self._looking.at(self._access.known(), f"merchant:{whose.merchant_id}", "file")
        found = self._parts.store.people(whose.merchant_id)
        return json_answer(PersonList([_body(person) for person in found]))

    def invite(self) -> Response:
        """Somebody new."""
        whose, by = self._manager("people")
        self._alone(whose)
        media_type(JSON)
        wanted = read_json(body(self._limit), _person, max_bytes=self._limit)
        made = self._parts.people.staff.invite(whose, wanted.role, wanted.name, wanted.login, by)
        return json_answer(_body(made.person, self._base + made.token), CREATED)

    def invite_again(self, person: str) -> Response:
        """Void what lets somebody in, and invite anew."""
        whose, by = self._manager("people")
        found = self._another(whose, person)
        self._alone(whose)
        made = self._parts.people.staff.invite_again(found, by)
        return json_answer(_body(made.person, self._base + made.token), CREATED)

    def remove(self, person: str) -> Response:
        """Never again."""
        whose, by = self._manager("people")
        reason = reason_if_any(self._limit)
        found = self._another(whose, person)
        self._alone(whose)
        self._parts.people.staff.remove(found, by, reason)
        return json_answer(_body(self._one(whose, person)))

    def change_role(self, person: str) -> Response:
        """Another role."""
        whose, by = self._manager("people")
        media_type(JSON)
        wanted = read_json(body(self._limit), _role, max_bytes=self._limit)
        found = self._another(whose, person)
        self._alone(whose)
        self._parts.people.staff.change_role(found, wanted.role, by, wanted.reason)
        return json_answer(_body(self._one(whose, person)))

    def suspend(self, person: str) -> Response:
        """Out at once."""
        by = self._head()
        reason = reason_if_any(self._limit)
        self._parts.people.staff.suspend(self._another(Whose(None), person), by, reason)
        return json_answer(_body(self._one(Whose(None), person)))

    def reinstate(self, person: str) -> Response:
        """In again."""
        by = self._head()
        reason = reason_if_any(self._limit)
        self._parts.people.staff.reinstate(self._another(Whose(None), person), by, reason)
        return json_answer(_body(self._one(Whose(None), person)))

    def _head(self) -> By:
        principal = self._access.official("people")
        query()
        return self._access.by(principal, int(self._parts.clock().timestamp()))

    def _alone(self, whose: Whose) -> None:
        """For the bureau's own people it may take two; ConflictError ``two_needed``."""
        if whose.merchant_id is None:
            self._parts.people.proposals.alone()

    def _another(self, whose: Whose, person: str) -> Person:
        """Not whoever holds the key; RefusedError ``role_required``."""
        found = self._one(whose, person)
        if found.id == self._access.known().person:
            raise RefusedError("role_required", "nobody changes their own place")
        return found

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
