"""Applying on a phone, in a real browser: the form, a link whose receipt stays behind #."""

import io
import threading
from collections.abc import Iterator

import pytest
from PIL import Image
from werkzeug.serving import make_server

from tests.api.admission.office import applied, stepped
from tests.api.desk import Desk
from tests.browser.chrome import Chrome
from tests.patience import wait_until

pytestmark = pytest.mark.slow

PHONE = (320, 568)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, str]]:
    """An instance, and where it is served."""
    with Desk(tmp_path_factory.mktemp("office")) as desk:
        server = make_server("127.0.0.1", 0, desk.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield desk, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


def paper() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 80), "white").save(file, "JPEG")
    return file.getvalue()


def test_a_link_with_the_receipt_leads_to_the_page_and_leaves_the_address(
    chrome: Chrome, office: tuple[Desk, str]
) -> None:
    desk, base = office
    id_, receipt = applied(desk, paper())
    stepped(desk, id_, "notice")
    chrome.speak("en")
    chrome.window(*PHONE, phone=True)
    for path in ("/apply", "/apply/notices", f"/apply/notices/{id_}"):
        chrome.open(f"{base}{path}")
        assert chrome.evaluate("document.documentElement.scrollWidth") <= PHONE[0], path
        assert chrome.complaints == [], path
    chrome.evaluate(f"void (location.href = '{base}/apply/status#{receipt}')")
    shown = "document.querySelector('h1')?.textContent === 'My application'"
    wait_until(lambda: chrome.holds(shown), "the applicant's page is there")
    assert receipt not in str(chrome.evaluate("location.href"))
    assert all(receipt not in asked for asked in chrome.requests)
    assert chrome.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    said = "document.getElementById('text').value = 'We have moved';"
    chrome.evaluate(f"void ({said[:-1]})")
    chrome.evaluate("void document.querySelector('form [name=act][value=comment]').form.submit()")
    wait_until(lambda: chrome.holds("document.body.innerText.includes('We have moved')"), "said")
    assert [one.text for one in desk.instance.admission.bench.one(id_).comments] == [
        "We have moved"
    ]
