"""Lists of slips as Excel workbooks, there and back."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from invoice_service.api.answers import CSV, NDJSON, XLSX
from invoice_service.documents.sheet import MAX_BYTES
from invoice_service.domain.verdict import NAMES_ZH
from invoice_service.web.customers.words import VERDICTS
from invoice_service.web.ground.catalogs import translations
from tests.api.desk import UNKNOWN, Desk, problem, slip

Cells = list[tuple[Any, ...]]


def workbook(*rows: tuple[object, ...]) -> bytes:
    """A workbook of these rows; None is an empty cell."""
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def checked(desk: Desk, body: bytes, kind: str = XLSX, accept: str = XLSX) -> Any:  # noqa: ANN401
    headers = {"Content-Type": kind, "Accept": accept}
    return desk.client.post("/v1/verifications", data=body, headers=headers)


def rows_of(answer: Any) -> Cells:  # noqa: ANN401
    assert answer.status_code == 200, answer.text
    assert answer.content_type == XLSX
    assert answer.headers["Content-Disposition"] == 'attachment; filename="verifications.xlsx"'
    return list(openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0].values)


def test_a_sheet_as_spreadsheets_leave_it_and_back(desk: Desk) -> None:
    """Numbers have lost their zeros, rows are left out, cells too: each row has its result."""
    first, second = desk.issue("T1"), desk.issue("T2")
    desk.anchor()
    body = workbook(
        (),
        ("bill_num", "hash", "total_amount", "qr"),
        (1, first["hash"], 49810.0),
        (),
        (None, None, None, second["qr"] + "\n"),
        (2, second["hash"], "49811", None),
        (1, first["hash"], 49810, None, "x"),
        (1, UNKNOWN, 49810),
    )
    header, *rows = rows_of(checked(desk, body))
    assert header[:4] == ("行 line", "与此行重复 duplicate_of", "密码区 hash", "结论 verdict")
    assert [row[0] for row in rows] == ["3", "5", "6", "7", "8"]
    assert [row[3] for row in rows] == [
        *("真票 authentic", "真票 authentic", "与开具内容不符 mismatch", None),
        "查无此票 unknown",
    ]
    assert rows[0][2] == first["hash"]
    assert (rows[0][4], float(rows[0][6])) == ("深圳市旋转餐厅有限公司", 498.10)
    assert rows[2][1] == "5"
    assert rows[3][11] == "not_csv"


def test_nothing_in_an_answer_is_a_formula_or_a_number_but_amounts(desk: Desk) -> None:
    invoice = desk.issue()
    answer = checked(desk, f"{invoice['qr']}\n=1+1\n".encode(), "text/plain")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0]
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            kind = "n" if cell.value is None or cell.column == 7 else "s"
            assert cell.data_type == kind, cell.coordinate


def test_every_verdict_has_the_name_that_pages_have() -> None:
    assert {
        verdict: translations("zh").gettext(words.name) for verdict, words in VERDICTS.items()
    } == NAMES_ZH


@pytest.mark.parametrize("accept", [NDJSON, CSV])
def test_a_workbook_is_answered_in_any_form(desk: Desk, accept: str) -> None:
    invoice = desk.issue()
    answer = checked(desk, workbook(("qr",), (invoice["qr"],)), accept=accept)
    assert answer.status_code == 200
    assert "pending" in answer.text


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"PK", 400, "not_xlsx"),
        (b"qr\nx\n", 400, "not_xlsx"),
        (workbook(), 400, "empty_body"),
        (workbook(("number", "amount"), (1, 2)), 400, "not_csv"),
        (bytes(MAX_BYTES + 1), 413, "body_too_large"),
    ],
)
def test_a_workbook_that_cannot_be_read_is_refused_whole(
    desk: Desk, body: bytes, status: int, code: str
) -> None:
    problem(checked(desk, body), status, code)


def test_a_workbook_has_as_many_records_as_any_list(tmp_path: Path) -> None:
    with Desk(tmp_path, FAPIAO_LIMITS_BATCH_RECORDS="2") as desk:
        row = tuple(slip({"hash": UNKNOWN, "number": "00000001", "total": 1}).values())
        header = tuple(slip({"hash": UNKNOWN, "number": "00000001", "total": 1}))
        assert len(rows_of(checked(desk, workbook(header, row, row)))) == 3
        refused = problem(checked(desk, workbook(header, row, row, row)), 413, "too_many_records")
        assert refused["limit"] == 2
