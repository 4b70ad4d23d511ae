"""The restaurant's real year and bills come to their known sums, to the fen."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from importlib.resources import files

from invoice_service.domain.invoice import (
    InvoiceRequest,
    LineRequest,
    Prepared,
    check_request,
    prepare,
)
from invoice_service.domain.money import parse_yuan

from .samples import RATES, RESTAURANT, SALTS


def rows(name: str) -> Iterator[dict[str, str]]:
    source = files("invoice_service").joinpath("data", "sample", name)
    with source.open(encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


def invoice(order_id: str, prices: list[int]) -> Prepared:
    lines = [
        LineRequest(name="*餐饮服务*餐费", unit_price=price, tax_rate="0.06") for price in prices
    ]
    request = InvoiceRequest(order_id=order_id, lines=lines)
    check_request(request, max_lines=100)
    return prepare(request, RESTAURANT, salts=SALTS, rates=RATES)


def test_the_year_is_complete() -> None:
    orders: dict[str, int] = defaultdict(int)
    count = 0
    for row in rows("restaurant_year.csv"):
        orders[row["id"]] += parse_yuan(row["price"])
        count += 1
    assert (count, len(orders), sum(orders.values())) == (49_574, 21_350, 81_786_005)


def test_the_invoices_of_the_year_come_to_its_sum() -> None:
    orders: dict[str, list[int]] = defaultdict(list)
    for row in rows("restaurant_year.csv"):
        orders[row["id"]].append(parse_yuan(row["price"]))
    drafts = [invoice(order_id, prices) for order_id, prices in orders.items()]
    assert len(drafts) == 21_350
    assert sum(draft.total for draft in drafts) == 81_786_005
    assert all(draft.amount + draft.tax == draft.total for draft in drafts)


def test_every_bill_makes_an_invoice() -> None:
    totals = [parse_yuan(row["total_bill"]) for row in rows("restaurant_bills.csv")]
    drafts = [invoice(f"bill-{i}", [total]) for i, total in enumerate(totals)]
    assert [draft.total for draft in drafts] == totals
    assert (len(totals), sum(totals)) == (244, 482_777)
