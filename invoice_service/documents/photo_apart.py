"""Reads a photograph and writes it anew; only in a process with bounds (``documents.photo``)."""

import io
import sys
from typing import Final

import msgspec
from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from chain.errors import MalformedError
from invoice_service.documents.bounds import DAMAGED, bound_this_process
from invoice_service.documents.photo import (
    LONGEST,
    MAX_PIXELS,
    MAX_SENT_PIXELS,
    MEMORY,
    SECONDS,
    Cleaned,
    Refused,
)

QUALITY: Final = 80
_READERS: Final = (
    JpegImagePlugin.JpegImageFile.format,
    PngImagePlugin.PngImageFile.format,
    WebPImagePlugin.WebPImageFile.format,
)
"""Imported here, so that the readers of all other formats are not."""

Image.MAX_IMAGE_PIXELS = None  # our own bounds hold, in our words


def main() -> None:
    """Answer the photograph on the standard input made anew; dies where that takes too much."""
    bound_this_process(MEMORY, SECONDS)
    answer: Cleaned | Refused
    try:
        answer = Cleaned(cleaned(sys.stdin.buffer.read()))
    except MalformedError as problem:
        answer = Refused(problem.code, problem.detail)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


def cleaned(data: bytes) -> bytes:
    """As JPEG. MalformedError: picture_too_large, picture_unreadable, picture_too_much."""
    try:
        with Image.open(io.BytesIO(data), formats=_READERS) as picture:
            _check(picture, MAX_SENT_PIXELS)
            picture.draft("RGB", (LONGEST, LONGEST))  # of a JPEG no more is unfolded than is kept
            _check(picture, MAX_PIXELS)
            return _written(_upright(picture))
    except MemoryError:
        raise MalformedError("picture_too_much", "it takes too much memory to read") from None
    except DAMAGED:
        raise MalformedError("picture_unreadable", "no picture, or a damaged one") from None


def _check(picture: Image.Image, most: int) -> None:
    width, height = picture.size
    if width * height > most:
        raise MalformedError("picture_too_large", f"{width} x {height} pixels are too many")


def _upright(picture: Image.Image) -> Image.Image:
    """As it is seen, small, and on white where it is transparent."""
    picture.thumbnail((LONGEST, LONGEST))
    turned = ImageOps.exif_transpose(picture)
    if not turned.has_transparency_data:
        return turned.convert("RGB")
    layer = turned.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    white.alpha_composite(layer)
    return white.convert("RGB")


def _written(picture: Image.Image) -> bytes:
    """The pixels alone: what a reader noted beside them is not taken along."""
    bare = Image.frombytes("RGB", picture.size, picture.tobytes())
    file = io.BytesIO()
    bare.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


if __name__ == "__main__":
    main()
