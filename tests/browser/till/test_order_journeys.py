"""Orders that are not over at once: split and refused half way, undone, claimed by guests."""

import pytest
from playwright.sync_api import Browser

from tests.browser.till.shop import (
    CHICKEN,
    DUCK,
    TOFU,
    Shop,
    Till,
    refused_half_way,
    sold,
    state,
)
from tests.patience import wait_until

pytestmark = pytest.mark.slow


def test_a_split_bill_that_is_refused_half_way_is_finished_from_the_page(
    zhang: Till, shop: Shop
) -> None:
    page, before = zhang.page, sold(shop)
    zhang.press(*DUCK)
    with refused_half_way(shop):
        page.click("[data-at=split]")
        page.click("[data-at=go]")
        zhang.press("Enter", "Enter")
        zhang.wait_text(".aside-of", "限额已用完")
        assert sold(shop) == before + 1
        assert "已有 1 份开出发票" in zhang.text(".aside-of")
        page.reload()
        zhang.ready()
        assert "点选菜品" in zhang.text("#bill-lines")  # the counter is free for the next guest
        zhang.open_begun()
        page.click("[data-at=resume]")
        zhang.wait_text(".aside-of", "限额已用完")  # refused again, and nothing is doubled
        assert sold(shop) == before + 1
        zhang.go("/till/closing")
        page.click("#shift form .buttons button")
        zhang.wait_text("#shift", "收款尚未完成：散客")
        zhang.go("/till/")
        zhang.open_begun()
    page.click("[data-at=resume]")
    page.wait_for_selector("dialog.done .paid li:nth-child(2)")
    assert sold(shop) == before + 2
    page.click("[data-at=next]")
    page.wait_for_selector(".chip.begun", state="detached")


def test_the_rest_of_a_split_bill_is_opened_again_and_sold_as_one(zhang: Till, shop: Shop) -> None:
    page, before = zhang.page, sold(shop)
    zhang.press(*DUCK)
    with refused_half_way(shop):
        page.click("[data-at=split]")
        page.click("[data-at=go]")
        zhang.press("Enter", "Enter")
        zhang.wait_text(".aside-of", "限额已用完")
    page.click("[data-at=undo]")
    zhang.wait_text("dialog", "未开票部分已收的款请退还")
    assert "¥64.00" in zhang.text("dialog")
    page.click("dialog [data-at=undo]")
    zhang.wait_text("dialog", "1 张发票保留")
    link = page.get_attribute("dialog .paid a", "href")
    zhang.press("Enter")
    zhang.wait_text("#to-pay", "¥64.00")
    zhang.press("F10")
    page.wait_for_selector("dialog.done")
    assert sold(shop) == before + 2
    found = [shop.bureau.instance.store.invoice_at(seq) for seq in (before + 1, before + 2)]
    assert [invoice and invoice.total for invoice in found] == [6400, 6400]
    zhang.go(link or "")
    zhang.wait_text("#return", "剩余 ¥64.00")


def test_guests_claim_and_every_till_sees_how_far_their_order_has_come(
    zhang: Till, li: Till, chromium_browser: Browser, shop: Shop
) -> None:
    li.go("/till/day")
    before, store = sold(shop), shop.bureau.instance.store
    zhang.press(*DUCK, *CHICKEN, "F8")
    zhang.page.click("[data-at=parts-2]")
    zhang.page.click("[data-at=go]")
    zhang.page.wait_for_selector("dialog.order img")
    order = store.orders_of_day(1, state(zhang)["business_day"], 1)[0].order
    row = f"[data-order='{order.id}']"
    li.page.wait_for_selector(f"{row}[data-state=open]")
    phone = chromium_browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page = phone.new_page()
    page.goto(shop.bureau.instance.claims.links.url(order))
    page.click("#claim button[type=submit]")
    page.wait_for_selector("[data-claim=done]")
    phone.close()
    zhang.page.wait_for_selector("dialog.order [data-share=claimed]")
    wait_until(lambda: "1 / 2" in li.text(row), "the list says how many have claimed")
    li.page.click(f"{row} .what")
    li.page.click("[data-at=paid]")
    li.page.click("[data-at=paid-wechat]")
    li.page.wait_for_selector(f"{row}[data-state=paid]")
    li.page.click("[data-at=rest]")
    li.page.click("[data-at=sure]")
    li.page.wait_for_selector(f"#orders details {row}[data-state=claimed]", state="attached")
    assert sold(shop) == before + 2
    zhang.press("Escape")
    zhang.press(*TOFU, "F8", "Enter")
    zhang.page.click("[data-at=cancel]")
    zhang.page.click("[data-at=sure]")
    zhang.press("Escape")
    wait_until(lambda: "麻婆豆腐" in zhang.text("#bill-lines"), "the bill is open again")
    li.page.wait_for_selector("#orders details [data-state=cancelled]", state="attached")
    assert sold(shop) == before + 2
    zhang.page.click("[data-at=more]")
    zhang.page.click("text=作废账单 >> nth=-1")
    zhang.wait_text("#bill-lines", "点选菜品")
