"""Workbooks that strangers send: what people see in them, and what they cannot make us do."""

import io
import itertools
import tracemalloc
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from chain.errors import MalformedError
from invoice_service.documents import sheet
from invoice_service.documents.sheet import (
    MAX_COLUMNS,
    MAX_ELEMENTS,
    MAX_PART,
    Bounds,
    Row,
    sheet_rows,
    table_rows_of,
)

MEGABYTE = 1 << 20
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"

BOOK = (
    f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}">'
    '<sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
RELATIONS = (
    f'<Relationships xmlns="{PACKAGE}">'
    f'<Relationship Id="rId1" Type="{LINKS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{LINKS}/sharedStrings" Target="/xl/sharedStrings.xml"/>'
    "</Relationships>"
)
PLACES = {
    "book": "xl/workbook.xml",
    "relations": "xl/_rels/workbook.xml.rels",
    "strings": "xl/sharedStrings.xml",
    "rows": "xl/worksheets/sheet1.xml",
}


def saved(fill: Callable[[openpyxl.Workbook], object]) -> io.BytesIO:
    """A workbook as openpyxl writes it."""
    book = openpyxl.Workbook()
    fill(book)
    file = io.BytesIO()
    book.save(file)
    return file


def made(
    *,
    rows: str = "",
    strings: str = "",
    book: str = BOOK,
    relations: str = RELATIONS,
    others: Mapping[str, str] = MappingProxyType({}),
    packed: int = ZIP_DEFLATED,
) -> io.BytesIO:
    """A workbook by hand: ``rows`` and ``strings`` are what stands inside their elements."""
    texts = {
        "book": book,
        "relations": relations,
        "strings": f'<sst xmlns="{MAIN}">{strings}</sst>',
        "rows": f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>',
    }
    file = io.BytesIO()
    with ZipFile(file, "w", packed) as archive:
        for name, text in (texts | dict(others)).items():
            archive.writestr(PLACES.get(name, name), text)
    return file


def code_of(file: io.BytesIO) -> str:
    with pytest.raises(MalformedError) as caught:
        list(sheet_rows(file))
    return caught.value.code


def test_texts_numbers_and_gaps_as_people_see_them() -> None:
    def fill(book: openpyxl.Workbook) -> None:
        page = book.worksheets[0]
        page["B2"], page["C2"], page["E2"] = "密码区", 49810, 49810.0
        page["A5"], page["B5"] = "00000001", True
        page["A6"] = " "
        page["A7"] = CellRichText("01", TextBlock(InlineFont(b=True), "ab"))

    rows = list(sheet_rows(saved(fill)))
    assert rows == [
        Row(2, ["", "密码区", "49810", "", "49810"]),
        Row(5, ["00000001", "1"]),
        Row(7, ["01ab"]),
    ]


def test_the_first_sheet_that_can_be_seen_is_read() -> None:
    def fill(book: openpyxl.Workbook) -> None:
        book.worksheets[0].sheet_state = "hidden"
        book.worksheets[0]["A1"] = "no"
        book.create_sheet("list")["A1"] = "yes"
        book.create_sheet("more")["A1"] = "no"

    assert list(sheet_rows(saved(fill))) == [Row(1, ["yes"])]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c t="str"><f>1+1</f><v>0012</v></c>', "0012"),
        ("<c><v>12345678901234567890</v></c>", "12345678901234567890"),
        ("<c><v>498.10</v></c>", "498.10"),
        ("<c><v>-5.00</v></c>", "-5"),
        ('<c t="inlineStr"><is><t>a</t><rPh sb="0" eb="1"><t>spoken</t></rPh></is></c>', "a"),
        ('<c t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r></is></c>', "ab"),
        ('<c t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c t="s"><v>1</v></c>', "second"),
    ],
)
def test_a_cell_of_each_kind(cell: str, text: str) -> None:
    strings = "<si><t>first</t></si><si><t>second</t><rPh><t>spoken</t></rPh></si>"
    assert list(sheet_rows(made(rows=f"<row>{cell}</row>", strings=strings))) == [Row(1, [text])]


def test_what_stands_far_right_is_one_column_too_many() -> None:
    rows = '<row r="3"><c r="XFD3"><v>1</v></c></row>'
    assert list(sheet_rows(made(rows=rows))) == [Row(3, [""] * MAX_COLUMNS + ["1"])]


def test_rows_come_as_they_are_unpacked() -> None:
    """A sheet that is too long for us costs no more than its beginning."""
    rows = "".join(f"<row><c><v>{n}</v></c></row>" for n in range(100_000))
    first = list(itertools.islice(sheet_rows(made(rows=rows + "<broken")), 3))
    assert [row.cells for row in first] == [["0"], ["1"], ["2"]]


DOCTYPE = '<!DOCTYPE a [<!ENTITY b "ccc">]>'


@pytest.mark.parametrize(
    "file",
    [
        io.BytesIO(b""),
        io.BytesIO(b"\xd0\xcf\x11\xe0" + bytes(600)),  # the old .xls
        io.BytesIO(made().getvalue()[:-30]),
        made(book=f'<workbook xmlns="{MAIN}"/>'),
        made(book=BOOK.replace("rId1", "rId7")),
        made(relations=RELATIONS.replace("sheet1", "sheet2")),
        made(book=DOCTYPE + BOOK),
        made(rows='<row><c t="s"><v>0</v></c></row>'),
        made(rows='<row><c t="s"><v>-1</v></c></row>', strings="<si><t>a</t></si>"),
        made(rows='<row r="2"/><row r="2"/>'),
        made(rows='<row r="1048577"/>'),
        made(rows='<row r="x"/>'),
        made(rows='<row><c r="1A"><v>1</v></c></row>'),
        made(rows="<row><c>"),
        made(packed=ZIP_BZIP2),
        made(others={f"extra{n}": "" for n in range(sheet.MAX_MEMBERS)}),
    ],
    ids=[str(n) for n in range(16)],
)
def test_what_is_no_workbook_is_refused(file: io.BytesIO) -> None:
    assert code_of(file) == "not_xlsx"


def peak_of(action: Callable[[], object]) -> int:
    """The most bytes that it held."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "make",
    [
        lambda: made(rows="<row>" + " " * MAX_PART),
        lambda: made(rows="<row>" + "<c/>" * (MAX_PART // 4)),
        lambda: made(strings="<si/>" * MAX_ELEMENTS),
        lambda: made(strings="<si><t>" + "a" * MAX_PART),
        lambda: made(book=BOOK.replace("<sheets>", "<x/>" * MAX_ELEMENTS + "<sheets>")),
    ],
    ids=["blanks", "cells", "strings", "one string", "book"],
)
def test_what_grows_when_it_is_unpacked_is_refused_for_little(
    make: Callable[[], io.BytesIO],
) -> None:
    file = make()
    assert len(file.getvalue()) < MEGABYTE
    codes: list[str] = []
    assert peak_of(lambda: codes.append(code_of(file))) < 3 * MAX_PART
    assert codes == ["body_too_large"]


def test_what_no_row_needs_is_never_unpacked() -> None:
    file = made(others={"xl/styles.xml": "<xf/>" * MAX_PART})
    assert peak_of(lambda: list(sheet_rows(file))) < MEGABYTE


@given(st.data())
def test_a_bent_workbook_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(
        made(rows='<row><c t="s"><v>0</v></c></row>', strings="<si><t>a</t></si>").getvalue()
    )
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(MalformedError):  # and nothing else is raised
        for row in sheet_rows(io.BytesIO(whole)):
            assert all(isinstance(cell, str) for cell in row.cells)


SMALL = Bounds(part=20_000, elements=300, columns=9)


@pytest.mark.parametrize(
    "bomb",
    [
        lambda: made(rows=" " * 30_000),
        lambda: made(rows="<row/>" * 301),
        lambda: made(strings="<si/>" * 301),
        lambda: made(strings=" " * 30_000),
    ],
)
def test_tables_of_those_we_know_have_bounds_too(bomb: Callable[[], io.BytesIO]) -> None:
    with pytest.raises(MalformedError) as caught:
        list(table_rows_of(bomb(), SMALL))
    assert caught.value.code == "body_too_large"


def test_merged_ranges_are_known_by_their_rows_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        page = book.worksheets[0]
        for row in range(1, 7):
            page.cell(row, 1, f"{row}")
        for merged in ("B1:C1", "B2:B4", "C3:L5", "B6:C6"):
            page.merge_cells(merged)

    monkeypatch.setattr(sheet, "MAX_MERGED", 8)
    rows = list(table_rows_of(saved(fill), SMALL))
    told = [sorted(row.merged) for row in rows]
    assert told == [[], [], [1], [1, 2, 3, 4, 5, 6, 7, 8], [2, 3, 4, 5, 6, 7, 8], []]
    monkeypatch.setattr(sheet, "MAX_MERGED", 7)
    with pytest.raises(MalformedError) as caught:
        list(table_rows_of(saved(fill), SMALL))
    assert caught.value.code == "body_too_large"
