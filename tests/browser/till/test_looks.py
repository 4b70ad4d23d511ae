"""Every page of the till as axe-core and a person see it: on each screen, by day and by night.

``python -m tests.browser.till.test_looks FOLDER [SCENE…]`` takes pictures in all ways there are.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.test_access import AXE, LOOK, LOOK_BUT_FOR_COLOURS
from tests.browser.test_files_pages import HEADER, ROWS
from tests.browser.till.shop import SIZES, Shop, Till, opened, refused_half_way, write_menu
from tests.outside import need
from tests.patience import wait_until
from tests.scale import share

pytestmark = pytest.mark.slow

WAYS: Final = (
    (("phone", "tablet"), "dark", "en"),
    (("desk", "lying"), "light", "zh-CN"),
)
"""Every screen, light and language once: a scene is acted on the first screen of a way, and then
looked at on the other one as well."""
OTHER_WAYS: Final = (
    (("tablet",), "light", "en"),
    (("lying",), "dark", "zh-CN"),
)
"""Acted on those other screens, too, in the other light: in a whole run."""
WIDER: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def _unfold(till: Till) -> None:
    """On a phone the bill is a sheet over the menu."""
    if till.page.is_visible("#fold"):
        till.page.click("#fold")


def _bill(till: Till) -> None:
    till.go("/till/")
    till.page.click("#places button >> nth=2")
    for dish in ("鸭", "鸡", "黄瓜"):
        till.page.click(f".tile:has-text('{dish}')")
    _unfold(till)


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


def _claim(till: Till) -> None:
    _bill(till)
    till.page.click("[data-at=claim]")
    till.page.click("[data-at=parts-3]")


def _order(till: Till) -> None:
    _claim(till)
    till.page.click("[data-at=go]")
    till.page.wait_for_selector("dialog.order img")
    drawn = "document.querySelector('dialog.order img').complete"
    wait_until(lambda: till.page.evaluate(drawn), "the code is drawn")


def _sure(till: Till) -> None:
    _order(till)
    till.page.click("[data-at=cancel]")
    till.page.wait_for_selector("[data-at=sure]")


def _orders(till: Till) -> None:
    _order(till)
    _day(till)
    till.page.wait_for_selector("#orders li")


def _pay(till: Till) -> None:
    _bill(till)
    till.page.click("[data-at=pay]")
    till.page.fill("#amount", "1")
    till.page.keyboard.press("w")
    till.page.wait_for_selector("dialog .paid")


def _account(till: Till) -> None:
    """A guest's prepaid account that may pay."""
    _bill(till)
    till.page.click("[data-at=pay]")
    till.page.wait_for_selector("#amount")
    till.scan(till.shop.prepaid(5_000_000))  # tables keep what other scenes ordered
    till.page.wait_for_selector("#prepaid-left")


def _short(till: Till) -> None:
    """One that holds less."""
    _bill(till)
    till.page.click("[data-at=pay]")
    till.page.wait_for_selector("#amount")
    till.scan(till.shop.prepaid(100))
    till.page.wait_for_selector("#account-wrong")


def _left(till: Till) -> None:
    """It has paid."""
    _account(till)
    till.page.click("[data-at=prepaid-go]")
    till.page.wait_for_selector("dialog.done [data-at=left]")


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


def _sell_some(till: Till) -> None:
    """Something, whichever scene comes first."""
    if not till.shop.bureau.instance.store.last_seq():
        _done(till)


def _back(till: Till) -> None:
    _sell_some(till)
    _day(till)
    till.page.click("[data-at^=back-] >> nth=0")


def _lines(till: Till) -> None:
    _sell_some(till)
    _day(till)
    till.page.click("[data-at^=back-] >> nth=0")
    till.page.click("dialog a[href$='/page']")
    till.ready()


def _closing(till: Till) -> None:
    till.go("/till/closing")


def _settings(till: Till) -> None:
    till.go("/till/settings")


def _closed(till: Till) -> None:
    _sell_some(till)
    _closing(till)
    till.page.fill("#piece-100", "3")
    till.page.click("#shift form .buttons button")
    if till.page.locator("#result table, [name=carry]").first.get_attribute("name"):
        till.page.check("[name=carry]")  # tables have bills
        till.page.click("#shift form .buttons button")
    till.page.wait_for_selector("#result table")


def _begun(till: Till) -> None:
    """A bill of which a part was refused: once for all screens, as it stays."""
    till.go("/till/")
    if not till.page.locator(".chip.begun").count():
        till.press("0", "1", "Enter")
        _unfold(till)
        with refused_half_way(till.shop):
            till.page.click("[data-at=split]")
            till.page.click("[data-at=go]")
            till.press("Enter", "Enter")
            till.page.wait_for_selector(".aside-of .error")
        till.go("/till/")
    till.open_begun()
    _unfold(till)
    till.page.wait_for_selector("[data-at=resume]")


def _undo(till: Till) -> None:
    """Asked, and left."""
    _begun(till)
    till.page.click("[data-at=undo]")
    till.page.wait_for_selector("dialog .paid")


def _already(till: Till) -> None:
    """Another till was paid meanwhile: the answer that the service gives then."""
    _bill(till)
    found = {
        "code": "bill_settled",
        "by": {"id": 1, "name": "Li"},
        "till": "吧台",
        "settled_at": "2026-11-21T12:31:00+08:00",
        "invoices": [{"hash": "01", "number": "00000012", "total_amount": 18_800}],
    }
    said = {"status": 409, "content_type": "application/problem+json", "body": json.dumps(found)}
    till.page.route("**/settle", lambda route: route.fulfill(**said))
    till.page.click("[data-at=finish]")
    till.page.wait_for_selector("dialog.done .notice")
    till.page.unroute("**/settle")


def _buyers(till: Till) -> None:
    """A person who was found, and one who is gone."""
    bureau = till.shop.bureau
    name, buyer = f"B{bureau.count()}", {"kind": "individual", "name": "欧阳小明"}
    for day in ("2026-11-20", "2026-11-21"):
        found = bureau.issue(name, business_day=day, buyer=buyer)
    path = f"/v1/invoices/{found['hash']}/buyer/erasure"
    assert bureau.client.post(path, headers=bureau.official()).status_code == 200
    till.page.goto(f"{till.shop.url}/till/buyers?q={name}")


def _apart(till: Till) -> None:
    till.page.route("**/till/events*", lambda route: route.fulfill(status=503, body="{}"))
    till.go("/till/day")
    till.page.wait_for_selector("#live:not(:empty)")
    till.page.unroute("**/till/events*")


def _erased(till: Till) -> None:
    bureau = till.shop.bureau
    person = {"kind": "individual", "name": "欧阳小明"}
    found = bureau.issue(f"E{bureau.count()}", buyer=person)
    path = f"/v1/invoices/{found['hash']}/buyer/erasure"
    assert bureau.client.post(path, headers=bureau.official()).status_code == 200
    _day(till)
    till.page.click(f"[data-at=open-{found['hash']}]")
    till.page.wait_for_selector("dialog .paid")


def _files(till: Till) -> None:
    till.page.goto(f"{till.shop.url}/till/files")


def _file(till: Till) -> None:
    _files(till)
    file = {"name": "夜市.csv", "mimeType": "text/csv", "buffer": (HEADER + ROWS).encode()}
    till.page.set_input_files("#file", file)  # type: ignore[arg-type] # a file in memory
    till.page.click("form[enctype] button")
    till.page.wait_for_selector("#file[data-stage=ready]")


def _codes(till: Till) -> None:
    till.page.goto(f"{till.shop.url}/account/totp")
    till.page.wait_for_selector(".scan svg")


SCENES: Final[dict[str, Callable[[Till], None]]] = {
    "bill": _bill,
    "line": _line,
    "title": _title,
    "split": _split,
    "claim": _claim,
    "order": _order,
    "sure": _sure,
    "orders": _orders,
    "pay": _pay,
    "account": _account,
    "short": _short,
    "left": _left,
    "done": _done,
    "keys": _keys,
    "cashier": _cashier,
    "day": _day,
    "back": _back,
    "lines": _lines,
    "closing": _closing,
    "closed": _closed,
    "settings": _settings,
    "apart": _apart,
    "erased": _erased,
    "files": _files,
    "file": _file,
    "codes": _codes,
    "begun": _begun,
    "undo": _undo,
    "already": _already,
    "buyers": _buyers,
}


@pytest.fixture(scope="module", params=(*WAYS, *share(OTHER_WAYS, ())), ids=lambda way: way[0][0])
def seen(request: Any, chromium_browser: Browser, shop: Shop) -> Iterator[tuple[Till, list[str]]]:  # noqa: ANN401 # pytest's
    """A till, and the screens on which it is looked at."""
    sizes, scheme, tag = request.param
    till = Till(chromium_browser, shop, tag, size=sizes[0], color_scheme=scheme)
    till.come(shop.people["zhang"])
    yield till, sizes
    till.close()


@pytest.mark.scaled
@pytest.mark.parametrize("scene", SCENES)
def test_nothing_keeps_anybody_out_and_nothing_is_cut_off(
    seen: tuple[Till, list[str]], scene: str
) -> None:
    till, sizes = seen
    till.resize(sizes[0])
    SCENES[scene](till)
    till.page.evaluate(AXE.read_text("utf-8"))
    looks = {sizes[0]: LOOK, "tablet": LOOK_BUT_FOR_COLOURS}  # lying has the desk's layout
    for size in sizes:
        till.resize(size)
        if size in looks:
            assert till.page.evaluate(looks[size]) == [], size
        assert till.page.evaluate(WIDER) == 0, size


def main(folder: str) -> None:
    """Pictures of every scene on every screen, by day and by night, in both languages."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        sync_playwright() as playwright,
        opened(Path(home)) as shop,
    ):
        path = need("chromium", "chromium-browser")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        owner = Till(browser, shop)
        owner.sign_in(shop.people["zhang"])
        write_menu(owner)
        for size, scheme, tag in product(SIZES, ("light", "dark"), ("zh-CN", "en")):
            till = Till(browser, shop, tag, size=size, color_scheme=scheme)
            till.sign_in(shop.people["zhang"])
            for name in sys.argv[2:] or SCENES:
                SCENES[name](till)
                till.page.screenshot(
                    path=target / f"{name}-{size}-{scheme}-{tag[:2]}.png", full_page=True
                )
            till.context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
