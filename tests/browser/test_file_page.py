"""The page that checks a proof file in the browser: with the network gone, and told the truth."""

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from chain.signing.note import SignerKey, parse_note, sign_note
from tests.api.desk import MEAL, Desk
from tests.browser.chrome import Chrome
from tests.patience import PATIENCE
from tests.witness.inside import NOW, cosigner

pytestmark = pytest.mark.slow

GREENS = {
    "name": "*蔬菜*青菜",
    "unit_price": 300,
    "discount": 300,
    "tax_rate": "0",
    "tax_kind": "exempt",
}
PHONE, DESKTOP = (390, 844), (1280, 900)
BUYER = {"kind": "company", "name": "深圳市采购有限公司", "tax_id": "91440300708461136T"}
HARM = '<img src=x onerror="document.title=1">'


@dataclass
class Site:
    """A served instance, which answers ``swapped`` for some proofs, and files of others on disk."""

    base: str
    log_key: str
    files: dict[str, Path]
    hashes: dict[str, str]
    swapped: dict[str, bytes]
    keys: Path
    stop: Callable[[], None]


@pytest.fixture(scope="module")
def one_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests of a file: they only look at it."""
    with served(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def site(one_for_all: Site, chrome: Chrome) -> Iterator[Site]:
    """It, as if nobody had been there."""
    chrome.forget(one_for_all.base)
    yield one_for_all
    one_for_all.swapped.clear()


@contextmanager
def served(tmp_path: Path) -> Iterator[Site]:
    """The instance, until the end of the block, or until somebody stops its server."""
    policy = tmp_path / "policy"
    policy.write_text(
        "".join(f"witness {n} {cosigner(n).verifier.text()}\n" for n in (1, 2)) + "quorum none\n"
    )
    with Desk(tmp_path, FAPIAO_WITNESS_POLICY=str(policy)) as desk:
        swapped: dict[str, bytes] = {}

        def lying(environ: Any, start: Any) -> Iterable[bytes]:  # noqa: ANN401  # WSGI
            for hash_, data in swapped.items():
                if hash_ in environ["PATH_INFO"]:
                    start("200 OK", [("Content-Type", "application/json")])
                    return [data]
            return desk.app(environ, start)

        server = make_server("127.0.0.1", 0, lying, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"

        def stop() -> None:
            server.shutdown()
            thread.join()
            server.server_close()

        yield _filled(desk, base, tmp_path, swapped, stop)
        if thread.is_alive():
            stop()


def _filled(
    desk: Desk, base: str, folder: Path, swapped: dict[str, bytes], stop: Callable[[], None]
) -> Site:
    plain = desk.issue("F1", buyer=BUYER, remark=HARM, lines=[MEAL, GREENS])
    gone = desk.issue("F2")
    part = desk.issue("F3", lines=[MEAL, GREENS | {"unit_price": 1300}])
    desk.anchor()
    old = desk.client.get(f"/v1/invoices/{gone['hash']}/proof", headers=desk.auth(desk.key))
    red = desk.reverse(gone)
    back = f"/v1/invoices/{part['hash']}/reversals"
    dish = desk.post(back, {"reason": "SALES_RETURN", "lines": [{"line": 2}]}).get_json()
    money = desk.post(back, {"reason": "SALES_DISCOUNT", "amount": 500}).get_json()
    desk.anchor()
    _cosign(desk)
    hashes = {"plain": plain["hash"], "reversed": gone["hash"], "red": red["hash"]}
    hashes |= {"part": part["hash"], "dish": dish["hash"], "money": money["hash"]}
    files: dict[str, Path] = {}
    for name, hash_ in hashes.items():
        for who, headers in (("all", desk.auth(desk.key)), ("face", {})):
            answer = desk.client.get(f"/v1/invoices/{hash_}/proof", headers=headers)
            assert answer.status_code == 200, answer.text
            files[f"{name} {who}"] = folder / f"{name}-{who}.fapiao.json"
            files[f"{name} {who}"].write_bytes(answer.data)
    files["old"] = folder / "old.fapiao.json"
    files["old"].write_bytes(old.data)
    bent = json.loads(files["plain all"].read_bytes())
    bent["path"][0] = "0" * 64
    text = json.dumps(bent, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    files["bent"] = folder / "bent.json"
    files["bent"].write_text(text, "utf-8")
    files["spaced"] = folder / "spaced.json"
    files["spaced"].write_bytes(files["plain all"].read_bytes() + b"\n")
    promise = plain["promise"]
    texts = {"promise": promise, "bent promise": promise.replace("index 0", "index 1")}
    texts["damaged promise"] = promise.replace("index", "inbox")
    signer = desk.instance.promise_signer()
    alone = (signer.name, plain["hash"], "2026-11-21T04:30:00Z", "2026-11-21T04:31:00Z")
    note = sign_note("".join(f"{line}\n" for line in alone), signer).decode()
    texts["promise of version 1"] = note
    texts["forged promise"] = note.replace("04:31", "05:31")
    texts["promise of Windows"] = promise.replace("\n", "\r\n")
    texts["answer"] = json.dumps(plain)
    for name, said in texts.items():
        files[name] = folder / f"{name}.txt"
        files[name].write_bytes(said.encode())
    files["huge"] = folder / "huge.json"
    files["huge"].write_bytes(b" " * (8 << 20))
    keys = desk.instance.config.keys_dir
    return Site(base, desk.instance.log_key.text(), files, hashes, swapped, keys, stop)


def _cosign(desk: Desk) -> None:
    """The first of the two witnesses has seen what is published, the second has not."""
    checkpoint, note = desk.instance.log.latest_checkpoint()
    line = cosigner(1).cosign(parse_note(note).text, NOW)
    desk.instance.log_store.add_signatures(checkpoint.size, [line])
    desk.instance.log.publisher.put()


VERDICT = "document.querySelector('#verdict').dataset.verdict"


def _said(chrome: Chrome, old: str = "none") -> str:
    """The verdict, once it is another than ``old``."""
    waits = (
        "new Promise((done, fail) => { const end = Date.now() + %d; const look = () => {"
        " if (%s !== %s) done(%s); else if (Date.now() > end) fail(Error('no verdict'));"
        " else setTimeout(look, 9) }; look() })"
    )
    found = chrome.evaluate(waits % (PATIENCE * 1000, VERDICT, json.dumps(old), VERDICT))
    assert isinstance(found, str)
    return found


def _open(chrome: Chrome, site: Site, query: str = "") -> None:
    chrome.window(*PHONE, phone=True)
    chrome.offline(on=False)
    chrome.open(f"{site.base}/verify/file{query}")


def _text(chrome: Chrome, selector: str) -> Any:  # noqa: ANN401  # what JavaScript gives
    return chrome.evaluate(f"document.querySelector('{selector}').innerText")


def _steps(chrome: Chrome) -> Any:  # noqa: ANN401  # what JavaScript gives
    return chrome.evaluate("[...document.querySelectorAll('#steps li')].map(li => li.className)")


def test_a_file_is_checked_with_the_network_gone(chrome: Chrome, tmp_path: Path) -> None:
    with served(tmp_path) as site:
        _check_alone(chrome, site)


def _check_alone(chrome: Chrome, site: Site) -> None:
    _open(chrome, site)
    site.stop()
    chrome.offline(on=True)
    before = len(chrome.requests)
    chrome.choose("#file", site.files["plain all"])
    assert _said(chrome) == "proved"
    assert _steps(chrome) == [""] * 7
    assert site.hashes["plain"] in _text(chrome, "#facts")
    assert "本页提供" in _text(chrome, "#facts")
    assert cosigner(1).verifier.name in _text(chrome, "#facts")
    assert cosigner(2).verifier.name not in _text(chrome, "#facts")
    assert "498.10" in _text(chrome, "#shown")
    assert "深圳市采购有限公司" in _text(chrome, "#shown")
    said = " ".join(_text(chrome, "#shown").split())
    assert "明细 *蔬菜*青菜 × 1 · ¥3.00 · 免税" in said
    assert "折扣 *蔬菜*青菜 · -¥3.00 · 免税" in said
    assert chrome.evaluate("document.querySelector('#hidden-groups').hidden") is True
    chrome.choose("#file", site.files["bent"])
    assert _said(chrome, "proved") == "refused"
    assert _steps(chrome) == ["", "", "", "failed", "waits", "waits", "waits"]
    assert "root_mismatch" in _text(chrome, "#code")
    assert chrome.evaluate("document.querySelector('#document').hidden") is True
    # The browser fetches the icon when it has time: that may be now, and fail.
    assert [url for url in chrome.requests[before:] if not url.endswith("/icon.svg")] == []
    assert [text for text in chrome.complaints if "Failed to load" not in text] == []


def test_what_was_taken_back_in_part_says_so_and_red_lines_say_of_what(
    chrome: Chrome, site: Site
) -> None:
    said = {
        "part": (("部分红冲", "Partly reversed"), ()),
        "dish": (
            ("红字发票", "Red invoice"),
            (
                ("明细 *蔬菜*青菜 × -1 · -¥13.00 · 免税 · 原第 2 行", "of line 2"),
                ("折扣 *蔬菜*青菜 · ¥3.00 · 免税", "Discount *蔬菜*青菜"),
            ),
        ),
        "money": (
            ("红字发票", "Red invoice"),
            (("折让 *餐饮服务*餐费 · -¥5.00 · 原第 1 行", "Allowance *餐饮服务*餐费"),),
        ),
    }
    for place, tag in enumerate(("zh-CN", "en")):
        chrome.speak(tag)
        for name, (verdict, lines) in said.items():
            _open(chrome, site)
            chrome.choose("#file", site.files[f"{name} all"])
            _said(chrome)
            assert verdict[place] in _text(chrome, "#name")
            shown = " ".join(_text(chrome, "#shown").split())
            for line in lines:
                assert line[place] in shown
            asked = chrome.evaluate(
                "[...document.querySelectorAll('#ask:not([hidden])')].map(String)"
            )
            assert [site.hashes["part"] in url for url in asked] == [True] * (name == "part")
            if name != "part":
                assert site.hashes["part"] in shown
                assert ("部分红冲", "partly reversed")[place] in _text(chrome, "#facts")
    chrome.speak("zh-CN")


def test_the_page_says_what_is_hidden(chrome: Chrome, site: Site) -> None:
    _open(chrome, site)
    chrome.choose("#file", site.files["plain face"])
    assert _said(chrome) == "proved"
    hidden = "[...document.querySelectorAll('[data-group]')].filter(li => !li.hidden)"
    assert chrome.evaluate(f"{hidden}.map(li => li.dataset.group)") == ["buyer", "lines"]
    assert "明细" in _text(chrome, "#hidden-groups")
    assert "深圳市采购有限公司" not in _text(chrome, "main")


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("reversed all", "reversed"),
        ("red all", "red"),
        ("part all", "part"),
        ("money all", "red"),
        ("spaced", "unreadable"),
        ("huge", "unreadable"),
        ("promise", "promised"),
        ("promise of version 1", "promised"),
        ("bent promise", "refused"),
        ("forged promise", "refused"),
        ("damaged promise", "unreadable"),
        ("promise of Windows", "bent"),
        ("answer", "within"),
    ],
)
def test_each_file_has_its_verdict(chrome: Chrome, site: Site, name: str, verdict: str) -> None:
    _open(chrome, site)
    chrome.choose("#file", site.files[name])
    assert _said(chrome) == verdict


def test_a_promise_is_checked_with_this_page_s_statements_or_with_its_key(
    chrome: Chrome, site: Site
) -> None:
    _open(chrome, site)
    chrome.choose("#file", site.files["promise"])
    assert _said(chrome) == "promised"
    said = _text(chrome, "#facts")
    assert site.hashes["plain"] in said
    assert "2026-11-21T04:31:00Z" in said
    assert chrome.evaluate("document.querySelector('#steps').hidden") is True
    proof = chrome.evaluate("document.querySelector('#proof').search")
    assert proof == f"?hash={site.hashes['plain']}"
    key = "document.querySelector('#key')"
    for text, verdict in (
        (SignerKey(f"{site.log_key.split('+')[0]}/promise", bytes(32)).verifier.text(), "refused"),
        ((site.keys / "promise.vkey").read_text().strip(), "promised"),
        (SignerKey("other.example/log", bytes(32)).verifier.text(), "unreadable"),
    ):
        before = chrome.evaluate(VERDICT)
        chrome.evaluate(f"{key}.value = {text!r}, {key}.dispatchEvent(new Event('input'))")
        assert _said(chrome, before) == verdict
    assert "promise_key_missing" in _text(chrome, "#code")
    chrome.choose("#file", site.files["plain all"])
    chrome.evaluate(f"{key}.value = {site.log_key!r}, {key}.dispatchEvent(new Event('input'))")
    assert _said(chrome, "unreadable") in {"refused", "proved"}
    assert chrome.evaluate("document.querySelector('#steps').hidden") is False


AS_OF = "document.querySelector('#verdict').dataset.asof"


def _as_of(chrome: Chrome, kind: str) -> str:
    """The line below the verdict, once it is of this kind."""
    waits = (
        f"new Promise((done, fail) => {{ const end = Date.now() + {PATIENCE * 1000};"
        f" const look = () => {{ if ({AS_OF} === '{kind}') done(); else if (Date.now() > end)"
        f" fail(Error({AS_OF})); else setTimeout(look, 9) }}; look() }})"
    )
    chrome.evaluate(waits)
    text = _text(chrome, "#asof")
    assert isinstance(text, str)
    return text


def test_an_old_proof_of_what_was_reversed_since_is_not_green(chrome: Chrome, site: Site) -> None:
    _open(chrome, site)
    chrome.choose("#file", site.files["old"])
    said = _as_of(chrome, "newer")
    assert chrome.evaluate(VERDICT) == "reversed"
    assert "截至区块 2" in said
    assert "区块 1" in said  # what the file itself was as of
    assert "is-reversed" in chrome.evaluate("document.querySelector('#verdict').className")
    assert "498.10" in _text(chrome, "#shown")  # what the file shows stays


def test_a_proof_that_cannot_be_asked_about_says_since_when_it_is_true(
    chrome: Chrome, site: Site
) -> None:
    _open(chrome, site)
    chrome.offline(on=True)
    chrome.choose("#file", site.files["old"])
    said = _as_of(chrome, "alone")
    assert chrome.evaluate(VERDICT) == "proved"
    assert "截至区块 1" in said
    assert re.search(r"截至区块 1，\d+ 天前", said)


def test_the_newest_proof_is_said_to_be_that(chrome: Chrome, site: Site) -> None:
    _open(chrome, site)
    chrome.choose("#file", site.files["plain all"])
    _as_of(chrome, "newest")
    _open(chrome, site, f"?hash={site.hashes['plain']}")
    _as_of(chrome, "newest")


@pytest.mark.parametrize("lie", ["bent", "reversed face"])
def test_a_newest_proof_that_does_not_hold_is_named(chrome: Chrome, site: Site, lie: str) -> None:
    site.swapped[site.hashes["plain"]] = site.files[lie].read_bytes()
    _open(chrome, site)
    chrome.choose("#file", site.files["plain all"])
    said = _as_of(chrome, "bad")
    assert ("root_mismatch" if lie == "bent" else "other_invoice") in said


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0, "less than a minute ago", "不到 1 分钟前"),
        (-30, "less than a minute ago", "不到 1 分钟前"),
        (-61, "later than this device's clock", "时间晚于本机时钟"),
        (59, "less than a minute ago", "不到 1 分钟前"),
        (60, "1 minute ago", "1 分钟前"),
        (960, "16 minutes ago", "16 分钟前"),
        (7200, "2 hours ago", "2 小时前"),
        (86400, "1 day ago", "1 天前"),
        (400 * 86400, "400 days ago", "400 天前"),
    ],
)
def test_an_age_is_said_in_words(
    chrome: Chrome, site: Site, seconds: int, english: str, chinese: str
) -> None:
    sealed = "2026-11-21T04:00:00Z"
    module = "import('/static/verify/newest.js')"
    found = f"m.age('{sealed}', Date.parse('{sealed}') + {seconds * 1000})"
    for tag, said in (("en", english), ("zh-CN", chinese)):
        chrome.speak(tag)
        _open(chrome, site)
        assert chrome.evaluate(f"{module}.then(m => {found})") == said


def test_the_service_s_own_file_is_loaded_by_its_hash(chrome: Chrome, site: Site) -> None:
    _open(chrome, site, f"?hash={site.hashes['plain']}")
    assert _said(chrome) == "proved"
    _open(chrome, site, f"?hash=01{'0' * 64}")
    assert _said(chrome) == "unreadable"
    assert "invoice_unknown" in _text(chrome, "#code")
    _open(chrome, site, "?hash=../../log/checkpoint")
    assert _said(chrome) == "unreadable"


def test_the_proof_of_another_invoice_is_no_answer(chrome: Chrome, site: Site) -> None:
    """A service that cannot prove what was asked for may not offer what it can prove."""
    site.swapped[site.hashes["plain"]] = site.files["reversed face"].read_bytes()
    _open(chrome, site, f"?hash={site.hashes['plain']}")
    assert _said(chrome) == "refused"
    assert "other_invoice" in _text(chrome, "#code")
    assert chrome.evaluate("document.querySelector('#document').hidden") is True


def test_a_person_s_own_key_is_used_and_named(chrome: Chrome, site: Site) -> None:
    _open(chrome, site)
    key = "document.querySelector('#key')"
    assert chrome.evaluate(f"{key}.value") == site.log_key
    chrome.choose("#file", site.files["plain all"])
    assert _said(chrome) == "proved"
    other = SignerKey(site.log_key.split("+")[0], bytes(range(32))).verifier.text()
    changed = f"{key}.value = {other!r}, {key}.dispatchEvent(new Event('input'))"
    chrome.evaluate(changed)
    assert _said(chrome, "proved") == "refused"
    assert "signature_missing" in _text(chrome, "#code")
    assert chrome.evaluate("document.querySelector('#whose').dataset.whose") == "yours"
    chrome.evaluate(f"{key}.value = 'x', {key}.dispatchEvent(new Event('input'))")
    assert _said(chrome, "refused") == "unreadable"


def test_what_a_stranger_wrote_is_text(chrome: Chrome, site: Site) -> None:
    _open(chrome, site)
    chrome.choose("#file", site.files["plain all"])
    assert _said(chrome) == "proved"
    assert chrome.evaluate("document.querySelectorAll('#document img').length") == 0


@pytest.mark.parametrize("size", [(320, 568), PHONE, DESKTOP], ids=["small", "phone", "desktop"])
def test_the_page_fits_its_window(chrome: Chrome, site: Site, size: tuple[int, int]) -> None:
    _open(chrome, site)
    chrome.window(*size, phone=size != DESKTOP)
    chrome.choose("#file", site.files["plain all"])
    assert _said(chrome) == "proved"
    assert chrome.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert chrome.complaints == []
