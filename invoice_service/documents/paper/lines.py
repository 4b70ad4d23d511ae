"""The table of an invoice: its lines as cells, on the face or in a list of as many pages."""

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import msgspec

from invoice_service.documents.paper.fitting import LEADING, MILLIMETRES, Fitted, fitted
from invoice_service.documents.slip import yuan
from invoice_service.domain.document import Line
from invoice_service.domain.money import Fen, format_yuan

SIZE: Final = 8.0  # points
ROW: Final = SIZE * LEADING * MILLIMETRES
"""Millimetres of one printed row."""
WIDTHS: Final = (58.0, 24.0, 12.0, 20.0, 24.0, 23.0, 12.0, 21.0)
"""Of the columns, in millimetres, with their edges."""
EDGE: Final = 1.0
"""White at each side of a cell, in millimetres."""
FACE_HEIGHT: Final = 28.5
"""Millimetres for lines on the face; what takes more goes into the list."""
LIST_HEIGHT: Final = 215.0
"""Millimetres for lines on one page of the list."""
BETWEEN: Final = 0.6
"""Millimetres between two lines."""

SEE_LIST: Final = "（详见销货清单）"
HIDDEN: Final = "（明细未在本件中显示）"
_KINDS: Final = {"exempt": "免税", "untaxed": "不征税"}
_NATURES: Final = {"discount": "（折扣）", "allowance": "（折让）"}
_PLACES: Final = Decimal("0.00000001")


class Row(msgspec.Struct, frozen=True):
    """One line: a text for each column, and the millimetres that it takes."""

    cells: list[Fitted]
    height: float


class ListPage(msgspec.Struct, frozen=True):
    """One page of the list: its rows, the number of the first, and what they come to."""

    first: int
    rows: list[Row]
    amount: str
    tax: str


class Table(msgspec.Struct, frozen=True):
    """What the face shows, and the list where that is not all."""

    rows: list[Row]
    pages: list[ListPage]


def table_of(lines: Sequence[Line] | None) -> Table:
    """The table; without lines, the face says that they are not shown."""
    if lines is None:
        return Table([_alone(HIDDEN)], [])
    rows = [row_of(texts_of(line)) for line in lines]
    if sum(row.height for row in rows) <= FACE_HEIGHT:
        return Table(rows, [])
    return Table([_alone(SEE_LIST)], list(_pages(lines, rows)))


def texts_of(line: Line) -> tuple[str, ...]:
    """What stands in the columns: prices are without tax, as the heads of the columns say."""
    name = line.name + _NATURES.get(str(line.nature), "")
    quantity = line.quantity if isinstance(line.quantity, str) else ""
    return (
        name,
        line.spec if isinstance(line.spec, str) else "",
        line.unit if isinstance(line.unit, str) else "",
        quantity,
        _price(line.amount, quantity),
        format_yuan(line.amount),
        _rate(line),
        format_yuan(line.tax),
    )


def row_of(texts: Sequence[str]) -> Row:
    """The cells with the height of the highest; long texts become smaller before they wrap far."""
    cells = [
        fitted(text, width - 2 * EDGE, 3 * ROW, SIZE)
        for text, width in zip(texts, WIDTHS, strict=True)
    ]
    heights = (len(cell.rows) * cell.size * LEADING * MILLIMETRES for cell in cells)
    return Row(cells, max(*heights, ROW) + BETWEEN)


def _alone(text: str) -> Row:
    return row_of((text, *[""] * (len(WIDTHS) - 1)))


def _pages(lines: Sequence[Line], rows: Sequence[Row]) -> Iterator[ListPage]:
    """As many lines on a page as it holds; one at least."""
    start, height = 0, 0.0
    for at, row in enumerate(rows):
        if at > start and height + row.height > LIST_HEIGHT:
            yield _page(lines, rows, start, at)
            start, height = at, 0.0
        height += row.height
    yield _page(lines, rows, start, len(rows))


def _page(lines: Sequence[Line], rows: Sequence[Row], start: int, end: int) -> ListPage:
    here = lines[start:end]
    return ListPage(
        start + 1,
        list(rows[start:end]),
        yuan(sum(line.amount for line in here)),
        yuan(sum(line.tax for line in here)),
    )


def _price(amount: Fen, quantity: str) -> str:
    """Yuan without tax for one; "" where there is no quantity to divide by."""
    if not quantity or not Decimal(quantity):
        return ""
    price = (Decimal(amount) / 100 / Decimal(quantity)).quantize(_PLACES, ROUND_HALF_UP)
    whole, _, places = f"{price:f}".partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def _rate(line: Line) -> str:
    kind = _KINDS.get(str(line.tax_kind))
    return kind or f"{(Decimal(line.tax_rate) * 100).normalize():f}%"
