"""VAT rates: the few decimal strings in force, and prices split by them."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from msgspec import UNSET, UnsetType

from chain.errors import MalformedError

from .money import Fen, divide_half_up

TaxKind: TypeAlias = Literal["exempt", "untaxed"]
"""What rate 0 means beside "zero-rated", which is said by saying nothing: 免税, 不征税."""

NO_TAX: Final = "0"
"""The one rate that has kinds."""

_RATE: Final = re.compile(r"0(?:\.[0-9]{0,3}[1-9])?")


class TaxRates:
    """The rates in force; each has one spelling ("0.06", never "0.060" or "6%")."""

    def __init__(self, rates: Iterable[str]) -> None:
        """Raises MalformedError "tax_rate_unknown" for a text that is not a rate below 1."""
        self._ratios = {text: _ratio(text) for text in rates}

    def __contains__(self, rate: object) -> bool:
        return rate in self._ratios

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(self._ratios)

    def split(self, total: Fen, rate: str, pointer: str = "") -> tuple[Fen, Fen]:
        """``money.split_tax`` for a rate in force, in integers only.

        MalformedError "tax_rate_unknown" for any other.
        """
        ratio = self._ratios.get(rate)
        if ratio is None:
            raise MalformedError(
                "tax_rate_unknown",
                f"the rates in force are {', '.join(self._ratios)}",
                pointer=pointer,
            )
        scale, gross = ratio
        amount = divide_half_up(total * scale, gross)
        return amount, total - amount


def rate_name(rate: str, kind: TaxKind | UnsetType = UNSET) -> str:
    """Under what sums by rate are kept: "0.06", "0", "0 exempt"."""
    return rate if kind is UNSET else f"{rate} {kind}"


def split_rate_name(name: str) -> tuple[str, str]:
    """(rate, kind) of a ``rate_name``; the kind is "" where there is none."""
    rate, _, kind = name.partition(" ")
    return rate, kind


def is_rate(text: str) -> bool:
    """Whether it could be a rate in force."""
    return _RATE.fullmatch(text) is not None


def _ratio(text: str) -> tuple[int, int]:
    """(d, d + n) of the rate n/d: amount = total * d / (d + n)."""
    if not is_rate(text):
        raise MalformedError("tax_rate_unknown", f"not a rate: {text!r}; write it like 0.06")
    numerator, denominator = Decimal(text).as_integer_ratio()
    return denominator, denominator + numerator
