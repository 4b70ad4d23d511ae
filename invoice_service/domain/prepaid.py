"""Money paid in advance that stays the customer's (元管家): what may become of it (ADR 0049).

A ledger of four books. Each event moves one amount out of one book into another, so that its two
sides are equal, and all four always come to what was paid in. Money itself moves at the wallet.
"""

from collections.abc import Iterable
from functools import reduce
from typing import Final, Literal, NamedTuple

import msgspec

from chain.errors import MalformedError, NotFoundError, RefusedError

from .money import Fen

Book = Literal["paid_in", "held", "released", "paid_back"]
Kind = Literal["open", "release", "return", "refuse", "refund"]
State = Literal["open", "ended", "closed"]
Ending = Literal["paid_back", "customer", "expired", "merchant"]

MOVES: Final[dict[Kind, tuple[Book, Book]]] = {
    "open": ("paid_in", "held"),
    "release": ("held", "released"),
    "return": ("released", "held"),
    "refuse": ("released", "held"),
    "refund": ("held", "paid_back"),
}
"""Out of which book into which."""

MOST_RELEASES: Final = 1_000
"""Of one account: so many are told in one answer."""

LONGEST: Final = 3653 * 86_400
"""Seconds for which an account may be open: ten years."""

_WHY: Final[dict[Ending, str]] = {
    "paid_back": "the wallet has begun to pay back what is left",
    "customer": "the customer has asked for what is left",
    "expired": "its time is over",
    "merchant": "the merchant is suspended",
}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One move; ``invoice`` and ``red`` are password areas, "" where there is none.

    ``number`` is the invoice's. ``at`` is in unix seconds.
    """

    seq: int = 0
    kind: Kind
    amount: Fen
    at: int
    invoice: str = ""
    red: str = ""
    number: str = ""
    reason: str = ""
    request_id: str = ""


class Sums(NamedTuple):
    """What stands in each book; ``paid_in`` counts what came in, and never goes down."""

    paid_in: Fen = 0
    held: Fen = 0
    released: Fen = 0
    paid_back: Fen = 0


class Standing(NamedTuple):
    """What decides whether a meal may be released."""

    held: Fen
    releases: int
    ending: Ending | None


def sums_of(events: Iterable[Event]) -> Sums:
    """All moves added up."""
    return reduce(moved, events, Sums())


def moved(sums: Sums, event: Event) -> Sums:
    """The books after one more move."""
    out, into = MOVES[event.kind]
    books = sums._asdict()
    books[out] += event.amount if out == "paid_in" else -event.amount
    books[into] += event.amount
    return Sums(**books)


def ending_of(
    *, now: int, expires_at: int, asked: bool, refunded: bool, active: bool
) -> Ending | None:
    """Why no meal is released any more; None while meals are. What is left is the customer's."""
    if refunded:
        return "paid_back"
    if asked:
        return "customer"
    if now >= expires_at:
        return "expired"
    return None if active else "merchant"


def require_room(standing: Standing | None, total: Fen) -> None:
    """Whether a meal of ``total`` may be released.

    1. there is such an account;
    2. it has not ended;
    3. it holds as much;
    4. it has not released as many as one account may.

    Raises NotFoundError prepaid_unknown (1), RefusedError prepaid_ended (2), prepaid_short (3),
    prepaid_full (4).
    """
    if standing is None:
        raise unknown("/prepaid")
    if standing.ending is not None:
        raise RefusedError("prepaid_ended", _WHY[standing.ending], pointer="/prepaid")
    if total > standing.held:
        raise RefusedError(
            "prepaid_short",
            f"it holds {standing.held} fen, and this comes to {total}",
            pointer="/prepaid",
            held=standing.held,
        )
    if standing.releases >= MOST_RELEASES:
        raise RefusedError(
            "prepaid_full",
            f"an account releases at most {MOST_RELEASES} meals",
            pointer="/prepaid",
            limit=MOST_RELEASES,
        )


def require_term(now: int, expires_at: int) -> None:
    """Whether an account may be open until then; MalformedError ``prepaid_term``."""
    if not 0 < expires_at - now <= LONGEST:
        raise MalformedError(
            "prepaid_term", "it ends later than now, within ten years", pointer="/expires_at"
        )


def unknown(pointer: str = "") -> NotFoundError:
    """Of what is not there, and of what is another's."""
    return NotFoundError("prepaid_unknown", "there is no such prepaid account", pointer=pointer)
