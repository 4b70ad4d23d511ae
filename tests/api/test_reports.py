"""Totals over HTTP: who may read them, the three forms, the same bytes for ever."""

import io

import pytest
from openpyxl import load_workbook

from tests.api.desk import Desk, problem

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PATH = "/v1/reports/totals"


def test_gross_reversed_and_net_follow_the_reversal(desk: Desk) -> None:
    first = desk.issue("T1")
    desk.issue("T2")
    desk.reverse(first)
    desk.anchor()
    report = desk.client.get(PATH, headers=desk.official()).get_json()
    assert report["gross"] == {"count": 2, "amount": "93982", "tax": "5638", "total": "99620"}
    assert report["reversed"] == {"count": 1, "amount": "-46991", "tax": "-2819", "total": "-49810"}
    assert report["net"]["total"] == "49810"
    assert report["block"]["height"] == 1


def test_the_same_report_at_the_same_block_is_the_same_bytes(desk: Desk) -> None:
    desk.issue("T1")
    desk.anchor()
    query = {"from": "2026-11-21", "to": "2026-11-21", "by": "industry", "at_block": "1"}
    first = desk.client.get(PATH, query_string=query, headers=desk.official())
    desk.clock.forward(minutes=5)
    desk.issue("T2")
    desk.anchor()
    again = desk.client.get(PATH, query_string=query, headers=desk.official())
    assert again.data == first.data
    newest = desk.client.get(PATH, query_string={"by": "industry"}, headers=desk.official())
    assert newest.get_json()["net"]["count"] == 2


def test_csv_has_a_mark_that_excel_understands_and_a_file_name(desk: Desk) -> None:
    desk.issue()
    desk.anchor()
    answer = desk.client.get(PATH, headers={**desk.official(), "Accept": "text/csv"})
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert "totals-day-block-1.csv" in answer.headers["Content-Disposition"]
    assert answer.headers["Vary"] == "Accept"
    assert "498.10" in answer.text


def test_a_workbook_opens(desk: Desk) -> None:
    desk.issue()
    desk.anchor()
    answer = desk.client.get(PATH, headers={**desk.official(), "Accept": XLSX})
    assert answer.content_type == XLSX
    sheet = load_workbook(io.BytesIO(answer.data)).worksheets[0]
    assert sheet.max_row == 3


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("by=colour", 400, "by_unknown"),
        ("from=21.11.2026", 400, "day_invalid"),
        ("from=2026-11-22&to=2026-11-21", 400, "range_invalid"),
        ("at_block=99", 404, "block_unknown"),
        ("at_block=-1", 400, "parameter_malformed"),
        ("at_block=1e3", 400, "parameter_malformed"),
        ("since=2026", 400, "unknown_parameter"),
        ("by=day&by=rate", 400, "duplicate_parameter"),
    ],
)
def test_a_report_is_asked_for_strictly(desk: Desk, query: str, status: int, code: str) -> None:
    desk.issue()
    desk.anchor()
    problem(desk.client.get(f"{PATH}?{query}", headers=desk.official()), status, code)


def test_only_officials_read_totals(desk: Desk) -> None:
    problem(desk.client.get(PATH), 401, "key_missing")
    problem(desk.client.get(PATH, headers=desk.auth()), 403, "role_required")


def test_other_forms_are_not_acceptable(desk: Desk) -> None:
    headers = {**desk.official(), "Accept": "application/pdf"}
    problem(desk.client.get(PATH, headers=headers), 406, "not_acceptable")
