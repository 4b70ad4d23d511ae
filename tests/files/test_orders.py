"""Files of orders: what becomes a request, and what is refused with which reason."""

from pathlib import Path

import msgspec
import pytest

from chain.errors import MalformedError
from invoice_service.files.orders import open_orders, read_table
from invoice_service.files.record import LONGEST_RECORD, read_ndjson
from invoice_service.files.samples import read_sample_bills, read_sample_year
from tests.files.written import request_of, written_csv

HEADER = "order_id,time,item,quantity,unit_price,tax_rate\n"


def test_rows_of_one_order_become_one_request(tmp_path: Path) -> None:
    path = written_csv(
        tmp_path,
        HEADER
        + "A-1,2026-01-02 12:00,*餐饮服务*餐费,2,106.60,0.06\n"
        + "A-1,2026-01-02 12:00,*餐饮服务*酒水,1,30,0.06\n"
        + 'A-2,2026-01-02 12:01,"*餐饮服务*粥, 面",0.5,8.5,0.06\n',
    )
    first, second = read_table(path)
    assert (first.number, first.order_id, second.number, second.order_id) == (1, "A-1", 2, "A-2")
    assert request_of(first) == {
        "order_id": "A-1",
        "business_day": "2026-01-02",
        "remark": "下单时间 2026-01-02 12:00",
        "lines": [
            {"name": "*餐饮服务*餐费", "quantity": "2", "unit_price": 10660, "tax_rate": "0.06"},
            {"name": "*餐饮服务*酒水", "quantity": "1", "unit_price": 3000, "tax_rate": "0.06"},
        ],
    }
    assert request_of(second)["lines"][0] == {
        "name": "*餐饮服务*粥, 面",
        "quantity": "0.5",
        "unit_price": 850,
        "tax_rate": "0.06",
    }


def test_the_byte_order_mark_of_excel_is_no_part_of_the_header(tmp_path: Path) -> None:
    path = written_csv(tmp_path, "\ufeff" + HEADER + "A,,x,1,1.00,0.06\n")
    assert [record.order_id for record in read_table(path)] == ["A"]


@pytest.mark.parametrize("price", ["1e3", "１２", "1.005", "", "5,00", "+5", "--5", "NaN"])
def test_a_price_that_is_no_amount_refuses_its_order_only(tmp_path: Path, price: str) -> None:
    path = written_csv(
        tmp_path, HEADER + f'A,,x,1,1.00,0.06\nA,,y,1,"{price}",0.06\nB,,x,1,1.00,0.06\n'
    )
    bad, good = read_table(path)
    assert bad.problem is not None
    assert (bad.problem.code, bad.problem.pointer) == ("amount_invalid", "/lines/1/unit_price")
    assert "line 3" in bad.problem.detail
    assert bad.body == b""
    assert good.problem is None


def test_a_negative_price_goes_to_the_service_which_refuses_it(tmp_path: Path) -> None:
    [record] = read_table(written_csv(tmp_path, HEADER + "A,,x,1,-5.00,0.06\n"))
    assert request_of(record)["lines"][0]["unit_price"] == -500


def test_further_columns_say_what_else_a_line_has(tmp_path: Path) -> None:
    header = HEADER.strip() + ",tax_kind,discount,total,unit_price_yuan\n"
    rows = (
        "A,,x,2,10.00,0,exempt,1.50,,\n"
        "A,,y,3,,0.06,,,100.00,\n"
        "A,,z,1000,,0.06,,,,0.4981\n"
        "A,,free,1,0,0.06,,,,\n"
    )
    [record] = read_table(written_csv(tmp_path, header + rows))
    assert request_of(record)["lines"] == [
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
    bad, good = read_table(written_csv(tmp_path, f"{header}{row}\nB,,x,1,1.00,0.06,,\n"))
    assert bad.problem is not None
    assert (bad.problem.code, bad.problem.pointer) == ("amount_invalid", pointer)
    assert good.problem is None


@pytest.mark.parametrize("more", ["price", "discount,discount", "单价"])
def test_two_columns_for_one_thing_refuse_the_file(tmp_path: Path, more: str) -> None:
    path = written_csv(tmp_path, f"{HEADER.strip()},{more}\nA,,x,1,1.00,0.06,1\n")
    with pytest.raises(MalformedError) as caught:
        next(read_table(path))
    assert caught.value.code == "csv_header_unknown"


def test_a_row_with_too_few_fields_refuses_its_order(tmp_path: Path) -> None:
    bad, good = read_table(written_csv(tmp_path, HEADER + "A,,x,1,5.00\nB,,x,1,5.00,0.06\n"))
    assert bad.problem is not None
    assert bad.problem.code == "csv_row_malformed"
    assert good.problem is None


def test_an_order_whose_rows_are_apart_refuses_the_file_before_anything(tmp_path: Path) -> None:
    path = written_csv(tmp_path, HEADER + "A,,x,1,1.00,0.06\nB,,x,1,1.00,0.06\nA,,y,1,1.00,0.06\n")
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
    *sales, other = map(request_of, read_table(written_csv(tmp_path, HEADER + rows)))
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
    _, sale = read_table(written_csv(tmp_path, HEADER + rows))
    assert sale.problem is not None
    assert (sale.problem.code, sale.body) == ("csv_order_two_days", b"")
    assert "(line 3)" in sale.problem.detail
    assert "(line 4)" in sale.problem.detail
    assert "sort" not in sale.problem.detail


def test_a_number_that_comes_again_on_another_day_is_another_order(tmp_path: Path) -> None:
    path = written_csv(
        tmp_path,
        HEADER
        + "1,2026-11-28 12:00,x,1,1.00,0.06\n2,2026-11-28 12:01,x,1,1.00,0.06\n"
        + "1,2026-11-29 12:00,x,1,1.00,0.06\n2,2026-11-29 12:01,x,1,1.00,0.06\n",
    )
    orders = [request_of(record) for record in read_table(path)]
    assert [(one["order_id"], one["business_day"][-2:]) for one in orders] == [
        ("1", "28"),
        ("2", "28"),
        ("1", "29"),
        ("2", "29"),
    ]


def test_without_a_day_an_order_is_known_by_its_place_in_this_very_file(tmp_path: Path) -> None:
    """The same file again is the same orders; tomorrow's with the same numbers is not."""
    one, other = "A,,x,1,1.00,0.06\nB,2026-11-28,x,1,1.00,0.06\n", "C,,y,1,1.00,0.06\n"
    today, again = (list(open_orders(written_csv(tmp_path, HEADER + one))()) for _ in range(2))
    tomorrow = list(open_orders(written_csv(tmp_path, HEADER + one + other))())
    assert today == again
    assert [bool(record.key) for record in tomorrow] == [True, False, True]
    assert tomorrow[0].key != today[0].key
    assert tomorrow[0].body == today[0].body
    sent = msgspec.json.decode(today[0].sent())
    assert sent.pop("idempotency_key") == today[0].key
    assert sent == request_of(today[0])
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
    [order] = read_table(written_csv(tmp_path, HEADER + f"{number},,x,1,1.00,0.06\n"))
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
        path = written_csv(tmp_path, text).rename(tmp_path / name)
        assert [record.order_id for record in open_orders(path)()] == [order_id]


def test_the_sample_year_is_whole() -> None:
    records = list(read_sample_year())
    lines = [line for record in records for line in request_of(record)["lines"]]
    assert len(records) == len({record.order_id for record in records}) == 21_350
    assert len(lines) == 49_574
    assert sum(line["unit_price"] for line in lines) == 81_786_005


def test_the_sample_bills_are_whole() -> None:
    records = list(read_sample_bills())
    assert len({record.order_id for record in records}) == 244
    assert sum(request_of(record)["lines"][0]["unit_price"] for record in records) == 482_777
