"""Money as an integer number of fen (CNY 0.01). It rounds in one place; it never clamps."""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeAlias

from chain.errors import MalformedError

Fen: TypeAlias = int

LIMIT: Final[Fen] = 10**13
"""The largest amount either way: CNY 100 thousand million, beyond any invoice."""

_AMOUNT = re.compile(r"0|-?[1-9][0-9]{0,13}")
_TYPED = re.compile(r"[¥￥,，\s]|元$")
"""What stands around the digits of an amount, or between them."""

_YUAN = re.compile(r"(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,2}))?")


def round_half_up(value: Decimal | Fraction) -> int:
    """The nearest integer; a half goes away from zero, so that a reversal is the exact opposite."""
    return divide_half_up(*value.as_integer_ratio())


def divide_half_up(numerator: int, denominator: int) -> int:
    """``round_half_up`` of a fraction given as two integers, ``denominator`` > 0."""
    if numerator < 0:
        return -divide_half_up(-numerator, denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def check_fen(value: int, pointer: str = "") -> Fen:
    """``value`` itself, or MalformedError "amount_out_of_range"."""
    if -LIMIT <= value <= LIMIT:
        return value
    raise MalformedError(
        "amount_out_of_range", f"more than {LIMIT} fen either way is refused", pointer=pointer
    )


def split_tax(total: Fen, rate: Decimal) -> tuple[Fen, Fen]:
    """(amount without tax, tax) of a total that includes tax at ``rate``; the two add up to it."""
    check_fen(total)
    amount = round_half_up(Fraction(total) / (1 + Fraction(rate)))
    return amount, total - amount


def line_total(quantity: Decimal, unit_price: Fen) -> Fen:
    """Fen for ``quantity`` at ``unit_price``, both with tax; rounded once."""
    numerator, denominator = quantity.as_integer_ratio()
    return check_fen(divide_half_up(numerator * check_fen(unit_price), denominator))


def parse_amount(text: str) -> Fen:
    """Fen from a query string: ASCII digits in their one spelling, a minus for a red invoice.

    Raises MalformedError "amount_invalid" or "amount_out_of_range".
    """
    if not _AMOUNT.fullmatch(text):
        raise MalformedError(
            "amount_invalid", "an amount is a whole number of fen in plain digits, like 11300"
        )
    return check_fen(int(text))


def parse_yuan(text: str) -> Fen:
    """Fen from yuan with at most two decimals, as the comma form of the QR code writes them."""
    match = _YUAN.fullmatch(text)
    if not match:
        raise MalformedError(
            "amount_invalid", "an amount in yuan has at most two decimals, like 106.60"
        )
    return check_fen(int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")))


def read_yuan(text: str) -> Fen:
    """The same as people type it: ``¥1,280.00``, ``498.1 元``; raises as ``parse_yuan``."""
    return parse_yuan(_TYPED.sub("", text))


def format_yuan(value: Fen) -> str:
    """Yuan with two decimals, for people: 11300 is "113.00"."""
    yuan, fen = divmod(abs(value), 100)
    return f"{'-' if value < 0 else ''}{yuan}.{fen:02}"
