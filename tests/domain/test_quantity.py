"""Quantities: refused, or brought to their one shortest spelling."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError
from invoice_service.domain.money import LIMIT, line_total
from invoice_service.domain.quantity import parse_quantity

texts = st.decimals("0.000001", "999999999", places=6).map(lambda value: f"{value:f}")


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [("1", "1"), ("1.0", "1"), ("1.50", "1.5"), ("0.000001", "0.000001"), ("10", "10"), ("2", "2")],
)
def test_a_quantity_is_kept_in_its_shortest_form(given_text: str, kept: str) -> None:
    assert parse_quantity(given_text).text == kept
    assert parse_quantity(kept) == parse_quantity(given_text)


@given(texts, st.integers(1, 10**4))
def test_times_agrees_with_the_slow_line_total(text: str, price: int) -> None:
    quantity = parse_quantity(text)
    assert Decimal(quantity.text) == Decimal(text)
    assert quantity.times(price) == line_total(Decimal(text), price)


@given(st.integers(1, LIMIT))
def test_one_of_a_thing_costs_its_price(price: int) -> None:
    # "1" takes a short way through; "1.0" takes the long one.
    assert parse_quantity("1").times(price) == price == parse_quantity("1.0").times(price)


@pytest.mark.parametrize("text", ["0", "0.0", "0.000000", "-1", "-0", "-0.5"])
def test_a_quantity_is_above_zero(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_quantity(text, "/lines/4")
    assert (caught.value.code, caught.value.pointer) == (
        "quantity_not_positive",
        "/lines/4/quantity",
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", " 1", "1 ", "1\n", "+1", "01", ".5", "1.", "1e3", "1_000", "1,5", "NaN", "inf"),
        *("１", "٣", "two", "0.0000001", "1234567890", "0x1", "--1", "1.5.0"),
    ],
)
def test_what_is_not_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_quantity(text, "/lines/0")
    assert (caught.value.code, caught.value.pointer) == ("quantity_invalid", "/lines/0/quantity")
