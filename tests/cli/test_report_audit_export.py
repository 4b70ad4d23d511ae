"""What officials and auditors ask of the console."""

import csv
import io
import json
import sqlite3
from pathlib import Path

import openpyxl
import pytest
from openpyxl import load_workbook

from chain.hashing import sha256
from invoice_service.config import load
from invoice_service.domain.application import ApplicationRequest
from invoice_service.wiring import open_instance
from tests.cli.town import TAX_ID, Town


@pytest.fixture
def busy(town: Town) -> Town:
    """Five invoices over 113.00 in the log, one of them reversed."""
    invoices = town.sell(5)
    town.run("anchor")
    town.reverse(invoices[0]["hash"])
    town.run("anchor")
    return town


def test_the_report_in_every_form_says_the_same(busy: Town) -> None:
    report = busy.asked("report")
    assert (report["gross"]["total"], report["reversed"]["total"]) == ("56500", "-11300")
    assert report["net"] == {"count": 4, "amount": "42640", "tax": "2560", "total": "45200"}
    assert busy.run("report", "--format", "json") == busy.run("report", "--json")
    table = busy.run("report")
    assert "565.00" in table
    assert "-113.00" in table
    assert f"at block {report['block']['height']}" in table
    rows = list(csv.reader(io.StringIO(busy.run("report", "--format", "csv"))))
    assert "452.00" in rows[-1]
    busy.run("report", "--format", "xlsx", "-o", "totals.xlsx", "--by", "merchant")
    sheet = openpyxl.load_workbook("totals.xlsx").worksheets[0]
    assert sheet["A2"].value == TAX_ID


def test_the_report_at_a_block_never_changes(busy: Town) -> None:
    first = busy.run("report", "--json", "--at-block", "1", "--by", "industry")
    assert json.loads(first)["reversed"]["count"] == 0
    busy.sell(9)
    busy.run("anchor")
    assert busy.run("report", "--json", "--at-block", "1", "--by", "industry") == first


def test_before_the_first_block_there_is_nothing_and_it_says_so(busy: Town) -> None:
    for by in ("day", "district,month"):
        said = busy.run("report", "--at-block", "0", "--by", by)
        assert "no days at block 0" in said
        assert "before its first block" in said
        assert "000000" not in said


def test_what_no_report_can_answer_is_refused(busy: Town) -> None:
    assert "block_unknown" in busy.refusal("report", "--at-block", "99")
    assert "day_invalid" in busy.refusal("report", "--from", "yesterday", status=2)
    assert "choose another" in busy.refusal("report", "-o", "x", status=2)


def test_a_clean_audit_says_what_it_has_looked_at(busy: Town) -> None:
    found = busy.asked("audit")
    assert (found["clean"], found["invoices"], found["blocks"]) == (True, 6, 2)
    assert busy.run("audit").startswith("clean: ")


def test_an_audit_names_the_first_wrong_thing(busy: Town) -> None:
    with sqlite3.connect(busy.folder / "var/main/invoices.db") as database:
        triggers = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'invoices'"
        ).fetchall()
        for (name,) in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE invoices SET total = total + 1 WHERE seq = 3")
    said = busy.run("audit", status=1)
    assert said.startswith("wrong: ")
    assert "invoice" in said
    assert " 3" in said
    found = busy.asked("audit", status=1)
    assert found["clean"] is False
    assert {"kind", "place", "expected", "found"} <= set(found)


def test_an_audit_names_a_paper_that_was_exchanged_on_the_disk(town: Town) -> None:
    instance = open_instance(load(town.folder / "config.toml", {}))
    desk = instance.admission.applications
    asked = ApplicationRequest(
        tax_id="91330100799655058B", name="x", industry="6220", district="440305", contact="x"
    )
    desk.apply(desk.receipt("ab" * 24, asked, []), asked, [b"a page", b"another"])
    folder = instance.config.admission_dir
    instance.close()
    assert town.asked("audit")["papers"] == {"pages": 2, "missing": 0}
    one, two = folder.iterdir()
    one.unlink()
    assert "1 pages of papers are not there" in town.run("audit")
    two.write_bytes(b"forged")
    assert town.asked("audit", status=1)["kind"] == "page"


def test_invoices_are_exported_whole_with_a_digest_of_the_file(busy: Town) -> None:
    said = busy.run("export", "-o", "invoices.ndjson")
    data = Path("invoices.ndjson").read_bytes()
    assert said == f"{sha256(data).hex()}  invoices.ndjson\n"
    lines = [json.loads(line) for line in data.splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert {"face", "buyer", "lines", "salts", "hash"} <= set(lines[0])
    assert lines[0]["reversed_by"] == [lines[5]["hash"]]
    after = busy.run("export", "--after", "4").splitlines()
    assert [json.loads(line)["seq"] for line in after] == [5, 6]
    assert busy.run("export", "--merchant", "7") == ""


def test_invoices_are_exported_for_spreadsheets(busy: Town) -> None:
    rows = list(csv.reader(io.StringIO(busy.run("export", "--format", "csv"))))
    assert len(rows) == 7
    assert "-113.00" in rows[6]


def test_a_workbook_keeps_every_digit_and_runs_nothing(busy: Town) -> None:
    busy.run("export", "--format", "csv", "-o", "invoices.csv")
    busy.run("export", "--format", "xlsx", "-o", "invoices.xlsx")
    again = Path("invoices.xlsx").read_bytes()
    busy.run("export", "--format", "xlsx", "-o", "invoices.xlsx")
    assert Path("invoices.xlsx").read_bytes() == again
    header, *wanted = csv.reader(io.StringIO(Path("invoices.csv").read_text("utf-8-sig")))
    [sheet] = load_workbook("invoices.xlsx").worksheets
    first, *rows = sheet.iter_rows()
    assert [cell.value for cell in first] == header
    assert len(rows) == len(wanted) == 6
    for row, texts in zip(rows, wanted, strict=True):
        for place, (cell, text) in enumerate(zip(row, texts, strict=True)):
            if place in {8, 9, 10}:
                assert f"{cell.value:.2f}" == text
            else:
                assert cell.data_type == "s" or not text
                assert (cell.value or "") == text


def test_the_logs_entries_are_exported_as_they_were_hashed(busy: Town) -> None:
    busy.run("export", "log", "-o", "log.ndjson")
    kinds = [json.loads(line)["kind"] for line in Path("log.ndjson").read_bytes().splitlines()]
    assert kinds == ["invoice"] * 5 + ["act", "seal", "invoice", "seal"]
    assert "knows neither" in busy.refusal("export", "log", "--format", "csv", status=2)


def test_an_export_that_fails_leaves_no_file(busy: Town) -> None:
    with sqlite3.connect(busy.folder / "var/main/invoices.db") as database:
        database.execute("DROP TABLE invoices")
    busy.refusal("export", "-o", "invoices.ndjson", status=3)
    assert not list(Path().glob("invoices.ndjson*"))


MIX = ("--by", "month,merchant,rate", "--compare", "before")


def test_a_mix_in_every_form_says_the_same(busy: Town) -> None:
    report = busy.asked("report", *MIX)
    assert (report["version"], report["by"]) == (3, ["month", "merchant", "rate"])
    assert report["net"] == {"count": 4, "amount": "42640", "tax": "2560", "total": "45200"}
    table = busy.run("report", *MIX)
    assert TAX_ID in table
    assert report["block"]["root"] in table
    rows = list(csv.reader(io.StringIO(busy.run("report", *MIX, "--format", "csv"))))
    assert "452.00" in rows[-1]
    busy.run("report", *MIX, "--format", "xlsx", "-o", "mix.xlsx")
    cover, sheet = load_workbook("mix.xlsx").worksheets
    assert TAX_ID in [cell.value for cell in sheet[2]]
    data = busy.run("report", *MIX, "--json").rstrip("\n").encode()
    assert sha256(data).hex() in [row[1].value for row in cover.iter_rows()]
    assert "4 more" not in busy.run("report", "--by", "state", "--top", "1")
    assert "1 more" in busy.run("report", "--by", "state", "--top", "1")


def test_a_question_that_makes_no_sense_is_refused(busy: Town) -> None:
    assert "by_unknown" in busy.refusal("report", "--by", "day,colour", status=2)
    assert "parameter_malformed" in busy.refusal("report", "--top", "many", status=2)
    assert "--verify" in busy.refusal("report", "--report", __file__, status=2)


def test_a_report_is_made_again_from_documents(busy: Town) -> None:
    assert "the figures hold" in busy.run("report", "--verify", *MIX)
    found = busy.asked("report", "--verify", *MIX)
    assert found["holds"]
    assert [step["step"] for step in found["steps"]] == [
        *("document", "entry", "root", "closing", "report"),
    ]
    data = busy.run("report", *MIX, "--json")
    Path("taken.json").write_text(data)
    assert busy.asked("report", "--verify", "--report", "taken.json")["holds"]
    Path("taken.json").write_text(data.replace("45200", "45201"))
    said = busy.run("report", "--verify", "--report", "taken.json", status=1)
    assert said.startswith("wrong: report ")
    assert "45201" in said
    with sqlite3.connect(busy.folder / "var/main/invoices.db") as database:
        triggers = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'invoices'"
        ).fetchall()
        for (name,) in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE invoices SET amount = amount + 1 WHERE seq = 3")
    wrong = busy.asked("report", "--verify", *MIX, status=1)
    assert (wrong["holds"], wrong["step"], wrong["place"]) == (False, "document", "3")
