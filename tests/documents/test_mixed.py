"""Reports of mixes as others open them: LibreOffice reads the workbook and the CSV file."""

import csv
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from chain.errors import MalformedError
from invoice_service.documents import mixed
from invoice_service.documents.mixed import mixed_csv, mixed_workbook
from invoice_service.documents.spreadsheet import totals_workbook
from invoice_service.documents.taken import taken_csv, taken_workbook
from invoice_service.services.reporting.mix import MixedReport
from tests.documents.test_taken import HOSTILE, taken
from tests.outside import need

NAME = "=cmd|'/C calc'!A1"
TAX_ID = "914403007084611367"
BIG = 10**15 + 1


def _sides(total: int) -> dict[str, Any]:
    return {
        "gross": {"count": 2, "amount": str(total - 6), "tax": "6", "total": str(total)},
        "reversed": {"count": 1, "amount": "-90", "tax": "-10", "total": "-100"},
        "net": {"count": 1, "amount": str(total - 96), "tax": "-4", "total": str(total - 100)},
    }


def _report(*totals: int) -> MixedReport:
    """A report with a merchant whose name is a formula, an id of digits alone, a note."""
    by = ("month", "merchant", "till")
    rows = [
        {
            "keys": {"month": "2026-03", "merchant": TAX_ID, "till": f"0{number}"},
            "names": {"merchant": {"zh": NAME, "en": ""}},
            "share": "0.500000",
            **_sides(total),
        }
        for number, total in enumerate(totals)
    ]
    note = {"code": "counted_by_rate", "zh": "说明", "en": "why"}
    block = {"height": 7, "seal": "aa", "sealed_at": "2026-03-31T04:00:00Z", "size": 9}
    head = {
        "version": 3,
        "from": "2026-03-01",
        "to": "2026-03-31",
        "by": by,
        "measure": "net",
        "compare": (),
        "filters": {"industry": "H"},
        "currency": "CNY",
        "block": {**block, "root": "bb"},
        "notes": [note],
        **_sides(sum(totals)),
    }
    return MixedReport(head, iter(rows))


def _plain() -> dict[str, Any]:
    """A report of one dimension, whose figures are whole numbers of fen until it is written."""
    whole = {side: {name: int(n) for name, n in sums.items()} for side, sums in _sides(123).items()}
    block = {"height": 7, "seal": "aa", "sealed_at": "2026-03-31T04:00:00Z", "size": 9}
    row = {"industry": "011", "name_zh": NAME, "name_en": "", **whole}
    return {"by": "industry", "block": block, "rows": [row], **whole}


def test_a_workbook_holds_money_ids_and_names_as_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "report.xlsx").write_bytes(mixed_workbook(_report(12345, BIG)))
    cover, sheet = load_workbook(tmp_path / "report.xlsx").worksheets
    _look(sheet.iter_rows())
    said = [cell.value for row in cover.iter_rows() for cell in row]
    assert {"筛选 filter industry", "H", "说明 note counted_by_rate", "说明 why", "bb"} <= set(said)
    for column, least in (("B", 20), ("C", 19)):
        assert sheet.column_dimensions[column].width >= least


def _look(rows: Iterator[Any]) -> None:
    header, first, second, whole = rows
    titles = [cell.value for cell in header]
    cells = dict(zip(titles, first, strict=True))
    assert cells["纳税人识别号 merchant"].value == TAX_ID
    assert cells["名称"].value == f"'{NAME}"
    assert cells["收银台 till"].value == "00"
    assert cells["月份 month"].value == "2026-03"
    for title in ("纳税人识别号 merchant", "名称", "收银台 till", "月份 month"):
        assert cells[title].data_type == "s"
    money = cells["开具 gross 价税合计 total CNY"]
    assert (money.data_type, Decimal(str(money.value))) == ("n", Decimal("123.45"))
    back = cells["红冲 reversed 价税合计 total CNY"]
    assert (back.data_type, Decimal(str(back.value))) == ("n", Decimal(-1))
    beyond = second[titles.index("开具 gross 价税合计 total CNY")]
    assert (beyond.data_type, beyond.value) == ("s", "10000000000000.01")
    assert whole[titles.index("说明 note")].value == "说明 why"


@pytest.mark.slow
def test_libreoffice_reads_them_alike(tmp_path: Path) -> None:
    """All in one start, with a profile of its own: two at once with one may crash."""
    office = need("soffice", "libreoffice")
    made = {
        "mix.xlsx": mixed_workbook(_report(12345, BIG)),
        "plain.xlsx": totals_workbook(_plain()),
        "sheet.csv": b"".join(mixed_csv(_report(12345))),
        "taken.xlsx": taken_workbook(taken()),
        "along.csv": b"".join(taken_csv(taken().tables[0])),
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    read = ["--headless", "--convert-to", "xlsx", "--outdir", str(tmp_path / "read")]
    files = [str(tmp_path / name) for name in made]
    for start in range(2):  # a crash as it starts, seen once, says nothing about files
        profile = f"-env:UserInstallation=file://{tmp_path}/profile{start}"
        done = subprocess.run([office, profile, *read, *files], check=False, capture_output=True)
        if done.returncode == 0:
            break
    assert done.returncode == 0, done
    read_back = (load_workbook(tmp_path / "read" / f"{Path(n).stem}.xlsx") for n in made)
    mix, plain, sheet, along, lines = read_back
    _look(mix.worksheets[1].iter_rows())
    for name, book in (("mix.xlsx", mix), ("plain.xlsx", plain)):
        assert _cells(book) == _cells(load_workbook(tmp_path / name))
    row = next(sheet.worksheets[0].iter_rows(min_row=2))
    assert [str(cell.value).strip("\t") for cell in row][:2] == ["2026-03", TAX_ID]
    assert {cell.data_type for cell in row[:4]} == {"s"}
    own = load_workbook(tmp_path / "taken.xlsx")
    assert _cells(along)[:20] == _cells(own)[:20]
    for book, original in ((along, own), (lines, None)):
        table = book.worksheets[-1]
        assert {"f", "e"}.isdisjoint(cell.data_type for row in table.iter_rows() for cell in row)
        names = [str(cell.value) for cell in table["B"][1:]]
        assert names[0].lstrip("'") == HOSTILE[0]
        assert {cell.data_type for cell in table["D"][1:2]} == {"n"}
        if original is not None:
            times = [cell.value for cell in table["F"][1:]]
            assert times == [cell.value for cell in original.worksheets[1]["F"][1:]]
            assert "_x003D_1" in names


def _cells(book: Workbook) -> list[tuple[object, ...]]:
    """Type, value and format of each cell: text, figure, money or share; dates are nowhere."""
    return [
        (sheet.title, cell.coordinate, cell.data_type, cell.value, cell.number_format)
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    ]


def test_csv_by_excels_rules() -> None:
    data = b"".join(mixed_csv(_report(12345, BIG)))
    assert data.startswith("\ufeff月份 month,".encode())
    assert data.endswith(b"\r\n")
    header, first, second, whole = csv.reader(data.decode("utf-8-sig").splitlines())
    assert first[:4] == ["\t2026-03", f"\t{TAX_ID}", f"'{NAME}", "\t00"]
    total = header.index("开具 gross 价税合计 total CNY")
    assert (first[total], second[total]) == ("123.45", "10000000000000.01")
    assert whole[0] == "合计 total"
    assert whole[-1] == "说明 why"
    assert {len(line) for line in (header, first, second, whole)} == {len(header)}


def test_the_same_report_is_the_same_workbook() -> None:
    assert mixed_workbook(_report(5)) == mixed_workbook(_report(5))


def test_a_workbook_has_no_more_rows_than_memory_is_there_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mixed, "SHEET_ROWS", 2)
    mixed_workbook(_report(1, 2))
    with pytest.raises(MalformedError, match="report_too_large"):
        mixed_workbook(_report(1, 2, 3))
