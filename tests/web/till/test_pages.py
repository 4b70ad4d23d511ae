"""The till's pages: whose they are, what they may reach, figures and slips by session."""

import json
import re

import pytest

from invoice_service.api.help.calls import SCANS
from tests.api.desk import slip
from tests.web.till.counter import COMPANY, NOODLES, TEA, Counter

PAGES = ("/till/", "/till/day", "/till/closing", "/till/settings")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_whose_till_it_is_and_what_its_scripts_need(
    counter: Counter, path: str
) -> None:
    answer = counter.zhang.browser.get(path)
    assert answer.status_code == 200
    assert "深圳市旋转餐厅有限公司" in answer.text
    found = re.search(r'<script type="application/json" id="till">(.*?)</script>', answer.text)
    assert found
    data = json.loads(found[1])
    assert data == {
        "root": "",
        "token": counter.zhang.browser.token,
        "owner": True,
        "merchant": 1,
        "person": "Zhang",
        "mails": False,
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_pages_that_print_may_reach_the_bridge_and_no_other_address(counter: Counter) -> None:
    bridge = "connect-src 'self' http://127.0.0.1:9101"
    for path, prints in (("/till/", True), ("/till/day", True), ("/till/closing", False)):
        policy = counter.zhang.browser.get(path).headers["Content-Security-Policy"]
        assert policy.endswith(bridge if prints else "connect-src 'self'"), path
    assert bridge not in counter.zhang.browser.get("/account").headers["Content-Security-Policy"]


def test_a_cashier_is_shown_nothing_that_only_owners_may(counter: Counter) -> None:
    assert 'id="menu-form"' in counter.zhang.browser.get("/till/settings").text
    page = counter.li.browser.get("/till/settings").text
    assert 'id="menu-form"' not in page
    assert '"owner": false' in page


def test_at_a_cashiers_till_an_owner_is_shown_what_is_let_in_there(counter: Counter) -> None:
    session, zhang = counter.li.session_id(counter), counter.people["zhang"]
    counter.instance.store.set_cashier(session, zhang.id, counter.instance.operator())
    assert '"owner": false' in counter.li.browser.get("/till/settings").text
    asked = {"version": 0, "tables": []}
    assert counter.li.refused("PUT", "tables", asked)["code"] == "role_required"


def test_the_figures_are_drawn_and_said_for_who_hears_them(counter: Counter) -> None:
    sold = counter.zhang.sell(NOODLES, TEA)
    counter.zhang.sell({**NOODLES, "discount": 300})
    counter.zhang.take_back(sold, 900, lines=[{"line": 2}])
    page = counter.zhang.browser.get("/till/figures/page?day=2026-11-21").text
    assert "¥53.00" in page  # 37.00 and 25.00, less 9.00
    for words in ("<svg", "¥62.00", "¥9.00", "¥3.00", "现金", "6%"):
        assert words in page, words
    assert counter.wang.browser.get("/till/figures/page?day=2026-11-21").text.count("¥0.00") > 8
    for day in ("", "2026-13-01", "yesterday"):
        assert counter.zhang.browser.get(f"/till/figures/page?day={day}").status_code == 400, day


def test_a_merchant_is_told_of_scans_that_did_not_fit_its_invoices(counter: Counter) -> None:
    invoice = counter.zhang.sell(NOODLES)["invoices"][0]
    path = "/till/figures/page?day=2026-11-21"
    client = counter.app.test_client()
    invoice["total"] = invoice["total_amount"]
    client.get("/v1/verifications", query_string=slip(invoice))
    counter.app.extensions[SCANS].flush()
    assert "查验不符" not in counter.zhang.browser.get(path).text
    for _ in range(2):
        client.get("/verify/scan", query_string=slip(invoice, total_amount="1"))
    counter.app.extensions[SCANS].flush()
    assert f"发票 {invoice['number']}：2 次查验不符" in counter.zhang.browser.get(path).text
    assert "查验不符" not in counter.wang.browser.get(path).text
    assert "查验不符" not in counter.zhang.browser.get("/till/figures/page?day=2026-11-22").text


def test_a_receipt_by_session_has_the_lines_and_is_its_own_merchants(counter: Counter) -> None:
    sold = counter.zhang.sell(NOODLES, buyer=COMPANY)
    hash_ = sold["invoices"][0]["hash"]
    path = f"/till/invoices/{hash_}/receipt?width=80&form=full&copy=0&print=1"
    page = counter.li.browser.get(path).text
    for words in ("*餐饮服务*面", COMPANY["name"], "data-print", "paper-80"):
        assert words in page, words
    assert "副本" not in page
    counter.li.do("POST", f"invoices/{hash_}/prints", {})
    assert "副本" in counter.li.browser.get(path).text
    for other in (path, f"/till/invoices/{hash_}/page"):
        answer = counter.wang.browser.get(other)
        assert (answer.status_code, "invoice_unknown" in answer.text) == (404, True)
        assert COMPANY["name"] not in answer.text
    assert counter.li.browser.get(f"/till/invoices/{hash_}/receipt?width=57").status_code == 400
