"""``/sign-in``: with a name and a password, then a second factor; or with a passkey. And out."""

import re
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

from flask import Blueprint, Response
from werkzeug import Response as AnyResponse

from chain.errors import RefusedError, UnavailableError
from invoice_service.web.people.gate import Gate

HOME: Final = "/account"
_SIGN_IN: Final = "people/sign_in.html"
_SECOND: Final = "people/second.html"
_OURS: Final = re.compile(r"/(?![/\\])[\w./-]{0,200}(\?[\w=&-]{0,100})?", re.ASCII)


class SignInPages:
    """The way in, and out."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._desk = gate.door.desk

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("sign_in", __name__)
        routes.get("/sign-in")(self.show)
        routes.post("/sign-in")(self.by_password)
        routes.post("/sign-in/passkey")(self.by_passkey)
        routes.get("/sign-in/second")(self.second)
        routes.post("/sign-in/second")(self.by_code)
        routes.post("/sign-out")(self.sign_out)
        return routes

    def show(self) -> Response:
        """The form."""
        farewell = ""
        if self._gate.asked("left") and self._desk.provider.is_on:
            with suppress(UnavailableError):
                farewell = self._desk.provider.farewell()
        onward = onward_of(self._gate.asked("to"))
        return self._gate.page(_SIGN_IN, **self._asked(), onward=onward, farewell=farewell)

    def by_password(self) -> AnyResponse:
        """With a name and a password."""
        fields = self._gate.fields()
        onward = onward_of(fields.get("to"))
        try:
            signed = self._desk.entrance.by_password(
                fields.get("login", ""),
                fields.get("password", ""),
                self._gate.visit(),
                self._gate.site(),
                mark=self._gate.mark(),
                old=self._gate.token(),
            )
        except (RefusedError, UnavailableError) as problem:
            login = fields.get("login", "")
            return self._gate.again(_SIGN_IN, problem, **self._asked(), login=login, onward=onward)
        if signed.level == "half":
            return self._gate.enter(signed, f"/sign-in/second?to={quote(onward)}")
        return self._gate.enter(signed, onward)

    def by_passkey(self) -> AnyResponse:
        """With a passkey; as the second factor, or alone."""
        fields = self._gate.fields()
        onward = onward_of(fields.get("to"))
        try:
            signed = self._desk.entrance.by_passkey(
                fields.get("asked", ""),
                fields.get("answer", ""),
                self._gate.visit(),
                self._gate.site(),
                self._gate.token(),
            )
        except RefusedError as problem:
            return self._gate.again(_SIGN_IN, problem, **self._asked(), onward=onward)
        return self._gate.enter(signed, onward)

    def second(self) -> AnyResponse:
        """The form for the second factor; nobody begins here."""
        visitor = self._gate.visitor()
        if visitor is None or visitor.whole:
            return self._gate.go("/sign-in")
        return self._gate.page(_SECOND, **self._asked(), onward=onward_of(self._gate.asked("to")))

    def by_code(self) -> AnyResponse:
        """With a one-time code, or a recovery code; nobody begins here."""
        visitor = self._gate.visitor()
        if visitor is None or visitor.whole:
            return self._gate.go("/sign-in")
        fields = self._gate.fields()
        onward = onward_of(fields.get("to"))
        try:
            signed = self._desk.entrance.by_code(
                visitor,
                fields.get("code", ""),
                self._gate.visit(),
                self._gate.site(),
                self._gate.token(),
            )
        except RefusedError as problem:
            return self._gate.again(_SECOND, problem, **self._asked(), onward=onward)
        return self._gate.enter(signed, onward)

    def sign_out(self) -> AnyResponse:
        """Sign out here; who is signed in nowhere is as well off."""
        self._gate.fields()
        visitor = self._gate.visitor()
        if visitor is not None:
            self._desk.entrance.leave(visitor, self._gate.visit())
            if visitor.person.subject is not None and self._desk.provider.is_on:
                return self._gate.leave("/sign-in?left=provider")
        return self._gate.leave("/sign-in")

    def _asked(self) -> dict[str, Any]:
        return {"asked": self._desk.passkeys.ask(), "provider": self._desk.provider.is_on}


def onward_of(path: str | None) -> str:
    """Where to go on: an address of ours, or home."""
    return path if path and _OURS.fullmatch(path) else HOME
