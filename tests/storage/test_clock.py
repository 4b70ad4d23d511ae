"""A clock that leaps stops issuing, until somebody whose name stands in the trail confirms it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from invoice_service.domain.acts import By
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
    shop.store.totals.append(0, [BlockTotals(1, "2026-11-29", {})])
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
