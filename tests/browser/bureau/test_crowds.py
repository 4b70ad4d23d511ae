"""The bureau's and the log's pages with one and very many merchants, all hostile."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest

from invoice_service.replay.city import build_city
from invoice_service.services.people.sessions import Visit
from invoice_service.web.people.gate import SESSION, cookie_name
from tests.browser.chrome import Chrome, Pipe, page
from tests.browser.test_access import AXE, LOOK
from tests.browser.working import fill, served, submit
from tests.scale import share
from tests.web.people.visitors import Bureau

pytestmark = pytest.mark.slow

HOSTILE: Final = "<script>alert(1)</script>\u202e\u2066\u200b{{7*7}}'\"&lt;" + "甲乙丙丁戊" * 40
"""A script, letters that run backwards, one of no width, and 240 without a place to break."""
MANY: Final = share(10_000, 300)
PAGES: Final = (
    *("bureau/", "bureau/totals?by=merchant&compare=before", "bureau/totals?by=merchant&top=5"),
    *("bureau/merchants", "bureau/merchants?text=script", "bureau/trail", "bureau/people"),
    *("bureau/applications", "bureau/quota", "explorer/", "explorer/blocks", "explorer/acts"),
)
WIDE: Final = "document.documentElement.scrollWidth"
MARKUP: Final = """[...document.scripts].filter((one) => one.text.includes("alert(1)")
    && one.type !== "application/json").length"""


@pytest.fixture(scope="module")
def chrome(chromium: Pipe) -> Iterator[Chrome]:
    """One page for all, with axe in it."""
    with page(chromium) as chrome:
        chrome.before_pages(AXE.read_text("utf-8"))
        yield chrome


def _crowd(bureau: Bureau, number: int) -> None:
    """So many merchants, as admitted, all with the hostile name, the restaurant too."""
    shops = [shop.request for shop in build_city(3, number).shops]
    rows = [(one.tax_id, HOSTILE, one.industry, one.district) for one in shops]
    with closing(sqlite3.connect(bureau.config.invoices_db)) as database, database:
        database.execute("UPDATE merchants SET name = ?", (HOSTILE,))
        database.executemany(
            "INSERT INTO merchants (tax_id, name, industry, district, used, status, created_at,"
            " address_phone, bank_account, drawer, payee, reviewer)"
            " VALUES (?, ?, ?, ?, 0, 'active', 1, '', '', '', '', '')",
            rows,
        )


@pytest.mark.scaled
@pytest.mark.parametrize(("tag", "number"), [("zh-CN", MANY), ("en", 1)])
def test_pages_hold_whoever_is_there(
    chrome: Chrome, tmp_path_factory: pytest.TempPathFactory, tag: str, number: int
) -> None:
    with served() as (url, apps):
        folder = tmp_path_factory.mktemp("crowd")
        with Bureau(folder, FAPIAO_SERVICE_PUBLIC_URL=url) as bureau:
            apps.append(bureau.app)
            _crowd(bureau, number - 1)  # beside the restaurant
            bureau.issue("one")
            bureau.anchor_all()
            person = bureau.person("chen", "administrator")
            token = bureau.instance.people.sessions.open(person, "strong", Visit("", ""), "totp")
            chrome.speak(tag)
            chrome.window(320, 568, phone=True)
            chrome.open(f"{url}/sign-in")
            chrome.evaluate(f"document.cookie = {f'{cookie_name(url, SESSION)}={token}; path=/'!r}")
            for path in PAGES:
                _look(chrome, f"{url}/{path}")
            chrome.open(f"{url}/bureau/merchants/1")
            fill(chrome, purpose="案号 7")
            submit(chrome, "form[action='/bureau/purpose']")
            _look(chrome, f"{url}/bureau/merchants/1")
            said = chrome.evaluate("document.querySelector('h1').textContent")
            assert said == HOSTILE


def _look(chrome: Chrome, address: str) -> None:
    """It fits the smallest phone, keeps nobody out, and nothing of a name has become markup."""
    chrome.open(address)
    assert chrome.evaluate(WIDE) <= 320, address
    assert chrome.evaluate(MARKUP) == 0, address
    assert chrome.evaluate(LOOK) == [], address
    assert "alert" not in str(chrome.complaints), address
    assert chrome.complaints == [], address
