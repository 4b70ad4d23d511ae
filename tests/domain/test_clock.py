"""The clock is held against what is known: a leap needs somebody's word, a step does not."""

import pytest

from chain.errors import UnavailableError
from invoice_service.domain.clock import Known, check_ahead, check_behind
from tests.domain.samples import NOON

DAY = 86_400


@pytest.mark.parametrize("ahead", [0, 1, 4 * DAY])
def test_a_clock_may_be_some_days_ahead(ahead: int) -> None:
    check_ahead(NOON + ahead, NOON)


def test_a_leap_is_refused_and_says_how_far() -> None:
    ahead = 4 * DAY + 1
    with pytest.raises(UnavailableError, match=r"^clock_ahead\b") as refused:
        check_ahead(NOON + ahead, NOON)
    assert refused.value.extra == {"seconds": ahead}
    check_ahead(NOON + ahead, NOON, ahead)


def test_where_nothing_is_known_any_clock_is_believed() -> None:
    check_ahead(NOON, Known().latest)
    check_behind(NOON, Known())


@pytest.mark.parametrize("name", ["issued", "sealed", "confirmed"])
def test_whatever_is_newest_counts(name: str) -> None:
    assert Known(**{name: NOON}).latest == NOON


def test_a_clock_may_be_a_minute_behind_the_last_invoice() -> None:
    check_behind(NOON - 60, Known(issued=NOON))
    with pytest.raises(UnavailableError, match=r"^clock_behind\b") as refused:
        check_behind(NOON - 61, Known(issued=NOON))
    assert refused.value.extra == {"seconds": 61}


def test_whoever_knew_of_that_invoice_may_let_issuing_go_on() -> None:
    let = Known(issued=NOON + DAY, stands=NOON + DAY, confirmed=NOON)
    check_behind(NOON, let)
    check_behind(NOON - 60, let)
    with pytest.raises(UnavailableError, match="clock_behind"):
        check_behind(NOON - 61, let)  # further back than when it was confirmed


def test_a_word_given_before_a_later_invoice_says_nothing_of_it() -> None:
    with pytest.raises(UnavailableError, match="clock_behind"):
        check_behind(NOON, Known(issued=NOON + DAY + 1, stands=NOON + DAY, confirmed=NOON))
