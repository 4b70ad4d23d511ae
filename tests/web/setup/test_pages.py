"""Setting up in a browser, step by step; who is refused, and what two tabs do."""

import re
from contextlib import closing
from datetime import datetime
from html import unescape

import pytest

from invoice_service.app import create_app
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.services.anchoring.anchor import anchor_pending
from invoice_service.services.people.tries import PAIR
from invoice_service.services.ports import InvoiceFilter
from invoice_service.wiring import open_instance
from tests.documents.printer import Printer
from tests.web.people.visitors import BASE, PASSWORD, Browser, code_in
from tests.web.setup.empty import ADMINISTRATOR, MERCHANT, OWNER, SALE, Empty, place, step

CODE = "setup_code_refused"


def test_from_nothing_to_the_first_slip(empty: Empty) -> None:
    browser = empty.entered()
    page = browser.get("/setup/address").text
    assert "https://fapiao.test" in page
    assert "fapiao.test/log" in page
    assert step(browser, "administrator", ADMINISTRATOR) == "/setup/merchant"
    assert step(browser, "merchant", MERCHANT) == "/setup/owner"
    assert browser.get("/setup/owner").status_code == 200
    till = browser.send("/setup/owner", **OWNER)
    assert "zhang@1" in till.text
    assert step(browser, "sale", SALE) == "/setup/end"
    end = browser.get("/setup/end").text
    for said in ("28.50", "拿铁", str(empty.instance.config.keys_dir)):
        assert said in end, said
    paper = Printer(576).take(browser.client.get("/setup/slip?width=80", base_url=BASE).data)
    assert any("拿铁" in line.text for line in paper.lines)
    assert place(browser.send("/setup/end")) in {"/till/", "/account"}
    assert browser.is_in()
    assert "zhang@1" in browser.get("/account").text
    actors = {actor for actor, type_, _ in empty.acts() if type_ in {"admission", "key", "setup"}}
    assert actors == {"setup"}
    assert [said for _, type_, said in empty.acts() if type_ == "setup"] == ["entered", "finished"]


def test_what_is_sold_first_at_night_is_on_the_till_pages_list_of_the_day(empty: Empty) -> None:
    empty.clock.now = datetime(2026, 11, 22, 1, 30, tzinfo=SHANGHAI)
    all_done(empty)
    (invoice,) = empty.instance.store.invoices(InvoiceFilter(), 0, 9)
    assert invoice.business_day == "2026-11-21"


def test_a_program_that_begins_at_1_the_same_day_is_served(empty: Empty) -> None:
    """Whether it names the till or not: the first sale was nobody's number."""
    browser = empty.entered()
    step(browser, "administrator", ADMINISTRATOR)
    step(browser, "merchant", MERCHANT)
    browser.get("/setup/owner")
    page = browser.send("/setup/owner", **OWNER).text
    key = re.search(r"fk_[A-Za-z0-9_-]+", page)
    step(browser, "sale", SALE)
    assert key, page
    day = empty.clock().astimezone(SHANGHAI).date().isoformat()
    line = {"name": "面", "unit_price": 2800, "tax_rate": "0.06"}
    for named in ({}, {"till": OWNER["till"]}):
        order = {"order_id": "1", "business_day": day, "lines": [line], **named}
        answer = empty.client().post(
            "/v1/invoices", json=order, headers={"Authorization": f"Bearer {key[0]}"}
        )
        assert answer.status_code == 201, answer.text


def test_once_done_it_is_gone(empty: Empty) -> None:
    browser = all_done(empty)
    browser.send("/setup/end")
    for path in ("/setup", "/setup/address", "/setup/administrator", "/setup/end", "/setup/slip"):
        for visitor in (browser, empty.browser()):
            answer = visitor.get(path)
            assert (answer.status_code, code_in(answer)) == (404, "setup_over"), path
    again = browser.send("/setup", code="AAAA")
    assert code_in(again) == "setup_over"
    assert not empty.setup.is_wanted()


def all_done(empty: Empty) -> Browser:
    """A browser at the last step."""
    browser = empty.entered()
    step(browser, "administrator", ADMINISTRATOR)
    step(browser, "merchant", MERCHANT)
    browser.get("/setup/owner")
    browser.send("/setup/owner", **OWNER)
    step(browser, "sale", SALE)
    return browser


def test_without_a_code_nothing_is_open(empty: Empty) -> None:
    for path in ("/setup", "/setup/address", "/setup/merchant"):
        assert code_in(empty.browser().get(path)) == "setup_over"


def test_strangers_are_asked_for_the_code_and_told_nothing(empty: Empty) -> None:
    browser = empty.entered()
    step(browser, "administrator", ADMINISTRATOR)
    stranger = empty.browser("198.51.100.1")
    for name in ("address", "administrator", "merchant", "owner", "sale", "end", "slip"):
        assert place(stranger.get(f"/setup/{name}")) == "/setup", name
        if name not in {"address", "slip"}:
            assert place(stranger.post(f"/setup/{name}", form="x")) == "/setup", name
    page = stranger.get("/setup").text
    assert 'aria-current="step"' not in page
    assert "admin" not in page.replace("administrator", "")


def test_a_code_lets_one_browser_in_once(empty: Empty) -> None:
    code = empty.setup.offer()
    first, second = empty.browser(), empty.browser("198.51.100.1")
    for browser in (first, second):
        browser.get(f"/setup?code={code}")  # looking at the link uses nothing up
    assert place(first.send("/setup", code=code)) == "/setup/address"
    refused = second.send("/setup", code=code)
    assert (refused.status_code, code_in(refused)) == (403, CODE)
    assert place(second.get("/setup/address")) == "/setup"


@pytest.mark.parametrize("code", ["", "AAAA-AAAA-AAAA-AAAA", "x" * 5000, "�", "é"])
def test_a_wrong_code(empty: Empty, code: str) -> None:
    empty.setup.offer()
    browser = empty.browser()
    browser.get("/setup")
    assert code_in(browser.send("/setup", code=code)) == CODE


def test_a_code_as_people_type_it(empty: Empty) -> None:
    code = empty.setup.offer()
    browser = empty.browser()
    browser.get("/setup")
    typed = f" {code.replace('-', ' ').lower()}\t"
    assert place(browser.send("/setup", code=typed)) == "/setup/address"


def test_a_code_ends_and_so_does_the_browser_that_is_in(empty: Empty) -> None:
    code = empty.setup.offer()
    late = empty.browser()
    late.get("/setup")
    empty.clock.forward(hours=1)
    assert code_in(late.send("/setup", code=code)) == "setup_over"
    browser = empty.entered()
    empty.clock.forward(hours=4)
    assert code_in(browser.get("/setup/administrator")) == "setup_over"


def test_guesses_are_bounded_by_network_and_others_get_in(empty: Empty) -> None:
    code = empty.setup.offer()
    guesser = empty.browser("198.51.100.1")
    guesser.get("/setup")
    codes = [code_in(guesser.send("/setup", code="AAAA")) for _ in range(PAIR.burst + 1)]
    assert codes == [CODE] * PAIR.burst + ["sign_in_limited"]
    limited = guesser.send("/setup", code=code)
    assert limited.status_code == 429
    assert int(limited.headers["Retry-After"]) > 0
    owner = empty.browser()
    owner.get("/setup")
    assert place(owner.send("/setup", code=code)) == "/setup/address"


def test_guesses_are_counted_by_all_processes_together(empty: Empty) -> None:
    """Whichever answers; else a service of eight would allow eight times as many."""
    code = empty.setup.offer()
    with closing(open_instance(empty.instance.config, clock=empty.clock)) as another:
        apps = (empty.app, create_app(another))
        guessers = [Browser(app.test_client(), "198.51.100.1") for app in apps]
        for guesser in guessers:
            guesser.get("/setup")
        codes = [code_in(guessers[n % 2].send("/setup", code="AAAA")) for n in range(PAIR.burst)]
        assert codes == [CODE] * PAIR.burst
        for guesser in guessers:
            assert code_in(guesser.send("/setup", code=code)) == "sign_in_limited"


def test_a_form_of_another_site_does_nothing(empty: Empty) -> None:
    browser = empty.entered()
    browser.get("/setup/administrator")
    for answer in (
        browser.post("/setup/administrator", "cross-site", form=browser.token, **ADMINISTRATOR),
        browser.post("/setup/administrator", **ADMINISTRATOR),
    ):
        assert code_in(answer) == "form_stale"
    assert empty.setup.standing().administrator is None


def test_it_is_left_half_way_and_gone_on_with(empty: Empty) -> None:
    """Also after a start anew, in another browser; what is done is not asked for again."""
    browser = empty.entered()
    step(browser, "administrator", ADMINISTRATOR)
    assert empty.setup.is_wanted()
    other, code = empty.browser(), empty.setup.offer()
    assert place(browser.get("/setup/merchant")) == "/setup"  # a new code voids what was in
    other.get("/setup")
    assert place(other.send("/setup", code=code)) == "/setup/merchant"
    assert place(other.get("/setup/administrator")) == "/setup/merchant"
    assert place(other.get("/setup/sale")) == "/setup/merchant"


def test_two_tabs_make_nothing_twice(empty: Empty) -> None:
    browser = empty.entered()
    browser.get("/setup/administrator")
    other = {**ADMINISTRATOR, "login": "other"}
    assert place(browser.send("/setup/administrator", **ADMINISTRATOR)) == "/setup/merchant"
    assert place(browser.send("/setup/administrator", **other)) == "/setup/merchant"
    assert len(empty.instance.store.people(None)) == 1
    browser.get("/setup/merchant")
    second = {**MERCHANT, "tax_id": "91440300708461136T"}
    assert place(browser.send("/setup/merchant", **MERCHANT)) == "/setup/owner"
    assert place(browser.send("/setup/merchant", **second)) == "/setup/owner"
    assert len(empty.instance.store.accounts(0, 9)) == 1
    browser.get("/setup/owner")
    browser.send("/setup/owner", **OWNER)
    assert place(browser.send("/setup/owner", **{**OWNER, "login": "li"})) == "/setup/sale"
    browser.get("/setup/sale")
    assert place(browser.send("/setup/sale", **SALE)) == "/setup/end"
    assert place(browser.send("/setup/sale", **{**SALE, "price": "1"})) == "/setup/end"
    assert empty.instance.store.last_seq() == 1


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("administrator", {"password": "short"}, "password_weak"),
        ("administrator", {"login": "a b"}, "login_invalid"),
        ("administrator", {"name": " "}, "text_empty"),
        ("merchant", {"tax_id": "91440300618810208M"}, "tax_id_invalid"),
        ("merchant", {"name": ""}, "text_empty"),
        ("merchant", {"name": "店" * 101}, "text_too_long"),
        ("merchant", {"bank_account": "x" * 101}, "text_too_long"),
        ("merchant", {"industry": "9"}, "industry_unknown"),
        ("merchant", {"district": "110000"}, "district_unknown"),
        ("owner", {"till": ""}, "text_empty"),
        ("owner", {"till": "x" * 33}, "text_too_long"),
        ("owner", {"till": "A/1"}, "identifier_ambiguous"),
        ("owner", {"till": "２"}, "identifier_ambiguous"),
        ("owner", {"password": "zhangzhang"}, "password_weak"),
        ("sale", {"price": "1.234"}, "price_invalid"),
        ("sale", {"price": ""}, "price_invalid"),
        ("sale", {"item": "\u200b"}, "text_empty"),
        ("sale", {"rate": "0.5"}, "tax_rate_unknown"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(
    empty: Empty, name: str, change: dict[str, str], code: str
) -> None:
    browser = empty.entered()
    forms = {"administrator": ADMINISTRATOR, "merchant": MERCHANT, "owner": OWNER, "sale": SALE}
    for one, fields in forms.items():
        browser.get(f"/setup/{one}")
        if one == name:
            answer = browser.send(f"/setup/{one}", **{**fields, **change})
            assert (answer.status_code, code_in(answer)) == (422, code)
            kept = {**fields, **change}
            assert all(kept[one] in answer.text for one in {*kept} & {"login", "till", "price"})
            assert PASSWORD not in answer.text
            assert 'aria-invalid="true"' in answer.text
        browser.send(f"/setup/{one}", **fields)
    assert empty.setup.standing().step == "end"


def test_a_tax_id_that_may_be_mistyped_is_compared(empty: Empty) -> None:
    """Right by its own check digit, but not inside (GB 11714)."""
    browser = empty.entered()
    step(browser, "administrator", ADMINISTRATOR)
    odd = {**MERCHANT, "tax_id": "914403006188102112"}
    browser.get("/setup/merchant")
    answer = browser.send("/setup/merchant", **odd)
    assert code_in(answer) == "tax_id_doubtful", answer.text
    assert place(browser.send("/setup/merchant", **odd, compared="yes")) == "/setup/owner"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_both_languages(empty: Empty, language: str) -> None:
    browser = empty.entered()
    browser.client.set_cookie("language", language, domain="fapiao.test")
    assert ("第一位管理员" in browser.get("/setup/administrator").text) == (language == "zh")


def test_what_was_sold_first_can_be_checked(empty: Empty) -> None:
    browser = all_done(empty)
    (invoice,) = empty.instance.store.invoices(InvoiceFilter(), 0, 9)
    assert (invoice.till, invoice.total, invoice.business_day) == ("前台", 2850, "2026-11-21")
    anchor_pending(empty.instance.anchoring())
    end = browser.get("/setup/end").text
    link = re.search(r'href="https://fapiao\.test(/verify/scan[^"]+)"', end)
    assert link, end
    assert 'data-verdict="authentic"' in empty.browser().get(unescape(link[1])).text
