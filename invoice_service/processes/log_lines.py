"""A line of a log for each event, whatever a stranger wrote into an error's text.

Controls are written out; where an event has more lines than one, as a traceback has, those after
the first are set in, so that none of them can be taken for another event.
"""

import logging
from collections.abc import Iterable

from invoice_service.domain.text import visible


def one_event(text: str) -> str:
    """What a log is given of it."""
    whole = text.encode("utf-8", "backslashreplace").decode()  # names of files may be no text
    return visible(whole).replace("\n", "\n    ")


class OneEvent(logging.Formatter):
    """Writes what another formatter does, so that it is read as one."""

    def __init__(self, as_before: logging.Formatter | None) -> None:
        super().__init__()
        self._as_before = as_before or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line, or as one with others set in."""
        return one_event(self._as_before.format(record))


def plain_handlers(handlers: Iterable[logging.Handler]) -> None:
    """Have these write so."""
    for handler in handlers:
        if not isinstance(handler.formatter, OneEvent):
            handler.setFormatter(OneEvent(handler.formatter))
