"""Small files that unfold to gigabytes or to hours: their reader ends, and nothing was read."""

import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path

import pytest
from PIL import Image

from chain.errors import MalformedError
from invoice_service.documents.apart import MAX_BYTES, MEMORY, SECONDS, read_codes

A4_600 = (4960, 7016)
SIDE = 1 << 15
MEBI = 1 << 20


def pdf_of(content: bytes, resources: str, *objects: bytes) -> bytes:
    """A PDF of one page; ``objects`` are numbered from 5."""
    page = f"/Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<{resources}>>"
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<<{page}>>".encode(),
        stream("", content),
        *objects,
    ]
    body = b"%PDF-1.4\n"
    places = []
    for number, part in enumerate(parts, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(parts) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n" % count
    tail = b"trailer <</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (count, len(body))
    return body + head + table + tail


def stream(words: str, data: bytes) -> bytes:
    return f"<<{words}/Length {len(data)}>>stream\n".encode() + data + b"\nendstream"


def packed(parts: Iterator[bytes]) -> bytes:
    """Deflated as well as it goes, without holding what is unfolded."""
    packer = zlib.compressobj(9)
    return b"".join(map(packer.compress, parts)) + packer.flush()


def zeros(size: int) -> bytes:
    """So many zeros, whole MiB, deflated: one piece again and again (RFC 1950, 1951)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = packer.compress(bytes(MEBI)) + packer.flush(zlib.Z_FULL_FLUSH)
    check = struct.pack(">I", size % 65_521 << 16 | 1)
    return b"\x78\xda" + piece * (size // MEBI) + b"\x03\x00" + check


def picture_that_unfolds() -> bytes:
    """One picture of 3 GiB of black in 3 MB."""
    data = zeros(3 * SIDE * SIDE)
    words = f"/Type/XObject/Subtype/Image/Width {SIDE}/Height {SIDE}/ColorSpace/DeviceRGB"
    image = stream(f"{words}/BitsPerComponent 8/Filter/FlateDecode", data)
    return pdf_of(b"q 595 0 0 842 0 0 cm /I Do Q", "/XObject<</I 5 0 R>>", image)


def drawing_that_repeats() -> bytes:
    """Forms that draw the next one sixteen times each: billions of strokes, all to be kept."""
    most, draw = 8, b"/F Do " * 16
    forms = [
        stream(
            f"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F {n} 0 R>>>>", draw
        )
        for n in range(6, 5 + most)
    ]
    last = stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]", b"0 0 m 9 9 l S " * 500)
    return pdf_of(draw, "/XObject<</F 5 0 R>>", *forms, last)


def png_that_unfolds() -> bytes:
    """As many pixels as are read, with transparency: 144 MB, of which several copies are needed."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", 6000, 6000, 8, 6, 0, 0, 0)
    data = packed(repeat(bytes(1 + 4 * 6000), 6000))
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return start + chunk(b"IDAT", data) + chunk(b"IEND", b"")


MEASURE = """
import resource, subprocess, sys
command = [sys.argv[1], "-m", "invoice_service.documents.apart", sys.argv[2]]
subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime)
"""

BOMBS: dict[str, Callable[[], bytes]] = {
    "a picture in a PDF": picture_that_unfolds,
    "a drawing in a PDF": drawing_that_repeats,
    "a PNG": png_that_unfolds,
}


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_costs_no_more_than_is_allowed(bomb: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(BOMBS[bomb]())
    # By a small program between: the largest size of one that was forked counts from its parent's.
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, sys.executable, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    largest, seconds = done.stdout.split()[-2:]
    assert int(largest) * 1024 <= MEMORY
    assert float(seconds) <= SECONDS + 1


@pytest.mark.parametrize("bomb", ["a drawing in a PDF", "a PNG"])
def test_a_bomb_is_refused_with_what_to_do(bomb: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(BOMBS[bomb]())
    with pytest.raises(MalformedError) as refused:
        read_codes(path)
    assert refused.value.code == "picture_unreadable"
    assert "save it smaller" in refused.value.detail


def test_whoever_reads_for_ever_is_ended(tmp_path: Path) -> None:
    program = (
        "import sys; from invoice_service.documents import apart; apart.SECONDS = 1;"
        " apart._codes_of = lambda path: [1 for one in iter(int, 1) if one]; apart.main()"
    )
    done = subprocess.run([sys.executable, "-c", program, "x"], capture_output=True, check=False)
    assert done.returncode < 0  # the system ended it
    assert done.stdout == b""


def test_a_large_file_is_not_even_opened(tmp_path: Path) -> None:
    with (tmp_path / "large.pdf").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(MalformedError, match="20 MiB") as refused:
        read_codes(tmp_path / "large.pdf")
    assert refused.value.code == "picture_too_large"


@pytest.mark.parametrize(("name", "mode"), [("x.png", "RGB"), ("x.tiff", "L"), ("x.pdf", "RGB")])
def test_the_finest_scan_of_a_page_is_read(name: str, mode: str, tmp_path: Path) -> None:
    """A4 in colour at 600 dots an inch, and twenty pages at 300: what offices really have."""
    with Image.new(mode, A4_600, "white") as page:
        kind = {"compression": "tiff_lzw"} if name == "x.tiff" else {}
        page.save(tmp_path / name, resolution=600, **kind)
    assert read_codes(tmp_path / name) == []


def test_as_many_pages_as_are_read_take_less_than_is_allowed(tmp_path: Path) -> None:
    with Image.new("RGB", (2480, 3508), "white") as page:
        page.save(tmp_path / "x.pdf", resolution=300, save_all=True, append_images=[page] * 19)
    assert read_codes(tmp_path / "x.pdf") == []
