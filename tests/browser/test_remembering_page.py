"""The page that checks proof files remembers: what it saw before, and who was shown two logs."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.audit.evidence import Fork, verify_evidence
from chain.hashing import leaf_hash
from chain.signing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from chain.signing.note import SignerKey, VerifierKey
from tests.browser.chrome import Chrome, Pipe, page
from tests.browser.test_file_page import Site, _as_of, _open, _said, _text, one_for_all, site
from tests.patience import PATIENCE, wait_until

__all__ = ["one_for_all", "site"]

pytestmark = pytest.mark.slow

SEEN = "document.querySelector('#seen').dataset"
STORED = "Object.keys(localStorage).map(name => localStorage.getItem(name))"


@pytest.fixture(scope="module")
def chrome(chromium: Pipe) -> Iterator[Chrome]:
    """A browser, which has seen nothing when a test begins."""
    with page(chromium) as chrome:
        chrome.speak("en")
        yield chrome


def _compared(chrome: Chrome, said: str) -> str:
    """What is said of what was seen before, once it is compared, or is not."""
    chrome.evaluate(
        f"new Promise((done, fail) => {{ const end = Date.now() + {PATIENCE * 1000};"
        f" const look = () => {{ if ({SEEN}.compared === '{said}') done(); else if"
        f" (Date.now() > end) fail(Error({SEEN}.compared)); else setTimeout(look, 9) }}; look() }})"
    )
    text = _text(chrome, "#seen")
    assert isinstance(text, str)
    return text


def _check(chrome: Chrome, site: Site, name: str, said: str) -> str:
    """Open the page anew and check a file; what is said of what was seen before."""
    _open(chrome, site)
    chrome.choose("#file", site.files[name])
    return _compared(chrome, said)


def _seen_size(chrome: Chrome) -> int:
    """The size of the one checkpoint that is kept."""
    [stored] = chrome.evaluate(STORED)
    [one] = json.loads(stored)["seen"]
    return int(one["note"].split("\n")[1])


def test_the_newest_checkpoint_is_kept_and_the_log_is_asked(chrome: Chrome, site: Site) -> None:
    """From its own tiles: an older file is in it, and is said to be older."""
    assert "nothing of this log before" in _check(chrome, site, "plain all", "yes")
    newest = _seen_size(chrome)
    assert "this agrees" in _check(chrome, site, "plain all", "yes")
    said = _check(chrome, site, "old", "yes")
    assert f"This file is older than what this browser has seen ({newest} entries, " in said
    assert "The log contains both: proved here from its own tiles." in said
    assert _seen_size(chrome) == newest
    assert _text(chrome, "#remembered") == "1"


def test_a_larger_one_is_proved_to_contain_the_smaller(chrome: Chrome, site: Site) -> None:
    _open(chrome, site)
    chrome.offline(on=True)
    chrome.choose("#file", site.files["old"])
    _compared(chrome, "alone")
    old = _seen_size(chrome)
    said = _check(chrome, site, "plain all", "yes")
    assert f"This browser has seen {old} entries of this log" in said
    assert "The log contains both" in said
    assert _seen_size(chrome) > old


def test_without_the_network_two_sizes_are_not_compared(chrome: Chrome, site: Site) -> None:
    for name in ("old", "plain all"):
        _open(chrome, site)
        chrome.offline(on=True)
        chrome.choose("#file", site.files[name])
        _compared(chrome, "alone")
        assert _said(chrome) == "proved"
    assert "not compared: the log cannot be asked for now" in _text(chrome, "#seen")
    [stored] = chrome.evaluate(STORED)
    assert len(json.loads(stored)["seen"]) == 2


def _forked(chrome: Chrome) -> None:
    """Wait for the verdict that there is a fork; until the log is asked there is another."""
    verdict = "none"
    while verdict != "fork":
        verdict = _said(chrome, verdict)


def _other_history(site: Site, name: str) -> str:
    """Another root for the size of a file's checkpoint, signed by the log's own key."""
    note = json.loads(site.files[name].read_bytes())["checkpoint"]
    seen = open_checkpoint(note.encode(), VerifierKey.parse(site.log_key))
    signer = SignerKey.parse((site.keys / "log.key").read_text().strip())
    other = Checkpoint(seen.origin, seen.size, leaf_hash(b"other"))
    return sign_checkpoint(other, signer).decode()


def _implant(chrome: Chrome, note: str) -> None:
    """Have the page have seen a note."""
    name = "fapiao/seen/" + note.split("\n")[0]
    value = json.dumps({"version": 1, "seen": [{"note": note, "time": "2026-11-21T04:00:00Z"}]})
    chrome.evaluate(f"localStorage.setItem({json.dumps(name)}, {json.dumps(value)})")


def _evidence(chrome: Chrome, site: Site, folder: Path) -> Fork:
    """What the file proves that the page offers."""
    assert _text(chrome, "#name") == "The log has forked"
    assert "is-mismatch" in chrome.evaluate("document.querySelector('#verdict').className")
    assert chrome.evaluate("document.querySelector('#document').hidden") is True
    assert chrome.evaluate("document.querySelector('#evidence').hidden") is False
    assert "log_forked" in _text(chrome, "#code")
    name = chrome.evaluate("document.querySelector('#evidence').download")
    saved = folder / name
    chrome.downloads(folder)
    chrome.evaluate("document.querySelector('#evidence').click()")
    wait_until(saved.is_file, "the evidence is saved")
    fork = verify_evidence(saved.read_bytes(), VerifierKey.parse(site.log_key))
    assert isinstance(fork, Fork)
    assert name == f"fork-{fork.one.size}.evidence.json"
    return fork


def test_two_roots_of_one_size_are_a_fork_offline_too(
    chrome: Chrome, site: Site, tmp_path: Path
) -> None:
    _open(chrome, site)
    _implant(chrome, _other_history(site, "plain all"))
    chrome.offline(on=True)
    chrome.choose("#file", site.files["plain all"])
    assert _said(chrome) == "fork"
    fork = _evidence(chrome, site, tmp_path)
    assert fork.one.size == fork.other.size
    chrome.choose("#file", site.files["old"])
    assert _said(chrome, "fork") == "proved"
    assert chrome.evaluate("document.querySelector('#evidence').hidden") is True


def test_the_log_s_own_tiles_show_a_fork_of_another_size(
    chrome: Chrome, site: Site, tmp_path: Path
) -> None:
    """What was seen is smaller than the file's checkpoint: only the log knows, and tells."""
    _open(chrome, site)
    _implant(chrome, _other_history(site, "old"))
    chrome.choose("#file", site.files["plain all"])
    _forked(chrome)
    fork = _evidence(chrome, site, tmp_path)
    assert fork.one.size < fork.other.size


def test_a_newest_proof_of_another_history_is_a_fork(
    chrome: Chrome, site: Site, tmp_path: Path
) -> None:
    """The file fits what was seen, and what the service says now does not."""
    _open(chrome, site)
    _implant(chrome, _other_history(site, "plain all"))
    chrome.choose("#file", site.files["old"])
    _forked(chrome)
    assert _evidence(chrome, site, tmp_path).origin == site.log_key.split("+")[0]


def test_a_person_can_have_it_forgotten(chrome: Chrome, site: Site) -> None:
    _open(chrome, site)
    _implant(chrome, _other_history(site, "plain all"))
    _open(chrome, site)
    assert _text(chrome, "#remembered") == "1"
    chrome.evaluate("localStorage.setItem('other', 'stays')")
    chrome.evaluate("document.querySelector('#forget').click()")
    assert _text(chrome, "#remembered") == "0"
    assert chrome.evaluate(STORED) == ["stays"]
    assert "nothing of this log before" in _check(chrome, site, "plain all", "yes")
    assert _text(chrome, "#remembered") == "1"


@pytest.mark.parametrize(
    "broken",
    [
        "Object.defineProperty(window, 'localStorage', { get() { throw Error('no') } })",
        "Object.defineProperty(window, 'localStorage', { value: null })",
        "Storage.prototype.setItem = () => { throw Error('full') }",
        "Storage.prototype.getItem = () => { throw Error('no') }",
    ],
)
def test_a_browser_that_keeps_nothing_says_so(chrome: Chrome, site: Site, broken: str) -> None:
    script = chrome.before_pages(broken)
    try:
        said = _check(chrome, site, "plain all", "yes")
    finally:
        chrome.not_before_pages(script)
    assert "This browser keeps nothing" in said
    assert _said(chrome) == "proved"
    assert chrome.complaints == []


def test_what_is_damaged_is_said_and_not_written_over(chrome: Chrome, site: Site) -> None:
    _open(chrome, site)
    name = json.dumps("fapiao/seen/" + site.log_key.split("+")[0])
    for damage in ("{", "null", "[]", '{"version":2,"seen":[]}', '{"version":1,"seen":[1]}'):
        _open(chrome, site)
        chrome.evaluate(f"localStorage.setItem({name}, {json.dumps(damage)})")
        chrome.choose("#file", site.files["old"])
        _as_of(chrome, "newer")
        assert "is damaged" in _text(chrome, "#seen")
        assert chrome.evaluate(f"localStorage.getItem({name})") == damage


def test_another_key_of_the_name_is_another_log(chrome: Chrome, site: Site) -> None:
    _open(chrome, site)
    note = _other_history(site, "plain all")
    stranger = SignerKey(site.log_key.split("+")[0], bytes(range(32)))
    text, _, _ = note.partition("\n\n")
    seen = Checkpoint(text.split("\n")[0], int(text.split("\n")[1]), leaf_hash(b"other"))
    _implant(chrome, sign_checkpoint(seen, stranger).decode())
    said = _check(chrome, site, "plain all", "yes")
    assert "nothing of this log before" in said
    assert "by other keys, which is taken for another log" in said
