"""Photographs of strangers: what is kept is what is seen, and the hostile is refused by cause."""

import io
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from itertools import repeat

import pytest
from PIL import Image, PngImagePlugin

from chain.errors import MalformedError, UnavailableError
from invoice_service.documents import photo
from invoice_service.documents.photo import LONGEST, MAX_BYTES, MEMORY, SECONDS, clean_photo
from tests.documents.test_apart import packed
from tests.patience import PATIENCE

PLACE = b"22.5431N,114.0579E"
SCRIPT = b"<script>alert(1)</script>"


def written(picture: Image.Image, kind: str, **more: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **more)
    return file.getvalue()


def plain_photo(width: int = 60, height: int = 40) -> Image.Image:
    picture = Image.new("RGB", (width, height), "white")
    picture.paste("black", (0, 0, width // 2, height // 2))  # top left
    return picture


def opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as found:
        found.load()
        return found


def png(width: int, height: int, data: bytes, *before: tuple[bytes, bytes]) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    more = b"".join(chunk(*one) for one in before)
    return b"\x89PNG\r\n\x1a\n" + head + more + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photograph_is_kept_as_jpeg(kind: str) -> None:
    found = opened(clean_photo(written(plain_photo(), kind)))
    assert (found.format, found.size, found.mode) == ("JPEG", (60, 40), "RGB")
    assert found.getpixel((5, 5)) < (60, 60, 60)  # type: ignore[operator]
    assert found.getpixel((55, 35)) > (200, 200, 200)  # type: ignore[operator]


def test_nothing_is_kept_but_what_is_seen() -> None:
    exif = Image.Exif()
    exif[0x010E] = PLACE.decode()
    exif[0x0112] = 6  # lies on its side
    jpeg = written(plain_photo(), "JPEG", exif=exif, comment=PLACE, icc_profile=PLACE)
    text = PngImagePlugin.PngInfo()
    text.add_text("Location", PLACE.decode())
    for sent in (jpeg, written(plain_photo(), "PNG", pnginfo=text), jpeg + SCRIPT):
        assert PLACE in sent or SCRIPT in sent
        cleaned = clean_photo(sent)
        assert PLACE not in cleaned
        assert SCRIPT not in cleaned
        assert set(opened(cleaned).info) <= {
            *("jfif", "jfif_version", "jfif_unit", "jfif_density"),
        }
    upright = opened(clean_photo(jpeg))
    assert upright.size == (40, 60)
    assert upright.getpixel((35, 5)) < (60, 60, 60)  # type: ignore[operator]


def test_a_large_photograph_becomes_small_and_glass_lies_on_white() -> None:
    assert opened(clean_photo(written(plain_photo(4000, 3000), "JPEG"))).size == (2000, 1500)
    glass = opened(clean_photo(written(Image.new("RGBA", (30, 3000), (0, 0, 0, 0)), "PNG")))
    assert max(glass.size) == LONGEST
    assert glass.getpixel((5, 5)) == (255, 255, 255)


def cut(kind: str) -> bytes:
    noise = random.Random(1).randbytes(3 * 400 * 300)
    data = written(Image.frombytes("RGB", (400, 300), noise), kind)
    return data[: len(data) // 2]


def wide_jpeg() -> bytes:
    """The head of one with 30,000 x 30,000 pixels."""
    data = bytearray(written(plain_photo(), "JPEG"))
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", 30_000, 30_000)
    return bytes(data)


def unfolding() -> bytes:
    """A PNG of 20 million pixels with transparency: 80 MB of which copies are needed."""
    row = bytes(1 + 4 * 4400)
    return png(4400, 4400, packed(repeat(row, 4400)))


def wordy() -> bytes:
    """A text in a PNG that unfolds to gigabytes."""
    return png(
        9, 9, packed(repeat(bytes(37), 9)), (b"zTXt", b"a\0\0" + packed(repeat(bytes(1 << 20), 20)))
    )


HOSTILE: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "cut JPEG": (lambda: cut("JPEG"), {"picture_unreadable"}),
    "cut PNG": (lambda: cut("PNG"), {"picture_unreadable"}),
    "cut WebP": (lambda: cut("WEBP"), {"picture_unreadable"}),
    "noise behind a head": (
        lambda: b"\xff\xd8\xff" + random.Random(2).randbytes(999),
        {"picture_unreadable"},
    ),
    "900 million pixels, JPEG": (wide_jpeg, {"picture_too_large"}),
    "900 million pixels, PNG": (lambda: png(30_000, 30_000, b""), {"picture_too_large"}),
    "unfolds": (unfolding, {"picture_too_much"}),
    "words that unfold": (wordy, {"picture_unreadable", "picture_too_much"}),
    "HTML": (lambda: b"<html>" + SCRIPT, {"picture_kind"}),
    "SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", {"picture_kind"}),
    "PDF": (lambda: b"%PDF-1.4", {"picture_kind"}),
    "GIF": (lambda: written(plain_photo(), "GIF"), {"picture_kind"}),
    "TIFF": (lambda: written(plain_photo(), "TIFF"), {"picture_kind"}),
    "another RIFF": (lambda: b"RIFF\0\0\0\0WAVE", {"picture_kind"}),
    "nothing": (lambda: b"", {"picture_kind"}),
    "too many bytes": (lambda: b"\xff\xd8\xff" + bytes(MAX_BYTES), {"picture_too_large"}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_is_refused_by_cause(name: str) -> None:
    make, codes = HOSTILE[name]
    with pytest.raises(MalformedError) as refused:
        clean_photo(make())
    assert refused.value.code in codes


MEASURE = """
import resource, subprocess, sys
command = [sys.argv[1], "-P", "-m", "invoice_service.documents.photo_apart"]
subprocess.run(command, stdin=sys.stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime)
"""


@pytest.mark.parametrize("make", [unfolding, wordy])
def test_a_bomb_costs_no_more_than_is_allowed(make: Callable[[], bytes]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, sys.executable],
        input=make(),
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    largest, seconds = done.stdout.split()[-2:]
    assert int(largest) * 1024 <= MEMORY
    assert float(seconds) <= SECONDS + 1


def test_the_largest_photographs_of_telephones_are_read() -> None:
    """48 million pixels, of which a quarter is enough."""
    with Image.new("RGB", (8064, 6048), "grey") as picture:
        sent = written(picture, "JPEG", quality=60)
    assert opened(clean_photo(sent)).size == (2000, 1500)


def test_few_are_read_at_once() -> None:
    for _ in range(photo.AT_ONCE):
        assert photo.PLACES.acquire(blocking=False)
    try:
        with pytest.raises(UnavailableError) as refused:
            clean_photo(written(plain_photo(), "PNG"))
        assert refused.value.code == "pictures_busy"
    finally:
        for _ in range(photo.AT_ONCE):
            photo.PLACES.release()
    assert clean_photo(written(plain_photo(), "PNG"))


def test_whoever_reads_for_ever_is_ended() -> None:
    program = (
        "import sys; from invoice_service.documents import photo_apart; photo_apart.SECONDS = 1;"
        " photo_apart.cleaned = lambda data: all(True for _ in iter(int, 1)); photo_apart.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=b"",
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode < 0
    assert done.stdout == b""
