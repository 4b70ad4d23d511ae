"""A slip as a picture, a pixel for each dot of the printer, so that it looks as it is printed."""

import io
from collections.abc import Iterator
from functools import cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from chain.errors import MalformedError, UnavailableError
from invoice_service.documents.columns import Line, Printed, Symbol, columns_of, printed
from invoice_service.documents.letters_of_font import FONT
from invoice_service.documents.qr import DPI, qr_png
from invoice_service.documents.slip import Slip

COLUMN: Final = 12  # dots
HEIGHT: Final = 30  # dots of a line, the white below it included
MARGIN: Final = 16
"""Dots of white round the printed part."""
ABOVE: Final = 5
"""Dots of the font above the tallest letter, which no line needs."""
MAX_LINES: Final = 1_000
"""Three metres and a half of paper; what is longer no telephone shows."""

_SIZE: Final = 24
PAPER, INK = 255, 0


def slip_png(slip: Slip) -> bytes:
    """A PNG as wide as the printer's head, and ``MARGIN`` more on each side.

    Raises MalformedError ``slip_too_long``, UnavailableError ``font_missing``.
    """
    items = list(printed(slip))
    if len(items) > MAX_LINES:
        raise MalformedError(
            "slip_too_long", f"{len(items)} lines are more than {MAX_LINES}: ask for form=short"
        )
    drawn = [_drawn(item, slip.paper.dots) for item in items]
    height = sum(piece.height for piece in drawn) + 2 * MARGIN
    picture = Image.new("L", (slip.paper.dots + 2 * MARGIN, height), PAPER)
    y = MARGIN
    for piece in drawn:
        picture.paste(piece, ((picture.width - piece.width) // 2, y))
        y += piece.height
    written = io.BytesIO()
    picture.save(written, "PNG", dpi=(DPI, DPI), optimize=True)
    return written.getvalue()


def _drawn(item: Printed, dots: int) -> Image.Image:
    if isinstance(item, Symbol):
        return _code(item)
    return _line(item, dots)


def _code(symbol: Symbol) -> Image.Image:
    """With the white round it that is ours: it may reach over the paper's edges, ink does not."""
    return Image.open(io.BytesIO(qr_png(symbol.text, symbol.dots))).convert("L")


def _line(line: Line, dots: int) -> Image.Image:
    """Drawn as high as it is wide, then as wide and high as it is to be: as printers do it."""
    width = columns_of(line.text) * COLUMN
    piece = Image.new("L", (width + line.bold, HEIGHT), PAPER)
    draw = ImageDraw.Draw(piece)
    font = _font()
    for x, sign in _places(line.text):
        for more in range(1 + line.bold):  # struck twice, a dot apart
            draw.text((x + more, -ABOVE), sign, INK, font)
    if (line.across, line.down) != (1, 1):
        piece = piece.resize((piece.width * line.across, piece.height * line.down))
    row = Image.new("L", (dots, piece.height), PAPER)
    row.paste(piece, ((dots - piece.width) // 2 if line.align == "center" else 0, 0))
    return row


def _places(text: str) -> Iterator[tuple[int, str]]:
    """Each sign that has ink, and where it begins."""
    x = 0
    for sign in text:
        if sign != " ":
            yield x, sign
        x += columns_of(sign) * COLUMN


@cache
def _font() -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(FONT, _SIZE, layout_engine=ImageFont.Layout.BASIC)
    except OSError:
        raise UnavailableError(
            "font_missing", f"the font {FONT} cannot be read: install the service anew"
        ) from None
