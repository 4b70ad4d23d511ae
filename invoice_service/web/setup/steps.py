"""The steps before the first sale: the address, administrator, merchant, owner and till."""

from functools import partial
from typing import Any, Final

from flask import Blueprint, Response
from werkzeug import Response as AnyResponse

from chain.errors import ConflictError, MalformedError
from invoice_service.domain.merchant import districts, industries
from invoice_service.services.people.setup import Named, Standing, Step, typed_merchant
from invoice_service.web.setup.entry import SetupGate

_CATERING: Final = "62"
"""The division of GB/T 4754 whose industries stand first."""

_FORMS: Final[tuple[Step, ...]] = ("administrator", "merchant", "owner")
_SECRETS: Final = frozenset({"password"})


class StepPages:
    """One page a step; what was done elsewhere meanwhile leads on to the next."""

    def __init__(self, entry: SetupGate) -> None:
        self._entry = entry
        self._setup = entry.setup

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.get("/address")(self.address)
        for step in _FORMS:
            routes.get(f"/{step}", endpoint=f"form_{step}")(partial(self._show, step))
        routes.post("/administrator")(self.administrator)
        routes.post("/merchant")(self.merchant)
        routes.post("/owner")(self.owner)

    def address(self) -> AnyResponse:
        """What QR codes say for as long as invoices are kept, and what the log is named."""
        config = self._entry.parts.config
        return self._entry.page(
            "address",
            self._entry.standing(),
            public_url=config.service.public_url,
            origin=config.log_origin,
            here_only=config.is_here_only,
        )

    def administrator(self) -> AnyResponse:
        """The bureau's first."""
        found, fields = self._entry.standing(), self._entry.gate.fields()
        try:
            self._setup.administrator(_named(fields), self._entry.by())
        except MalformedError as problem:
            return self._entry.again("administrator", found, problem, typed=_typed(fields))
        except ConflictError:  # in another tab
            return self._entry.go_on()
        return self._entry.go_on()

    def merchant(self) -> AnyResponse:
        """The first merchant."""
        found, fields = self._entry.standing(), self._entry.gate.fields()
        try:
            request = typed_merchant(fields, compared="compared" in fields)
            self._setup.merchant(request, self._entry.by())
        except MalformedError as problem:
            return self._entry.again("merchant", found, problem, **_places(), typed=_typed(fields))
        except ConflictError:
            return self._entry.go_on()
        return self._entry.go_on()

    def owner(self) -> AnyResponse:
        """Its owner and first till; who has set the password is signed in from here on."""
        found, fields = self._entry.standing(), self._entry.gate.fields()
        try:
            who, till = _named(fields), fields.get("till", "").strip()
            person, key = self._setup.owner(who, till, self._entry.by())
        except MalformedError as problem:
            return self._entry.again("owner", found, problem, typed=_typed(fields))
        except ConflictError:
            return self._entry.go_on()
        gate = self._entry.gate
        signed = gate.door.desk.entrance.by_password(
            *(person.login, who.password, gate.visit(), gate.site()), mark=gate.mark()
        )
        shown = self._entry.page("till", self._setup.standing(), login=person.login, key=key)
        return gate.enter(signed, shown)

    def _show(self, step: Step) -> AnyResponse:
        found = self._entry.standing()
        if found.step != step:
            return self._entry.go_on()
        return self._page(step, found)

    def _page(self, step: Step, found: Standing) -> Response:
        more = _places() if step == "merchant" else {}
        return self._entry.page(step, found, typed={}, **more)


def _named(fields: dict[str, str]) -> Named:
    texts = (fields.get(name, "") for name in ("name", "login", "password"))
    return Named(*texts)


def _places() -> dict[str, Any]:
    """The industries, those of restaurants first, and the districts."""
    found = industries()
    catering = [place for code, place in found.items() if code.startswith(_CATERING)]
    others = [place for code, place in found.items() if not code.startswith(_CATERING)]
    return {"catering": catering, "others": others, "districts": districts().values()}


def _typed(fields: dict[str, str]) -> dict[str, str]:
    """What is shown again."""
    return {name: text for name, text in fields.items() if name not in _SECRETS}
