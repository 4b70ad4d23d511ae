"""Invoice codes and numbers, given out in city-wide order; PILOT "Code, number, check code"."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

import msgspec

from chain.errors import MalformedError, RefusedError
from invoice_service.domain.clock import (
    MAX_BACKWARDS,
    MAX_FORWARDS,
    Known,
    check_ahead,
    check_behind,
)

SHANGHAI: Final = timezone(timedelta(hours=8))
"""China has had one time zone without daylight saving since 1992."""

_NUMBER = re.compile(r"[0-9]{8}")


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """The fixed parts of the code, how far numbers go, and the clock's tolerances in seconds."""

    region: str = "4403"
    industry_kind: str = "0"
    class_: str = "9"
    copy: str = "1"
    amount_limit: str = "0"
    first_batch: int = 1
    last_batch: int = 9
    numbers_per_batch: int = 99_999_999
    max_backwards: int = MAX_BACKWARDS
    max_forwards: int = MAX_FORWARDS

    def code(self, year: str, batch: int) -> str:
        """12 digits: 1 (local tax), region, year, kind of industry, class, batch, copy, limit."""
        return (
            f"1{self.region}{year}{self.industry_kind}{self.class_}"
            f"{batch}{self.copy}{self.amount_limit}"
        )


class Allotment(msgspec.Struct, frozen=True, array_like=True):
    """A place in the city's order: code, number of 8 digits, issue time in unix seconds."""

    code: str
    number: str
    issued_at: int


def next_number(
    last: Allotment | None, now: int, scheme: Scheme, known: Known | None = None
) -> Allotment:
    """The number after ``last`` (None: the first of all); time never goes back.

    Nor is it before the last seal's: the block that takes the invoice will not be sealed before
    that, and what is promised counts from the time of issue. ``known`` are times that have come, as
    far as they are known besides that of ``last``.

    Raises UnavailableError "clock_behind" or "clock_ahead" when ``now`` cannot be, or may not be,
    RefusedError "number_range_exhausted" or "numbering_changed".
    """
    known = known or Known(issued=last.issued_at if last else 0)
    check_ahead(now, known, scheme.max_forwards)
    check_behind(now, known, scheme.max_backwards)
    if last is None:
        return _first_of_year(max(now, known.sealed), scheme)
    issued_at = max(now, last.issued_at, known.sealed)
    if shanghai_year(issued_at) != last.code[5:7]:
        return _first_of_year(issued_at, scheme)
    batch = int(last.code[9])
    if last.code != scheme.code(last.code[5:7], batch):
        # A code that changed within a year could come back later and give a number twice.
        raise RefusedError("numbering_changed", "the code's parts may change at New Year only")
    number = int(last.number) + 1
    if number <= scheme.numbers_per_batch:
        return Allotment(last.code, f"{number:08}", issued_at)
    if batch >= scheme.last_batch:
        raise RefusedError("number_range_exhausted", "this year's invoice numbers are used up")
    return Allotment(scheme.code(last.code[5:7], batch + 1), "00000001", issued_at)


def number_beside(last: Allotment, scheme: Scheme) -> Allotment | None:
    """The number after one that was given out at this very moment; None: ask ``next_number``.

    Whatever that one was checked for holds for this one, too.
    """
    number = int(last.number) + 1
    if number > scheme.numbers_per_batch:
        return None
    return Allotment(last.code, f"{number:08}", last.issued_at)


def _first_of_year(issued_at: int, scheme: Scheme) -> Allotment:
    code = scheme.code(shanghai_year(issued_at), scheme.first_batch)
    return Allotment(code, "00000001", issued_at)


def shanghai_year(moment: int) -> str:
    """The last two digits of the year in Shenzhen at this unix second."""
    return f"{shanghai_time(moment).year % 100:02}"


def shanghai_time(moment: int) -> datetime:
    """A unix second as people in Shenzhen read it."""
    return datetime.fromtimestamp(moment, SHANGHAI)


def shanghai_day(moment: int) -> str:
    """The date in Shenzhen, ISO 8601."""
    return shanghai_time(moment).date().isoformat()


@lru_cache(maxsize=64)  # invoices that are issued together have one time
def format_issued_at(moment: int) -> str:
    """RFC 3339 with +08:00 and whole seconds, as the face carries it."""
    return shanghai_time(moment).isoformat()


def format_utc(moment: int) -> str:
    """RFC 3339 in UTC with Z and whole seconds, as seals and promises carry it."""
    return datetime.fromtimestamp(moment, UTC).isoformat().removesuffix("+00:00") + "Z"


def parse_bill_number(text: str) -> str:
    """``bill_num`` itself: 8 ASCII digits, or MalformedError "bill_num_invalid"."""
    if not _NUMBER.fullmatch(text):
        raise MalformedError("bill_num_invalid", "an invoice number has 8 digits")
    return text
