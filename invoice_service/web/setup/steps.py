"""The steps before the first sale: the address, administrator, merchant, owner and till."""

from functools import partial
from typing import Any, Final

from flask import Blueprint, Response
from werkzeug import Response as AnyResponse

from chain.errors import ConflictError, MalformedError
from invoice_service.config import Config, env_name, load
from invoice_service.domain.merchant import districts, industries
from invoice_service.services.people.setup import Named, Standing, Step, typed_merchant
from invoice_service.web.setup.entry import SetupGate

_CATERING: Final = "62"
"""The division of GB/T 4754 whose industries stand first."""

_FORMS: Final[tuple[Step, ...]] = ("administrator", "merchant", "owner")
_SECRETS: Final = frozenset({"password"})
_PUBLIC_URL: Final = env_name("service", "public_url")


class StepPages:
    """One page a step; what was done elsewhere meanwhile leads on to the next."""

    def __init__(self, entry: SetupGate) -> None:
        self._entry = entry
        self._setup = entry.setup

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.get("/address")(self.address)
        routes.post("/address")(self.change_address)
        for step in _FORMS:
            routes.get(f"/{step}", endpoint=f"form_{step}")(partial(self._show, step))
        routes.post("/administrator")(self.administrator)
        routes.post("/merchant")(self.merchant)
        routes.post("/owner")(self.owner)

    def address(self) -> AnyResponse:
        """What QR codes say for as long as invoices are kept, and what the log is named."""
        return self._entry.page("address", self._entry.standing(), **self._place())

    def change_address(self) -> AnyResponse:
        """Have the instance made anew under another address, where it is gone on with."""
        found, fields = self._entry.standing(), self._entry.gate.fields()
        now, typed = self._entry.parts.config, fields.get("address", "").strip().rstrip("/")
        if typed == now.service.public_url:
            return self._entry.gate.go("/setup/administrator")
        try:
            wanted = _config_of(typed)
            code = self._setup.change_address(typed)
        except (MalformedError, ConflictError) as problem:
            shown = {**self._place(), "typed": typed[:200]}
            return self._entry.again("address", found, problem, **shown)
        origin = now.log.origin or wanted.log_origin
        return self._entry.page("moved", found, public_url=typed, origin=origin, code=code)

    def _place(self) -> dict[str, Any]:
        """Where the instance is now, and whether that can be changed here."""
        config = self._entry.parts.config
        return {
            "public_url": config.service.public_url,
            "origin": config.log_origin,
            "here_only": config.is_here_only,
            "heard": self._setup.door.is_heard(),
            "typed": "",
        }

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


def _config_of(url: str) -> Config:
    """The settings with this address; MalformedError ``address_invalid``."""
    try:
        return load(None, {_PUBLIC_URL: url})
    except MalformedError as problem:
        raise MalformedError("address_invalid", problem.detail, pointer="/address") from None


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
