"""From the slip's link to the invoice: touches counted, titles scanned as customers show them."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from invoice_service.domain.titles import crc16
from tests.api.desk import MEAL, OTHER_TAX_ID
from tests.api.orders.test_orders import made, path_of
from tests.browser.chrome import Chrome, browser
from tests.browser.site import Site, served
from tests.browser.test_check_page import CAMERA, code, film, photograph
from tests.patience import wait_until

pytestmark = pytest.mark.slow

NAME: Final = "深圳市采购有限公司"
MOST: Final = 3
"""Touches of the page from the scan of the slip to the invoice."""


def title(name: str = NAME, charset: str = "gbk", *, bent: bool = False) -> str:
    """A title as its code has it, with the sum over it."""
    text = f"{name}</>{OTHER_TAX_ID}</>".encode(charset)
    total = crc16(text) ^ bent
    return f"$01{b64encode(text + f'{total:04X}'.encode()).decode()}$"


def plain_title() -> bytes:
    """The same without base64: bytes of GBK, and nothing that says so."""
    text = f"{NAME}</>{OTHER_TAX_ID}</>".encode("gbk")
    return b"$01" + text + f"{crc16(text):04X}$".encode()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service with orders."""
    with served(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """A phone whose camera sees a company's title."""
    folder = tmp_path_factory.mktemp("phone")
    (folder / "camera.y4m").write_bytes(film(code(title(), 4)))
    flags = (*CAMERA, f"--use-file-for-fake-video-capture={folder / 'camera.y4m'}")
    with browser(folder / "profile", *flags) as chrome:
        chrome.window(390, 844, phone=True)
        yield chrome


class Guest:
    """A finger that counts, on the page of an order of her own."""

    def __init__(self, chrome: Chrome, site: Site, order: str) -> None:
        self.chrome, self.site, self.touches = chrome, site, 0
        chrome.open(site.base + path_of(made(site.desk, order, lines=[MEAL])))
        wait_until(lambda: chrome.holds("!document.querySelector('#keep').hidden"), "all is there")

    def touch(self, selector: str) -> None:
        """Where it is seen, in its middle."""
        place = f"""(() => {{
            const part = document.querySelector({selector!r});
            part.scrollIntoView({{ block: "center" }});
            const {{ x, y, width, height }} = part.getBoundingClientRect();
            return [x + width / 2, y + height / 2];
        }})()"""
        self.chrome.click(*self.chrome.evaluate(place))
        self.touches += 1

    def get(self) -> str:
        """The last touch; who stands on the invoice then."""
        self.touch("#claim button[type=submit]")
        self.wait("document.querySelector('[data-claim=done]') !== null")
        text: str = self.chrome.evaluate("document.querySelector('#invoice dl').innerText")
        return text

    def wait(self, expression: str) -> None:
        """Until it is so."""
        wait_until(lambda: self.chrome.holds(expression), expression)

    def typed(self, text: str) -> None:
        """On the keyboard, into what was touched."""
        self.chrome.evaluate(f"document.execCommand('insertText', false, {json.dumps(text)})")


def test_a_person_has_it_in_one_touch(chrome: Chrome, site: Site) -> None:
    guest = Guest(chrome, site, "T1")
    assert "个人" in guest.get()
    assert guest.touches == 1


def test_a_company_shows_its_title_s_code_to_the_camera(chrome: Chrome, site: Site) -> None:
    guest = Guest(chrome, site, "T2")
    guest.touch("#camera")
    guest.wait("document.querySelector('#name').value !== ''")
    assert chrome.evaluate("document.querySelector('#claim').elements.kind.value") == "company"
    assert "compare" not in chrome.evaluate("document.querySelector('#heard').innerText")
    text = guest.get()
    assert NAME in text
    assert OTHER_TAX_ID in text
    assert guest.touches <= MOST


def test_a_title_that_the_phone_remembers_is_touched(chrome: Chrome, site: Site) -> None:
    guest = Guest(chrome, site, "T3")
    guest.touch("#camera")
    guest.wait("document.querySelector('#name').value !== ''")
    guest.touch("#remember")
    guest.get()
    assert guest.touches <= MOST
    guest = Guest(chrome, site, "T4")
    guest.touch("#known .take")
    assert OTHER_TAX_ID in guest.get()
    assert guest.touches == 2
    guest = Guest(chrome, site, "T5")
    guest.touch("#known .forget")
    guest.wait("document.querySelector('#known').hidden")


def test_a_title_typed_by_hand(chrome: Chrome, site: Site) -> None:
    guest = Guest(chrome, site, "T6")
    guest.touch("label:has([value=company])")
    guest.touch("#name")
    guest.typed(NAME)
    guest.touch("#tax_id")
    guest.typed(OTHER_TAX_ID.lower())
    assert guest.touches <= MOST
    assert OTHER_TAX_ID in guest.get()  # or Enter on the keyboard


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("GBK", title()),
        ("UTF-8", title(charset="utf-8")),
        ("as the specification has it", plain_title()),
    ],
    ids=["gbk", "utf-8", "plain"],
)
def test_a_photograph_of_a_title_code(
    chrome: Chrome, site: Site, tmp_path: Path, name: str, said: str | bytes
) -> None:
    guest = Guest(chrome, site, f"P {name}")
    photograph(said).save(tmp_path / "title.png")
    chrome.choose("#photo", tmp_path / "title.png")
    guest.wait("document.querySelector('#name').value !== ''")
    assert "已填入抬头" in chrome.evaluate("document.querySelector('#heard').innerText")
    assert NAME in guest.get()


def test_a_code_whose_sum_does_not_fit_is_to_be_compared(
    chrome: Chrome, site: Site, tmp_path: Path
) -> None:
    guest = Guest(chrome, site, "B1")
    photograph(title(bent=True)).save(tmp_path / "bent.png")
    chrome.choose("#photo", tmp_path / "bent.png")
    guest.wait("document.querySelector('#name').value !== ''")
    assert "校验" in chrome.evaluate("document.querySelector('#heard').innerText")


def test_another_code_is_no_title(chrome: Chrome, site: Site, tmp_path: Path) -> None:
    guest = Guest(chrome, site, "B2")
    photograph(site.text).save(tmp_path / "slip.png")
    chrome.choose("#photo", tmp_path / "slip.png")
    guest.wait("document.querySelector('#heard').innerText !== ''")
    assert chrome.evaluate("document.querySelector('#name').value") == ""
