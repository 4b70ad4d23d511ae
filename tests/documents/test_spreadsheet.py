"""Reports for spreadsheets: exact amounts, codes that stay codes, the same bytes each time."""

import csv
import io
import time
from decimal import Decimal
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest

from chain.errors import MalformedError
from invoice_service.documents import spreadsheet
from invoice_service.documents.spreadsheet import texts_workbook, totals_csv, totals_workbook

BLOCK = {"height": 7, "seal": "ab" * 32, "sealed_at": "2018-08-10T04:00:00Z", "size": 9}


def _figures(count: int, amount: int, tax: int) -> dict[str, int]:
    return {"count": count, "amount": amount, "tax": tax, "total": amount + tax}


def _sides() -> dict[str, dict[str, int]]:
    return {
        "gross": _figures(2, 56_657, 3_453),
        "reversed": _figures(1, -10_660, -640),
        "net": _figures(1, 45_997, 2_813),
    }


def _report(by: str, *rows: dict[str, Any]) -> dict[str, Any]:
    return {"by": by, "block": BLOCK, "rows": [{**row, **_sides()} for row in rows], **_sides()}


INDUSTRIES = _report(
    "industry",
    {"industry": "011", "name_zh": "谷物种植", "name_en": ""},
    {"industry": "6210", "name_zh": "正餐服务", "name_en": "Full meals"},
)
MONEY = ["566.57", "34.53", "601.10", "-106.60", "-6.40", "-113.00", "459.97", "28.13", "488.10"]


def _rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_a_csv_begins_with_the_mark_by_which_excel_knows_utf8() -> None:
    data = totals_csv(INDUSTRIES)
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\xef\xbb\xbf") == 1
    assert data.endswith(b"\r\n")


def test_kinds_of_a_rate_stand_apart() -> None:
    kinds = ({"rate": "0"}, {"rate": "0", "tax_kind": "exempt"}, {"rate": "0.06"})
    rows = _rows(totals_csv(_report("rate", *kinds)))
    assert [row[0] for row in rows[1:-1]] == ["0", "0 exempt", "0.06"]


def test_a_csv_has_a_line_a_row_and_one_for_the_whole() -> None:
    header, first, second, whole = _rows(totals_csv(INDUSTRIES))
    assert len(header) == len(first) == len(second) == len(whole) == 17
    assert first[:3] == ["011", "谷物种植", ""]
    assert second[:3] == ["6210", "正餐服务", "Full meals"]
    assert whole[0].endswith("total")
    assert [row[-2:] for row in (first, whole)] == [["7", "ab" * 32]] * 2


def test_amounts_are_exact_yuan() -> None:
    _, first, *_ = _rows(totals_csv(INDUSTRIES))
    assert [first[3], first[7], first[11]] == ["2", "1", "1"]
    assert first[4:7] + first[8:11] + first[12:15] == MONEY


@pytest.mark.parametrize(
    ("by", "row", "columns"),
    [
        ("day", {"day": "2018-08-10"}, 15),
        ("rate", {"rate": "0.06"}, 15),
        ("merchant", {"merchant": "91440300708461136T"}, 15),
        ("district", {"district": "440303", "name_zh": "罗湖区", "name_en": "Luohu"}, 17),
    ],
)
def test_every_kind_of_report_can_be_written(by: str, row: dict[str, str], columns: int) -> None:
    report = _report(by, row)
    header, first, _ = _rows(totals_csv(report))
    assert len(header) == len(first) == columns
    assert first[0] == row[by]
    sheet = openpyxl.load_workbook(io.BytesIO(totals_workbook(report))).worksheets[0]
    assert sheet.title == f"totals by {by}"
    assert sheet.cell(2, 1).value == row[by]


def test_a_tills_name_is_no_formula() -> None:
    report = _report("till", {"till": "=1+1", "merchant": "91440300708461136T"})
    assert _rows(totals_csv(report))[1][0] == "'=1+1"
    sheet = openpyxl.load_workbook(io.BytesIO(totals_workbook(report))).worksheets[0]
    assert (sheet["A2"].data_type, sheet["A2"].value) == ("s", "'=1+1")


def test_a_report_without_rows_still_names_its_block() -> None:
    _, whole = _rows(totals_csv(_report("day")))
    assert whole[-2] == "7"


def test_a_workbook_keeps_codes_as_text_and_amounts_as_numbers() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(totals_workbook(INDUSTRIES))).worksheets[0]
    code, total, count = sheet.cell(2, 1), sheet.cell(2, 7), sheet.cell(2, 4)
    assert (code.value, code.data_type) == ("011", "s")
    assert Decimal(str(total.value)) == Decimal("601.1")
    assert total.number_format == "#,##0.00"
    assert count.value == 2
    assert sheet.max_row == 4


def test_the_same_report_gives_the_same_bytes() -> None:
    """A zip file dates its members to two seconds, and a workbook says when it was made."""
    before = totals_workbook(INDUSTRIES), totals_csv(INDUSTRIES)
    time.sleep(2.1)
    assert (totals_workbook(INDUSTRIES), totals_csv(INDUSTRIES)) == before


def test_a_workbook_is_dated_by_its_block() -> None:
    with ZipFile(io.BytesIO(totals_workbook(INDUSTRIES))) as archive:
        assert archive.testzip() is None
        core = archive.read("docProps/core.xml").decode()
    assert core.count("2018-08-10T04:00:00Z") == 2


def test_the_empty_log_has_a_workbook_too() -> None:
    empty = {**_report("day"), "block": {**BLOCK, "height": 0, "sealed_at": ""}}
    assert openpyxl.load_workbook(io.BytesIO(totals_workbook(empty))).worksheets[0].max_row == 2


def test_a_sum_that_excel_would_round_is_text() -> None:
    whole = {side: _figures(1, 10**19 + 1, 0) for side in ("gross", "reversed", "net")}
    report = {**_report("industry"), **whole}
    text = "100000000000000000.01"
    assert _rows(totals_csv(report))[1].count(text) == 6
    book = openpyxl.load_workbook(io.BytesIO(totals_workbook(report)))
    assert [cell.value for cell in book.worksheets[0][2]].count(text) == 6


def test_texts_stay_texts_and_amounts_are_numbers() -> None:
    row = ["144032609110", "00000001", "=1+1", "-5", "106.60"]
    data = texts_workbook(["a", "b", "c", "d", "e"], [row], {4})
    [sheet] = openpyxl.load_workbook(io.BytesIO(data)).worksheets
    cells = next(iter(sheet.iter_rows(min_row=2)))
    assert [cell.value for cell in cells[:4]] == row[:4]
    assert {cell.data_type for cell in cells[:4]} == {"s"}
    assert (cells[4].value, cells[4].data_type) == (106.6, "n")


def test_more_rows_than_a_sheet_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "SHEET_ROWS", 3)
    texts_workbook(["a"], [["x"]] * 2, ())
    with pytest.raises(MalformedError) as refused:
        texts_workbook(["a"], [["x"]] * 3, ())
    assert refused.value.code == "too_many_rows"
