"""What these journeys start from: one browser, one restaurant with its menu."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.till.shop import Shop, Till, opened, write_menu
from tests.outside import need


@pytest.fixture(scope="package")
def chromium_browser() -> Iterator[Browser]:
    """Debian's Chromium; it ends with the folder, since its loop runs in this thread."""
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


@pytest.fixture(scope="module")
def two_browsers(chromium_browser: Browser, shop: Shop) -> Iterator[dict[str, Till]]:
    """One for each person who sells, which costs a test less than one of its own."""
    tills = {name: Till(chromium_browser, shop) for name in ("zhang", "li")}
    yield tills
    for till in tills.values():
        till.close()


@pytest.fixture
def zhang(two_browsers: dict[str, Till], shop: Shop) -> Iterator[Till]:
    """The owner, at the page that sells."""
    till = two_browsers["zhang"]
    till.come(shop.people["zhang"])
    yield till
    till.leave()


@pytest.fixture
def li(two_browsers: dict[str, Till], shop: Shop) -> Iterator[Till]:
    """A cashier at another till."""
    till = two_browsers["li"]
    till.come(shop.people["li"])
    yield till
    till.leave()
