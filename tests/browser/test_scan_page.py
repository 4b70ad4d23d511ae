"""The scan page as a phone gets it: little, quickly, and the check only afterwards."""

from collections.abc import Iterator

import pytest

from tests.browser.chrome import Chrome, Pipe, page
from tests.browser.lying import Between, between, look

pytestmark = pytest.mark.slow

MOST_BYTES, MOST_REQUESTS = 60_000, 4
LOADED = """(() => {
    const [page] = performance.getEntriesByType("navigation");
    const files = performance.getEntriesByType("resource");
    const before = files.filter((one) => one.startTime < page.loadEventStart);
    return [page, ...before].map((one) => [one.name, one.transferSize]);
})()"""


@pytest.fixture(scope="module")
def chrome(chromium: Pipe) -> Iterator[Chrome]:
    """One phone."""
    with page(chromium) as chrome:
        chrome.window(390, 844, phone=True)
        yield chrome


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Between]:
    """A service."""
    with between(tmp_path_factory.mktemp("shop")) as site:
        yield site


def test_a_verdict_takes_four_requests_and_little_and_the_check_comes_after_it(
    chrome: Chrome, shop: Between
) -> None:
    company = {"kind": "company", "name": "深圳市采购有限公司" * 5, "tax_id": "91440300708461136T"}
    invoice = shop.desk.issue("W1", buyer=company)
    shop.desk.anchor()
    shop.asked.clear()
    assert look(chrome, shop, shop.address(invoice)) == "confirmed"
    loaded = chrome.evaluate(LOADED)
    assert len(loaded) <= MOST_REQUESTS, loaded
    assert sum(size for _, size in loaded) < MOST_BYTES, loaded
    verifier = [path for path in shop.asked if path.endswith("verify/verify.js")]
    assert len(verifier) == 1  # the check did come, beside the page, and asked once for it


NO_WORKERS = {
    "none": "delete globalThis.Worker",
    "forbidden": "globalThis.Worker = class { constructor() { throw new Error('no') } }",
    "lost": """globalThis.Worker = class extends Worker {
        constructor() { super('/static/scan/nothing.js', {type: 'module'}) } }""",
    "without modules": """globalThis.Worker = class extends Worker {
        constructor(start) { super(start, {type: 'module'}) }
        postMessage(said) { super.postMessage(said);
            if (said.loads) this.onmessage({data: {lost: 'no modules'}}) } }""",
}


@pytest.mark.parametrize("why", NO_WORKERS)
def test_where_nothing_runs_beside_the_page_it_checks_by_itself(
    chrome: Chrome, shop: Between, why: str
) -> None:
    invoice = shop.desk.issue(f"W {why}")
    shop.desk.anchor()
    script = chrome.before_pages(NO_WORKERS[why])
    try:
        assert look(chrome, shop, shop.address(invoice)) == "confirmed"
    finally:
        chrome.not_before_pages(script)


def test_one_glance_tells_and_the_rest_is_folded(chrome: Chrome, shop: Between) -> None:
    invoice = shop.desk.issue("W2")
    shop.desk.anchor()
    chrome.open(shop.address(invoice))
    for choice in (".total", ".seller", "[data-said=issued_at]", ".asof", ".speaks"):
        place = f"document.querySelector('{choice}').getBoundingClientRect()"
        assert 0 <= chrome.evaluate(f"{place}.bottom") < 844, choice
    folded = "[...document.querySelectorAll('main > details')].map(one => one.open)"
    assert chrome.evaluate(folded) == [False] * 3
    said = chrome.evaluate("document.querySelector('main').innerText")
    assert invoice["hash"] not in said


def test_without_script_the_verdict_stands_and_what_is_pending_asks_again(
    chrome: Chrome, shop: Between
) -> None:
    invoice = shop.desk.issue("W3")
    chrome.script(on=False)
    try:
        chrome.open(shop.address(invoice))
        band = "document.querySelector('[data-verdict]').dataset.verdict"
        assert chrome.evaluate(band) == "pending"
        again = "document.querySelector('meta[http-equiv=refresh]').content"
        assert chrome.evaluate(again) == "10"
        shop.desk.anchor()
        chrome.open(chrome.evaluate("document.querySelector('noscript a').href"))
        assert chrome.evaluate(band) == "authentic"
        assert chrome.evaluate("document.querySelector('meta[http-equiv=refresh]')") is None
        assert "核验" in chrome.evaluate("document.querySelector('#phone-said').innerText")
        assert chrome.evaluate("document.querySelector('#phone').dataset.kind ?? null") is None
    finally:
        chrome.script(on=True)
