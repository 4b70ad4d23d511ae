"""What prepaid accounts need: a store of them."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from chain.hashing import Digest
from invoice_service.domain.money import Fen
from invoice_service.domain.prepaid import Ending, Event, State, Sums, ending_of, sums_of
from invoice_service.services.ports import Account

PREPAID: Final = "prepaid"
"""What its links are of."""


class Prepaid(msgspec.Struct, frozen=True, kw_only=True):
    """An account as it was opened; ``wallet`` is who holds the money. Times are unix seconds.

    ``sealed`` opens to the token of its customer's link, ``mark`` is that token's keyed digest.
    """

    seq: int = 0
    id: str
    merchant_id: int
    wallet: str
    terms: str
    opened_at: int
    expires_at: int
    sealed: bytes
    mark: bytes


class Said(NamedTuple):
    """What a wallet says once: its own number of it, and the digest of all that it says."""

    wallet: str
    request_id: str
    digest: bytes
    reason: str = ""


class Whole(msgspec.Struct, frozen=True):
    """An account with all that has become of it; ``active`` is whether its merchant may issue."""

    account: Prepaid
    events: tuple[Event, ...]
    asked_at: int | None
    active: bool

    @property
    def sums(self) -> Sums:
        """What stands in each book."""
        return sums_of(self.events)

    def ending(self, now: int) -> Ending | None:
        """Why no meal is released any more."""
        return ending_of(
            now=now,
            expires_at=self.account.expires_at,
            asked=self.asked_at is not None,
            refunded=self.sums.paid_back > 0,
            active=self.active,
        )

    def state(self, now: int) -> State:
        """``ended`` while there is something to pay back, ``closed`` then."""
        if self.ending(now) is None:
            return "open"
        return "ended" if self.sums.held else "closed"

    def due(self, now: int) -> Fen:
        """What the wallet is to pay back."""
        return 0 if self.ending(now) is None else self.sums.held


class Done(NamedTuple):
    """The account after a call, and whether the call has changed it."""

    whole: Whole
    new: bool


class PrepaidStore(Protocol):
    """Accounts and their events; each change is on disk when it returns, or did not happen.

    What a wallet has said is answered as before: ConflictError ``prepaid_differs`` where the same
    number stands for other content.
    """

    def open_prepaid(self, account: Prepaid, amount: Fen, said: Said) -> Done:
        """Keep it, or give the one there is; MalformedError as ``require_term``.

        RefusedError ``merchant_suspended``, ``merchant_left``.
        """
        ...

    def prepaid(
        self, account_id: str, *, merchant_id: int | None = None, wallet: str | None = None
    ) -> Whole | None:
        """One by its id; of this merchant or this wallet, where they are said."""
        ...

    def prepaid_by_mark(self, marks: Sequence[bytes]) -> Whole | None:
        """One by the keyed digest of its token."""
        ...

    def prepaids(self, merchant_id: int, after: int, limit: int) -> list[Whole]:
        """A merchant's, those above ``after`` in the order in which they were opened."""
        ...

    def refund_prepaid(self, seq: int, amount: Fen | None, said: Said, now: int) -> Done:
        """So much, or all that is held, is paid back; from then on no meal is released.

        RefusedError ``prepaid_short``.
        """
        ...

    def refuse_release(self, seq: int, invoice: Digest, said: Said, now: int) -> Done:
        """What a meal still has of the money is held again.

        NotFoundError ``prepaid_not_released``, RefusedError ``prepaid_given_back``.
        """
        ...

    def release_prepaid(self, account_id: str, merchant_id: int, invoice: Digest, now: int) -> Done:
        """Release what an invoice comes to that was issued before; once.

        NotFoundError ``prepaid_unknown``, ``invoice_unknown``; RefusedError as ``require_room`` and
        ``prepaid_not_whole``; ConflictError ``prepaid_released``.
        """
        ...

    def ask_back(self, seq: int, now: int) -> None:
        """Keep that the customer wants what is left; safe to repeat."""
        ...


class MerchantsByTaxId(Protocol):
    """Whom a wallet may name."""

    def account_by_tax_id(self, tax_id: str) -> Account | None:
        """One merchant."""
        ...
