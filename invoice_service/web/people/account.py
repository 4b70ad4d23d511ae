"""``/account``: one's own password, second factor, passkeys, PIN, and where one is signed in."""

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, Response
from markupsafe import Markup
from werkzeug import Response as AnyResponse

from chain.errors import MalformedError, NotFoundError, Problem, RefusedError, UnavailableError
from invoice_service.documents.qr import qr_svg
from invoice_service.services.people.factors import check_secret
from invoice_service.services.people.sessions import Level, Visitor
from invoice_service.web.people.gate import Gate

_ACCOUNT: Final = "people/account.html"
_TOTP: Final = "people/totp.html"
_CODES: Final = "people/codes.html"
_LARGEST_ID: Final = 15  # digits

Drop = Callable[[Visitor], None]


class AccountPages:
    """What anybody may change of their own; what matters asks for the password again."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._desk = gate.door.desk

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("account", __name__, url_prefix="/account")
        routes.get("")(self.show)
        routes.post("/password")(self.password)
        routes.post("/pin")(self.pin)
        routes.get("/totp")(self.offer_totp)
        routes.post("/totp")(self.enable_totp)
        routes.post("/totp/removal")(self.disable_totp)
        routes.post("/recovery")(self.recovery)
        routes.post("/passkeys")(self.add_passkey)
        routes.post("/passkeys/<passkey>/removal")(self.remove_passkey)
        routes.post("/sessions/<session>/end")(self.end_session)
        routes.post("/sessions/end")(self.end_sessions)
        return routes

    def show(self) -> Response:
        """All of it."""
        return self._page(self._gate.themselves())

    def password(self) -> AnyResponse:
        """Another password; signed in is then only this browser."""
        visitor, fields = self._gate.themselves(), self._gate.fields()
        try:
            self._confirm(visitor, fields)
            self._desk.staff.change_password(
                visitor.person, fields.get("new", ""), self._gate.visit(), self._desk.clock()
            )
        except (MalformedError, RefusedError, UnavailableError) as problem:
            return self._page(visitor, problem)
        return self._renewed(visitor)

    def pin(self) -> AnyResponse:
        """Another PIN, or none."""
        visitor, fields = self._gate.themselves("owner", "cashier"), self._gate.fields()
        try:
            self._confirm(visitor, fields)
            self._desk.staff.change_pin(
                visitor.person, fields.get("pin", ""), self._gate.visit(), self._desk.clock()
            )
        except (MalformedError, RefusedError, UnavailableError) as problem:
            return self._page(visitor, problem)
        return self._gate.go("/account")

    def offer_totp(self) -> Response:
        """A fresh secret, to be scanned."""
        return self._offer(self._gate.themselves(), "")

    def enable_totp(self) -> AnyResponse:
        """Take it, once its code is right."""
        visitor, fields = self._gate.themselves(), self._gate.fields()
        secret = check_secret(fields.get("secret", ""))
        try:
            self._confirm(visitor, fields)
            codes = self._desk.factors.enable(
                visitor.person, secret, fields.get("code", ""), self._gate.visit()
            )
        except (RefusedError, UnavailableError) as problem:
            return self._offer(visitor, secret, problem)
        token = self._desk.sessions.renew(visitor, "strong")
        return self._gate.renewed(self._gate.page(_CODES, codes=codes), token)

    def disable_totp(self) -> AnyResponse:
        """No one-time codes any more."""
        return self._without(lambda v: self._desk.factors.disable(v.person, self._gate.visit()))

    def recovery(self) -> AnyResponse:
        """Other recovery codes, shown now only."""
        visitor, fields = self._gate.themselves(), self._gate.fields()
        try:
            self._confirm(visitor, fields)
        except (RefusedError, UnavailableError) as problem:
            return self._page(visitor, problem)
        if visitor.person.totp is None:
            return self._gate.go("/account")
        codes = self._desk.factors.renew_recovery(visitor.person, self._gate.visit())
        return self._gate.page(_CODES, codes=codes)

    def add_passkey(self) -> AnyResponse:
        """Keep the passkey that the browser has made."""
        visitor, fields = self._gate.themselves(), self._gate.fields()
        try:
            self._confirm(visitor, fields)
            self._desk.passkeys.add(
                visitor.person,
                fields.get("asked", ""),
                fields.get("answer", ""),
                fields.get("label", ""),
                self._gate.visit(),
            )
        except (RefusedError, MalformedError, UnavailableError) as problem:
            return self._page(visitor, problem)
        return self._renewed(visitor, "strong")

    def remove_passkey(self, passkey: str) -> AnyResponse:
        """Forget one."""
        number = number_in(passkey, "passkey_unknown")
        return self._without(
            lambda v: self._desk.passkeys.remove(v.person, number, self._gate.visit())
        )

    def end_session(self, session: str) -> AnyResponse:
        """Sign out in one place."""
        visitor = self._gate.themselves()
        self._gate.fields()
        number = number_in(session, "session_unknown")
        by = self._gate.by(visitor)
        if not self._desk.sessions.store.end_session(number, visitor.person.id, by):
            raise NotFoundError("session_unknown", "you have no such session")
        return self._gate.go("/account")

    def end_sessions(self) -> AnyResponse:
        """Sign out everywhere, here as well."""
        visitor = self._gate.themselves()
        self._gate.fields()
        self._desk.entrance.leave_everywhere(visitor, self._gate.visit())
        return self._gate.leave("/sign-in")

    def _without(self, drop: Drop) -> AnyResponse:
        """Drop a second factor, once the password was shown again."""
        visitor, fields = self._gate.themselves(), self._gate.fields()
        try:
            self._confirm(visitor, fields)
            drop(visitor)
        except (RefusedError, UnavailableError) as problem:
            return self._page(visitor, problem)
        fresh = self._desk.staff.store.person(visitor.person.id)
        left = fresh is not None and self._desk.entrance.has_second(fresh)
        return self._renewed(visitor, None if left else "full")

    def _confirm(self, visitor: Visitor, fields: dict[str, str]) -> None:
        self._desk.entrance.confirm(visitor.person, fields.get("password", ""), self._gate.site())

    def _renewed(self, visitor: Visitor, level: Level | None = None) -> AnyResponse:
        token = self._desk.sessions.renew(visitor, level)
        return self._gate.renewed(self._gate.go("/account"), token)

    def _page(self, visitor: Visitor, problem: Problem | None = None) -> Response:
        values: dict[str, Any] = {
            "person": visitor.person,
            "sessions": self._desk.sessions.shown(visitor.person),
            "passkeys": self._desk.factors.store.passkeys(visitor.person.id),
            "recovery_left": self._desk.factors.store.recovery_left(visitor.person.id),
            "asked": self._desk.passkeys.ask_new(visitor.person),
        }
        if problem is None:
            return self._gate.page(_ACCOUNT, **values)
        return self._gate.again(_ACCOUNT, problem, **values)

    def _offer(self, visitor: Visitor, secret: str, problem: Problem | None = None) -> Response:
        issuer = self._gate.door.public_url.partition("://")[2]
        offer = self._desk.factors.offer(visitor.person, issuer, secret)
        code = Markup(qr_svg(offer.address).decode())  # noqa: S704 # a picture of our own making
        if problem is None:
            return self._gate.page(_TOTP, offer=offer, picture=code)
        return self._gate.again(_TOTP, problem, offer=offer, picture=code)


def number_in(text: str, code: str) -> int:
    """An id in an address; NotFoundError with ``code`` for what cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) <= _LARGEST_ID):
        raise NotFoundError(code, "there is nothing with this number")
    return int(text)
