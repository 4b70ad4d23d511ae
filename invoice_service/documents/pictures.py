"""QR codes in what people have of an invoice: photos, scans, screenshots, documents.

All of a file is read, every page of it, or none: a code on the second page counts as well. Only in
a process with bounds on memory and time (``documents.apart``).
"""

import math
import re
from pathlib import Path
from typing import Final

import zxingcpp
from PIL import Image, ImageSequence

from chain.errors import MalformedError
from invoice_service.documents.bounds import DAMAGED

MAX_PIXELS: Final = 36_000_000
"""Of one page, once a JPEG of more was read at a half, a quarter or an eighth of its size.

A4 at 600 dots an inch has 35 million."""
MAX_PAGES: Final = 20

Image.MAX_IMAGE_PIXELS = None  # ours holds, in our words; Pillow's own prints a warning first

_FORMATS: Final = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", "PPM")
_QR: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_HEIF = re.compile(rb"....ftyp(heic|heix|heim|heis|hevc|hevx|mif1|msf1)", re.DOTALL)
_SVG = re.compile(rb"(\xef\xbb\xbf)?\s*(<\?xml.*)?(<!--.*)?(<!DOCTYPE\s+)?<?svg\b", re.DOTALL)
_OTHER: Final = (
    (_HEIF, "a HEIC photo: send it as JPEG, or take a screenshot of it"),
    (_SVG, "an SVG drawing: save it as PNG"),
    (re.compile(rb"PK\x03\x04"), "an OFD or Office document: save it as PDF"),
)


def codes_of(path: Path) -> list[str]:
    """The texts of all QR codes in a picture, page by page.

    Raises MalformedError: picture_too_large, picture_kind, picture_unreadable.
    """
    with path.open("rb") as file:
        start = file.read(2048)
    for pattern, what in _OTHER:
        if pattern.match(start):
            raise MalformedError("picture_kind", f"{path} is {what}")
    Image.init()  # the readers of all formats, of which ours are looked up by name
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            return _read_pages(picture, path)
    except MemoryError:
        why = "it takes too much memory to read: save it smaller, or cut out the code"
        raise unreadable(path, why) from None
    except DAMAGED as error:
        raise unreadable(path, f"no picture, or a damaged one: {error}") from None


def _read_pages(picture: Image.Image, path: Path) -> list[str]:
    pages = getattr(picture, "n_frames", 1)
    if pages > MAX_PAGES:
        raise too_many_pages(path, pages)
    found = []
    for page in ImageSequence.Iterator(picture):
        _reduce(page)
        width, height = page.size
        if width * height > MAX_PIXELS:
            raise MalformedError(
                "picture_too_large",
                f"{path} has {width * height // 1_000_000} million pixels, and"
                f" {MAX_PIXELS // 1_000_000} are read: cut out the code, or save it smaller",
            )
        found += codes_in(grey(page))
    return found


def _reduce(page: Image.Image) -> None:
    """Let a JPEG be decoded at a fraction of its size, which takes that fraction of the memory."""
    width, height = page.size
    part = 2 ** math.ceil(math.log2(max(width * height / MAX_PIXELS, 1)) / 2)
    if part > 1:
        page.draft("L", (width // part, height // part))


def grey(picture: Image.Image) -> Image.Image:
    """Eight bits of grey, whatever the picture's mode: what is transparent lies on white paper."""
    if picture.mode == "F" or picture.mode.startswith("I"):
        return _stretched(picture)
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Image.new("RGBA", layer.size, "white")
        picture.alpha_composite(layer)
    return picture.convert("L")


def _stretched(picture: Image.Image) -> Image.Image:
    """From the darkest to the lightest: the depth says nothing of where ink and paper are."""
    wide = picture.convert("F")
    low, high = (float(bound) for bound in wide.getextrema())  # type: ignore[arg-type] # one band
    if not low < high < math.inf:
        return Image.new("L", wide.size, 255)
    scale = 255 / (high - low)
    return wide.point(lambda value: value * scale - low * scale).convert("L")


def codes_in(page: Image.Image) -> list[str]:
    """The texts of the QR codes on a page; other bar codes are not looked for."""
    return [code.text for code in zxingcpp.read_barcodes(page, formats=_QR)]


def unreadable(path: Path, why: str) -> MalformedError:
    """A file that is of a kind that we read, and cannot be read."""
    return MalformedError("picture_unreadable", f"{path}: {why}")


def too_many_pages(path: Path, pages: int) -> MalformedError:
    """Pages are all judged, or none is."""
    return unreadable(path, f"{pages} pages, and {MAX_PAGES} are read: cut one out")
