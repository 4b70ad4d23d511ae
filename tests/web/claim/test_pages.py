"""The customer's page: once, whatever is pressed; without scripts; and what others see of it."""

import re
from base64 import b64encode
from html import unescape

from flask.testing import FlaskClient

from invoice_service.domain.titles import crc16
from tests.api.desk import OTHER_TAX_ID, Desk
from tests.api.orders.test_orders import COMPANY, made, now, path_of
from tests.documents.paper.printing import read

ENGLISH = {"Accept-Language": "en"}
TITLE = f"深圳市采购有限公司</>{OTHER_TAX_ID}</>福田区 0755-1</>银行 62</>"


def browser(desk: Desk) -> FlaskClient:
    """Somebody's telephone."""
    return desk.app.test_client()


def press(phone: FlaskClient, path: str, **fields: str) -> str:
    """Fill in the page's form and press; what is shown then."""
    page = phone.get(path, headers=ENGLISH, base_url="https://fapiao.test").text
    mine = re.search(r'name="mine" value="([^"]+)"', page)
    form = {"mine": mine[1] if mine else "", **fields}
    answer = phone.post(
        path, data=form, headers=ENGLISH, base_url="https://fapiao.test", follow_redirects=True
    )
    return unescape(answer.text)


def test_who_claims_sees_the_invoice_and_finds_it_again(desk: Desk) -> None:
    order, phone = made(desk), browser(desk)
    shown = press(phone, path_of(order), **COMPANY)
    number = now(desk, order)["shares"][0]["number"]
    assert 'data-claim="done"' in shown
    assert number in shown
    assert COMPANY["name"] in shown
    again = phone.get(path_of(order), base_url="https://fapiao.test").text
    assert number in again
    assert number in press(phone, path_of(order), kind="individual", name="李四")
    assert desk.count() == 1


def test_who_claims_takes_it_home_as_a_pdf_and_nobody_else(desk: Desk) -> None:
    order, phone = made(desk), browser(desk)
    shown = press(phone, path_of(order), **COMPANY)
    path = f"{path_of(order)}/pdf"
    assert f'href="{path}"' in shown
    answer = phone.get(path, base_url="https://fapiao.test")
    (text,), _ = read(answer.data)
    assert COMPANY["name"] in text
    assert answer.headers["Cache-Control"] == "no-store"
    other = browser(desk).get(path, base_url="https://fapiao.test")
    assert (other.status_code, other.headers["Location"]) == (303, path_of(order))


def test_the_claimed_page_follows_its_invoice_and_leads_to_what_proves_it(desk: Desk) -> None:
    order, phone = made(desk), browser(desk)
    shown = press(phone, path_of(order), **COMPANY)
    share = now(desk, order)["shares"][0]
    assert 'data-verdict="pending"' in shown
    assert f"/v1/invoices/{share['hash']}/proof" not in shown

    def look() -> str:
        return phone.get(path_of(order), headers=ENGLISH, base_url="https://fapiao.test").text

    desk.anchor()
    shown = look()
    assert 'data-verdict="authentic"' in shown
    for where in ("proof", "receipt"):
        assert f"/v1/invoices/{share['hash']}/{where}" in shown
    lines = {"reason": "SALES_DISCOUNT", "amount": 810, "rate": "0.06"}
    assert desk.post(f"/v1/invoices/{share['hash']}/reversals", lines).status_code == 201
    shown = look()
    assert 'data-verdict="partly_reversed"' in shown
    assert "¥490.00" in shown
    red = desk.reverse(share)
    shown = look()
    assert 'data-verdict="reversed"' in shown
    assert red["number"] in shown


def test_guests_are_told_what_is_left_and_of_nobody_s_title(desk: Desk) -> None:
    order, first = made(desk, parts=3), browser(desk)
    press(first, path_of(order), **COMPANY)
    shown = browser(desk).get(path_of(order), headers=ENGLISH).text
    assert "2 shares of 3 are left to claim, ¥332.06" in shown
    assert COMPANY["name"] not in shown


def test_others_see_that_it_was_claimed_and_nothing_of_whoever_did(desk: Desk) -> None:
    order = made(desk)
    press(browser(desk), path_of(order), **COMPANY)
    share = now(desk, order)["shares"][0]
    second = browser(desk)
    for shown in (
        second.get(path_of(order), headers=ENGLISH).text,
        press(second, path_of(order), kind="individual", name="李四"),
    ):
        assert "claimed already" in shown
        for secret in (share["hash"], share["number"], COMPANY["name"], OTHER_TAX_ID):
            assert secret not in shown
    assert desk.count() == 1


def test_what_was_bought_is_shown_until_it_is_claimed_and_to_no_stranger_then(desk: Desk) -> None:
    dish = {"name": "*餐饮服务*佛跳墙", "unit_price": 2800, "tax_rate": "0.06"}
    order, phone = made(desk, lines=[dish]), browser(desk)
    stranger = browser(desk)

    def look(who: FlaskClient) -> str:
        return who.get(path_of(order), base_url="https://fapiao.test").text

    assert "佛跳墙" in look(stranger)
    press(phone, path_of(order), **COMPANY)
    assert "佛跳墙" not in look(stranger)
    assert "佛跳墙" in look(phone)


def test_nothing_of_the_page_is_kept_told_on_or_run_from_elsewhere(desk: Desk) -> None:
    answer = browser(desk).get(path_of(made(desk)))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "script-src 'self' 'sha256-" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers


def test_the_cookie_is_this_page_s_alone(desk: Desk) -> None:
    order = made(desk)
    answer = browser(desk).post(path_of(order), data={"mine": "a" * 32})
    cookie = answer.headers["Set-Cookie"]
    assert f"Path={path_of(order)};" in cookie
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))


def test_links_that_lead_nowhere_say_so_alike(desk: Desk) -> None:
    made(desk)
    shown = set()
    for token in ("A" * 24, "short", "a" * 200, "_" * 24):
        answer = browser(desk).get(f"/claim/{token}")
        assert answer.status_code == 404
        shown.add(answer.text.replace(token, ""))
        assert browser(desk).post(f"/claim/{token}", data={}).status_code == 404
    assert len(shown) == 1


def test_a_title_code_fills_the_form(desk: Desk) -> None:
    for number, body in enumerate((TITLE, b64encode(f"{TITLE}{sum_of(TITLE)}".encode()).decode())):
        code = f"$01{body}{sum_of(TITLE) if '<' in body else ''}$"
        order = made(desk, f"A{number}")
        shown = press(browser(desk), path_of(order), code=code)
        assert 'data-claim="done"' in shown
        assert "深圳市采购有限公司" in shown


def sum_of(text: str) -> str:
    return f"{crc16(text.encode('gb18030')):04X}"


def test_a_code_whose_sum_does_not_fit_is_shown_before_it_counts(desk: Desk) -> None:
    order, phone = made(desk), browser(desk)
    shown = press(phone, path_of(order), code=f"$01{TITLE}0000$")
    assert "check sum does not fit" in shown
    assert OTHER_TAX_ID in shown
    assert desk.count() == 0
    assert 'data-claim="done"' in press(phone, path_of(order), **COMPANY)


def test_what_is_wrong_stands_above_what_was_typed(desk: Desk) -> None:
    order, phone = made(desk), browser(desk)
    wrong = [
        ({"kind": "company", "name": "某公司", "tax_id": "91440300708461136X"}, "tax id"),
        ({"kind": "company", "name": "某公司"}, "tax id"),
        ({"kind": "organisation"}, "name"),
        ({"code": "$01nonsense$"}, "title code"),
        ({"name": "长" * 101}, "long"),
    ]
    for fields, words in wrong:
        shown = press(phone, path_of(order), **fields)
        assert words in shown.lower(), fields
        assert fields.get("name", "") in shown
        assert 'data-claim="done"' not in shown
    assert desk.count() == 0


def test_an_order_that_is_not_to_be_claimed_has_no_form(desk: Desk) -> None:
    cancelled, expired = made(desk, "A1"), made(desk, "A2", expires_in=60)
    desk.client.delete(f"/v1/orders/{cancelled['id']}", headers=desk.auth())
    desk.clock.forward(seconds=60)
    for order in (cancelled, expired):
        assert "<form method" not in browser(desk).get(path_of(order)).text


def test_both_languages_are_whole(desk: Desk) -> None:
    order = made(desk, parts=2)
    chinese = browser(desk).get(path_of(order), headers={"Accept-Language": "zh"}).text
    assert "开票" in chinese
    assert "Your share" not in chinese


def kept_behind(desk: Desk) -> tuple[FlaskClient, dict[str, object]]:
    """Somebody has claimed while the log was behind, and the time to claim is over since."""
    order, phone = made(desk, expires_in=60), browser(desk)
    desk.issue()
    desk.clock.forward(seconds=31)  # its promise can be kept by luck alone
    shown = press(phone, path_of(order), **COMPANY)
    assert "Your claim is kept" in shown
    desk.clock.forward(seconds=60)
    return phone, order


def test_a_claim_that_met_a_log_that_is_behind_is_issued_once_however_late(desk: Desk) -> None:
    phone, order = kept_behind(desk)
    url = {"path": path_of(order), "headers": ENGLISH, "base_url": "https://fapiao.test"}
    page = phone.get(**url)
    assert "Your claim is kept" in page.text
    assert page.headers["Refresh"] == "5"
    assert "claimed already" in browser(desk).get(**url).text
    told = now(desk, order)
    assert (told["state"], told["shares"][0]["state"]) == ("open", "begun")
    gone = desk.client.delete(f"/v1/orders/{order['id']}", headers=desk.auth())
    assert gone.status_code == 409
    assert "on its way" in gone.get_json()["detail"]
    assert desk.instance.claims.finish_begun() == 0  # still behind: nothing is lost
    assert now(desk, order)["shares"][0]["state"] == "begun"
    desk.anchor()
    desk.instance.claims.finish_begun()
    told = now(desk, order)
    assert (told["state"], desk.count()) == ("claimed", 2)
    assert told["shares"][0]["number"] in phone.get(**url).text
    assert told["shares"][0]["number"] in press(phone, path_of(order), **COMPANY)
    assert desk.count() == 2


def test_a_claim_that_is_refused_when_the_log_is_back_is_nobodys(desk: Desk) -> None:
    phone, order = kept_behind(desk)
    desk.instance.store.set_status(
        desk.restaurant.merchant.id, "suspended", desk.instance.operator()
    )
    desk.anchor()
    desk.instance.claims.finish_begun()
    told = now(desk, order)
    assert (told["state"], told["shares"][0]["state"]) == ("expired", "free")
    shown = phone.get(path_of(order), headers=ENGLISH, base_url="https://fapiao.test").text
    assert "time to claim this invoice is over" in shown
    assert desk.count() == 1
