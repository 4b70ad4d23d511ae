"""What retention needs of a store."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from invoice_service.domain.acts import By
from invoice_service.domain.invoice import StoredInvoice


class Due(NamedTuple):
    """How many are over their time, and since when (unix seconds) the oldest of all is kept."""

    many: int
    oldest: int | None = None


class KeptRows(Protocol):
    """Rows that may go in the end; ``before`` is in unix seconds, ``most`` how many at once."""

    def claimers_due(self, before: int) -> Due:
        """Browsers that are still known by what they claimed."""
        ...

    def forget_claimers(self, before: int, most: int) -> int:
        """Know them no longer; returns how many."""
        ...

    def orders_due(self, before: int) -> Due:
        """Orders that nobody claimed or paid, and nobody can any more."""
        ...

    def drop_orders(self, before: int, most: int) -> int:
        """Delete them; returns how many."""
        ...

    def old_letters(self, before: int) -> Due:
        """Letters with invoices that were sent or given up."""
        ...

    def drop_letters(self, before: int, most: int) -> int:
        """Delete them; returns how many."""
        ...

    def people_due(self, before: int) -> Due:
        """Sales to people of whom something is stored."""
        ...

    def people_before(self, before: int, after: int, most: int) -> list[tuple[int, bytes]]:
        """(Place, digest) of such sales above the place ``after``, in order."""
        ...


class ErasedRows(Protocol):
    """What the store knows of those who were erased."""

    def waiting_erasures(self) -> list[int]:
        """Places of blue invoices whose erasure has not reached everything beside the store."""
        ...

    def erasure_reached_all(self, seq: int) -> None:
        """It has."""
        ...

    def erased_groups(self) -> list[bytes]:
        """The commitments of all groups that were erased."""
        ...

    def people_in(self, groups: Collection[bytes]) -> list[bytes]:
        """The digests of documents whose groups are among these, and are not erased here."""
        ...

    def withdraw_named(self, marks: Collection[bytes], by: By) -> int:
        """Withdraw applications that were withdrawn once, as a copy of before does not know."""
        ...

    def erased_mark(self) -> bytes | None:
        """The mark of the list with which the store agrees; None when it never did."""
        ...

    def note_erased_mark(self, mark: bytes) -> None:
        """It agrees with that one."""
        ...

    def invoice_at(self, seq: int) -> StoredInvoice | None:
        """The invoice at ``seq``."""
        ...

    def returns_of(self, seq: int) -> Sequence[StoredInvoice]:
        """The red invoices over the blue one at ``seq``."""
        ...
