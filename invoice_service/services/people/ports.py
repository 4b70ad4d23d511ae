"""What the register and its keys need from a store."""

from collections.abc import Mapping
from typing import Final, Literal, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from chain.hashing import Digest
from invoice_service.domain.acts import By
from invoice_service.domain.merchant import MerchantRequest, Status
from invoice_service.domain.quota import Quotas
from invoice_service.services.people.roles import OfficialRole
from invoice_service.services.ports import Account

Role = Literal["merchant", "official"]
Scope = Literal["issue", "reverse", "read", "manage"]
"""What a key may do: issue, take back, read what only its owner sees; change who may do what."""

SCOPES: Final[dict[Role, tuple[Scope, ...]]] = {
    "merchant": ("issue", "reverse", "read", "manage"),
    "official": ("read", "manage"),
}
OF_A_TILL: Final[tuple[Scope, ...]] = ("issue", "reverse", "read")
UNLESS_SAID: Final[dict[Role, tuple[Scope, ...]]] = {
    "merchant": OF_A_TILL,
    "official": SCOPES["official"],
}
"""What a key is for that says nothing: what is taken from a till opens no account."""


class KeyTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a key is good for: ``scopes`` None as ``UNLESS_SAID``; until when, None for ever.

    ``till`` names the till whose key it is, "" for none; ``office`` is the role that an official's
    key has, None for an administrator's; ``person`` the id of the official who holds it.
    """

    scopes: tuple[Scope, ...] | None = None
    expires_at: int | None = None
    till: str = ""
    office: OfficialRole | None = None
    person: int | None = None


NO_TERMS: Final = KeyTerms()


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as it is kept: a digest. ``merchant_id`` is None for an official's.

    ``used_at`` is when it was used last, to within minutes. ``holder`` is the role of the official
    who holds it, "" once they may not sign in, None where nobody is known to.
    """

    id: int
    digest: Digest
    role: Role
    merchant_id: int | None
    label: str
    created_at: int
    revoked_at: int | None
    terms: KeyTerms = NO_TERMS
    used_at: int | None = None
    holder: OfficialRole | Literal[""] | None = None


class MerchantStore(Protocol):
    """The register of merchants. Each change writes its act of the trail with it, or neither."""

    def add_merchant(self, request: MerchantRequest, by: By) -> Account:
        """Admit one; ConflictError ``tax_id_taken``."""
        ...

    def account(self, merchant_id: int) -> Account | None:
        """One merchant."""
        ...

    def accounts(self, after: int, limit: int) -> list[Account]:
        """Merchants with an id above ``after``, in order, ``limit`` at most."""
        ...

    def set_status(
        self,
        merchant_id: int,
        status: Status,
        by: By,
        reason: str = "",
        seen: Status | None = None,
        *,
        stays_left: bool = False,
    ) -> bool:
        """Suspend or resume one, or let it leave; False when there is none.

        ConflictError ``merchant_changed`` where it does not stand as it was ``seen``,
        ``merchant_revoked``; with ``stays_left`` ``readmission_needed`` for one that has left.
        """
        ...

    def set_quota(
        self,
        merchant_id: int,
        quota: int | UnsetType | None,
        by: By,
        *,
        month_quota: int | UnsetType | None = UNSET,
        invoice_limit: int | UnsetType | None = UNSET,
        reason: str = "",
        seen: Quotas | None = None,
    ) -> bool:
        """Allow so many blue invoices in all, and so much money (None: no limit).

        What is UNSET stays as it is. False when there is no such merchant. ConflictError
        ``merchant_changed`` where its limits are not those that were ``seen``.
        """
        ...


class KeyStore(Protocol):
    """The API keys, by digest. Each change writes its act of the trail with it, or neither."""

    def add_key(
        self,
        digest: Digest,
        role: Role,
        merchant_id: int | None,
        label: str,
        by: By,
        terms: KeyTerms = NO_TERMS,
    ) -> ApiKey:
        """Keep a new key."""
        ...

    def replace_key(
        self, key_id: int, digest: Digest, until: int, by: By
    ) -> tuple[ApiKey, ApiKey] | None:
        """A new key with the terms of a good one, which ends at ``until``: (that one, the new).

        None where there is no good one.
        """
        ...

    def note_uses(self, uses: Mapping[int, int]) -> None:
        """Keep when keys were used last: unix seconds by the keys' ids."""
        ...

    def key(self, digest: Digest) -> ApiKey | None:
        """The key with this digest, revoked or not."""
        ...

    def keys(self, merchant_id: int | None) -> list[ApiKey]:
        """All keys of a merchant, or of the officials (None)."""
        ...

    def revoke_key(self, key_id: int, by: By, reason: str = "") -> ApiKey | None:
        """Revoke a key, for ever; None when there is none."""
        ...
