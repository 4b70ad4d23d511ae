"""``/sign-in/provider``: by the bureau's provider of sign-ins, there and back."""

from typing import Final

from flask import Blueprint, Response, redirect, request
from werkzeug import Response as AnyResponse

from chain.errors import ConflictError, MalformedError, RefusedError, UnavailableError
from invoice_service.services.people.entrance import SignedIn
from invoice_service.services.people.oidc import WAY_SECONDS
from invoice_service.web.people.gate import Gate
from invoice_service.web.people.sign_in import onward_of

_WAY: Final = "provider"
"""The cookie that a browser keeps while it is there."""

_FOUND: Final = 303
_LONGEST: Final = 4096  # characters of a parameter that comes back


class ProviderPages:
    """There and back; what goes wrong is told on a page of its own."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._desk = gate.door.desk

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("provider", __name__, url_prefix="/sign-in/provider")
        routes.get("")(self.leave)
        routes.get("/back")(self.come_back)
        return routes

    def leave(self) -> AnyResponse:
        """Go there."""
        try:
            leaving = self._desk.provider.leave(onward_of(self._gate.asked("to")))
        except (RefusedError, UnavailableError) as problem:
            return self._gate.problem(problem)
        answer = redirect(leaving.url, _FOUND)
        answer.headers["Cache-Control"] = "no-store"
        return self._gate.keep(answer, _WAY, leaving.sealed, max_age=WAY_SECONDS)

    def come_back(self) -> AnyResponse:
        """Be signed in, or told why not; what the browser kept is used up."""
        asked = {name: text[:_LONGEST] for name, text in request.args.items()}
        try:
            if len(request.args) != sum(len(request.args.getlist(one)) for one in request.args):
                raise MalformedError("duplicate_parameter", "a parameter stands twice")
            known = self._desk.provider.come_back(asked, self._gate.kept(_WAY))
            signed = self._desk.entrance.by_provider(known, self._gate.visit(), self._gate.token())
        except (RefusedError, UnavailableError, ConflictError, MalformedError) as problem:
            return self._gate.keep(self._gate.problem(problem), _WAY, "", max_age=0)
        answer = self._gate.enter(signed, self._told(signed, known.to) if signed.told else known.to)
        return self._gate.keep(answer, _WAY, "", max_age=0)

    def _told(self, signed: SignedIn, to: str) -> Response:
        """That the role is another one, before going on: nobody else would say so."""
        return self._gate.page("people/role.html", signed=signed, to=request.root_path + to)
