"""Files of orders: what becomes a request, and what is refused with which reason."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import msgspec
import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from chain.errors import MalformedError
from invoice_service.domain.request import Buyer, InvoiceRequest, LineRequest
from invoice_service.files.orders import open_orders, read_table
from invoice_service.files.record import LONGEST_RECORD, Record, read_ndjson
from invoice_service.files.samples import read_sample_bills, read_sample_year

HEADER = "order_id,time,item,quantity,unit_price,tax_rate\n"


def _csv(folder: Path, text: str) -> Path:
    path = folder / "orders.csv"
    path.write_text(text, encoding="utf-8")
    return path


def _request(record: Record) -> dict[str, Any]:
    request: dict[str, Any] = msgspec.json.decode(record.body)
    return request


def test_rows_of_one_order_become_one_request(tmp_path: Path) -> None:
    path = _csv(
        tmp_path,
        HEADER
        + "A-1,2026-01-02 12:00,*餐饮服务*餐费,2,106.60,0.06\n"
        + "A-1,2026-01-02 12:00,*餐饮服务*酒水,1,30,0.06\n"
        + 'A-2,2026-01-02 12:01,"*餐饮服务*粥, 面",0.5,8.5,0.06\n',
    )
    first, second = read_table(path)
    assert (first.number, first.order_id, second.number, second.order_id) == (1, "A-1", 2, "A-2")
    assert _request(first) == {
        "order_id": "A-1",
        "business_day": "2026-01-02",
        "remark": "下单时间 2026-01-02 12:00",
        "lines": [
            {"name": "*餐饮服务*餐费", "quantity": "2", "unit_price": 10660, "tax_rate": "0.06"},
            {"name": "*餐饮服务*酒水", "quantity": "1", "unit_price": 3000, "tax_rate": "0.06"},
        ],
    }
    assert _request(second)["lines"][0] == {
        "name": "*餐饮服务*粥, 面",
        "quantity": "0.5",
        "unit_price": 850,
        "tax_rate": "0.06",
    }


def test_the_byte_order_mark_of_excel_is_no_part_of_the_header(tmp_path: Path) -> None:
    path = _csv(tmp_path, "\ufeff" + HEADER + "A,,x,1,1.00,0.06\n")
    assert [record.order_id for record in read_table(path)] == ["A"]


@pytest.mark.parametrize("price", ["1e3", "１２", "1.005", "", "5,00", "+5", "--5", "NaN"])
def test_a_price_that_is_no_amount_refuses_its_order_only(tmp_path: Path, price: str) -> None:
    path = _csv(tmp_path, HEADER + f'A,,x,1,1.00,0.06\nA,,y,1,"{price}",0.06\nB,,x,1,1.00,0.06\n')
    bad, good = read_table(path)
    assert bad.problem is not None
    assert (bad.problem.code, bad.problem.pointer) == ("amount_invalid", "/lines/1/unit_price")
    assert "line 3" in bad.problem.detail
    assert bad.body == b""
    assert good.problem is None


def test_a_negative_price_goes_to_the_service_which_refuses_it(tmp_path: Path) -> None:
    [record] = read_table(_csv(tmp_path, HEADER + "A,,x,1,-5.00,0.06\n"))
    assert _request(record)["lines"][0]["unit_price"] == -500


def test_further_columns_say_what_else_a_line_has(tmp_path: Path) -> None:
    header = HEADER.strip() + ",tax_kind,discount,total,unit_price_yuan\n"
    rows = (
        "A,,x,2,10.00,0,exempt,1.50,,\n"
        "A,,y,3,,0.06,,,100.00,\n"
        "A,,z,1000,,0.06,,,,0.4981\n"
        "A,,free,1,0,0.06,,,,\n"
    )
    [record] = read_table(_csv(tmp_path, header + rows))
    assert _request(record)["lines"] == [
        {
            "name": "x",
            "quantity": "2",
            "unit_price": 1000,
            "tax_rate": "0",
            "tax_kind": "exempt",
            "discount": 150,
        },
        {"name": "y", "quantity": "3", "tax_rate": "0.06", "total": 10000},
        {"name": "z", "quantity": "1000", "tax_rate": "0.06", "unit_price_yuan": "0.4981"},
        {"name": "free", "quantity": "1", "unit_price": 0, "tax_rate": "0.06"},
    ]


@pytest.mark.parametrize(
    ("row", "pointer"),
    [
        ("A,,x,1,1.00,0.06,1.005,", "/lines/0/discount"),
        ("A,,x,1,,0.06,,1e3", "/lines/0/total"),
        ("A,,x,1,,0.06,1.00,", "/lines/0/unit_price"),
    ],
)
def test_a_further_column_that_is_no_amount_refuses_its_order(
    tmp_path: Path, row: str, pointer: str
) -> None:
    header = HEADER.strip() + ",discount,total\n"
    bad, good = read_table(_csv(tmp_path, f"{header}{row}\nB,,x,1,1.00,0.06,,\n"))
    assert bad.problem is not None
    assert (bad.problem.code, bad.problem.pointer) == ("amount_invalid", pointer)
    assert good.problem is None


@pytest.mark.parametrize("more", ["price", "discount,discount", "单价"])
def test_two_columns_for_one_thing_refuse_the_file(tmp_path: Path, more: str) -> None:
    path = _csv(tmp_path, f"{HEADER.strip()},{more}\nA,,x,1,1.00,0.06,1\n")
    with pytest.raises(MalformedError) as caught:
        next(read_table(path))
    assert caught.value.code == "csv_header_unknown"


def test_a_row_with_too_few_fields_refuses_its_order(tmp_path: Path) -> None:
    bad, good = read_table(_csv(tmp_path, HEADER + "A,,x,1,5.00\nB,,x,1,5.00,0.06\n"))
    assert bad.problem is not None
    assert bad.problem.code == "csv_row_malformed"
    assert good.problem is None


def test_an_order_whose_rows_are_apart_refuses_the_file_before_anything(tmp_path: Path) -> None:
    path = _csv(tmp_path, HEADER + "A,,x,1,1.00,0.06\nB,,x,1,1.00,0.06\nA,,y,1,1.00,0.06\n")
    with pytest.raises(MalformedError) as caught:
        list(read_table(path))
    assert caught.value.code == "csv_order_scattered"
    assert "line 4" in caught.value.detail
    assert "line 2" in caught.value.detail
    assert "sort" not in caught.value.detail  # which would make one sale of two


@pytest.mark.parametrize(
    ("first", "second", "days"),
    [
        ("2026/11/28 12:01", "2026/11/29 09:01", ["2026-11-28", "2026-11-29"]),
        ("2026年11月28日 12时01", "2026.11.29 09:01:30", ["2026-11-28", "2026-11-29"]),
        ("2026-11-29T09:01", "2026-11-28T12:01", ["2026-11-29", "2026-11-28"]),
        ("2026/11/8 12:01", "2026-11-08 23:59", ["2026-11-08"]),
        ("2026/11/8", "2026-11-08 23:59", ["2026-11-08"]),
        ("12:01", "12:05:30", [None]),
        ("28.11.2026 12:01", "28.11.2026 12:05", [None]),
        ("1900-01-00", "1900-01-00", [None]),
        ("", "", [None]),
    ],
)
def test_one_number_on_two_days_is_two_sales_and_never_their_sum(
    tmp_path: Path, first: str, second: str, days: list[str | None]
) -> None:
    rows = f"t1,{first},x,1,28.00,0.06\nt1,{second},x,1,28.00,0.06\nt2,,y,1,1.00,0.06\n"
    *sales, other = map(_request, read_table(_csv(tmp_path, HEADER + rows)))
    assert [sale.get("business_day") for sale in sales] == days
    assert [sale["order_id"] for sale in sales] == ["t1"] * len(days)
    assert sum(len(sale["lines"]) for sale in sales) == 2
    assert other["order_id"] == "t2"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2026/11/28 23:58", "2026/11/29 00:04"),  # a meal past midnight, or two
        ("2026/11/28 23:58", "2026/11/29 05:57"),
        ("2026-11-28T12:01", "2026年11月29日"),
        ("28.11.2026 12:01", "29.11.2026 12:01"),
        ("2026/11/28 12:01", ""),
        ("12:01", "2026/11/28 12:01"),
    ],
)
def test_what_may_be_one_sale_or_two_is_refused_with_both_lines(
    tmp_path: Path, first: str, second: str
) -> None:
    rows = f"t0,,y,1,1.00,0.06\nt1,{first},x,1,28.00,0.06\nt1,{second},x,1,28.00,0.06\n"
    _, sale = read_table(_csv(tmp_path, HEADER + rows))
    assert sale.problem is not None
    assert (sale.problem.code, sale.body) == ("csv_order_two_days", b"")
    assert "(line 3)" in sale.problem.detail
    assert "(line 4)" in sale.problem.detail
    assert "sort" not in sale.problem.detail


def test_a_number_that_comes_again_on_another_day_is_another_order(tmp_path: Path) -> None:
    path = _csv(
        tmp_path,
        HEADER
        + "1,2026-11-28 12:00,x,1,1.00,0.06\n2,2026-11-28 12:01,x,1,1.00,0.06\n"
        + "1,2026-11-29 12:00,x,1,1.00,0.06\n2,2026-11-29 12:01,x,1,1.00,0.06\n",
    )
    orders = [_request(record) for record in read_table(path)]
    assert [(one["order_id"], one["business_day"][-2:]) for one in orders] == [
        ("1", "28"),
        ("2", "28"),
        ("1", "29"),
        ("2", "29"),
    ]


def test_without_a_day_an_order_is_known_by_its_place_in_this_very_file(tmp_path: Path) -> None:
    """The same file again is the same orders; tomorrow's with the same numbers is not."""
    one, other = "A,,x,1,1.00,0.06\nB,2026-11-28,x,1,1.00,0.06\n", "C,,y,1,1.00,0.06\n"
    today, again = (list(open_orders(_csv(tmp_path, HEADER + one))()) for _ in range(2))
    tomorrow = list(open_orders(_csv(tmp_path, HEADER + one + other))())
    assert today == again
    assert [bool(record.key) for record in tomorrow] == [True, False, True]
    assert tomorrow[0].key != today[0].key
    assert tomorrow[0].body == today[0].body
    sent = msgspec.json.decode(today[0].sent())
    assert sent.pop("idempotency_key") == today[0].key
    assert sent == _request(today[0])
    assert today[1].sent() == today[1].body


def test_a_line_of_ndjson_gets_a_key_only_where_nothing_else_tells_it(tmp_path: Path) -> None:
    path = tmp_path / "orders.ndjson"
    lines = [
        b'{"order_id":"A"}',
        b'{"order_id":"A","business_day":"2026-11-28"}',
        b'{"order_id":"A","idempotency_key":"mine"}',
        b"not json",
        b"[]",
        b"{}",
    ]
    path.write_bytes(b"\n".join(lines))
    records = list(open_orders(path)())
    assert [bool(record.key) for record in records] == [True, False, False, False, False, False]
    assert [record.sent() for record in records[1:]] == lines[1:]


@pytest.mark.parametrize("number", ["2.02611E+17", "1E+15"])
def test_a_number_that_a_spreadsheet_has_rounded_is_named(tmp_path: Path, number: str) -> None:
    [order] = read_table(_csv(tmp_path, HEADER + f"{number},,x,1,1.00,0.06\n"))
    assert order.problem is not None
    assert order.problem.code == "csv_number_destroyed"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "csv_header_unknown"),
        (b"order,amount\n", "csv_header_unknown"),
        (HEADER.encode() + "A,,餐饮服务".encode()[:-1] + b",1,1.00,0.06\n", "not_utf8"),
        (HEADER.encode() + b"A,,caf\xe9,1,1.00,0.06\n", "not_utf8"),
        (("\ufeff" + HEADER).encode() + "A,,餐费,1,1.00,0.06\n".encode("gbk"), "not_utf8"),
        (HEADER.encode() + b'A,,"x"y,1,1.00,0.06\n', "csv_malformed"),
    ],
)
def test_a_file_that_is_not_this_csv_is_refused_whole(
    tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    with pytest.raises(MalformedError) as caught:
        list(read_table(path))
    assert caught.value.code == code


def test_lines_of_ndjson_go_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "orders.ndjson"
    path.write_bytes(b'{"order_id":"A"}\r\n\n  \nnot json\n{"order_id":7}\n{"order_id":"\xff"}')
    records = list(read_ndjson(path))
    assert [record.body for record in records] == [
        b'{"order_id":"A"}',
        b"not json",
        b'{"order_id":7}',
        b'{"order_id":"\xff"}',
    ]
    assert [record.number for record in records] == [1, 2, 3, 4]
    assert [record.order_id for record in records] == ["A", "", "", ""]


def test_an_endless_line_is_refused_without_being_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "orders.ndjson"
    path.write_bytes(b"x" * (3 * LONGEST_RECORD) + b'\n{"order_id":"A"}\n')
    long, short = read_ndjson(path)
    assert long.problem is not None
    assert (long.problem.code, long.body) == ("body_too_large", b"")
    assert (short.number, short.order_id, short.problem) == (2, "A", None)


def test_the_name_or_the_beginning_says_which_form_a_file_has(tmp_path: Path) -> None:
    table, listed = HEADER + "A,,x,1,1.00,0.06\n", '\ufeff{"order_id":"B"}\n'
    for name, text, order_id in (
        ("ORDERS.CSV", table, "A"),
        ("orders.txt", table, "A"),
        ("orders.ndjson", listed, "B"),
        ("orders", listed, "B"),
    ):
        path = _csv(tmp_path, text).rename(tmp_path / name)
        assert [record.order_id for record in open_orders(path)()] == [order_id]


def test_the_sample_year_is_whole() -> None:
    records = list(read_sample_year())
    lines = [line for record in records for line in _request(record)["lines"]]
    assert len(records) == len({record.order_id for record in records}) == 21_350
    assert len(lines) == 49_574
    assert sum(line["unit_price"] for line in lines) == 81_786_005


def test_the_sample_bills_are_whole() -> None:
    records = list(read_sample_bills())
    assert len({record.order_id for record in records}) == 244
    assert sum(_request(record)["lines"][0]["unit_price"] for record in records) == 482_777


CHINESE = "订单号,时间,商品名称,数量,单价（元）,税率,桌号\n"
DAY = "A-1,2026/11/28 12:00,*餐饮服务*餐费,2,106.60,6%,12\n"
WANTED = {
    "order_id": "A-1",
    "remark": "下单时间 2026/11/28 12:00",
    "business_day": "2026-11-28",
    "lines": [{"name": "*餐饮服务*餐费", "quantity": "2", "unit_price": 10660, "tax_rate": "0.06"}],
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_chinese_columns_are_known_in_the_encodings_of_windows(
    tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes((CHINESE + DAY).encode(encoding))
    [record] = read_table(path)
    assert _request(record) == WANTED
    assert record.more == {"桌号": "12"}


def test_columns_stand_in_any_order_and_others_are_kept(tmp_path: Path) -> None:
    path = _csv(
        tmp_path,
        "Waiter,Tax Rate,unit price,qty,Name,table,Order No\n"
        "li,6%,1.00,1,x,3,A\nli,6%,2.00,1,y,4,A\n,6%,2.00,1,y,,B\n",
    )
    first, second = read_table(path)
    assert first.more == {"Waiter": "li", "table": "3 | 4"}
    assert second.more == {}
    assert [line["unit_price"] for line in _request(first)["lines"]] == [100, 200]
    assert "remark" in _request(first)


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
    [record] = read_table(_csv(tmp_path, HEADER + f"A,,x,1,{cell},0.06\n"))
    assert _request(record)["lines"][0]["unit_price"] == fen


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
    [record] = read_table(_csv(tmp_path, HEADER + f"A,,x,1,1.00,{cell}\n"))
    line = _request(record)["lines"][0]
    assert (line["tax_rate"], line.get("tax_kind")) == (rate, kind)


def test_rows_of_commas_and_line_ends_in_cells_are_passed_over(tmp_path: Path) -> None:
    rows = 'A,,"two\r\nlines",1.00,1.00,0.06\n,,,,,\n ,\u3000,,,,\nB,,x,"1,000",1.00,0.06\n'
    first, second = read_table(_csv(tmp_path, HEADER + rows))
    assert _request(first)["lines"][0]["name"] == "two lines"
    assert _request(first)["lines"][0]["quantity"] == "1"
    assert _request(second)["lines"][0]["quantity"] == "1000"


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
    ],
)
def test_what_a_spreadsheet_has_destroyed_is_refused_by_cause(
    tmp_path: Path, number: str, item: str, code: str, cause: str
) -> None:
    rows = f"{number},,{item},1,1.00,0.06\nB,,x,1,1.00,0.06\n"
    bad, good = read_table(_csv(tmp_path, HEADER + rows))
    assert bad.problem is not None
    assert bad.problem.code == code
    assert cause in bad.problem.detail
    assert "line 2" in bad.problem.detail
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
    assert _request(first) == WANTED | {
        "order_id": "001",
        "remark": "下单时间 2026-11-28 12:00",
    }
    assert first.more == {"桌号": "12"}
    assert _request(second)["lines"][0]["unit_price"] == 2830
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
    """All but amount, tax and idempotency_key: a table gives its orders keys of its own."""
    rows = f"{','.join(EVERY)}\n{','.join(EVERY.values())}\n"
    [record] = read_table(_csv(tmp_path, rows))
    request = _request(record)
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
    assert {*request, "amount", "tax"} == {
        field.name for field in msgspec.structs.fields(InvoiceRequest)
    }
    assert {*request["buyer"]} == {field.name for field in msgspec.structs.fields(Buyer)}


def test_what_is_said_of_an_order_is_said_once_or_the_same(tmp_path: Path) -> None:
    header = "order_id,item,unit_price,tax_rate,整单优惠,buyer,buyer_kind\n"
    rows = (
        "A,x,10.00,0.06,1.00,某局,组织\nA,y,10.00,0.06,,,\nA,z,1.00,6%,1.00,某局,组织\n"
        "B,x,10.00,0.06,1.00,,\nB,y,10.00,0.06,2.00,,\n"
    )
    same, other = read_table(_csv(tmp_path, header + rows))
    assert _request(same)["discount"] == 100
    assert _request(same)["buyer"] == {"kind": "organisation", "name": "某局"}
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
    records = list(read_table(_csv(tmp_path, header + rows)))
    assert [(one.till, one.day, one.part) for one in records] == [
        ("T1", "2026-11-28", 0),
        ("T2", "2026-11-28", 0),
        ("T2", "2026-11-29", 1),
        ("T2", "2026-11-29", 2),
    ]
    with pytest.raises(MalformedError) as caught:
        list(read_table(_csv(tmp_path, header + rows + f"1,{places[0]},y,1.00,6%\n")))
    assert caught.value.code == "csv_order_scattered"


def test_a_day_that_is_given_holds_past_midnight(tmp_path: Path) -> None:
    rows = (
        "A,2026-11-28 23:58,2026-11-28,x,1,1.00,6%\nA,2026-11-29 00:07,2026-11-28,y,1,1.00,6%\n"
        "B,2026-11-29 00:07,28.11.2026,y,1,1.00,6%\n"
    )
    one, bad = read_table(
        _csv(tmp_path, "order_id,time,营业日,item,quantity,unit_price,tax_rate\n" + rows)
    )
    assert _request(one)["business_day"] == "2026-11-28"
    assert len(_request(one)["lines"]) == 2
    assert _request(bad)["business_day"] == "28.11.2026"  # which the service refuses by name


@pytest.mark.parametrize(
    ("cell", "refused"), [("", False), ("0", False), ("0.88", True), ("8", True)]
)
def test_a_discount_that_may_be_a_rate_is_taken_for_neither(
    tmp_path: Path, cell: str, refused: bool
) -> None:
    header = "order_id,item,unit_price,tax_rate,折扣\n"
    [record] = read_table(_csv(tmp_path, f"{header}A,x,10.00,6%,{cell}\n"))
    assert (record.problem is not None) == refused
    if record.problem:
        assert record.problem.code == "csv_discount_unclear"


def test_a_line_without_a_number_is_named_and_no_others_are_lost(tmp_path: Path) -> None:
    rows = "A,,x,1,1.00,6%\n,,x,1,1.00,6%\nB,,x,1,1.00,6%\n,,合计,3,3.00,\n"
    records = list(read_table(_csv(tmp_path, HEADER + rows)))
    assert [one.problem.code if one.problem else "" for one in records] == [
        "",
        "csv_order_missing",
        "",
        "csv_order_missing",
    ]


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
    assert [line["name"] for line in _request(first)["lines"]] == ["面", "茶"]
    assert [line["tax_rate"] for line in _request(first)["lines"]] == ["0.06", "0.06"]
    assert _request(first)["business_day"] == "2026-11-28"
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
