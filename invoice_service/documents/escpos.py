"""A slip as bytes for a thermal printer: ESC/POS, as Epson's command list has it.

Text is GB18030 in the printer's Chinese mode; the printer draws the QR code by itself.
"""

from collections.abc import Iterator
from typing import Final

from invoice_service.documents.columns import Line, Symbol, printed
from invoice_service.documents.slip import Slip

_INIT: Final = b"\x1b@"
_LATIN: Final = b"\x1bR\x00"  # else some printers show another sign for $ or #
_CHINESE: Final = b"\x1c&"
_ALIGN: Final = {"left": b"\x1ba\x00", "center": b"\x1ba\x01"}
_BOLD: Final = {False: b"\x1bE\x00", True: b"\x1bE\x01"}
_SIZE: Final = b"\x1d!"
_FEED: Final = b"\n"
_CUT: Final = b"\x1dVB\x18"  # feeds as far as the knife, and 24 dots more; leaves a bridge
_DRAWER: Final = b"\x1bp\x00\x19\xfa"  # pin 2; on for 50 ms

_MODEL_2: Final = b"1A2\x00"
_LEVEL_Q: Final = b"1E2"
_DOTS: Final = b"1C"
_STORE: Final = b"1P0"
_PRINT: Final = b"1Q0"

_TWO_BYTES: Final = str.maketrans(
    "\u1e3f\u9fb4\u9fb5\u9fb6\u9fb7\u9fb8\u9fb9\u9fba\u9fbb"
    "\ufe10\ufe11\ufe12\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19",
    "\ue7c7\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864"
    "\ue78d\ue78f\ue78e\ue790\ue791\ue792\ue793\ue794\ue795\ue796",
)
"""Letters whose places editions of GB 18030 have exchanged with those of nobody's letters.

Fonts of printers have had them at the two bytes where GB 18030-2022 puts them, and Python's codec,
of an older edition, writes those for the private letters.
"""


def escpos(slip: Slip, *, drawer: bool = False) -> bytes:
    """The printer's bytes, from its first state to the cut; ``drawer`` opens the till at once."""
    return b"".join(_commands(slip, drawer=drawer))


def _commands(slip: Slip, *, drawer: bool) -> Iterator[bytes]:
    yield _INIT
    if drawer:
        yield _DRAWER
    yield _LATIN + _CHINESE
    align, bold, size = "left", False, (1, 1)
    for item in printed(slip):
        if isinstance(item, Symbol):
            align = "center"
            yield _ALIGN["center"] + _code(item)
            continue
        if item.align != align:
            align = item.align
            yield _ALIGN[item.align]
        if item.bold != bold:
            bold = item.bold
            yield _BOLD[bold]
        if (item.across, item.down) != size:
            size = (item.across, item.down)
            yield _SIZE + bytes([(item.across - 1) << 4 | (item.down - 1)])
        yield _text(item)
    yield _CUT


def _text(line: Line) -> bytes:
    return line.text.translate(_TWO_BYTES).encode("gb18030") + _FEED


def _code(symbol: Symbol) -> bytes:
    """Stored in the printer, then drawn, with white above and below."""
    stored = _STORE + symbol.text.encode("ascii")
    calls = (_MODEL_2, _DOTS + bytes([symbol.dots]), _LEVEL_Q, stored, _PRINT)
    return _FEED + b"".join(map(_qr, calls)) + _FEED


def _qr(call: bytes) -> bytes:
    return b"\x1d(k" + len(call).to_bytes(2, "little") + call
