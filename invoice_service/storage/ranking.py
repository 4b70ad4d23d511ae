"""Rankings over packs: of very many cells one figure is looked at, of few rows all of them.

Exact: whole numbers of 64 bits, of which packs fill 48. Loaded with the first ranking (ADR 0065).
"""

import os
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, NamedTuple, TypeAlias

from invoice_service.services.anchoring.spans import Asked, Ranking
from invoice_service.storage.packs import BITS, COLUMNS, ROWS, packed

# One thread: there is no linear algebra here, and its threads would stand beside each process.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # after the variable that it reads
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[np.int64]
Keys: TypeAlias = tuple[str, ...]
Columns: TypeAlias = Mapping[int, Numbers | None]
"""Sums by their place among ``COLUMNS``; None where all are 0."""

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

_DENSE: Final = 1 << 20
"""Rows that are added up at once, 8 bytes each."""

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
        combined = 0
        for text, column in zip(texts, self._columns, strict=True):
            if text not in column.places:
                return None
            combined = combined * len(column.texts) + column.places[text]
        found = int(np.searchsorted(self._combined, combined))
        same = found < self.number and int(self._combined[found]) == combined
        return found if same else None

    def texts(self, row: int) -> list[str]:
        """The keys of a row."""
        return [c.texts[p[row]] for c, p in zip(self._columns, self.parts, strict=True)]


class _First(NamedTuple):
    """Rows that may be among the first: rank (the lowest first), period and row of each."""

    rank: Numbers
    period: Numbers
    row: Numbers


class Packs:
    """One ranking while it is made."""

    def __init__(
        self, connection: sqlite3.Connection, texts: KeyTexts, asked: Asked, ranking: Ranking
    ) -> None:
        """Raises NotPackedError, as all of this may."""
        self._connection, self._asked, self._ranking = connection, asked, ranking
        self._kind = _OF_KIND[ranking.kind]
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
        self._spans = [spans[times] for times in self._periods]
        if max(map(len, self._spans), default=0) > _SPANS:
            raise NotPackedError
        self._times = [
            np.unique([times[at] for times in self._periods], return_inverse=True)[1]
            for at in range(width)
        ]

    def ranked(self, also: Collection[Keys]) -> tuple[int, list[tuple[Any, ...]]]:
        """Return how many rows there are; of the first, and of some others, all figures."""
        number, first = 0, _First(*(np.zeros(0, np.int64),) * 3)
        at_once = max(1, _DENSE // self._rows.number)
        for begin in range(0, len(self._periods), at_once):
            found, some = self._rank(range(begin, min(begin + at_once, len(self._periods))))
            number += found
            both = [np.concatenate(pair) for pair in zip(first, some, strict=True)]
            first = self._first(_First(*both))
        chosen: dict[int, set[int]] = {}
        for period, row in zip(first.period.tolist(), first.row.tolist(), strict=True):
            chosen.setdefault(period, set()).add(row)
        places = {times: at for at, times in enumerate(self._periods)}
        for keys in also:
            times = tuple(key for key, of in zip(keys, self._of_cells, strict=True) if not of)
            at = self._rows.at([key for key, of in zip(keys, self._of_cells, strict=True) if of])
            if at is not None and times in places:
                chosen.setdefault(places[times], set()).add(at)
        return number, sorted(self._figures(chosen))

    def _rank(self, periods: range) -> tuple[int, _First]:
        """How many rows some periods have, and their first."""
        size = self._rows.number
        sums = np.zeros(len(periods) * size, np.int64)
        there = np.zeros(len(periods) * size, np.bool_)
        measured = [(at, by) for at, by in _MEASURED[self._ranking.measure] if at in self._kind]
        for period, side, rows, columns in self._cells(periods, [at for at, _ in measured]):
            rows += (period - periods.start) * size
            there[rows] = True
            if side == 0:
                figure = np.zeros(len(rows), np.int64)
                for at, by in measured:
                    column = columns[at]
                    if column is not None:  # added, not multiplied: a byte's -128 has no opposite
                        (np.add if by > 0 else np.subtract)(figure, column, out=figure)
                np.add.at(sums, rows, figure)
        found = np.flatnonzero(there)
        rank = -sums[found] if self._ranking.largest else sums[found]
        some = _First(rank, found // size + periods.start, found % size)
        return len(found), self._first(some)

    def _first(self, some: _First) -> _First:
        """The first of some rows: by rank, and among equal ones by keys."""
        number = self._ranking.number
        if len(some.rank) <= number:
            return some
        last = np.partition(some.rank, number - 1)[number - 1]
        before = np.flatnonzero(some.rank < last)
        equal = np.flatnonzero(some.rank == last)
        parts, times = iter(self._rows.parts), iter(self._times)
        keys = [
            next(parts)[some.row[equal]] if of else next(times)[some.period[equal]]
            for of in self._of_cells
        ]
        if keys and len(before) + len(equal) > number:
            equal = equal[np.lexsort(keys[::-1])[: number - len(before)]]
        chosen = np.concatenate([before, equal])
        return _First(*(column[chosen] for column in some))

    def _figures(self, chosen: Mapping[int, set[int]]) -> Iterator[tuple[Any, ...]]:
        """The rows that are chosen, by period: keys, side, and what ``sums_of`` reads."""
        place = np.full(self._rows.number, -1, np.int64)
        sums: dict[tuple[int, int], Numbers] = {}
        rows_of = {period: sorted(rows) for period, rows in chosen.items()}
        period_of_place = -1
        for period, side, rows, columns in self._cells(sorted(rows_of), self._kind):
            if period != period_of_place:
                place[:] = -1
                place[rows_of[period]] = np.arange(len(rows_of[period]))
                period_of_place = period
            at = place[rows]
            hit = np.flatnonzero(at >= 0)
            into = sums.setdefault(
                (period, side), np.zeros((len(COLUMNS) + 1, len(rows_of[period])), np.int64)
            )
            np.add.at(into[-1], at[hit], 1)
            for number, column in columns.items():
                if column is not None:
                    np.add.at(into[number], at[hit], column[hit].astype(np.int64))
        for (period, side), found in sums.items():
            for row, (*figures, cells) in zip(rows_of[period], found.T.tolist(), strict=True):
                if cells:
                    yield (*self._keys(period, row), side, *figures, 0, 0, 0, 0)

    def _keys(self, period: int, row: int) -> Keys:
        times, texts = iter(self._periods[period]), iter(self._rows.texts(row))
        return tuple(next(texts) if of else next(times) for of in self._of_cells)

    def _cells(
        self, periods: Sequence[int], wanted: Sequence[int]
    ) -> Iterator[tuple[int, int, Numbers, Columns]]:
        """Each span's cells that are asked about: period, side, their rows, some of their sums."""
        reading = sorted({*wanted, *([self._kind[0]] if self._ranking.kind else [])})
        ids = {span for period in periods for span, _ in self._spans[period]}
        stored = self._read(ids, reading)
        for period in periods:
            for span, side in self._spans[period]:
                cells, columns = stored[span]
                if len(cells) and (cells.min() < 0 or cells.max() > self._last):
                    raise NotPackedError
                rows = self._rows.of[cells]
                keep = rows >= 0 if self._asked.where else None
                if self._ranking.kind:
                    count = columns[self._kind[0]]
                    some = np.zeros(len(rows), np.bool_) if count is None else count > 0
                    keep = some if keep is None else keep & some
                if keep is not None:
                    rows = rows[keep]
                    columns = {
                        at: None if column is None else column[keep]
                        for at, column in columns.items()
                    }
                yield period, side, rows, columns

    def _read(
        self, ids: Collection[int], wanted: Sequence[int]
    ) -> dict[int, tuple[Numbers, Columns]]:
        """Packs' cells and some of their sums; of what is not packed, from its rows."""
        names = ", ".join(("cells", *(COLUMNS[at] for at in wanted)))
        rows = self._connection.execute(
            f"SELECT span, {names} FROM json_each(?) CROSS JOIN span_packs"  # noqa: S608 # constants
            " ON span = value AND cube = ?",
            (str(sorted(ids)), self._asked.cube),
        )
        found = {
            span: _unpacked(cells, dict(zip(wanted, sums, strict=True)))
            for span, cells, *sums in rows
        }
        for span in set(ids) - found.keys():
            found[span] = self._from_rows(span, wanted)
        return found

    def _from_rows(self, span: int, wanted: Sequence[int]) -> tuple[Numbers, Columns]:
        rows = self._connection.execute(f"{ROWS} AND cube = ?", (span, self._asked.cube))
        (pack,) = packed(span, sorted(rows), (self._asked.cube,))
        return _unpacked(pack.cells, {at: pack.sums[at] for at in wanted})


def _unpacked(cells: bytes | None, sums: Mapping[int, bytes | None]) -> tuple[Numbers, Columns]:
    if cells is None or len(cells) % _CELL:
        raise NotPackedError
    number = len(cells) // _CELL
    return (
        np.frombuffer(cells, "<i4"),
        {at: _column(column, number) for at, column in sums.items()},
    )


def _column(column: bytes | None, number: int) -> Numbers | None:
    if not column:
        return None
    width, over = divmod(len(column), number) if number else (0, 1)
    if over or width not in (1, 2, 4, 8):
        raise NotPackedError
    return np.frombuffer(column, f"<i{width}")
