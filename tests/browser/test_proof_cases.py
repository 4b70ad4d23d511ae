"""Every proof case in a real browser, whose server is gone by then."""

import json
from pathlib import Path

import pytest

from tests.browser.chrome import Pipe, page
from tests.browser.files import serving
from tests.vectors.make_proofs import FAMILIES
from tests.verifier.test_cases import expected, rows

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
READY = (
    "new Promise(done => { const look = () =>"
    " window.checkAll ? done(1) : setTimeout(look, 9); look() })"
)


@pytest.mark.parametrize("how", ["", "?plain"], ids=["WebCrypto", "vendored"])
def test_the_browser_says_what_python_says(chromium: Pipe, how: str) -> None:
    with page(chromium) as chrome:
        with serving(ROOT) as base:
            chrome.open(f"{base}/tests/verifier/browser.html{how}")
            chrome.evaluate(READY)
            assert chrome.evaluate("typeof crypto?.subtle") == ("undefined" if how else "object")
        loaded = len(chrome.requests)
        for family in FAMILIES:
            cases = rows(family)
            found = chrome.evaluate(f"checkAll({json.dumps(cases)})")
            assert found == [expected(row) for row in cases]
        assert len(chrome.requests) == loaded
        assert chrome.complaints == []
