"""How a text stands in its box: its letters' size, and its rows.

The font is fixed in width, so that rows are counted here and not by who sets the page: the same
text always breaks at the same places, and no word of any length runs out of its box.
"""

from typing import Final

import msgspec

from invoice_service.documents.columns import printable, wrapped
from invoice_service.documents.letters_of_font import letters_of

MILLIMETRES: Final = 25.4 / 72  # noqa: RUF100 # of a point
LEADING: Final = 1.25
"""From one row to the next, in sizes of the letters."""
SIZES: Final = (9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0)
"""In points, the largest first."""

MISSING: Final = "〓"
"""Stands for a letter that the font lacks, as printers have set it since lead type."""


class Fitted(msgspec.Struct, frozen=True):
    """A text in its box; the size in points."""

    size: float
    rows: list[str]


def fitted(text: str, width: float, height: float, largest: float = SIZES[0]) -> Fitted:
    """The text as large as a box of so many millimetres lets it be, and all of it."""
    shown = shown_text(text)
    for size in SIZES:
        rows = wrapped(shown, columns_in(width, size))
        if size <= largest and len(rows) * size * LEADING * MILLIMETRES <= height:
            return Fitted(size, rows)
    return Fitted(SIZES[-1], wrapped(shown, columns_in(width, SIZES[-1])))


def columns_in(width: float, size: float) -> int:
    """How many columns of letters of ``size`` points stand in ``width`` millimetres."""
    return max(2, int(width / (size * MILLIMETRES / 2)))


def shown_text(text: str) -> str:
    """What is printed of a text: whatever the font lacks is MISSING, and never left out."""
    return "".join(sign if in_font(sign) else MISSING for sign in printable(text))


def missing_in(text: str) -> list[str]:
    """The letters that the font lacks, in order, once each."""
    return [sign for sign in dict.fromkeys(printable(text)) if not in_font(sign)]


def in_font(sign: str) -> bool:
    """Whether the font has it (scripts/font.py says what)."""
    return " " <= sign <= "~" or (not sign.isascii() and ord(sign) in letters_of())
