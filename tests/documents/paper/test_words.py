"""Money in words: by examples, and against a slow definition, sign by sign."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoice_service.documents.paper.words import in_words
from invoice_service.domain.money import LIMIT

DIGITS = "零壹贰叁肆伍陆柒捌玖"


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (49810, "肆佰玖拾捌元壹角整"),
        (30000, "叁佰元整"),
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角整"),
        (55, "伍角伍分"),
        (100, "壹元整"),
        (105, "壹元零伍分"),
        (1000_00, "壹仟元整"),
        (1001_00, "壹仟零壹元整"),
        (10_10, "壹拾元壹角整"),
        (100_000_00, "壹拾万元整"),
        (100_001_00, "壹拾万零壹元整"),
        (10**8 * 100, "壹亿元整"),
        (-49810, "（负数）肆佰玖拾捌元壹角整"),
        (LIMIT, "壹仟亿元整"),
    ],
)
def test_what_clerks_write(fen: int, words: str) -> None:
    assert in_words(fen) == words


def read(words: str) -> int:
    """The fen that words say, read from left to right."""
    sign = -1 if words.startswith("（负数）") else 1
    total = part = 0
    digit: int | None = None
    for letter in words.removeprefix("（负数）").removesuffix("整"):
        if letter in DIGITS:
            digit = DIGITS.index(letter)
        elif letter in "拾佰仟":
            part += (digit or 0) * 10 ** ("拾佰仟".index(letter) + 1)
            digit = None
        elif letter == "万":
            total, part, digit = total + (part + (digit or 0)) * 10_000, 0, None
        elif letter == "亿":
            total, part, digit = (total + part + (digit or 0)) * 10**8, 0, None
        elif letter == "元":
            total, part, digit = (total + part + (digit or 0)) * 100, 0, None
        else:
            total += (digit or 0) * (10 if letter == "角" else 1)
            digit = None
    assert digit is None, words
    return sign * total


@given(st.integers(-LIMIT, LIMIT))
def test_words_say_the_amount_and_nothing_else(fen: int) -> None:
    words = in_words(fen)
    assert read(words) == fen
    assert "零零" not in words
    assert words.endswith(("整", "分"))
    assert words.count("元") <= 1
