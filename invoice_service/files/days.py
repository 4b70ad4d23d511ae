"""Which rows of a file of orders are one sale: tills begin at 1 each morning.

What stands under one number on two days is two sales, if the clock says so, too. A meal goes on
past midnight: in doubt nothing is made of the rows, and their lines are named.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from chain.errors import MalformedError

APART: Final = timedelta(hours=6)
"""What lies further apart on two days is not one meal."""

_TIME: Final = re.compile(
    r"\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ]+(\d{1,2})[:时](\d{1,2}))?", re.ASCII
)
_CLOCK: Final = re.compile(r"\s*\d{1,2}:\d{2}(:\d{2})?\s*", re.ASCII)
_FIRST_YEAR: Final = 2000


class Moment(NamedTuple):
    """When a row was sold, as far as its file says it; ``day`` is "" where it says no date.

    ``at`` is None without a time of day, ``known`` is whether the date could be read.
    """

    day: str
    at: datetime | None = None
    known: bool = False


def moment(text: str) -> Moment:
    """Read a time as files write it: year, month, day, perhaps hour and minute."""
    found = _TIME.match(text)
    if found:
        year, month, day, hour, minute = (int(part) if part else 0 for part in found.groups())
        try:
            at = datetime(year, month, day, hour, minute)  # noqa: DTZ001 # two of one file are compared
        except ValueError:
            return Moment(text.strip())
        if year >= _FIRST_YEAR:
            return Moment(at.date().isoformat(), at if found[4] else None, known=True)
    return Moment("" if _CLOCK.fullmatch(text) else text.strip().partition(" ")[0])


def days_apart(order_id: str, lines: Sequence[int], times: Sequence[str]) -> list[str]:
    """The day of each row of one number, rows that follow each other; "" without a date.

    MalformedError ``csv_order_two_days`` where two days may be one sale.
    """
    moments = [moment(time) for time in times]
    for n in range(1, len(moments)):
        before, after = moments[n - 1], moments[n]
        if before.day != after.day and not _are_apart(before, after):
            raise MalformedError(
                "csv_order_two_days",
                f"order {order_id!r} has lines of {_told(times[n - 1])} (line {lines[n - 1]}) and"
                f" {_told(times[n])} (line {lines[n]}), which may be one sale or two: give each"
                " sale a number of its own, or write date and time of each line",
                pointer="/order_id",
                detail_zh=f"第 {lines[n - 1]} 行：{times[n - 1].strip() or '无时间'}；"
                f"第 {lines[n]} 行：{times[n].strip() or '无时间'}",
            )
    return [one.day if one.known else "" for one in moments]


def _are_apart(before: Moment, after: Moment) -> bool:
    if before.at is None or after.at is None:
        return False
    return abs(after.at - before.at) >= APART


def _told(time: str) -> str:
    return repr(time.strip()) if time.strip() else "no time"
