"""The pages for people who sign in, and who is let in; programs have calls of their own."""

from typing import Final, Literal, NamedTuple

from invoice_service.services.people.person import PERSON_ROLES, PersonRole
from invoice_service.services.people.roles import with_power

ANYBODY: Final = "anybody"
Who = tuple[PersonRole, ...] | Literal["anybody"]

EVERYBODY: Final[tuple[PersonRole, ...]] = PERSON_ROLES
_OF_A_MERCHANT: Final[tuple[PersonRole, ...]] = ("owner", "cashier")
_OWNERS: Final[tuple[PersonRole, ...]] = ("owner",)
_SEE_STAFF: Final[tuple[PersonRole, ...]] = ("owner", *with_power("staff"))
_MANAGERS: Final[tuple[PersonRole, ...]] = ("owner", *with_power("people"))


class Page(NamedTuple):
    """One page, or one form of it; ``who`` is let in, signed in.

    The body of a ``large`` one is as large as a list may be.
    """

    method: Literal["get", "post"]
    path: str
    who: Who
    large: bool = False


PAGES: Final = (
    Page("get", "/sign-in", ANYBODY),
    Page("post", "/sign-in", ANYBODY),
    Page("post", "/sign-in/passkey", ANYBODY),
    Page("get", "/sign-in/second", ANYBODY),
    Page("post", "/sign-in/second", ANYBODY),
    Page("get", "/sign-in/provider", ANYBODY),
    Page("get", "/sign-in/provider/back", ANYBODY),
    Page("post", "/sign-out", ANYBODY),
    Page("get", "/invitation/{invitation}", ANYBODY),
    Page("post", "/invitation/{invitation}", ANYBODY),
    Page("get", "/account", EVERYBODY),
    Page("post", "/account/password", EVERYBODY),
    Page("post", "/account/pin", _OF_A_MERCHANT),
    Page("get", "/account/totp", EVERYBODY),
    Page("post", "/account/totp", EVERYBODY),
    Page("post", "/account/totp/removal", EVERYBODY),
    Page("post", "/account/recovery", EVERYBODY),
    Page("post", "/account/passkeys", EVERYBODY),
    Page("post", "/account/passkeys/{passkey}/removal", EVERYBODY),
    Page("post", "/account/sessions/{session}/end", EVERYBODY),
    Page("post", "/account/sessions/end", EVERYBODY),
    Page("get", "/people", _SEE_STAFF),
    Page("post", "/people", _MANAGERS),
    Page("post", "/people/{person}/invitation", _MANAGERS),
    Page("post", "/people/{person}/role", _MANAGERS),
    Page("post", "/people/{person}/removal", _MANAGERS),
    Page("post", "/till/cashier", _OF_A_MERCHANT),
    Page("get", "/till/files", _OF_A_MERCHANT),
    Page("post", "/till/files", _OF_A_MERCHANT, large=True),
    Page("get", "/till/files/{file}", _OF_A_MERCHANT),
    Page("post", "/till/files/{file}/issue", _OF_A_MERCHANT),
    Page("post", "/till/files/{file}/cancel", _OF_A_MERCHANT),
    Page("get", "/till/files/{file}/results.{form}", _OF_A_MERCHANT),
    Page("get", "/till/", _OF_A_MERCHANT),
    Page("get", "/till/day", _OF_A_MERCHANT),
    Page("get", "/till/figures/page", _OF_A_MERCHANT),
    Page("get", "/till/invoices/{hash}/page", _OF_A_MERCHANT),
    Page("get", "/till/invoices/{hash}/receipt", _OF_A_MERCHANT),
    Page("get", "/till/orders/{order}/receipt", _OF_A_MERCHANT),
    Page("get", "/till/invoices/{hash}/share", _OF_A_MERCHANT),
    Page("get", "/till/invoices/{hash}/file", _OF_A_MERCHANT),
    Page("get", "/till/invoices/{hash}/pdf", _OF_A_MERCHANT),
    Page("get", "/till/day/pdf", _OF_A_MERCHANT),
    Page("get", "/till/buyers", _OWNERS),
    Page("post", "/till/buyers/{hash}/erasure", _OWNERS),
    Page("get", "/till/closing", _OF_A_MERCHANT),
    Page("get", "/till/settings", _OF_A_MERCHANT),
    Page("get", "/reports", with_power("reports")),
    Page("get", "/reports/{report}", with_power("reports")),
    Page("post", "/reports/{report}", with_power("judge")),
    Page("get", "/reports/{report}/pictures/{picture}", with_power("reports")),
    Page("get", "/bureau/applications", with_power("applications")),
    Page("get", "/bureau/applications/file/{kind}", with_power("applications")),
    Page("get", "/bureau/applications/{application}", with_power("applications")),
    Page("post", "/bureau/applications/{application}/comment", with_power("examine")),
    Page("post", "/bureau/applications/{application}/decision", with_power("examine")),
    Page("post", "/bureau/applications/{application}/invitation", with_power("admit")),
    Page("get", "/bureau/applications/{application}/papers/{paper}", with_power("applications")),
    Page("get", "/bureau/quota", with_power("applications")),
    Page("get", "/bureau/quota/file/{kind}", with_power("applications")),
    Page("post", "/bureau/quota/{request}", with_power("examine")),
    Page("get", "/account/quota", _OWNERS),
    Page("post", "/account/quota", _OWNERS),
    Page("post", "/account/quota/{request}/withdrawal", _OWNERS),
)
