"""Every page of the till as axe-core and a person see it: on each screen, by day and by night."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser

from tests.browser.test_access import AXE, LOOK
from tests.browser.till.shop import Shop, Till

pytestmark = pytest.mark.slow

PICTURES: Final = Path(__file__).parents[3] / "build" / "pictures" / "till"
WAYS: Final = (
    ("phone", "dark", "en"),
    ("desk", "light", "zh-CN"),
)
WIDER: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def _bill(till: Till) -> None:
    till.go("/till/")
    till.page.click("#places button >> nth=2")
    for dish in ("鸭", "鸡", "黄瓜"):
        till.page.click(f".tile:has-text('{dish}')")
    if till.page.is_visible("#fold"):
        till.page.click("#fold")


def _line(till: Till) -> None:
    _bill(till)
    till.page.click("[data-at=line-0]")


def _title(till: Till) -> None:
    _bill(till)
    till.page.click("[data-at=title]")
    till.page.keyboard.press("Enter")
    till.page.wait_for_selector("dialog .error")


def _split(till: Till) -> None:
    _bill(till)
    till.page.click("[data-at=split]")
    till.page.click("[data-at=by-dish]")


def _pay(till: Till) -> None:
    _bill(till)
    till.page.click("[data-at=pay]")
    till.page.fill("#amount", "1")
    till.page.keyboard.press("w")
    till.page.wait_for_selector("dialog .paid")


def _done(till: Till) -> None:
    _pay(till)
    till.page.click("dialog .kinds button >> nth=0")
    till.page.wait_for_selector("dialog.done")


def _keys(till: Till) -> None:
    till.go("/till/")
    till.press("?")


def _cashier(till: Till) -> None:
    till.go("/till/")
    till.page.click("#cashier")
    till.page.wait_for_selector("dialog")


def _day(till: Till) -> None:
    till.go("/till/day")
    till.page.wait_for_selector("#figures .card")


def _back(till: Till) -> None:
    _day(till)
    till.page.click("[data-at^=back-] >> nth=0")


def _lines(till: Till) -> None:
    _day(till)
    till.page.click("[data-at^=back-] >> nth=0")
    till.page.click("dialog a")
    till.ready()


def _closing(till: Till) -> None:
    till.go("/till/closing")


def _settings(till: Till) -> None:
    till.go("/till/settings")


SCENES: Final[dict[str, Callable[[Till], None]]] = {
    "bill": _bill,
    "line": _line,
    "title": _title,
    "split": _split,
    "pay": _pay,
    "done": _done,
    "keys": _keys,
    "cashier": _cashier,
    "day": _day,
    "back": _back,
    "lines": _lines,
    "closing": _closing,
    "settings": _settings,
}


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def seen(request: Any, chromium_browser: Browser, shop: Shop) -> Iterator[tuple[Till, str]]:  # noqa: ANN401 # pytest's
    """A till on one kind of screen, and how its pictures are called."""
    size, scheme, tag = request.param
    till = Till(chromium_browser, shop, tag, size=size, color_scheme=scheme)
    till.sign_in(shop.people["zhang"])
    yield till, f"{size}-{scheme}-{tag}"
    till.close()


@pytest.mark.parametrize("scene", SCENES)
def test_nothing_keeps_anybody_out_and_nothing_is_cut_off(
    seen: tuple[Till, str], scene: str
) -> None:
    till, name = seen
    SCENES[scene](till)
    PICTURES.mkdir(parents=True, exist_ok=True)
    till.page.screenshot(path=PICTURES / f"{scene}-{name}.png")
    till.page.evaluate(AXE.read_text("utf-8"))
    assert till.page.evaluate(LOOK) == []
    assert till.page.evaluate(WIDER) == 0
