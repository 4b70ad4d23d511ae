"""Every page as axe-core sees it, by day and by night, in both languages: nothing keeps out."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from tests.browser.chrome import Chrome, Pipe, page
from tests.browser.site import EXPLORER, Site, served
from tests.patience import PATIENCE
from tests.scale import share

pytestmark = pytest.mark.slow

AXE = Path(__file__).with_name("vendor") / "axe-core" / "axe.min.js"
PHONE = (390, 844)
NAMES = [
    *("authentic", "long", "reversed", "red", "pending", "mismatch", "unknown", "malformed"),
    *("part", "red part", "replaced", "replacing", "proved part", "proved red"),
    *("customers' codes", "report", "receipt asked", "why"),
    *("claim", "landing", "problems", "found", "list", "file", "proved", "nothing", "not so"),
    *(
        "prepaid",
        "prepaid asked",
        "no prepaid",
        "sign in",
        "invitation",
        "receipt",
        "components",
        "docs",
        "call",
        "busy",
        "often",
        "broken",
        "results",
    ),
    *("paper", "paper fits", "paper differs"),
    *EXPLORER,
]
LOOKS = share([*product((False, True), ("zh-CN", "en"))], [(False, "zh-CN"), (True, "en")])
"""Whether it is night, and whose language: each is seen by every rule, and in a whole run both."""

LARGE = {"docs": [(False, "zh-CN")], "call": [(True, "en")]}
"""One page, with all calls of the description: nowhere does axe take as long."""

LOOK = """axe.run(document, {resultTypes: ["violations"]}).then(found =>
    found.violations.map(one => `${one.id}: ${one.nodes.map(node => node.target.join(" "))}`))"""
LOOK_BUT_FOR_COLOURS = LOOK.replace("{", "{rules: {'color-contrast': {enabled: false}}, ", 1)
"""For a page whose colours were looked at on another screen: they take half of the time."""
THEIRS = ("nested-interactive: #operations-", "aria-allowed-role: #operations")
"""Swagger UI has the link to a call inside of the button that opens it, and a `main` inside of
ours, which we call a group."""

SETTLED = f"""new Promise((done, fail) => {{
    const end = Date.now() + {PATIENCE * 1000};
    const look = () => {{
        const calls = document.getElementById("calls");
        const shown = !calls || (calls.querySelector(".opblock") &&
            (!location.hash || calls.querySelector(".opblock.is-open .parameters")));
        const verdict = document.getElementById("verdict");
        const said = !verdict || !location.search || verdict.dataset.asof === "newest";
        const phone = document.getElementById("phone");
        const checked = !phone || !["checking", undefined].includes(phone.dataset.kind);
        if (shown && said && checked) done(); else if (Date.now() > end) fail(Error("not there"));
        else setTimeout(look, 20);
    }};
    look();
}})"""


@pytest.fixture(scope="module")
def chrome(chromium: Pipe) -> Iterator[Chrome]:
    """One browser for all tests here, with axe in every page."""
    with page(chromium) as chrome:
        chrome.before_pages(AXE.read_text("utf-8"))
        yield chrome


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A page of every kind."""
    with served(tmp_path_factory.mktemp("site")) as site:
        yield site


def show(chrome: Chrome, site: Site, name: str) -> None:
    """Open a page, and wait until it is as it stays."""
    others = {"results": "list", **dict.fromkeys(site.papers, "paper")}
    address = site.pages[others.get(name, name)]
    if "#" in address:
        chrome.open("about:blank")  # from an address to another part of it nothing is loaded
    chrome.open(address)
    if name == "results":
        lines = f"{site.text}\nnonsense\n{site.text}"
        chrome.evaluate(f"document.querySelector('textarea').value = {lines!r}")
        chrome.evaluate("document.querySelector('main form button').click()")
        chrome.wait()
    if name in site.papers:
        chrome.choose("#pdf", site.papers[name])
        chrome.evaluate("document.querySelector('#send').click()")
        chrome.wait()
    chrome.evaluate(SETTLED)


def test_all_pages_are_looked_at(site: Site) -> None:
    assert {*NAMES} == {*site.pages, *site.papers, "results"}


@pytest.mark.scaled
@pytest.mark.parametrize("name", NAMES)
def test_nothing_keeps_anybody_out_of_a_page(chrome: Chrome, site: Site, name: str) -> None:
    chrome.window(*PHONE, phone=True)
    for dark, tag in share(LOOKS, LARGE.get(name, LOOKS)):
        chrome.dark(on=dark)
        chrome.speak(tag)
        show(chrome, site, name)
        found = [said for said in chrome.evaluate(LOOK) if not said.startswith(THEIRS)]
        assert found == [], (name, dark, tag)
        status = "Failed to load resource: the server responded with a status of"
        assert [said for said in chrome.complaints if not said.startswith(status)] == []


def test_it_would_be_seen(chrome: Chrome, site: Site) -> None:
    show(chrome, site, "landing")
    chrome.evaluate("document.querySelector('main').append(document.createElement('img'))")
    chrome.evaluate("document.querySelector('h1').style.color = 'rgb(128 128 128 / .2)'")
    found = {said.partition(":")[0] for said in chrome.evaluate(LOOK)}
    assert found == {"image-alt", "color-contrast"}


def test_what_was_pending_shows_its_verdict_by_itself(chrome: Chrome, site: Site) -> None:
    chrome.speak("zh-CN")
    chrome.open(site.pages["pending"])
    assert "真票 · 待入账" in chrome.evaluate("document.querySelector('h1').innerText")
    chrome.evaluate("window.here = true")
    site.desk.anchor()
    chrome.evaluate(
        f"""new Promise((done, fail) => {{
            const end = Date.now() + {PATIENCE * 1000};
            const look = () => {{
                const now = document.querySelector("[data-verdict]").dataset.verdict;
                if (now === "authentic") done(); else if (Date.now() > end) fail(Error(now));
                else setTimeout(look, 50);
            }};
            look();
        }})"""
    )
    assert chrome.evaluate("window.here") is True  # the page was not loaded anew
    assert "Authentic" in chrome.evaluate("document.querySelector('h1').innerText")
    assert "is-authentic" in chrome.evaluate("document.querySelector('.verdict').className")
    icon = "document.querySelector('.verdict use').getBBox().width"
    assert chrome.evaluate(icon) > 0
    assert chrome.evaluate("document.querySelectorAll('#yourself').length") == 1
    no_proof_yet = "Failed to load resource: the server responded with a status of 409"
    assert [said for said in chrome.complaints if not said.startswith(no_proof_yet)] == []
