"""Scans that did not fit: counted beside the checks, and written now and then.

A check that finds an invoice and a slip that agree comes nowhere near here. One that does not
costs a look into a table; once a second what was counted is written, into a database that is not
the invoices'. Hashes that nobody has issued share one sum, and a process remembers a bounded
number of names: nobody fills memory or disk by making up hashes.
"""

from collections.abc import Callable
from threading import Lock, Timer
from typing import Final

from chain.errors import Problem
from invoice_service.domain.numbering import shanghai_day
from invoice_service.domain.verdict import Verdict, Verification
from invoice_service.services.help.ports import OTHERS, UNKNOWN, Counted, ScanStore

MOST_WAITING: Final = 2048
"""Invoices that a process remembers until they are written; more count as ``OTHERS``."""

PAUSE: Final = 1.0  # seconds between a count and its writing

WhoseInvoice = Callable[[str], int | None]
"""The merchant who issued the invoice with a hash."""


class ScanCounts:
    """Counts for one process; safe for threads."""

    def __init__(
        self,
        store: ScanStore,
        whose: WhoseInvoice,
        clock: Callable[[], int],
        *,
        pause: float = PAUSE,
    ) -> None:
        """``clock`` gives unix seconds; ``whose`` is asked when counts are written."""
        self._store = store
        self._whose = whose
        self._clock = clock
        self._pause = pause
        self._guard = Lock()
        self._waiting: dict[tuple[int, str], int] = {}
        self._timer: Timer | None = None

    def note(self, found: Verification) -> None:
        """A check came to ``mismatch`` or ``unknown``."""
        day = _day(self._clock())
        hash_ = found.hash if found.verdict is Verdict.MISMATCH else UNKNOWN
        with self._guard:
            self._add((day, hash_), 1)
            self._arm()

    def flush(self) -> None:
        """Write what waits; when that cannot be done, it waits on."""
        with self._guard:
            waiting, self._waiting, self._timer = self._waiting, {}, None
        if not waiting:
            return
        try:
            self._store.count_scans([self._counted(*one) for one in waiting.items()])
        except Problem:
            with self._guard:
                for name, count in waiting.items():
                    self._add(name, count)

    def _counted(self, name: tuple[int, str], count: int) -> Counted:
        day, hash_ = name
        merchant = self._whose(hash_) if hash_ not in (UNKNOWN, OTHERS) else 0
        if merchant is None:
            return Counted(_text(day), UNKNOWN, 0, count)
        return Counted(_text(day), hash_, merchant, count)

    def _add(self, name: tuple[int, str], count: int) -> None:
        if name not in self._waiting and len(self._waiting) >= MOST_WAITING:
            name = (name[0], OTHERS)
        self._waiting[name] = self._waiting.get(name, 0) + count

    def _arm(self) -> None:
        """Write in a moment; a process that ends writes by itself (``flush``)."""
        if self._timer is None:
            timer = Timer(self._pause, self.flush)
            timer.daemon = True
            try:
                timer.start()
            except RuntimeError:  # no thread to be had: the next count tries again
                return
            self._timer = timer


_DAY: Final = 86_400
_SHANGHAI: Final = 8 * 3600


def _day(now: int) -> int:
    """The number of the day in Shenzhen: nothing that costs more than an addition."""
    return (now + _SHANGHAI) // _DAY


def _text(day: int) -> str:
    return shanghai_day(day * _DAY - _SHANGHAI)
