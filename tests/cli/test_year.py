"""The first days of a restaurant's year; all of them: ``make year``."""

import pytest

from scripts.year import days, main


def test_days_with_the_same_numbers_sent_twice_and_under_one_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--days", "6"]) == 0
    assert "6 days, " in capsys.readouterr().out


def test_the_year_is_whole() -> None:
    year = list(days())
    assert len(year) == 358
    assert sum(day.orders for day in year) == 21_350
    assert sum(day.total for day in year) == 81_786_005
