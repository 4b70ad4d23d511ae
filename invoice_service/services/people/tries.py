"""How often one may try to sign in: a bound on guessing that cannot be used to lock others out.

Tries are counted by the name that is tried *and* the network they come from, so whoever guesses a
name from elsewhere takes nothing from its owner. Against guessing from many networks there is a
wide bound on each name; a browser in which its owner has signed in before carries a mark, and has a
bound of its own, whatever others try beside it: guests often share their host's network. Names that
exist and names that do not are counted alike. All web processes of a machine count together
(``storage.sqlite.tries``); one that cannot, counts by itself.
"""

from datetime import timedelta
from math import ceil
from typing import Final, NamedTuple, Protocol

from throttled import MemoryStore
from throttled.rate_limiter import GCRARateLimiter, per_duration

from chain.errors import RefusedError
from invoice_service.domain.waiting import again_in

MOST_NAMES: Final = 20_000
"""Whose tries are remembered; who was seen longest ago is forgotten first."""


class Allowance(NamedTuple):
    """So many tries at once, and one more each so many seconds."""

    burst: int
    each: int


NETWORK: Final = Allowance(60, 2)
"""Of one network, whatever names it tries, but for browsers that are known."""

PAIR: Final = Allowance(8, 30)
"""Of one name from one network, or in a browser that is known."""

NAME: Final = Allowance(40, 60)
"""Of one name from all networks together, but for browsers that are known: a hundred an hour."""

PIN: Final = Allowance(5, 120)
"""Of one PIN at one till."""


class Counts(Protocol):
    """Counts tries by name."""

    def take(self, name: str, allowed: Allowance) -> float:
        """Use one up, and answer 0; or the seconds until there is one again."""
        ...


def take_one(counts: Counts, name: str, allowed: Allowance, code: str) -> None:
    """Use one up; RefusedError of that ``code`` with the seconds to wait."""
    left = counts.take(name, allowed)
    if left:
        wait = max(1, ceil(left))
        detail, detail_zh = again_in(wait)
        raise RefusedError(code, detail, retry_after=wait, detail_zh=detail_zh)


class OwnCounts:
    """Those of this process alone."""

    def __init__(self) -> None:
        self._limiters: dict[Allowance, GCRARateLimiter] = {}

    def take(self, name: str, allowed: Allowance) -> float:
        """As ``Counts``."""
        limiter = self._limiters.get(allowed)
        if limiter is None:
            rate = per_duration(timedelta(seconds=allowed.each), 1, burst=allowed.burst)
            store = MemoryStore(options={"MAX_SIZE": MOST_NAMES})
            limiter = self._limiters.setdefault(allowed, GCRARateLimiter(rate, store))
        taken = limiter.limit(name, 1)
        return float(taken.state.retry_after) if taken.limited else 0.0


class Tries(NamedTuple):
    """The tries of one kind that are left, by name."""

    kind: str
    allowed: Allowance
    counts: Counts

    def take(self, name: str) -> None:
        """Use one up; RefusedError ``sign_in_limited`` with the seconds to wait."""
        take_one(self.counts, f"{self.kind}\n{name}", self.allowed, "sign_in_limited")


class Bounds:
    """All bounds on trying."""

    def __init__(self, counts: Counts) -> None:
        self._network = Tries("network", NETWORK, counts)
        self._pair, self._known = Tries("pair", PAIR, counts), Tries("known", PAIR, counts)
        self._name, self._pin = Tries("name", NAME, counts), Tries("pin", PIN, counts)

    def enter(self, name: str, site: str, *, known: bool) -> None:
        """One more try of ``name`` from ``site``; ``known`` for a browser with its mark."""
        if known:
            self._known.take(name)
            return
        self._network.take(site)
        self._pair.take(f"{name}\n{site}")
        self._name.take(name)

    def passkey(self, site: str) -> None:
        """One more answer of a passkey, which nobody can guess, from ``site``.

        Whose it is, is not known before: a bound on all of them together would be anybody's to
        use up.
        """
        self._network.take(site)

    def pin(self, till: str, person_id: int) -> None:
        """One more try of a PIN at a till."""
        self._pin.take(f"{till}\n{person_id}")
