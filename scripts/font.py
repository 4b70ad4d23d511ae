"""Make the font for slips' pictures and for paper: of Noto Sans Mono CJK SC, the letters that
printers have, and all Chinese characters beyond them that it has (names of people and places).

From Debian's fonts-noto-cjk, by the fontTools named below: ``pip install fonttools==4.68.0`` into
an environment of its own, then ``python scripts/font.py``. The same bytes come out each time.
"""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

from fontTools import subset  # type: ignore[import-not-found] # not in our environment
from fontTools.ttLib import TTCollection  # type: ignore[import-not-found] # likewise

TOOL: Final = "4.68.0"
SOURCE: Final = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
FACE: Final = "Noto Sans Mono CJK SC"
TARGET: Final = Path("invoice_service/documents/fonts/NotoSansMonoCJKsc-Regular.otf")
PRIVATE: Final = range(0xE000, 0xF900)
CHINESE: Final = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000), range(0x20000, 0x323B0))
"""Where characters of names are beyond GBK: as far as the font has them."""
# Vertical print and typographic features, which nothing here uses.
WITHOUT: Final = ["BASE", "DSIG", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]


def letters() -> set[int]:
    """What GBK has, ASCII included: the letters of receipt printers; and what CHINESE has."""
    found = {*range(0x20, 0x7F), *(code for block in CHINESE for code in block)}
    for first in range(0x81, 0xFF):
        for second in range(0x40, 0xFF):
            try:
                text = bytes([first, second]).decode("gbk")
            except UnicodeDecodeError:
                continue
            found |= {ord(sign) for sign in text}
    return found.difference(PRIVATE)


def main() -> None:
    """Write the font."""
    if version("fonttools") != TOOL:
        sys.exit(f"install fonttools=={TOOL}: another version writes other bytes")
    fonts = TTCollection(SOURCE, lazy=True).fonts
    font = next(one for one in fonts if one["name"].getDebugName(4) == FACE)
    options = subset.Options(hinting=False, layout_features=[], notdef_outline=True)
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]  # names, versions, and the licence
    options.drop_tables += WITHOUT
    chosen = subset.Subsetter(options)
    chosen.populate(unicodes=letters())
    chosen.subset(font)
    font.recalcTimestamp = False
    TARGET.parent.mkdir(exist_ok=True)
    font.save(TARGET)


if __name__ == "__main__":
    main()
