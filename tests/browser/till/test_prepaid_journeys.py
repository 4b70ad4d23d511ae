"""A guest's prepaid account pays at the till: scanned or typed, all of an invoice, and back."""

import pytest

from tests.browser.till.shop import CHICKEN, DUCK, TOFU, Shop, Till, sold
from tests.patience import wait_until

pytestmark = pytest.mark.slow


def test_a_scan_and_an_enter_pay_and_the_return_goes_back(zhang: Till, shop: Shop) -> None:
    page, before, of = zhang.page, sold(shop), shop.prepaid(20_000)
    zhang.press(*DUCK)
    zhang.scan(of)  # no window is open: it begins to pay
    page.wait_for_selector("#prepaid-left")
    assert "¥72.00" in zhang.text("#prepaid-left")
    assert "digital-yuan" in zhang.text("dialog.pay-window")
    zhang.press("Enter")
    zhang.wait_text("dialog.done", "预付账户余额：¥72.00")
    assert (sold(shop), shop.held(of)) == (before + 1, 7200)
    zhang.go("/till/day")
    page.click("[data-at^=back-] >> nth=0")
    assert "自动退回" in zhang.text("dialog")
    page.click("dialog .reasons button >> nth=0")
    zhang.wait_text("#said", "无需另付")
    assert shop.held(of) == 20_000


def test_an_account_that_is_short_is_said_and_another_way_is_there(zhang: Till, shop: Shop) -> None:
    page, before, of = zhang.page, sold(shop), shop.prepaid(1000)
    zhang.press(*TOFU, "F9")
    page.wait_for_selector("#amount")
    zhang.press("p")
    page.wait_for_selector("#account")
    page.fill("#account", "nonsense")
    zhang.press("Enter")
    zhang.wait_text("#account-wrong", "32")
    page.fill("#account", "0" * 32)
    zhang.press("Enter")
    zhang.wait_text("#account-wrong", "没有这个预付账户")
    page.fill("#account", of.upper())  # as a keyboard with its capitals locked types it
    zhang.press("Enter")
    zhang.wait_text("#account-wrong", "¥10.00")
    page.click("[data-at=prepaid-back]")
    page.wait_for_selector("#amount")
    assert (sold(shop), shop.held(of)) == (before, 1000)
    zhang.press("Enter")
    page.wait_for_selector("dialog.done")
    assert sold(shop) == before + 1


def test_what_one_part_takes_is_not_there_for_the_next(zhang: Till, shop: Shop) -> None:
    page, before, of = zhang.page, sold(shop), shop.prepaid(5000)
    zhang.press(*CHICKEN)
    page.click("[data-at=split]")
    page.click("[data-at=go]")
    zhang.scan(of)
    zhang.wait_text("#prepaid-left", "¥26.00")
    zhang.press("Enter")
    zhang.wait_text("dialog .of", "第 2 位")
    zhang.scan(of)
    zhang.wait_text("#prepaid-left", "¥2.00")
    zhang.press("Enter")
    page.wait_for_selector("dialog.done")
    assert (sold(shop), shop.held(of)) == (before + 2, 200)


@pytest.mark.parametrize("begins", ["c", "a", "0c"])
def test_no_sign_of_a_scan_chooses_a_way_of_payment(zhang: Till, shop: Shop, begins: str) -> None:
    """The letters of a code are no C, A or P that somebody presses."""
    page, before = zhang.page, sold(shop)
    zhang.press(*DUCK, "F9")
    page.wait_for_selector("#amount")
    zhang.scan(begins.ljust(32, "a"))
    zhang.wait_text("#account-wrong", "没有这个预付账户")
    page.click("[data-at=prepaid-back]")
    page.wait_for_selector("#amount")
    assert page.locator("dialog .paid li").count() == 0
    zhang.press("w")
    wait_until(lambda: sold(shop) == before + 1, "it is sold")

    def booked() -> object:
        with shop.bureau.instance.store.connections.reading() as connection:
            return connection.execute(
                "SELECT kind FROM till_payments WHERE invoice = (SELECT max(seq) FROM invoices)"
            ).fetchone()

    wait_until(booked, "its payment is booked")
    assert booked() == ("wechat",)
