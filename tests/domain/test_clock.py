"""The clock is held against what is known: a leap needs somebody's word, a step does not."""

import pytest

from chain.errors import UnavailableError
from invoice_service.domain.clock import (
    MADE_GOOD,
    Known,
    Noted,
    Running,
    check_ahead,
    check_behind,
)
from tests.domain.samples import NOON

DAY = 86_400


@pytest.mark.parametrize("ahead", [0, 1, 4 * DAY])
def test_a_clock_may_be_some_days_ahead(ahead: int) -> None:
    check_ahead(NOON + ahead, Known(issued=NOON))


def test_a_leap_is_refused_and_says_how_far() -> None:
    ahead = 4 * DAY + 1
    with pytest.raises(UnavailableError, match=r"^clock_ahead\b") as refused:
        check_ahead(NOON + ahead, Known(issued=NOON))
    assert refused.value.extra == {"seconds": ahead}
    check_ahead(NOON + ahead, Known(issued=NOON), ahead)


def test_where_nothing_is_known_any_clock_is_believed() -> None:
    check_ahead(NOON, Known())
    check_behind(NOON, Known())


@pytest.mark.parametrize("name", ["issued", "sealed", "confirmed"])
def test_whatever_is_newest_counts(name: str) -> None:
    assert Known(**{name: NOON}).latest == NOON


def test_an_instance_may_wait_long_for_its_first_invoice() -> None:
    check_ahead(NOON + 400 * DAY, Known(made=NOON))


@pytest.mark.parametrize(
    ("name", "said"),
    [("issued", "last invoice"), ("sealed", "last seal"), ("made", "making of this instance")],
)
def test_a_clock_may_be_a_minute_behind_what_has_come(name: str, said: str) -> None:
    known = Known(**{name: NOON})
    check_behind(NOON - 60, known)
    with pytest.raises(
        UnavailableError, match=rf"^clock_behind\b.* 61 seconds behind the {said};"
    ) as refused:
        check_behind(NOON - 61, known)
    assert refused.value.extra == {"seconds": 61}


@pytest.mark.parametrize("name", ["issued", "sealed", "made"])
def test_whoever_knew_of_that_may_let_issuing_go_on(name: str) -> None:
    let = Known(**{name: NOON + DAY}, stands=NOON + DAY, confirmed=NOON)
    check_behind(NOON, let)
    check_behind(NOON - 60, let)
    with pytest.raises(UnavailableError, match="clock_behind"):
        check_behind(NOON - 61, let)  # further back than when it was confirmed


@pytest.mark.parametrize("name", ["issued", "sealed"])
def test_a_word_given_before_something_later_says_nothing_of_it(name: str) -> None:
    known = Known(**{name: NOON + DAY + 1}, stands=NOON + DAY, confirmed=NOON)
    with pytest.raises(UnavailableError, match="clock_behind"):
        check_behind(NOON, known)


def test_leaps_are_summed_up_against_the_machines_running() -> None:
    """Each may be small, and what has come be as new as the last of them."""
    known = Known(issued=NOON + DAY, reckoned=NOON, leapt=2 * DAY)
    check_ahead(NOON + 2 * DAY, known)
    with pytest.raises(UnavailableError, match=r"^clock_ahead\b") as refused:
        check_ahead(NOON + 2 * DAY + 1, known)
    assert refused.value.extra == {"seconds": 4 * DAY + 1}
    assert Known(reckoned=NOON).gained(NOON - DAY) == 0
    assert Known(issued=NOON).gained(NOON + DAY) == 0  # nobody counts


class TestNoted:
    """What a clock said once, and what it would say by now."""

    noted = Noted(Running("a", 1000), NOON, 10 * DAY)

    def test_in_one_start_all_that_passed_is_known(self) -> None:
        passed = DAY
        found = self.noted.then(Running("a", 1000 + passed))
        assert found == (NOON + passed, (10 - MADE_GOOD) * DAY)

    @pytest.mark.parametrize("later", [Running("b", 30), Running("a", 30)])
    def test_of_another_start_only_what_passed_since_that(self, later: Running) -> None:
        assert self.noted.then(later) == (NOON + 30, 10 * DAY - MADE_GOOD * 30)

    def test_a_leap_is_made_good_and_no_more_than_that(self) -> None:
        assert self.noted.then(Running("a", 1000 + 3 * DAY))[1] == 0
