"""Spans' cells once more, in columns: for rankings, which look at one figure of very many cells.

A pack has the cells of one mix of one span: their numbers, and each of six sums of all of them in
a row, in as few bytes as the largest takes; none where all are 0. It is made from the rows of
``span_cells`` once these stand, and is only ever added (ADR 0065).
"""

import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlite_utils import Database

from invoice_service.services.anchoring.spans import CUBES

COLUMNS: Final = (
    *("blue_count", "blue_amount", "blue_tax"),
    *("red_count", "red_amount", "red_tax"),
)

_NAMES: Final = ("cells", *COLUMNS)

TABLE: Final = (
    "CREATE TABLE span_packs (span INTEGER NOT NULL, cube INTEGER NOT NULL,"
    f" {', '.join(f'{name} BLOB' for name in _NAMES)}, PRIMARY KEY (span, cube)) STRICT"
)
"""What is NULL has sums for which 48 bits are too few, and is read from its rows."""

INSERT: Final = (
    f"INSERT INTO span_packs SELECT ?1, ?2, {', '.join(f'?{at}' for at in range(3, 10))}"  # noqa: S608 # constants
    " WHERE NOT EXISTS (SELECT 1 FROM span_packs WHERE span = ?1 AND cube = ?2)"
)

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

    def row(self) -> tuple[int | bytes | None, ...]:
        """What ``INSERT`` takes."""
        return (self.span, self.cube, self.cells, *self.sums)


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
