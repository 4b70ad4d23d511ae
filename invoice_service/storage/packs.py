"""Spans' cells once more, in columns: for rankings, which look at one figure of very many cells.

A pack has the cells of one mix of one span: their numbers, and each of six sums of all of them in
a row, in as few bytes as the largest takes; none where all are 0. It is made from the rows of
``span_cells`` once these stand, and is only ever added (ADR 0065). Each column has a check sum of
its own: a ranking reads few of them, and believes none that a disk or a hand has changed.
"""

import sqlite3
import struct
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple
from zlib import crc32

import msgspec
from sqlite_utils import Database

from invoice_service.services.anchoring.spans import CUBES

COLUMNS: Final = (
    *("blue_count", "blue_amount", "blue_tax"),
    *("red_count", "red_amount", "red_tax"),
)

_NAMES: Final = ("cells", *COLUMNS)

TABLE: Final = (
    "CREATE TABLE span_packs (span INTEGER NOT NULL, cube INTEGER NOT NULL, checks BLOB,"
    f" {', '.join(f'{name} BLOB' for name in _NAMES)}, PRIMARY KEY (span, cube)) STRICT"
)
"""What is NULL has sums for which 48 bits are too few, and is read from its rows.

``checks`` come first: what stands behind large columns is found by reading through them.
"""

INSERT: Final = (
    f"INSERT INTO span_packs SELECT ?1, ?2, {', '.join(f'?{at}' for at in range(3, 11))}"  # noqa: S608 # constants
    " WHERE NOT EXISTS (SELECT 1 FROM span_packs WHERE span = ?1 AND cube = ?2)"
)

_CUBES: Final = ", ".join(map(str, CUBES))
_LOOKED_AT: Final = 200
"""Spans of which a run looks whether all of their mixes are packed."""

_HIGH: Final = ("blue_amount", "blue_tax", "red_amount", "red_tax")
_HIGHER: Final = " | ".join(f"{name}_high" for name in _HIGH)
_TEXTS: Final = ", ".join(
    f"group_concat({name} + ({name}_high << 40))" if name in _HIGH else f"group_concat({name})"
    for name in ("cell", *COLUMNS)
)

ROWS: Final = (
    f"SELECT cube, min({_HIGHER}), max({_HIGHER}), {_TEXTS} FROM span_cells WHERE span = ?"  # noqa: S608 # constants
)
"""A span's cells by mix: the least and the most of higher parts, and columns as texts.

So SQLite makes seven texts where it would make as many numbers for each cell.
"""

CHECKS: Final = struct.Struct(f"<{len(_NAMES)}I")
"""The check sums of a pack."""

BITS: Final = 48
"""So that the sums of thousands of spans stay within 64 bits."""

_WIDTHS: Final = {1: "b", 2: "h", 4: "i", 8: "q"}
_CELL: Final = 4

_read: Final = msgspec.json.Decoder(list[int]).decode


class Pack(NamedTuple):
    """The cells of a mix in a span, in columns; None where there are too large sums."""

    span: int
    cube: int
    cells: bytes | None
    sums: tuple[bytes | None, ...]

    def checks(self) -> bytes | None:
        """The check sums of its columns, numbers of cells first; None where there are none."""
        return None if self.cells is None else checks(self.span, self.cube, self.cells, *self.sums)

    def row(self) -> tuple[int | bytes | None, ...]:
        """What ``INSERT`` takes."""
        return (self.span, self.cube, self.checks(), self.cells, *self.sums)


def checks(span: int, cube: int, *columns: bytes | None) -> bytes:
    """The check sums of columns: CRC-32, each begun with where its column belongs, so that none is
    taken for another.

    It is there against accidents, and costs a fifth of what a digest would. Whoever writes to the
    file can make it again, as they could a digest without a key; the audit makes all anew.
    """
    begin = _begin(span, cube)
    return CHECKS.pack(*(crc32(column or b"", begin + at) for at, column in enumerate(columns)))


def holds(
    span: int, cube: int, sums: bytes | None, places: Iterable[int], columns: Iterable[bytes | None]
) -> bool:
    """Whether columns at some places are as they were packed; ``sums`` is what ``checks`` made."""
    begin = _begin(span, cube)
    try:
        kept = CHECKS.unpack(sums)  # type: ignore[arg-type] # what is no such thing is found here
        for at, column in zip(places, columns, strict=True):
            if crc32(column, begin + at) != kept[at]:  # type: ignore[arg-type] # the same
                return False
    except (struct.error, TypeError):
        return False
    return True


def _begin(span: int, cube: int) -> int:
    return (span * 256 + cube * 8) & 0xFFFFFFF8


def create_packs(db: Database) -> None:
    """Create the table, and let the database refuse to change what stands in it."""
    db.execute(TABLE)
    db.execute(
        "CREATE TRIGGER span_packs_append BEFORE INSERT ON span_packs WHEN EXISTS"
        " (SELECT 1 FROM span_packs WHERE (span = NEW.span AND cube = NEW.cube)"
        " OR rowid = NEW.rowid)"
        " BEGIN SELECT RAISE(ABORT, 'span_packs are only ever appended'); END"
    )
    for change in ("UPDATE", "DELETE"):
        db.execute(
            f"CREATE TRIGGER span_packs_no_{change.lower()} BEFORE {change} ON span_packs"
            f" BEGIN SELECT RAISE(ABORT, 'span_packs are frozen: no {change}'); END"
        )


def waiting(connection: sqlite3.Connection, after: int) -> tuple[list[int], int]:
    """The spans to pack, in order: those behind all packs, and some of which packs are missing.

    For the latter, a run looks at the next spans behind ``after``, round and round: returned, too,
    is behind which the next run looks. So a gap is found within minutes, and looking costs the
    same however many spans there are.
    """
    some = connection.execute(
        f"SELECT id, (SELECT count(*) FROM span_packs WHERE span = id AND cube IN ({_CUBES}))"  # noqa: S608 # constants
        " FROM spans WHERE id > ? ORDER BY id LIMIT ?",
        (after, _LOOKED_AT),
    ).fetchall()
    new = connection.execute(
        "SELECT id FROM spans WHERE id > (SELECT coalesce(max(span), 0) FROM span_packs)"
    ).fetchall()
    found = {id_ for id_, number in some if number < len(CUBES)}.union(*new)
    return sorted(found), some[-1][0] if len(some) == _LOOKED_AT else 0


def astray(connection: sqlite3.Connection) -> list[tuple[int, int]]:
    """Packs of a mix or a span that is not there, each with the numbers of both.

    Where a span has gone and its cells have stayed, what was packed from them may stay, too: it
    says nothing else. Without cells it could speak for another span.
    """
    rows = connection.execute(
        f"SELECT span, cube, cube IN ({_CUBES}), checks, {', '.join(_NAMES)} FROM span_packs"  # noqa: S608 # constants
        f" WHERE cube NOT IN ({_CUBES}) OR span NOT IN (SELECT id FROM spans) ORDER BY span, cube"
    ).fetchall()
    cells = {
        span: connection.execute(f"{ROWS} GROUP BY cube", (span,)).fetchall()
        for span in {row[0] for row in rows}
    }
    return [
        (span, cube)
        for span, cube, known, *columns in rows
        if not (known and cells[span])
        or next(packed(span, cells[span], (cube,))).row() != (span, cube, *columns)
    ]


def packed(
    span: int, rows: Iterable[Sequence[Any]], cubes: Iterable[int] = CUBES
) -> Iterator[Pack]:
    """Pack a span's mixes, as ``ROWS`` reads them; one without cells has a pack as well."""
    of = {row[0]: row[1:] for row in rows}
    nothing = (0, 0, *("",) * len(_NAMES))
    for cube in cubes:
        try:
            pack = Pack(span, cube, *_columns(*of.get(cube, nothing)))
        except OverflowError:
            pack = Pack(span, cube, None, (None,) * len(COLUMNS))
        yield pack


def unpacked(pack: Pack) -> list[tuple[int, ...]]:
    """The cells' numbers, each with its six sums; of a damaged pack nothing."""
    if pack.cells is None or len(pack.cells) % _CELL:
        return []
    number = len(pack.cells) // _CELL
    columns: list[Sequence[int]] = [_numbers("i", pack.cells)]
    for column in pack.sums:
        if column is None or (column and len(column) not in {w * number for w in _WIDTHS}):
            return []
        width = len(column) // number if number else 0
        columns.append(_numbers(_WIDTHS[width], column) if width else [0] * number)
    return list(zip(*columns, strict=True))


def _columns(least: int, most: int, *texts: str) -> tuple[bytes, tuple[bytes, ...]]:
    if least < 0 or most >> (BITS - 40):
        raise OverflowError
    cells, *sums = (_read(f"[{text}]") for text in texts)
    return _bytes("i", cells), tuple(_column(column) for column in sums)


def _column(numbers: Sequence[int]) -> bytes:
    most = max(max(numbers, default=0), -1 - min(numbers, default=0))
    if most >> BITS:
        raise OverflowError
    if not any(numbers):
        return b""
    return _bytes(next(code for w, code in _WIDTHS.items() if not most >> (8 * w - 1)), numbers)


def _bytes(code: str, numbers: Iterable[int]) -> bytes:
    return _little(array(code, numbers)).tobytes()


def _numbers(code: str, column: bytes) -> "array[int]":
    return _little(array(code, column))


def _little(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
