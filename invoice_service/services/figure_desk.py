"""Check a figure while somebody waits for it: how much that is to read, and what came of it.

One at a time in a process, and up to ``MOST`` invoices: who issues shares the process with who
doubts. ``fapiao report --verify`` has no bound.
"""

from collections.abc import Callable
from threading import Lock
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from chain.audit.finding import AuditError
from chain.errors import RefusedError, UnavailableError
from chain.signing.keys import TrustedKeys
from invoice_service.services.anchoring.spans import SpanStore, days_up_to
from invoice_service.services.checking.audit_invoices import Books
from invoice_service.services.figure import (
    FigureCheck,
    FigureLog,
    FigureTotals,
    check_figure,
    said_of,
)
from invoice_service.services.reporting.collect import MixStore
from invoice_service.services.reporting.mix import mixed_report, report_parts
from invoice_service.services.reporting.question import Question
from invoice_service.services.reporting.report import height_of, range_of, read_day

MOST: Final = 20_000
"""Invoices of which a report is made again while somebody waits."""


class Totals(FigureTotals, MixStore, SpanStore, Protocol):
    """The totals, as reports are made of them and as they are checked."""


class Outcome(NamedTuple):
    """What held, or the first thing that does not fit (``wrong``, as ``said_of`` tells it).

    ``block`` is the one on which the report stands, as the report says it.
    """

    block: dict[str, Any]
    held: FigureCheck | None
    wrong: dict[str, str]


class FigureDesk:
    """Makes a report, and makes it again from documents; safe for threads."""

    def __init__(
        self, books: Books, totals: Totals, log: FigureLog, keys: Callable[[], TrustedKeys]
    ) -> None:
        """``keys`` gives the log's keys as its newest statement has them."""
        self._books, self._totals, self._log, self._keys = books, totals, log, keys
        self._works = Lock()

    def reads(self, question: Question) -> int:
        """How many invoices stand on the days of a question, whatever else it asks for.

        With ``state`` those of all days after, too: one of them may have taken another back. What
        it is compared with comes on top. Raises as ``mixed_report``.
        """
        height = height_of(self._totals, self._log, question.at_block)
        first, last = range_of(
            self._log, read_day(question.first, "/from"), read_day(question.last, "/to"), height
        )
        days = days_up_to(self._totals, self._log, height)
        if "state" in question.by and days.ends:
            last = max(last, days.ends[-1].day)
        inside = [end for end in days.ends if first <= end.day <= last]
        return inside[-1].cursor - days.cursor_before(inside[0].day) if inside else 0

    def check(self, question: Question) -> Outcome:
        """Make the report of a question and check it.

        RefusedError ``check_too_large``, UnavailableError ``check_busy`` while another is under
        way; else as ``mixed_report`` and ``check_figure``, whose AuditError is what is told.
        """
        if self.reads(question) > MOST:
            raise too_large()
        if not self._works.acquire(blocking=False):
            raise UnavailableError("check_busy", "another figure is checked now; try again")
        try:
            return self._check(question)
        finally:
            self._works.release()

    def _check(self, question: Question) -> Outcome:
        made = mixed_report(self._totals, self._log, question)
        block = made.head["block"]
        # Of the question, too: others seal meanwhile.
        question = msgspec.structs.replace(question, at_block=block["height"])
        report = b"".join(report_parts(made))
        parts = self._books, self._totals, self._log, self._keys()
        try:
            return Outcome(block, check_figure(*parts, question, report, most=MOST), {})
        except AuditError as error:
            return Outcome(block, None, said_of(error))


def too_large() -> RefusedError:
    """What is told of more invoices than are read here."""
    return RefusedError(
        "check_too_large", f"more than {MOST:,} invoices: fewer days, or `fapiao report --verify`"
    )
