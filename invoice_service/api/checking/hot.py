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
from invoice_service.api.shortcuts import Line, Toll
from invoice_service.domain.qrtext import claim_as_printed
from invoice_service.front.incoming import Incoming

_OTHERS: Final = frozenset({b"authorization", b"content-length", b"transfer-encoding"})
"""Headers of somebody with a key, or of a body: nobody who scans sends them."""


class HotChecks:
    """For one loop."""

    def __init__(self, check: Check, toll: Toll) -> None:
        self._check = check
        self._toll = toll

    def take(self, line: Line, incoming: Incoming, _usual: Callable[[], None]) -> bool:
        """Whether this has been answered. Nobody's request, a proxy's own, is not."""
        if not incoming.owner or any(name in _OTHERS for name, _ in incoming.headers):
            return False
        began = perf_counter_ns()
        query = incoming.target.partition(b"?")[2].decode("latin-1")
        try:
            slip = claim_as_printed(query) or asked_for({"QUERY_STRING": query})
        except Problem:
            return False
        caller = self._toll.pay(incoming.owner, incoming)
        if caller is None:
            return False
        try:
            verdict = self._check(slip)
        except Problem:
            return False
        self._toll.reply(line, incoming, json_whole(verdict), caller, began)
        return True
