"""What several services need from outside: rows as a store gives them, and reading invoices.

What one room alone needs stands beside its user there.

Every method of a store raises UnavailableError when the database cannot be used; "there is no
such row" is an answer of its own, never an error that was swallowed.
"""

from typing import NamedTuple, Protocol

import msgspec

from chain.hashing import Digest
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.lifecycle import Reversal
from invoice_service.domain.merchant import Merchant
from invoice_service.domain.quota import shanghai_month


class PendingInvoice(msgspec.Struct, frozen=True, array_like=True):
    """What the log takes of an invoice.

    ``reverses`` is the digest of the one that it reverses, ``reversal`` how far that one is
    reversed from then on.
    """

    seq: int
    digest: Digest
    reverses: Digest | None = None
    reversal: Reversal | None = None


class InvoiceFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which invoices to list; None leaves a condition out. Unix seconds, ``until`` excluded.

    ``till`` and ``business_day`` narrow a search by ``order_id``; "" are those without one.
    """

    merchant_id: int | None = None
    order_id: str | None = None
    till: str | None = None
    business_day: str | None = None
    number: str | None = None
    since: int | None = None
    until: int | None = None


class MerchantFilter(NamedTuple):
    """Which merchants to list; "" leaves a condition out."""

    text: str = ""  # in the name, or at the beginning of the tax id
    status: str = ""
    district: str = ""
    industry: str = ""  # the beginning of its code


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant with what it has used: ``used`` blue invoices of its quota.

    ``month`` is the last in which it issued under a quota as money, "" for none; ``month_used``
    what it issued then, in fen without tax.
    """

    merchant: Merchant
    used: int
    created_at: int
    month: str = ""
    month_used: int = 0

    def money_left(self, now: int) -> int | None:
        """Fen without tax that it may still issue in the month of ``now``; None for no limit."""
        quota = self.merchant.month_quota
        if quota is None:
            return None
        used = self.month_used if self.month == shanghai_month(now) else 0
        return max(0, quota - used)


class InvoiceReader(Protocol):
    """Reading what was issued."""

    def invoice(self, digest: Digest) -> StoredInvoice | None:
        """The invoice with this digest."""
        ...

    def returns_of(self, seq: int) -> list[StoredInvoice]:
        """The red invoices over the blue one at ``seq``, in order of issue."""
        ...

    def replacements_of(self, seq: int) -> list[StoredInvoice]:
        """What was issued for the order (or part) of the blue one at ``seq`` later, and stands.

        In order of issue; the newest ones only, where there are very many.
        """
        ...

    def invoices(self, wanted: InvoiceFilter, after: int, limit: int) -> list[StoredInvoice]:
        """Matching invoices with ``seq`` above ``after``, in order, ``limit`` at most."""
        ...


class PrintStore(Protocol):
    """Counting the slips that are on paper."""

    def prints(self, seq: int) -> int:
        """How many slips of the invoice at ``seq`` there are."""
        ...

    def add_print(self, seq: int, at: int) -> int:
        """Count one more at ``at`` (unix seconds); returns how many there are now."""
        ...
