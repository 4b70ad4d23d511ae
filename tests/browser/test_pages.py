"""The pages in a real browser: nothing blocked, nothing cut off, the verdict where one looks."""

import io
import threading
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import zxingcpp
from PIL import Image
from werkzeug.serving import make_server

from tests.api.desk import UNKNOWN, Desk, slip
from tests.browser.chrome import Chrome
from tests.browser.contrast import FAINT

pytestmark = pytest.mark.slow

PHONE = (390, 844)
SMALL_PHONE = (320, 568)
TABLET = (820, 1180)
DESKTOP = (1280, 900)

GREEN, BLUE, RED, GREY = (8, 104, 59), (29, 95, 168), (179, 18, 29), (74, 82, 96)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses of pages with every verdict."""
    with Desk(tmp_path_factory.mktemp("site")) as desk:
        server = make_server("127.0.0.1", 0, desk.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield _addresses(desk, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def _addresses(desk: Desk, base: str) -> dict[str, str]:
    long_name = "深圳市非常非常长的旋转餐厅与咖啡馆及停车场管理服务有限公司" * 3
    company = {"kind": "company", "name": long_name, "tax_id": "91440300708461136T"}
    authentic = desk.issue("T1", buyer=company)
    taken_back = desk.issue("T2")
    desk.reverse(taken_back)
    desk.anchor()
    pending = desk.issue("T3")
    unknown = slip(authentic, hash=UNKNOWN)
    said = {
        "authentic": slip(authentic),
        "reversed": slip(taken_back),
        "pending": slip(pending),
        "mismatch": slip(authentic, total_amount="1"),
        "unknown": unknown,
        "malformed": slip(authentic, total_amount="1e3"),
    }
    pages = {name: f"{base}/verify/scan?{urlencode(fields)}" for name, fields in said.items()}
    code = f"{base}/v1/invoices/{authentic['hash']}/qr.svg?module=8"
    return pages | {
        "landing": f"{base}/",
        "problems": f"{base}/problems",
        "list": f"{base}/verify/list",
        "found": f"{base}/problems?q=log",
        "nothing": f"{base}/nothing",
        "code": code,
        "text": authentic["qr"],
    }


PAGES = [
    *("authentic", "reversed", "pending", "mismatch", "unknown", "malformed"),
    *("landing", "problems", "found", "list", "nothing"),
]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_every_window_can_be_read_and_the_browser_has_no_complaint(
    chrome: Chrome, site: dict[str, str], page: str
) -> None:
    chrome.window(*SMALL_PHONE, phone=True)
    chrome.open(site[page])
    for size in (SMALL_PHONE, PHONE, TABLET, DESKTOP):
        chrome.window(*size, phone=size[0] < TABLET[0])
        width = chrome.evaluate("document.documentElement.scrollWidth")
        assert width <= size[0], f"{page} is {width} wide"
    _check_words(chrome)
    status_is_no_complaint = "Failed to load resource: the server responded with a status of 4"
    assert [c for c in chrome.complaints if not c.startswith(status_is_no_complaint)] == []
    base = site["landing"]
    assert all(request.startswith(base) for request in chrome.requests)
    # No page needs a script; a verdict has its check, the first page a camera.
    verdicts = {"authentic", "reversed", "pending", "mismatch", "unknown", "landing"}
    # A check has its words, and a worker that is begun beside it.
    scripts = {"landing": 3, **dict.fromkeys(verdicts - {"landing"}, 4)}
    assert chrome.evaluate("document.scripts.length") == scripts.get(page, 0)
    assert chrome.evaluate("getComputedStyle(document.body).margin") == "0px"  # our style is in


@pytest.mark.parametrize(
    ("page", "colour"),
    [
        ("authentic", GREEN),
        ("pending", BLUE),
        ("reversed", RED),
        ("mismatch", RED),
        ("unknown", GREY),
        ("malformed", GREY),
    ],
)
def test_the_verdict_is_seen_at_once_on_a_phone(
    chrome: Chrome, site: dict[str, str], page: str, colour: tuple[int, int, int]
) -> None:
    chrome.window(*PHONE, phone=True)
    chrome.open(site[page])
    picture = Image.open(io.BytesIO(chrome.picture())).convert("RGB")
    band = [picture.getpixel((x, y)) for y in range(50, 160, 5) for x in (4, 385)]
    assert band.count(colour) == len(band)
    heading = chrome.evaluate("document.querySelector('h1').getBoundingClientRect().bottom")
    assert heading < PHONE[1] / 3
    assert (
        float(
            chrome.evaluate("parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)")
        )
        >= 28
    )


def _check_words(chrome: Chrome) -> None:
    """They can be read by day and by night."""
    chrome.window(*PHONE, phone=True)
    for dark in (True, False):
        chrome.dark(on=dark)
        ground = chrome.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(18, 22, 27)" if dark else "rgb(238, 241, 245)")
        assert chrome.evaluate(FAINT) == [], dark


def test_a_code_s_address_opens_at_its_entry(chrome: Chrome, site: dict[str, str]) -> None:
    chrome.window(*PHONE, phone=True)
    chrome.open(f"{site['nothing']}")
    chrome.open(f"{site['problems']}#not_in_log")
    entry = "document.querySelector('#not_in_log')"
    assert -1 < chrome.evaluate(f"{entry}.getBoundingClientRect().top") < PHONE[1]
    assert chrome.evaluate(f"{entry}.matches(':target')")
    other = "getComputedStyle(document.querySelector('#no_tile')).backgroundColor"
    assert chrome.evaluate(f"getComputedStyle({entry}).backgroundColor") != chrome.evaluate(other)


def send_text(chrome: Chrome) -> None:
    """Click on the button of the form with the text, and wait for what comes."""
    place = chrome.evaluate(
        "(button => { button.scrollIntoView({ block: 'center', behavior: 'instant' });"
        " const r = button.getBoundingClientRect();"
        " return [r.x + r.width / 2, r.y + r.height / 2]; })"
        "(document.querySelector('textarea').form.querySelector('button'))"
    )
    chrome.click(*place)
    chrome.wait()


def test_a_list_is_checked_without_script(chrome: Chrome, site: dict[str, str]) -> None:
    chrome.window(*PHONE, phone=True)
    chrome.open(site["list"])
    lines = f"{site['text']}\nnonsense\n{site['text']}"
    chrome.evaluate(f"document.querySelector('textarea').value = {lines!r}")
    chrome.script(on=False)
    try:
        send_text(chrome)
        assert chrome.evaluate("document.querySelectorAll('.lines > li').length") == 3
        assert chrome.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        for dark in (True, False):
            chrome.dark(on=dark)
            assert chrome.evaluate(FAINT) == []
    finally:
        chrome.script(on=True)
        chrome.dark(on=False)


def test_amount_seller_and_number_are_seen_without_scrolling(
    chrome: Chrome, site: dict[str, str]
) -> None:
    chrome.window(*PHONE, phone=True)
    chrome.open(site["authentic"])
    for choice in (".total", ".seller", "dd"):
        place = f"document.querySelector('{choice}').getBoundingClientRect().bottom"
        assert chrome.evaluate(place) < PHONE[1], choice


def test_the_form_works_without_script(chrome: Chrome, site: dict[str, str]) -> None:
    chrome.window(*PHONE, phone=True)
    chrome.open(site["landing"])
    chrome.evaluate(f"document.querySelector('textarea').value = {site['text']!r}")
    chrome.script(on=False)
    try:
        send_text(chrome)
        verdict = "document.querySelector('[data-verdict]').dataset.verdict"
        assert chrome.evaluate(verdict) == "authentic"
    finally:
        chrome.script(on=True)


def test_the_qr_code_as_the_browser_draws_it_is_read(chrome: Chrome, site: dict[str, str]) -> None:
    chrome.window(*DESKTOP, phone=False)
    chrome.open(site["code"])
    picture = Image.open(io.BytesIO(chrome.picture()))
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [site["text"]]


def test_parts_that_can_be_tapped_are_large_enough(chrome: Chrome, site: dict[str, str]) -> None:
    chrome.window(*PHONE, phone=True)
    chrome.open(site["authentic"])
    chrome.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    heights = chrome.evaluate(
        "[...document.querySelectorAll('.button')].map(b => b.getBoundingClientRect().height)"
    )
    assert heights
    assert min(heights) >= 40
