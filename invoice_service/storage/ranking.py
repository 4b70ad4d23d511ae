"""Rankings over packs: of very many cells one figure is looked at, of few rows all of them.

Exact: whole numbers of 64 bits, of which packs fill 48. Loaded with the first ranking (ADR 0065).
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from invoice_service.services.anchoring.spans import Asked, Ranked, Ranking
from invoice_service.storage.packs import BITS, COLUMNS, ROWS, holds, packed

Numbers: TypeAlias = npt.NDArray[np.signedinteger[Any]]
Keys: TypeAlias = tuple[str, ...]
Columns: TypeAlias = Mapping[int, Numbers]
"""Sums by their place among ``COLUMNS``."""

_MEASURED: Final = {
    "net": ((1, 1), (2, 1), (4, -1), (5, -1)),
    "count": ((0, 1),),
    "amount": ((1, 1),),
    "tax": ((2, 1),),
    "total": ((1, 1), (2, 1)),
    "reversed": ((4, 1), (5, 1)),
}
"""Of which columns a measure is the sum, and with which sign."""

_OF_KIND: Final = {"": range(6), "blue": range(3), "red": range(3, 6)}

_SPANS: Final = 1 << (62 - BITS - 2)
"""How many can be added up within 64 bits; a measure is of at most four columns."""

_BESIDE: Final = 61
"""Bits of what is added to them."""

_DENSE: Final = 1 << 18
"""Rows that are added up at once, 9 bytes each."""

_KEPT: Final = 1 << 18
"""Cells from which on they are read again when it is known which rows are the first."""

_NOTHING: Final = np.zeros(0, np.int8)
_SIDES: Final = 3
_SPARSE: Final = 1_000
_CELL: Final = 4


class NotPackedError(Exception):
    """Sums are too large for packs, or what is stored is damaged: ask the rows."""


class _Column(NamedTuple):
    """What an expression says of each key, by its number, as the place of a text in order."""

    codes: Numbers
    texts: Sequence[str]
    places: Mapping[str, int]


@dataclass(slots=True)
class _Growing:
    """The same while keys are added: texts in the order in which they were met."""

    last: int
    met: dict[str, int]
    raw: Numbers
    column: _Column


class KeyTexts:
    """What has been read of keys, which are only ever appended: some bytes for each of them.

    One for all threads of a process, and one file.
    """

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._lock = Lock()
        self._growing: dict[str, _Growing] = {}

    def column(self, connection: sqlite3.Connection, expression: str, last: int) -> _Column:
        """What an expression of SQL says of the keys up to number ``last`` at least."""
        with self._lock:
            found = self._growing.get(expression)
            if found is None or found.last > last:  # fewer than were read: another file
                nothing = np.zeros(1, np.int64)
                found = _Growing(0, {}, nothing, _Column(nothing, (), {}))
            if found.last < last:
                found = _grown(connection, expression, found, last)
                self._growing[expression] = found
            return found.column


def _grown(connection: sqlite3.Connection, expression: str, old: _Growing, last: int) -> _Growing:
    rows = connection.execute(
        f"SELECT id, {expression} FROM span_keys k WHERE id > ? AND id <= ?",  # noqa: S608 # our own
        (old.last, last),
    ).fetchall()
    if last - old.last > 2 * len(rows) + _SPARSE:
        raise NotPackedError  # numbers of keys are dense, but where somebody has changed them
    met = dict(old.met)
    raw = np.zeros(last + 1, np.int64)
    raw[: len(old.raw)] = old.raw
    raw[[id_ for id_, _ in rows]] = [met.setdefault(text, len(met)) for _, text in rows]
    if not met:
        raise NotPackedError
    texts = sorted(met)
    places = {text: at for at, text in enumerate(texts)}
    place = np.fromiter((places[text] for text in met), np.int64, len(met))
    return _Growing(last, met, raw, _Column(place[raw], texts, places))


class _Rows:
    """The rows of a mix without its periods: to which of them each cell belongs."""

    def __init__(self, columns: Sequence[_Column], last: int) -> None:
        """By the keys of cells, in the order of a report."""
        self._columns = columns
        self.of = np.zeros(last + 1, np.int64)
        for column in columns:
            self.of = self.of * len(column.texts) + column.codes[: last + 1]
        self._combined = np.arange(len(columns[0].texts) if columns else 1, dtype=np.int64)
        if len(columns) > 1:
            self._combined, self.of = np.unique(self.of, return_inverse=True)
        self.number = len(self._combined)
        self.parts: list[Numbers] = []
        left = self._combined
        for column in reversed(columns):
            left, part = np.divmod(left, max(len(column.texts), 1))
            self.parts.insert(0, part)

    def at(self, texts: Sequence[str]) -> int | None:
        """Which row has these keys."""
        if len(texts) == 1:
            return self._columns[0].places.get(texts[0])
        combined = 0
        for text, column in zip(texts, self._columns, strict=True):
            if text not in column.places:
                return None
            combined = combined * len(column.texts) + column.places[text]
        found = int(np.searchsorted(self._combined, combined))
        same = found < self.number and int(self._combined[found]) == combined
        return found if same else None

    def texts(self, part: int, rows: Numbers) -> list[str]:
        """One of the keys of some rows."""
        texts = self._columns[part].texts
        return [texts[at] for at in self.parts[part][rows].tolist()]


class _First(NamedTuple):
    """Rows that may be among the first: the rank of each (the lowest first), and its place."""

    rank: Numbers
    place: Numbers


class _Cells(NamedTuple):
    """Cells of spans, one after the other: place and side of each, and some of its sums."""

    places: Numbers
    sides: Numbers
    sums: Mapping[int, Numbers]


class Packs:
    """One ranking while it is made. A row has a place: those of a period are in a run."""

    def __init__(
        self, connection: sqlite3.Connection, texts: KeyTexts, asked: Asked, ranking: Ranking
    ) -> None:
        """Raises NotPackedError, as all of this may."""
        self._connection, self._asked, self._ranking = connection, asked, ranking
        self._kind = _OF_KIND[ranking.kind]
        self._kept: dict[int, _Cells] = {}
        (self._last,) = connection.execute("SELECT coalesce(max(id), 0) FROM span_keys").fetchone()
        width = len(asked.spans[0]) - 2 if asked.spans else 0
        self._of_cells = [key not in {f"t{at}" for at in range(width)} for key in asked.keys]
        named = [key for key, of in zip(asked.keys, self._of_cells, strict=True) if of]
        self._rows = _Rows([texts.column(connection, key, self._last) for key in named], self._last)
        for condition, value in asked.where:
            column = texts.column(connection, condition.removesuffix(" = ?"), self._last)
            place = column.places.get(value, -1)
            self._rows.of = np.where(column.codes[: self._last + 1] == place, self._rows.of, -1)
        spans: dict[Keys, list[tuple[int, int]]] = {}
        for span, side, *times in asked.spans:
            spans.setdefault(tuple(times), []).append((span, side))
        self._periods = sorted(spans)
        self._period_of = {times: at for at, times in enumerate(self._periods)}
        self._spans = [spans[times] for times in self._periods]
        if max(map(len, self._spans), default=0) > _SPANS:
            raise NotPackedError
        self._times = [
            np.unique([times[at] for times in self._periods], return_inverse=True)[1]
            for at in range(width)
        ]

    def ranked(self, also: Collection[Keys], beside: Mapping[Keys, int]) -> Ranked:
        """The first, and some others; ``beside`` are measures of rows that spans do not have."""
        if any(abs(by) >> _BESIDE for by in beside.values()):
            raise NotPackedError
        places = {keys: self._place(keys) for keys in beside}
        unknown = {keys for keys, place in places.items() if place is None}
        known = {place: beside[keys] for keys, place in places.items() if place is not None}
        added = _First(*(np.array(list(of), np.int64) for of in (known.values(), known)))
        number, first = len(unknown), _First(np.zeros(0, np.int64), np.zeros(0, np.int64))
        for periods in self._chunks():
            more, some = self._rank(periods, added)
            number += more
            first = self._first(
                _First(*(np.concatenate(two) for two in zip(first, some, strict=True)))
            )
        others = (self._place(keys) for keys in also)
        found = {*first.place.tolist(), *(place for place in others if place is not None)}
        chosen = np.array(sorted(found), np.int64)
        return Ranked(number, unknown.union(self._keys(chosen)), sorted(self._figures(chosen)))

    def _chunks(self) -> Iterator[range]:
        """Periods that are looked at together."""
        at_once = max(1, _DENSE // self._rows.number)
        for begin in range(0, len(self._periods), at_once):
            yield range(begin, min(begin + at_once, len(self._periods)))

    def _place(self, keys: Keys) -> int | None:
        """The place of some keys, where spans may have any."""
        pairs = list(zip(keys, self._of_cells, strict=True))
        period = self._period_of.get(tuple(key for key, of in pairs if not of))
        row = self._rows.at([key for key, of in pairs if of])
        return None if period is None or row is None else period * self._rows.number + row

    def _keys(self, places: Numbers) -> list[Keys]:
        periods, rows = (places // self._rows.number).tolist(), places % self._rows.number
        part, time = count(), count()
        columns = []
        for of in self._of_cells:
            at = next(part if of else time)
            columns.append(
                self._rows.texts(at, rows) if of else [self._periods[one][at] for one in periods]
            )
        return list(zip(*columns, strict=True)) if columns else [()] * len(places)

    def _rank(self, periods: range, beside: _First) -> tuple[int, _First]:
        """How many rows some periods have, and their first."""
        begin, size = (number * self._rows.number for number in (periods.start, len(periods)))
        measured = [(at, by) for at, by in _MEASURED[self._ranking.measure] if at in self._kind]
        room = sum(len(one.places) for one in self._kept.values()) < _KEPT
        cells = self._cells(periods, self._kind if room else [at for at, _ in measured])
        if room:
            self._kept[periods.start] = cells
        figures = np.zeros(len(cells.places), np.int64)
        for at, by in measured:  # added, not multiplied: a byte's -128 has no opposite
            (np.add if by > 0 else np.subtract)(figures, cells.sums[at], out=figures)
        figures[cells.sides > 0] = 0
        here = (beside.place >= begin) & (beside.place < begin + size)
        sums, there = np.zeros(size, np.int64), np.zeros(size, np.bool_)
        for places, numbers in (
            (cells.places - begin, figures),
            (beside.place[here] - begin, beside.rank[here]),
        ):
            there[places] = True
            np.add.at(sums, places, numbers)
        found = np.flatnonzero(there)
        rank = -sums[found] if self._ranking.largest else sums[found]
        return len(found), self._first(_First(rank, found + begin))

    def _first(self, some: _First) -> _First:
        """The first of some rows: by rank, and among equal ones by keys."""
        number = self._ranking.number
        if len(some.rank) <= number:
            return some
        last = np.partition(some.rank, number - 1)[number - 1]
        before = np.flatnonzero(some.rank < last)
        equal = np.flatnonzero(some.rank == last)
        if len(before) + len(equal) > number:
            periods, rows = np.divmod(some.place[equal], self._rows.number)
            parts, times = iter(self._rows.parts), iter(self._times)
            keys = [next(parts)[rows] if of else next(times)[periods] for of in self._of_cells]
            equal = equal[np.lexsort(keys[::-1])[: number - len(before)]]
        chosen = np.concatenate([before, equal])
        return _First(some.rank[chosen], some.place[chosen])

    def _figures(self, chosen: Numbers) -> Iterator[tuple[Any, ...]]:
        """The rows at some places, in their order: keys, side, and what ``sums_of`` reads."""
        sums = np.zeros((len(COLUMNS) + 1, len(chosen) * _SIDES), np.int64)
        for periods in self._chunks():
            begin, end = (at * self._rows.number for at in (periods.start, periods.stop))
            first, last = np.searchsorted(chosen, [begin, end]).tolist()
            if first == last:
                continue
            some = np.unique(chosen[first:last] // self._rows.number).tolist()
            cells = self._kept.get(periods.start) or self._cells(some, self._kind)
            at = np.full(end - begin, -1, np.int64)
            at[chosen[first:last] - begin] = np.arange(first, last)
            at = at[cells.places - begin]
            hit = np.flatnonzero(at >= 0)
            into = at[hit] * _SIDES + cells.sides[hit]
            np.add.at(sums[-1], into, 1)
            for number, column in cells.sums.items():
                np.add.at(sums[number], into, column[hit].astype(np.int64))
        found = iter(sums.T.tolist())
        for keys in self._keys(chosen):
            for side in range(_SIDES):
                *figures, cells_added = next(found)
                if cells_added:
                    yield (*keys, side, *figures, 0, 0, 0, 0)

    def _cells(self, periods: Iterable[int], wanted: Collection[int]) -> _Cells:
        """The cells of some periods' spans that are asked about."""
        counted = [self._kind[0]] if self._ranking.kind else []
        spans = [(period, *one) for period in periods for one in self._spans[period]]
        reading = sorted({*wanted, *counted})
        stored = self._read({span for _, span, _ in spans}, reading)
        found = [stored[span] for _, span, _ in spans]
        lengths = [len(cells) for cells, _ in found]
        cells = np.concatenate([_NOTHING, *(cells for cells, _ in found)])
        if len(cells) and (cells.min() < 0 or cells.max() > self._last):
            raise NotPackedError
        sums = {
            at: np.concatenate([_NOTHING, *(columns[at] for _, columns in found)]) for at in reading
        }
        rows = self._rows.of[cells]
        bases = [period * self._rows.number for period, _, _ in spans]
        places = rows + np.repeat(np.array(bases, np.int64), lengths)
        sides = np.repeat(np.array([side for _, _, side in spans], np.int64), lengths)
        keep = rows >= 0
        for at in counted:
            keep &= sums[at] > 0
        if keep.all():
            return _Cells(places, sides, sums)
        return _Cells(places[keep], sides[keep], {at: one[keep] for at, one in sums.items()})

    def _read(
        self, ids: Collection[int], wanted: Sequence[int]
    ) -> dict[int, tuple[Numbers, Columns]]:
        """Packs' cells and some of their sums; of what is not packed, from its rows."""
        names = ", ".join(("cells", *(COLUMNS[at] for at in wanted)))
        rows = self._connection.execute(
            f"SELECT span, checks, {names} FROM json_each(?) CROSS JOIN span_packs"  # noqa: S608 # constants
            " ON span = value AND cube = ?",
            (str(sorted(ids)), self._asked.cube),
        )
        places = (0, *(at + 1 for at in wanted))
        found = {}
        for span, checks, *columns in rows:
            if not holds(span, self._asked.cube, checks, places, columns):
                raise NotPackedError
            cells, *sums = columns
            found[span] = _unpacked(cells, dict(zip(wanted, sums, strict=True)))
        for span in set(ids) - found.keys():
            found[span] = self._from_rows(span, wanted)
        return found

    def _from_rows(self, span: int, wanted: Sequence[int]) -> tuple[Numbers, Columns]:
        rows = self._connection.execute(
            f"{ROWS} AND cube = ? GROUP BY cube", (span, self._asked.cube)
        )
        (pack,) = packed(span, rows, (self._asked.cube,))
        return _unpacked(pack.cells, {at: pack.sums[at] for at in wanted})


def _unpacked(cells: bytes | None, sums: Mapping[int, bytes | None]) -> tuple[Numbers, Columns]:
    if cells is None or len(cells) % _CELL:
        raise NotPackedError
    number = len(cells) // _CELL
    return (
        np.frombuffer(cells, "<i4"),
        {at: _column(column, number) for at, column in sums.items()},
    )


def _column(column: bytes | None, number: int) -> Numbers:
    if not column:
        return np.zeros(number, np.int8)
    width, over = divmod(len(column), number) if number else (0, 1)
    if over or width not in (1, 2, 4, 8):
        raise NotPackedError
    return np.frombuffer(column, f"<i{width}")
