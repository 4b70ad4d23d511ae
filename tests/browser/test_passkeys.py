"""Signing in through real pages, with a device that the browser itself pretends to have."""

import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from tests.browser.chrome import Chrome
from tests.web.people.visitors import PASSWORD, Bureau

pytestmark = pytest.mark.slow

FILL = "document.querySelector({selector!r}).value = {value!r}"
SUBMIT = "document.querySelector({selector!r}).requestSubmit()"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bureau, str]]:
    """A bureau under a name that may have passkeys, and its address."""
    server = make_server("localhost", 0, lambda *_: [], threaded=True)
    url = f"http://localhost:{server.server_port}"
    folder = tmp_path_factory.mktemp("bureau")
    with Bureau(folder, FAPIAO_SERVICE_PUBLIC_URL=url) as bureau:
        server.app = bureau.app
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield bureau, url
        server.shutdown()
        thread.join()


def fill(chrome: Chrome, selector: str, value: str) -> None:
    """Put a value into a field."""
    chrome.evaluate(FILL.format(selector=selector, value=value))


def submit(chrome: Chrome, selector: str) -> None:
    """Send a form as its button would, and wait for the page after."""
    chrome.evaluate(SUBMIT.format(selector=selector))
    chrome.wait()


def test_a_passkey_is_made_and_signs_in(chrome: Chrome, site: tuple[Bureau, str]) -> None:
    bureau, url = site
    person = bureau.person("zhang")
    chrome.device()
    chrome.open(f"{url}/sign-in")
    fill(chrome, "#login", person.login)
    fill(chrome, "#password", PASSWORD)
    submit(chrome, "form[action='/sign-in']")
    form = "form[data-passkey=make]"
    assert chrome.evaluate(f"document.querySelector('{form}').hidden") is False
    fill(chrome, "#label", "phone")
    fill(chrome, "#again-new-passkey", PASSWORD)
    submit(chrome, form)
    assert chrome.evaluate("document.body.innerText").count("phone") == 1
    submit(chrome, "form[action='/sign-out']")
    submit(chrome, "form[data-passkey=show]")
    assert chrome.evaluate("location.pathname") == "/account"
    assert "zhang@1" in chrome.evaluate("document.body.innerText")
    assert chrome.complaints == [], chrome.complaints
    (kept,) = bureau.instance.store.passkeys(person.id)
    assert kept.used_at is not None


def test_a_password_is_shown_as_long_as_somebody_wants(
    chrome: Chrome, site: tuple[Bureau, str]
) -> None:
    bureau, url = site
    person = bureau.person("li")
    kind = "document.querySelector('#password').type"
    box = "document.querySelector('[data-shows=password]')"
    chrome.open(f"{url}/sign-in")
    assert chrome.evaluate(f"[{kind}, {box}.closest('label').hidden]") == ["password", False]
    fill(chrome, "#login", person.login)
    fill(chrome, "#password", PASSWORD)
    for shown in ("text", "password", "text"):
        chrome.evaluate(f"{box}.click()")
        assert chrome.evaluate(kind) == shown
    kept = "addEventListener('submit', () => { sessionStorage.kind = %s; })"
    chrome.evaluate(kept % kind)
    submit(chrome, "form[action='/sign-in']")
    assert chrome.evaluate("[location.pathname, sessionStorage.kind]") == ["/account", "password"]
    submit(chrome, "form[action='/sign-out']")
