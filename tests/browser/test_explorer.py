"""The log for everybody in a real browser: what is typed stays there, copies are compared there."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chain.audit.evidence import Fork, verify_evidence
from chain.commitment import anchor, parse_password_area
from chain.hashing import sha256
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from tests.api.desk import Desk
from tests.api.log.test_public import fill
from tests.browser.chrome import Chrome
from tests.browser.site import EXPLORER, Site, served
from tests.patience import wait_until

pytestmark = pytest.mark.slow

WINDOWS = ((320, 568), (390, 844), (820, 1180), (1280, 900))
READY = "document.querySelector('[data-ready]') !== null"
VERDICT = "document.getElementById('verdict').dataset.verdict"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A log of a few blocks, served."""
    with served(tmp_path_factory.mktemp("site")) as site:
        fill(site.desk, 300)
        yield site


class Mirror(SimpleHTTPRequestHandler):
    """A copy of a log's files that pages of other sites may read, or not."""

    open_to_all = True

    def end_headers(self) -> None:
        if self.open_to_all:
            self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


class ClosedMirror(Mirror):
    """One that pages of other sites may not read."""

    open_to_all = False


@contextmanager
def mirrored(folder: Path, kind: type[Mirror] = Mirror) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(kind, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def show(chrome: Chrome, site: Site, name: str) -> None:
    chrome.open(site.pages[name])
    wait_until(lambda: chrome.holds(READY), "the page's script runs")


@pytest.mark.parametrize("name", EXPLORER)
def test_every_page_fits_every_window_and_has_no_complaint(
    chrome: Chrome, site: Site, name: str
) -> None:
    for opened, (width, height) in enumerate(WINDOWS):
        chrome.window(width, height, phone=width < 800)
        if not opened:
            chrome.open(site.pages[name])
        assert chrome.evaluate("document.documentElement.scrollWidth") <= width, width
    missing = "Failed to load resource: the server responded with a status of 404"
    assert [said for said in chrome.complaints if not said.startswith(missing)] == []
    assert all(asked.startswith((site.base, "blob:")) for asked in chrome.requests)


def test_a_password_area_becomes_its_anchor_and_is_not_sent(chrome: Chrome, site: Site) -> None:
    chrome.window(390, 844, phone=True)
    invoice = site.desk.issue("private")
    site.desk.anchor()
    show(chrome, site, "log")
    code = f"https://fapiao.test/verify/scan?hash={invoice['hash']}&bill_num=1"
    chrome.evaluate(
        f"(field => {{ field.value = {code!r}; field.dispatchEvent(new Event('input')); }})"
        "(document.getElementById('q'))"
    )
    wait_until(lambda: chrome.holds("document.getElementById('find').checkValidity()"), "it turns")
    chrome.evaluate("document.getElementById('find').requestSubmit()")
    wanted = anchor(parse_password_area(invoice["hash"])).hex()
    there = "location.pathname.includes('/entries/') && !!document.querySelector('.command')"
    wait_until(lambda: chrome.holds(there), "the entry")
    assert wanted in chrome.evaluate("document.querySelector('.command').textContent")
    assert [asked for asked in chrome.requests if invoice["hash"][2:20] in asked] == []
    assert any(wanted in asked for asked in chrome.requests)


def test_what_is_pasted_is_turned_at_once(chrome: Chrome, site: Site) -> None:
    show(chrome, site, "log")
    chrome.evaluate(
        "(field => { field.value = '01' + 'ab'.repeat(32);"
        " field.dispatchEvent(new Event('input')); })(document.getElementById('q'))"
    )
    wanted = anchor(parse_password_area("01" + "ab" * 32)).hex()
    field = "document.getElementById('q').value"
    wait_until(lambda: chrome.evaluate(field) == wanted, "the anchor")
    assert not chrome.evaluate("document.getElementById('turned').hidden")


def test_without_scripts_a_browser_does_not_send_it_and_the_page_says_how(
    chrome: Chrome, site: Site
) -> None:
    chrome.script(on=False)
    try:
        chrome.open(site.pages["log"])
        chrome.evaluate("document.getElementById('q').value = '01' + 'ab'.repeat(32)")
        assert not chrome.evaluate("document.getElementById('find').checkValidity()")
        for good in ("12", "2026-11-21", "ab" * 32):
            chrome.evaluate(f"document.getElementById('q').value = {good!r}")
            assert chrome.evaluate("document.getElementById('find').checkValidity()"), good
        assert "sha256sum" in chrome.evaluate("document.querySelector('main').textContent")
    finally:
        chrome.script(on=True)


def put(chrome: Chrome, **fields: str) -> None:
    for name, value in fields.items():
        chrome.evaluate(f"document.getElementById({name!r}).value = {value!r}")
    chrome.evaluate("document.getElementById('copies').requestSubmit()")
    wait_until(lambda: chrome.evaluate(VERDICT) not in ("none", "asking"), "a verdict")


def test_a_mirror_that_is_behind_agrees(chrome: Chrome, site: Site, tmp_path: Path) -> None:
    desk = site.desk
    older = tmp_path / "older"
    older.mkdir()
    (older / "checkpoint").write_bytes((desk.config.log_dir / "checkpoint").read_bytes())
    fill(desk, 20, "M")
    show(chrome, site, "compare")
    with mirrored(older) as address:
        put(chrome, url2=address)
        assert chrome.evaluate(VERDICT) == "agree", chrome.evaluate("document.body.innerText")
        assert any(asked.startswith(f"{address}checkpoint") for asked in chrome.requests)
    put(chrome, url2="", note2=(older / "checkpoint").read_text())
    assert chrome.evaluate(VERDICT) == "agree"


def test_a_mirror_that_may_not_be_read_is_said(chrome: Chrome, site: Site, tmp_path: Path) -> None:
    show(chrome, site, "compare")
    with mirrored(site.desk.config.log_dir, ClosedMirror) as address:
        put(chrome, url2=address)
    assert chrome.evaluate(VERDICT) == "unclear"
    assert "not_loaded" in chrome.evaluate("document.getElementById('facts').textContent")
    for fields, code in (
        ({"url2": "", "note2": ""}, "no_copy"),
        ({"url2": "ftp://x/"}, "address"),
        ({"url2": "", "note2": "nonsense"}, "note"),
    ):
        put(chrome, **fields)
        assert code in chrome.evaluate("document.getElementById('facts').textContent")


def forked(desk: Desk, size: int) -> bytes:
    """A checkpoint of another history, by the log's own key."""
    other = Checkpoint(desk.instance.log_key.name, size, sha256(b"another history"))
    return sign_checkpoint(other, *desk.instance.log_signers())


@pytest.mark.parametrize("size", [7, None], ids=["smaller", "same size"])
def test_a_fork_is_named_and_its_evidence_saved(
    chrome: Chrome, site: Site, tmp_path: Path, size: int | None
) -> None:
    desk = site.desk
    now = desk.instance.log.latest_checkpoint()[0].size
    chrome.downloads(tmp_path)
    show(chrome, site, "compare")
    put(chrome, url2="", note2=forked(desk, size or now).decode())
    assert chrome.evaluate(VERDICT) == "forked"
    chrome.evaluate("document.getElementById('evidence').click()")
    file = tmp_path / f"fork-{size or now}.evidence.json"
    wait_until(file.exists, "the evidence is saved")
    found = verify_evidence(file.read_bytes(), desk.instance.log_key)
    assert isinstance(found, Fork)
    assert found.one.size == (size or now)
