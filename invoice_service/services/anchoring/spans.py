"""What days, months and years came to, by every mix of what invoices have in common (ADR 0058).

A span is a run of blocks: a whole day, part of one, a month, a year. All of it follows from the
log and the frozen invoices, and is made once its blocks are sealed. A report adds up few spans,
and counts the invoices since the last one itself: what is late here makes it slow, never wrong.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias

from invoice_service.domain.lifecycle import Reversal, reversal_of
from invoice_service.services.anchoring.totals import (
    BLUE,
    RED,
    Blocks,
    Sums,
    Taxed,
    TaxedStore,
    add,
    cursor_at,
    taken,
)

INDUSTRY: Final = 1
DISTRICT: Final = 2
RATE: Final = 4
MERCHANT: Final = 8
"""With till, industry and district: a merchant's invoices say where it is and what it does."""

CUBES: Final = (*range(8), MERCHANT, MERCHANT | RATE)
"""What is kept of a span: for each of these mixes, the cells that have invoices."""

FINEST: Final = (MERCHANT, MERCHANT | RATE)
"""The mixes of which the others are sums, for invoices as they are and for their rates."""

PART_INVOICES: Final = 2_000
"""Invoices of a day that has not ended, from which on a part of it is kept."""

_INVOICES_A_RUN: Final = 100_000
_SO_FAR_A_RUN: Final = 4
_PACKED_A_RUN: Final = 100_000

Kind: TypeAlias = Literal["day", "part", "month", "year", "so_far"]

_MONTH: Final = 7

SO_FAR: Final = ((_MONTH, 9), (4, _MONTH))
"""Of which periods it is kept what they have come to after which shorter ones: letters of a day.

Of a month after its days to the 9th, 19th and 29th; of a year after its months.
"""


class Cell(NamedTuple):
    """What invoices have in common; "" for what a mix has not got, and for no till.

    ``rate`` is a ``rate_name``, so that the kinds of 0 stand apart.
    """

    merchant: str = ""
    till: str = ""
    industry: str = ""
    district: str = ""
    rate: str = ""


class Moved(NamedTuple):
    """Invoices of a day and cell that went into a state, or out of it.

    ``rated`` says whose amounts: a rate's, or whole invoices'.
    """

    rated: bool
    day: str
    cell: Cell
    state: Reversal


Cells: TypeAlias = dict[tuple[int, Cell], Sums]
Moves: TypeAlias = dict[Moved, list[int]]
"""Count, amount and tax, below zero of what went out."""


class Head(NamedTuple):
    """A span that is kept: ``name`` is its day, month or year, ``height`` its last block.

    ``cursor`` is the last invoice in it. A part is of the day ``name``, up to ``height``; what a
    month or year has ``so_far`` has the name of the shorter period that it ends with: ``2018-11-1``
    is November up to the 19th, ``2018-10`` the year up to the end of October.
    """

    id: int
    kind: Kind
    name: str
    height: int
    cursor: int


class Returned(NamedTuple):
    """A red invoice's blue one: how far it was taken back before, and is from then on."""

    seq: int
    before: Reversal | None
    after: Reversal
    blue: Taxed


class DayEnd(NamedTuple):
    """A day that has blocks: its last block and invoice so far; ``span`` is 0 for none kept."""

    day: str
    height: int
    cursor: int
    span: int = 0


@dataclass(slots=True)
class Span:
    """What a run of blocks came to."""

    kind: Kind
    name: str
    height: int
    cursor: int
    cells: Cells = field(default_factory=dict)
    moves: Moves = field(default_factory=dict)


class Asked(NamedTuple):
    """What ``MixStore.mixed`` adds up.

    ``spans`` are (id, side, keys…): each span's cells are counted on a side under these keys.
    ``keys`` are expressions of SQL, in the order of sorting: ``t0``, ``t1``, … for those of the
    spans, columns of a cell for the others. ``where`` are conditions with what they are about.
    Where ``chosen`` is given, only cells that have one of these keys, spans' keys left out.
    """

    cube: int
    spans: Sequence[tuple[Any, ...]]
    keys: Sequence[str]
    where: Sequence[tuple[str, Any]]
    chosen: Sequence[tuple[str, ...]] | None = None


class Ranking(NamedTuple):
    """The first ``number`` of rows by a measure of ``Question``, the largest or the smallest.

    Of a ``kind`` of invoices alone, or of both.
    """

    measure: str
    number: int
    largest: bool
    kind: Literal["", "blue", "red"] = ""


class Ranked(NamedTuple):
    """How many rows there are; keys of the first and of others; these rows as ``mixed`` has."""

    number: int
    keys: AbstractSet[tuple[str, ...]]
    rows: Sequence[tuple[Any, ...]]


class SpanStore(TaxedStore, Protocol):
    """What reading spans needs of a database."""

    def returned(self, seq: int) -> Returned:
        """Return what the red invoice at ``seq`` did; UnavailableError ``record_damaged``."""
        ...

    def last_height(self) -> int:
        """Return the last block whose totals are stored; 0 when there is none."""
        ...

    def day_ends(self, first: str, height: int) -> Sequence[tuple[str, int]]:
        """Return the days from ``first`` on that have blocks, each with its last."""
        ...

    def spans(self, height: int) -> Sequence[Head]:
        """Return the days, months and years that end with a block up to ``height``, in order."""
        ...

    def last_part(self, day: str, height: int) -> Head | None:
        """Return the longest part of a day that ends with a block up to ``height``."""
        ...

    def cells_of(self, ids: Sequence[int], cubes: Sequence[int]) -> Cells:
        """Return the cells of some mixes in some spans, added up."""
        ...

    def moves_of(self, id_: int) -> Moves:
        """Return what a span moved from state to state."""
        ...


class SpanKeeper(SpanStore, Protocol):
    """What keeping them needs of it."""

    def keep(self, spans: Sequence[Span]) -> None:
        """Store spans in one durable transaction; those that are stored already are left."""
        ...

    def keep_sum(self, span: Span, ids: Sequence[int]) -> None:
        """Store a span as the sum of others' cells, in one durable transaction."""
        ...

    def pack(self, cells: int) -> None:
        """Store spans' cells in columns as well, the oldest first, until there are so many."""
        ...


class Days:
    """The days that have blocks, up to one of them."""

    def __init__(self, ends: Iterable[DayEnd]) -> None:
        """In their order."""
        self.ends = list(ends)
        self._cursors = [end.cursor for end in self.ends]

    def of(self, seq: int) -> str:
        """On which of them the invoice at ``seq`` was sealed."""
        return self.ends[bisect_left(self._cursors, seq)].day

    def cursor_before(self, day: str) -> int:
        """The last invoice before a day; 0 for none."""
        at = bisect_left(self.ends, day, key=lambda end: end.day)
        return self._cursors[at - 1] if at else 0


def project(cube: int, cell: Cell) -> Cell:
    """The cell of a mix to which a finest cell belongs."""
    merchant, till, industry, district, rate = cell
    whole = cube & MERCHANT
    return Cell(
        merchant if whole else "",
        till if whole else "",
        industry if whole or cube & INDUSTRY else "",
        district if whole or cube & DISTRICT else "",
        rate if cube & RATE else "",
    )


def count_finest(cells: Cells, invoices: Iterable[Taxed]) -> list[int]:
    """Count invoices into the cells of the two finest mixes; return which of them are red."""
    plain, rated = FINEST
    reds = []
    for seq, red, merchant, industry, district, amount, tax, total, rates, till in invoices:
        at = RED if red else BLUE
        add(cells, (plain, Cell(merchant, till, industry, district)), at, amount, tax, total)
        for rate, part, part_tax in rates:
            key = rated, Cell(merchant, till, industry, district, rate)
            add(cells, key, at, part, part_tax, part + part_tax)
        if red:
            reds.append(seq)
    return reds


def count_moves(moves: Moves, returned: Returned, day: str) -> None:
    """Count what a red invoice did to its blue one, which was sealed on ``day``."""
    if returned.before == returned.after:
        return
    blue = returned.blue
    place = blue.merchant, blue.till, blue.industry, blue.district
    parts = [(False, Cell(*place), blue.amount, blue.tax)]
    parts += [(True, Cell(*place, rate), amount, tax) for rate, amount, tax in blue.rates]
    for rated, cell, amount, tax in parts:
        if returned.before is not None:
            _move(moves, Moved(rated, day, cell, returned.before), -1, -amount, -tax)
        _move(moves, Moved(rated, day, cell, returned.after), 1, amount, tax)


def _move(moves: Moves, key: Moved, *by: int) -> None:
    sums = moves.setdefault(key, [0, 0, 0])
    for at, number in enumerate(by):
        sums[at] += number


def all_cubes(finest: Cells) -> Cells:
    """The cells of every mix, from those of the finest two."""
    cells = dict(finest)
    plain, rated = FINEST
    for (cube, cell), sums in finest.items():
        wanted = range(4) if cube == plain else range(4, 8) if cube == rated else ()
        for coarse in wanted:
            _add_all(cells, (coarse, project(coarse, cell)), sums)
    return cells


def add_cells(cells: Cells, more: Cells) -> None:
    """Add the sums of some cells to others."""
    for key, sums in more.items():
        _add_all(cells, key, sums)


def _add_all(cells: Cells, key: tuple[int, Cell], more: Sums) -> None:
    sums = cells.get(key)
    if sums is None:
        cells[key] = list(more)
        return
    for at, number in enumerate(more):
        sums[at] += number


def sums_of(row: Sequence[int]) -> Sums:
    """The eight sums that ten columns are."""
    count, amount, tax, reds, red_amount, red_tax = row[:6]
    if any(row[6:]):
        high, tax_high, red_high, red_tax_high = row[6:]
        amount += high << 40
        tax += tax_high << 40
        red_amount += red_high << 40
        red_tax += red_tax_high << 40
    return [
        *(count, amount, tax, amount + tax),
        *(reds, -red_amount, -red_tax, -red_amount - red_tax),
    ]


def state_of(total: int, returned: int) -> Reversal | None:
    """How far an invoice of ``total`` has been taken back, of which ``returned`` is; fen."""
    return reversal_of(total, returned) if returned else None


def days_up_to(store: SpanStore, log: Blocks, height: int) -> Days:
    """The days that have blocks up to ``height``; the last may not have ended with it."""
    kept = [head for head in store.spans(height) if head.kind == "day"]
    ends = [DayEnd(head.name, head.height, head.cursor, head.id) for head in kept]
    last = kept[-1].name if kept else ""
    ends += [
        DayEnd(day, end, cursor_at(log, end))
        for day, end in store.day_ends(last, height)
        if day > last
    ]
    return Days(ends)


def since_part(store: SpanStore, days: Days, end: DayEnd) -> tuple[Head | None, Span]:
    """The longest part that is kept of a day up to a block of it, and what came after that.

    The latter in the cells of the finest mixes. VerificationError as ``totals.taken``.
    """
    kept = store.last_part(end.day, end.height)
    span = Span("part", end.day, end.height, end.cursor)
    after = kept.cursor if kept else days.cursor_before(end.day)
    for seq in count_finest(span.cells, taken(store, after, end.cursor)):
        returned = store.returned(seq)
        count_moves(span.moves, returned, days.of(returned.seq))
    return kept, span


def day_so_far(store: SpanStore, days: Days, end: DayEnd) -> Span:
    """What a day came to up to a block of it, in every mix."""
    kept, span = since_part(store, days, end)
    if kept is not None:
        add_cells(span.cells, store.cells_of([kept.id], FINEST))
        for moved, sums in store.moves_of(kept.id).items():
            _move(span.moves, moved, *sums)
    span.cells = all_cubes(span.cells)
    return span


def keep_spans(store: SpanKeeper, log: Blocks) -> int:
    """Keep what has ended since, up to some invoices at once; return how many days.

    A crash anywhere loses nothing: the next run makes the same.
    """
    days = days_up_to(store, log, store.last_height())
    done = _keep_days(store, days)
    if done:
        days = days_up_to(store, log, store.last_height())
    _keep_so_far(store, days.ends)
    store.pack(_PACKED_A_RUN)
    return done


def _keep_days(store: SpanKeeper, days: Days) -> int:
    waiting = [at for at, end in enumerate(days.ends) if not end.span]
    done = counted = 0
    for at in waiting:
        end = days.ends[at]
        size = end.cursor - days.cursor_before(end.day)
        if counted and counted + size > _INVOICES_A_RUN:
            break
        counted += size
        if at + 1 < len(days.ends):
            _keep_day(store, days, end, days.ends[at + 1].day)
            done += 1
        else:
            _keep_part(store, days, end)
    return done


def _keep_day(store: SpanKeeper, days: Days, end: DayEnd, following: str) -> None:
    """Keep a day that has ended, with the month and the year that ended with it."""
    span = day_so_far(store, days, end)
    span.kind = "day"
    spans = [span]
    lower: Kind = "day"
    longer: tuple[tuple[Kind, int], ...] = (("month", 7), ("year", 4))
    for kind, length in longer:
        name = end.day[:length]
        if following[:length] == name:
            break
        parts = [
            head.id
            for head in store.spans(end.height)
            if head.kind == lower and head.name[:length] == name
        ]
        sums = store.cells_of(parts, CUBES)
        add_cells(sums, spans[-1].cells)
        spans.append(Span(kind, name, end.height, end.cursor, sums))
        lower = kind
    # A crash before this has committed: nothing has happened, and the next run makes the same.
    store.keep(spans)


def _keep_so_far(store: SpanKeeper, ends: Sequence[DayEnd]) -> None:
    """Keep what months and years have come to after their shorter periods; the oldest first.

    So a report reads one span where it read up to ten months or nine days. Of what was kept before
    there were such spans they are made as well, some in each run.
    """
    for _ in range(_SO_FAR_A_RUN):
        heads = store.spans(store.last_height())
        found = next(_without_so_far(heads, ends), None)
        if found is None:
            return
        (name, height, cursor), parts = found
        store.keep_sum(Span("so_far", name, height, cursor), [head.id for head in parts])


def _without_so_far(
    heads: Sequence[Head], ends: Sequence[DayEnd]
) -> Iterator[tuple[tuple[str, int, int], list[Head]]]:
    """Yield what is not kept yet: name, last block and invoice, and of which spans it is the sum.

    Not what one of them tells alone.
    """
    kept = {head.name: head for head in heads if head.kind == "so_far"}
    for outer, inner in SO_FAR:
        lower = [head for head in heads if head.kind == ("month" if inner == _MONTH else "day")]
        for day, following in pairwise(ends):
            whole, name = day.day[:outer], day.day[:inner]
            within = following.day[:outer] == whole and following.day[:inner] != name
            if not (day.span and within) or name in kept:
                continue
            before = [
                one for one in kept if len(one) == inner and one[:outer] == whole and one < name
            ]
            since = max(before, default="")
            parts = [kept[since]] if since else []
            parts += [
                one
                for one in lower
                if one.name[:outer] == whole and since < one.name[:inner] <= name
            ]
            if len(parts) > 1:
                yield (name, day.height, day.cursor), parts


def _keep_part(store: SpanKeeper, days: Days, end: DayEnd) -> None:
    """Keep what the newest day has come to, once that is worth it."""
    kept = store.last_part(end.day, end.height)
    after = kept.cursor if kept else days.cursor_before(end.day)
    if end.cursor - after >= PART_INVOICES:
        store.keep([day_so_far(store, days, end)])
