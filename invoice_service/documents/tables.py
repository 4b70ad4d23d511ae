"""The rows of a table that a shop has: CSV as Windows, Excel and tills write it, or a workbook.

Text is UTF-8 with or without its mark, or GB18030. What could be either is UTF-8; UTF-8 that was
damaged on its way is refused, and never read as other letters.
"""

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from chain.errors import MalformedError
from invoice_service.documents.kinds import ZIP, refuse_other_kinds
from invoice_service.documents.sheet import table_rows_of

LONGEST_CELL: Final = 32_767
"""Characters that a cell of a workbook holds."""

_CHUNK: Final = 1 << 20
_BLANKS: Final = " \t\r\n\u00a0\u3000\ufeff"


class TableRow(NamedTuple):
    """A row that holds something, and the line where it ends.

    ``merged`` are the places of cells that are one with the cell above.
    """

    line: int
    cells: list[str]
    merged: frozenset[int] = frozenset()


def table_rows(path: Path) -> Iterator[TableRow]:
    """The rows of a file, blanks around cells taken off, line ends within them made blanks.

    Those of a workbook have as many cells as the longest so far. MalformedError: not_utf8,
    csv_malformed, and as ``refuse_other_kinds`` and ``table_rows_of`` do.
    """
    with path.open("rb") as file:
        if file.read(len(ZIP)) == ZIP:
            file.seek(0)
            yield from _of_sheet(file)
            return
        file.seek(0)
        refuse_other_kinds(file)
    yield from _of_text(path)


def _of_sheet(file: IO[bytes]) -> Iterator[TableRow]:
    width = 0
    for row in table_rows_of(file):
        cells = [_cell(text, row.number) for text in row.cells]
        width = max(width, len(cells))
        yield TableRow(row.number, cells + [""] * (width - len(cells)), row.merged)


def _of_text(path: Path) -> Iterator[TableRow]:
    with path.open(encoding=_encoding(path), newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            for fields in reader:
                cells = [_cell(text, reader.line_num) for text in fields]
                if any(cells):
                    yield TableRow(reader.line_num, cells)
        except csv.Error as error:
            raise MalformedError(
                "csv_malformed",
                f"{path.name}, line {reader.line_num}: {error}",
                detail_zh=f"第 {reader.line_num} 行",
            ) from None


def as_formula_of_text(text: str) -> str:
    """As ``_cell`` reads it: what a spreadsheet takes for this text, and for nothing more."""
    return '="' + text.replace('"', '""') + '"'


def _cell(text: str, line: int) -> str:
    """What a cell says; ``="007"`` is how programs keep a spreadsheet from counting.

    MalformedError ``csv_malformed`` for one that no spreadsheet could hold.
    """
    if len(text) > LONGEST_CELL:
        raise MalformedError(
            "csv_malformed",
            f"line {line} has a cell of more than {LONGEST_CELL:,} characters",
            detail_zh=f"第 {line} 行有单元格超过 {LONGEST_CELL} 个字符",
        )
    text = text.strip(_BLANKS)
    if text.startswith('="') and text.endswith('"') and len(text) > len('=""'):
        text = text[2:-1].replace('""', '"')
    return " ".join(text.splitlines()) if len(text.splitlines()) > 1 else text


def _encoding(path: Path) -> str:
    """utf-8-sig or gb18030. MalformedError ``not_utf8`` for neither."""
    if _decodes(path, "utf-8-sig"):
        return "utf-8-sig"
    if not _is_damaged_utf8(path) and _decodes(path, "gb18030"):
        return "gb18030"
    raise MalformedError(
        "not_utf8",
        f"{path.name} is neither UTF-8 nor GB18030; save it as CSV UTF-8, or as .xlsx",
        detail_zh="文件既不是 UTF-8 也不是 GB18030，请另存为 CSV UTF-8 或 .xlsx",
    )


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _is_damaged_utf8(path: Path) -> bool:
    """Whether most letters beyond ASCII are UTF-8: of GB18030, next to none happen to be."""
    data = path.read_bytes()
    if data.startswith(codecs.BOM_UTF8):
        return True
    text = data.decode("utf-8", "replace")
    lost = text.count("\ufffd")
    return sum(1 for sign in text if not sign.isascii()) - lost > lost
