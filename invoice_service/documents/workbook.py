"""What workbooks for officials have in common: cells that are what they are, columns wide enough.

Text is text, whatever stands in it: no number, no date, no formula. What XML has no way to write
(U+0001) is written out, and what Excel would read as such a spelling keeps its letters (ECMA-376,
part 1, 22.9.2.19).
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from invoice_service.documents.spreadsheet import YUAN_FORMAT
from invoice_service.domain.text import harmless_cell

SHEET_ROWS: Final = 50_000
"""Rows of a workbook: it is made as a whole, in memory."""
LONGEST: Final = 32_767
"""Characters that a cell holds."""

Cell: TypeAlias = "str | int | Decimal | datetime"
"""A time has no zone: a workbook knows none."""

SHARE_FORMAT: Final = "0.00%"
_TIME_FORMAT: Final = "yyyy-mm-dd hh:mm:ss"
_TIME_WIDE: Final = 19
_READ_BY_EXCEL: Final = re.compile(r"[0-9][0-9.\-/:E]*|[0-9]{4}-[QW][0-9]+", re.ASCII)
READ_OF_ANYBODY: Final = re.compile(
    r"[-(（]?[$¥￥€£]?-?[\d.][\d.,\-/:%％E+ ]*[)）]?(?: ?[AP]M?)?|\d{4}-[QW]\d+"
    r"|\d+[年月时][\d年月日时分秒 ]*|TRUE|FALSE"
    r"|(?=.*\d)[\d ,./-]*(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}[\d ,./-]*",
    re.IGNORECASE,
)
"""The same of what anybody may have written (-5, 5-Jan, 10:30 PM, ￥5, １２３); reports of a block
keep their bytes, and so theirs.
"""
_WIDEST: Final = 40
_NARROWEST: Final = 12
_LOOKED_AT: Final = 1_000  # rows, for widths
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_SPELLED: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def csv_line(cells: Sequence[Cell]) -> bytes:
    """A line of CSV (RFC 4180) in UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()


def kept(cell: Cell, reads: re.Pattern[str] = _READ_BY_EXCEL) -> Cell:
    """What Excel would take for a number or a date, with a tab before it, and no formula.

    Excel then keeps it as it is and shows no tab, and a program strips it.
    """
    if not isinstance(cell, str):
        return cell
    harmless = harmless_cell(cell)
    return f"\t{cell}" if harmless == cell and reads.fullmatch(cell) else harmless


def writable(text: str) -> str:
    """The same with what XML cannot say, and no office tool expects in CSV, written out."""
    return _UNWRITABLE.sub(lambda at: f"\\u{ord(at[0]):04x}", text)


def set_widths(sheet: Any, lines: Sequence[Sequence[Cell]]) -> None:  # noqa: ANN401 # openpyxl keeps these types to itself
    """Columns as wide as what stands in them, within bounds; before any of it is written."""
    from openpyxl.utils import get_column_letter

    for at, title in enumerate(lines[0]):
        longest = max(_width(title), *(_width(line[at]) for line in lines[1:_LOOKED_AT]), 0)
        width = min(max(longest + 2, _NARROWEST), _WIDEST)
        sheet.column_dimensions[get_column_letter(at + 1)].width = float(width)


def cell_of(sheet: Any, value: Cell, number_format: str = YUAN_FORMAT) -> Any:  # noqa: ANN401 # openpyxl keeps these types to itself
    """A cell: text, a count, a time, or a figure in that format."""
    from openpyxl.cell import WriteOnlyCell

    if isinstance(value, str):
        return text_cell(sheet, value)
    cell = WriteOnlyCell(sheet)
    cell.value = value
    if isinstance(value, Decimal):
        cell.number_format = number_format
    elif isinstance(value, datetime):
        cell.number_format = _TIME_FORMAT
    return cell


def text_cell(sheet: Any, text: str, *, bold: bool = False) -> Any:  # noqa: ANN401 # as above
    """A cell that is text whatever stands in it."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    text = _SPELLED.sub("_x005F_", writable(text))[:LONGEST]
    cell = WriteOnlyCell(sheet, text or None)
    if text:
        cell.data_type, cell.number_format = "s", "@"
    if bold:
        cell.font = Font(bold=True)
    return cell


def write_cover(sheet: Any, said: Iterable[tuple[str, str]]) -> None:  # noqa: ANN401 # as above
    """What a workbook is of: a name and what is said of it in each line."""
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 30.0, 90.0
    for name, value in said:
        sheet.append([text_cell(sheet, name), text_cell(sheet, value)])


def said_of_block(block: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The lines of a cover that say on which block figures stand."""
    return [
        ("区块 block", str(block["height"])),
        ("封印时间 sealed at (UTC)", block["sealed_at"]),
        ("封印 seal", block["seal"]),
        ("日志条数 log size", str(block["size"])),
        ("根 root", block["root"]),
    ]


def _width(cell: Cell) -> int:
    """About how wide: a Chinese character is two letters, and thousands have a comma."""
    if isinstance(cell, datetime):
        return _TIME_WIDE
    if isinstance(cell, str):
        return sum(2 if ord(letter) > 0x2E80 else 1 for letter in cell[:_WIDEST])
    digits = len(str(cell))
    return digits + digits // 3
