"""A report of a mix as CSV and as an Excel workbook, for officials; sums in yuan.

The same report gives the same bytes. In CSV, a key that Excel would take for a number or a date
(a tax id, 2026-03) has a tab before it: Excel then keeps it as it is and shows no tab, and a
program strips it. In the workbook keys are text, money is numbers, and a cover says what was
asked, at which block of the log, and the SHA-256 of the same report as JSON.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from chain.entry import parse_time
from chain.errors import MalformedError
from chain.hashing import sha256_of_parts
from invoice_service.documents.spreadsheet import BOM, NO_TIME, YUAN_FORMAT, packed, yuan
from invoice_service.documents.workbook import (
    SHARE_FORMAT,
    SHEET_ROWS,
    Cell,
    cell_of,
    csv_line,
    kept,
    said_of_block,
    set_widths,
    write_cover,
)
from invoice_service.domain.text import harmless_cell
from invoice_service.services.reporting.mix import MixedReport, report_parts

if TYPE_CHECKING:
    from openpyxl import Workbook

_NAMES: Final = {
    "day": "日期 day",
    "week": "周 week",
    "month": "月份 month",
    "quarter": "季度 quarter",
    "year": "年份 year",
    "section": "行业门类 section",
    "division": "行业大类 division",
    "group": "行业中类 group",
    "class": "行业小类 class",
    "industry": "行业 industry",
    "district": "区 district",
    "merchant": "纳税人识别号 merchant",
    "till": "收银台 till",
    "rate": "税率 rate",
    "tax_kind": "零税率类别 tax_kind",
    "type": "发票类型 type",
    "state": "状态 state",
}
_WITH_NAMES: Final = frozenset(
    {"section", "division", "group", "class", "industry", "district", "merchant"}
)
_SIDES: Final = {"gross": "开具 gross", "reversed": "红冲 reversed", "net": "净额 net"}
_MONEY: Final = {"amount": "金额 amount", "tax": "税额 tax", "total": "价税合计 total"}
_COMPARED: Final = {"before": "上期 before", "year_before": "上年同期 year before"}
_WORDS: Final = {
    "blue": "蓝字 blue",
    "red": "红字 red",
    "valid": "有效 valid",
    "part": "部分红冲 part",
    "full": "已红冲 full",
    "exempt": "免税 exempt",
    "untaxed": "不征税 untaxed",
}


def mixed_csv(report: MixedReport) -> Iterator[bytes]:
    """Yield RFC 4180 lines in UTF-8 with BOM: a header, the rows, what is left, their total."""
    lines = _lines(report)
    yield BOM.encode() + csv_line(next(lines))
    keys = len(list(_key_titles(report.head["by"])))
    for cells in lines:
        yield csv_line([kept(cell) if at < keys else cell for at, cell in enumerate(cells)])


def mixed_workbook(report: MixedReport) -> bytes:
    """Write a workbook (.xlsx): a cover, and the rows; MalformedError ``report_too_large``."""
    from openpyxl import Workbook

    rows = list(islice(report.rows, SHEET_ROWS + 1))
    if len(rows) > SHEET_ROWS:
        raise MalformedError("report_too_large", f"a workbook has {SHEET_ROWS:,} rows: use CSV")
    digest = sha256_of_parts(report_parts(MixedReport(report.head, iter(rows)))).hex()
    book = Workbook(write_only=True)
    _cover(book, report.head, len(rows), digest)
    _sheet(book, list(_lines(MixedReport(report.head, iter(rows)))))
    sealed_at = report.head["block"]["sealed_at"]
    made = parse_time(sealed_at).replace(tzinfo=None) if sealed_at else NO_TIME
    book.properties.created = book.properties.modified = made
    return packed(book)


def _lines(report: MixedReport) -> Iterator[list[Cell]]:
    """The header, a line for each row, what is left of a ranking, and the whole."""
    head = report.head
    by, block = head["by"], head["block"]
    compared = [name for name in _COMPARED if name in head]
    end = [block["height"], block["root"]]
    yield [
        *_key_titles(by),
        "占比 share",
        *_titles(compared),
        *("区块 block", "根 root", "说明 note"),
    ]
    for row in report.rows:
        share = Decimal(row["share"]) if row["share"] else ""
        yield [*_keys(by, row), share, *_figures(row, compared), *end, ""]
    blank = [""] * (len(list(_key_titles(by))) - 1)
    if "rest" in head:
        yield ["其余 rest", *blank, "", *_figures(head["rest"], compared), *end, ""]
    notes = " ".join(f"{note['zh']} {note['en']}" for note in head["notes"])
    yield ["合计 total", *blank, "", *_figures(head, compared), *end, notes]


def _key_titles(by: Sequence[str]) -> Iterator[str]:
    for name in by:
        yield _NAMES[name]
        if name in _WITH_NAMES:
            yield "名称"
            if name != "merchant":
                yield "name"


def _keys(by: Sequence[str], row: Mapping[str, Any]) -> Iterator[str]:
    for name in by:
        key = row["keys"][name]
        yield _WORDS.get(key, key) if name in {"type", "state", "tax_kind"} else key
        if name in _WITH_NAMES:
            names = row["names"].get(name, {})
            yield harmless_cell(names.get("zh", ""))
            if name != "merchant":
                yield names.get("en", "")


def _titles(compared: Iterable[str]) -> Iterator[str]:
    for side in _SIDES.values():
        yield f"{side} 份数 count"
        yield from (f"{side} {name} CNY" for name in _MONEY.values())
    for name in compared:
        yield f"{_COMPARED[name]} 开具份数 count"
        yield f"{_COMPARED[name]} 开具价税合计 gross total CNY"
        yield f"{_COMPARED[name]} 净额价税合计 net total CNY"


def _figures(row: Mapping[str, Any], compared: Iterable[str]) -> Iterator[Cell]:
    for side in _SIDES:
        yield row[side]["count"]
        yield from (yuan(int(row[side][name])) for name in _MONEY)
    for name in compared:
        there = row.get(name)
        yield there["gross"]["count"] if there else ""
        yield yuan(int(there["gross"]["total"])) if there else ""
        yield yuan(int(there["net"]["total"])) if there else ""


def _cover(book: "Workbook", head: Mapping[str, Any], rows: int, digest: str) -> None:
    """What was asked, of which days, at which block, and the digest of the JSON."""
    said = [
        ("汇总 by", " × ".join(_NAMES[name] for name in head["by"])),
        ("自 from", head["from"]),
        ("至 to", head["to"]),
        *((f"筛选 filter {name}", value) for name, value in head["filters"].items()),
        ("排序与占比 measure", head["measure"]),
        *((name, str(head[name])) for name in ("top", "bottom") if name in head),
        *((_COMPARED[n], f"{head[n]['from']} – {head[n]['to']}") for n in _COMPARED if n in head),
        ("行数 rows", str(rows)),
        *said_of_block(head["block"]),
        ("JSON 报表的 SHA-256 of the report as JSON", digest),
        *((f"说明 note {note['code']}", f"{note['zh']} {note['en']}") for note in head["notes"]),
    ]
    write_cover(book.create_sheet("查询 query"), said)


def _sheet(book: "Workbook", lines: Sequence[Sequence[Cell]]) -> None:
    sheet = book.create_sheet("汇总 totals")
    share = lines[0].index("占比 share")
    set_widths(sheet, lines)
    sheet.freeze_panes = "B2"
    for line in lines:
        formats = (SHARE_FORMAT if at == share else YUAN_FORMAT for at in range(len(line)))
        sheet.append([cell_of(sheet, *one) for one in zip(line, formats, strict=True)])
