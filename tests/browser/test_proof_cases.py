"""Every proof case in a real browser, whose server is gone by then."""

import json
from pathlib import Path

import pytest

from tests.browser.chrome import Pipe, page
from tests.browser.files import serving
from tests.scale import share
from tests.vectors.make_proofs import FAMILIES
from tests.verifier.test_cases import expected, rows

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
READY = (
    "new Promise(done => { const look = () =>"
    " window.checkAll ? done(1) : setTimeout(look, 9); look() })"
)


@pytest.mark.scaled
@pytest.mark.parametrize("how", ["", "?plain"], ids=["WebCrypto", "vendored"])
def test_the_browser_says_what_python_says(chromium: Pipe, how: str) -> None:
    """All cases; without WebCrypto, which is slow, a usual run has one of each family's answers."""
    with page(chromium) as chrome:
        with serving(ROOT) as base:
            chrome.open(f"{base}/tests/verifier/browser.html{how}")
            chrome.evaluate(READY)
            assert chrome.evaluate("typeof crypto?.subtle") == ("undefined" if how else "object")
        loaded = len(chrome.requests)
        for family in FAMILIES:
            cases = rows(family)
            if how:
                one_of_each = {(row["expected"], row["step"]): row for row in cases}
                cases = share(cases, [*one_of_each.values()])
            found = chrome.evaluate(f"checkAll({json.dumps(cases)})")
            assert found == [expected(row) for row in cases]
        assert len(chrome.requests) == loaded
        assert chrome.complaints == []
