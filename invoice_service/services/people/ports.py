"""What the register and its keys need from a store."""

from typing import Literal, Protocol

import msgspec

from chain.hashing import Digest
from invoice_service.domain.acts import By
from invoice_service.domain.merchant import MerchantRequest
from invoice_service.services.ports import Account

Role = Literal["merchant", "official"]


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as it is kept: a digest. ``merchant_id`` is None for an official's."""

    id: int
    digest: Digest
    role: Role
    merchant_id: int | None
    label: str
    created_at: int
    revoked_at: int | None


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

    def set_status(self, merchant_id: int, status: Literal["active", "suspended"], by: By) -> bool:
        """Suspend or resume one; False when there is none."""
        ...

    def set_quota(self, merchant_id: int, quota: int | None, by: By) -> bool:
        """Allow so many blue invoices in all (None: no limit); False when there is none."""
        ...


class KeyStore(Protocol):
    """The API keys, by digest. Each change writes its act of the trail with it, or neither."""

    def add_key(
        self, digest: Digest, role: Role, merchant_id: int | None, label: str, by: By
    ) -> ApiKey:
        """Keep a new key."""
        ...

    def key(self, digest: Digest) -> ApiKey | None:
        """The key with this digest, revoked or not."""
        ...

    def keys(self, merchant_id: int | None) -> list[ApiKey]:
        """All keys of a merchant, or of the officials (None)."""
        ...

    def revoke_key(self, key_id: int, by: By) -> ApiKey | None:
        """Revoke a key, for ever; None when there is none."""
        ...
