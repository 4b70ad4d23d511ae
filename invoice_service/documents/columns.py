"""A slip's printed lines: columns of 12 dots, of which a Chinese character takes two.

What is too wide goes on in the next line; nothing is cut off, and a figure never is broken.
"""

import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from invoice_service.documents.qr import LEAST_MODULE_DOTS, modules_of
from invoice_service.documents.slip import Align, Block, Code, Pair, Paper, Rule, Slip, Text
from invoice_service.domain.text import drop_unseen

MOST_MODULE_DOTS: Final = 6
QUIET_MODULES: Final = 4
"""White on each side of a code (ISO/IEC 18004); the lines above and below leave more."""


class Line(NamedTuple):
    """One printed line, no wider than the paper: its letters ``across`` and ``down`` so often."""

    text: str
    align: Align = "left"
    bold: bool = False
    across: int = 1
    down: int = 1


class Symbol(NamedTuple):
    """A QR code, and how many dots each of its modules has."""

    text: str
    dots: int


Printed: TypeAlias = Line | Symbol


def printed(slip: Slip) -> Iterator[Printed]:
    """The slip, line by line."""
    for block in slip.blocks:
        yield from _printed(block, slip.paper)


def columns_of(text: str) -> int:
    """How many columns a printer in its Chinese mode gives a text: two unless it is ASCII."""
    return sum(1 if sign.isascii() else 2 for sign in text)


def printable(text: str) -> str:
    """What a printer can show of a text: composed, and without what shows nothing."""
    return drop_unseen(unicodedata.normalize("NFC", text)).replace("\u00a5", "\uffe5")


def wrapped(text: str, columns: int) -> list[str]:
    """``text`` in lines of at most so many columns; an English word is kept whole if it can be."""
    lines: list[str] = []
    line = ""
    for sign in text:
        if columns_of(line) + columns_of(sign) > columns:
            done, line = _broken(line, sign)
            lines.append(done)
        if line or sign != " " or not lines:
            line += sign
    return [*lines, line] if line or not lines else lines


def _broken(line: str, following: str) -> tuple[str, str]:
    """(what stays, what goes to the next line) of a line that is full."""
    before, _, word = line.rpartition(" ")
    if before.strip() and following.isascii() and following != " " and word.isascii():
        return before, word
    return line.rstrip(" "), ""


def _printed(block: Block, paper: Paper) -> Iterator[Printed]:
    if isinstance(block, Text):
        yield from _text(block, paper.columns)
    elif isinstance(block, Pair):
        yield from _pair(block, paper.columns)
    elif isinstance(block, Rule):
        yield Line("-" * paper.columns)
    else:
        yield Symbol(block.text, _dots(block, paper))


def _text(block: Text, columns: int) -> Iterator[Line]:
    size = 2 if block.large else 1
    for text in wrapped(printable(block.text), columns // size):
        yield Line(text, block.align, block.bold, size, size)


def _pair(block: Pair, columns: int) -> Iterator[Line]:
    right = printable(block.right)
    lines = wrapped(printable(block.left), columns)
    gap = columns - columns_of(lines[-1]) - columns_of(right)
    if gap < 1:  # the figure has a line of its own
        lines.append("")
        gap = columns - columns_of(right)
    lines[-1] += " " * gap + right
    for text in lines:
        yield Line(text, "left", block.bold, 1, 2 if block.tall else 1)


def _dots(code: Code, paper: Paper) -> int:
    """As large as the paper lets it be."""
    side = modules_of(code.text) + 2 * QUIET_MODULES
    return max(LEAST_MODULE_DOTS, min(MOST_MODULE_DOTS, paper.dots // side))
