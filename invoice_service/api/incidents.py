"""Our own faults: the cause goes to our log, only its number to whoever asked."""

import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Final, NamedTuple, TypeVar

import structlog
from flask import current_app
from structlog.typing import Processor

from chain.errors import Problem
from invoice_service.api.problems import status_of, title
from invoice_service.domain.text import visible

LOG_FORM: Final[list[Processor]] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(ensure_ascii=False),
    lambda _, __, text: visible(str(text)),
]
CRASH: Final = "internal_error"
INCIDENTS: Final = "fapiao.incidents"
"""Among the application's extensions: what this process has told the log."""
LINE_SECONDS: Final = 60.0
"""Between two lines about one cause, however many callers meet it."""

Result = TypeVar("Result")
Written = TypeVar("Written")


class _Told(NamedTuple):
    incident: str
    at: float
    since: int


class Incidents:
    """What the log has been told: of each cause a line a minute, with how many there were."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[tuple[str, str, str], _Told] = {}

    def number(self, problem: Problem, where: str) -> str:
        """The incident under which the log has the problem, or one of the same cause.

        ``where`` is a route: of those, as of codes, there are only so many.
        """
        crashed = problem.code == CRASH
        cause = where, problem.code, problem.detail.partition("(")[0] if crashed else ""
        now = self._clock()
        with self._lock:
            told = self._told.get(cause)
            if told is not None and now - told.at < LINE_SECONDS:
                self._told[cause] = told._replace(since=told.since + 1)
                return told.incident
            incident = secrets.token_hex(6)
            self._told[cause] = _Told(incident, now, 0)
        more = {"times": told.since + 1} if told is not None and told.since else {}
        log = structlog.wrap_logger(structlog.WriteLogger(sys.stderr), processors=LOG_FORM)
        log.error(
            "not answered",
            incident=incident,
            code=problem.code,
            detail=problem.detail,
            where=where,
            exc_info=crashed,
            **more,
        )
        return incident


def crash(error: Exception) -> Problem:
    """What nobody foresaw."""
    return Problem(CRASH, repr(error))


def public(problem: Problem, where: str, incidents: Incidents | None = None) -> Problem:
    """The problem as it may be shown: with an ``incident`` for its details if it is our fault.

    ``where`` is a route, never an address: the hash in an address opens an invoice. Without
    ``incidents`` those of the request under way are meant.
    """
    if status_of(problem) < HTTPStatus.INTERNAL_SERVER_ERROR:
        return problem
    known = current_app.extensions[INCIDENTS] if incidents is None else incidents
    return type(problem)(problem.code, title(problem), incident=known.number(problem, where))


class StreamedResults:
    """The results of one stream; trouble of one kind is recorded once, not for each record."""

    def __init__(
        self, where: str, seen: Callable[[Problem], object] = lambda _problem: None
    ) -> None:
        """``seen`` is called with the problem of each record that has one."""
        self._where = where
        self._seen = seen
        self._incidents: Incidents = current_app.extensions[INCIDENTS]
        self._known: dict[str, Problem] = {}

    def public(self, problem: Problem) -> Problem:
        """As the function of that name."""
        self._seen(problem)
        if status_of(problem) < HTTPStatus.INTERNAL_SERVER_ERROR:
            return problem
        if problem.code not in self._known:
            self._known[problem.code] = public(problem, self._where, self._incidents)
        return self._known[problem.code]

    def all(
        self,
        numbers: Iterable[int],
        results: Iterable[Result | Problem],
        write: Callable[[int, Result | Problem], Written],
    ) -> Iterator[Written]:
        """A line for each number, also when ``results`` break off: the answer's head has gone out,
        and whoever asked must learn of each record what became of it.
        """
        left = iter(numbers)
        try:
            for result in results:
                shown = self.public(result) if isinstance(result, Problem) else result
                yield write(next(left), shown)
        except Exception as error:  # noqa: BLE001 # nothing else can tell who asked
            broken = self.public(crash(error))
            yield from (write(number, broken) for number in left)
