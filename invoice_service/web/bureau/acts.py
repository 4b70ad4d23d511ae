"""Acts in words, and as a table to be taken along."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from invoice_service.documents.bureau_tables import ACTS, table
from invoice_service.documents.spreadsheet import yuan
from invoice_service.documents.taken import Row, Table
from invoice_service.domain.acts import Act, Recorded
from invoice_service.domain.numbering import shanghai_time
from invoice_service.services.people.trail import in_acts
from invoice_service.web.bureau.words import OUTCOMES, ROLES, STATUSES, both, in_both
from invoice_service.web.ground.catalogs import N_

NAMES: Final[Mapping[str, str]] = {
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
_TIMES: Final = frozenset({"hour", "notice_until", "stands"})
_MONEY: Final = frozenset({"month_quota", "invoice_limit"})
_NAMED_AT_ONCE: Final = 500


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


def of_whom(found: Iterable[Recorded]) -> set[str]:
    """Who acts are by and to, and whom proposals are about: for ``TrailReader.called``."""
    found = list(found)
    return in_acts(found) | {str(one.act.after["of"]) for one in found if "of" in one.act.after}


def acts_table(
    name: str,
    acts: Callable[[], Iterator[Recorded]],
    called: Callable[[set[str]], Mapping[str, str]],
) -> Table:
    """The table; ``called`` names people and merchants, of some acts at once."""

    def rows() -> Iterator[Row]:
        found = acts()
        while some := list(islice(found, _NAMED_AT_ONCE)):
            names = called(of_whom(some))
            for one in some:
                yield _row(one, names)

    words = {"type": in_both(NAMES), "outcome": in_both(OUTCOMES)}
    return table(name, ACTS, words, rows, "trail")


def _row(one: Recorded, names: Mapping[str, str]) -> Row:
    act = one.act
    return (
        *(one.seq, act.at, act.type, _changed(act, names), act.before, act.after),
        *(act.subject, names.get(act.subject, ""), act.actor, names.get(act.actor, "")),
        *(act.origin, act.outcome, act.code, act.reason, one.hash.hex()),
    )


def _changed(act: Act, names: Mapping[str, str]) -> str:
    """What it changed, in both languages, as the page says it in one."""
    return "; ".join(
        f"{both(FIELDS[name]) if name in FIELDS else name}: "
        + (f"{_said(name, before, names)} → " if before is not None else "")
        + _said(name, after, names)
        for name, before, after in changes(act)
    )


def _said(name: str, value: int | str | None, names: Mapping[str, str]) -> str:
    if value is None:
        return "–"
    if isinstance(value, int):
        if name.endswith("_at") or name in _TIMES:
            return shanghai_time(value).isoformat(" ", "minutes")[:16]
        return str(yuan(value)) if name in _MONEY else str(value)
    if name == "of":
        return " ".join(filter(None, (names.get(value, ""), value)))
    words = {"role": ROLES, "status": STATUSES}.get(name, {})
    english = words.get(value) or worded(name, value)
    return both(english) if english else value
