"""One's own account, people of a merchant, invitations, the till's PIN."""

import re

import pytest
from pyotp import TOTP

from invoice_service.documents import qr
from tests.api.desk import OTHER_TAX_ID
from tests.services.people.authenticator import Authenticator
from tests.web.people.visitors import (
    BASE,
    OTHER_PASSWORD,
    PASSWORD,
    Browser,
    Bureau,
    code_in,
    hidden,
)


def link_in(page: str) -> str:
    """The path of the invitation that a page shows."""
    found = re.search(r"https://fapiao\.test(/invitation/[\w-]+)", page)
    assert found, page
    return found[1]


def test_an_owner_invites_a_cashier_who_sets_a_password(bureau: Bureau) -> None:
    owner = bureau.signed_in(bureau.person("zhang"))
    owner.get("/people")
    page = owner.send("/people", name="李四", login="Li", role="cashier").text
    path = link_in(page)
    assert path not in owner.get("/people").text
    cashier = bureau.browser()
    assert "li@1" in cashier.get(path).text
    weak = cashier.send(path, password="short")
    assert (weak.status_code, code_in(weak)) == (422, "password_weak")
    assert cashier.send(path, password=PASSWORD).status_code == 303
    assert cashier.is_in()
    again = bureau.browser().get(path)
    assert (again.status_code, code_in(again)) == (404, "invitation_unknown")
    acts = [(act["actor"], act["subject"]) for act in bureau.acts("invitation")]
    assert acts[-1] == ("person:1", "person:2")


def test_a_cashier_manages_nobody(bureau: Bureau) -> None:
    browser = bureau.signed_in(bureau.person("li", "cashier"))
    for answer in (browser.get("/people"), browser.send("/people", name="x", login="x")):
        assert (answer.status_code, code_in(answer)) == (403, "role_required")


def test_people_of_another_merchant_answer_like_nobody(bureau: Bureau) -> None:
    other = bureau.new_merchant(OTHER_TAX_ID, "另一家")
    theirs = bureau.person("wang", "owner", other.merchant.id)
    owner = bureau.signed_in(bureau.person("zhang"))
    owner.get("/people")
    for step in ("invitation", "role", "removal"):
        pages = {
            owner.send(f"/people/{number}/{step}", role="owner", merchant=merchant).text.replace(
                f"/{number}/", "/"
            )
            for number in (theirs.id, 999)
            for merchant in ("", str(other.merchant.id))
        }
        assert len(pages) == 1
        assert "person_unknown" in pages.pop()
    assert "wang@" not in owner.get(f"/people?merchant={other.merchant.id}").text
    assert bureau.signed_in(theirs).is_in()


def test_nobody_changes_themselves_there(bureau: Bureau) -> None:
    person = bureau.person("zhang")
    owner = bureau.signed_in(person)
    owner.get("/people")
    for step in ("invitation", "role", "removal"):
        answer = owner.send(f"/people/{person.id}/{step}", role="cashier")
        assert code_in(answer) == "role_required"


def test_a_forgotten_password_is_a_new_invitation(bureau: Bureau) -> None:
    cashier = bureau.person("li", "cashier")
    till = bureau.signed_in(cashier)
    owner = bureau.signed_in(bureau.person("zhang"))
    owner.get("/people")
    path = link_in(owner.send(f"/people/{cashier.id}/invitation").text)
    assert not till.is_in()
    assert code_in(till.sign_in(cashier)) == "sign_in_refused"
    till.get(path)
    assert till.send(path, password=OTHER_PASSWORD).status_code == 303
    assert till.is_in()


def test_roles_and_removal(bureau: Bureau) -> None:
    cashier = bureau.person("li", "cashier")
    owner = bureau.signed_in(bureau.person("zhang"))
    owner.get("/people")
    assert owner.send(f"/people/{cashier.id}/role", role="owner").status_code == 303
    assert (
        code_in(owner.send(f"/people/{cashier.id}/role", role="administrator")) == "role_of_another"
    )
    assert owner.send(f"/people/{cashier.id}/removal").status_code == 303
    assert code_in(owner.send(f"/people/{cashier.id}/invitation")) == "person_removed"


def test_an_administrator_needs_a_second_factor_and_invites_owners(bureau: Bureau) -> None:
    admin = bureau.person("chen", "administrator")
    weak = bureau.signed_in(admin)
    assert code_in(weak.get("/people")) == "second_factor_needed"
    browser = bureau.strong(admin)
    page = browser.get("/people?merchant=1")
    assert page.status_code == 200
    sent = {"merchant": "1", "name": "张三", "login": "boss", "role": "owner"}
    assert link_in(browser.send("/people", **sent).text)
    bad = browser.send("/people", **{**sent, "merchant": "77"})
    assert code_in(bad) == "merchant_unknown"
    bad = browser.send("/people", **{**sent, "merchant": "", "login": "x"})
    assert code_in(bad) == "merchant_unknown"


def test_a_password_is_changed_by_who_knows_it_and_signs_others_out(bureau: Bureau) -> None:
    person = bureau.person("zhang")
    here, there = bureau.signed_in(person), bureau.signed_in(person)
    old = here.cookie()
    wrong = here.send("/account/password", password=OTHER_PASSWORD, new=OTHER_PASSWORD)
    assert code_in(wrong) == "sign_in_refused"
    weak = here.send("/account/password", password=PASSWORD, new="zhangzhang")
    assert code_in(weak) == "password_weak"
    assert there.is_in()
    done = here.send("/account/password", password=PASSWORD, new=OTHER_PASSWORD)
    assert done.status_code == 303
    assert here.is_in()
    assert here.cookie() != old
    assert not there.is_in()
    assert code_in(there.sign_in(person)) == "sign_in_refused"


def test_one_time_codes_are_set_up_by_scanning(bureau: Bureau) -> None:
    person = bureau.person("zhang")
    browser, there = bureau.signed_in(person), bureau.signed_in(person)
    page = browser.get("/account/totp").text
    secret = hidden(page, "secret")
    assert "<svg" in page
    wrong = browser.send("/account/totp", secret=secret, code="000000", password=PASSWORD)
    assert code_in(wrong) == "second_factor_refused"
    assert hidden(wrong.text, "secret") == secret
    code = TOTP(secret).at(bureau.clock())
    codes = browser.send("/account/totp", secret=secret, code=code, password=PASSWORD)
    found = re.findall(r"<li class=\"mono\">([a-z2-7-]+)</li>", codes.text)
    assert len(set(found)) == 10
    assert {len(one.replace("-", "")) for one in found} == {24}  # of 5 bits each
    assert browser.is_in()
    assert not there.is_in()
    assert "10" in browser.get("/account").text
    bad = browser.send("/account/totp", secret="x", code=code, password=PASSWORD)
    assert code_in(bad) == "seal_invalid"
    again = bureau.browser()
    again.get("/sign-in")
    again.send("/sign-in", login=person.login, password=PASSWORD)
    again.get("/sign-in/second")
    assert again.send("/sign-in/second", code=found[0]).status_code == 303
    assert again.is_in()
    off = again.send("/account/totp/removal", password=PASSWORD)
    assert off.status_code == 303
    assert again.is_in()
    assert bureau.signed_in(person).is_in()


def test_the_picture_is_the_address(bureau: Bureau) -> None:
    browser = bureau.signed_in(bureau.person("zhang"))
    page = browser.get("/account/totp").text
    secret = hidden(page, "secret")
    address = TOTP(secret).provisioning_uri(name="zhang@1", issuer_name="fapiao.test")
    assert qr.qr_svg(address).decode().strip() in page


def test_a_passkey_is_made_signs_in_and_is_removed(bureau: Bureau) -> None:
    person = bureau.person("zhang")
    browser = bureau.signed_in(person)
    device = Authenticator(b"phone", BASE)
    page = browser.get("/account").text
    made = {"asked": hidden(page, "asked"), "answer": device.make(options_in(page))}
    wrong = browser.send("/account/passkeys", **made, password=OTHER_PASSWORD)
    assert code_in(wrong) == "sign_in_refused"
    page = browser.get("/account").text
    made = {"asked": hidden(page, "asked"), "answer": device.make(options_in(page))}
    done = browser.send("/account/passkeys", **made, label="手机", password=PASSWORD)
    assert done.status_code == 303
    assert "手机" in browser.get("/account").text
    other = bureau.browser()
    answer = show(other, device)
    assert answer == 303
    assert other.is_in()
    number = bureau.instance.store.passkeys(person.id)[0].id
    gone = other.send(f"/account/passkeys/{number}/removal", password=PASSWORD)
    assert gone.status_code == 303
    other.get("/account")
    missing = other.send("/account/passkeys/999/removal", password=PASSWORD)
    assert code_in(missing) == "passkey_unknown"
    assert show(bureau.browser(), device) == 403


def options_in(page: str) -> str:
    """What the page would ask a device."""
    found = re.search(r'data-options="([^"]*)"', page)
    assert found, page
    return found[1].replace("&#34;", '"')


def show(browser: Browser, device: Authenticator) -> int:
    """Sign in with a passkey; the status."""
    page = browser.get("/sign-in").text
    sent = {"asked": hidden(page, "asked"), "answer": device.show(options_in(page))}
    return browser.send("/sign-in/passkey", **sent).status_code


def test_where_one_is_signed_in_and_signing_out_there(bureau: Bureau) -> None:
    person = bureau.person("zhang")
    here, there = bureau.signed_in(person), bureau.signed_in(person)
    others = bureau.signed_in(bureau.person("li"))
    page = here.get("/account").text
    assert page.count('/end"') == 2
    (number,) = re.findall(r"/account/sessions/(\d+)/end", page)
    assert code_in(others.send(f"/account/sessions/{number}/end")) == "session_unknown"
    assert here.send(f"/account/sessions/{number}/end").status_code == 303
    assert not there.is_in()
    assert here.is_in()
    for bad in ("999", "x", "1" * 40):
        assert code_in(here.send(f"/account/sessions/{bad}/end")) == "session_unknown"


def test_a_till_changes_hands_by_pin(bureau: Bureau) -> None:
    cashier = bureau.person("li", "cashier")
    own = bureau.signed_in(cashier)
    assert code_in(own.send("/account/pin", pin="123456", password=PASSWORD)) == "pin_invalid"
    assert own.send("/account/pin", pin="271828", password=PASSWORD).status_code == 303
    till = bureau.signed_in(bureau.person("zhang"))
    wrong = till.send("/till/cashier", person=str(cashier.id), pin="314159")
    assert (wrong.status_code, code_in(wrong)) == (403, "pin_refused")
    assert till.send("/till/cashier", person=str(cashier.id), pin="271828").status_code == 303
    assert till.get("/till/files").status_code == 200
    assert bureau.acts("till")[-1]["after"] == {"cashier": cashier.id}
    assert code_in(till.send("/till/cashier")) == "pin_refused"
    assert till.send("/till/cashier", pin=PASSWORD).status_code == 303
    assert own.send("/account/pin", pin="", password=PASSWORD).status_code == 303
    bad = till.send("/till/cashier", person=str(cashier.id), pin="271828")
    assert code_in(bad) == "pin_refused"


def test_a_till_that_was_taken_over_is_among_ones_places_and_can_be_ended(bureau: Bureau) -> None:
    """Ended is the whole: nobody is left there with the rights of who signed it in."""
    cashier, owner = bureau.person("li", "cashier"), bureau.person("zhang")
    own, till = bureau.signed_in(cashier), bureau.signed_in(owner)
    assert own.send("/account/pin", pin="271828", password=PASSWORD).status_code == 303
    assert "接手的收银台" not in own.get("/account").text
    assert till.send("/till/cashier", person=str(cashier.id), pin="271828").status_code == 303
    assert "接手的收银台" in own.get("/account").text
    sessions = bureau.instance.people.sessions
    [held] = [one.id for one in sessions.shown(cashier) if one.person_id == owner.id]
    assert own.send(f"/account/sessions/{held}/end").status_code == 303
    assert own.is_in()
    assert not till.is_in()
    assert bureau.acts("sign_out")[-1]["after"] == {"session": held}
    again = bureau.signed_in(owner)
    assert again.send("/till/cashier", person=str(cashier.id), pin="271828").status_code == 303
    assert own.send("/account/sessions/end").status_code == 303
    assert not again.is_in()


def test_who_has_taken_a_till_over_has_none_of_the_rights_of_who_signed_in(bureau: Bureau) -> None:
    cashier = bureau.person("li", "cashier")
    own = bureau.signed_in(cashier)
    assert own.send("/account/pin", pin="271828", password=PASSWORD).status_code == 303
    till = bureau.signed_in(bureau.person("zhang"))
    assert till.send("/till/cashier", person=str(cashier.id), pin="271828").status_code == 303
    mine = {"role": "owner", "name": "Li", "login": "lili"}
    assert code_in(till.send("/people", **mine)) == "role_required"
    assert code_in(till.send(f"/people/{cashier.id}/role", role="owner")) == "role_required"
    for path in ("/people", "/till/buyers"):
        assert code_in(till.get(path)) == "role_required", path
    assert code_in(till.get("/account")) == "till_handed_over"
    for path in ("/account/sessions/end", "/account/password", "/account/pin"):
        assert code_in(till.send(path, password=PASSWORD)) == "till_handed_over", path
    assert till.get("/till/files").status_code == 200
    assert till.send("/sign-out").status_code == 303


WIDE = {ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)}
"""Digits as a Chinese keyboard writes them."""


def test_codes_are_read_as_they_are_shown_and_typed(bureau: Bureau) -> None:
    person = bureau.person("zhang")
    browser = bureau.signed_in(person)
    secret = hidden(browser.get("/account/totp").text, "secret")
    good = TOTP(secret).at(bureau.clock())
    sent = {"secret": secret, "password": PASSWORD}
    for bad in ("", "１２", "½", "\u200b", "餐" * 6, good[:5], f"{good}1"):
        wrong = browser.send("/account/totp", code=bad, **sent)
        assert (wrong.status_code, code_in(wrong)) == (403, "second_factor_refused"), bad
    typed = f" {good[:3]} {good[3:]} ".translate(WIDE)
    assert browser.send("/account/totp", code=typed, **sent).status_code == 200


def test_a_pin_and_a_password_are_the_same_on_every_keyboard(bureau: Bureau) -> None:
    owner, cashier = bureau.person("zhang"), bureau.person("li", "cashier")
    theirs = bureau.signed_in(cashier)
    assert theirs.send("/account/pin", password=PASSWORD, pin="２７１８２８").status_code == 303
    till = bureau.signed_in(owner)
    for pin in ("271828", "271828".translate(WIDE)):
        done = till.send("/till/cashier", person=str(cashier.id), pin=pin)
        assert done.status_code == 303, code_in(done)
    wide = PASSWORD.replace("seven", "ｓｅｖｅｎ")
    assert bureau.browser().sign_in(cashier, wide).status_code == 303
    assert (
        theirs.send("/account/password", password=wide, new="caffe\u0301 au lait 7").status_code
        == 303
    )
    assert bureau.browser().sign_in(cashier, "caff\u00e9 au lait 7").status_code == 303


def test_of_a_parameter_that_stands_twice_none_is_chosen(bureau: Bureau) -> None:
    admin = bureau.strong(bureau.person("chen", "administrator"))
    for browser, path in (
        (admin, "/people?merchant=1&merchant=2"),
        (bureau.browser(), "/sign-in?to=/account&to=/people"),
    ):
        answer = browser.get(path)
        assert (answer.status_code, code_in(answer)) == (400, "duplicate_parameter"), path


@pytest.mark.parametrize("language", ["zh", "en"])
def test_both_languages(bureau: Bureau, language: str) -> None:
    browser = bureau.browser()
    browser.client.set_cookie("language", language, domain="fapiao.test")
    page = browser.get("/sign-in").text
    assert ("登录" in page) == (language == "zh")
    assert ("Sign in" in page) == (language == "en")
