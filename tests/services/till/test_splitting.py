"""A bill in parts: together they are the bill, to the fen, however it is divided."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError
from invoice_service.domain.invoice import InvoiceRequest
from invoice_service.domain.lines import add_up, write_lines
from invoice_service.domain.quantity import format_quantity
from invoice_service.domain.tax import TaxRates
from invoice_service.services.till.shapes import BillContent, PartRequest
from invoice_service.services.till.splitting import Order, check_bill, rest_of, split

RATES = TaxRates(("0.06", "0.13"))
MILLION = 1_000_000


def comes_to(request: InvoiceRequest) -> int:
    """What an invoice over it would come to, computed as issuing does."""
    amount, tax, _ = add_up(write_lines(request, RATES))
    return amount + tax


@st.composite
def bills(draw: st.DrawFn) -> dict[str, Any]:
    """A bill that could be issued, with discounts, odd quantities and free dishes."""
    lines = []
    for number in range(draw(st.integers(1, 5))):
        price, millionths = draw(st.integers(0, 99_999)), draw(st.integers(1, 9 * MILLION))
        gross = (2 * price * millionths + MILLION) // (2 * MILLION)
        lines.append(
            {
                "name": f"dish {number}",
                "unit_price": price,
                "quantity": format_quantity(millionths),
                "discount": draw(st.integers(0, gross)),
                "tax_rate": draw(st.sampled_from(RATES.texts)),
            }
        )
    return {"lines": lines}


def content(bill: dict[str, Any]) -> BillContent:
    return msgspec.convert(bill, BillContent)


def net(bill: dict[str, Any]) -> int:
    whole, *_ = split(content(bill), [PartRequest()])
    return whole.total


@given(bills(), st.data())
def test_parts_by_quantity_are_the_bill(bill: dict[str, Any], data: st.DataObject) -> None:
    bill["discount"] = data.draw(st.integers(0, net(bill)))
    count = data.draw(st.integers(2, 5))
    taken: list[list[dict[str, Any]]] = [[] for _ in range(count)]
    for number, line in enumerate(content(bill).lines, 1):
        left = int(float(line.quantity) * MILLION + 0.5)
        for part in range(count):
            some = left if part == count - 1 else data.draw(st.integers(0, left))
            left -= some
            if some:
                taken[part].append({"line": number, "quantity": format_quantity(some)})
    parts = [msgspec.convert({"lines": lines}, PartRequest) for lines in taken if lines]
    check(bill, parts)


@given(bills(), st.data())
def test_parts_by_amount_are_the_bill(bill: dict[str, Any], data: st.DataObject) -> None:
    bill["discount"] = data.draw(st.integers(0, net(bill)))
    total = net(bill)
    amounts: list[int] = []
    for _ in range(data.draw(st.integers(0, 4))):
        amounts.append(data.draw(st.integers(0, total - sum(amounts))))
    amounts.append(total - sum(amounts))
    parts = [PartRequest(amount=amount) for amount in amounts]
    if all(amounts):
        assert [order.total for order in check(bill, parts)] == amounts
        return
    with pytest.raises(MalformedError) as refused:  # a guest who pays nothing
        split(content(bill), parts)
    assert refused.value.code == "total_zero"


def check(bill: dict[str, Any], parts: list[PartRequest]) -> list[Any]:
    """Each part issues as what it is said to come to, and all come to the bill."""
    check_bill(content(bill), RATES, 100)
    orders = split(content(bill), parts)
    assert [comes_to(order.request) for order in orders] == [order.total for order in orders]
    assert sum(order.total for order in orders) == net(bill) == comes_to(whole(bill))
    for sold in range(1, len(orders)):
        check_rest(bill, orders[:sold], orders[sold:])
    return orders


def check_rest(bill: dict[str, Any], sold: list[Order], left: list[Order]) -> None:
    """A bill without what is sold of it comes to the rest, can be issued, and has no more of it."""
    rest = rest_of(content(bill), [(order.of, order.request.lines) for order in sold])
    if not sum(order.total for order in left):
        return  # nobody would have got an invoice for it
    (again,) = split(rest, [PartRequest()])
    assert again.total == comes_to(again.request) == sum(order.total for order in left)
    check_bill(rest, RATES, 100)
    names = [line.name for line in rest.lines]
    before = {line.name: line for line in content(bill).lines}
    assert names == [name for name in before if name in names]
    for line in rest.lines:
        same_price = line.unit_price == before[line.name].unit_price
        assert same_price or (line.quantity, line.discount) == ("1", 0)


def whole(bill: dict[str, Any]) -> InvoiceRequest:
    return split(content(bill), [PartRequest()])[0].request


def test_an_even_share_has_even_quantities() -> None:
    bill = {"lines": [{"name": "a", "unit_price": 900, "tax_rate": "0.06"}]}
    orders = split(content(bill), [PartRequest(amount=300)] * 3)
    lines = [order.request.lines[0] for order in orders]
    assert [line.quantity for line in lines] == ["0.333334", "0.333333", "0.333333"]


@pytest.mark.parametrize("count", [2, 5])
def test_a_line_that_is_taken_whole_keeps_its_price(count: int) -> None:
    line = {"name": "a", "unit_price": 2800, "quantity": str(count), "tax_rate": "0.06"}
    parts = [msgspec.convert({"lines": [{"line": 1, "quantity": "1"}]}, PartRequest)] * count
    for order in split(content({"lines": [line]}), parts):
        assert order.request.lines[0].unit_price == 2800
