"""The business day: it ends in the small hours, so that a night's guests are on one day's list."""

import re
from datetime import date, timedelta
from typing import Final

from chain.errors import MalformedError
from invoice_service.domain.numbering import shanghai_time
from invoice_service.services.till.ports import Span

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MONTH: Final = re.compile(r"[0-9]{4}-[0-9]{2}", re.ASCII)
_HOUR: Final = 3600


class Days:
    """Days that begin at an hour of Shenzhen's clock."""

    def __init__(self, first_hour: int) -> None:
        self._shift = first_hour * _HOUR

    def of(self, moment: int) -> str:
        """The day to which a unix second belongs, ISO 8601."""
        return shanghai_time(moment - self._shift).date().isoformat()

    def day(self, text: str) -> Span:
        """One day; MalformedError ``day_invalid``."""
        day = _read(text, _DAY)
        return self._span(day, day)

    def month(self, text: str) -> Span:
        """All days of a month like 2026-11; MalformedError ``day_invalid``."""
        first = _read(text, _MONTH, "-01")
        return self._span(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))

    def _span(self, first: date, last: date) -> Span:
        since, until = self._begins(first), self._begins(last + timedelta(days=1))
        return Span(first.isoformat(), last.isoformat(), since, until)

    def _begins(self, day: date) -> int:
        """The unix second; Shenzhen is eight hours ahead of UTC all year."""
        return (day - date(1970, 1, 1)).days * 86_400 - 8 * _HOUR + self._shift


def _read(text: str, form: re.Pattern[str], more: str = "") -> date:
    try:
        if not form.fullmatch(text):
            raise ValueError(text)
        found = date.fromisoformat(text + more)
        if not 2000 <= found.year <= 9000:
            raise ValueError(text)
    except ValueError:
        raise MalformedError(
            "day_invalid", "a day is written like 2018-08-10, a month like 2018-08"
        ) from None
    return found
