"""What may become of money that was paid in advance: the books, and each reason to pay no meal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError, NotFoundError, Problem, RefusedError
from invoice_service.domain.prepaid import (
    LONGEST,
    MOST_RELEASES,
    MOVES,
    Ending,
    Event,
    Standing,
    Sums,
    ending_of,
    require_room,
    require_term,
    sums_of,
)

moves = st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.integers(1, 10**13)))


@given(moves)
def test_whatever_moves_the_books_come_to_what_was_paid_in(made: list[tuple[str, int]]) -> None:
    events = [Event(kind=kind, amount=amount, at=0) for kind, amount in made]  # type: ignore[arg-type] # drawn from them
    sums = sums_of(events)
    assert sums.held + sums.released + sums.paid_back == sums.paid_in
    assert sums.paid_in == sum(amount for kind, amount in made if kind == "open")


def test_a_life() -> None:
    kinds = (("open", 500), ("release", 300), ("return", 100), ("refuse", 200), ("refund", 500))
    events = [Event(kind=kind, amount=amount, at=0) for kind, amount in kinds]  # type: ignore[arg-type] # as above
    found = [sums_of(events[: count + 1]) for count in range(len(events))]
    assert found == [
        Sums(500, 500, 0, 0),
        Sums(500, 200, 300, 0),
        Sums(500, 300, 200, 0),
        Sums(500, 500, 0, 0),
        Sums(500, 0, 0, 500),
    ]


@pytest.mark.parametrize(
    ("asked", "refunded", "now", "active", "ending"),
    [
        (False, False, 99, True, None),
        (False, False, 99, False, "merchant"),
        (False, False, 100, False, "expired"),
        (True, False, 100, False, "customer"),
        (True, True, 100, False, "paid_back"),
    ],
)
def test_why_it_has_ended(
    *, asked: bool, refunded: bool, now: int, active: bool, ending: Ending | None
) -> None:
    found = ending_of(now=now, expires_at=100, asked=asked, refunded=refunded, active=active)
    assert found == ending


@pytest.mark.parametrize(
    ("standing", "kind", "code"),
    [
        (None, NotFoundError, "prepaid_unknown"),
        (Standing(100, 0, "customer"), RefusedError, "prepaid_ended"),
        (Standing(99, 0, None), RefusedError, "prepaid_short"),
        (Standing(100, MOST_RELEASES, None), RefusedError, "prepaid_full"),
    ],
)
def test_each_reason_to_pay_no_meal(
    standing: Standing | None, kind: type[Problem], code: str
) -> None:
    with pytest.raises(kind) as caught:
        require_room(standing, 100)
    assert (caught.value.code, caught.value.pointer) == (code, "/prepaid")


def test_all_that_is_held_may_be_released() -> None:
    require_room(Standing(100, MOST_RELEASES - 1, None), 100)


@pytest.mark.parametrize("seconds", [-1, 0, LONGEST + 1])
def test_a_term_lies_ahead_and_is_no_life(seconds: int) -> None:
    with pytest.raises(MalformedError, match="prepaid_term"):
        require_term(1_000, 1_000 + seconds)
    for good in (1, LONGEST):
        require_term(1_000, 1_000 + good)
