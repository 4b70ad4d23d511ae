"""The body of a request that holds many records, one a line."""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import IO, NoReturn

from chain.errors import MalformedError, Problem, RefusedError
from invoice_service.api.rates import charge_list
from invoice_service.api.requests import spooled_body
from invoice_service.config import Limits
from invoice_service.domain.lists import Line, filled_lines


class RecordList:
    """A list that has arrived whole; its lines are read from where it lies, one at a time."""

    def __init__(
        self, limits: Limits, *, header: bool = False, lines: IO[bytes] | None = None
    ) -> None:
        """Take in the body of this request; with ``header`` its first line names the columns.

        ``lines`` are taken instead, and closed in any case. Raises MalformedError: as
        ``spooled_body``; ``empty_body``, ``too_many_records``; RefusedError ``rate_limited``.
        """
        self._longest = limits.body_bytes
        self._spool = spooled_body(limits.batch_bytes) if lines is None else lines
        self._names = 1 if header else 0
        most = limits.batch_records
        # One more than can be taken is enough to know: the rest is not looked at.
        try:
            numbers = [number for number, _ in islice(self._lines(), self._names + most + 1)]
        except MalformedError as problem:
            self._refuse(problem)
        if not numbers:
            self._refuse(MalformedError("empty_body", "the body has no records"))
        self.numbers = numbers[self._names :]
        """Of the lines with records, counted from 1 with the blank ones."""
        if len(self.numbers) > most:
            too_many = f"at most {most} records in one list"
            self._refuse(MalformedError("too_many_records", too_many, limit=most))
        try:
            charge_list(len(self.numbers))
        except RefusedError as problem:
            self._refuse(problem)

    def names(self) -> bytes:
        """The line that names the columns."""
        return next(self._lines()).text

    def records(self) -> Iterator[bytes]:
        """The records, without the ends of their lines."""
        return (line.text for line in islice(self._lines(), self._names, None))

    def said(self, numbers: Collection[int]) -> dict[int, bytes]:
        """The lines of these numbers as they were sent; once all records have been read."""
        return {line.number: line.text for line in self._lines() if line.number in numbers}

    def close(self) -> None:
        """Let the body go."""
        self._spool.close()

    def _lines(self) -> Iterator[Line]:
        self._spool.seek(0)
        return filled_lines(self._spool, self._longest)

    def _refuse(self, problem: Problem) -> NoReturn:
        self.close()
        raise problem
