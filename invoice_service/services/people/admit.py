"""Admitting merchants, suspending them, their quotas, and API keys; each becomes an act."""

from collections.abc import Callable, Iterable
from typing import Protocol

from msgspec import UNSET, UnsetType

from chain.errors import ConflictError, MalformedError, NotFoundError
from invoice_service.domain.acts import By
from invoice_service.domain.merchant import MerchantRequest, Status, check_merchant
from invoice_service.domain.quota import Quotas
from invoice_service.domain.text import check_till_name, given_text, plain_form
from invoice_service.services.people.ports import (
    NO_TERMS,
    SCOPES,
    ApiKey,
    KeyStore,
    KeyTerms,
    MerchantStore,
    Role,
)
from invoice_service.services.people.sign_in import key_digest, new_key
from invoice_service.services.people.trail import ActStore, given_reason, refusals_recorded
from invoice_service.services.ports import Account

LONGEST_LABEL = 100  # characters
LONGEST_OVERLAP = 30 * 86_400  # seconds


class Merchants(MerchantStore, ActStore, Protocol):
    """What changing merchants needs of a store."""


class Keys(KeyStore, ActStore, Protocol):
    """What revoking keys needs of a store."""


class Register(MerchantStore, KeyStore, ActStore, Protocol):
    """What making keys needs of a store."""


def admit(register: Merchants, request: MerchantRequest, by: By) -> Account:
    """Admit a merchant.

    Raises MalformedError (``tax_id_invalid``, ``industry_unknown``, ``district_unknown``,
    ``control_character``), ConflictError ``tax_id_taken``.
    """
    request = check_merchant(request)
    with refusals_recorded(register, by, "admission", f"tax_id:{request.tax_id}"):
        return register.add_merchant(request, by)


def get_merchant(register: MerchantStore, merchant_id: int) -> Account:
    """One merchant; NotFoundError ``merchant_unknown``."""
    account = register.account(merchant_id)
    if account is None:
        raise _unknown_merchant()
    return account


def suspend(
    register: Merchants, merchant_id: int, by: By, reason: str = "", seen: Status | None = None
) -> Account:
    """Stop a merchant from issuing; NotFoundError ``merchant_unknown``.

    MalformedError as ``given_reason``, here and below; ConflictError ``readmission_needed`` for
    one that has left, ``merchant_revoked``; ``merchant_changed`` where it does not stand as it
    was ``seen``, which holds below, too.
    """
    return _set_status(register, merchant_id, "suspended", by, reason, seen)


def resume(register: Merchants, merchant_id: int, by: By, reason: str = "") -> Account:
    """Let a merchant issue again that is suspended; as ``suspend``."""
    return _set_status(register, merchant_id, "active", by, reason)


def leave(
    register: Merchants, merchant_id: int, by: By, reason: str = "", seen: Status | None = None
) -> Account:
    """Let a merchant go: it issues no more, and what it has issued stands; as ``suspend``."""
    return _set_status(register, merchant_id, "left", by, reason, seen)


def readmit(
    register: Merchants, merchant_id: int, by: By, reason: str = "", seen: Status | None = None
) -> Account:
    """Let a merchant issue again that is suspended, or has left."""
    reason = given_reason(reason)
    with refusals_recorded(register, by, "suspension", f"merchant:{merchant_id}"):
        return _changed(
            register, merchant_id, register.set_status(merchant_id, "active", by, reason, seen)
        )


def revoke(
    register: Merchants, merchant_id: int, by: By, reason: str = "", seen: Status | None = None
) -> Account:
    """Stop a merchant from issuing for good: nobody lets it issue again, and its keys end with it.

    NotFoundError ``merchant_unknown``. What it has issued stays valid. Two decide on this
    (``proposals``), but for whoever works on the machine.
    """
    return _set_status(register, merchant_id, "revoked", by, reason, seen)


def set_quota(
    register: Merchants,
    merchant_id: int,
    quota: int | UnsetType | None,
    by: By,
    *,
    month_quota: int | UnsetType | None = UNSET,
    invoice_limit: int | UnsetType | None = UNSET,
    reason: str = "",
    seen: Quotas | None = None,
) -> Account:
    """Allow so many blue invoices in all, those issued included, and so much money.

    Money is in fen without tax: in a month, and on one invoice. None for no limit; UNSET leaves it.
    MalformedError as ``given_reason``; ConflictError ``merchant_changed`` where the limits are not
    those that were ``seen``.
    """
    reason = given_reason(reason)
    with refusals_recorded(register, by, "quota", f"merchant:{merchant_id}"):
        done = register.set_quota(
            merchant_id,
            quota,
            by,
            month_quota=month_quota,
            invoice_limit=invoice_limit,
            reason=reason,
            seen=seen,
        )
        return _changed(register, merchant_id, done)


def create_key(
    register: Register,
    role: Role,
    merchant_id: int | None,
    label: str,
    *,
    by: By,
    randbytes: Callable[[int], bytes],
    terms: KeyTerms = NO_TERMS,
) -> tuple[ApiKey, str]:
    """Make a key and return it with its text, which is shown now and kept nowhere.

    Raises NotFoundError ``merchant_unknown``, MalformedError ``control_character``,
    ``text_too_long``, ``value_unknown`` for a scope of another role, ``amount_out_of_range`` for
    an end that has passed, and as ``check_till_name`` for the till's name; ConflictError
    ``till_taken`` for one that looks like another's.
    """
    _check_terms(role, terms, by.at)
    label = given_text(label, "/label")
    if len(label) > LONGEST_LABEL:
        raise MalformedError(
            "text_too_long", f"a label has at most {LONGEST_LABEL} characters", pointer="/label"
        )
    text = new_key(randbytes)
    if role == "official":
        return register.add_key(key_digest(text), role, None, label, by, terms), text
    with refusals_recorded(register, by, "key", f"merchant:{merchant_id or 0}"):
        get_merchant(register, -1 if merchant_id is None else merchant_id)
        _refuse_alike(register.keys(merchant_id), terms.till)
    return register.add_key(key_digest(text), role, merchant_id, label, by, terms), text


def rotate_key(
    register: Keys,
    key_id: int,
    overlap: int,
    by: By,
    *,
    merchant_id: int | None,
    randbytes: Callable[[int], bytes],
) -> tuple[ApiKey, str]:
    """A new key with the same terms; the old one ends ``overlap`` seconds from now.

    MalformedError ``amount_out_of_range``; NotFoundError ``api_key_unknown`` for one that is not
    ``merchant_id``'s, or not good any more.
    """
    if not 0 <= overlap <= LONGEST_OVERLAP:
        raise MalformedError(
            "amount_out_of_range",
            f"an overlap has 0 to {LONGEST_OVERLAP} seconds",
            pointer="/overlap_seconds",
        )
    text = new_key(randbytes)
    with refusals_recorded(register, by, "key", f"key:{key_id}"):
        if key_id not in {key.id for key in register.keys(merchant_id)}:
            raise NotFoundError("api_key_unknown", "there is no such key")
        made = register.replace_key(key_id, key_digest(text), by.at + overlap, by)
        if made is None:
            raise NotFoundError("api_key_unknown", "this key is not good any more")
    return made[1], text


def revoke_key(
    register: Keys, key_id: int, by: By, reason: str = "", *, merchant_id: int | None = None
) -> ApiKey:
    """Revoke a key for ever: requests under way with it are refused as well.

    NotFoundError ``api_key_unknown``, also when it is not the key of ``merchant_id``, if given;
    MalformedError as ``given_reason``.
    """
    reason = given_reason(reason)
    with refusals_recorded(register, by, "key_revocation", f"key:{key_id}"):
        if merchant_id is not None and key_id not in {k.id for k in register.keys(merchant_id)}:
            raise NotFoundError("api_key_unknown", "this merchant has no such key")
        key = register.revoke_key(key_id, by, reason)
        if key is None:
            raise NotFoundError("api_key_unknown", "there is no such key")
        return key


def _refuse_alike(keys: Iterable[ApiKey], till: str) -> None:
    """One till may have several keys; two tills may not look the same."""
    for key in keys:
        other = key.terms.till
        if key.revoked_at is None and other != till and till and plain_form(other) == till:
            raise ConflictError("till_taken", f"there is a till {other}, which looks the same")


def _check_terms(role: Role, terms: KeyTerms, now: int) -> None:
    wrong = set(terms.scopes or ()) - set(SCOPES[role])
    if wrong or terms.scopes == ():
        known = ", ".join(SCOPES[role])
        raise MalformedError("value_unknown", f"its scopes are {known}", pointer="/scopes")
    if role != "official" and (terms.office or terms.person):
        raise MalformedError("value_unknown", "only officials' keys have a role", pointer="/role")
    if terms.expires_at is not None and terms.expires_at <= now:
        raise MalformedError("amount_out_of_range", "this end has passed", pointer="/expires_at")
    if terms.till:
        check_till_name(terms.till, "/till")


def _set_status(
    register: Merchants,
    merchant_id: int,
    status: Status,
    by: By,
    reason: str,
    seen: Status | None = None,
) -> Account:
    reason = given_reason(reason)
    with refusals_recorded(register, by, "suspension", f"merchant:{merchant_id}"):
        stays_left = status in ("active", "suspended")
        done = register.set_status(merchant_id, status, by, reason, seen, stays_left=stays_left)
        return _changed(register, merchant_id, done)


def _changed(register: MerchantStore, merchant_id: int, found: bool) -> Account:  # noqa: FBT001 # the store's own answer
    if not found:
        raise _unknown_merchant()
    return get_merchant(register, merchant_id)


def _unknown_merchant() -> NotFoundError:
    return NotFoundError("merchant_unknown", "there is no such merchant")
