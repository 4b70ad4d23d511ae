"""Applying on a phone, in a real browser: the form, a link whose receipt stays behind #."""

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from werkzeug.serving import make_server

from invoice_service.services.people.sessions import Visit
from invoice_service.web.people.gate import SESSION, cookie_name
from tests.api.admission.office import applied, examined, stepped
from tests.api.desk import Desk
from tests.browser.chrome import Chrome, Pipe, page
from tests.browser.test_access import AXE, LOOK
from tests.browser.working import fill, served, submit
from tests.patience import wait_until
from tests.web.people.visitors import Bureau

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
    chrome.open(f"{base}/apply")
    fill(chrome, name="海岸咖啡馆", message="x")
    chrome.evaluate("void (document.querySelector('main form').noValidate = true)")
    submit(chrome, "main form")
    for spoken in ("选择", "choose them again"):  # into Chinese, and back
        chrome.evaluate("void document.querySelector('header form button').click()")
        chrome.wait()
        assert spoken in chrome.evaluate("document.querySelector('[role=status]').innerText")
        assert chrome.evaluate("document.getElementById('name').value") == "海岸咖啡馆"
        assert chrome.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
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


def look(chrome: Chrome) -> None:
    """It fits the smallest phone and keeps nobody out, by day and by night."""
    for dark in (True, False):
        chrome.dark(on=dark)
        assert chrome.evaluate(LOOK) == []
    assert chrome.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert chrome.complaints == []


def test_from_the_receipt_to_the_owners_account_and_what_officials_see_of_it(
    chromium: Pipe, tmp_path: Path
) -> None:
    with (
        page(chromium) as chrome,
        served() as (url, apps),
        Bureau(tmp_path, FAPIAO_SERVICE_PUBLIC_URL=url) as bureau,
    ):
        apps.append(bureau.app)
        chrome.before_pages(AXE.read_text("utf-8"))
        chrome.speak("en")
        chrome.window(*PHONE, phone=True)
        rival, _ = applied(bureau, paper(), name="x" * 60)
        id_, receipt = examined(bureau, paper())
        chief = bureau.person("chen", "administrator")
        token = bureau.instance.people.sessions.open(chief, "strong", Visit("", ""), "totp")
        kept = f"{cookie_name(url, SESSION)}={token}; path=/"
        chrome.open(f"{url}/sign-in")
        chrome.evaluate(f"document.cookie = {kept!r}")
        for path in ("", f"/{id_}", f"/{rival}"):
            chrome.open(f"{url}/bureau/applications{path}")
            look(chrome)
        stepped(bureau, id_, "admit", batch="2026-11", rivals=[rival])
        chrome.open(f"{url}/bureau/applications/{id_}")
        look(chrome)
        chrome.evaluate(f"document.cookie = {kept!r} + '; max-age=0'")
        chrome.open(f"{url}/apply/status")
        fill(chrome, receipt=receipt)
        submit(chrome, "#by-receipt")
        look(chrome)
        fill(chrome, name="王店长", login="wang")
        submit(chrome, "#account form")
        look(chrome)
        chrome.evaluate("void document.querySelector('#account a').click()")
        chrome.wait()
        assert "Welcome, 王店长" in chrome.evaluate("document.body.innerText")
        fill(chrome, password="seven ducks cross a river")
        submit(chrome, "main form")
        assert "Your account" in chrome.evaluate("document.title")
        assert "wang@2" in chrome.evaluate("document.body.innerText")
        chrome.open(f"{url}/apply/status")
        fill(chrome, receipt=receipt)
        submit(chrome, "#by-receipt")
        assert "It is open" in chrome.evaluate("document.body.innerText")
        look(chrome)
