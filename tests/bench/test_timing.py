"""Percentiles and rates: small numbers that are easy to get wrong by one."""

import pytest

from bench.timing import percentile, repeat, summary, wait_until


@pytest.mark.parametrize(
    ("count", "share", "expected"),
    [(1, 0.5, 1), (2, 0.5, 1), (3, 0.5, 2), (100, 0.99, 99), (100, 1.0, 100), (101, 0.99, 100)],
)
def test_a_percentile_is_the_value_at_that_rank(count: int, share: float, expected: int) -> None:
    assert percentile([float(n) for n in range(count, 0, -1)], share) == expected


def test_a_rate_counts_over_the_whole_time() -> None:
    rate = summary([0.1, 0.3], 0.8)
    assert (rate.per_second, rate.p50, rate.p99, rate.count) == (2.5, 0.1, 0.3, 2)


def test_repeating_counts_every_turn() -> None:
    turns: list[int] = []
    rate = repeat(lambda: turns.append(1), 0.01)
    assert rate.count == len(turns) > 10


def test_waiting_ends_with_the_name_of_what_did_not_come() -> None:
    with pytest.raises(TimeoutError, match="godot"):
        wait_until(lambda: False, 0.05, "godot")
