"""One verdict, before Flask: a scan's question, answered on the server's loop.

As with issues (``api.invoices.hot``), whatever is not the plain good case goes the usual way.
"""

from collections.abc import Callable
from time import perf_counter_ns
from typing import Final

from chain.errors import Problem
from invoice_service.api.answers import json_whole
from invoice_service.api.checking.listing import Check
from invoice_service.api.checking.verifications import asked_for
from invoice_service.api.peers import Peers, site_of
from invoice_service.api.rates import CALLER, UNKNOWN, Caller, Purse
from invoice_service.api.shortcuts import Line, Observe
from invoice_service.front.incoming import Incoming

_OTHERS: Final = frozenset({b"authorization", b"content-length", b"transfer-encoding"})
"""Headers of somebody with a key, or of a body: nobody who scans sends them."""


class HotChecks:
    """For one loop."""

    def __init__(
        self,
        check: Check,
        *,
        purse: Purse,
        peers: Peers,
        observe: Observe,
        always: list[tuple[str, str]],
    ) -> None:
        """``observe`` counts answers; ``always`` are headers that every answer has."""
        self._check = check
        self._purse = purse
        self._peers = peers
        self._observe = observe
        self._always = always

    def take(self, line: Line, incoming: Incoming, _usual: Callable[[], None]) -> bool:
        """Whether this has been answered."""
        if any(name in _OTHERS for name, _ in incoming.headers):
            return False
        began = perf_counter_ns()
        _, _, query = incoming.target.partition(b"?")
        try:
            slip = asked_for({"QUERY_STRING": query.decode("latin-1")})
        except Problem:
            return False
        caller = Caller(self._purse, self._site(line, incoming))
        try:
            caller.pay(1)
            incoming.noted = {CALLER: caller}  # who could not pay is told so the usual way
            verdict = self._check(slip)
        except Problem:
            return False
        found = json_whole(verdict)
        headers = found.all_headers(self._always, caller.headers())
        line.reply(found.status, headers, found.body, incoming)
        self._observe("verifications.one", found.status, perf_counter_ns() - began)
        return True

    def _site(self, line: Line, incoming: Incoming) -> str:
        forwarded = ",".join(
            value.decode("latin-1").strip(" \t") for value in incoming.values(b"x-forwarded-for")
        )
        return site_of(self._peers.behind(line.peer[0], forwarded)) or UNKNOWN
