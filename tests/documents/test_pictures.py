"""Codes in pictures of every mode and kind, and what is said of what is none."""

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from chain.errors import MalformedError
from invoice_service.documents import pdf
from invoice_service.documents.apart import read_codes
from invoice_service.documents.pictures import MAX_PAGES, MAX_PIXELS, codes_of, grey
from invoice_service.documents.qr import qr_png, qr_svg
from invoice_service.domain.qrtext import scan_url

URL = scan_url("https://fapiao.test", "01" + "ab3f" * 16, "00000123", 49810)
OTHER = scan_url("https://fapiao.test", "01" + "cd5e" * 16, "00000124", 100)
PAPER, INK = 48_000, 9_000
"""Of a scanner with 16 bits: neither white nor black."""


def code(text: str = URL, module: int = 6) -> Image.Image:
    """A code in eight bits of grey."""
    return Image.open(io.BytesIO(qr_png(text, module))).convert("L")


def deep(mode: str) -> Image.Image:
    """The same in 16 or more bits, as a scanner writes it."""
    wide = code().convert("F").point(lambda value: value * ((PAPER - INK) / 255) + INK)
    if mode == "F":
        return wide.point(lambda value: value * (1 / 65_535) + 0)
    return wide.convert("I") if mode == "I" else wide.convert("I").convert(mode)


def transparent(ink: tuple[int, int, int]) -> Image.Image:
    """Dark modules on nothing."""
    layer = Image.new("RGBA", code().size, (*ink, 0))
    layer.paste((*ink, 255), mask=code().point(lambda value: 255 - value))
    return layer


MODES: dict[str, Callable[[], Image.Image]] = {
    **{mode: partial(code().convert, mode) for mode in ("1", "L", "P", "RGB", "CMYK")},
    **{mode: partial(deep, mode) for mode in ("I", "I;16", "F")},
    "RGBA": lambda: transparent((0, 0, 0)),
    "LA": lambda: transparent((0, 0, 0)).convert("LA"),
    "blue on nothing": lambda: transparent((0, 0, 160)),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_reduced_to_grey_in_which_the_code_is_read(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "code.tiff"
    MODES[mode]().save(path)
    assert codes_of(path) == [URL]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
def test_every_mode_of_png_too(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "code.png"
    MODES[mode]().save(path)
    assert codes_of(path) == [URL]


def test_a_picture_of_one_shade_is_white_paper(tmp_path: Path) -> None:
    for picture in (Image.new("I;16", (9, 9), 500), Image.new("F", (9, 9), float("nan"))):
        assert grey(picture).getextrema() == (255, 255)


@pytest.mark.parametrize("ending", ["tiff", "gif", "webp", "pdf"])
def test_every_page_is_read_not_the_first_alone(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"pages.{ending}"
    blank = Image.new("L", code().size, 255)
    blank.save(path, save_all=True, append_images=[code(), code(OTHER)])
    assert read_codes(path) == [URL, OTHER]


@pytest.mark.parametrize("ending", ["tiff", "pdf"])
def test_more_pages_than_are_read_are_refused_whole(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"pages.{ending}"
    code().save(path, save_all=True, append_images=[code(module=4)] * MAX_PAGES)
    with pytest.raises(MalformedError) as refused:
        read_codes(path)
    assert refused.value.code == "picture_unreadable"
    assert f"{MAX_PAGES + 1} pages" in refused.value.detail


def test_all_codes_of_a_page_are_read_and_bar_codes_beside_them_are_not(tmp_path: Path) -> None:
    both = Image.new("L", (900, 450), 255)
    both.paste(code(), (10, 10))
    both.paste(code(OTHER), (460, 10))
    both.save(tmp_path / "both.png")
    assert sorted(read_codes(tmp_path / "both.png")) == sorted([URL, OTHER])


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"\0\0\0\x24ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1", "HEIC"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x -->\n<svg xmlns='x'>", "SVG"),
        (qr_svg(URL), "SVG"),
        (b"PK\x03\x04" + b"OFD.xml", "OFD"),
    ],
)
def test_a_kind_that_is_not_read_is_named_with_what_to_do(
    start: bytes, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "invoice.jpg"  # whatever it is called
    path.write_bytes(start)
    with pytest.raises(MalformedError) as refused:
        read_codes(path)
    assert refused.value.code == "picture_kind"
    assert said in refused.value.detail


@pytest.mark.parametrize(
    "data", [b"", b"x", b"<html>", qr_png(URL)[:200], b"%PDF-1.7\nnothing", b"%PDF-", b"GIF89a"]
)
def test_what_is_damaged_or_nothing_is_said_to_be(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    with pytest.raises(MalformedError) as refused:
        read_codes(path)
    assert refused.value.code == "picture_unreadable"


def huge_png(side: int) -> bytes:
    """A PNG that says how large it is, and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_500, 14_200, 60_000])
def test_a_picture_of_too_many_pixels_is_refused_in_our_words_and_unread(
    side: int, tmp_path: Path
) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(huge_png(side))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(MalformedError) as refused:
            codes_of(path)
    assert refused.value.code == "picture_too_large"
    assert "million pixels" in refused.value.detail


def test_a_photo_of_a_large_sensor_is_read_at_a_part_of_its_size(tmp_path: Path) -> None:
    """108 million pixels, as phones take them; JPEG can be decoded at a half."""
    photo = Image.new("L", (12_000, 9_000), 255)
    photo.paste(code().resize((4_000, 4_000), Image.Resampling.NEAREST), (3_000, 2_000))
    photo.save(tmp_path / "photo.jpg", quality=50)
    assert photo.width * photo.height > 2 * MAX_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert codes_of(tmp_path / "photo.jpg") == [URL]
    assert read_codes(tmp_path / "photo.jpg") == [URL]


def test_a_locked_document_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.4\n%%EOF")
    with pytest.raises(MalformedError, match="locked"):
        pdf.codes_of(tmp_path / "x.pdf")
