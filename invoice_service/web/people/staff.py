"""``/people``: who works for a merchant; inviting, roles, leaving."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from flask import Blueprint, Response, request
from werkzeug import Response as AnyResponse

from chain.errors import ConflictError, MalformedError, NotFoundError, Problem, RefusedError
from invoice_service.services.people.person import (
    MERCHANTS,
    PERSON_ROLES,
    Person,
    PersonRole,
    Whose,
)
from invoice_service.services.people.roles import with_power
from invoice_service.services.people.sessions import Visitor
from invoice_service.services.people.staff import Invited, may_manage
from invoice_service.web.people.account import number_in
from invoice_service.web.people.gate import Gate

_PEOPLE: Final = "people/staff.html"


class StaffPages:
    """For owners: the people of their merchant. For administrators: any merchant's."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._staff = gate.door.desk.staff

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("staff", __name__, url_prefix="/people")
        routes.get("")(self.show)
        routes.post("")(self.invite)
        routes.post("/<person>/invitation")(self.invite_again)
        routes.post("/<person>/role")(self.change_role)
        routes.post("/<person>/removal")(self.remove)
        return routes

    def show(self) -> AnyResponse:
        """All of them; the bureau's own have a page with more."""
        visitor = self._gate.person("owner", *with_power("staff"))
        if visitor.person.merchant_id is None and not self._gate.asked("merchant"):
            return self._gate.go("/bureau/people")
        return self._page(visitor, self._whose(visitor, self._gate.asked("merchant")))

    def invite(self) -> AnyResponse:
        """Somebody new."""
        visitor, fields = self._visitor(), self._gate.fields()
        whose = self._whose(visitor, fields.get("merchant", ""))
        try:
            invited = self._staff.invite(
                whose,
                self._role(visitor, fields.get("role", "")),
                fields.get("name", ""),
                fields.get("login", ""),
                self._gate.by(visitor),
            )
        except (MalformedError, ConflictError) as problem:
            return self._page(visitor, whose, problem=problem, typed=fields)
        return self._page(visitor, whose, invited=invited)

    def invite_again(self, person: str) -> AnyResponse:
        """Void what lets somebody in, and invite anew."""
        visitor, whose, found = self._one(person)
        invited = self._staff.invite_again(found, self._gate.by(visitor))
        return self._page(visitor, whose, invited=invited)

    def change_role(self, person: str) -> AnyResponse:
        """Another role."""
        visitor, whose, found = self._one(person)
        role = self._role(visitor, request.form.get("role", ""))
        try:
            self._staff.change_role(found, role, self._gate.by(visitor))
        except (MalformedError, ConflictError) as problem:
            return self._page(visitor, whose, problem=problem)
        return self._back(whose)

    def remove(self, person: str) -> AnyResponse:
        """Never again."""
        visitor, whose, found = self._one(person)
        try:
            self._staff.remove(found, self._gate.by(visitor))
        except ConflictError as problem:
            return self._page(visitor, whose, problem=problem)
        return self._back(whose)

    def _visitor(self) -> Visitor:
        return self._gate.person("owner", *with_power("people"))

    def _whose(self, visitor: Visitor, named: str) -> Whose:
        """Whose people are meant: an owner's own, whatever is named; else the one named.

        Never the bureau's, for which two are needed (``web.bureau``).
        """
        person = visitor.person
        if person.merchant_id is not None:
            return Whose(person.merchant_id)
        merchant_id = number_in(named, "merchant_unknown")
        if not self._gate.door.is_merchant(merchant_id):
            raise NotFoundError("merchant_unknown", "there is no such merchant")
        return Whose(merchant_id)

    def _one(self, person: str) -> tuple[Visitor, Whose, Person]:
        """The person whom a form is about; nobody changes themselves here.

        NotFoundError ``person_unknown``, RefusedError ``role_required``.
        """
        visitor, fields = self._visitor(), self._gate.fields()
        whose = self._whose(visitor, fields.get("merchant", ""))
        found = self._staff.of(whose, number_in(person, "person_unknown"))
        if not may_manage(visitor.person, found.role) or found.id == visitor.person.id:
            raise RefusedError("role_required", "somebody else has to change this")
        return visitor, whose, found

    def _role(self, visitor: Visitor, text: str) -> PersonRole:
        for role in PERSON_ROLES:
            if role == text and may_manage(visitor.person, role):
                return role
        raise MalformedError("role_of_another", "this role is not yours to give", pointer="/role")

    def _back(self, whose: Whose) -> AnyResponse:
        merchant = "" if whose.merchant_id is None else f"?merchant={whose.merchant_id}"
        return self._gate.go(f"/people{merchant}")

    def _page(
        self,
        visitor: Visitor,
        whose: Whose,
        *,
        problem: Problem | None = None,
        invited: Invited | None = None,
        typed: Mapping[str, str] = MappingProxyType({}),
    ) -> Response:
        """``typed`` is what a refused form said."""
        theirs = whose.merchant_id is not None
        values: dict[str, Any] = {
            "typed": typed,
            "people": self._staff.store.people(whose.merchant_id),
            "whose": whose,
            "roles": [
                role
                for role in PERSON_ROLES
                if may_manage(visitor.person, role) and (role in MERCHANTS) == theirs
            ],
            "invited": invited,
            "link": invited and f"{self._gate.door.public_url}/invitation/{invited.token}",
        }
        if problem is None:
            return self._gate.page(_PEOPLE, **values)
        if visitor.person.merchant_id is None:  # an official's address says whose people
            values["here"] = f"/people?merchant={whose.merchant_id}"
        return self._gate.again(_PEOPLE, problem, **values)
