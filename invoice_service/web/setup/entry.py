"""Who is let in to set up: the one browser in which the code was shown.

Everybody else is asked for the code, and learns nothing of how far it is. A page that is only
looked at uses nothing up: programs look at links that are sent around.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Protocol

from flask import Blueprint, Response, current_app, request
from werkzeug import Response as AnyResponse

from chain.errors import Problem, RefusedError
from invoice_service.config import Config
from invoice_service.domain.acts import By
from invoice_service.services.issuing.issue import Issuer, Merchants
from invoice_service.services.people.setup import ACTOR, STEPS, Setup, Standing, setup_over
from invoice_service.services.people.tries import PAIR, Tries
from invoice_service.services.ports import InvoiceReader, PrintStore
from invoice_service.web.people.gate import Gate

COOKIE: Final = "setup"
TILL: Final = "/till/"
_CODE: Final = "setup/code.html"
_SECONDS: Final = 4 * 3600


class SetupStore(InvoiceReader, PrintStore, Merchants, Protocol):
    """The store, as far as these pages read it themselves."""


class SetupParts(Protocol):
    """An open instance."""

    @property
    def config(self) -> Config: ...

    @property
    def store(self) -> SetupStore: ...

    @property
    def issuer(self) -> Issuer: ...

    @property
    def clock(self) -> Callable[[], datetime]: ...

    @property
    def randbytes(self) -> Callable[[int], bytes]: ...


class CodeNeededError(RefusedError):
    """This browser has not shown the code."""

    def __init__(self) -> None:
        super().__init__("setup_code_refused", "show the code first")


def home() -> str:
    """Where an owner works."""
    places = {str(rule) for rule in current_app.url_map.iter_rules()}
    return TILL if TILL in places else "/account"


class SetupGate:
    """The way in, and what every step's page has."""

    def __init__(self, parts: SetupParts, setup: Setup, gate: Gate) -> None:
        self.parts = parts
        self.gate = gate
        self.setup = setup
        self._tries = Tries("setup", PAIR, gate.door.desk.counts)

    def add_to(self, routes: Blueprint) -> None:
        """The way in, and where what goes wrong is said."""
        routes.get("", strict_slashes=False)(self.show)
        routes.post("", strict_slashes=False)(self.enter)
        routes.register_error_handler(CodeNeededError, lambda _: self.gate.go("/setup"))
        for fault in Gate.FAULTS:
            routes.register_error_handler(fault, self.gate.problem)

    def show(self) -> AnyResponse:
        """The form for the code; who is in goes on where it is to be gone on."""
        if self._is_in():
            return self.go_on()
        self._be_open()
        return self.gate.page(_CODE, code=request.args.get("code", "")[:40])

    def enter(self) -> AnyResponse:
        """With the code."""
        self._be_open()
        fields = self.gate.fields()
        try:
            self._tries.take(self.gate.site())
            token = self.setup.enter(fields.get("code", ""), self.by())
        except RefusedError as problem:
            return self.gate.again(_CODE, problem, code="")
        return self.gate.keep(self.go_on(), COOKIE, token, max_age=_SECONDS)

    def by(self) -> By:
        """Who acts, as the trail has it."""
        return By(ACTOR, self.gate.door.desk.clock(), self.gate.visit().origin)

    def standing(self) -> Standing:
        """How far it is, for the browser that was let in; others get CodeNeededError."""
        if not self._is_in():
            self._be_open()
            raise CodeNeededError
        return self.setup.standing()

    def go_on(self) -> AnyResponse:
        """The first step that is not done; the first of all tells the address, too."""
        step = self.setup.standing().step
        return self.gate.go(f"/setup/{'address' if step == 'administrator' else step}")

    def page(self, template: str, found: Standing, **values: Any) -> Response:  # noqa: ANN401 # whatever a template shows
        """A page of a step."""
        return self.gate.page(f"setup/{template}.html", found=found, steps=STEPS, **values)

    def again(
        self,
        template: str,
        found: Standing,
        problem: Problem,
        **values: Any,  # noqa: ANN401 # likewise
    ) -> Response:
        """The same page with what was wrong, and what was typed."""
        return self.gate.again(
            f"setup/{template}.html", problem, found=found, steps=STEPS, **values
        )

    def _is_in(self) -> bool:
        token = self.gate.kept(COOKIE)
        return bool(token) and self.setup.door.holds(token)

    def _be_open(self) -> None:
        if not self.setup.door.is_open():
            raise setup_over()
