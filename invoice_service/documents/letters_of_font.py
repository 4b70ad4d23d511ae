"""Which letters a font has, by its own table of characters (OpenType ``cmap``, format 12)."""

import struct
from functools import cache
from pathlib import Path
from typing import Final

FONT: Final = Path(__file__).with_name("fonts") / "NotoSansMonoCJKsc-Regular.otf"
"""The one that we bring: GBK's letters, and Chinese characters beyond them (scripts/font.py)."""

_WHOLE: Final = 12
"""The format of a table that reaches beyond the first 65,536 characters."""


@cache
def letters_of(path: Path = FONT) -> frozenset[int]:
    """The code points of all its letters; OSError, ValueError where it cannot be read."""
    with path.open("rb") as file:
        head = file.read(12)
        (count,) = struct.unpack(">H", head[4:6])
        for tag, _, offset, length in struct.iter_unpack(">4sIII", file.read(16 * count)):
            if tag == b"cmap":
                file.seek(offset)
                return frozenset(_letters(file.read(length)))
    raise ValueError(f"{path} has no table of characters")


def _letters(table: bytes) -> set[int]:
    (count,) = struct.unpack(">H", table[2:4])
    for _, _, offset in struct.iter_unpack(">HHI", table[4 : 4 + 8 * count]):
        kind, _, _, _, groups = struct.unpack(">HHIII", table[offset : offset + 16])
        if kind == _WHOLE:
            data = table[offset + 16 : offset + 16 + 12 * groups]
            spans = struct.iter_unpack(">III", data)
            return {code for first, last, _ in spans for code in range(first, last + 1)}
    raise ValueError("the font's table of characters ends at U+FFFF")
