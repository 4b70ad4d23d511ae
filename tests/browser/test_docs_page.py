"""The page that shows the description, in a real browser, light and dark, on a desk and a phone."""

import threading
from collections.abc import Iterator
from itertools import product

import pytest
from werkzeug.serving import make_server

from invoice_service.app import doors
from tests.api.desk import Desk
from tests.browser.chrome import Chrome
from tests.browser.contrast import FAINT
from tests.patience import PATIENCE
from tests.scale import share

pytestmark = pytest.mark.slow

PHONE, DESKTOP = (390, 844), (1280, 900)
WAYS = share([*product((PHONE, DESKTOP), (False, True))], [(PHONE, False), (DESKTOP, True)])
"""Through which window, and whether it is night: each once in a usual run."""
FIRST = "开具与红冲"
SHOWN = f"""new Promise(done => {{
    const seen = new Set();
    const late = setTimeout(() => done(seen.size), {PATIENCE * 1000});
    const end = () => {{
        scrollTo(0, 0);
        if (!document.body.innerText.includes('{FIRST}')) {{ setTimeout(end, 50); return; }}
        clearTimeout(late);
        done(seen.size);
    }};
    const look = () => {{
        for (const one of document.querySelectorAll('.opblock')) seen.add(one.id);
        if (seen.size >= CALLS) {{ end(); return; }}
        const before = scrollY;
        scrollBy(0, innerHeight / 2);
        if (scrollY === before) scrollTo(0, 0);
        setTimeout(look, 50);
    }};
    look();
}})"""
"""Of a long list only what is near the window is drawn: it is scrolled through."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The page's site, and how many calls it has."""
    with Desk(tmp_path_factory.mktemp("site")) as desk:
        server = make_server("127.0.0.1", 0, desk.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", len(doors(desk.config).operations)
        server.shutdown()
        thread.join()


@pytest.mark.scaled
@pytest.mark.parametrize(("size", "dark"), WAYS, ids=str)
def test_every_call_is_shown_and_the_browser_has_no_complaint(
    chrome: Chrome, site: tuple[str, int], size: tuple[int, int], *, dark: bool
) -> None:
    base, calls = site
    chrome.window(*size, phone=size == PHONE)
    chrome.dark(on=dark)
    chrome.open(f"{base}/docs")
    assert chrome.evaluate(SHOWN.replace("CALLS", str(calls))) == calls
    assert chrome.evaluate("document.getElementById('loading')") is None
    assert chrome.complaints == []
    assert all(request.startswith((base, "data:")) for request in chrome.requests)
    assert chrome.evaluate("document.documentElement.scrollWidth") <= size[0]
    ground = chrome.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(18, 22, 27)" if dark else "rgb(238, 241, 245)")
    assert chrome.evaluate(FAINT) == []
    assert FIRST in chrome.evaluate("document.body.innerText")
    assert "`" not in chrome.evaluate("document.body.innerText")
    assert chrome.evaluate("document.querySelectorAll('header.top, footer.foot').length") == 2
    assert chrome.evaluate("document.querySelectorAll('.try-out').length") == 0


LABELS = f"""new Promise(done => {{
    const late = setTimeout(() => done("nothing"), {PATIENCE * 1000});
    const look = () => {{
        const open = document.querySelector('.opblock.is-open .responses-wrapper');
        const said = open && document.querySelector('.opblock.is-open').innerText;
        if (said && said.includes(arguments[0])) {{ clearTimeout(late); done(said); }}
        else setTimeout(look, 50);
    }};
    look();
}})"""


WORDS = [("zh", "响应", "Responses"), ("en", "Responses", "响应")]


@pytest.mark.parametrize(("tag", "label", "other"), WORDS)
def test_its_labels_are_in_the_readers_language(
    chrome: Chrome, site: tuple[str, int], tag: str, label: str, other: str
) -> None:
    """Labels, and nothing of what the description says."""
    chrome.speak(tag)
    chrome.open("about:blank")
    chrome.open(f"{site[0]}/docs#/issuing/issue")
    said = chrome.evaluate(LABELS.replace("arguments[0]", f"'{label}'"))
    assert f"\n{other}\n" not in f"\n{said}\n"
    chrome.speak("zh-CN")


def test_opening_a_call_costs_no_phone_its_patience(chrome: Chrome, site: tuple[str, int]) -> None:
    """The viewer would work through all of the description first: 132 million calls, 7 are left."""
    chrome.open("about:blank")
    chrome.count_work()
    chrome.open(f"{site[0]}/docs#/issuing/issue")
    assert chrome.evaluate(LABELS.replace("arguments[0]", "'响应'")) != "nothing"
    assert chrome.work() < 30_000_000
