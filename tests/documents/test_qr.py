"""QR pictures, read back by decoders that other people wrote."""

import io
import re
import subprocess
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from chain.errors import MalformedError
from invoice_service.documents.qr import LEVEL, MODULE_DOTS, QUIET_ZONE, qr_png, qr_svg
from invoice_service.domain.qrtext import scan_url
from tests.documents.worn import PAPER_58_MM, PRINTS, WEARS, survivors
from tests.outside import need

CHOSEN = next(how for how in PRINTS if how[1:] == (LEVEL, MODULE_DOTS, QUIET_ZONE))
AREA = "01" + "ab3f" * 16
URLS = [
    scan_url("http://127.0.0.1:8000", AREA, "00000123", 49810),
    scan_url("https://fapiao.example.org/shenzhen", AREA, "99999999", 10**13),
    scan_url("http://h", AREA, "00000001", 1),
]


def rows(svg: bytes) -> list[list[bool]]:
    """The modules of our SVG, from nothing but its text."""
    text = svg.decode()
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', text)[1])  # type: ignore[index]
    grid = [[False] * side for _ in range(side)]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", text):
        for column in range(int(x), int(x) + int(width)):
            grid[int(y)][column] = True
    return grid


def as_picture(svg: bytes, dots: int) -> Image.Image:
    grid = rows(svg)
    picture = Image.new("L", (len(grid), len(grid)), 255)
    picture.putdata([0 if dark else 255 for row in grid for dark in row])
    return picture.resize((len(grid) * dots, len(grid) * dots), Image.Resampling.NEAREST)


@pytest.mark.parametrize("url", URLS)
def test_zxing_reads_the_exact_address_from_the_png(url: str) -> None:
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(qr_png(url))))
    assert [code.text for code in found] == [url]


@pytest.mark.parametrize("url", URLS)
def test_zxing_reads_the_exact_address_from_the_svg(url: str) -> None:
    found = zxingcpp.read_barcodes(as_picture(qr_svg(url), MODULE_DOTS))
    assert [code.text for code in found] == [url]


@pytest.mark.parametrize("url", URLS)
def test_zbar_reads_the_exact_address(url: str, tmp_path: Path) -> None:
    picture = tmp_path / "code.png"
    picture.write_bytes(qr_png(url))
    done = subprocess.run(
        [need("zbarimg"), "--quiet", "--raw", str(picture)], capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == url


@pytest.mark.parametrize("module", [4, 6, 12])
def test_modules_are_as_many_dots_as_asked_for_and_the_quiet_zone_is_white(module: int) -> None:
    svg = qr_svg(URLS[0], module)
    grid = rows(svg)
    picture = Image.open(io.BytesIO(qr_png(URLS[0], module)))
    assert picture.size == (len(grid) * module, len(grid) * module)
    assert picture.mode == "1"
    for y, row in enumerate(grid):
        for x, dark in enumerate(row):
            pixel = picture.getpixel((x * module + module // 2, y * module + module // 2))
            assert (pixel == 0) is dark
    inside = range(QUIET_ZONE, len(grid) - QUIET_ZONE)
    for y, row in enumerate(grid):
        for x, dark in enumerate(row):
            assert not dark or (x in inside and y in inside)
    assert f'width="{len(grid) * module / 8:g}mm"'.encode() in svg


@pytest.mark.parametrize("module", [0, 3, 33, -4])
def test_modules_that_a_thermal_printer_would_blur_are_refused(module: int) -> None:
    for picture in (qr_png, qr_svg):
        with pytest.raises(MalformedError) as refused:
            picture(URLS[0], module)
        assert refused.value.code == "module_size"


def test_our_addresses_stay_small_enough_for_58_mm_paper() -> None:
    for url in URLS:
        assert len(rows(qr_svg(url))) * MODULE_DOTS <= PAPER_58_MM


@pytest.mark.parametrize("name", ["clean", "blurred", "bent"])
def test_a_worn_slip_is_read_by_both_decoders(name: str) -> None:
    assert survivors(CHOSEN, WEARS[name], range(6)) == (6, 6)


def test_of_what_fits_the_paper_ours_survives_stains_best() -> None:
    """Twelve slips with the same stains for each way to print; both decoders together."""
    read = {
        how: sum(survivors(how, WEARS["stained 5 %"], range(12)))
        for how in PRINTS
        if how == CHOSEN or how.name in {"M, 4 dots", "Q, 4 dots"}
    }
    assert max(read, key=lambda how: read[how]) == CHOSEN, read
