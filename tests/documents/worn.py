"""Slips as people bring them: bent, blurred, stained; each the same for the same seed.

``python -m tests.documents.worn`` prints how many of forty each way of printing survives.
"""

import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final, NamedTuple
from xml.etree import ElementTree

import qrcode
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter
from qrcode.constants import ERROR_CORRECT_H, ERROR_CORRECT_M, ERROR_CORRECT_Q

from invoice_service.domain.qrtext import scan_url
from tests.outside import need

PAPER_58_MM: Final = 384  # dots of the printer's head
PHOTO: Final = 1.6  # pixels of a photo for each dot
SPLASHES: Final = 12
WHITE, BLACK = 235, 40  # of thermal paper

Wear = Callable[[Image.Image, Random], Image.Image]


class Print(NamedTuple):
    """A way to print a code."""

    name: str
    level: int
    dots: int
    quiet: int = 4


PRINTS: Final = (
    Print("M, 4 dots", ERROR_CORRECT_M, 4),
    Print("Q, 4 dots", ERROR_CORRECT_Q, 4),
    Print("Q, 5 dots", ERROR_CORRECT_Q, 5),
    Print("Q, 5 dots, quiet zone 6", ERROR_CORRECT_Q, 5, 6),
    Print("H, 4 dots", ERROR_CORRECT_H, 4),
)


def text_of(seed: int) -> str:
    """An address as we print it."""
    rng = Random(f"text/{seed}")
    area = "01" + rng.randbytes(32).hex()
    number, total = f"{rng.randrange(10**8):08}", rng.randrange(10**6)
    return scan_url("https://fapiao.example.cn", area, number, total)


def printed(text: str, how: Print) -> Image.Image:
    """The code on thermal paper, a pixel a dot."""
    code = qrcode.QRCode(error_correction=how.level, box_size=how.dots, border=how.quiet)
    code.add_data(text)
    code.make(fit=True)
    made = code.make_image().convert("L")
    paper = Image.new("L", (made.width + 24, made.height + 24), WHITE)
    paper.paste(made.point(lambda value: WHITE if value else BLACK), (12, 12))
    return paper


def clean(paper: Image.Image, rng: Random) -> Image.Image:
    """A photo of it, a little askew."""
    size = round(paper.width * PHOTO), round(paper.height * PHOTO)
    flat = paper.resize(size, Image.Resampling.BICUBIC)
    return flat.rotate(rng.uniform(-12, 12), Image.Resampling.BICUBIC, expand=True, fillcolor=200)


def blurred(paper: Image.Image, rng: Random) -> Image.Image:
    """Out of focus."""
    return clean(paper, rng).filter(ImageFilter.GaussianBlur(2.2))


def stained(share: float) -> Wear:
    """Splashes of grease and ink, together ``share`` of a code of 325 dots: drops do not scale."""

    def wear(paper: Image.Image, rng: Random) -> Image.Image:
        paper, side = paper.copy(), paper.width
        draw = ImageDraw.Draw(paper)
        radius = math.sqrt(share * 325**2 / SPLASHES / math.pi)
        for _ in range(SPLASHES):
            x, y = rng.uniform(0.05, 0.95) * side, rng.uniform(0.05, 0.95) * side
            box = (x - radius, y - radius, x + radius, y + radius)
            draw.ellipse(box, fill=rng.choice((60, 225)))
        return clean(paper, rng)

    return wear


def bent(paper: Image.Image, rng: Random) -> Image.Image:
    """Round a bottle: lines bow, and the sides are pressed together."""
    size = width, height = round(paper.width * PHOTO), round(paper.height * PHOTO)
    flat = paper.resize(size, Image.Resampling.BICUBIC)
    bow, turn = rng.uniform(0.03, 0.06) * height, rng.uniform(0.6, 0.8)

    def edge(part: float) -> tuple[float, float]:
        angle = 2 * part - 1
        across = (math.asin(angle * math.sin(turn)) / turn + 1) / 2 * width
        return across, bow * math.cos(angle * turn)

    mesh = []
    for n in range(40):
        (left, sunk_left), (right, sunk_right) = edge(n / 40), edge((n + 1) / 40)
        box = (round(n / 40 * width), 0, round((n + 1) / 40 * width), height)
        corners = (left, -sunk_left, left, height - sunk_left)
        mesh.append((box, (*corners, right, height - sunk_right, right, -sunk_right)))
    rolled = flat.transform(size, Image.Transform.MESH, mesh, Image.Resampling.BICUBIC)
    return rolled.rotate(rng.uniform(-8, 8), Image.Resampling.BICUBIC, expand=True, fillcolor=200)


WEARS: Final[dict[str, Wear]] = {
    "clean": clean,
    "blurred": blurred,
    "bent": bent,
    "stained 5 %": stained(0.05),
    "stained 10 %": stained(0.10),
}


def survivors(how: Print, wear: Wear, seeds: Sequence[int]) -> tuple[int, int]:
    """How many slips zxing-cpp reads, and how many zbar."""
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    by_zxing = 0
    with tempfile.TemporaryDirectory() as folder:
        texts: dict[str, str] = {}
        for seed in seeds:
            picture = wear(printed(text_of(seed), how), Random(f"wear/{seed}"))
            path = Path(folder, f"{seed}.png")
            picture.save(path)
            texts[str(path)] = text_of(seed)
            found = zxingcpp.read_barcodes(picture, formats=formats)
            by_zxing += texts[str(path)] in [code.text for code in found]
        return by_zxing, _zbar(texts)


def _zbar(texts: dict[str, str]) -> int:
    command = [need("zbarimg"), "--quiet", "--xml", "-Sdisable", "-Sqrcode.enable", *texts]
    found = ElementTree.fromstring(subprocess.run(command, capture_output=True, check=False).stdout)  # noqa: S314 # our own zbar's
    space = found.tag.partition("}")[0] + "}"
    read = {
        source.get("href", "").removeprefix("file://"): [
            data.text for data in source.iter(f"{space}data")
        ]
        for source in found.iter(f"{space}source")
    }
    return sum(text in read.get(path, []) for path, text in texts.items())


def main() -> None:
    """Print the table of docs/operations.md."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    print("| printed | dots | " + " | ".join(WEARS) + " |")
    print("|---|---|" + "---|" * len(WEARS))
    for how in PRINTS:
        side = printed(text_of(0), how).width - 24
        cells = [survivors(how, wear, range(count)) for wear in WEARS.values()]
        shown = [f"{zxing * 100 // count}, {zbar * 100 // count}" for zxing, zbar in cells]
        print(f"| {how.name} | {side} | " + " | ".join(shown) + " |", flush=True)


if __name__ == "__main__":
    main()
