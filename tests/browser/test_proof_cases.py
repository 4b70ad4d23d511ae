"""Every proof case in a real browser, whose server is gone by then."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.browser.chrome import browser, program
from tests.vectors.make_proofs import FAMILIES
from tests.verifier.test_cases import expected, rows

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(program() is None, reason="chromium is not installed"),
]

ROOT = Path(__file__).parents[2]
READY = (
    "new Promise(done => { const look = () =>"
    " window.checkAll ? done(1) : setTimeout(look, 9); look() })"
)


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The files of a folder at an address, until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("how", ["", "?plain"], ids=["WebCrypto", "vendored"])
def test_the_browser_says_what_python_says(tmp_path: Path, how: str) -> None:
    with browser(tmp_path / "profile") as chrome:
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
