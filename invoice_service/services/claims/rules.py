"""Who may claim which share now."""

from typing import Final

import msgspec

from chain.errors import ConflictError
from invoice_service.services.claims.ports import ANY, Claim, Order, Wanted, Whole


class _Named(msgspec.Struct):
    name: str


class _Share(msgspec.Struct):
    lines: list[_Named]


_read_content: Final = msgspec.json.Decoder(list[_Share]).decode


def choose(whole: Whole, wanted: Wanted, now: int) -> Claim | int:
    """The claim that the same browser has made, or the number of a share that is free.

    1. a browser that has claimed is shown what it claimed, whatever has become of the order;
    2. what is cancelled, or claimed by others, is nobody's any more;
    3. time is over at ``expires_at``, but not for an order that issues by itself;
    4. an order that waits for its payment is claimed after it;
    5. instead of a share that somebody else took, another with the same on it does.

    Raises ConflictError: order_claimed, order_cancelled (2), order_expired (3), order_not_paid (4),
    order_part_taken (5).
    """
    order = whole.order
    for claim in whole.claims:
        if wanted.secret and claim.secret == wanted.secret:
            return claim
    if order.cancelled_at is not None:
        raise ConflictError("order_cancelled", "the restaurant has cancelled this order")
    taken = {claim.part for claim in whole.claims}
    free = [part for part in range(1, len(order.shares) + 1) if part not in taken]
    if not free:
        raise ConflictError("order_claimed", "every share of this order has been claimed")
    if not wanted.forced and now >= order.expires_at:
        raise ConflictError("order_expired", "the time to claim this order is over")
    if order.after_payment and whole.paid_at is None:
        raise ConflictError("order_not_paid", "this order waits for its payment")
    if wanted.part == ANY or wanted.part in free:
        return wanted.part or free[0]
    return _alike(whole, wanted.part, free)


def _alike(whole: Whole, part: int, free: list[int]) -> int:
    shares, dishes = whole.order.shares, _dishes(whole.order)
    if part <= len(shares):
        for other in free:
            if (shares[other - 1], dishes[other - 1]) == (shares[part - 1], dishes[part - 1]):
                return other
    raise ConflictError("order_part_taken", "somebody else has claimed this share: choose another")


def _dishes(order: Order) -> list[set[str]]:
    """What is on each share, by its name: guests who share by dish are not given another's."""
    return [{line.name for line in share.lines} for share in _read_content(order.content)]
