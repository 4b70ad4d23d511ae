"""What services need from outside: rows as a store gives them, and the Protocols of its users.

Every method of a store raises UnavailableError when the database cannot be used; "there is no
such row" is an answer of its own, never an error that was swallowed.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from chain.errors import Problem
from chain.hashing import Digest
from invoice_service.domain.invoice import Issued, Prepared, StoredInvoice
from invoice_service.domain.merchant import Merchant, MerchantRequest

Role = Literal["merchant", "official"]


class PendingInvoice(msgspec.Struct, frozen=True, array_like=True):
    """What the log takes of an invoice; ``reverses`` is the digest of the one it reverses."""

    seq: int
    digest: Digest
    reverses: Digest | None


class InvoiceFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which invoices to list; None leaves a condition out. Unix seconds, ``until`` excluded."""

    merchant_id: int | None = None
    order_id: str | None = None
    number: str | None = None
    since: int | None = None
    until: int | None = None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant with what it has used: ``used`` blue invoices of its quota."""

    merchant: Merchant
    used: int
    created_at: int


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as it is kept: a digest. ``merchant_id`` is None for an official's."""

    id: int
    digest: Digest
    role: Role
    merchant_id: int | None
    label: str
    created_at: int
    revoked_at: int | None


class Issuer(Protocol):
    """Whoever stores prepared invoices: the database itself, or the process in front of it."""

    def issue(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
        """Answer each record in order; every invoice in the answer is on disk.

        Safe to repeat: the same ``Prepared`` again is answered with the invoice it became.
        """
        ...


class InvoiceReader(Protocol):
    """Reading what was issued."""

    def invoice(self, digest: Digest) -> StoredInvoice | None:
        """The invoice with this digest."""
        ...

    def invoices(self, wanted: InvoiceFilter, after: int, limit: int) -> list[StoredInvoice]:
        """Matching invoices with ``seq`` above ``after``, in order, ``limit`` at most."""
        ...


class PendingReader(Protocol):
    """Reading what waits for the log."""

    def invoices_after(self, seq: int, limit: int) -> list[PendingInvoice]:
        """All invoices above ``seq``, in order, ``limit`` at most."""
        ...

    def issued_at(self, seq: int) -> int | None:
        """When (unix seconds) the invoice at ``seq`` was issued; None when there is none."""
        ...

    def last_seq(self) -> int:
        """``seq`` of the newest invoice; 0 when there is none."""
        ...


class MerchantStore(Protocol):
    """The register of merchants."""

    def add_merchant(self, request: MerchantRequest, now: int) -> Account:
        """Admit one; ConflictError ``tax_id_taken``."""
        ...

    def account(self, merchant_id: int) -> Account | None:
        """One merchant."""
        ...

    def accounts(self, after: int, limit: int) -> list[Account]:
        """Merchants with an id above ``after``, in order, ``limit`` at most."""
        ...

    def set_status(self, merchant_id: int, status: Literal["active", "suspended"]) -> bool:
        """Suspend or resume one; False when there is none."""
        ...

    def set_quota(self, merchant_id: int, quota: int | None) -> bool:
        """Allow so many blue invoices in all (None: no limit); False when there is none."""
        ...


class KeyStore(Protocol):
    """The API keys, by digest."""

    def add_key(
        self, digest: Digest, role: Role, merchant_id: int | None, label: str, now: int
    ) -> ApiKey:
        """Keep a new key."""
        ...

    def key(self, digest: Digest) -> ApiKey | None:
        """The key with this digest, revoked or not."""
        ...

    def keys(self, merchant_id: int | None) -> list[ApiKey]:
        """All keys of a merchant, or of the officials (None)."""
        ...

    def revoke_key(self, key_id: int, now: int) -> ApiKey | None:
        """Revoke a key, for ever; None when there is none."""
        ...
