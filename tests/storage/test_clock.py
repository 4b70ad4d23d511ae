"""A clock that leaps stops issuing, until somebody whose name stands in the trail confirms it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from invoice_service.domain.acts import Act, By
from invoice_service.domain.clock import NOTED_EVERY, Running
from invoice_service.domain.invoice import Issued
from invoice_service.domain.numbering import Scheme
from invoice_service.services.anchoring.totals import BlockTotals
from invoice_service.services.people.trail import ActFilter
from tests.domain.samples import NOON
from tests.storage.shop import Shop

DAY = 86_400


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop that has issued once, at noon."""
    shop = Shop(tmp_path)
    shop.issue(shop.draft("A-0"))
    yield shop
    shop.store.close()


def by(shop: Shop) -> By:
    """Somebody at the machine."""
    return By("machine:wang", shop.now)


def test_a_leap_forward_issues_nothing_and_a_word_lets_it(shop: Shop) -> None:
    shop.now += 400 * DAY
    assert shop.refused(shop.draft("A-1")) == "clock_ahead"
    assert shop.store.last_seq() == 1
    shop.store.confirm_clock(by(shop))
    assert shop.issue(shop.draft("A-1")).issued_at == shop.now
    (found,) = shop.store.acts(ActFilter(type="clock"), 0, 10)
    assert (found.act.actor, found.act.at) == ("machine:wang", shop.now)
    shop.now += 5 * DAY  # the word was for then, not for ever
    assert shop.refused(shop.draft("A-2")) == "clock_ahead"


def test_a_repeat_is_answered_whatever_the_clock_says(shop: Shop) -> None:
    draft = shop.draft("A-1")
    shop.issue(draft)
    shop.now += 400 * DAY
    assert shop.issue(draft).seq == 2


def test_how_far_is_a_setting(tmp_path: Path) -> None:
    shop = Shop(tmp_path, scheme=Scheme(max_forwards=DAY))
    shop.issue(shop.draft("A-0"))
    shop.now += DAY + 1
    assert shop.refused(shop.draft("A-1")) == "clock_ahead"
    shop.now -= 1
    shop.issue(shop.draft("A-1"))


def test_a_quiet_shop_is_no_leap_while_days_are_sealed(shop: Shop) -> None:
    """Nobody has bought for ten days, and the worker has closed each of them."""
    shop.now += 10 * DAY
    shop.store.totals.append(0, [BlockTotals(1, "2018-08-20", {})])
    assert shop.store.known_times().sealed > NOON
    shop.issue(shop.draft("A-1"))


def test_two_invoices_a_day_ahead_stop_issuing_until_somebody_lets_it_go_on(shop: Shop) -> None:
    shop.now += DAY
    ahead = shop.issue(shop.draft("A-1"))
    shop.now -= DAY
    assert shop.refused(shop.draft("A-2")) == "clock_behind"
    shop.store.confirm_clock(by(shop))
    assert shop.issue(shop.draft("A-2")).issued_at == ahead.issued_at
    shop.now += DAY + 60
    assert shop.issue(shop.draft("A-3")).issued_at == shop.now


def test_the_first_invoice_of_all_believes_the_clock(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.now += 4_000 * DAY
    answer = shop.hand_in(shop.draft("A-1"))[0]
    assert isinstance(answer, Issued)


def test_but_it_is_not_from_before_the_instance_was_made(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    made = Act(at=NOON, actor="machine:wang", type="init", subject="instance")
    with shop.store.connections.writing() as connection:
        connection.execute("DROP TRIGGER acts_no_delete")
        connection.execute("DELETE FROM acts")
    shop.store.record(made)
    shop.now = NOON - 61
    assert shop.refused(shop.draft("A-1")) == "clock_behind"
    shop.store.confirm_clock(by(shop))  # the machine's clock was wrong when it was made
    assert shop.issue(shop.draft("A-1")).issued_at == NOON - 61


class TestAheadAndSetBack:
    """What is issued is never dated before the last seal: its block will not be sealed before."""

    @pytest.fixture
    def shop(self, shop: Shop) -> Shop:
        """Of three days ahead is the last seal; the clock has been set back."""
        shop.sealed = NOON + 3 * DAY
        return shop

    def test_what_is_issued_then_is_refused_blue_and_red(self, shop: Shop) -> None:
        blue = shop.store.invoice_at(1)
        assert blue is not None
        drafts = shop.draft("A-1"), shop.red_over(blue)
        assert [shop.refused(draft) for draft in drafts] == ["clock_behind"] * 2

    def test_a_few_seconds_are_no_matter_but_the_time_is_the_seals(self, shop: Shop) -> None:
        shop.now = shop.sealed - 60
        assert shop.issue(shop.draft("A-1")).issued_at == shop.sealed
        shop.now -= 1
        assert shop.refused(shop.draft("A-2")) == "clock_behind"

    def test_with_a_word_it_gets_the_seals_time_until_the_clock_has_come(self, shop: Shop) -> None:
        shop.store.confirm_clock(by(shop))
        found = shop.issue(shop.draft("A-1"))
        assert found.issued_at == shop.sealed
        shop.now += 60
        assert shop.issue(shop.draft("A-2")).issued_at == shop.sealed
        shop.now = shop.sealed + 5
        assert shop.issue(shop.draft("A-3")).issued_at == shop.now

    def test_a_later_seal_needs_another_word(self, shop: Shop) -> None:
        shop.store.confirm_clock(by(shop))
        shop.sealed += 1
        assert shop.refused(shop.draft("A-1")) == "clock_behind"

    @pytest.mark.parametrize("days", [2, 4])
    def test_an_invoice_ahead_as_well_the_later_one_counts(self, shop: Shop, days: int) -> None:
        sealed, shop.sealed = shop.sealed, 0
        shop.now = NOON + days * DAY
        invoice = shop.issue(shop.draft("A-1")).issued_at
        shop.sealed, shop.now = sealed, NOON
        assert shop.refused(shop.draft("A-2")) == "clock_behind"
        shop.store.confirm_clock(by(shop))
        assert shop.issue(shop.draft("A-2")).issued_at == max(sealed, invoice)

    def test_a_repeat_keeps_the_time_that_it_has(self, shop: Shop) -> None:
        shop.sealed = 0
        draft = shop.draft("A-1")
        first = shop.issue(draft)
        shop.sealed = NOON + 3 * DAY
        assert shop.issue(draft) == first

    def test_the_first_invoice_of_all_as_well(self, tmp_path: Path) -> None:
        (tmp_path / "new").mkdir()
        shop = Shop(tmp_path / "new")
        shop.sealed = NOON + DAY
        assert shop.refused(shop.draft("A-1")) == "clock_behind"
        shop.now = shop.sealed - 5
        assert shop.issue(shop.draft("A-1")).issued_at == shop.sealed


class TestWalking:
    """Leaps that are small one by one are summed up against the time that the machine has run."""

    @pytest.fixture
    def shop(self, shop: Shop) -> Shop:
        """Its clock is noted now and then, as the worker does."""
        shop.running = Running("monday", 1000)
        shop.store.note_clock(shop.now)
        return shop

    def runs(self, shop: Shop, seconds: int) -> None:
        """Time passes, and the clock goes."""
        assert shop.running is not None
        shop.running = shop.running._replace(seconds=shop.running.seconds + seconds)
        shop.now += seconds

    @pytest.mark.parametrize("noted", [False, True])
    def test_a_second_leap_is_one_too_many(self, shop: Shop, noted: bool) -> None:
        for name in ("A-1", "A-2"):
            shop.now += 2 * DAY
            shop.issue(shop.draft(name))
            if noted:
                shop.store.note_clock(shop.now)
        shop.now += 61
        assert shop.refused(shop.draft("A-3")) == "clock_ahead"
        shop.store.confirm_clock(by(shop))
        shop.issue(shop.draft("A-3"))
        shop.now += 4 * DAY
        shop.issue(shop.draft("A-4"))

    def test_a_day_of_running_makes_a_leap_good(self, shop: Shop) -> None:
        for name in ("A-1", "A-2", "A-3"):
            shop.now += 3 * DAY
            shop.issue(shop.draft(name))
            shop.store.note_clock(shop.now)
            self.runs(shop, DAY)
            shop.issue(shop.draft(f"{name}-later"))
            shop.store.note_clock(shop.now)

    def test_a_leap_that_is_taken_back_is_none(self, shop: Shop) -> None:
        shop.now += 3 * DAY
        shop.store.note_clock(shop.now)
        shop.now -= 3 * DAY
        self.runs(shop, 60)
        assert shop.store.known_times().gained(shop.now) == 0

    def test_off_over_a_weekend_and_on_again(self, shop: Shop) -> None:
        for week in ("tuesday", "wednesday"):
            shop.now += 3 * DAY
            shop.running = Running(week, 30)
            shop.issue(shop.draft(week))
            shop.store.note_clock(shop.now)
            self.runs(shop, 4 * DAY)
            shop.issue(shop.draft(f"{week}-end"))
            shop.store.note_clock(shop.now)

    def test_off_and_on_again_with_another_clock_each_time(self, shop: Shop) -> None:
        shop.now += 3 * DAY
        shop.running = Running("tuesday", 30)
        shop.issue(shop.draft("A-1"))
        shop.store.note_clock(shop.now)
        shop.now += 3 * DAY
        shop.running = Running("wednesday", 30)
        assert shop.refused(shop.draft("A-2")) == "clock_ahead"

    def test_a_machine_that_runs_on_for_years_has_not_leapt(self, shop: Shop) -> None:
        for day in range(0, 400, 3):
            self.runs(shop, 3 * DAY)
            shop.issue(shop.draft(f"A-{day + 1}"))
        assert shop.store.known_times().gained(shop.now) == 0

    def test_it_is_noted_now_and_then_and_never_backwards(self, shop: Shop) -> None:
        def noted() -> int:
            return int(shop.rows("SELECT at FROM clock_noted")[0][0])

        at = noted()
        for seconds, due in ((NOTED_EVERY - 1, False), (1, True), (-DAY, False), (DAY, False)):
            shop.now += seconds
            shop.store.note_clock(shop.now)
            assert (noted() != at) == due, seconds
            at = noted()
        shop.running = Running("tuesday", 30)
        shop.now += 1
        shop.store.note_clock(shop.now)
        assert noted() == shop.now

    def test_a_clock_that_is_behind_is_not_noted(self, shop: Shop) -> None:
        at = shop.store.known_times().reckoned
        shop.sealed = NOON + 3 * DAY
        shop.now += NOTED_EVERY
        shop.store.note_clock(shop.now)
        assert shop.store.known_times().reckoned == at
