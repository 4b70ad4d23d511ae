"""``/bureau/trail``: who did what, when and from where, allowed or refused."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from flask import Blueprint, Response, url_for

from chain.errors import MalformedError
from invoice_service.domain.acts import ACT_TYPES, Act, ActType, Recorded
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.services.people.person import BUREAU, parse_login
from invoice_service.services.people.trail import NEWEST, ActFilter, TrailReader, in_acts
from invoice_service.web.bureau.navigation import bureau_page
from invoice_service.web.ground.catalogs import N_
from invoice_service.web.people.gate import Gate

PAGE: Final = 100
_LONGEST: Final = 200

_OUTCOMES: Final = {"begun": N_("begun"), "done": N_("done"), "refused": N_("turned down")}

NAMES: Final[dict[ActType, str]] = {
    "init": N_("service set up"),
    "setup": N_("setting up by pages"),
    "admission": N_("admission"),
    "suspension": N_("right to issue"),
    "quota": N_("quota"),
    "key": N_("program's key"),
    "key_revocation": N_("program's key revoked"),
    "key_replacement": N_("program's key replaced"),
    "person": N_("account"),
    "invitation": N_("invitation"),
    "credential": N_("password or second factor"),
    "sign_in": N_("signing in"),
    "sign_out": N_("signing out"),
    "till": N_("till"),
    "shift": N_("shift at a till"),
    "menu": N_("menu"),
    "return": N_("invoice taken back"),
    "orders_file": N_("file of orders"),
    "people_key": N_("key of personal data"),
    "access": N_("refused access"),
    "clock": N_("clock confirmed"),
    "refusals": N_("refusals counted"),
    "finding": N_("oddity found"),
    "consent": N_("consent"),
    "log_key": N_("key of the log"),
    "wallet_key": N_("key for wallets"),
    "encryption": N_("keys encrypted"),
    "erasure": N_("personal data erased"),
    "report": N_("report of a slip"),
    "role": N_("role"),
    "proposal": N_("proposal for two"),
    "lookup": N_("look-up"),
    "trail": N_("trail bound to the log"),
}
"""What was done, by the word of the trail."""

FIELDS: Final = {
    "role": N_("role"),
    "office": N_("role of the bureau"),
    "status": N_("state"),
    "state": N_("state"),
    "quota": N_("invoices in all"),
    "month_quota": N_("in a month"),
    "invoice_limit": N_("on one invoice"),
    "batch": N_("batch"),
    "merchant": N_("merchant"),
    "person": N_("person"),
    "till": N_("till"),
    "kind": N_("kind"),
    "how": N_("by what"),
    "level": N_("how strong"),
    "session": N_("signed-in place"),
    "sessions": N_("signed-in places"),
    "expires_at": N_("until"),
    "notice_until": N_("on notice until"),
    "suspended_at": N_("suspended at"),
    "removed_at": N_("removed at"),
    "revoked_at": N_("revoked at"),
    "risk": N_("risk"),
    "credit": N_("credit class"),
    "warning": N_("warning"),
    "reason": N_("reason"),
    "count": N_("how many"),
    "acts": N_("acts before it"),
    "hour": N_("hour"),
    "of": N_("about"),
    "what": N_("what was looked at"),
    "name": N_("name"),
    "login": N_("sign-in name"),
    "step": N_("step"),
    "tax_id": N_("tax id"),
    "pages": N_("pages of papers"),
    "log": N_("log"),
}
"""What an act says that it changed; the others stand by the word of the trail."""
VALUES: Final = {
    "password": N_("password"),
    "pin": N_("PIN for the till"),
    "totp": N_("one-time code"),
    "recovery": N_("recovery code"),
    "passkey": N_("passkey"),
    "oidc": N_("provider of sign-ins"),
    "oidc_lesser": N_("provider of sign-ins, which alone makes no administrator"),
    "half": N_("second factor missing"),
    "full": N_("one factor"),
    "strong": N_("second factor"),
    "set": N_("set"),
    "removed": N_("removed"),
    "open": N_("waits for another"),
    "confirmed": N_("confirmed"),
    "withdrawn": N_("withdrawn"),
    "received": N_("received"),
    "notice": N_("on public notice"),
    "examined": N_("examined"),
    "admitted": N_("admitted"),
    "granted": N_("granted"),
    "refused": N_("turned down"),
    "file": N_("a merchant's file"),
    "invoice": N_("an invoice"),
    "list": N_("a list of invoices"),
    "application": N_("an application"),
    "role": N_("another role"),
    "invitation": N_("somebody new"),
    "reinvitation": N_("invited again"),
    "removal": N_("removed for good"),
    "revocation": N_("a merchant revoked for good"),
    "merchant": N_("a merchant's"),
    "official": N_("the bureau's"),
}
"""What stands there for some of them (``_WORDED``); the others are somebody's own words."""
_WORDED: Final = frozenset({"how", "kind", "level", "role", "state", "what"})
_DIGESTS: Final = frozenset({"particulars", "papers", "digest", "hash"})


class TrailPage:
    """The acts, a page at a time, the newest first."""

    def __init__(self, gate: Gate, store: TrailReader) -> None:
        self._gate, self._store = gate, store
        self._people = gate.door.desk.staff.store

    def blueprint(self) -> Blueprint:
        """The route."""
        routes = Blueprint("bureau_trail", __name__, url_prefix="/bureau/trail")
        routes.get("")(self.show)
        return routes

    def show(self) -> Response:
        """Those that fit; MalformedError ``day_invalid``, ``parameter_malformed``."""
        self._gate.official("trail")
        asked = {
            name: self._gate.asked(name).strip()[:_LONGEST]
            for name in ("type", "actor", "subject", "day")
        }
        if asked["type"] and asked["type"] not in ACT_TYPES:
            raise MalformedError("parameter_malformed", "there is no such type", pointer="type")
        since, until = span_of(asked["day"], asked["day"])
        wanted = ActFilter(
            subject=asked["subject"] or None,
            actor=self._actor(asked["actor"]),
            type=asked["type"] or None,
            since=since,
            until=until,
        )
        found = self._store.newest_acts(wanted, self._gate.after() or NEWEST, PAGE)
        return bureau_page(
            self._gate,
            "bureau/trail.html",
            acts=found,
            names=self._store.called(in_acts(found) | _of(found)),
            asked=asked,
            types=NAMES,
            link_to=link_to,
            changes=changes,
            fields=FIELDS,
            worded=worded,
            outcomes=_OUTCOMES,
            next=found[-1].seq if len(found) == PAGE else None,
        )

    def _actor(self, text: str) -> str | None:
        """Whom a sign-in name means, as the trail has it; what is none is looked for as it is."""
        login = parse_login(text)
        tries = () if not login or ":" in login else (login, f"{login}@{BUREAU}")
        for one in tries:
            if (found := self._people.person_by_login(one)) is not None:
                return f"person:{found.id}"
        return text or None


def _of(found: Sequence[Recorded]) -> set[str]:
    """Whom proposals are about."""
    return {str(one.act.after["of"]) for one in found if "of" in one.act.after}


def worded(name: str, value: object) -> str:
    """The word for what stands under a name; "" for what is to be shown as it is."""
    return VALUES.get(value, "") if name in _WORDED and isinstance(value, str) else ""


def changes(act: Act) -> list[tuple[str, int | str | None, int | str | None]]:
    """What an act changed, by name: as it was, as it is since; None for what is not said.

    Digests are for programs.
    """
    names = dict.fromkeys((*act.before, *act.after))
    both = ((name, act.before.get(name), act.after.get(name)) for name in names)
    return [one for one in both if one[0] not in _DIGESTS and one[1] != one[2]]


def link_to(subject: str) -> str:
    """Where what an act was about is shown, as far as a page has it by that name; else "".

    A URL of our own.
    """
    kind, _, number = subject.partition(":")
    if kind == "merchant" and number.isdecimal():
        return url_for("bureau_merchants.one", merchant=number)
    return url_for("admission_desk.one", application=number) if kind == "application" else ""


def span_of(first: str, last: str) -> tuple[int | None, int | None]:
    """The seconds from one day of Shenzhen to the end of another; None for a day that is not said.

    MalformedError ``day_invalid``.
    """
    try:
        since = _midnight(date.fromisoformat(first)) if first else None
        until = _midnight(date.fromisoformat(last) + timedelta(days=1)) if last else None
    except (ValueError, OverflowError):
        raise MalformedError(
            "day_invalid", "a day is written like 2018-08-10", pointer="day"
        ) from None
    return since, until


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), SHANGHAI).timestamp())
