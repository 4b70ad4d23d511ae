"""Tax rates: one spelling each, and a split that agrees with the slow definition."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError
from invoice_service.domain.money import LIMIT, split_tax
from invoice_service.domain.tax import TaxRates

from .samples import RATES


@given(st.integers(-LIMIT, LIMIT), st.sampled_from(RATES.texts))
def test_the_split_in_integers_is_the_slow_one(total: int, rate: str) -> None:
    assert RATES.split(total, rate) == split_tax(total, Decimal(rate))


@pytest.mark.parametrize("rate", ["0.060", "6%", ".06", "0.07", "", "0.0", "-0.06", "０.06", "6"])
def test_a_rate_that_is_not_in_force_is_refused_by_name(rate: str) -> None:
    assert rate not in RATES
    with pytest.raises(MalformedError) as caught:
        RATES.split(100, rate, "/lines/0/tax_rate")
    assert (caught.value.code, caught.value.pointer) == ("tax_rate_unknown", "/lines/0/tax_rate")
    assert "0.06" in caught.value.detail


@pytest.mark.parametrize("rate", ["0.060", "1", "6%", "", "-0.01", "0.00", "0.00001"])
def test_rates_from_the_settings_are_read_as_strictly(rate: str) -> None:
    with pytest.raises(MalformedError) as caught:
        TaxRates(["0.06", rate])
    assert caught.value.code == "tax_rate_unknown"


def test_the_rates_in_force_can_be_listed() -> None:
    assert TaxRates(["0", "0.06"]).texts == ("0", "0.06")
    assert "0.06" in RATES
