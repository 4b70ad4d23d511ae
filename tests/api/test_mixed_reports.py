"""Totals by mixes over HTTP: three forms, one question, streamed when long, checked on the spot."""

import csv
import io
import sqlite3
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from openpyxl import load_workbook

from chain.hashing import sha256
from invoice_service.services.people.ports import KeyTerms
from invoice_service.services.reporting import mix
from tests.api.desk import Desk, problem

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PATH = "/v1/reports/totals"
CHECK = f"{PATH}/check"
MIX = {"by": "month,merchant,rate", "compare": "before,year_before"}


def _ask(desk: Desk, accept: str = "application/json", path: str = PATH, **query: str) -> Any:  # noqa: ANN401 # a test's answer
    headers = {**desk.official(), "Accept": accept}
    answer = desk.client.get(path, query_string=query or MIX, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.fixture
def sold(desk: Desk) -> Desk:
    """Two invoices in the log, one of them taken back."""
    first = desk.issue("T1")
    desk.issue("T2")
    desk.reverse(first)
    desk.anchor()
    return desk


def test_a_mix_has_keys_names_and_three_sides(sold: Desk) -> None:
    report = _ask(sold).get_json()
    assert (report["version"], report["by"]) == (3, ["month", "merchant", "rate"])
    (row,) = report["rows"]
    merchant = sold.restaurant.merchant
    assert row["keys"] == {"month": "2026-11", "merchant": merchant.tax_id, "rate": "0.06"}
    assert row["names"]["merchant"]["zh"] == merchant.name
    assert row["net"] == {"count": 1, "amount": "46991", "tax": "2819", "total": "49810"}
    assert row["before"]["net"]["count"] == 0
    assert row["share"] == "1.000000"


@pytest.mark.parametrize("by", ["day", "industry", "district", "rate", "merchant", "till"])
def test_what_was_asked_before_is_answered_as_before(sold: Desk, by: str) -> None:
    assert _ask(sold, by=by).get_json()["version"] == 2
    assert _ask(sold, by=by, version="3").get_json()["version"] == 3
    assert _ask(sold, by=by, measure="net").get_json()["version"] == 3


def test_csv_as_excel_reads_it(sold: Desk) -> None:
    answer = _ask(sold, "text/csv")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in answer.data
    header, row, whole = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert header[0] == "月份 month"
    assert row[0] == "\t2026-11"
    assert row[1].strip("\t") == sold.restaurant.merchant.tax_id
    assert row[header.index("净额 net 价税合计 total CNY")] == "498.10"
    assert whole[0] == "合计 total"
    root = _ask(sold).get_json()["block"]["root"]
    assert {line[header.index("根 root")] for line in (row, whole)} == {root}
    assert "totals-month-merchant-rate-block-1.csv" in answer.headers["Content-Disposition"]


def test_a_workbook_has_a_cover_numbers_that_are_money_and_ids_that_are_text(sold: Desk) -> None:
    answer = _ask(sold, XLSX)
    assert answer.data == _ask(sold, XLSX).data
    cover, sheet = load_workbook(io.BytesIO(answer.data)).worksheets
    said = {row[0].value: row[1].value for row in cover.iter_rows()}
    report = _ask(sold)
    block = report.get_json()["block"]
    assert said["区块 block"] == "1"
    assert said["根 root"] == block["root"]
    assert said["JSON 报表的 SHA-256 of the report as JSON"] == sha256(report.data).hex()
    header, row, _ = sheet.iter_rows()
    titles = [cell.value for cell in header]
    cells = dict(zip(titles, row, strict=True))
    month, merchant = cells["月份 month"], cells["纳税人识别号 merchant"]
    assert (month.data_type, month.value) == ("s", "2026-11")
    assert (merchant.data_type, merchant.number_format) == ("s", "@")
    money = cells["开具 gross 价税合计 total CNY"]
    assert (money.data_type, Decimal(str(money.value))) == ("n", Decimal("996.2"))
    assert money.number_format == "#,##0.00"
    assert cells["占比 share"].number_format == "0.00%"
    assert sheet.column_dimensions["B"].width > 18


def test_a_long_report_is_sent_while_it_is_made(
    sold: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _ask(sold, by="day,type,state")
    csv_whole = _ask(sold, "text/csv", by="day,type,state")
    assert whole.content_length == len(whole.data)
    monkeypatch.setattr("invoice_service.api.reports.STREAMED", -1)
    for accept, before in (("application/json", whole), ("text/csv", csv_whole)):
        answer = _ask(sold, accept, by="day,type,state")
        assert "Content-Length" not in answer.headers
        assert answer.data == before.data


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("by=day,colour", "by_unknown"),
        ("by=day,month,rate,type", "by_unknown"),
        ("by=month&from=2026", "day_invalid"),
        ("by=month&from=2026-11-22&to=2026-11-21", "range_invalid"),
        ("top=1.5", "parameter_malformed"),
        ("merchant=1", "parameter_malformed"),
        ("version=4", "parameter_malformed"),
        ("version=2&by=month", "by_unknown"),
        ("by=month&at_block=01", "parameter_malformed"),
        ("colour=red", "unknown_parameter"),
    ],
)
def test_a_mix_is_asked_for_strictly(sold: Desk, query: str, code: str) -> None:
    problem(sold.client.get(f"{PATH}?{query}", headers=sold.official()), 400, code)


@pytest.mark.parametrize("path", [PATH, CHECK])
def test_only_officials_ask(desk: Desk, path: str) -> None:
    problem(desk.client.get(f"{path}?by=month"), 401, "key_missing")
    problem(desk.client.get(f"{path}?by=month", headers=desk.auth()), 403, "role_required")


def test_too_many_rows_to_be_ordered_are_refused(
    sold: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mix, "HELD", 1)
    for query in ("by=type,day", "by=rate,type&top=1"):
        answer = sold.client.get(f"{PATH}?{query}", headers=sold.official())
        problem(answer, 400, "report_too_large")


def test_a_figure_is_checked_from_its_documents(sold: Desk) -> None:
    found = _ask(sold, path=CHECK, **MIX).get_json()
    assert found["holds"]
    assert [(step["step"], step["number"]) for step in found["steps"]] == [
        ("document", 3),
        ("entry", 3),
        ("root", 4),
        ("closing", 0),
        ("report", 1),
    ]
    assert found["unclosed"] == 1


def test_a_figure_that_does_not_fit_is_named(sold: Desk) -> None:
    path = sold.config.invoices_db
    with sqlite3.connect(path) as database:
        for (name,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'invoices'"
        ).fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE invoices SET total = total + 1 WHERE seq = 2")
    found = _ask(sold, path=CHECK, **MIX).get_json()
    assert (found["holds"], found["step"], found["place"]) == (False, "document", "2")
    viewer = sold.auth(sold.new_key(None, KeyTerms(office="viewer")))
    told = sold.client.get(CHECK, query_string=MIX, headers=viewer).get_json()
    assert told == {"holds": False, "block": found["block"], "step": "document"}


def test_more_than_somebody_waits_for_is_left_to_the_command(
    sold: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoice_service.services.figure_desk.MOST", 2)
    problem(sold.client.get(CHECK, headers=sold.official()), 400, "check_too_large")


def test_reports_of_the_empty_log(desk: Desk) -> None:
    report = msgspec.json.decode(_ask(desk).data)
    assert (report["rows"], report["block"]["height"]) == ([], 0)
    assert _ask(desk, path=CHECK, by="month").get_json()["holds"]
    assert load_workbook(io.BytesIO(_ask(desk, XLSX).data)).worksheets[1].max_row == 2


SEEN_BY_A_VIEWER = [
    {"by": "merchant"},
    {"by": "till"},
    {"by": "merchant", "version": "3"},
    {"by": "month,till", "top": "1"},
    MIX,
]


@pytest.mark.parametrize("query", SEEN_BY_A_VIEWER, ids=str)
@pytest.mark.parametrize("accept", ["application/json", "text/csv", XLSX])
def test_a_viewer_sees_totals_of_merchants_and_not_whose(
    sold: Desk, query: dict[str, str], accept: str
) -> None:
    merchant = sold.restaurant.merchant
    secrets = (merchant.tax_id, merchant.name)
    sold.issue("T3", till="A1")
    sold.anchor()
    seen = {}
    for office in ("viewer", "auditor"):
        headers = sold.auth(sold.new_key(None, KeyTerms(office=office)))
        answer = sold.client.get(PATH, query_string=query, headers={**headers, "Accept": accept})
        assert answer.status_code == 200, answer.text
        seen[office] = _text_of(answer.data, accept)
    assert not any(secret in seen["viewer"] for secret in secrets)
    assert f"{merchant.tax_id[:8]}{'*' * 10}" in seen["viewer"]
    assert merchant.tax_id in seen["auditor"]
    if accept == "application/json":
        masked, whole = (msgspec.json.decode(seen[office]) for office in ("viewer", "auditor"))
        assert len(masked["rows"]) == len(whole["rows"])
        assert masked["net"] == whole["net"]
        if masked["version"] == 3:
            assert [note["code"] for note in masked["notes"]][-1] == "masked"


def test_a_viewer_asks_of_no_single_merchant(sold: Desk) -> None:
    viewer = sold.auth(sold.new_key(None, KeyTerms(office="viewer")))
    query = {"merchant": sold.restaurant.merchant.tax_id}
    for path in (PATH, CHECK):
        refused = sold.client.get(path, query_string=query, headers=viewer)
        problem(refused, 403, "role_required")
        assert _ask(sold, path=path, **query)
    checked = sold.client.get(CHECK, query_string={"by": "merchant"}, headers=viewer).get_json()
    assert checked["holds"]


def _text_of(data: bytes, accept: str) -> str:
    """What stands in an answer, the cells of a workbook, too."""
    if accept != XLSX:
        return data.decode()
    sheets = load_workbook(io.BytesIO(data)).worksheets
    return "\n".join(str(cell.value) for sheet in sheets for row in sheet.rows for cell in row)
