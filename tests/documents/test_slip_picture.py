"""Pictures of slips: read back worn as people bring them."""

import io
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from chain.errors import MalformedError, UnavailableError
from invoice_service.documents import slip_picture
from invoice_service.documents.slip import PAPERS, Asked, Slip, Text, slip_of
from invoice_service.documents.slip_picture import MARGIN, MAX_LINES, slip_png
from invoice_service.domain.qrtext import scan_url
from tests.documents.test_slip import ALL
from tests.documents.worn import WEARS
from tests.domain.samples import issued, order
from tests.outside import need

QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
INVOICE = issued(order())
LINK = scan_url("https://fapiao.example.cn", INVOICE.hash, INVOICE.number, INVOICE.total)


def picture(**asked: Any) -> Image.Image:  # noqa: ANN401
    return Image.open(
        io.BytesIO(slip_png(slip_of(INVOICE, Asked(**asked), LINK, ALL, sample=False)))
    ).convert("L")


def by_zxing(seen: Image.Image) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(seen, formats=QR)]


def by_zbar(seen: Image.Image, path: Path) -> list[str]:
    seen.save(path)
    command = [need("zbarimg"), "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(path)]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.stdout.decode().splitlines()


def code_of(slip: Image.Image) -> Image.Image:
    """The part of the paper with the code, as wide as the paper."""
    (found,) = zxingcpp.read_barcodes(slip, formats=QR)
    top, bottom = found.position.top_left.y, found.position.bottom_left.y
    middle = (top + bottom) // 2
    half = slip.width // 2
    return slip.crop((0, middle - half, slip.width, middle + half))


@pytest.mark.parametrize("width", PAPERS)
@pytest.mark.parametrize("form", ["full", "short", "electronic"])
def test_the_code_on_a_picture_says_what_it_should(form: str, width: int, tmp_path: Path) -> None:
    seen = picture(width=width, form=form)
    assert seen.width == PAPERS[width].dots + 2 * MARGIN  # type: ignore[index]
    assert by_zxing(seen) == by_zbar(seen, tmp_path / "slip.png") == [LINK]


@pytest.mark.parametrize("wear", ["clean", "blurred", "bent"])
def test_a_worn_slip_is_read_by_both_decoders(wear: str, tmp_path: Path) -> None:
    for seed in range(3):
        seen = WEARS[wear](picture(form="electronic"), Random(f"{wear}/{seed}"))
        assert LINK in by_zxing(seen), seed
        assert LINK in by_zbar(seen, tmp_path / "slip.png"), seed


@pytest.mark.parametrize("width", PAPERS)
def test_half_of_the_stained_codes_are_read(width: int, tmp_path: Path) -> None:
    code = code_of(picture(width=width))
    read = 0
    for seed in range(12):
        seen = WEARS["stained 5 %"](code, Random(f"stained/{seed}"))
        read += LINK in by_zxing(seen) or LINK in by_zbar(seen, tmp_path / "slip.png")
    assert read >= 6


def test_every_kind_of_letter_has_a_glyph_of_its_own() -> None:
    """A font without them would draw the same box for all."""
    signs = "发票餐￥（）·、a0*喆堃玥鑫—"
    drawn = {slip_png(Slip(PAPERS[58], (Text(sign),))) for sign in signs}
    assert len(drawn) == len(signs)


def test_bold_and_large_print_have_more_ink() -> None:
    def ink(*, bold: bool = False, large: bool = False) -> int:
        slip = Slip(PAPERS[58], (Text("合计", bold=bold, large=large),))
        return sum(Image.open(io.BytesIO(slip_png(slip))).histogram()[:128])

    assert ink() < ink(bold=True) < ink(large=True)


def test_what_is_too_long_for_a_picture_is_refused() -> None:
    blocks = (Text("x"),) * MAX_LINES
    slip_png(Slip(PAPERS[58], blocks[:10]))
    with pytest.raises(MalformedError) as refused:
        slip_png(Slip(PAPERS[58], (*blocks, Text("y"))))
    assert refused.value.code == "slip_too_long"


def test_a_missing_font_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(slip_picture, "FONT", tmp_path / "no.otf")
    slip_picture._font.cache_clear()
    with pytest.raises(UnavailableError) as missing:
        slip_png(Slip(PAPERS[58], (Text("x"),)))
    assert missing.value.code == "font_missing"
    assert "no.otf" in missing.value.detail
    slip_picture._font.cache_clear()
