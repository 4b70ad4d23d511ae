"""What a file of orders would come to: looked at order by order, and nothing issued."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from chain.errors import Problem
from invoice_service.domain.invoice import Prepared
from invoice_service.domain.merchant import Merchant
from invoice_service.domain.money import Fen
from invoice_service.files.record import Record
from invoice_service.files.rows import column_of
from invoice_service.services.issuing.issue import IssuingDesk, try_prepare

MOST_SHOWN: Final = 200
"""Refused orders that are told one by one; the result file has all of them."""

MOST_DAYS: Final = 400


class Foreseer(Protocol):
    """Whoever knows what was issued."""

    def foresee(self, batch: Sequence[Prepared], now: int) -> list[bool | Problem]:
        """Whether each would be answered with an invoice that is there; or why with none."""
        ...


class Refused(msgspec.Struct, frozen=True, omit_defaults=True):
    """An order that gets no invoice: where in the file, and why."""

    order_id: str
    line: int
    code: str
    detail: str
    detail_zh: str = ""
    column: str = ""


class Named(msgspec.Struct, frozen=True):
    """A column that is known: what we call it, and what the file does."""

    name: str
    called: str


class Preview(msgspec.Struct, omit_defaults=True):
    """The whole file; money in fen, tax included. Repeats have their invoices already."""

    columns: list[Named] = []
    others: list[str] = []
    orders: int = 0
    lines: int = 0
    new: int = 0
    total: Fen = 0
    tax: Fen = 0
    repeats: int = 0
    repeated: Fen = 0
    refused: int = 0
    codes: dict[str, int] = {}
    days: dict[str, Fen] = {}
    """What the new ones come to on each business day, as far as there are not too many."""
    shown: list[Refused] = []


class Examined(NamedTuple):
    """One order: what it would be, whether it is there already, or what is wrong."""

    record: Record
    prepared: Prepared | None
    repeat: bool
    problem: Problem | None


def examine(
    desk: IssuingDesk, foreseer: Foreseer, merchant: Merchant, records: Sequence[Record], now: int
) -> list[Examined]:
    """Each as the issuing transaction would decide at ``now``, in unix seconds."""
    read = [record.problem or try_prepare(desk, merchant, record.sent()) for record in records]
    sound = [one for one in read if isinstance(one, Prepared)]
    said = iter(foreseer.foresee(sound, now))
    found = []
    for record, one in zip(records, read, strict=True):
        if isinstance(one, Problem):
            found.append(Examined(record, None, repeat=False, problem=one))
            continue
        answer = next(said)
        problem = answer if isinstance(answer, Problem) else None
        found.append(Examined(record, one, repeat=answer is True, problem=problem))
    return found


class Counting:
    """Adds a preview up."""

    def __init__(self, called: dict[str, str], others: Sequence[str]) -> None:
        """``called`` is what the file calls our columns."""
        self._called = called
        self._codes: Counter[str] = Counter()
        self.preview = Preview(
            columns=[Named(name, text) for name, text in called.items()], others=list(others)
        )

    def add(self, one: Examined) -> None:
        """The next order."""
        preview = self.preview
        preview.orders += 1
        preview.lines += len(one.record.lines)
        if one.problem is not None:
            self._refuse(one.record, one.problem)
        elif one.prepared is not None and one.repeat:
            preview.repeats += 1
            preview.repeated += one.prepared.total
        elif one.prepared is not None:
            self._new(one.record.day, one.prepared)

    def _new(self, day: str, prepared: Prepared) -> None:
        preview = self.preview
        preview.new += 1
        preview.total += prepared.total
        preview.tax += prepared.tax
        if day in preview.days or len(preview.days) < MOST_DAYS:
            preview.days[day] = preview.days.get(day, 0) + prepared.total

    def _refuse(self, record: Record, problem: Problem) -> None:
        self.preview.refused += 1
        self._codes[problem.code] += 1
        self.preview.codes = dict(self._codes.most_common())
        if len(self.preview.shown) < MOST_SHOWN:
            self.preview.shown.append(refused_in(record, problem, self._called))


def refused_in(record: Record, problem: Problem, called: dict[str, str]) -> Refused:
    """Where in the file it stands; ``called`` is what the file calls our columns."""
    index, column = column_of(problem.pointer) if problem.pointer else (0, "")
    lines = record.lines or (0,)
    extra: dict[str, Any] = problem.extra
    return Refused(
        order_id=record.order_id,
        line=lines[index] if index < len(lines) else lines[0],
        code=problem.code,
        detail=problem.detail,
        detail_zh=str(extra.get("detail_zh", "")),
        column=called.get(column, column),
    )
