"""A till's page beside a lunch rush: how long a touch takes, while others sell.

A script sells at a steady pace, as 200 guests an hour; a real browser, open on the page that sells,
takes dishes onto a bill and off again. A touch ends when the page has drawn what it changed.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, sync_playwright

from bench.table import Measure
from bench.timing import percentile
from tests.browser.chrome import program
from tests.browser.till.shop import Shop, Till, opened, write_menu

AN_HOUR: Final = 200  # sales
SECONDS: Final = 600.0
AIM_MS: Final = 100.0
PAUSE: Final = 0.5  # seconds between two touches of a quick hand

# Touches a dish; gives the milliseconds until it has been drawn.
TOUCH: Final = """dish => new Promise(done => {
    const before = performance.now();
    document.querySelectorAll(".tile")[dish].click();
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - before)));
})"""


def till_rush(folder: Path, seconds: float, an_hour: int = AN_HOUR) -> list[Measure]:
    """Touches of a browser while a script sells for ``seconds``; [] without a browser."""
    path = program()
    if path is None:
        return []
    with sync_playwright() as playwright, opened(folder) as shop:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            return _measured(browser, shop, seconds, an_hour)
        finally:
            browser.close()


def _measured(browser: Browser, shop: Shop, seconds: float, an_hour: int) -> list[Measure]:
    till = Till(browser, shop)
    till.sign_in(shop.people["zhang"])
    write_menu(till)
    till.go("/till/")
    sold, waited = _Rush(shop, 3600 / an_hour), 0.0
    touches: list[float] = []
    end = time.monotonic() + seconds
    with sold:
        while time.monotonic() < end:
            touches.append(till.page.evaluate(TOUCH, len(touches) % 7))
            if len(touches) % 20 == 0:
                till.press("F10")
                till.page.wait_for_selector("dialog.done")
                till.press("Escape")
                waited += 1
            time.sleep(PAUSE)
    till.close()
    p50, p95 = percentile(touches, 0.5), percentile(touches, 0.95)
    note = f"{len(touches)} touches, {sold.count} sales beside them, {waited:.0f} here"
    return [
        Measure("till", "a touch, median", p50, "ms", note=note),
        Measure("till", "a touch, 95 %", p95, "ms", aim=AIM_MS, less_is_better=True),
        Measure("till", "sales beside", sold.count, "sales"),
    ]


class _Rush:
    """Sales by a program at a steady pace, in a thread, until the block ends."""

    def __init__(self, shop: Shop, every: float) -> None:
        self._issue: Callable[[str], dict[str, Any]] = shop.bureau.issue
        self._every = every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sell)
        self.count = 0

    def __enter__(self) -> "_Rush":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sell(self) -> None:
        while True:
            self._issue(f"rush-{self.count}")
            self.count += 1
            if self._over.wait(self._every):
                return
