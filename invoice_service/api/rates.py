"""Tokens: what a caller may ask for, by its key or else by its address.

A call costs one; a list costs one for each record. They come back at a steady rate, up to what
a caller may save. Each web process counts by itself (docs/adr/0015-rates.md).
"""

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, Final

from flask import request
from throttled import MemoryStore
from throttled.rate_limiter import GCRARateLimiter, per_sec

from chain.errors import Problem, RefusedError
from invoice_service.api.access import Access
from invoice_service.api.peers import site_of
from invoice_service.config import Rate
from invoice_service.domain.waiting import again_in

MOST_CALLERS: Final = 10_000
"""Of each kind, whose tokens are remembered; who was seen longest ago is forgotten first."""

UNKNOWN: Final = "unknown"
"""The name of those whose address the server does not tell."""

EXEMPT: Final = "/healthz"
CALLER: Final = "fapiao.caller"


class Purse:
    """The tokens of all callers of one kind."""

    def __init__(self, kind: str, per_second: int, burst: int) -> None:
        self.burst = burst
        store = MemoryStore(options={"MAX_SIZE": MOST_CALLERS})
        self._limiter = GCRARateLimiter(per_sec(per_second, burst=burst), store)
        self._kind = kind
        self.policy = f'"{kind}";q={burst};w={ceil(burst / per_second)}'
        """``RateLimit-Policy``: so many in so many seconds."""

    def take(self, name: str, cost: int) -> tuple[str, int]:
        """(``RateLimit``, seconds to wait if there were not enough, else 0); all or nothing."""
        taken = self._limiter.limit(name, cost)
        state = taken.state
        wait = max(1, ceil(state.retry_after)) if taken.limited else 0
        return f'"{self._kind}";r={state.remaining};t={ceil(state.reset_after)}', wait


class Caller:
    """Who makes the call under way, and what is left to him."""

    def __init__(self, purse: Purse, name: str) -> None:
        self._purse, self._name = purse, name
        self.left, self.wait = "", 0

    def pay(self, cost: int) -> None:
        """Take ``cost`` tokens. RefusedError ``rate_limited``, and then none is taken."""
        self.left, self.wait = self._purse.take(self._name, cost)
        if self.wait:
            detail, detail_zh = again_in(self.wait)
            raise RefusedError("rate_limited", detail, retry_after=self.wait, detail_zh=detail_zh)

    def pay_list(self, records: int) -> None:
        """Pay for a list whose call has been paid for, as ``pay``.

        None costs more than all that can be saved, or it could never be had.
        """
        cost = min(records, self._purse.burst) - 1
        if cost > 0:
            self.pay(cost)

    def headers(self) -> list[tuple[str, str]]:
        """What is left, and when to come again."""
        told = [("RateLimit-Policy", self._purse.policy), ("RateLimit", self.left)]
        return [*told, ("Retry-After", str(self.wait))] if self.wait else told


class Rates:
    """Lets calls in."""

    def __init__(self, settings: Rate, access: Access, used: Callable[[int], None]) -> None:
        """``used`` is told of each good key, by its id."""
        self._access = access
        self.used = used
        self.keys = Purse("key", settings.key_per_second, settings.key_burst)
        self.peers = Purse("peer", settings.peer_per_second, settings.peer_burst)

    def enter(self) -> None:
        """Take a token for the call under way; RefusedError ``rate_limited``."""
        environ = request.environ
        if environ["PATH_INFO"] != EXEMPT and CALLER not in environ:  # else it has paid already
            caller = environ[CALLER] = self._caller()
            caller.pay(1)

    def _caller(self) -> Caller:
        """By the key, where it is good; a wrong one, or none, is a matter of its address."""
        try:
            principal = self._access.anyone()
        except Problem:
            principal = None  # whoever needs it says so, in its own words
        if principal is None:
            return Caller(self.peers, site_of(request.environ.get("REMOTE_ADDR", "")) or UNKNOWN)
        self.used(principal.key_id)
        return Caller(self.keys, str(principal.key_id))


def headers_of(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the head of the answer says of its caller's tokens."""
    caller: Caller | None = environ.get(CALLER)
    return [] if caller is None else caller.headers()


def charge_list(records: int) -> None:
    """Take a token for each record of the list under way. RefusedError ``rate_limited``."""
    caller: Caller | None = request.environ.get(CALLER)
    if caller is not None:
        caller.pay_list(records)
