"""A hundredth of a shop's orders; all of them: ``make shop``."""

import random
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest

from invoice_service.domain.money import split_tax
from scripts.shop.__main__ import main
from scripts.shop.orders import orders
from scripts.shop.sums import due, total


def test_a_shops_orders_come_to_their_sums(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--orders", "200"]) == 0
    assert "200 orders of" in capsys.readouterr().out


def test_the_data_have_what_shops_sell() -> None:
    found: Counter[str] = Counter()
    for order in orders(1, 2_000):
        found.update(order.keys())
        found["long"] += len(order["lines"]) > 100
        for line in order["lines"]:
            found.update(f"line {name}" for name in line)
            found["free"] += line.get("unit_price") == 0
    assert list(orders(1, 50)) == list(orders(1, 50))
    assert list(orders(1, 50)) != list(orders(2, 50))
    for name in ("discount", "long", "buyer", "free", "line total", "line unit_price_yuan"):
        assert found[name] > 20, name
    assert found["line discount"] > 20
    assert found["line tax_kind"] > 20


def test_the_sums_are_those_of_the_book() -> None:
    """By hand: 3 for 100.00 less 0.50; half a kilogram at 0.4981 a gram; 10.00 off them all."""
    order = {
        "discount": 1000,
        "lines": [
            {"total": 10000, "discount": 50, "tax_rate": "0.06"},
            {"unit_price_yuan": "0.4981", "quantity": "500", "tax_rate": "0.13"},
            {"unit_price": 0, "tax_rate": "0", "tax_kind": "exempt"},
        ],
    }
    # 9950 and 24905 are left, and 34855 together: 285.47 and 714.53 of the thousand.
    first, second = 9950 - 285, 24905 - 715
    expected = {}
    for rate, fen in (("0.06", first), ("0.13", second)):
        expected[rate, "", "amount"], expected[rate, "", "tax"] = split_tax(fen, Decimal(rate))
    assert +due(order) == expected
    assert total(due(order)) == 33855


def test_the_sums_of_an_order_are_all_of_it() -> None:
    rng = random.Random(3)
    for order in orders(rng.randrange(100), 100):
        gross = sum(total(due({"lines": [line]})) for line in order["lines"])
        assert total(due(order)) == gross - order.get("discount", 0)
        for (rate, _, name), fen in due(order).items():
            assert fen >= 0, name
            assert 0 <= Fraction(rate) < 1
