"""Step 8 of the audit, for spans: what days, months and years came to, made again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from chain.audit.finding import AuditError
from chain.block import Block
from invoice_service.services.anchoring.spans import (
    CUBES,
    SO_FAR,
    Cell,
    Cells,
    DayEnd,
    Days,
    Head,
    Kind,
    Moved,
    Moves,
    Returned,
    Span,
    add_cells,
    all_cubes,
    count_finest,
    count_moves,
)
from invoice_service.services.anchoring.totals import Taxed

_LONGER: Final[tuple[tuple[Kind, int], ...]] = (("month", 7), ("year", 4))


class StoredSpans(Protocol):
    """What the audit needs of the spans."""

    def spans(self, height: int) -> Sequence[Head]:
        """Return the days, months and years that end with a block up to ``height``, in order."""
        ...

    def parts(self) -> Sequence[Head]:
        """Return the parts of days, in order."""
        ...

    def cells_of(self, ids: Sequence[int], cubes: Sequence[int]) -> Cells:
        """Return the cells of some mixes in some spans, added up."""
        ...

    def moves_of(self, id_: int) -> Moves:
        """Return what a span moved from state to state."""
        ...

    def packed_of(self, id_: int) -> tuple[set[int], Cells, set[int]]:
        """Return which mixes of a span are in columns, their cells, and which have other columns
        than their check sums say.
        """
        ...

    def packs_astray(self) -> Sequence[tuple[int, int]]:
        """Return which columns are of a span or of a mix that is not there: numbers of both."""
        ...

    def returned(self, seq: int) -> Returned:
        """Return what the red invoice at ``seq`` did."""
        ...


class SpanAudit:
    """Spans are made late, so some may be missing; none may say anything else."""

    def __init__(self, stored: StoredSpans, height: int) -> None:
        """Those that end with a block up to ``height`` are looked at."""
        self._stored = stored
        parts = (head for head in stored.parts() if head.height <= height)
        self._heads = {
            (head.kind, head.name, head.height): head for head in (*stored.spans(height), *parts)
        }
        self._ends: list[DayEnd] = []
        self._day = Span("day", "", 0, 0)
        self._longer: dict[str, Cells] = {}

    def block(self, block: Block, day: str, invoices: Iterable[Taxed]) -> None:
        """Count what a block took, and compare the part of its day that ends with it."""
        if day != self._day.name:
            self._end_day(day)
            self._day = Span("day", day, block.height, block.cursor)
            self._ends.append(DayEnd(day, block.height, block.cursor))
        self._ends[-1] = DayEnd(day, block.height, block.cursor)
        for seq in count_finest(self._day.cells, invoices):
            returned = self._stored.returned(seq)
            count_moves(self._day.moves, returned, Days(self._ends).of(returned.seq))
        self._day.height, self._day.cursor = block.height, block.cursor
        self._compare("part", day, self._day, None)

    def finish(self) -> None:
        """No span may be left that is none of the log's: so, too, of what has not ended.

        Nor may columns that are no span's: a ranking would take them for those of the next one.
        """
        for head in self._heads.values():
            raise AuditError("span", _place(head), "a span of the log's blocks", "another")
        for span, cube in self._stored.packs_astray():
            place = f"columns of span {span}, mix {cube}"
            raise AuditError("span", place, "a span and a mix that are there", "none")

    def _end_day(self, following: str) -> None:
        """Compare the day that has ended, and the month and the year that have ended with it."""
        span = self._day
        if not span.name:
            return
        cells = all_cubes(span.cells)
        self._compare("day", span.name, span, cells)
        for kind, length in _LONGER:
            name = span.name[:length]
            sums = self._longer.setdefault(name, {})
            add_cells(sums, cells)
            if following[:length] != name:
                self._compare(kind, name, Span("day", name, span.height, span.cursor), sums)
        for outer, inner in SO_FAR:
            name = span.name[:inner]
            if following[:outer] == name[:outer] and following[:inner] != name:
                so_far = Span("so_far", name, span.height, span.cursor)
                self._compare("so_far", name, so_far, self._longer[name[:outer]])
        # What is over is not looked at again: a year and a month are remembered at a time.
        current = {span.name[:length] for _, length in _LONGER}
        self._longer = {name: sums for name, sums in self._longer.items() if name in current}

    def _compare(self, kind: Kind, name: str, span: Span, cells: Cells | None) -> None:
        head = self._heads.pop((kind, name, span.height), None)
        if head is None:
            return
        place = _place(head)
        if head.cursor != span.cursor:
            raise AuditError("span", place, f"up to invoice {span.cursor}", f"{head.cursor}")
        expected = all_cubes(span.cells) if cells is None else cells
        _same(place, expected, self._stored.cells_of([head.id], CUBES))
        cubes, packed, changed = self._stored.packed_of(head.id)
        wanted = {key: sums for key, sums in expected.items() if key[0] in cubes}
        _same(f"{place}, in columns", wanted, packed)
        for cube in sorted(changed):
            raise AuditError("span", f"{place}, in columns, mix {cube}", "their sums", "others")
        moves = {moved: sums for moved, sums in span.moves.items() if any(sums)}
        _same(place, moves, self._stored.moves_of(head.id))


def _place(head: Head) -> str:
    return f"{head.kind} {head.name} at block {head.height}"


def _same(place: str, expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> None:
    if expected == found:
        return
    for key in sorted(expected.keys() | found.keys(), key=str):
        if expected.get(key) != found.get(key):
            raise AuditError(
                "span", f"{place}, {_said(key)}", f"{expected.get(key)}", f"{found.get(key)}"
            )


def _said(key: tuple[int, Cell] | Moved) -> str:
    if isinstance(key, Moved):
        return " ".join(filter(None, (key.state, key.day, *key.cell)))
    return " ".join(filter(None, (f"mix {key[0]}", *key[1])))
