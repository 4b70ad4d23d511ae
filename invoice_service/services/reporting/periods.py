"""Days, ISO weeks, months, quarters and years: what a day belongs to, and what came before."""

from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

UNITS: Final = ("day", "week", "month", "quarter", "year")
"""From the shortest."""

_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}

Range = tuple[date, date]
"""First and last day, both included."""


def period_of(unit: str, day: str) -> str:
    """The name of a day's period: "2026-03-05", "2026-W10", "2026-03", "2026-Q1", "2026"."""
    if unit == "day":
        return day
    if unit == "week":
        year, week, _ = date.fromisoformat(day).isocalendar()
        return f"{year:04}-W{week:02}"
    if unit == "quarter":
        return f"{day[:4]}-Q{(int(day[5:7]) + 2) // 3}"
    return day[:7] if unit == "month" else day[:4]


def days_of(unit: str, period: str) -> Range:
    """The first and the last day of a period, by its name; ValueError for what is none."""
    if unit == "week":
        return bounds(unit, date.fromisocalendar(int(period[:4]), int(period[6:]), 1))
    if unit == "quarter":
        return bounds(unit, date(int(period[:4]), int(period[6:]) * 3, 1))
    return bounds(unit, date.fromisoformat(f"{period}-01-01"[:10]))


def bounds(unit: str, day: date) -> Range:
    """The first and the last day of a day's period."""
    if unit == "day":
        return day, day
    if unit == "week":
        first = day - timedelta(days=day.weekday())
        return first, first + timedelta(days=6)
    length = _MONTHS[unit]
    begin = (day.month - 1) // length * length + 1
    return date(day.year, begin, 1), _month_end(day.year, begin + length - 1)


def before(unit: str, span: Range) -> Range | None:
    """The same days of the period before; None where the calendar has none.

    A month's last day stays the last, so that a whole month is held against a whole one.
    """
    if unit in _MONTHS:
        return _moved(span, lambda day: _months_back(day, _MONTHS[unit]))
    days = 1 if unit == "day" else 7
    return _moved(span, lambda day: day - timedelta(days=days))


def year_before(unit: str, span: Range) -> Range | None:
    """The same days a year before; of a week the ISO week of that number, if there is one."""
    if unit == "week":
        return _moved(span, _iso_year_back)
    if unit == "day":
        return _moved(span, lambda day: day.replace(year=day.year - 1))
    return _moved(span, lambda day: _months_back(day, 12))


def range_before(span: Range) -> Range | None:
    """As many days before a range; of whole months as many months."""
    first, last = span
    if first.day == 1 and last == _month_end(last.year, last.month):
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        return _moved(span, lambda day: _months_back(day, months))
    days = (last - first).days + 1
    return _moved(span, lambda day: day - timedelta(days=days))


def _moved(span: Range, move: Callable[[date], date]) -> Range | None:
    try:
        return move(span[0]), move(span[1])
    except (ValueError, OverflowError):
        return None


def _months_back(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    end = _month_end(year, month + 1)
    if day == _month_end(day.year, day.month):
        return end
    return date(year, month + 1, min(day.day, end.day))


def _iso_year_back(day: date) -> date:
    year, week, weekday = day.isocalendar()
    return date.fromisocalendar(year - 1, week, weekday)


def _month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])
