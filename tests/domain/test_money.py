"""Money: one rounding, exact opposites, refusal instead of clamping."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError
from invoice_service.domain.money import (
    LIMIT,
    check_fen,
    divide_half_up,
    format_yuan,
    line_total,
    parse_amount,
    parse_yuan,
    round_half_up,
    split_tax,
)

fen = st.integers(-LIMIT, LIMIT)
rates = st.sampled_from(["0", "0.01", "0.03", "0.05", "0.06", "0.09", "0.13"]).map(Decimal)
quantities = st.decimals("0.000001", "999999", places=6)


@pytest.mark.parametrize(
    ("total", "amount", "tax"),
    [(11300, 10660, 640), (49810, 46991, 2819), (30000, 28302, 1698)],
)
def test_real_invoices_of_the_pilot_split_as_printed(total: int, amount: int, tax: int) -> None:
    assert split_tax(total, Decimal("0.06")) == (amount, tax)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("0.5", 1), ("1.5", 2), ("2.5", 3), ("2.4999999", 2), ("-0.5", -1), ("-2.5", -3), ("0", 0)],
)
def test_a_half_goes_up_never_to_even(value: str, rounded: int) -> None:
    assert round_half_up(Decimal(value)) == rounded
    assert round_half_up(Fraction(value)) == rounded


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**7))
def test_the_integer_rounding_is_the_decimal_modules(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    whole = exact.numerator // exact.denominator
    part = exact - whole
    expected = whole + (part > Fraction(1, 2) or (part == Fraction(1, 2) and numerator > 0))
    assert divide_half_up(numerator, denominator) == expected


@given(st.decimals(-(10**9), 10**9, places=3))
def test_rounding_agrees_with_round_half_up_of_the_decimal_module(value: Decimal) -> None:
    assert round_half_up(value) == value.quantize(Decimal(1), ROUND_HALF_UP)


@given(fen, rates)
def test_amount_and_tax_add_up_and_a_reversal_is_the_exact_opposite(
    total: int, rate: Decimal
) -> None:
    amount, tax = split_tax(total, rate)
    assert amount + tax == total
    assert split_tax(-total, rate) == (-amount, -tax)
    assert abs(Fraction(amount) * (1 + Fraction(rate)) - total) <= (1 + Fraction(rate)) / 2


@given(quantities, st.integers(1, 10**6))
def test_a_line_is_off_by_half_a_fen_at_most(quantity: Decimal, price: int) -> None:
    assert abs(line_total(quantity, price) - Fraction(quantity) * price) <= Fraction(1, 2)


def test_a_long_quantity_times_a_long_price_stays_exact() -> None:
    # 9 + 6 digits by 13: more than the 28 digits that decimal arithmetic keeps by default.
    assert line_total(Decimal("0.999999"), LIMIT) == LIMIT - LIMIT // 10**6


@pytest.mark.parametrize("value", [LIMIT + 1, -LIMIT - 1, 10**40])
def test_an_amount_out_of_range_is_refused_not_clamped(value: int) -> None:
    for act in (
        lambda: check_fen(value, "/total"),
        lambda: split_tax(value, Decimal("0.06")),
        lambda: line_total(Decimal(1), value),
    ):
        with pytest.raises(MalformedError) as caught:
            act()
        assert caught.value.code == "amount_out_of_range"
    assert (check_fen(LIMIT), check_fen(-LIMIT)) == (LIMIT, -LIMIT)


def test_a_line_that_grows_out_of_range_is_refused() -> None:
    with pytest.raises(MalformedError, match="amount_out_of_range"):
        line_total(Decimal(2), LIMIT)


@given(fen)
def test_an_amount_in_a_query_reads_back(value: int) -> None:
    assert parse_amount(str(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        *("", "1e3", "+5", "05", "00", "-0", "--5", "1_000", "1,000", "113.00", " 5", "5 ", "5\n"),
        *("５", "٣", "0x10", "NaN", "-", "true", "1\x00", "99999999999999999999"),
    ],
)
def test_an_amount_has_one_spelling(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_amount(text)
    assert caught.value.code == "amount_invalid"


def test_an_amount_above_the_limit_is_named_as_that() -> None:
    with pytest.raises(MalformedError) as caught:
        parse_amount(str(LIMIT + 1))
    assert caught.value.code == "amount_out_of_range"


@pytest.mark.parametrize(
    ("text", "value"),
    [("469.91", 46991), ("106.6", 10660), ("300", 30000), ("0.05", 5), ("0", 0), ("20.75", 2075)],
)
def test_yuan_become_fen(text: str, value: int) -> None:
    assert parse_yuan(text) == value


@pytest.mark.parametrize("text", ["", "1.", ".5", "1.005", "+1", "01", "1e3", "-1", "１.00", "1\n"])
def test_yuan_of_another_spelling_are_refused(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_yuan(text)
    assert caught.value.code == "amount_invalid"


@given(st.integers(0, LIMIT))
def test_yuan_for_people_read_back(value: int) -> None:
    assert parse_yuan(format_yuan(value)) == value
    assert value == 0 or format_yuan(-value) == "-" + format_yuan(value)
