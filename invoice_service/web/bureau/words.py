"""What files for people call things: in Chinese and in English beside each other, for whoever."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from invoice_service.domain.merchant import Place
from invoice_service.web.ground.catalogs import N_, translations
from invoice_service.web.ground.language import CHINESE

ROLES: Final = {
    "owner": N_("Owner"),
    "cashier": N_("Cashier"),
    "viewer": N_("Viewer"),
    "examiner": N_("Examiner"),
    "administrator": N_("Administrator"),
    "auditor": N_("Auditor"),
}
STATUSES: Final = {
    "active": N_("admitted"),
    "suspended": N_("suspended"),
    "left": N_("has left"),
    "revoked": N_("revoked"),
}
OUTCOMES: Final = {"begun": N_("begun"), "done": N_("done"), "refused": N_("turned down")}
PERSON_STATES: Final = {
    "active": N_("can sign in"),
    "suspended": N_("suspended"),
    "invited": N_("invited"),
    "removed": N_("removed"),
}
GRAVE: Final = {
    "role": N_("Another role"),
    "invitation": N_("Somebody new"),
    "reinvitation": N_("Invite again"),
    "removal": N_("Remove for good"),
    "revocation": N_("Revoke a merchant for good"),
}
ENDS: Final = {
    "open": N_("waits for another"),
    "confirmed": N_("confirmed"),
    "withdrawn": N_("withdrawn"),
    "expired": N_("expired"),
}
LOOKED_AT: Final = {
    "file": N_("A merchant's file"),
    "invoice": N_("An invoice"),
    "list": N_("A list of invoices"),
    "application": N_("An application"),
}
INVOICES: Final = {"blue": N_("blue invoice"), "red": N_("red invoice")}


@cache
def both(english: str) -> str:
    """A sentence of the catalogues in Chinese and, beside it, in English."""
    chinese = translations(CHINESE.code).gettext(english)
    return english if chinese == english else f"{chinese} {english}"


def in_both(words: Mapping[str, str]) -> dict[str, str]:
    """What each word of ours is called, in both languages."""
    return {word: both(english) for word, english in words.items()}


def places(*found: Mapping[str, Place]) -> dict[str, str]:
    """What places and industries are called, in both languages, by their codes."""
    return {code: _named(place) for some in found for code, place in some.items()}


def _named(place: Place) -> str:
    return " ".join(filter(None, (place.code, place.name_zh, place.name_en)))
