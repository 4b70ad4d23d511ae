"""The pages of people at work as axe-core sees them, by day and by night, in both languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chrome import Chrome, Pipe, page
from tests.browser.test_access import AXE, LOOK, PHONE
from tests.browser.working import WALKS

pytestmark = pytest.mark.slow

UNSEEN = """[...document.querySelectorAll("main form:not([hidden]) :is(input, select)[required]")]
    .filter(field => field.type !== "hidden" && !field.getClientRects().length)
    .map(field => field.name)"""
"""Fields that have to be filled in, and cannot be seen."""

REFUSED = "Failed to load resource: the server responded with a status of"


@pytest.fixture(scope="module")
def chrome(chromium: Pipe) -> Iterator[Chrome]:
    """One browser for all tests here, with axe in every page."""
    with page(chromium) as chrome:
        chrome.before_pages(AXE.read_text("utf-8"))
        chrome.window(*PHONE, phone=True)
        yield chrome


@pytest.mark.parametrize("tag", ["zh-CN", "en"])
@pytest.mark.parametrize("walk", WALKS)
def test_nothing_keeps_anybody_out(chrome: Chrome, tmp_path: Path, walk: str, tag: str) -> None:
    chrome.speak(tag)
    for name in WALKS[walk](chrome, tmp_path / "site"):
        for dark in (False, True):
            chrome.dark(on=dark)
            assert chrome.evaluate(LOOK) == [], (name, dark)
        assert chrome.evaluate(UNSEEN) == [], name
        wide = chrome.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, name
        assert [said for said in chrome.complaints if not said.startswith(REFUSED)] == [], name
