"""``make run`` in a fresh place, as an owner meets it: from the printed link to the first slip."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
import urllib3

from invoice_service.processes.supervise import free_port
from invoice_service.web.people.gate import cookie_name
from tests.journeys.service import kill_all, processes
from tests.patience import PATIENCE, wait_until
from tests.web.setup.empty import ADMINISTRATOR, MERCHANT, OWNER, SALE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(http://\S+)/setup\?code=(\S+)")


class Fresh:
    """A place with settings and nothing else, and ``make run`` there."""

    def __init__(self, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port('127.0.0.1')}"
        self.folder = folder
        self.settings = folder / "config.toml"
        self.settings.write_text(
            f'[service]\npublic_url = "{self.url}"\ndata_dir = "data"\n'
            f"[web]\nport = {self.url.rpartition(':')[2]}\n"
        )
        self.said = folder / "said"
        self.running: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Type ``make run``; Ctrl-C is not ignored, as for tests in the background."""
        others = {name: text for name, text in os.environ.items() if not name.startswith("FAPIAO_")}
        with self.said.open("wb") as output:
            self.running = subprocess.Popen(
                ["env", "--default-signal=INT", "make", "-C", str(ROOT), "run"],
                env={**others, "FAPIAO_CONFIG": str(self.settings)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def code(self) -> str:
        """The code that it prints; the link leads here."""
        wait_until(lambda: LINK.search(self.said.read_text()), self.said.read_text)
        found = LINK.search(self.said.read_text())
        assert found
        assert f"{self.url}/setup?code={found[2]}" in self.said.read_text()
        return found[2]

    def stop(self) -> None:
        """Ctrl-C in its terminal."""
        assert self.running is not None
        os.killpg(self.running.pid, signal.SIGINT)
        self.running.wait(timeout=PATIENCE)
        self.running = None


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Fresh]:
    """Nothing of it is left behind."""
    fresh = Fresh(tmp_path)
    yield fresh
    if fresh.running is not None:
        os.killpg(fresh.running.pid, signal.SIGKILL)
        fresh.running.wait()
    kill_all(fresh.settings)


class Client:
    """A browser's cookies, and the token of the last form; over real sockets."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.cookies: dict[str, str] = {}
        self._token = ""

    def get(self, path: str) -> urllib3.BaseHTTPResponse:
        return self._ask("GET", path, None)

    def send(self, path: str, fields: dict[str, str]) -> urllib3.BaseHTTPResponse:
        return self._ask("POST", path, urlencode({**fields, "form": self._token}))

    def _ask(self, method: str, path: str, body: str | None) -> urllib3.BaseHTTPResponse:
        headers = {"Cookie": "; ".join(f"{name}={text}" for name, text in self.cookies.items())}
        if body is not None:
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Sec-Fetch-Site": "same-origin",
            }
        answer = urllib3.request(
            method, self._url + path, body=body, headers=headers, redirect=False, timeout=PATIENCE
        )
        for cookie in answer.headers.getlist("Set-Cookie"):
            name, _, rest = cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        found = re.search(rb'name="form" value="([0-9a-f]+)"', answer.data)
        if found:
            self._token = found[1].decode()
        return answer


def moved(fresh: Fresh, client: Client) -> str:
    """Change the address on its page; the code that lets in there, once it is served."""
    other = fresh.url.replace("127.0.0.1", "localhost")
    client.get("/setup/address")
    page = client.send("/setup/address", {"address": other}).data.decode()
    found = re.search(rf"{other}/setup\?code=([A-Z2-7-]+)", page)
    assert found, page
    wait_until(lambda: f"ready: {other}" in fresh.said.read_text(), fresh.said.read_text)
    host = other.removeprefix("http://")
    assert urllib3.request("GET", f"{other}/log/key").data.startswith(f"{host}/log+".encode())
    fresh.url = other
    return found[1]


def test_make_run_leads_to_the_first_slip(fresh: Fresh) -> None:
    fresh.run()
    code, client = fresh.code(), Client(fresh.url)
    assert client.get(f"/setup?code={code}").status == 200
    assert client.send("/setup", {"code": code}).headers["Location"] == "/setup/address"
    code = moved(fresh, client)
    client = Client(fresh.url)
    client.get("/setup")
    assert client.send("/setup", {"code": code}).headers["Location"] == "/setup/address"
    assert cookie_name(fresh.url, "setup") in client.cookies
    forms = {"administrator": ADMINISTRATOR, "merchant": MERCHANT}
    for step, fields in forms.items():
        assert client.get(f"/setup/{step}").status == 200
        assert client.send(f"/setup/{step}", fields).status == 303
    fresh.stop()
    assert processes(fresh.settings) == []

    fresh.run()  # another day: it goes on where it was left
    again, client = fresh.code(), Client(fresh.url)
    assert again != code
    client.get("/setup")
    assert client.send("/setup", {"code": code}).status == 403
    assert client.send("/setup", {"code": again}).headers["Location"] == "/setup/owner"
    client.get("/setup/owner")
    assert client.send("/setup/owner", OWNER).status == 200
    client.get("/setup/sale")
    assert client.send("/setup/sale", SALE).headers["Location"] == "/setup/end"
    page = client.get("/setup/end").data.decode()
    assert "28.50" in page
    link = re.search(r'href="(http[^"]+/verify/scan[^"]+)"', page)
    assert link
    assert unescape(link[1]).startswith(f"{fresh.url}/verify/scan?")
    verdict = Client(fresh.url)
    path = unescape(link[1]).removeprefix(fresh.url)
    wait_until(lambda: b'data-verdict="authentic"' in verdict.get(path).data, "it is anchored")
    assert client.send("/setup/end", {}).status == 303
    assert client.get("/account").status == 200
    assert Client(fresh.url).get("/setup").status == 404
    fresh.stop()

    fresh.run()  # and is never asked for again
    wait_until(lambda: "ready: " in fresh.said.read_text(), fresh.said.read_text)
    fresh.stop()
    assert not LINK.search(fresh.said.read_text())
