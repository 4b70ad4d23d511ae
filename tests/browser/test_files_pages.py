"""The pages for files of orders in a real browser: a file is chosen, read, issued; nothing keeps
anybody out.

``python -m tests.browser.test_files_pages FOLDER`` takes pictures of all of them.
"""

import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from tests.browser.chrome import Chrome, browser
from tests.browser.test_access import AXE, LOOK, LOOKS, PHONE
from tests.files.days import day_file
from tests.patience import PATIENCE
from tests.web.people.visitors import PASSWORD, Bureau

pytestmark = pytest.mark.slow

HEADER = "订单号,时间,商品名称,数量,单价,税率,整单优惠,桌号,服务员\n"
ROWS = (
    "001,2026-11-19 12:00,*餐饮服务*面,2,28.00,6%,1.00,7,李\n"
    "002,2026-11-20 12:05,*餐饮服务*茶,1,8.00,6%,,8,李\n"
    "003,2026-11-20 12:09,*酒*啤酒,0,60.00,13%,,9,王\n"
    "1.2E+17,2026-11-20 13:00,*餐饮服务*饭,1,2.00,6%,,,王\n"
    "005,2026-11-20 13:00,*餐饮服务*饭,1,2.00,7%,,,王\n"
)
STAGE = "document.getElementById('file')?.dataset.stage"
WINDOWS = {"phone": PHONE, "tablet": (820, 1180), "desk": (1280, 900)}


class Visit:
    """An owner in a browser."""

    def __init__(self, chrome: Chrome, bureau: Bureau, url: str, folder: Path) -> None:
        self.chrome, self.bureau, self.url, self._folder = chrome, bureau, url, folder
        person = bureau.person("zhang")
        chrome.open(f"{url}/sign-in")
        for field, value in (("login", person.login), ("password", PASSWORD)):
            chrome.evaluate(f"document.querySelector('#{field}').value = {value!r}")
        self.submit("form[action='/sign-in']")

    def submit(self, form: str) -> None:
        """Send a form as its button would."""
        self.chrome.evaluate(f"document.querySelector({form!r}).requestSubmit()")
        self.chrome.wait()

    def send(self, name: str, text: str) -> None:
        """Choose a file, and send it."""
        path = self._folder / name
        path.write_text(text, encoding="utf-8")
        self.chrome.open(f"{self.url}/till/files")
        self.chrome.choose("#file", path)
        self.submit("form[enctype]")

    def until(self, *stages: str) -> None:
        """Wait until the page by itself shows one of these."""
        self.chrome.evaluate(
            f"""new Promise((done, fail) => {{
                const end = Date.now() + {PATIENCE * 1000};
                const look = () => {{
                    const now = {STAGE};
                    if ({[*stages]!r}.includes(now)) done();
                    else if (Date.now() > end) fail(Error(now));
                    else setTimeout(look, 50);
                }};
                look();
            }})"""
        )

    def press(self, words: str) -> None:
        """The button with these words."""
        found = f"[...document.querySelectorAll('button')].find(one => one.innerText === {words!r})"
        self.chrome.evaluate(f"{found}.click()")
        self.chrome.wait()

    def text(self) -> str:
        """What is seen."""
        found: str = self.chrome.evaluate("document.body.innerText")
        return found

    def shown(self, name: str) -> None:
        """Open a page of that name again."""
        self.chrome.open(self.pages[name])

    pages: dict[str, str]

    def fill(self) -> None:
        """A page of each kind."""
        self.pages = {"files": f"{self.url}/till/files"}
        for name, file, text, stage in (
            ("preview", "夜市 11月.csv", HEADER + ROWS, "ready"),
            ("refused", "day.csv", "a,b\n1,2\n", "refused"),
            ("done", "done.csv", HEADER + ROWS, "ready"),
        ):
            self.send(file, text)
            self.until(stage)
            self.pages[name] = self.chrome.evaluate("location.href")
        self.press("开具 ¥63.00")
        self.until("done")


@contextmanager
def visited(folder: Path, chrome: Chrome) -> Iterator[Visit]:
    """The owner, until the end of the block."""
    server = make_server("localhost", 0, lambda *_: [], threaded=True)
    url = f"http://localhost:{server.server_port}"
    with Bureau(folder / "bureau", FAPIAO_SERVICE_PUBLIC_URL=url) as bureau:
        server.app = bureau.app
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            chrome.before_pages(AXE.read_text("utf-8"))
            yield Visit(chrome, bureau, url, folder)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory, chrome: Chrome) -> Iterator[Visit]:
    """One restaurant for all tests here."""
    with visited(tmp_path_factory.mktemp("files"), chrome) as visit:
        visit.fill()
        yield visit


NAMES = ("files", "preview", "refused", "done")


@pytest.mark.scaled
@pytest.mark.parametrize("name", NAMES)
def test_nothing_keeps_anybody_out(visit: Visit, name: str) -> None:
    visit.chrome.window(*PHONE, phone=True)
    for dark, tag in LOOKS:
        visit.chrome.dark(on=dark)
        visit.chrome.speak(tag)
        visit.shown(name)
        assert visit.chrome.evaluate(LOOK) == [], (name, dark, tag)
        assert visit.chrome.complaints == []
        wide = visit.chrome.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE[0], (name, tag)
    visit.chrome.speak("zh-CN")


def test_a_long_file_shows_how_far_it_is_and_what_it_came_to(visit: Visit) -> None:
    """The page is never loaded anew: it changes by itself from reading to done."""
    before = visit.bureau.count()
    visit.send("long.csv", day_file(1_500))
    visit.chrome.evaluate("window.here = true")
    visit.until("ready")
    assert "1500 张新发票" in visit.text()
    assert visit.chrome.evaluate("window.here") is True
    visit.press(next(line for line in visit.text().splitlines() if line.startswith("开具 ¥")))
    visit.chrome.evaluate("window.here = true")
    visit.until("done")
    assert visit.chrome.evaluate("window.here") is True
    assert "每笔订单都有发票" in visit.text()
    assert visit.bureau.count() - before == 1_500
    assert visit.chrome.complaints == []


def test_it_works_without_script(visit: Visit) -> None:
    visit.chrome.script(on=False)
    try:
        visit.shown("preview")
        refresh = "document.querySelector('noscript meta[http-equiv=refresh]')"
        assert "尚未开具" in visit.text()
        assert visit.chrome.evaluate(f"{refresh} === null")
    finally:
        visit.chrome.script(on=True)


def main(folder: str) -> None:
    """Pictures of every page in every way."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        browser(Path(home) / "profile") as chrome,
        visited(Path(home), chrome) as visit,
    ):
        visit.fill()
        for name, window, ground, tag in product(NAMES, WINDOWS, ("light", "dark"), ("zh", "en")):
            visit.chrome.window(*WINDOWS[window], phone=window == "phone")
            visit.chrome.dark(on=ground == "dark")
            visit.chrome.speak(tag)
            visit.shown(name)
            file = target / f"{name}-{window}-{ground}-{tag}.png"
            file.write_bytes(visit.chrome.picture(whole=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
