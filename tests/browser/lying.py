"""A service behind somebody who changes its answers, scripts untouched, and a phone that looks."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app

from tests.api.desk import Desk, slip
from tests.browser.chrome import Chrome
from tests.patience import PATIENCE

Lie = Callable[[str, bytes], bytes | None]
"""What is answered at an address instead of what the service says; None: that it is not there."""

SETTLED = """new Promise((done, fail) => {
    const end = Date.now() + %d;
    const look = () => {
        const said = document.getElementById("phone")?.dataset.kind;
        if (said && said !== "checking") done(said);
        else if (Date.now() > end) fail(Error(said)); else setTimeout(look, 20);
    };
    look();
})"""
NO_PAUSE = """(() => {
    const later = setTimeout;
    const short = (pause) => (pause === 1500 ? 1 : pause);
    globalThis.setTimeout = (work, pause, ...more) => later(work, short(pause), ...more);
})();"""
"""``static/scan/page.js`` pauses for so long before it asks once more about what did not fit."""
CLOCK = "(() => { const now = Date.now; const off = %d - now(); Date.now = () => now() + off; })()"


def honest(_path: str, body: bytes) -> bytes:
    """Nothing is changed."""
    return body


@dataclass
class Between:
    """The service, and who stands between it and its phones."""

    desk: Desk
    base: str = ""
    lie: Lie = honest
    asked: list[str] = field(default_factory=list)

    def address(self, invoice: dict[str, Any], **changes: str) -> str:
        """Of an invoice's scan page."""
        return f"{self.base}/verify/scan?{urlencode(slip(invoice, **changes))}"

    def told(self, path: str) -> bytes:
        """What the service itself answers."""
        answer: bytes = self.desk.client.get(path).data
        return answer

    def answer(self, environ: Any, start: Any) -> Iterable[bytes]:  # noqa: ANN401 # WSGI
        path = environ["PATH_INFO"]
        self.asked.append(path)
        if path.startswith("/static/"):
            return self.desk.app(environ, start)
        query = environ["QUERY_STRING"]
        environ["HTTP_ACCEPT_ENCODING"] = "identity"
        whole, status, headers = run_wsgi_app(self.desk.app, environ, buffered=True)
        body = self.lie(f"{path}?{query}" if query else path, b"".join(whole))
        if body is None:
            start("404 NOT FOUND", [("Content-Type", "application/problem+json")])
            return [json.dumps({"code": "not_in_log", "detail": "it waits"}).encode()]
        headers["Content-Length"] = str(len(body))
        start(status, list(headers))
        return [body]


@contextmanager
def between(folder: Path, **settings: str) -> Iterator[Between]:
    """A service behind somebody, until the end of the block."""
    with Desk(folder, **settings) as desk:
        found = Between(desk)
        server = make_server("127.0.0.1", 0, found.answer, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found.base = f"http://127.0.0.1:{server.server_port}"
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def look(chrome: Chrome, site: Between, address: str, *, forget: bool = True) -> str:
    """Open a scan page on a phone whose clock is right; what its own check comes to."""
    clock = chrome.before_pages(NO_PAUSE + CLOCK % (site.desk.clock().timestamp() * 1000))
    if forget:
        chrome.forget(site.base)
    try:
        chrome.open(address)
        found = chrome.evaluate(SETTLED % (PATIENCE * 1000))
    finally:
        chrome.not_before_pages(clock)
    assert isinstance(found, str)
    return found


def banner(chrome: Chrome) -> tuple[str, str]:
    """The band's colour and its words."""
    band = "document.querySelector('[data-verdict]')"
    style = chrome.evaluate(f"{band}.className")
    return str(style).rpartition("is-")[2], str(chrome.evaluate(f"{band}.innerText"))
