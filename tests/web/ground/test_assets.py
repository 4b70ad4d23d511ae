"""Files that pages load: named by their digest, kept, compressed, there after an update."""

import gzip
import json
import re
from base64 import b64decode
from pathlib import Path
from urllib.parse import urlencode, urljoin

import pytest

from chain.hashing import sha256
from invoice_service.app import STATIC
from invoice_service.web.ground.assets import Assets
from tests.api.desk import Desk, slip
from tests.web.customers.test_scan import Page

FILES = sorted(p.relative_to(STATIC).as_posix() for p in STATIC.rglob("*") if p.is_file())
YEAR = "public, max-age=31536000, immutable"
OLD = "0" * 16
PATHS = ["/", "/docs", "/verify/file", "/verify/list", "/problems", "/report", "/why", "/nothing"]


def digested(name: str) -> str:
    """Where a file is, computed here."""
    stem, _, suffix = name.rpartition(".")
    return f"/static/{stem}.{sha256((STATIC / name).read_bytes()).hex()[:16]}.{suffix}"


@pytest.mark.parametrize("path", PATHS)
def test_a_page_loads_files_by_their_digests(desk: Desk, path: str) -> None:
    page = Page(desk.client.get(path).text)
    loaded = [tag.get("src") or tag.get("href") for _, tag in page.tags]
    ours = [address for address in loaded if address and address.startswith("/static/")]
    assert ours
    known = {digested(name) for name in FILES if "." in name}
    assert set(ours) <= known
    for address in ours:
        answer = desk.client.get(address)
        assert answer.headers["Cache-Control"] == YEAR
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_there_as_it_is_plain_and_compressed(desk: Desk, name: str) -> None:
    body = (STATIC / name).read_bytes()
    plain = desk.client.get(f"/static/{name}")
    assert (plain.status_code, plain.data) == (200, body)
    assert plain.headers["Cache-Control"] == "no-cache"
    packed = desk.client.get(f"/static/{name}", headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == body
    assert len(body) < 500 or len(packed.data) < len(body)
    for answer in (plain, packed):
        assert answer.headers["Vary"] == "Accept-Encoding"
        again = {"If-None-Match": answer.headers["ETag"], "Accept-Encoding": "gzip"}
        assert desk.client.get(f"/static/{name}", headers=again).status_code == (
            304 if answer is packed else 200
        )


@pytest.mark.parametrize(
    ("asked", "packed"),
    [("gzip;q=0", False), ("identity", False), ("br", False), ("*", True), ("gzip;q=0.1", True)],
)
def test_only_who_takes_it_is_sent_what_is_compressed(desk: Desk, asked: str, packed: bool) -> None:
    answer = desk.client.get("/static/css/site.css", headers={"Accept-Encoding": asked})
    assert ("Content-Encoding" in answer.headers) == packed


def test_a_page_of_before_an_update_still_finds_its_files(desk: Desk) -> None:
    """By another digest there is the file as it is now; it must not be kept under that name."""
    for name in ("css/site.css", "verify/page.js", "pictures/icon.svg"):
        stem, _, suffix = name.rpartition(".")
        answer = desk.client.get(f"/static/{stem}.{OLD}.{suffix}")
        assert answer.data == (STATIC / name).read_bytes()
        assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        *("nothing", "css", "css/", "css/nothing.css", f"css/nothing.{OLD}.css", "css/site"),
        *("css/site.0.css", f"css/site.{OLD}.js", f"css/site.css.{OLD}", f"{OLD}.css"),
        *("css/site.ABCDEFABCDEFABCD.css", "../config.toml", "%2e%2e/config.toml", "css/\u0000"),
    ],
)
def test_what_is_not_there_is_not_found(desk: Desk, path: str) -> None:
    answer = desk.client.get(f"/static/{path}")
    assert answer.status_code == 404
    assert answer.get_json()["code"] == "no_such_address"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_process_serves_what_it_started_with(tmp_path: Path) -> None:
    """An update of the files below it mixes no versions."""
    (tmp_path / "a.css").write_text("old")
    assets = Assets(tmp_path)
    address = assets.address("a.css")
    (tmp_path / "a.css").write_text("new")
    assert assets.find(address)[0].body == b"old"
    assert Assets(tmp_path).address("a.css") != address


def test_the_map_of_modules_has_all_that_are_loaded_and_the_policy_lets_it(desk: Desk) -> None:
    answer = desk.client.get("/verify/file")
    (text,) = re.findall(r'<script type="importmap">(.*?)</script>', answer.text)
    places = answer.headers["Content-Security-Policy"]
    (allowed,) = re.findall(r"script-src 'self' 'sha256-([^']+)'", places)
    assert b64decode(allowed) == sha256(text.encode())
    seen, waiting = set[str](), ["/static/verify/page.js"]
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        code = desk.client.get(module).text
        named = re.findall(r"""^(?:import|export)[^;'"]*['"](\..+?)['"];?$""", code, re.MULTILINE)
        waiting += [urljoin(module, name) for name in named]
    places = json.loads(text)["imports"]
    assert set(places) == seen
    assert all(place == digested(name.removeprefix("/static/")) for name, place in places.items())
    preloaded = re.findall(r'<link rel="modulepreload" href="([^"]+)">', answer.text)
    assert preloaded == list(places.values())


def test_a_worker_finds_all_its_modules_below_one_folder_and_may_ask_only_us(desk: Desk) -> None:
    """It has no map, and no page's policy."""
    page = desk.client.get(f"/verify/scan?{urlencode(slip(desk.issue('aside')))}")
    assert page.headers["Content-Security-Policy"].endswith("; worker-src 'self'")
    (text,) = re.findall(r'<script type="application/json" id="aside">(.*?)</script>', page.text)
    said = json.loads(text)
    start, loads = said["start"], said["loads"]
    folder = start.removesuffix("scan/aside.js")
    assert loads[0] == f"{folder}scan/proving.js"
    for address in (start, *loads):
        answer = desk.client.get(address)
        assert answer.headers["Cache-Control"] == YEAR
        alone = "default-src 'none'; script-src 'self'; connect-src 'self'"
        assert answer.headers["Content-Security-Policy"] == alone
        named = re.findall(
            r"""^(?:import|export)[^;'"]*['"](\..+?)['"];?$""", answer.text, re.MULTILINE
        )
        assert {urljoin(address, name) for name in named} <= set(loads)
    before = desk.client.get(loads[0].replace(folder, f"/static/{OLD}/"))
    assert before.data == (STATIC / "scan/proving.js").read_bytes()
    assert before.headers["Cache-Control"] == "no-cache"
    assert desk.client.get(f"{folder}scan/nothing.js").status_code == 404


def test_what_says_the_same_to_everybody_is_compressed_and_no_other_page(desk: Desk) -> None:
    taken = {"Accept-Encoding": "gzip"}
    packed = desk.client.get("/problems", headers=taken)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert "invoice_unknown" in gzip.decompress(packed.data).decode()
    assert "invoice_unknown" in desk.client.get("/problems").text
    assert "Content-Encoding" not in desk.client.get("/verify/file", headers=taken).headers
