"""The shipped samples, as files of orders: a restaurant's year, and a waiter's bills."""

import csv
import io
from collections.abc import Iterable, Iterator
from importlib.resources import files
from itertools import groupby
from typing import Any, Final

import msgspec

from chain.hashing import sha256
from invoice_service.domain.money import parse_yuan
from invoice_service.files.record import Record, Source, keyed

NAMES: Final = ("bills", "year")
CATERING_RATE: Final = "0.06"


def open_sample(name: str) -> Source:
    """A source for the shipped sample "year" (21,350 orders) or "bills" (244)."""
    read = read_sample_year if name == "year" else read_sample_bills
    return lambda: keyed(read(), sha256(name.encode()))


def read_sample_year() -> Iterator[Record]:
    """A restaurant's year: each row of the sample is one thing sold, its price with tax in yuan."""
    orders = groupby(_sample_rows("restaurant_year.csv"), key=lambda row: row["id"])
    for number, (order_id, group) in enumerate(orders, start=1):
        rows = list(group)
        lines: list[dict[str, Any]] = [
            {
                "name": f"*餐饮服务*{row['name']}",
                "spec": row["size"],
                "unit_price": parse_yuan(row["price"]),
                "tax_rate": CATERING_RATE,
            }
            for row in rows
        ]
        day = rows[0]["date"]
        body = _request(order_id, lines, f"{day} {rows[0]['time']}") | {"business_day": day}
        yield Record(number, order_id, msgspec.json.encode(body), day=day)


def read_sample_bills() -> Iterator[Record]:
    """One waiter's bills; a bill is one line, the meal."""
    for number, row in enumerate(_sample_rows("restaurant_bills.csv"), start=1):
        order_id = f"bill-{number:04}"
        line = {
            "name": "*餐饮服务*餐费",
            "unit_price": parse_yuan(row["total_bill"]),
            "tax_rate": CATERING_RATE,
        }
        body = _request(order_id, [line], f"{row['day']} {row['time']}")
        yield Record(number, order_id, msgspec.json.encode(body))


def _sample_rows(name: str) -> Iterable[dict[str, str]]:
    text = files("invoice_service").joinpath("data", "sample", name).read_text(encoding="utf-8")
    return csv.DictReader(io.StringIO(text))


def _request(order_id: str, lines: list[dict[str, Any]], time: str) -> dict[str, Any]:
    return {"order_id": order_id, "lines": lines, "remark": f"下单时间 {time}"}
