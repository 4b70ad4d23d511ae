"""``/bureau/people``: the bureau's people, and what one proposes and another confirms."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from flask import Blueprint, Response
from werkzeug import Response as AnyResponse

from chain.errors import ConflictError, MalformedError, NotFoundError, Problem, RefusedError
from invoice_service.domain.acts import By, Said
from invoice_service.services.people.person import Person, Whose
from invoice_service.services.people.proposals import Actor, Grave, check_role
from invoice_service.services.people.roles import OFFICIALS
from invoice_service.services.people.sessions import Visitor
from invoice_service.web.bureau.navigation import bureau_page
from invoice_service.web.bureau.people_files import TABLES, people_and_proposals
from invoice_service.web.bureau.taking import Taking, files
from invoice_service.web.people.account import number_in
from invoice_service.web.people.gate import Gate

_TEMPLATE: Final = "bureau/people.html"
_SHOWN: Final = 50  # proposals, the newest
_FAULTS: Final = (MalformedError, RefusedError, NotFoundError, ConflictError)


class BureauPeople:
    """One administrator acts alone; where there are more, what is grave is proposed here."""

    def __init__(self, gate: Gate, taking: Taking) -> None:
        self._gate, self._taking = gate, taking
        self._desk = gate.door.desk
        self._staff, self._proposals = self._desk.staff, self._desk.proposals

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("bureau_people", __name__, url_prefix="/bureau")
        routes.get("/people")(self.show)
        routes.get("/people/file/<kind>")(self.file)
        routes.post("/people")(self.invite)
        routes.post("/people/<person>/invitation")(self.invite_again)
        routes.post("/people/<person>/role")(self.change_role)
        routes.post("/people/<person>/removal")(self.remove)
        routes.post("/people/<person>/suspension")(self.suspend)
        routes.post("/people/<person>/reinstatement")(self.reinstate)
        routes.post("/proposals/<proposal>/confirmation")(self.confirm)
        routes.post("/proposals/<proposal>/withdrawal")(self.withdraw)
        return routes

    def show(self) -> Response:
        """All of them."""
        return self._page(self._gate.official("staff"))

    def file(self, kind: str) -> Response:
        """All of them, and all that was ever proposed."""
        visitor = self._gate.official("staff")
        taken = people_and_proposals(self._proposals.store, self._desk.clock())
        return self._taking.answer(kind, visitor, taken, "people")

    def invite(self) -> AnyResponse:
        """Somebody new, or the proposal of it."""
        visitor, fields = self._head()
        said: Said = {name: fields.get(name, "") for name in ("name", "login", "role")}

        def alone() -> str:
            role = check_role(str(said["role"]))
            made = self._staff.invite(
                *(Whose(None), role, str(said["name"]), str(said["login"])),
                self._gate.by(visitor),
            )
            return made.token

        return self._grave(visitor, "invitation", "bureau", said, fields, alone)

    def invite_again(self, person: str) -> AnyResponse:
        """Void what lets somebody in, and invite anew."""
        visitor, fields, found = self._one(person)

        def alone() -> str:
            return self._staff.invite_again(found, self._gate.by(visitor)).token

        return self._grave(visitor, "reinvitation", f"person:{found.id}", {}, fields, alone)

    def change_role(self, person: str) -> AnyResponse:
        """Another role."""
        visitor, fields, found = self._one(person)
        said: Said = {"role": fields.get("role", "")}

        def alone() -> str:
            role = check_role(str(said["role"]))
            self._staff.change_role(found, role, self._gate.by(visitor), fields.get("reason", ""))
            return ""

        return self._grave(visitor, "role", f"person:{found.id}", said, fields, alone)

    def remove(self, person: str) -> AnyResponse:
        """Never again."""
        visitor, fields, found = self._one(person)

        def alone() -> str:
            self._staff.remove(found, self._gate.by(visitor), fields.get("reason", ""))
            return ""

        return self._grave(visitor, "removal", f"person:{found.id}", {}, fields, alone)

    def suspend(self, person: str) -> AnyResponse:
        """Out at once: one is enough for that."""
        visitor, fields, found = self._one(person)
        return self._standing(visitor, found, fields, "suspension", self._staff.suspend)

    def reinstate(self, person: str) -> AnyResponse:
        """In again."""
        visitor, fields, found = self._one(person)
        return self._standing(visitor, found, fields, "reinstatement", self._staff.reinstate)

    def confirm(self, proposal: str) -> AnyResponse:
        """Do what somebody else has proposed."""
        visitor, _ = self._head()
        number = number_in(proposal, "proposal_unknown")
        try:
            done = self._proposals.confirm(number, self._actor(visitor))
        except _FAULTS as problem:
            return self._page(visitor, problem)
        return self._page(visitor, token=done.token) if done.token else self._back()

    def withdraw(self, proposal: str) -> AnyResponse:
        """Not to be done."""
        visitor, _ = self._head()
        number = number_in(proposal, "proposal_unknown")
        return self._done(visitor, lambda: self._proposals.withdraw(number, self._actor(visitor)))

    def _head(self) -> tuple[Visitor, dict[str, str]]:
        return self._gate.official("people"), self._gate.fields()

    def _one(self, person: str) -> tuple[Visitor, dict[str, str], Person]:
        """Whom a form is about: nobody changes their own place."""
        visitor, fields = self._head()
        found = self._staff.of(Whose(None), number_in(person, "person_unknown"))
        if found.id == visitor.person.id:
            raise RefusedError("role_required", "nobody changes their own place")
        return visitor, fields, found

    def _actor(self, visitor: Visitor) -> Actor:
        return Actor(self._gate.by(visitor), visitor.person.id)

    def _grave(
        self,
        visitor: Visitor,
        kind: Grave,
        subject: str,
        said: Said,
        fields: dict[str, str],
        alone: Callable[[], str],
    ) -> AnyResponse:
        """Do it, where one is enough, or propose it."""
        try:
            if self._proposals.in_force():
                reason = fields.get("reason", "")
                self._proposals.propose(kind, subject, said, reason, self._actor(visitor))
                return self._back()
            token = alone()
        except _FAULTS as problem:
            person = subject.removeprefix("person:")
            at = "why-new" if kind == "invitation" else f"why-{kind}{person}"
            return self._page(visitor, problem, typed={**fields, "at": at})
        return self._page(visitor, token=token) if token else self._back()

    def _standing(
        self,
        visitor: Visitor,
        found: Person,
        fields: dict[str, str],
        at: str,
        act: Callable[[Person, By, str], None],
    ) -> AnyResponse:
        """Whether somebody is let in, and why."""
        try:
            act(found, self._gate.by(visitor), fields.get("reason", ""))
        except _FAULTS as problem:
            typed = {**fields, "at": f"why-{at}{found.id}"}
            return self._page(visitor, problem, typed=typed)
        return self._back()

    def _done(self, visitor: Visitor, act: Callable[[], object]) -> AnyResponse:
        try:
            act()
        except _FAULTS as problem:
            return self._page(visitor, problem)
        return self._back()

    def _back(self) -> AnyResponse:
        return self._gate.go("/bureau/people")

    def _page(
        self,
        visitor: Visitor,
        problem: Problem | None = None,
        token: str = "",
        typed: Mapping[str, str] = MappingProxyType({}),
    ) -> Response:
        """``typed`` is what a refused form said, and ``at`` the name of its field for a reason."""
        people = self._staff.store.people(None)
        now = self._desk.clock()
        store = self._proposals.store
        waiting = store.open_proposals(now)
        decided = [(one, one.seen(now)) for one in store.proposals(0, _SHOWN)]
        named = {who for one in waiting for who in (one.actor, one.subject)}
        named |= {who for one, _ in decided for who in (one.actor, one.subject, one.decided_by)}
        values: dict[str, Any] = {
            "people": people,
            "names": store.called(named),
            "roles": OFFICIALS,
            "may": visitor.has("people"),
            "two": self._proposals.in_force(),
            "waiting": waiting,
            "decided": [(one, state) for one, state in decided if state != "open"],
            "typed": typed,
            "files": files("bureau_people.file", {}, TABLES),
            "link": token and f"{self._gate.door.public_url}/invitation/{token}",
        }
        return bureau_page(self._gate, _TEMPLATE, problem, **values)
