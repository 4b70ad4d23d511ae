"""Quantities: decimal strings above 0 with at most six decimals, stored in their shortest form."""

import re
from typing import NamedTuple

from chain.errors import MalformedError

from .money import Fen, divide_half_up

_QUANTITY = re.compile(r"(?P<minus>-?)(?P<whole>0|[1-9][0-9]{0,8})(?:\.(?P<part>[0-9]{1,6}))?")
_MILLION = 1_000_000


class Quantity(NamedTuple):
    """A quantity as its shortest text, and exactly, in millionths."""

    text: str
    millionths: int

    def times(self, unit_price: Fen) -> Fen:
        """Fen for this many, rounded once; ``money.line_total`` in integers."""
        return divide_half_up(self.millionths * unit_price, _MILLION)


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
    part = (match["part"] or "").rstrip("0")
    millionths = int(match["whole"] + part.ljust(6, "0"))
    if match["minus"] or not millionths:
        raise MalformedError(
            "quantity_not_positive", "a quantity is above 0", pointer=f"{pointer}/quantity"
        )
    return Quantity(f"{match['whole']}.{part}" if part else match["whole"], millionths)
