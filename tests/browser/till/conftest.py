"""What these journeys start from: one browser, one restaurant with its menu."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.till.shop import Shop, Till, opened, write_menu
from tests.outside import need


@pytest.fixture(scope="module")
def chromium_browser() -> Iterator[Browser]:
    """Debian's Chromium; it ends with the file, since its loop runs in this thread."""
    path = need("chromium", "chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, chromium_browser: Browser) -> Iterator[Shop]:
    """A restaurant with a menu."""
    with opened(tmp_path_factory.mktemp("shop")) as shop:
        till = Till(chromium_browser, shop)
        till.sign_in(shop.people["zhang"])
        write_menu(till)
        till.close()
        yield shop


@pytest.fixture
def zhang(chromium_browser: Browser, shop: Shop) -> Iterator[Till]:
    """The owner, at the page that sells."""
    till = Till(chromium_browser, shop)
    till.sign_in(shop.people["zhang"])
    yield till
    till.close()


@pytest.fixture
def li(chromium_browser: Browser, shop: Shop) -> Iterator[Till]:
    """A cashier at another till."""
    till = Till(chromium_browser, shop)
    till.sign_in(shop.people["li"])
    yield till
    till.close()
