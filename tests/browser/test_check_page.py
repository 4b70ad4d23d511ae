"""The first page: codes by camera, from pictures with one or several, files; read there."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import qrcode
from PIL import Image, ImageFilter

from tests.api.checking.test_papers import paper
from tests.api.desk import MEAL, OTHER_TAX_ID, slip
from tests.browser.chrome import Chrome, browser
from tests.browser.site import Site, served
from tests.browser.till.shop import title_code
from tests.domain.test_vat import DIGITAL
from tests.patience import wait_until

pytestmark = pytest.mark.slow

CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service with an invoice of every kind."""
    with served(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[Chrome]:
    """A phone whose camera sees an authentic invoice's code."""
    folder = tmp_path_factory.mktemp("phone")
    (folder / "camera.y4m").write_bytes(film(code(site.text, 4)))
    flags = (*CAMERA, f"--use-file-for-fake-video-capture={folder / 'camera.y4m'}")
    with browser(folder / "profile", *flags) as chrome:
        chrome.window(390, 844, phone=True)
        yield chrome


def code(text: str | bytes, size: int) -> Image.Image:
    """A QR code."""
    made = qrcode.QRCode(box_size=size, error_correction=qrcode.ERROR_CORRECT_Q)
    made.add_data(text)
    picture: Image.Image = made.make_image().get_image().convert("L")
    return picture


def film(picture: Image.Image) -> bytes:
    """A frame of what a camera sees."""
    frame = Image.new("L", (640, 480), 200)
    frame.paste(picture.resize((400, 400)), (120, 40))
    head = b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\nFRAME\n"
    return head + frame.tobytes() + bytes([128]) * (640 * 480 // 2)


def photograph(*texts: str | bytes) -> Image.Image:
    """Several slips on a table, turned a little, not quite sharp."""
    table = Image.new("L", (1200 * len(texts), 1400), 170)
    for place, text in enumerate(texts):
        turned = code(text, 9).rotate(7 * (place + 1), expand=True, fillcolor=255)
        table.paste(turned, (80 + 1180 * place, 120))
    return table.filter(ImageFilter.GaussianBlur(1.2))


def _until(chrome: Chrome, expression: str) -> None:
    wait_until(lambda: chrome.holds(expression), expression)


def _open(chrome: Chrome, site: Site, address: str = "/") -> None:
    chrome.open(f"{site.base}{address}")
    _until(chrome, "document.querySelector('#look').dataset.ready === 'yes'")


def _at(chrome: Chrome, path: str) -> None:
    _until(chrome, f"location.pathname === {path!r} && document.readyState === 'complete'")


def test_the_camera_s_code_leads_to_its_verdict(chrome: Chrome, site: Site) -> None:
    _open(chrome, site)
    chrome.evaluate("document.querySelector('#camera').click()")
    _at(chrome, "/verify/scan")
    assert chrome.evaluate("document.querySelector('[data-verdict]').dataset.verdict") == (
        "authentic"
    )


def test_a_photograph_of_one_code_leads_to_its_verdict(
    chrome: Chrome, site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "slip.jpg"
    photograph(site.text).save(file, quality=80)
    _open(chrome, site, "/verify")
    chrome.choose("#picture", file)
    _at(chrome, "/verify/scan")
    assert chrome.evaluate("document.querySelector('[data-verdict]').dataset.verdict") == (
        "authentic"
    )


def test_each_code_of_a_picture_has_its_verdict(chrome: Chrome, site: Site, tmp_path: Path) -> None:
    other = site.desk.issue("C1")
    wrong = site.text.replace("total_amount=", "total_amount=1")
    file = tmp_path / "table.png"
    photograph(site.text, other["qr"], wrong, DIGITAL).save(file)
    _open(chrome, site)
    chrome.choose("#picture", file)
    _at(chrome, "/verify/list")
    said = chrome.evaluate("[...document.querySelectorAll('.lines > li')].map(li => li.innerText)")
    assert len(said) == 4
    for words in ("真票", "待入账", "与开具内容不符", "普通增值税发票"):
        assert any(words in line for line in said), (words, said)


def test_a_picture_without_a_code_says_what_to_do(
    chrome: Chrome, site: Site, tmp_path: Path
) -> None:
    for name, data, said in (("blank.png", _png(), "没有找到"), ("broken.jpg", b"no", "无法读取")):
        file = tmp_path / name
        file.write_bytes(data)
        _open(chrome, site)
        chrome.choose("#picture", file)
        _until(chrome, f"document.querySelector('#told').innerText.includes({said!r})")
        assert chrome.evaluate("location.pathname") == "/"


def test_of_several_files_all_are_judged_or_none(
    chrome: Chrome, site: Site, tmp_path: Path
) -> None:
    """Whoever chooses three and is shown two believes that the third is good as well."""
    slip, blank, other = (tmp_path / name for name in ("slip.png", "blank.png", "a.pdf"))
    photograph(site.text).save(slip)
    blank.write_bytes(_png())
    other.write_bytes(b"%PDF-1.7")
    for files, said in (
        ((slip, blank), "blank.png"),
        ((slip, other), "只选图片"),
        ((other, other), "只选图片"),
    ):
        _open(chrome, site)
        chrome.choose("#picture", *files)
        _until(chrome, f"document.querySelector('#told').innerText.includes({said!r})")
        assert "尚未查验" in chrome.evaluate("document.querySelector('#told').innerText")
        assert (
            chrome.evaluate("location.pathname + document.querySelector('#paper').hidden")
            == "/true"
        )
    _open(chrome, site)
    chrome.choose("#picture", slip, slip)
    _at(chrome, "/verify/scan")


def _png() -> bytes:
    body = io.BytesIO()
    Image.new("RGB", (300, 300), "white").save(body, "PNG")
    return body.getvalue()


def test_a_proof_file_is_checked_at_once(chrome: Chrome, site: Site, tmp_path: Path) -> None:
    invoice = site.desk.issue("C2")
    site.desk.anchor()
    file = tmp_path / "invoice.fapiao.json"
    file.write_bytes(site.desk.client.get(f"/v1/invoices/{invoice['hash']}/proof").data)
    _open(chrome, site)
    chrome.choose("#picture", file)
    _at(chrome, "/verify/file")
    _until(chrome, "document.querySelector('#verdict').dataset.verdict === 'proved'")
    assert invoice["hash"] in chrome.evaluate("document.querySelector('#facts').innerText")
    assert chrome.evaluate("sessionStorage.length") == 0


@pytest.mark.parametrize("address", ["/", "/verify/file"])
def test_a_pdf_is_sent_when_the_person_says_so(
    chrome: Chrome, site: Site, tmp_path: Path, address: str
) -> None:
    invoice = site.desk.issue(f"PDF{len(address)}")
    file = tmp_path / "invoice.pdf"
    file.write_bytes(paper(site.desk, invoice["hash"]))
    chrome.open(f"{site.base}{address}")
    ready = "(document.querySelector('#look') ?? document.documentElement).dataset.ready === 'yes'"
    _until(chrome, ready)
    chrome.choose("#picture" if address == "/" else "#file", file)
    _until(chrome, "!document.querySelector('#paper').hidden")
    assert chrome.evaluate("location.pathname") == address  # and nothing was sent
    assert chrome.evaluate("document.activeElement.id") == "send"
    chrome.evaluate("document.querySelector('#send').click()")
    _at(chrome, "/verify/paper")
    fits = "[...document.querySelectorAll('[data-fits]')].map(one => one.dataset.fits)"
    assert chrome.evaluate(fits) == ["yes", "yes", "yes", "none"]


def test_a_photograph_on_the_page_for_files_leads_to_its_verdict(
    chrome: Chrome, site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "slip.jpg"
    photograph(site.text).save(file, quality=80)
    chrome.open(f"{site.base}/verify/file")
    _until(chrome, "document.documentElement.dataset.ready === 'yes'")
    chrome.choose("#file", file)
    _at(chrome, "/verify/scan")


def test_typed_fields_lead_to_the_verdict_without_script(chrome: Chrome, site: Site) -> None:
    invoice = site.desk.issue("C3")
    _open(chrome, site)
    spaced = " ".join(slip(invoice)["hash"][place : place + 22] for place in (0, 22, 44))
    chrome.script(on=False)
    try:
        chrome.open(f"{site.base}/")
        assert chrome.evaluate("getComputedStyle(document.querySelector('#look')).display") == (
            "none"
        )
        for name, text in {"hash": spaced, "number": invoice["number"], "total": "¥498.10"}.items():
            chrome.evaluate(f"document.querySelector('#{name}').value = {text!r}")
        chrome.evaluate("document.querySelector('#fields').open = true")
        chrome.evaluate("document.querySelector('#fields form').submit()")
        chrome.wait()
        band = "document.querySelector('[data-verdict]').dataset.verdict"
        assert chrome.evaluate(band) == "pending"
    finally:
        chrome.script(on=True)


def test_a_title_is_taken_over_by_camera_or_from_a_photograph(
    chrome: Chrome, site: Site, tmp_path: Path
) -> None:
    """The camera sees an invoice's code: that is passed over, and the picture has the title's."""
    made = site.desk.post("/v1/orders", {"order_id": "T9", "lines": [MEAL]}).get_json()
    chrome.open(f"{site.base}/claim/{made['link'].rpartition('/')[2]}")
    _until(chrome, "!document.querySelector('#picture').hidden")
    chrome.evaluate("document.querySelector('#camera').click()")
    _until(chrome, "document.querySelector('#heard').innerText.includes('不是抬头二维码')")
    assert chrome.evaluate("document.querySelector('#seen').hidden") is False
    file = tmp_path / "title.png"
    photograph(title_code("深圳市采购有限公司", OTHER_TAX_ID)).save(file)
    chrome.choose("#photo", file)
    _until(chrome, "document.querySelector('#name').value === '深圳市采购有限公司'")
    assert chrome.evaluate("document.querySelector('#tax_id').value") == OTHER_TAX_ID
    assert chrome.evaluate("document.querySelector('#seen').hidden") is True
