"""People at a till, in a real browser, through the real server."""

from functools import partial

import pytest
from playwright.sync_api import Browser, Route

from invoice_service.services.people.sessions import Visit
from tests.api.desk import TAX_ID
from tests.browser.till.shop import (
    CHICKEN,
    DUCK,
    TOFU,
    Shop,
    Till,
    opened,
    sold,
    state,
    title_code,
)
from tests.outside import need
from tests.patience import wait_until
from tests.web.people.visitors import PASSWORD

pytestmark = pytest.mark.slow

COMPANY = "深圳市采购有限公司"
TITLE = title_code(COMPANY, TAX_ID)


def test_an_owners_first_day(
    chromium_browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with opened(tmp_path_factory.mktemp("first")) as shop:
        till = Till(chromium_browser, shop)
        page = till.page
        page.goto(shop.invitation("wang"))
        page.fill("#password", PASSWORD)
        page.click("main form button")
        page.click("nav.mine a:has-text('收银台')")
        till.ready()
        page.click("text=录入菜单")
        till.ready()
        page.fill("#menu tbody .of-name input", "*餐饮服务*面")
        page.fill("#menu tbody .of-price input", "二十八")
        page.click("#menu-form > .buttons > button:first-child")
        till.wait_text("#menu", "请填写单价（元）")
        page.fill("#menu tbody .of-price input", "28")
        page.click("#menu-form > .buttons > button:first-child")
        till.wait_text("#said", "菜单已保存")
        till.choose_printer()

        till.go("/till/")
        page.click(".tile:has-text('面')")
        page.click("[data-at=pay]")
        page.click(".window .chip:has-text('¥50.00')")
        till.wait_text("dialog.done", "¥22.00")
        till.wait_text("dialog.done", "小票已打印")
        (slip,) = till.papers()
        assert any("￥28.00" in line for line in slip)
        assert "副本" not in slip

        page.click("[data-at=next]")
        page.click("nav a:has-text('今日')")
        till.ready()
        page.click("[data-at^=print-]")
        till.wait_text("#said", "小票已打印")
        assert "副本" in till.papers()[-1]
        page.click("[data-at^=back-]")  # the first touch
        page.click("[data-reason=SALES_RETURN]")  # the second
        page.wait_for_selector(".invoices [data-state=full]")
        page.wait_for_selector(".invoices [data-state=red]")
        till.wait_text("#figures .total", "¥0.00")

        page.click("nav a:has-text('交班')")
        till.ready()
        page.fill("#piece-100", "3")
        assert till.text("#drawer") == "¥3.00"
        page.click("#shift form .buttons button")
        till.wait_text("#result", "差额 ¥3.00")
        till.close()


def test_what_is_drawn_anew_while_it_is_pressed_is_taken_all_the_same(zhang: Till) -> None:
    page = zhang.page
    page.hover(".tile:has-text('麻婆豆腐')")
    page.mouse.down()
    page.dispatch_event("#dish-code", "input")  # draws all dishes
    page.mouse.up()
    zhang.wait_text("#bill-lines", "麻婆豆腐")
    page.focus(".tile:has-text('扬州炒饭')")
    page.keyboard.down(" ")
    page.dispatch_event("#dish-code", "input")
    page.keyboard.up(" ")
    zhang.wait_text("#bill-lines", "扬州炒饭")
    page.hover(".tile:has-text('北京烤鸭')")
    page.mouse.down()
    page.fill("#dish-code", "白米饭")
    page.dispatch_event("#dish-code", "input")
    assert "北京烤鸭" in zhang.text("#dishes")
    page.mouse.move(0, 0)
    page.mouse.up()
    page.wait_for_selector(".tile:has-text('北京烤鸭')", state="detached")  # what waited is shown
    # A key, of a scanner, lets no finger go. Where letting go is told to nobody, as on a scroll
    # bar, the next move of a free mouse says so.
    page.hover(".tile:has-text('白米饭')")
    page.mouse.down()
    page.fill("#dish-code", "")
    page.dispatch_event("#dish-code", "input")
    assert "北京烤鸭" not in zhang.text("#dishes")
    free = {"pointerId": 1, "isPrimary": True, "buttons": 0}
    page.evaluate("free => dispatchEvent(new PointerEvent('pointermove', free))", free)
    page.wait_for_selector(".tile:has-text('北京烤鸭')")
    page.mouse.move(0, 0)
    page.mouse.up()


def test_three_dishes_a_title_and_cash_take_twelve_keys_or_scans(zhang: Till, shop: Shop) -> None:
    zhang.choose_printer()
    zhang.go("/till/")
    before = sold(shop)
    keys = (*DUCK, *CHICKEN, *TOFU)
    zhang.press(*keys)
    zhang.scan(TITLE)
    zhang.press("F10")
    zhang.wait_text("dialog.done", "小票已打印")
    assert len(keys) + 1 + 1 <= 12
    assert sold(shop) == before + 1
    invoice = shop.bureau.instance.store.invoice_at(sold(shop))
    assert invoice is not None
    assert invoice.total == 12800 + 4800 + 2800
    (slip,) = zhang.papers()
    assert f"购买方: {COMPANY}" in "".join(slip)
    # The next guest is typed for at once; and paying by a letter takes as many keys.
    zhang.press(*DUCK)
    assert zhang.text("#to-pay") == "¥128.00"
    zhang.press("F9", "w")
    zhang.page.wait_for_selector("dialog.done")
    assert sold(shop) == before + 2


def test_scans_go_to_the_bill_wherever_the_focus_is(zhang: Till) -> None:
    page = zhang.page
    zhang.scan("6901234567892")
    assert "青岛啤酒" in zhang.text("#bill-lines")
    page.focus("#dish-code")
    zhang.scan("6901234567892")
    assert page.input_value("#dish-code") == ""
    assert "2 × ¥10.00" in zhang.text("#bill-lines")
    zhang.scan("6900000000000")
    assert "没有代码为 6900000000000 的菜品" in zhang.text("#said")
    zhang.scan("12345")
    assert "扫码内容过短" in zhang.text("#said")
    zhang.scan(TITLE[:-8] + "$")
    assert "无法识别抬头二维码" in zhang.text("#said")
    zhang.press("F2")
    page.fill("#title-name", "另一家")
    zhang.scan(TITLE)
    page.wait_for_selector("dialog", state="detached")
    assert COMPANY in zhang.text("#bill-foot")
    zhang.press("?")
    page.wait_for_selector("dl.keys")
    zhang.press("Escape")
    page.click("[data-at=more]")
    page.click("text=作废账单 >> nth=-1")
    zhang.wait_text("#bill-lines", "点选菜品")


def test_a_bill_is_split_discounted_and_paid_in_several_ways(zhang: Till, shop: Shop) -> None:
    page, before = zhang.page, sold(shop)
    page.click("#places button:has-text('包间')")
    zhang.press(*DUCK, *CHICKEN, *TOFU)
    page.click("[data-at=line-2]")
    page.click("dialog button:has-text('赠送')")
    page.click("[data-at=line-1]")
    page.fill("#discount", "10%")
    page.keyboard.press("Enter")
    page.click("[data-at=discount]")
    page.fill("#discount", "1.2")
    page.keyboard.press("Enter")
    assert zhang.text("#to-pay") == "¥170.00"  # 128.00, 43.20 and nothing, less 1.20
    page.click("[data-at=split]")
    page.click("[data-at=parts-3]")
    zhang.wait_text("dialog .parts", "¥56.66")
    page.click("[data-at=parts-2]")
    page.click("[data-at=by-dish]")
    page.click("[data-at=give-1-1]")
    zhang.wait_text("dialog .parts", "¥42.90")
    page.click("[data-at=go]")
    page.fill("#amount", "100")
    page.click("dialog .kinds button:has-text('微信')")
    zhang.wait_text("dialog", "未付")
    page.fill("#amount", "99")
    page.click("dialog .kinds button:has-text('支付宝')")
    assert "只有现金可以找零" in zhang.text("dialog")
    page.fill("#amount", "50")
    page.keyboard.press("Enter")
    zhang.wait_text("dialog", "第 2 位")
    page.keyboard.press("k")
    zhang.wait_text("dialog.done", "¥22.90")
    assert sold(shop) == before + 2
    found = [shop.bureau.instance.store.invoice_at(seq) for seq in (before + 1, before + 2)]
    assert [invoice and invoice.total for invoice in found] == [12710, 4290]


def test_two_tills_of_one_restaurant_see_one_table(zhang: Till, li: Till) -> None:
    for till in (zhang, li):
        till.page.click("#places button:has-text('3 桌')")
    zhang.press(*DUCK)
    li.wait_text("#bill-lines", "北京烤鸭")
    li.press(*TOFU)
    zhang.wait_text("#bill-lines", "麻婆豆腐")
    assert zhang.text("#to-pay") == "¥156.00"
    li.press("F10")
    li.page.wait_for_selector("dialog.done")
    zhang.wait_text("#bill-lines", "点选菜品")
    assert [bill for bill in state(zhang)["bills"] if bill["table"] == "3"] == []


def test_two_tills_that_are_paid_alike_are_told_which_of_them_sold(
    zhang: Till, li: Till, shop: Shop
) -> None:
    before = sold(shop)
    waiting: list[Route] = []
    for till in (zhang, li):
        till.page.click("#places button:has-text('5 桌')")
    zhang.press(*DUCK)
    li.wait_text("#bill-lines", "北京烤鸭")
    li.page.route("**/settle", lambda route: waiting.append(route))
    li.press("F10")
    wait_until(lambda: li.text("dialog") and waiting, "it is on its way")
    zhang.press("F10")
    zhang.page.wait_for_selector("dialog.done")
    waiting.pop().continue_()
    li.wait_text("dialog.done", "Zhang 已在收银台 1")
    assert "刚收的款请退还" in li.text("dialog.done")
    assert "已结清" in li.text("dialog.done")
    assert sold(shop) == before + 1
    li.page.unroute("**/settle")
    li.page.click("[data-at=next]")
    li.wait_text("#bill-lines", "点选菜品")


def test_what_both_have_changed_is_shown_and_a_person_decides(zhang: Till, li: Till) -> None:
    for till in (zhang, li):
        till.page.click("#places button:has-text('4 桌')")
    zhang.press(*DUCK)
    li.wait_text("#bill-lines", "北京烤鸭")
    zhang.context.set_offline(offline=True)
    zhang.press(*CHICKEN)
    li.press(*TOFU)
    wait_until(lambda: "麻婆豆腐" in str(state(li)["bills"]), "the other one's is kept")
    zhang.context.set_offline(offline=False)
    zhang.wait_text("#bill-lines", "此处录入的内容已保留")
    assert "1 × *餐饮服务*宫保鸡丁" in zhang.text(".aside-of")
    assert zhang.page.is_visible(".bill-lines:has-text('麻婆豆腐')")
    zhang.page.click("text=改用我的")
    li.wait_text("#bill-lines", "宫保鸡丁")
    li.page.click("[data-at=more]")
    li.page.click("text=作废账单 >> nth=-1")
    zhang.wait_text("#bill-lines", "点选菜品")
    zhang.complaints.clear()  # that there was no line


def test_a_cut_line_sells_nothing_and_loses_nothing(zhang: Till, shop: Shop) -> None:
    page, before = zhang.page, sold(shop)
    zhang.press(*DUCK)
    zhang.context.set_offline(offline=True)
    zhang.wait_text("#said", "网络中断")
    zhang.press(*TOFU, "F10")
    page.wait_for_selector("dialog", state="detached")  # of a try: an answer was still on its way
    zhang.wait_text("#said", "网络中断")
    assert zhang.text("#to-pay") == "¥156.00"
    zhang.context.set_offline(offline=False)
    zhang.wait_text("#line", "网络正常")
    page.reload()
    zhang.ready()
    zhang.wait_text("#to-pay", "¥156.00")
    assert sold(shop) == before
    zhang.press("F10")
    page.wait_for_selector("dialog.done")
    assert sold(shop) == before + 1
    zhang.complaints.clear()  # that there was no line


def test_an_answer_that_is_lost_is_one_sale_and_the_page_says_that_it_waits(
    zhang: Till, shop: Shop
) -> None:
    before, tries = sold(shop), []

    def lose(route: Route) -> None:
        tries.append(route.request.post_data)
        if len(tries) < 3:
            route.fetch()  # it is done, and nobody hears of it
            route.abort()
        else:
            route.continue_()

    zhang.page.route("**/settle", lose)
    zhang.press(*DUCK, "F10")
    zhang.page.wait_for_selector("dialog.done")
    assert len(tries) == 3
    assert len(set(tries)) == 1
    assert sold(shop) == before + 1
    zhang.page.unroute("**/settle")
    zhang.complaints.clear()  # that answers were lost


def test_a_page_that_is_closed_while_it_sells_finishes_the_sale_when_it_is_opened(
    zhang: Till, shop: Shop
) -> None:
    before = sold(shop)
    lost: list[object] = []  # answers

    def lose(route: Route) -> None:
        if lost:
            return route.continue_()
        lost.append(route.fetch())  # and the page never hears of it
        return None

    zhang.page.route("**/settle", lose)
    zhang.press(*DUCK, "F10")
    wait_until(lambda: zhang.text("dialog") and lost, "it is sold")  # routes are taken at a call
    assert sold(shop) == before + 1
    zhang.page.reload()
    zhang.page.wait_for_selector("dialog.done")
    assert sold(shop) == before + 1
    zhang.press("Escape")
    assert "点选菜品" in zhang.text("#bill-lines")


def test_a_slow_line_is_said(zhang: Till) -> None:
    waiting: list[Route] = []
    zhang.page.route("**/settle", lambda route: waiting.append(route))
    zhang.press(*DUCK, "F10")
    zhang.wait_text("dialog", "仍在发送")
    zhang.wait_text("#line", "仍在发送")
    waiting.pop().continue_()
    zhang.page.wait_for_selector("dialog.done")
    zhang.page.unroute("**/settle")


def test_a_second_tab_says_that_it_is_one_and_goes_on_alone(zhang: Till, shop: Shop) -> None:
    other = zhang.tab()
    other.goto(f"{shop.url}/till/")
    seen = partial(other.evaluate, "document.body.matches('[data-ready].second')")
    wait_until(seen, "the second tab says so")
    assert "已在另一标签页打开" in other.inner_text("#said")
    before = sold(shop)
    for key in (*DUCK, "F10"):
        other.keyboard.press(key)
    assert other.locator("dialog").count() == 0
    assert sold(shop) == before
    zhang.page.close()
    sells = partial(other.evaluate, "document.body.matches(':not(.second)')")
    wait_until(sells, "the second tab sells once the first is closed")
    other.keyboard.press("F10")
    other.wait_for_selector("dialog.done")
    assert sold(shop) == before + 1


def test_on_plain_http_in_a_network_a_second_tab_says_so_as_well(
    chromium_browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """There browsers have no locks: a name that is not this machine's leads to it here."""
    kind = chromium_browser.browser_type
    rules = ["--no-sandbox", "--host-resolver-rules=MAP till.test 127.0.0.1"]
    path = need("chromium", "chromium-browser")
    with opened(tmp_path_factory.mktemp("lan"), "till.test") as shop:
        browser = kind.launch(executable_path=path, args=rules)
        till = Till(browser, shop)
        till.sign_in(shop.people["zhang"])
        assert till.page.evaluate("[isSecureContext, navigator.locks ?? null]") == [False, None]
        other = till.tab()
        other.goto(f"{shop.url}/till/")
        # Asked, not waited for by frames: none is drawn of a tab that is taken for hidden.
        wait_until(
            lambda: other.evaluate("document.body.matches('[data-ready].second')"),
            "the second tab says so",
        )
        assert "已在另一标签页打开" in other.inner_text("#said")
        assert not till.page.locator("body.second").count()
        till.page.close()
        wait_until(
            lambda: other.evaluate("document.body.matches(':not(.second)')"),
            "the second tab sells once the first is closed",
        )
        untrusted = "Cross-Origin-Opener-Policy header has been ignored"
        assert [said for said in till.complaints if untrusted not in said] == []
        browser.close()


def test_a_page_says_that_it_is_not_live_and_is_so_again_by_itself(
    zhang: Till, li: Till, shop: Shop
) -> None:
    full = {"status": 503, "content_type": "application/problem+json"}
    body = '{"code":"too_many_feeds","title":"Too many"}'
    zhang.page.route("**/till/events*", lambda route: route.fulfill(body=body, **full))
    zhang.go("/till/day")
    zhang.wait_text("#live", "暂时无法自动更新")
    zhang.page.unroute("**/till/events*")
    wait_until(lambda: not zhang.text("#live"), "the page follows again")
    li.press(*TOFU, "F10")
    li.page.wait_for_selector("dialog.done")
    number = shop.bureau.instance.store.invoice_at(sold(shop))
    assert number is not None
    zhang.wait_text(".invoices", number.number)


def test_a_printer_that_is_away_leaves_the_sale_as_it_is(zhang: Till) -> None:
    zhang.choose_printer()
    zhang.go("/till/")
    zhang.page.evaluate("localStorage.setItem('unplugged', '1')")
    zhang.press(*DUCK, "F10")
    zhang.wait_text("dialog.done", "打印机无响应")
    zhang.page.evaluate("localStorage.removeItem('unplugged')")
    zhang.press("Enter")
    zhang.wait_text("dialog.done", "小票已打印")
    (slip,) = zhang.papers()
    assert "副本" not in slip


def test_a_till_changes_hands_by_pin(zhang: Till, shop: Shop) -> None:
    page, staff = zhang.page, shop.bureau.instance.people.staff
    by = shop.bureau.instance.operator()
    staff.change_pin(shop.people["li"], "246810", Visit("", ""), by.at)
    page.click("#cashier")
    page.fill("#pin", "111111")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog .error")
    page.fill("#pin", "246810")
    page.keyboard.press("Enter")
    zhang.wait_text("#cashier-name", "Li")
    zhang.go("/till/settings")
    assert page.locator("#menu-form").count() == 0
    page.click("#cashier")
    page.click("text=交还给 Zhang")
    page.wait_for_selector("dialog .error")
    page.fill("#back", PASSWORD)
    page.keyboard.press("Enter")
    zhang.wait_text("#cashier-name", "Zhang")


def test_a_return_of_one_line_and_of_an_amount(zhang: Till, shop: Shop) -> None:
    page = zhang.page
    zhang.press(*DUCK, *CHICKEN, *TOFU, "F9")
    page.fill("#amount", "104")
    page.keyboard.press("w")
    page.wait_for_selector("dialog .paid")  # of a letter and Enter at once, the letter counts
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog.done")
    zhang.go("/till/day")
    page.click(".invoices .what >> nth=0")
    page.click("dialog a[href$='/page']")
    zhang.ready()
    page.fill("#line-1", "2")
    page.click("#return form >> nth=0 >> .button")
    zhang.wait_text("#said", "最多 1")
    page.fill("#line-1", "1")
    page.click("#return form >> nth=0 >> .button")
    zhang.wait_text("#said", "已红冲")
    zhang.wait_text("#return", "剩余 ¥76.00")
    page.fill("#amount", "0.01")
    page.click("#return form >> nth=1 >> .button")
    zhang.wait_text("#return", "剩余 ¥75.99")
    zhang.go("/till/day")
    zhang.wait_text(".invoices [data-state=part]", "剩余 ¥75.99")


def test_states_change_by_themselves(zhang: Till, shop: Shop) -> None:
    zhang.press(*DUCK, "F10")
    zhang.page.wait_for_selector("dialog.done")
    zhang.go("/till/day")
    first = zhang.page.locator(".invoices li").first
    assert first.get_attribute("data-state") == "issued"
    shop.bureau.anchor()
    wait_until(lambda: first.get_attribute("data-state") == "anchored", "it is in the log")


def test_a_whole_journey_in_english(chromium_browser: Browser, shop: Shop) -> None:
    till = Till(chromium_browser, shop, "en", size="phone", has_touch=True)
    till.sign_in(shop.people["zhang"])
    page = till.page
    page.click(".tile:has-text('宫保鸡丁')")
    page.click("#fold")
    page.click("[data-at=pay]")
    page.click("dialog .kinds button:has-text('Alipay')")
    till.wait_text("dialog.done", "The sale stands")
    page.click("[data-at=next]")
    page.click("nav a:has-text('Today')")
    till.ready()
    till.wait_text(".invoices", "Pending")
    till.close()
