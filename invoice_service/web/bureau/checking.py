"""``/bureau/totals/check``: a figure made again from documents, each step on the way proved."""

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlencode

from flask import url_for
from werkzeug import Response as AnyResponse

from chain.errors import Problem
from invoice_service.services.figure import STEPS
from invoice_service.services.figure_desk import MOST, FigureDesk, Outcome
from invoice_service.services.reporting.question import ask
from invoice_service.web.bureau.figures import Figures
from invoice_service.web.bureau.narrowing import kept
from invoice_service.web.bureau.navigation import bureau_page
from invoice_service.web.people.gate import Gate

AT_ONCE: Final = 1_000
"""Invoices that are read without asking again: some tenths of a second."""

_ROWS: Final = 50
"""Of what is checked, on the page; all of them are checked."""


_ONE_BY_ONE: Final = 3
"""Steps that each invoice takes before the next one does."""


class Shown(NamedTuple):
    """A step as the page shows it: what has become of it, and how many things held."""

    name: str
    state: str  # held, failed, waits
    number: int


class CheckPages:
    """What stands in the way of a figure, and what came of checking it."""

    def __init__(self, gate: Gate, figures: Figures, desk: FigureDesk) -> None:
        self._gate, self._figures, self._desk = gate, figures, desk

    def show(self, words: Mapping[str, str], *, looks: bool, now: bool) -> AnyResponse:
        """Check, where that is little or somebody wants it ``now``; else say how much it is.

        Problems as ``FigureDesk.check``, but for ``check_too_large``, which the page tells.
        """
        words = {"at_block": str(self._figures.newest()), **kept(words)}
        question = ask(words)
        number = self._desk.reads(question)
        shown = self._figures.few(words, _ROWS, looks=looks)
        outcome, problem = None, None
        if number <= (MOST if now else AT_ONCE):
            try:
                outcome = self._desk.check(question)
            except Problem as busy:
                problem = busy
        return bureau_page(
            self._gate,
            "bureau/check.html",
            problem,
            shown=shown,
            number=number,
            too_large=number > MOST,
            most=MOST,
            words=words,
            outcome=outcome,
            steps=_steps(outcome),
            looks=looks,
            command=_command(words),
            back=f"{url_for('bureau_totals.show')}?{urlencode(words)}",
        )


def _steps(outcome: Outcome | None) -> list[Shown]:
    """The five steps in their order. The first three go on side by side, an invoice at a time."""
    if outcome is None:
        return [Shown(name, "waits", 0) for name in STEPS]
    if outcome.held is not None:
        return [Shown(step.step, "held", step.number) for step in outcome.held.steps]
    failed = STEPS.index(outcome.wrong["step"])
    before = "held" if failed >= _ONE_BY_ONE else "waits"
    states = [before] * failed + ["failed"] + ["waits"] * (len(STEPS) - failed - 1)
    return [Shown(*pair, 0) for pair in zip(STEPS, states, strict=True)]


def _command(words: Mapping[str, str]) -> str:
    """The same on the service's machine; the words were read strictly, so none needs quotes."""
    said = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in words.items())
    return f"fapiao report --verify {said}"
