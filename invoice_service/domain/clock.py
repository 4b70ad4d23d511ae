"""Whether the machine's clock may be believed, held against times that are known to have come.

Nobody here knows the time. But what was issued and sealed has a time, and neither goes back; so a
clock far behind it is wrong, and one far ahead of it may be: then somebody has to say so.
"""

from typing import Final

import msgspec

from chain.errors import UnavailableError

MAX_BACKWARDS: Final = 60
MAX_FORWARDS: Final = 4 * 86_400
"""Seconds: from a Friday to the Tuesday after without a word, but not over a long holiday."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Times that are known, in unix seconds, 0 for none.

    ``issued`` is the last invoice's. ``sealed`` is the beginning of the day (or the moment) of the
    last seal. Whoever confirmed the clock last did so when it said ``confirmed``, and the last
    invoice then was of ``stands``.
    """

    issued: int = 0
    sealed: int = 0
    confirmed: int = 0
    stands: int = 0

    @property
    def latest(self) -> int:
        """The newest of them."""
        return max(self.issued, self.sealed, self.confirmed)


def check_ahead(now: int, latest: int, most: int = MAX_FORWARDS) -> None:
    """Refuse a clock that is more than ``most`` seconds ahead; UnavailableError ``clock_ahead``.

    ``latest`` is the newest time that is known, 0 for none: then any clock is believed.
    """
    if latest and now > latest + most:
        raise UnavailableError(
            "clock_ahead",
            f"the clock is {now - latest} seconds ahead of the newest time that is known;"
            " if it is right, confirm it (fapiao clock)",
            seconds=now - latest,
        )


def check_behind(now: int, known: Known, most: int = MAX_BACKWARDS) -> None:
    """Refuse a clock that is more than ``most`` seconds behind the last invoice.

    Unless somebody who knew of that invoice has confirmed the clock: then whatever is issued
    repeats its time until the clock has caught up. UnavailableError ``clock_behind``.
    """
    let = known.stands >= known.issued and now >= known.confirmed - most
    if now < known.issued - most and not let:
        raise UnavailableError(
            "clock_behind",
            f"the clock is {known.issued - now} seconds behind the last invoice",
            seconds=known.issued - now,
        )


def longest_wait(max_delay: int) -> int:
    """Seconds for which the oldest invoice may have waited while promises are still made."""
    return max(max_delay // 2, 1)
