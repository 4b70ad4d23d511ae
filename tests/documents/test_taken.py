"""What is taken along: the same tables as CSV, JSON and a workbook, whatever stands in them."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from chain.errors import MalformedError
from chain.hashing import sha256
from invoice_service.documents import manifest as manifests
from invoice_service.documents import taken as taking
from invoice_service.documents.manifest import Asked, package, taken_manifest
from invoice_service.documents.taken import (
    Column,
    Row,
    Table,
    Taken,
    taken_csv,
    taken_json,
    taken_workbook,
)
from invoice_service.documents.workbook import READ_OF_ANYBODY, kept, writable
from invoice_service.domain.text import visible

HOSTILE: Final = (
    *("=cmd|'/C calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'=1"),
    *('"=1",x', "a\r\n=1", "007", "2026-03", "1e9", "5月1日", "True", "_x003D_1", "</t><v>1</v>"),
    *("\x00\x01\x1b[2J", "\ufffe", "\u202e倒", "甲" * 40_000),
)
"""What a name or a reason may be at worst, what no door lets in among it."""
ASKED: Final = Asked("person:3", "=陈", "auditor", "2026-11-30T04:00:00Z")
BLOCK: Final = {"height": 7, "seal": "aa", "sealed_at": "2026-11-30T03:00:00Z", "size": 9} | {
    "root": "bb"
}
COLUMNS: Final = (
    Column("id", "编号 id", "count"),
    Column("name", "名称 name"),
    Column("state", "状态 state", "word", {"open": "待办 open"}),
    Column("total", "合计 total", "fen"),
    Column("rate", "税率 rate", "share"),
    Column("at", "时间 time", "time"),
    Column("changed", "变化 changed", "shown"),
    Column("after", "", "data"),
)
NOON: Final = 1_795_924_800


def rows() -> Iterator[Row]:
    for number, name in enumerate(HOSTILE):
        yield number, name, "open", 10**15 * (number % 2) + 5, "0.06", NOON, name, {"x": name}
    yield 99, "", "=x", None, "", None, "", {}


def taken(*names: str, most: int = 0) -> Taken:
    """Of as many tables as names."""
    tables = tuple(
        Table(name, f"{name} 表", COLUMNS, rows, "trail" if at else "record")
        for at, name in enumerate(names or ("acts",))
    )
    return Taken("trail", "留痕 trail", {"actor": "=a"}, tables, most=most)


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_csv_is_as_excel_reads_it() -> None:
    data = b"".join(taken_csv(taken().tables[0]))
    assert data.startswith("\ufeff编号 id,名称 name,".encode())
    header, *found = read(data)
    assert len(header) == len(COLUMNS) - 1  # what only programs read is not there
    for cells, name in zip(found, HOSTILE, strict=False):
        assert cells[1].lstrip("'\t") == writable(visible(name)).lstrip("'\t")
        assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", cells[1])
        for cell in cells:
            assert not cell.startswith((*"=+@\r＝", "\t=", "-2")), cell[:9]
    assert {"\t007", "\t2026-03", "\t1e9", "\t5月1日", "\tTrue"} <= {
        cells[1][:9] for cells in found
    }
    assert found[0][2:6] == ["待办 open", "0.05", "0.06", "2026-11-29T12:00:00+08:00"]
    assert found[1][3] == "\t10000000000000.05"
    assert found[-1][1:6] == ["", "'=x", "", "", ""]


@pytest.mark.parametrize(
    "text",
    [
        *("-5", "-1.50", "(5)", "（5）", "￥5", "$1,000", "１２３", "5％", "10:30 PM", "3p"),
        *("5-Jan", "Jan 5", "1 September 2026", "１月５日", "1e5", "true"),
    ],
)
def test_what_excel_takes_for_a_figure_or_a_day_stays_what_it_is(text: str) -> None:
    assert kept(text, READ_OF_ANYBODY) == f"\t{text}"


@pytest.mark.parametrize("text", ["", "甲", "May", "Decathlon", "A-5", "P", "7-Eleven", "-", "5甲"])
def test_other_names_have_no_tab(text: str) -> None:
    assert kept(text, READ_OF_ANYBODY) in (text, f"'{text}")


def test_json_has_what_programs_need() -> None:
    found = json.loads(b"".join(taken_json(taken())))
    assert list(found) == ["at", "query", "tables", "version", "what"]
    first, *_, last = found["tables"]["acts"]["rows"]
    assert first == {
        "id": 0,
        "name": HOSTILE[0],
        "state": "open",
        "total": "5",
        "rate": "0.06",
        "at": "2026-11-29T04:00:00Z",
        "after": {"x": HOSTILE[0]},
    }
    assert (last["total"], last["at"]) == (None, None)
    names = [one["name"] for one in found["tables"]["acts"]["rows"]]
    assert names[:-1] == list(HOSTILE)


def test_a_workbook_holds_everything_as_what_it_is() -> None:
    cover, sheet = load_workbook(io.BytesIO(taken_workbook(taken()))).worksheets
    header, *found = sheet.iter_rows()
    assert [cell.value for cell in header] == [c.title for c in COLUMNS if c.kind != "data"]
    assert {cell.font.bold for cell in header} == {True}
    for cells, name in zip(found, HOSTILE, strict=False):
        assert cells[1].data_type == "s"
        assert "f" not in {cell.data_type for cell in cells}
        assert cells[5].value == datetime(2026, 11, 29, 12, 0)  # noqa: DTZ001 # as a workbook has it
        assert len(str(cells[1].value)) <= 32_767
        assert str(cells[1].value).lstrip("'")[:4].strip("\r\t\\") or name
    values = [str(cells[1].value) for cells in found]
    assert values[0] == f"'{HOSTILE[0]}"
    assert "_x005F_x003D_1" in values  # a spelling of "=", which is to stay what it is
    assert "\\u0000\\u0001\\u001b[2J" in values
    assert Decimal(str(found[0][3].value)) == Decimal("0.05")
    assert found[0][3].number_format == "#,##0.00"
    assert (found[1][3].data_type, found[1][3].value) == ("s", "10000000000000.05")
    assert (found[0][4].value, found[0][4].number_format) == (0.06, "0.00%")
    said = [str(cell.value) for row in cover.iter_rows() for cell in row]
    assert "=a" in said
    assert {cell.data_type for row in cover.iter_rows() for cell in row} == {"s"}
    assert sha256(b"".join(taken_json(taken()))).hex() in said
    assert any("only" in one or "本服务" in one for one in said)
    assert sheet.column_dimensions["B"].width == 40


@pytest.mark.parametrize("names", [("acts",), ("people", "acts")])
def test_the_manifest_and_the_package_tell_of_the_same_files(names: tuple[str, ...]) -> None:
    one = taken(*names)
    with ZipFile(io.BytesIO(b"".join(package(one, ASKED, BLOCK, "trail")))) as archive:
        assert archive.testzip() is None
        made = {name.partition(".")[2]: archive.read(name) for name in archive.namelist()}
    manifest = made.pop("manifest.json")
    assert manifest == taken_manifest(one, ASKED, BLOCK)
    said = json.loads(manifest)
    assert said["sha256"] == {ending: sha256(data).hex() for ending, data in made.items()}
    csvs = {"csv"} if len(names) == 1 else {f"{name}.csv" for name in names}
    assert set(made) == {"xlsx", "json", *csvs}
    assert (said["rows"], said["block"]) == (len(names) * (len(HOSTILE) + 1), BLOCK)
    assert said["asked"] == ASKED._asdict()
    assert said["query"] == {"actor": "=a"}
    assert {name: said["tables"][name]["basis"] for name in names} == dict(
        zip(names, ("record", "trail"), strict=False)
    )
    assert [note["code"] for note in said["notes"]] == ["record", "trail"][: len(names)]


def test_the_same_content_is_the_same_bytes() -> None:
    for make in (taken_workbook, lambda one: b"".join(package(one, ASKED, BLOCK, "x"))):
        assert make(taken("a", "b")) == make(taken("a", "b"))


def test_files_of_one_package_are_of_one_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read at once is written to a file where it is much; what stays is read again."""
    monkeypatch.setattr(manifests, "HELD", 100)
    number = 0

    def growing() -> Iterator[Row]:
        nonlocal number
        number += 1
        yield from (row for row in rows() for _ in range(number))

    table = Table("acts", "表", COLUMNS, growing, "record")
    one = Taken("trail", "留痕", {}, (table,))
    said = json.loads(taken_manifest(one, ASKED, BLOCK))
    assert (number, said["rows"]) == (1, len(HOSTILE) + 1)
    with ZipFile(io.BytesIO(b"".join(package(one, ASKED, BLOCK, "t")))) as archive:
        said = json.loads(archive.read("t.manifest.json"))
        assert len(read(archive.read("t.csv"))) - 1 == said["rows"] == 2 * (len(HOSTILE) + 1)
        assert len(json.loads(archive.read("t.json"))["tables"]["acts"]["rows"]) == said["rows"]
    taken_manifest(one._replace(most=9), ASKED, BLOCK)
    assert number == 2 + 3  # a workbook, JSON, CSV


def test_a_workbook_has_its_bound_and_the_others_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "SHEET_ROWS", 2 * len(HOSTILE))
    assert taken_workbook(taken("a"))
    with pytest.raises(MalformedError, match="report_too_large"):
        taken_workbook(taken("a", "b"))
    said = json.loads(taken_manifest(taken("a", "b"), ASKED, BLOCK))
    assert set(said["sha256"]) == {"json", "a.csv", "b.csv"}
    with ZipFile(io.BytesIO(b"".join(package(taken("a", "b"), ASKED, BLOCK, "t")))) as archive:
        assert "t.xlsx" not in archive.namelist()


@pytest.mark.parametrize(("make", "most"), [("csv", 1), ("json", 1), ("zip", 9_000)])
def test_rows_are_sent_while_they_are_read(
    make: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many, no more are held than what is packed together."""
    monkeypatch.setattr(taking, "SHEET_ROWS", 10)
    behind = worst = 0

    def many() -> Iterator[Row]:
        nonlocal behind
        for number in range(30_000):
            behind += 1
            text = sha256(number.to_bytes(4, "big")).hex()
            yield number, text, "open", 5, "", NOON, "", {}

    one = taken(most=30_000)
    one = one._replace(tables=(one.tables[0]._replace(rows=many),))
    parts = {
        "csv": taken_csv(one.tables[0]),
        "json": taken_json(one),
        "zip": package(one, ASKED, BLOCK, "t"),
    }[make]
    for _ in parts:
        worst, behind = max(worst, behind), 0
    assert 0 < worst <= most
