"""Reports and counts of scans as they are kept, and what keeps them: apart from the invoices."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, Protocol, get_args

import msgspec

ReportState = Literal["new", "seen", "closed"]
STATES: Final[tuple[ReportState, ...]] = get_args(ReportState)

Erased = Literal["contact", "all"]
"""What of a report its sender has erased: how to reach them, or all that they sent."""

UNKNOWN: Final = ""
"""Stands for all hashes that nobody has issued: whoever makes them up fills no disk."""
OTHERS: Final = "others"
"""Stands for the invoices that found no row of their own."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody tells of a slip; ``hash`` and ``verdict`` are what ``said`` comes to."""

    said: str
    hash: str = ""
    verdict: str = ""
    place: str = ""
    message: str = ""
    contact: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report; times in unix seconds, ``pictures`` are the numbers of those that are kept."""

    id: int
    at: int
    sent: Sent
    pictures: tuple[int, ...] = ()
    state: ReportState = "new"
    note: str = ""
    told_at: int | None = None
    erased: bool = False


class ReportStore(Protocol):
    """Keeps reports, as many as there is room for: then the oldest go, closed ones first."""

    def add_report(self, receipt: bytes, sent: Sent, pictures: Sequence[bytes], at: int) -> bool:
        """Keep a report with its pictures; False where there is one under this receipt."""
        ...

    def receipted(self, receipt: bytes) -> Report | None:
        """The report of a receipt, by its digest."""
        ...

    def report(self, id_: int) -> Report | None:
        """The report of that number."""
        ...

    def reports(self, state: ReportState | None, after: int, limit: int) -> list[Report]:
        """Reports above ``after``, in order, ``limit`` at most; None for every state."""
        ...

    def judge(self, id_: int, state: ReportState, note: str, at: int) -> None:
        """Say how a report stands."""
        ...

    def erase(self, id_: int, what: Erased) -> None:
        """Take out what its sender wants to be gone; nothing of it is left in any file."""
        ...

    def picture(self, id_: int, number: int) -> bytes | None:
        """A picture of a report: JPEG."""
        ...

    def counts(self) -> Mapping[ReportState, int]:
        """How many reports there are in each state."""
        ...


class Scans(msgspec.Struct, frozen=True):
    """How often scans of an invoice did not fit it, and on which days first and last."""

    hash: str
    merchant: int
    count: int
    first_day: str
    last_day: str


class Counted(msgspec.Struct, frozen=True):
    """Some more scans of a day (YYYY-MM-DD); ``hash`` may be ``UNKNOWN`` or ``OTHERS``."""

    day: str
    hash: str
    merchant: int
    count: int


class ScanStore(Protocol):
    """Keeps how often scans did not fit, by invoice and day, within bounds."""

    def count_scans(self, counted: Sequence[Counted]) -> None:
        """Add; what finds no row of its own on its day is added to ``OTHERS``."""
        ...

    def scans(self, first: str, last: str, limit: int, merchant: int | None = None) -> list[Scans]:
        """Invoices with scans in these days, those with the most first; without the two sums."""
        ...

    def scans_of(self, hash_: str, first: str, last: str) -> int:
        """How many there were of one invoice, or of ``UNKNOWN`` or ``OTHERS``."""
        ...
