"""Tables of orders: which columns are known, how cells are read, and which kinds are refused."""

from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

import msgspec
import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from chain.errors import MalformedError
from invoice_service.domain.request import Buyer, InvoiceRequest, LineRequest
from invoice_service.files.orders import open_orders, read_table
from tests.files.written import request_of, written_csv

HEADER = "order_id,time,item,quantity,unit_price,tax_rate\n"
CHINESE = "订单号,时间,商品名称,数量,单价（元）,税率,桌号\n"
DAY = "A-1,2026/11/28 12:00,*餐饮服务*餐费,2,106.60,6%,12\n"
WANTED = {
    "order_id": "A-1",
    "remark": "下单时间 2026/11/28 12:00",
    "business_day": "2026-11-28",
    "lines": [{"name": "*餐饮服务*餐费", "quantity": "2", "unit_price": 10660, "tax_rate": "0.06"}],
}


def test_a_column_called_just_name_is_known_in_chinese_as_in_english(tmp_path: Path) -> None:
    [record] = read_table(written_csv(tmp_path, CHINESE.replace("商品名称", "名称") + DAY))
    assert request_of(record) == WANTED


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_chinese_columns_are_known_in_the_encodings_of_windows(
    tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes((CHINESE + DAY).encode(encoding))
    [record] = read_table(path)
    assert request_of(record) == WANTED
    assert record.more == {"桌号": "12"}


def test_columns_stand_in_any_order_and_others_are_kept(tmp_path: Path) -> None:
    path = written_csv(
        tmp_path,
        "Waiter,Tax Rate,unit price,qty,Name,table,Order No\n"
        "li,6%,1.00,1,x,3,A\nli,6%,2.00,1,y,4,A\n,6%,2.00,1,y,,B\n",
    )
    first, second = read_table(path)
    assert first.more == {"Waiter": "li", "table": "3 | 4"}
    assert second.more == {}
    assert [line["unit_price"] for line in request_of(first)["lines"]] == [100, 200]
    assert "remark" in request_of(first)


@pytest.mark.parametrize(
    ("cell", "fen"),
    [
        ("¥28.00", 2800),
        ("￥28", 2800),
        ("28元", 2800),
        ('"1,280.00"', 128000),
        ('"¥1,234,567.8"', 123456780),
        (" 5 ", 500),
        ("28.300000000000001", 2830),
        ('"=""28.00"""', 2800),
    ],
)
def test_money_is_read_as_tills_write_it(tmp_path: Path, cell: str, fen: int) -> None:
    [record] = read_table(written_csv(tmp_path, HEADER + f"A,,x,1,{cell},0.06\n"))
    assert request_of(record)["lines"][0]["unit_price"] == fen


@pytest.mark.parametrize(
    ("cell", "rate", "kind"),
    [
        ("6%", "0.06", None),
        ("13.0%", "0.13", None),
        ("6％", "0.06", None),
        ("0.060", "0.06", None),
        ("0%", "0", None),
        ("免税", "0", "exempt"),
        ("不征税", "0", "untaxed"),
        ("6", "6", None),  # which the service refuses: it may be 6 % or 600 %
    ],
)
def test_rates_are_read_as_tills_write_them(
    tmp_path: Path, cell: str, rate: str, kind: str | None
) -> None:
    [record] = read_table(written_csv(tmp_path, HEADER + f"A,,x,1,1.00,{cell}\n"))
    line = request_of(record)["lines"][0]
    assert (line["tax_rate"], line.get("tax_kind")) == (rate, kind)


def test_rows_of_commas_and_line_ends_in_cells_are_passed_over(tmp_path: Path) -> None:
    rows = 'A,,"two\r\nlines",1.00,1.00,0.06\n,,,,,\n ,\u3000,,,,\nB,,x,"1,000",1.00,0.06\n'
    first, second = read_table(written_csv(tmp_path, HEADER + rows))
    assert request_of(first)["lines"][0]["name"] == "two lines"
    assert request_of(first)["lines"][0]["quantity"] == "1"
    assert request_of(second)["lines"][0]["quantity"] == "1000"


@pytest.mark.parametrize(
    ("number", "item", "code", "cause"),
    [
        ("1.23E+17", "x", "csv_number_destroyed", "number"),
        ("2.026e17", "x", "csv_number_destroyed", "number"),
        ("3月12日", "x", "csv_number_destroyed", "date"),
        ("12-Mar", "x", "csv_number_destroyed", "date"),
        ("Mar-12", "x", "csv_number_destroyed", "date"),
        ("2026/3/12", "x", "csv_number_destroyed", "date"),
        ("########", "x", "csv_cell_destroyed", "narrow"),
        ("A", "#REF!", "csv_cell_destroyed", "formula"),
        ("A", "####", "csv_cell_destroyed", "narrow"),
        ("A", "????", "text_damaged", "letters"),
    ],
)
def test_what_a_spreadsheet_has_destroyed_is_refused_by_cause(
    tmp_path: Path, number: str, item: str, code: str, cause: str
) -> None:
    rows = f"{number},,{item},1,1.00,0.06\nB,,x,1,1.00,0.06\n"
    bad, good = read_table(written_csv(tmp_path, HEADER + rows))
    assert bad.problem is not None
    assert bad.problem.code == code
    assert cause in bad.problem.detail
    assert "line 2" in bad.problem.detail
    assert "第 2 行" in str(bad.problem.extra["detail_zh"])
    assert good.problem is None


def test_a_workbook_is_read_like_a_table(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["桌号", "税率", "单价", "数量", "商品名称", "时间", "订单号"])
    sheet.append([12, "6%", 106.6, 2, "*餐饮服务*餐费", datetime(2026, 11, 28, 12, 0), "001"])  # noqa: DTZ001
    sheet.append([])
    sheet.append([None, 0.06, 28.3, 1, "茶", datetime(2026, 11, 28, 12, 5), "002"])  # noqa: DTZ001
    sheet.append([None, 0.06, 1, 1, "饭", datetime(2026, 11, 29), 123456789012345678])  # noqa: DTZ001
    path = tmp_path / "orders.xlsx"
    book.save(path)
    first, second, third = open_orders(path)()
    assert request_of(first) == WANTED | {
        "order_id": "001",
        "remark": "下单时间 2026-11-28 12:00",
    }
    assert first.more == {"桌号": "12"}
    assert request_of(second)["lines"][0]["unit_price"] == 2830
    assert third.problem is not None  # the workbook itself has fifteen digits only
    assert third.problem.code == "csv_number_destroyed"


def test_what_is_no_workbook_is_named(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(b"PK\x03\x04 and nothing else")
    with pytest.raises(MalformedError) as caught:
        next(open_orders(path)())
    assert caught.value.code == "not_xlsx"


EVERY: dict[str, str] = {
    "订单号": "A-1",
    "时间": "2026-11-29 00:20",
    "商品名称": "*餐饮服务*餐费",
    "规格": "大份",
    "单位": "份",
    "数量": "2",
    "单价": "50.00",
    "税率": "6%",
    "优惠金额": "3.00",
    "订单优惠": "¥5.00",
    "开票金额": "92.00",
    "收银台": "T1",
    "营业日": "2026/11/28",
    "分单号": "1",
    "分单数": "2",
    "分单总额": "200.00",
    "替代密码区": "01" + "a" * 64,
    "抬头": "深圳市采购有限公司",
    "税号": "91330100799655058B",
    "购买方地址电话": "深圳 1",
    "付款标识": "wx",
    "发票备注": "加辣",
    "开票人": "陈",
    "收款人": "李",
    "复核人": "黄",
}


def test_every_field_of_an_order_has_a_column(tmp_path: Path) -> None:
    """All but amount, tax and idempotency_key: a table gives its orders keys of its own.

    And but an account that pays: who has paid in advance is at the till.
    """
    rows = f"{','.join(EVERY)}\n{','.join(EVERY.values())}\n"
    [record] = read_table(written_csv(tmp_path, rows))
    request = request_of(record)
    assert request == {
        "order_id": "A-1",
        "lines": [
            {
                "name": "*餐饮服务*餐费",
                "quantity": "2",
                "unit_price": 5000,
                "tax_rate": "0.06",
                "discount": 300,
                "spec": "大份",
                "unit": "份",
            }
        ],
        "remark": "加辣",
        "business_day": "2026-11-28",
        "till": "T1",
        "replaces": "01" + "a" * 64,
        "drawer": "陈",
        "payee": "李",
        "reviewer": "黄",
        "part": 1,
        "parts": 2,
        "order_total": 20000,
        "discount": 500,
        "total": 9200,
        "buyer": {
            "kind": "company",
            "name": "深圳市采购有限公司",
            "tax_id": "91330100799655058B",
            "address_phone": "深圳 1",
            "payment_id": "wx",
        },
    }
    assert (record.till, record.day, record.part, record.more) == ("T1", "2026-11-28", 1, {})
    others = {"tax_kind", "total", "unit_price_yuan"}
    given_lines = {*request["lines"][0]} | others
    assert given_lines == {field.name for field in msgspec.structs.fields(LineRequest)}
    assert {*request, "amount", "tax", "prepaid"} == {
        field.name for field in msgspec.structs.fields(InvoiceRequest)
    }
    assert {*request["buyer"]} == {field.name for field in msgspec.structs.fields(Buyer)}


def test_what_is_said_of_an_order_is_said_once_or_the_same(tmp_path: Path) -> None:
    header = "order_id,item,unit_price,tax_rate,整单优惠,buyer,buyer_kind\n"
    rows = (
        "A,x,10.00,0.06,1.00,某局,组织\nA,y,10.00,0.06,,,\nA,z,1.00,6%,1.00,某局,组织\n"
        "B,x,10.00,0.06,1.00,,\nB,y,10.00,0.06,2.00,,\n"
    )
    same, other = read_table(written_csv(tmp_path, header + rows))
    assert request_of(same)["discount"] == 100
    assert request_of(same)["buyer"] == {"kind": "organisation", "name": "某局"}
    assert other.problem is not None
    assert (other.problem.code, other.problem.pointer) == ("csv_order_differs", "/order_discount")
    assert "line 5" in other.problem.detail
    assert "line 6" in other.problem.detail


def test_tills_days_and_parts_tell_orders_of_one_number_apart(tmp_path: Path) -> None:
    header = "order_id,till,business_day,part,parts,order_total,item,unit_price,tax_rate\n"
    places = [
        "T1,2026-11-28,,,",
        "T2,2026-11-28,,,",
        "T2,2026-11-29,1,2,2.00",
        "T2,2026-11-29,2,2,2.00",
    ]
    rows = "".join(f"1,{place},x,1.00,6%\n" for place in places)
    records = list(read_table(written_csv(tmp_path, header + rows)))
    assert [(one.till, one.day, one.part) for one in records] == [
        ("T1", "2026-11-28", 0),
        ("T2", "2026-11-28", 0),
        ("T2", "2026-11-29", 1),
        ("T2", "2026-11-29", 2),
    ]
    with pytest.raises(MalformedError) as caught:
        list(read_table(written_csv(tmp_path, header + rows + f"1,{places[0]},y,1.00,6%\n")))
    assert caught.value.code == "csv_order_scattered"


def test_a_day_that_is_given_holds_past_midnight(tmp_path: Path) -> None:
    rows = (
        "A,2026-11-28 23:58,2026-11-28,x,1,1.00,6%\nA,2026-11-29 00:07,2026-11-28,y,1,1.00,6%\n"
        "B,2026-11-29 00:07,28.11.2026,y,1,1.00,6%\n"
    )
    one, bad = read_table(
        written_csv(tmp_path, "order_id,time,营业日,item,quantity,unit_price,tax_rate\n" + rows)
    )
    assert request_of(one)["business_day"] == "2026-11-28"
    assert len(request_of(one)["lines"]) == 2
    assert request_of(bad)["business_day"] == "28.11.2026"  # which the service refuses by name


@pytest.mark.parametrize(
    ("cell", "refused"), [("", False), ("0", False), ("0.88", True), ("8", True)]
)
def test_a_discount_that_may_be_a_rate_is_taken_for_neither(
    tmp_path: Path, cell: str, refused: bool
) -> None:
    header = "order_id,item,unit_price,tax_rate,折扣\n"
    [record] = read_table(written_csv(tmp_path, f"{header}A,x,10.00,6%,{cell}\n"))
    assert (record.problem is not None) == refused
    if record.problem:
        assert record.problem.code == "csv_discount_unclear"


def test_a_line_without_a_number_is_named_and_no_others_are_lost(tmp_path: Path) -> None:
    rows = "A,,x,1,1.00,6%\n,,x,1,1.00,6%\nB,,x,1,1.00,6%\n,,合计,3,3.00,\n"
    records = list(read_table(written_csv(tmp_path, HEADER + rows)))
    assert [one.problem.code if one.problem else "" for one in records] == [
        "",
        "csv_order_missing",
        "",
        "csv_order_missing",
    ]


def test_a_cell_that_no_workbook_could_hold_is_refused(tmp_path: Path) -> None:
    for text, taken in (("x" * 32_767, True), ("x" * 32_768, False)):
        path = written_csv(tmp_path, HEADER + f"{text},,x,1,1.00,0.06\n")
        if taken:
            assert next(read_table(path)).order_id == text
            continue
        with pytest.raises(MalformedError, match="csv_malformed") as caught:
            next(read_table(path))
        assert "line 2" in caught.value.detail


def test_a_title_may_stand_above_the_header(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (["营业日报表"], ["门店", "南山"], ["订单号", "商品名称", "单价", "税率", "桌号"]):
        sheet.append(row)
    sheet.append(["A", "x", "1.00", "6%"])
    path = tmp_path / "orders.xlsx"
    book.save(path)
    [record] = read_table(path)
    assert (record.problem, record.lines) == (None, (4,))


def test_merged_cells_hold_for_all_their_lines_but_money_never(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (
        ["订单号", "时间", "商品名称", "单价", "税率", "桌号"],
        ["001", "2026-11-28 12:00", "面", "10.00", "6%", "5"],
        [None, None, "茶", "8.00", None, None],
        ["002", "2026-11-28 12:00", "面", "10.00", "6%", "6"],
        [None, None, "茶", None, None, None],
        ["003", "2026-11-28 12:00", "面", "10.00", "6%", "7"],
    ):
        sheet.append(row)
    for merged in ("A2:A3", "B2:B3", "E2:E3", "F2:F3", "A4:B5", "D4:D5", "E4:E5"):
        sheet.merge_cells(merged)
    path = tmp_path / "orders.xlsx"
    book.save(path)
    first, second, third = read_table(path)
    assert [line["name"] for line in request_of(first)["lines"]] == ["面", "茶"]
    assert [line["tax_rate"] for line in request_of(first)["lines"]] == ["0.06", "0.06"]
    assert request_of(first)["business_day"] == "2026-11-28"
    assert first.more == {"桌号": "5"}
    assert second.problem is not None
    assert second.problem.code == "csv_cell_merged"
    assert "line 5: the cell of 单价" in second.problem.detail
    assert third.problem is None


def test_a_formula_that_nobody_has_computed_is_no_empty_cell(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["订单号", "商品名称", "单价", "税率", "优惠金额"])
    sheet.append(["A", "x", "10.00", "6%", "=1+1"])
    path = tmp_path / "orders.xlsx"
    book.save(path)
    [record] = read_table(path)
    assert record.problem is not None
    assert record.problem.code == "csv_cell_destroyed"


def test_days_counted_from_1904_are_four_years_off_and_refused(tmp_path: Path) -> None:
    book = Workbook()
    book.epoch = CALENDAR_MAC_1904
    sheet = book.worksheets[0]
    sheet.append(["订单号", "时间", "商品名称", "单价", "税率"])
    sheet.append(["A", datetime(2026, 11, 28), "x", "10.00", "6%"])  # noqa: DTZ001
    path = tmp_path / "orders.xlsx"
    book.save(path)
    with pytest.raises(MalformedError) as caught:
        list(read_table(path))
    assert caught.value.code == "workbook_dates_1904"


def _packed(path: Path, **members: bytes) -> None:
    with ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (OLE + "Workbook".encode("utf-16-le"), "xls_file"),
        (OLE + bytes(70_000) + "EncryptedPackage".encode("utf-16-le"), "workbook_encrypted"),
        (b"%PDF-1.7\n", "not_a_table"),
        (b"\x89PNG\r\n\x1a\n", "not_a_table"),
        (b"Rar!\x1a\x07\x01\x00", "not_a_table"),
    ],
)
@pytest.mark.parametrize("name", ["orders.xlsx", "orders.csv"])
def test_other_kinds_are_named(tmp_path: Path, content: bytes, code: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MalformedError) as caught:
        list(read_table(path))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}, "ods_file"),
        ({"xl__workbook_dot_bin": b"", "[Content_Types]_dot_xml": b""}, "xls_file"),
        ({"xl__vbaProject_dot_bin": b"", "xl__workbook_dot_xml": b""}, "workbook_macros"),
        ({"word__document_dot_xml": b"", "[Content_Types]_dot_xml": b""}, "not_a_table"),
        ({"photo_dot_jpg": b""}, "not_a_table"),
        ({"[Content_Types]_dot_xml": b""}, "not_xlsx"),
    ],
)
def test_other_packages_are_named(tmp_path: Path, members: dict[str, bytes], code: str) -> None:
    path = tmp_path / "orders.xlsx"
    _packed(path, **members)
    with pytest.raises(MalformedError) as caught:
        list(read_table(path))
    assert caught.value.code == code
