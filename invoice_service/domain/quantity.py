"""Quantities and fine prices: decimal strings, stored in their shortest form.

A quantity is above 0 and has at most six decimals; a price in yuan is 0 or more, at most eight.
"""

import re
from typing import Final, NamedTuple

from chain.errors import MalformedError

from .money import Fen, divide_half_up

_QUANTITY = re.compile(r"(?P<minus>-?)(?P<whole>0|[1-9][0-9]{0,8})(?:\.(?P<part>[0-9]{1,6}))?")
_PRICE = re.compile(r"(?P<minus>-?)(?P<whole>0|[1-9][0-9]{0,10})(?:\.(?P<part>[0-9]{1,8}))?")
_MILLION = 1_000_000


NOT_NEGATIVE: Final = "a price is 0 or more; what is taken off is a discount"


class Quantity(NamedTuple):
    """A quantity as its shortest text, and exactly, in millionths."""

    text: str
    millionths: int

    def times(self, unit_price: Fen) -> Fen:
        """Fen for this many, rounded once; ``money.line_total`` in integers."""
        return divide_half_up(self.millionths * unit_price, _MILLION)


class Price(NamedTuple):
    """A price in yuan as its shortest text, and exactly, in millionths of a fen."""

    text: str
    millionths: int

    def times(self, quantity: Quantity) -> Fen:
        """Fen for this many, rounded once."""
        return divide_half_up(self.millionths * quantity.millionths, _MILLION * _MILLION)


_ONE = Quantity("1", _MILLION)


def parse_quantity(text: str, pointer: str = "") -> Quantity:
    """Read "2" or "0.35"; "1.50" becomes "1.5".

    Raises MalformedError "quantity_invalid" or "quantity_not_positive".
    """
    if text == "1":  # nearly every line of nearly every invoice
        return _ONE
    match = _QUANTITY.fullmatch(text)
    if not match:
        raise MalformedError(
            "quantity_invalid",
            "a quantity is a decimal like 2 or 0.35, at most 9 digits and 6 decimals",
            pointer=f"{pointer}/quantity",
        )
    text, millionths = _shortest(match, 6)
    if match["minus"] or not millionths:
        raise MalformedError(
            "quantity_not_positive", "a quantity is above 0", pointer=f"{pointer}/quantity"
        )
    return Quantity(text, millionths)


def format_quantity(millionths: int) -> str:
    """The one spelling of a quantity: 1500000 is "1.5"."""
    whole, part = divmod(millionths, _MILLION)
    decimals = f"{part:06}".rstrip("0")
    return f"{whole}.{decimals}" if decimals else str(whole)


def parse_price(text: str, pointer: str = "") -> Price:
    """Read "0.4981" (yuan); "4.50" becomes "4.5".

    Raises MalformedError "unit_price_yuan_invalid" or "unit_price_not_positive".
    """
    match = _PRICE.fullmatch(text)
    where = f"{pointer}/unit_price_yuan"
    if not match:
        raise MalformedError(
            "unit_price_yuan_invalid",
            "a price in yuan is a decimal like 0.4981, at most 11 digits and 8 decimals",
            pointer=where,
        )
    if match["minus"]:
        raise MalformedError("unit_price_not_positive", NOT_NEGATIVE, pointer=where)
    return Price(*_shortest(match, 8))


def _shortest(match: re.Match[str], places: int) -> tuple[str, int]:
    """A decimal without needless zeros, and as an integer with so many places."""
    part = (match["part"] or "").rstrip("0")
    text = f"{match['whole']}.{part}" if part else match["whole"]
    return text, int(match["whole"] + part.ljust(places, "0"))
