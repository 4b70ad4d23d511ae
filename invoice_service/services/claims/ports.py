"""What claims need: orders and claims as a store keeps them."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from invoice_service.domain.money import Fen

OrderState = Literal["open", "paid", "claimed", "expired", "cancelled"]
Payer = Literal["till", "wechat", "alipay"]

NOBODY: Final = b""
"""The secret of a claim that no browser made."""

ANY: Final = 0
"""No share in particular."""

LATEST: Final = 2**62
"""After any time."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order; ``content`` is what is issued for each share, as JSON, ``asked`` its digest.

    ``sealed`` opens to the token of its link, ``mark`` is that token's keyed digest. Times are
    unix seconds.
    """

    seq: int = 0
    id: str
    merchant_id: int
    till: str = ""
    business_day: str = ""
    order_id: str = ""
    total: Fen
    shares: tuple[Fen, ...]
    content: bytes
    asked: bytes
    sealed: bytes
    mark: bytes
    auto_issue: bool = False
    after_payment: bool = False
    created_at: int
    expires_at: int
    cancelled_at: int | None = None


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's claim on a share; ``hash`` is "" until it is issued, ``buyer`` b"" from then on.

    ``secret`` is the digest of what the claimer's browser keeps.
    """

    part: int
    secret: bytes
    at: int
    buyer: bytes = b""
    hash: str = ""
    number: str = ""


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """Money that somebody says has come; ``counts`` is whether it is what the order comes to."""

    by: Payer
    reference: str
    amount: Fen
    at: int
    counts: bool = True


class Whole(msgspec.Struct, frozen=True):
    """An order with all that has become of it."""

    order: Order
    claims: tuple[Claim, ...] = ()
    payments: tuple[Payment, ...] = ()

    @property
    def paid_at(self) -> int | None:
        """When it was paid; None while it is not."""
        return min((one.at for one in self.payments if one.counts), default=None)

    @property
    def issues_itself(self) -> bool:
        """Whether what nobody has claimed is to be issued without anybody."""
        order = self.order
        return order.auto_issue and self.paid_at is not None and order.cancelled_at is None

    @property
    def issued(self) -> int:
        """How many shares have their invoice."""
        return sum(1 for one in self.claims if one.hash)

    def state(self, now: int) -> OrderState:
        """What a till is told of it: the first that is so of claimed, cancelled, expired, paid.

        What somebody has asked for in time is issued however late; only the rest expires.
        """
        order = self.order
        if self.issued == len(order.shares):
            return "claimed"
        if order.cancelled_at is not None:
            return "cancelled"
        if now >= order.expires_at and len(self.claims) < len(order.shares):
            return "expired"
        return "open" if self.paid_at is None else "paid"


class Made(NamedTuple):
    """An order that was sent, and whether it is new here."""

    whole: Whole
    new: bool


class Wanted(NamedTuple):
    """A claim that is to be made; ``forced`` needs no time left: the order was paid in time."""

    secret: bytes
    buyer: bytes
    part: int = ANY
    forced: bool = False


class ClaimStore(Protocol):
    """Orders, claims and payments; each change is on disk when it returns, or did not happen."""

    def add_order(self, order: Order) -> Made:
        """Keep it, or give the one there is: made again, it has its new time.

        ConflictError ``order_differs``.
        """
        ...

    def order(self, order_id: str, merchant_id: int | None) -> Whole | None:
        """One by its id; of this merchant, or of any (None)."""
        ...

    def order_by_mark(self, marks: Sequence[bytes]) -> Whole | None:
        """One by the keyed digest of its token."""
        ...

    def orders(
        self, merchant_id: int, after: int, limit: int, *, number: str = "", day: str = ""
    ) -> list[Whole]:
        """A merchant's, those above ``after`` in the order in which they were made."""
        ...

    def orders_of_day(self, merchant_id: int, day: str, limit: int) -> list[Whole]:
        """A merchant's newest of a business day, the newest first."""
        ...

    def cancel_order(self, order_id: str, merchant_id: int, at: int) -> Whole | None:
        """Nobody may claim it any more; ConflictError ``order_claimed``. Safe to repeat."""
        ...

    def begin_claim(self, seq: int, wanted: Wanted, now: int) -> Claim:
        """Keep a share for somebody, or find the claim that the same browser has made.

        ConflictError as ``rules.choose``.
        """
        ...

    def finish_claim(self, seq: int, claim: Claim) -> None:
        """It has its invoice; the buyer stands there, and nowhere else."""
        ...

    def drop_claim(self, seq: int, part: int) -> None:
        """It was refused, and the share is free again."""
        ...

    def add_payment(self, seq: int, payment: Payment) -> bool:
        """Keep it, once by its reference; whether it is new."""
        ...

    def has_prepaid(self, account_id: str, merchant_id: int) -> bool:
        """Whether there is such a prepaid account at this merchant's."""
        ...

    def begun_claims(
        self, limit: int, *, merchant_id: int | None = None, after: int = 0, before: int = LATEST
    ) -> list[Whole]:
        """Orders with claims of which nobody knows what came, or that wait to issue themselves.

        A merchant's, or (None) all above ``after``; of claims, those begun by ``before``.
        """
        ...
