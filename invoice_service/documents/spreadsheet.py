"""A totals report as CSV and as an Excel workbook, for officials.

Amounts stand in yuan with two decimals here, since these files are for people and their
spreadsheets; programs read the JSON report, in fen. The same report gives the same bytes.
Every line names the block, so that lines that were copied elsewhere still say what they are.

openpyxl is loaded when a workbook is asked for: few processes ever are, and every one starts
a sixth sooner without it.
"""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from chain.entry import parse_time
from chain.errors import MalformedError
from invoice_service.domain.text import harmless_cell

if TYPE_CHECKING:
    from openpyxl import Workbook

Report: TypeAlias = Mapping[str, Any]
"""What ``services.report.totals_report`` returns."""

BOM: Final = "\ufeff"
"""Without it Excel reads UTF-8 as the machine's old code page, and Chinese turns to garble."""

SHEET_ROWS: Final = 1_048_576

_KEYS: Final = {
    "day": ("日期 day",),
    "industry": ("行业 industry", "名称", "name"),
    "district": ("区 district", "名称", "name"),
    "rate": ("税率 rate",),
    "merchant": ("纳税人识别号 merchant",),
    "till": ("收银台 till", "纳税人识别号 merchant"),
}
_BESIDE: Final = {"till": ("merchant",)}
_SIDES: Final = {"gross": "开具 gross", "reversed": "红冲 reversed", "net": "净额 net"}
_MONEY: Final = {"amount": "金额 amount", "tax": "税额 tax", "total": "价税合计 total"}
_ALL: Final = "合计 total"
NO_TIME: Final = datetime(1980, 1, 1)  # noqa: DTZ001 # zip files know no zone; their first moment
EXCEL_KEEPS: Final = 10**15  # digits beyond the fifteenth turn to zero there
_ANY_SIZE: Final = Context(prec=100)
YUAN_FORMAT: Final = "#,##0.00"
_TEXT_COLUMNS: Final = 40
_WIDE: Final = 18.0

Cell: TypeAlias = "str | int | Decimal"


def totals_csv(report: Report) -> bytes:
    """Write a totals report as CSV (RFC 4180, UTF-8 with BOM): a header, its rows, their total.

    Excel takes codes such as 011 for numbers when it opens a CSV file; the workbook keeps them.
    """
    text = io.StringIO(BOM, newline="")
    text.seek(0, io.SEEK_END)
    csv.writer(text, lineterminator="\r\n").writerows(_table(report))
    return text.getvalue().encode()


def totals_workbook(report: Report) -> bytes:
    """Write a totals report as a workbook (.xlsx) of one sheet; codes are text, yuan numbers."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = f"totals by {report['by']}"
    for row in _table(report):
        sheet.append(row)
    for header in sheet[1]:
        header.font = Font(bold=True)
    for cells in sheet.iter_rows(min_row=2):
        for cell in cells:
            if isinstance(cell.value, Decimal):
                cell.number_format = YUAN_FORMAT
    sheet.freeze_panes = "B2"
    # The workbook says when it was made: the block's time, so that it reads no clock.
    sealed_at = report["block"]["sealed_at"]
    made = parse_time(sealed_at).replace(tzinfo=None) if sealed_at else NO_TIME
    book.properties.created = book.properties.modified = made
    return packed(book)


def texts_workbook(
    header: Sequence[str], rows: Iterable[Sequence[str]], amounts: Collection[int]
) -> bytes:
    """Write a table as a workbook in which every cell is text but those of ``amounts``.

    So tax ids, codes and numbers keep all their digits and zeros, and nothing is a formula.
    MalformedError "too_many_rows" for more than a sheet holds.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("fapiao")
    try:
        sheet.append(list(header))
        for number, row in enumerate(rows, start=2):
            if number > SHEET_ROWS:
                raise MalformedError("too_many_rows", f"a sheet has {SHEET_ROWS} rows: use CSV")
            sheet.append([_cell(sheet, text, amount=n in amounts) for n, text in enumerate(row)])
    finally:
        sheet.close()
    book.properties.created = book.properties.modified = NO_TIME
    return packed(book)


class Sheet(NamedTuple):
    """One sheet of a workbook: its name, and rows of texts."""

    name: str
    rows: Iterable[Sequence[str]]


def sheets_workbook(sheets: Iterable[Sheet]) -> bytes:
    """Write a workbook to be filled in: all cells are texts, also those that are empty."""
    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for place in range(1, _TEXT_COLUMNS + 1):
            column = sheet.column_dimensions[get_column_letter(place)]
            column.number_format, column.width = "@", _WIDE
        try:
            for row in rows:
                sheet.append([_cell(sheet, text, amount=False) for text in row])
        finally:
            sheet.close()
    book.properties.created = book.properties.modified = NO_TIME
    return packed(book)


def csv_of(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows as CSV (RFC 4180, UTF-8) that is safe to open: no cell of it is a formula.

    What begins like one gets an apostrophe before it; numbers below zero stay as they are.
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(map(harmless_cell, row) for row in rows)
    return text.getvalue().encode()


def _cell(sheet: Any, text: str, *, amount: bool) -> Any:  # noqa: ANN401 # openpyxl keeps these types to itself
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, text or None)
    if amount and text:
        cell.value, cell.number_format = Decimal(text), YUAN_FORMAT
    elif text:
        cell.data_type, cell.number_format = "s", "@"
    return cell


def _table(report: Report) -> Iterator[list[Cell]]:
    """Yield the header, a line for each row, and a line for the whole."""
    names = _KEYS[report["by"]]
    block = report["block"]
    yield [*names, *_headers(), "区块 block", "封印 seal"]
    for row in report["rows"]:
        name = " ".join(filter(None, (row[report["by"]], row.get("tax_kind"))))
        beside = _BESIDE.get(report["by"], ("name_zh", "name_en"))
        # A till's name is its merchant's own words.
        key = [harmless_cell(one) for one in (name, *(row.get(one, "") for one in beside))]
        yield [*key[: len(names)], *_figures(row), block["height"], block["seal"]]
    whole = [_ALL, "", ""][: len(names)]
    yield [*whole, *_figures(report), block["height"], block["seal"]]


def _headers() -> Iterator[str]:
    for side in _SIDES.values():
        yield f"{side} 份数 count"
        yield from (f"{side} {name} CNY" for name in _MONEY.values())


def _figures(row: Mapping[str, Any]) -> Iterator[Cell]:
    for side in _SIDES:
        figures = row[side]
        yield figures["count"]
        yield from (yuan(figures[name]) for name in _MONEY)


def yuan(fen: int) -> Cell:
    """Fen as yuan, exact: a Decimal moved by two places; text where Excel would round it."""
    exact = Decimal(fen).scaleb(-2, _ANY_SIZE)
    return exact if abs(fen) < EXCEL_KEEPS else f"{exact:f}"


def packed(book: "Workbook") -> bytes:
    """Write a workbook with fixed times inside: a zip file dates each of its members."""
    from openpyxl.writer.excel import ExcelWriter

    written = io.BytesIO()
    with ZipFile(written, "w") as archive:
        ExcelWriter(book, archive).write_data()
    whole = io.BytesIO()
    with ZipFile(written) as source, ZipFile(whole, "w") as target:
        for name in source.namelist():
            member = ZipInfo(name, NO_TIME.timetuple()[:6])
            target.writestr(member, source.read(name), compress_type=ZIP_DEFLATED)
    return whole.getvalue()
