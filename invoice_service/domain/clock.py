"""Whether the machine's clock may be believed, held against times that are known to have come.

Nobody here knows the time. But what was issued and sealed has a time, and neither goes back; so a
clock far behind it is wrong, and one far ahead of it may be: then somebody has to say so. And the
machine counts how long it has run, whatever its clock is set to: what the clock gains on that is a
leap, or time in which the machine was off.
"""

from typing import Final, NamedTuple

import msgspec

from chain.errors import UnavailableError

MAX_BACKWARDS: Final = 60
MAX_FORWARDS: Final = 4 * 86_400
"""Seconds: from a Friday to the Tuesday after without a word, but not over a long holiday."""

NOTED_EVERY: Final = 600
"""Seconds after which the clock is noted again, beside how long the machine has run."""

MADE_GOOD: Final = 4
"""Seconds of leaps that a second of running makes good: a long weekend takes a day."""


class Running(NamedTuple):
    """For how many seconds the machine has run since the start that ``boot`` names."""

    boot: str
    seconds: int


class Noted(NamedTuple):
    """What a clock said that was believed (``at``) when the machine had run that long.

    ``leapt`` are the seconds that it had gained by then, and that were not made good.
    """

    running: Running
    at: int
    leapt: int

    def then(self, running: Running) -> tuple[int, int]:
        """(What the clock says by now if it has not leapt since, ``leapt`` by now)."""
        before = self.running
        same = running.boot == before.boot and running.seconds >= before.seconds
        # Of another start it is known only that so many seconds have passed, at the least.
        passed = running.seconds - before.seconds if same else running.seconds
        return self.at + passed, max(self.leapt - MADE_GOOD * passed, 0)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Times that are known, in unix seconds, 0 for none.

    ``issued`` is the last invoice's. ``sealed`` is the last seal's (or the beginning of its day).
    The instance was ``made`` then. Whoever confirmed the clock last did so when it said
    ``confirmed``, and the newest of these then was ``stands``.

    By the machine's running it is ``reckoned``, ``leapt`` seconds of which were taken on trust.
    """

    issued: int = 0
    sealed: int = 0
    made: int = 0
    confirmed: int = 0
    stands: int = 0
    reckoned: int = 0
    leapt: int = 0

    @property
    def latest(self) -> int:
        """The newest of those from which the clock may go some days ahead."""
        return max(self.issued, self.sealed, self.confirmed)

    @property
    def stood(self) -> int:
        """What no clock that is right is far behind."""
        return max(self.issued, self.sealed, self.made)

    def gained(self, now: int) -> int:
        """Seconds that the clock has gained on the machine's running, and not made good."""
        return max(self.leapt + now - self.reckoned, 0) if self.reckoned else 0


def check_ahead(now: int, known: Known, most: int = MAX_FORWARDS) -> None:
    """Refuse a clock that has leapt more than ``most`` seconds; UnavailableError ``clock_ahead``.

    Either from the newest time that is known, or in some leaps together, as far as the machine's
    running shows them. Where nothing is known, any clock is believed.
    """
    ahead, gained = now - known.latest if known.latest else 0, known.gained(now)
    if max(ahead, gained) > most:
        why = (
            f"is {ahead} seconds ahead of the newest time that is known"
            if ahead > most
            else f"has gained {gained} seconds while the machine did not run, or in leaps"
        )
        raise UnavailableError(
            "clock_ahead",
            f"the clock {why}; if it is right, confirm it (fapiao clock)",
            seconds=max(ahead, gained),
        )


def check_behind(now: int, known: Known, most: int = MAX_BACKWARDS) -> None:
    """Refuse a clock that is more than ``most`` seconds behind the last invoice or seal.

    Unless somebody who knew of these has confirmed the clock: then whatever is issued repeats the
    newer one's time until the clock has caught up. UnavailableError ``clock_behind``.
    """
    let = known.stands >= known.stood and now >= known.confirmed - most
    if now < known.stood - most and not let:
        what = "making of this instance"
        if known.stood > known.made:
            what = "last invoice" if known.issued >= known.sealed else "last seal"
        raise UnavailableError(
            "clock_behind",
            f"the clock is {known.stood - now} seconds behind the {what}; set it, or if it is"
            " right, confirm it (fapiao clock)",
            seconds=known.stood - now,
        )


def longest_wait(max_delay: int) -> int:
    """Seconds for which the oldest invoice may have waited while promises are still made."""
    return max(max_delay // 2, 1)
