"""Lists of slips as Excel workbooks: read as if they were CSV, answered with text in the cells."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Final

from chain.errors import MalformedError
from invoice_service.api.answers import csv_line
from invoice_service.api.checking.results import COLUMNS
from invoice_service.api.requests import new_spool
from invoice_service.config import Limits
from invoice_service.documents.sheet import MAX_BYTES, Row, sheet_rows
from invoice_service.documents.spreadsheet import texts_workbook
from invoice_service.domain.verdict import NAMES_ZH, Verdict

_LINE_ENDS: Final = re.compile(r"[\r\n]+")
_AMOUNTS: Final = {COLUMNS.index("total"), COLUMNS.index("left")}
_HEADINGS: Final = {
    "line": "行 line",
    "duplicate_of": "与此行重复 duplicate_of",
    "hash": "密码区 hash",
    "verdict": "结论 verdict",
    "seller": "销售方 seller",
    "issued_at": "开票时间 issued_at",
    "total": "价税合计（元） total CNY",
    "left": "尚有效金额（元） left CNY",
    "block": "区块 block",
    "sealed_at": "入链时间 sealed_at",
    "reversed_by": "红字发票 reversed_by",
    "code": "错误代码 code",
    "detail": "说明 detail",
}


def csv_of(workbook: IO[bytes], limits: Limits) -> IO[bytes]:
    """The first sheet as CSV, a line for each row: a result's line is the row's number.

    No more rows are read than it takes to see that there are too many.
    Raises MalformedError: not_xlsx, body_too_large.
    """
    size = workbook.seek(0, 2)
    if size > MAX_BYTES:
        raise MalformedError("body_too_large", f"at most {MAX_BYTES} bytes", limit=MAX_BYTES)
    spool = new_spool()
    try:
        for line in _lines(islice(sheet_rows(workbook), limits.batch_records + 2)):
            spool.write(line)
    except BaseException:
        spool.close()
        raise
    spool.seek(0)
    return spool


def _lines(rows: Iterable[Row]) -> Iterator[bytes]:
    """Blank cells at a row's end stand in no workbook; the first row says how many there are."""
    line, width = 1, 0
    for row in rows:
        yield b"\n" * (row.number - line)
        width = width or len(row.cells)
        cells = [*row.cells, *[""] * (width - len(row.cells))]
        yield csv_line([_LINE_ENDS.sub(" ", cell) for cell in cells])
        line = row.number + 1


def workbook_of(rows: Iterable[list[str]]) -> bytes:
    """The results as a workbook; all of its cells are text but the amounts, in yuan."""
    return texts_workbook([_HEADINGS[name] for name in COLUMNS], map(_for_people, rows), _AMOUNTS)


def _for_people(row: list[str]) -> list[str]:
    place = COLUMNS.index("verdict")
    if row[place]:
        row[place] = f"{NAMES_ZH[Verdict(row[place])]} {row[place]}"
    return row
