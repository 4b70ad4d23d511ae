"""Adding up spans, and the few invoices since the last one, under the keys of a report."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from heapq import merge
from itertools import compress, count, groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from invoice_service.domain.lifecycle import Reversal
from invoice_service.services.anchoring.spans import (
    DISTRICT,
    FINEST,
    INDUSTRY,
    MERCHANT,
    RATE,
    SO_FAR,
    Asked,
    Cell,
    DayEnd,
    Head,
    Moved,
    Ranked,
    Ranking,
    Span,
    SpanStore,
    days_up_to,
    since_part,
    sums_of,
)
from invoice_service.services.anchoring.totals import BLUE, RED, Blocks, Sums
from invoice_service.services.reporting.dimensions import PARTS

Keys: TypeAlias = "tuple[str, ...]"
Counted: TypeAlias = "tuple[Keys, int, Sums]"
"""Keys in the order of a report, the side (0 now, 1 before, 2 a year before), eight sums."""


MEASURED: Final[dict[str, Callable[[Sequence[int]], int]]] = {
    "net": lambda sums: sums[3] + sums[7],
    "count": itemgetter(0),
    "amount": itemgetter(1),
    "tax": itemgetter(2),
    "total": itemgetter(3),
    "reversed": lambda sums: -sums[7],
}
"""Of net and reversed the total, tax included; the others of what was issued."""


class MixStore(SpanStore, Protocol):
    """What a mix needs of a database."""

    def mixed(self, asked: Asked) -> Iterator[tuple[Any, ...]]:
        """Yield (keys…, side, what ``sums_of`` reads), in the order of keys and sides."""
        ...

    def ranked(self, asked: Asked, ranking: Ranking) -> tuple[int, list[Keys]]:
        """Return how many rows ``mixed`` has, sides aside, and the keys of the first by a measure.

        Ordered by the measure of side 0, then by keys.
        """
        ...

    def ranked_in_columns(
        self,
        asked: Asked,
        ranking: Ranking,
        also: Collection[Keys],
        beside: Mapping[Keys, int],
    ) -> Ranked | None:
        """Return the first rows by a measure, and those of the keys ``also``, with all sides.

        ``beside`` are measures of side 0 of invoices that no span has. None where ``ranked`` must
        be asked instead.
        """
        ...

    def moved(self, ids: Sequence[int], first: str, last: str) -> list[tuple[Moved, list[int]]]:
        """Return what some spans moved of the invoices of some days."""
        ...

    def names_of(self, merchants: Sequence[str]) -> Mapping[str, str]:
        """Return the names of merchants by their tax ids."""
        ...


class DayRange(NamedTuple):
    """Days whose invoices are counted on a side under the names of their periods."""

    side: int
    times: Keys
    first: str
    last: str


class Collector:
    """The spans as of a block, for as many questions as a report has."""

    def __init__(
        self, store: MixStore, log: Blocks, height: int, filters: Mapping[str, str]
    ) -> None:
        """``filters`` as in ``Question``."""
        self._store = store
        self.days = days_up_to(store, log, height)
        self._names = [end.day for end in self.days.ends]
        heads = store.spans(height) if self.days.ends else ()
        self._longer = {head.name: head for head in heads if head.kind in {"month", "year"}}
        self._so_far: dict[str, list[Head]] = {}
        for head in heads:
            if head.kind == "so_far":
                outer = next(outer for outer, inner in SO_FAR if inner == len(head.name))
                self._so_far.setdefault(head.name[:outer], []).append(head)
        self._open: dict[str, tuple[Head | None, Span]] = {}
        self._filters = filters
        self._needs = _needs(
            {"merchant": MERCHANT, "industry": INDUSTRY, "district": DISTRICT, "rate": RATE}[name]
            for name in filters
        )

    def counted(
        self, by: Sequence[str], ranges: Sequence[DayRange], *, rated: bool = False
    ) -> Iterator[Counted]:
        """Yield the sums under each key and side, in their order; those of 0 may be there.

        ``by`` are periods, whose names the ranges bring, and parts of cells. By rates or under
        one, an invoice counts in each of its rates (so, too, where it is to be ``rated``).
        """
        fresh = self._fresh(by, ranges, rated=bool(self._cube(by, rated=rated) & RATE))
        asked = self._asked(by, ranges, rated=rated)
        stored = self._stored(asked, len(by)) if asked.spans else iter(())
        return _added(merge(stored, fresh, key=_place)) if fresh else stored

    def ranked(
        self,
        by: Sequence[str],
        ranges: Sequence[DayRange],
        ranking: Ranking,
        also: AbstractSet[Keys] = frozenset(),
    ) -> tuple[int, Iterator[Counted]]:
        """Return how many rows there are, and what ``counted`` yields of the first by rank.

        And of some others, those of the keys ``also`` among them: as many as these may come
        before. So of many cells only few are added up in all figures.
        """
        asked = self._asked(by, ranges)
        fresh = list(_of_kind(self._fresh(by, ranges, rated=bool(asked.cube & RATE)), ranking.kind))
        found = self._in_columns(asked, ranking, also, fresh)
        if found is not None:
            stored = list(_of_kind(_counted(found.rows, len(by)), ranking.kind))
            fresh = [one for one in fresh if one[0] in found.keys]
            return found.number, _added(merge(stored, fresh, key=_place))
        new = {keys for keys, _, _ in fresh}
        more = ranking._replace(number=ranking.number + len(new | also))
        number, stored = self._in_rows(by, asked, more, new | also) if asked.spans else (0, [])
        number += len(new - {keys for keys, _, _ in stored})
        return number, _added(merge(stored, fresh, key=_place))

    def _in_columns(
        self, asked: Asked, ranking: Ranking, also: AbstractSet[Keys], fresh: Sequence[Counted]
    ) -> Ranked | None:
        """Of spans' columns: None where these do not say.

        A merchant's few cells are found by key in its rows, and are all of a column.
        """
        if not asked.spans or "merchant" in self._filters:
            return None
        measure = MEASURED[ranking.measure]
        beside: dict[Keys, int] = {}
        for keys, side, sums in fresh:
            beside[keys] = beside.get(keys, 0) + (0 if side else measure(sums))
        more = ranking._replace(number=ranking.number + len(also))
        return self._store.ranked_in_columns(asked, more, also, beside)

    def _in_rows(
        self, by: Sequence[str], asked: Asked, ranking: Ranking, also: AbstractSet[Keys]
    ) -> tuple[int, list[Counted]]:
        """Of spans' rows, which are the oracle of their columns; by nothing there is but one."""
        if ranking.kind or not by or not asked.cube & MERCHANT:
            rows = list(_of_kind(self._stored(asked, len(by)), ranking.kind))
            return len({keys for keys, _, _ in rows}), rows
        number, first = self._store.ranked(asked, ranking)
        few = also | set(first)
        of_cells = [name in PARTS for name in by]
        if any(of_cells) and number > 2 * len(few):
            chosen = sorted({tuple(compress(keys, of_cells)) for keys in few})
            asked = asked._replace(chosen=chosen)
        return number, [one for one in self._stored(asked, len(by)) if one[0] in few]

    def _stored(self, asked: Asked, width: int) -> Iterator[Counted]:
        return _counted(self._store.mixed(asked), width)

    def _asked(
        self, by: Sequence[str], ranges: Sequence[DayRange], *, rated: bool = False
    ) -> Asked:
        times = count()
        keys = [PARTS[name].sql() if name in PARTS else f"t{next(times)}" for name in by]
        spans = list(self._spans(ranges))
        return Asked(self._cube(by, rated=rated), spans, keys, self._where())

    def _cube(self, by: Sequence[str], *, rated: bool = False) -> int:
        """The coarsest mix that has what is asked for."""
        needs = self._needs | _needs(PARTS[name].needs for name in by if name in PARTS)
        cube = MERCHANT | needs & RATE if needs & MERCHANT else needs
        return cube | RATE if rated else cube

    def moves(
        self, by: Sequence[str], ranges: Sequence[DayRange]
    ) -> Iterator[tuple[Keys, int, Reversal, list[int]]]:
        """Yield what went into states, or out of them (below 0), under each key and side."""
        rated = bool(self._cube(by) & RATE)
        if not ranges:
            return
        first, last = min(one.first for one in ranges), max(one.last for one in ranges)
        ends = self.days.ends[bisect_left(self._names, first) :]
        ids = [end.span for end in ends if end.span]
        fresh: list[tuple[Moved, list[int]]] = []
        for end in ends:
            if not end.span:
                part, rest = self._since(end)
                ids += [part.id] if part else []
                fresh += rest.moves.items()
        holds, under = self._holds, _ByDay(ranges)
        for moved, sums in [*self._store.moved(ids, first, last), *fresh]:
            if moved.rated == rated and holds(moved.cell):
                for one in under[moved.day]:
                    yield _keys(by, one.times, moved.cell), one.side, moved.state, sums

    def _spans(self, ranges: Sequence[DayRange]) -> Iterator[tuple[Any, ...]]:
        for one in ranges:
            for id_ in self._cover(one.first, one.last):
                yield id_, one.side, *one.times

    def _cover(self, first: str, last: str) -> Iterator[int]:
        """The longest spans that are the days from ``first`` to ``last`` together."""
        names, ends = self._names, self.days.ends
        at, stop = bisect_left(names, first), bisect_right(names, last)
        while at < stop:
            longer = self._longest(at, stop)
            if longer is not None:
                at, id_ = longer
                yield id_
                continue
            if ends[at].span:
                yield ends[at].span
            else:
                part, _ = self._since(ends[at])
                if part is not None:
                    yield part.id
            at += 1

    def _longest(self, at: int, stop: int) -> tuple[int, int] | None:
        """The longest span of several days that begins with a day and ends before another.

        Where the day after it is, and its id; None if there is none.
        """
        names = self._names
        day = names[at]
        for length in (4, 7):
            name = day[:length]
            if at and names[at - 1][:length] == name:
                continue  # it has begun before
            whole = [self._longer[name]] if name in self._longer else []
            for head in (*whole, *reversed(self._so_far.get(name, ()))):
                following = bisect_right(names, f"{head.name}~")
                if following <= stop:
                    return following, head.id
        return None

    def _fresh(
        self, by: Sequence[str], ranges: Sequence[DayRange], *, rated: bool
    ) -> list[Counted]:
        """What no span has, of the days that have none."""
        found: dict[tuple[Keys, int], Sums] = {}
        under = _ByDay(ranges)
        cube, holds = FINEST[rated], self._holds if self._filters else None
        for end in self.days.ends:
            if end.span or not under[end.day]:
                continue
            _, rest = self._since(end)
            for (of, cell), sums in rest.cells.items():
                if of != cube or (holds and not holds(cell)):
                    continue
                for one in under[end.day]:
                    place = _keys(by, one.times, cell), one.side
                    found[place] = _sum(found.get(place), sums)
        return sorted(((*place, sums) for place, sums in found.items()), key=_place)

    def _since(self, end: DayEnd) -> tuple[Head | None, Span]:
        found = self._open.get(end.day)
        if found is None:
            found = self._open[end.day] = since_part(self._store, self.days, end)
        return found

    def _where(self) -> list[tuple[str, Any]]:
        conditions = []
        for name, value in self._filters.items():
            part = PARTS[_level(value) if name == "industry" else name]
            conditions.append((f"{part.sql()} = ?", value))
        return conditions

    def _holds(self, cell: Cell) -> bool:
        return all(
            PARTS[_level(value) if name == "industry" else name].of(cell) == value
            for name, value in self._filters.items()
        )


class _ByDay(dict[str, "list[DayRange]"]):
    """The ranges that a day is in, looked for once a day."""

    def __init__(self, ranges: Sequence[DayRange]) -> None:
        super().__init__()
        self._ranges = ranges

    def __missing__(self, day: str) -> list[DayRange]:
        found = [one for one in self._ranges if one.first <= day <= one.last]
        self[day] = found
        return found


def _level(code: str) -> str:
    """At which level of GB/T 4754 a code stands, by its length."""
    return ("section", "division", "group", "class")[len(code) - 1]


def _needs(needed: Iterator[int]) -> int:
    found = 0
    for one in needed:
        found |= one
    return found


def _keys(by: Sequence[str], times: Keys, cell: Cell) -> Keys:
    if not by:
        return ()
    left = iter(times)
    return tuple(PARTS[name].of(cell) if name in PARTS else next(left) for name in by)


def _counted(rows: Iterable[tuple[Any, ...]], width: int) -> Iterator[Counted]:
    return ((row[:width], row[width], sums_of(row[width + 1 :])) for row in rows)


def _of_kind(counted: Iterable[Counted], kind: str) -> Iterator[Counted]:
    """What is of a kind of invoices, the others left out."""
    for keys, side, sums in counted:
        if not kind:
            yield keys, side, sums
        elif sums[BLUE if kind == "blue" else RED]:
            blue, red = (sums[:4], [0] * 4) if kind == "blue" else ([0] * 4, sums[4:])
            yield keys, side, [*blue, *red]


def _place(counted: Counted) -> tuple[Keys, int]:
    return counted[0], counted[1]


def _added(counted: Iterator[Counted]) -> Iterator[Counted]:
    for (keys, side), same in groupby(counted, key=_place):
        sums: Sums | None = None
        for _, _, more in same:
            sums = _sum(sums, more)
        yield keys, side, sums or []


def _sum(sums: Sums | None, more: Sums) -> Sums:
    return list(more) if sums is None else [a + b for a, b in zip(sums, more, strict=True)]
