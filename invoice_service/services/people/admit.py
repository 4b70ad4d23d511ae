"""Admitting merchants, suspending them, their quotas, and API keys."""

from collections.abc import Callable
from typing import Protocol

from chain.errors import NotFoundError
from invoice_service.domain.merchant import MerchantRequest, check_merchant
from invoice_service.domain.text import check_text
from invoice_service.services.people.ports import ApiKey, KeyStore, MerchantStore, Role
from invoice_service.services.people.sign_in import key_digest, new_key
from invoice_service.services.ports import Account


class Register(MerchantStore, KeyStore, Protocol):
    """What admitting needs of a store."""


def admit(register: MerchantStore, request: MerchantRequest, now: int) -> Account:
    """Admit a merchant; ``now`` in unix seconds.

    Raises MalformedError (``tax_id_invalid``, ``industry_unknown``, ``district_unknown``,
    ``control_character``), ConflictError ``tax_id_taken``.
    """
    check_merchant(request)
    return register.add_merchant(request, now)


def get_merchant(register: MerchantStore, merchant_id: int) -> Account:
    """One merchant; NotFoundError ``merchant_unknown``."""
    account = register.account(merchant_id)
    if account is None:
        raise _unknown_merchant()
    return account


def suspend(register: MerchantStore, merchant_id: int) -> Account:
    """Stop a merchant from issuing; NotFoundError ``merchant_unknown``."""
    return _changed(register, merchant_id, register.set_status(merchant_id, "suspended"))


def resume(register: MerchantStore, merchant_id: int) -> Account:
    """Let a merchant issue again; NotFoundError ``merchant_unknown``."""
    return _changed(register, merchant_id, register.set_status(merchant_id, "active"))


def set_quota(register: MerchantStore, merchant_id: int, quota: int | None) -> Account:
    """Allow so many blue invoices in all, those issued included; None for no limit."""
    return _changed(register, merchant_id, register.set_quota(merchant_id, quota))


def create_key(
    register: Register,
    role: Role,
    merchant_id: int | None,
    label: str,
    *,
    now: int,
    randbytes: Callable[[int], bytes],
) -> tuple[ApiKey, str]:
    """Make a key and return it with its text, which is shown now and kept nowhere.

    Raises NotFoundError ``merchant_unknown``, MalformedError ``control_character``.
    """
    check_text(label, "/label")
    if role == "merchant":
        get_merchant(register, -1 if merchant_id is None else merchant_id)
    else:
        merchant_id = None
    text = new_key(randbytes)
    return register.add_key(key_digest(text), role, merchant_id, label, now), text


def revoke_key(register: KeyStore, key_id: int, now: int) -> ApiKey:
    """Revoke a key for ever: requests under way with it are refused as well.

    NotFoundError ``api_key_unknown``.
    """
    key = register.revoke_key(key_id, now)
    if key is None:
        raise NotFoundError("api_key_unknown", "there is no such key")
    return key


def _changed(register: MerchantStore, merchant_id: int, found: bool) -> Account:  # noqa: FBT001 # the store's own answer
    if not found:
        raise _unknown_merchant()
    return get_merchant(register, merchant_id)


def _unknown_merchant() -> NotFoundError:
    return NotFoundError("merchant_unknown", "there is no such merchant")
