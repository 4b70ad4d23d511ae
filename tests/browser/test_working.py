"""The pages of people at work as axe-core sees them, by day and by night, in both languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.proof.file import hidden_in, parse_proof
from tests.browser.chrome import Chrome, Pipe, page
from tests.browser.city import walk_city
from tests.browser.test_access import AXE, LOOK, LOOKS, PHONE
from tests.browser.working import WALKS, walk_claim
from tests.patience import wait_until

pytestmark = pytest.mark.slow

UNSEEN = """[...document.querySelectorAll("main form:not([hidden]) :is(input, select)[required]")]
    .filter(field => field.type !== "hidden" && !field.getClientRects().length)
    .map(field => field.name)"""
"""Fields that have to be filled in, and cannot be seen."""

PHONE_S_WAY = """
globalThis.given = [];
navigator.canShare = ({ files }) => files.every((file) => file.type !== "application/json");
navigator.share = ({ files }) => {
    given.push(files.map((file) => `${file.name} ${file.type} ${file.size > 1000}`).join());
    if (given.length === 1) throw new DOMException("another touch", "NotAllowedError");
    return Promise.resolve();
};
"""
"""A phone that shares pictures and papers, wants a second touch for its first, and no proofs."""

ROOT = "document.documentElement"
WIDE = f"{ROOT}.scrollWidth"  # a phone's own width grows with what is too wide for it
SMALL = (320, 568)
ALL = {**WALKS, "city": walk_city}
REFUSED = "Failed to load resource: the server responded with a status of"


@pytest.fixture(scope="module")
def chrome(chromium: Pipe) -> Iterator[Chrome]:
    """One browser for all tests here, with axe in every page."""
    with page(chromium) as chrome:
        chrome.before_pages(AXE.read_text("utf-8"))
        chrome.window(*PHONE, phone=True)
        yield chrome


@pytest.mark.scaled
@pytest.mark.parametrize("tag", ["zh-CN", "en"])
@pytest.mark.parametrize("walk", ALL)
def test_nothing_keeps_anybody_out(chrome: Chrome, tmp_path: Path, walk: str, tag: str) -> None:
    chrome.speak(tag)
    for name in ALL[walk](chrome, tmp_path / "site"):
        for dark in (by_night for by_night, whose in LOOKS if whose == tag):
            chrome.dark(on=dark)
            assert chrome.evaluate(LOOK) == [], (name, dark)
        assert chrome.evaluate(UNSEEN) == [], name
        assert chrome.evaluate(WIDE) <= PHONE[0], name
        if walk == "claims":
            _check_small(chrome, name)
        assert [said for said in chrome.complaints if not said.startswith(REFUSED)] == [], name


def test_a_file_goes_the_phone_s_own_way_where_it_has_one_else_it_is_saved(
    chrome: Chrome, tmp_path: Path
) -> None:
    chrome.speak("en")
    chrome.downloads(tmp_path)
    walk = walk_claim(chrome, tmp_path / "site")
    assert next(walk) == "claimed"
    chrome.evaluate(PHONE_S_WAY)
    said = "document.querySelector('#shared').innerText"
    share = "document.querySelector('#share').requestSubmit()"
    chrome.evaluate("document.querySelector('#share [value=picture]').checked = true")
    chrome.evaluate(share)
    wait_until(lambda: chrome.holds(f"{said}.startsWith('Hand on 00000001.png')"), "it is made")
    chrome.evaluate("document.querySelector('#shared button').click()")
    wait_until(lambda: chrome.holds("given.length === 2"), "it is handed on")
    assert set(chrome.evaluate("given")) == {"00000001.png image/png true"}
    chrome.evaluate("document.querySelector('#share [value=proof]').checked = true")
    chrome.evaluate("document.querySelector('#share [name=hide]').checked = true")
    chrome.evaluate(share)
    saved = tmp_path / "00000001.fapiao.json"
    wait_until(saved.is_file, "it is saved")
    assert chrome.evaluate(said) == "Saved: 00000001.fapiao.json"
    assert hidden_in(parse_proof(saved.read_bytes())) == ("buyer",)
    walk.close()
    chrome.open("about:blank")


def _check_small(chrome: Chrome, name: str) -> None:
    """Nothing is cut off on the smallest phone, with text twice as large either."""
    chrome.window(*SMALL, phone=True)
    for size in ("", "200%"):
        chrome.evaluate(f"{ROOT}.style.fontSize = '{size}'")
        assert chrome.evaluate(WIDE) <= SMALL[0], (name, size)
    chrome.evaluate(f"{ROOT}.style.fontSize = ''")
    chrome.window(*PHONE, phone=True)
