"""Our own faults: the cause goes to our log, only its number to whoever asked."""

import secrets
import sys
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Final, TypeVar

import structlog
from structlog.typing import Processor

from chain.errors import Problem
from invoice_service.api.problems import status_of, title

LOG_FORM: Final[list[Processor]] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(ensure_ascii=False),
]
CRASH: Final = "internal_error"

Result = TypeVar("Result")
Written = TypeVar("Written")


def crash(error: Exception) -> Problem:
    """What nobody foresaw."""
    return Problem(CRASH, repr(error))


def public(problem: Problem, where: str) -> Problem:
    """The problem as it may be shown: with an ``incident`` for its details if it is our fault.

    ``where`` is a route, never an address: the hash in an address opens an invoice.
    """
    if status_of(problem) < HTTPStatus.INTERNAL_SERVER_ERROR:
        return problem
    incident = secrets.token_hex(6)
    log = structlog.wrap_logger(structlog.WriteLogger(sys.stderr), processors=LOG_FORM)
    log.error(
        "not answered",
        incident=incident,
        code=problem.code,
        detail=problem.detail,
        where=where,
        exc_info=problem.code == CRASH,
    )
    return type(problem)(problem.code, title(problem), incident=incident)


class StreamedResults:
    """The results of one stream; trouble of one kind is recorded once, not for each record."""

    def __init__(
        self, where: str, seen: Callable[[Problem], object] = lambda _problem: None
    ) -> None:
        """``seen`` is called with the problem of each record that has one."""
        self._where = where
        self._seen = seen
        self._known: dict[str, Problem] = {}

    def public(self, problem: Problem) -> Problem:
        """As the function of that name."""
        self._seen(problem)
        if status_of(problem) < HTTPStatus.INTERNAL_SERVER_ERROR:
            return problem
        if problem.code not in self._known:
            self._known[problem.code] = public(problem, self._where)
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
