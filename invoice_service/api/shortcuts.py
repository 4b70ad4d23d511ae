"""What is answered before Flask: a few routes that most of the time come by, on the loop itself.

Flask's dispatch, its request and answer, and a thread that waits cost more than the work of a
single issue. Each shortcut does the plain good case of one route by the route's own functions,
and leaves everything else to Flask; tests compare both byte by byte.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Protocol

from chain.errors import Problem
from invoice_service.api.answers import Answer
from invoice_service.api.rates import CALLER, Caller, Purse
from invoice_service.front.incoming import Incoming

Observe = Callable[[str, int, int], object]
"""Counts an answer: endpoint, status, nanoseconds."""


class Line(Protocol):
    """Where an answer goes."""

    def reply(
        self, status: int, headers: list[tuple[str, str]], body: bytes, incoming: Incoming
    ) -> None:
        """The whole answer to ``incoming``."""
        ...


@dataclass(slots=True)
class Toll:
    """What every short way does as Flask would: take a token, answer, count the answer.

    ``always`` are headers that every answer has.
    """

    endpoint: str
    purse: Purse
    observe: Observe
    always: list[tuple[str, str]]

    def pay(self, name: str, incoming: Incoming) -> Caller | None:
        """Take a token of the caller's, also for the usual way; None for who has none left."""
        caller = Caller(self.purse, name)
        try:
            caller.pay(1)
        except Problem:
            return None
        incoming.noted[CALLER] = caller
        return caller

    def reply(
        self, line: Line, incoming: Incoming, found: Answer, caller: Caller, began: int
    ) -> None:
        """Answer what came at ``began`` (nanoseconds of the performance counter)."""
        headers = found.all_headers(self.always, caller.headers())
        line.reply(found.status, headers, found.body, incoming)
        self.observe(self.endpoint, found.status, perf_counter_ns() - began)


class Route(Protocol):
    """The shortcut of one route."""

    def take(self, line: Line, incoming: Incoming, usual: Callable[[], None]) -> bool:
        """Whether it has answered or will; ``usual`` sends it the usual way after all."""
        ...


class Shortcuts:
    """Finds the shortcut of a request."""

    def __init__(self, routes: Mapping[tuple[str, str], Route], public_path: str = "") -> None:
        """``routes`` by method and path; below ``public_path`` they are the same."""
        self.routes = {
            (method, f"{prefix}{path}".encode()): route
            for (method, path), route in routes.items()
            for prefix in ("", public_path)
        }

    def take(self, line: Line, incoming: Incoming, usual: Callable[[], None]) -> bool:
        """As the route does; False where there is none."""
        if incoming.problem is not None:
            return False
        route = self.routes.get((incoming.method, incoming.target.partition(b"?")[0]))
        return route is not None and route.take(line, incoming, usual)
