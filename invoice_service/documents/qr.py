"""QR pictures of a scan address, sized for thermal printers (203 dpi, 8 dots a millimetre).

Level Q, five dots a module, six modules of white around it (ISO/IEC 18004 asks for four): of what
fits on 58 mm paper (384 dots), that survives bending and stains best (tests/documents/worn.py,
docs/operations.md).

The library, which loads all that draws pictures, is loaded by whoever makes a code.
"""

import io
from itertools import groupby
from typing import TYPE_CHECKING

from chain.errors import MalformedError

if TYPE_CHECKING:
    from qrcode import QRCode

QUIET_ZONE = 6  # modules
LEVEL = 3  # qrcode.constants.ERROR_CORRECT_Q
MODULE_DOTS = 5  # printer dots
LEAST_MODULE_DOTS = 4  # with fewer, a thermal head blurs neighbouring modules together
MAX_MODULE_DOTS = 32
DOTS_PER_MM = 8
DPI = 203


def qr_png(text: str, module: int = MODULE_DOTS) -> bytes:
    """Return a 1-bit PNG, ``module`` pixels for each module. MalformedError ``module_size``."""
    code = _encode(text, module)
    picture = io.BytesIO()
    code.make_image(fill_color="black", back_color="white").save(picture, dpi=(DPI, DPI))
    return picture.getvalue()


def qr_svg(text: str, module: int = MODULE_DOTS) -> bytes:
    """Return an SVG, ``module`` eighths of a millimetre for each module; errors as ``qr_png``."""
    matrix = _encode(text, module).get_matrix()
    side = len(matrix)
    millimetres = f"{side * module / DOTS_PER_MM:g}mm"
    path = "".join(_row_path(y, row) for y, row in enumerate(matrix))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{millimetres}" height="{millimetres}" '
        f'viewBox="0 0 {side} {side}" shape-rendering="crispEdges" role="img">'
        f'<title>QR</title><rect width="{side}" height="{side}" fill="#fff"/>'
        f'<path fill="#000" d="{path}"/></svg>\n'
    ).encode("ascii")


def qr_drawn(text: str) -> bytes:
    """An SVG without white round it, at level M: for a sheet of paper, which has white enough.

    Fewer and larger modules than a slip's: read from a screen, or a scan of few dots an inch.
    """
    from qrcode import ERROR_CORRECT_M, QRCode

    code = QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    path = "".join(_row_path(y, row) for y, row in enumerate(matrix))
    side = len(matrix)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}"'
        f' viewBox="0 0 {side} {side}"><path fill="#000" d="{path}"/></svg>\n'
    ).encode("ascii")


def modules_of(text: str) -> int:
    """How many modules a side of the code has, the white round it not counted.

    Printers that make the code by themselves need no more: some do not pack digits.
    """
    from qrcode import QRCode

    code = QRCode(error_correction=LEVEL)
    code.add_data(text, optimize=0)
    version: int = code.best_fit()
    return 17 + 4 * version


def _encode(text: str, module: int) -> "QRCode":
    from qrcode import QRCode

    if not LEAST_MODULE_DOTS <= module <= MAX_MODULE_DOTS:
        raise MalformedError(
            "module_size",
            f"module must be {LEAST_MODULE_DOTS} to {MAX_MODULE_DOTS} dots",
            pointer="module",
        )
    code = QRCode(error_correction=LEVEL, box_size=module, border=QUIET_ZONE)
    code.add_data(text)
    code.make(fit=True)
    return code


def _row_path(y: int, row: list[bool]) -> str:
    """One rectangle a run of dark modules: single squares would show hairlines between them."""
    parts, x = [], 0
    for dark, run in groupby(row):
        width = len(list(run))
        if dark:
            parts.append(f"M{x} {y}h{width}v1h-{width}z")
        x += width
    return "".join(parts)
