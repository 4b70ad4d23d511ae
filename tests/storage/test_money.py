"""Quotas as money: nothing over them is issued, whoever issues at once; a month is Shenzhen's."""

import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from threading import Thread

import pytest
from msgspec import UNSET

from chain.audit.finding import AuditError
from invoice_service.domain.invoice import Issued
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.domain.request import ReversalRequest
from invoice_service.services.checking.audit_invoices import InvoiceCheck
from tests.domain.samples import BY
from tests.scale import share
from tests.storage.shop import Shop, codes

MEAL = 10_660
"""Fen without tax of the shop's order."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    shop.now = moment(2026, 11, 21)
    yield shop
    shop.store.close()


def moment(year: int, month: int, day: int, hour: int = 12, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=SHANGHAI).timestamp())


def at(shop: Shop, now: int) -> None:
    """It is that time, and the log has seen it: a clock that leaps is not believed."""
    shop.now = shop.sealed = now


def allow(shop: Shop, month: int | None = None, limit: int | None = None) -> None:
    by = BY.__class__(BY.actor, shop.now, BY.origin)
    given = shop.store.set_quota(
        shop.merchant.id, UNSET, by, month_quota=month, invoice_limit=limit
    )
    assert given


def spent(shop: Shop) -> dict[str, int]:
    return dict(shop.rows("SELECT month, amount FROM money_spent"))


def derived(shop: Shop, month: str) -> int:
    """The slow definition: what was issued in a month, and taken back of that month's own."""
    total = 0
    months = {
        seq: datetime.fromtimestamp(at, SHANGHAI).strftime("%Y-%m")
        for seq, at in shop.rows("SELECT seq, issued_at FROM invoices")
    }
    for seq, amount, blue in shop.rows("SELECT seq, amount, reverses FROM invoices"):
        if months[seq] == month and months[blue or seq] == month:
            total += amount
    return total


def test_the_sample_order_is_what_these_tests_count_with(shop: Shop) -> None:
    assert shop.issue(shop.draft("A-1")).amount == MEAL


def test_a_month_has_its_quota_and_the_next_one_is_whole(shop: Shop) -> None:
    allow(shop, month=2 * MEAL)
    assert codes(shop.hand_in(shop.draft("A-1"), shop.draft("A-2"))) == ["issued"] * 2
    assert shop.refused(shop.draft("A-3")) == "quota_money_spent"
    assert shop.refused(shop.draft("A-1")) != "quota_money_spent"  # a repeat is answered
    at(shop, moment(2026, 11, 30, 23, 59))
    assert shop.refused(shop.draft("A-3")) == "quota_money_spent"
    at(shop, moment(2026, 12, 1, 0, 0))  # it is still November in UTC
    shop.issue(shop.draft("A-3"))
    assert spent(shop) == {"2026-11": 2 * MEAL, "2026-12": MEAL}
    account = shop.store.account(shop.merchant.id)
    assert account is not None
    assert (account.month, account.money_left(shop.now)) == ("2026-12", MEAL)
    assert account.money_left(moment(2027, 1, 1)) == 2 * MEAL


def test_one_invoice_has_its_limit(shop: Shop) -> None:
    allow(shop, limit=MEAL - 1)
    assert shop.refused(shop.draft("A-1")) == "invoice_over_limit"
    allow(shop, limit=MEAL)
    shop.issue(shop.draft("A-1"))
    assert spent(shop) == {}  # a limit alone keeps no sum


def test_what_is_taken_back_within_the_month_is_given_back(shop: Shop) -> None:
    allow(shop, month=MEAL)
    first = shop.issue(shop.draft("A-1"))
    assert shop.refused(shop.draft("A-2")) == "quota_money_spent"
    shop.issue(shop.red(first))
    assert spent(shop) == {"2026-11": 0}
    second = shop.issue(shop.draft("A-2"))
    at(shop, moment(2026, 12, 3))
    shop.issue(shop.red(second))
    assert spent(shop) == {"2026-11": MEAL}  # of another month: nothing
    assert derived(shop, "2026-12") == 0


def test_part_returns_give_back_their_part(shop: Shop) -> None:
    allow(shop, month=MEAL)
    blue = shop.issue(shop.draft("A-1"))
    part = ReversalRequest(reason=shop.red(blue).takes_back.reason, amount=10_600)  # type: ignore[union-attr]
    red = shop.issue(shop.red(blue, part))
    assert red.amount < 0
    assert spent(shop) == {"2026-11": MEAL + red.amount}


def test_a_quota_within_the_month_counts_what_was_issued_before(shop: Shop) -> None:
    shop.now = moment(2026, 10, 31, 23)
    old = shop.issue(shop.draft("A-0"))
    shop.now = moment(2026, 11, 1)
    mine = shop.issue(shop.draft("A-1"))
    shop.issue(shop.red(old))
    shop.issue(shop.draft("A-2"))
    shop.issue(shop.red(mine))
    allow(shop, month=2 * MEAL)
    assert spent(shop) == {"2026-11": MEAL} == {"2026-11": derived(shop, "2026-11")}
    shop.issue(shop.draft("A-3"))
    assert shop.refused(shop.draft("A-4")) == "quota_money_spent"
    allow(shop, month=None)
    shop.issue(shop.draft("A-4"))
    allow(shop, month=3 * MEAL)  # and again: what was issued meanwhile counts
    assert spent(shop) == {"2026-11": 3 * MEAL}
    assert shop.refused(shop.draft("A-5")) == "quota_money_spent"


def test_a_record_that_is_refused_takes_nothing_of_the_others(shop: Shop) -> None:
    allow(shop, month=3 * MEAL)
    drafts = [shop.draft("A-1"), shop.draft("A-1", remark="other"), shop.draft("A-2")]
    drafts += [shop.draft("A-3"), shop.draft("A-4")]
    answers = codes(shop.hand_in(*drafts))
    assert answers == ["issued", "order_id_conflict", "issued", "issued", "quota_money_spent"]
    assert spent(shop) == {"2026-11": 3 * MEAL}


def test_many_at_once_never_issue_more_than_is_allowed(shop: Shop) -> None:
    allowed = 7
    allow(shop, month=allowed * MEAL + MEAL // 2)
    answers: list[str] = []
    drafts = [shop.draft(f"R-{number}") for number in range(24)]

    def issue(mine: list[int]) -> None:
        for number in mine:
            answers.extend(codes(shop.hand_in(drafts[number])))

    threads = [Thread(target=issue, args=(list(range(start, 24, 4)),)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count("issued") == allowed
    assert answers.count("quota_money_spent") == 24 - allowed
    assert spent(shop) == {"2026-11": allowed * MEAL}


def test_whatever_happens_the_sum_is_what_the_slow_definition_says(shop: Shop) -> None:
    chance = random.Random(11)
    allow(shop, month=40 * MEAL)
    blues: list[Issued] = []
    for number in range(share(600, 90)):
        if chance.random() < 0.08:
            at(shop, shop.now + 86_400 * chance.randrange(1, 12))
        if blues and chance.random() < 0.35:
            blue = blues.pop(chance.randrange(len(blues)))
            shop.hand_in(shop.red(blue))
        else:
            shop.hand_in(*(shop.draft(f"X-{number}-{part}") for part in range(chance.randrange(4))))
            blues += [
                one for one in shop.hand_in(shop.draft(f"Y-{number}")) if isinstance(one, Issued)
            ]
        for month, amount in spent(shop).items():
            assert amount == derived(shop, month) <= 40 * MEAL
        assert [one for one in shop.store.spent() if one.kept != one.counted] == []


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("UPDATE money_spent SET amount = amount - 1 WHERE month = '2026-12'", MEAL - 1),
        ("DELETE FROM money_spent WHERE month = '2026-12'", 0),
        ("UPDATE money_spent SET amount = amount - 1 WHERE month = '2026-11'", 2 * MEAL - 1),
        ("UPDATE money_spent SET month = 'never' WHERE month = '2026-12'", 0),
    ],
)
def test_a_sum_that_was_changed_behind_the_scenes_is_named(
    shop: Shop, statement: str, kept: int
) -> None:
    shop.issue(shop.draft("before"))
    allow(shop, month=10 * MEAL)
    shop.issue(shop.draft("A-1"))
    at(shop, moment(2026, 12, 1))
    shop.issue(shop.draft("A-2"))
    InvoiceCheck(shop.store).quotas()
    with shop.store.connections.writing() as connection:
        assert connection.execute(statement).rowcount == 1
    with pytest.raises(AuditError) as caught:
        InvoiceCheck(shop.store).quotas()
    assert (caught.value.extra["kind"], caught.value.extra["place"]) == ("merchant", 1)
    assert caught.value.extra["found"] == str(kept)


def test_a_quota_that_was_given_later_counts_from_then_on(shop: Shop) -> None:
    shop.issue(shop.draft("before"))
    at(shop, moment(2026, 12, 1))
    allow(shop, month=10 * MEAL)
    assert shop.store.spent() == []
    shop.issue(shop.draft("A-1"))
    allow(shop)
    shop.issue(shop.draft("A-2"))  # without one nothing is counted
    assert shop.store.spent() == []
    allow(shop, month=10 * MEAL)
    assert [one[1:] for one in shop.store.spent()] == [("2026-12", 2 * MEAL, 2 * MEAL)]


def test_a_merchant_that_has_left_issues_nothing_and_takes_nothing_back(shop: Shop) -> None:
    blue = shop.issue(shop.draft("A-1"))
    assert shop.store.set_status(shop.merchant.id, "left", BY, "it has closed")
    assert shop.refused(shop.draft("A-2")) == "merchant_left"
    assert shop.refused(shop.red(blue)) == "merchant_left"


@pytest.mark.parametrize("count", [1, 3, 40])
def test_the_sum_is_read_once_and_written_once_however_many_are_issued(
    shop: Shop, count: int
) -> None:
    asked: list[str] = []
    with shop.store.connections.reading() as connection:
        connection.set_trace_callback(asked.append)
    shop.hand_in(*(shop.draft(f"A-{number}") for number in range(count)))
    assert [one for one in asked if "money_spent" in one] == []  # without a quota: nothing
    allow(shop, month=100 * MEAL)
    asked.clear()
    shop.hand_in(*(shop.draft(f"B-{number}") for number in range(count)))
    mine = [one.split()[0] for one in asked if "money_spent" in one]
    assert mine == ["SELECT", "INSERT"]
