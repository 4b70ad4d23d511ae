"""Business days begin in the small hours of Shenzhen's clock."""

from datetime import UTC, datetime

import pytest

from chain.errors import MalformedError
from invoice_service.services.till.days import Days


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("hour", "moment", "day"),
    [
        (4, "2026-11-22T03:59:59+08:00", "2026-11-21"),
        (4, "2026-11-22T04:00:00+08:00", "2026-11-22"),
        (0, "2026-11-22T00:00:00+08:00", "2026-11-22"),
        (0, "2026-11-21T23:59:59+08:00", "2026-11-21"),
        (4, "2027-01-01T02:00:00+08:00", "2026-12-31"),
    ],
)
def test_a_moment_belongs_to_the_day_that_has_begun(hour: int, moment: str, day: str) -> None:
    days = Days(hour)
    assert days.of(at(moment)) == day
    span = days.day(day)
    assert span.since <= at(moment) < span.until


def test_a_month_has_all_its_days_and_the_next_begins_where_it_ends() -> None:
    days = Days(4)
    february = days.month("2028-02")
    assert (february.first, february.last) == ("2028-02-01", "2028-02-29")
    assert february.until == days.month("2028-03").since == days.day("2028-03-01").since
    begin = datetime.fromtimestamp(february.since, UTC)
    assert begin.isoformat() == "2028-01-31T20:00:00+00:00"


@pytest.mark.parametrize("text", ["", "2026-2-1", "2026-02-30", "1999-01-01", "２０２６-01-01"])
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(MalformedError) as refused:
        Days(4).day(text)
    assert refused.value.code == "day_invalid"
