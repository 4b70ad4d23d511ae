"""The way in and out: fixation, forged forms, stolen cookies, guesses, enumeration."""

from pathlib import Path
from typing import Any

import pytest
from pyotp import TOTP

from invoice_service.app import FORM_BYTES
from invoice_service.domain.waiting import again_in
from invoice_service.services.people.tries import PAIR
from tests.web.people.visitors import (
    BASE,
    OTHER_PASSWORD,
    PASSWORD,
    SESSION,
    Browser,
    Bureau,
    code_in,
    hidden,
)


def test_signing_in_and_out(bureau: Bureau) -> None:
    browser = bureau.browser()
    answers = [browser.sign_in(bureau.person("zhang"))]
    answers += [browser.get(path) for path in ("/account", "/people", "/till", "/account/totp")]
    assert "zhang@1" in answers[1].text
    text = browser.cookie()
    assert text
    for answer in answers:  # it goes by the cookie and no other way
        assert text not in answer.text
        assert text not in answer.headers.get("Location", "")
    answer = browser.send("/sign-out")
    assert answer.headers["Location"] == "/sign-in"
    assert browser.cookie() is None
    assert not browser.is_in()


def test_the_way_in_is_offered_to_who_is_not_in(bureau: Bureau) -> None:
    def foot(browser: Browser, path: str) -> set[str]:
        part = browser.get(path).text.partition('<footer class="foot">')[2]
        return {one for one in ("/sign-in", "/account") if f'href="{one}"' in part}

    browser = bureau.signed_in(bureau.person("zhang"))
    for path in ("/", "/people", "/apply", "/problems"):
        assert foot(browser, path) == {"/account"}, path
    browser.send("/sign-out")
    for path in ("/", "/sign-in", "/apply"):
        assert foot(browser, path) == {"/sign-in"}, path
    with_factor = bureau.person("chen", "administrator")
    bureau.strong(with_factor)
    halfway = bureau.browser()
    halfway.get("/sign-in")
    halfway.send("/sign-in", login=with_factor.login, password=PASSWORD)
    assert foot(halfway, "/sign-in/second") == {"/sign-in"}


def test_cookies_are_for_this_host_alone_and_no_script_sees_them(bureau: Bureau) -> None:
    browser = bureau.browser()
    first = browser.get("/sign-in").headers.getlist("Set-Cookie")
    person = bureau.person("zhang")
    second = browser.sign_in(person).headers.getlist("Set-Cookie")
    assert len(first + second) == 3
    for cookie in first + second:
        assert cookie.startswith("__Host-fapiao-")
        parts = cookie.split("; ")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(parts)
        assert not any(part.startswith("Domain") for part in parts)


def test_instances_of_one_host_sign_nobody_out_of_each_other(
    bureau: Bureau, tmp_path: Path
) -> None:
    """Browsers do not keep cookies apart by port: one would take the other's place."""
    url = f"{BASE}:8443"
    with Bureau(tmp_path / "second", FAPIAO_SERVICE_PUBLIC_URL=url) as second:
        first, ports = bureau.app.wsgi_app, {"fapiao.test:8443": second.app.wsgi_app}

        def one_host(environ: dict[str, Any], start_response: Any) -> Any:  # noqa: ANN401 # as WSGI has it
            return ports.get(environ["HTTP_HOST"], first)(environ, start_response)

        bureau.app.wsgi_app = one_host  # type: ignore[method-assign] # both at one host
        client = bureau.app.test_client()
        here, there = Browser(client, "192.0.2.7"), Browser(client, "192.0.2.7", url)
        assert here.sign_in(bureau.person("zhang")).status_code == 303
        assert there.sign_in(second.person("li")).status_code == 303
        assert "zhang@1" in here.get("/account").text
        assert "li@1" in there.get("/account").text
        there.send("/sign-out")
        assert (here.is_in(), there.is_in()) == (True, False)
        # Forms of somebody whom nobody knows yet are told apart likewise.
        here.send("/sign-out")
        here.get("/sign-in")
        there.get("/sign-in")
        assert code_in(here.send("/sign-in", login="zhang@1", password="x" * 12)) != "form_stale"


def test_a_cookie_that_was_planted_is_worth_nothing_after(bureau: Bureau) -> None:
    person = bureau.person("zhang")
    thief = bureau.signed_in(bureau.person("li"))
    planted = thief.cookie() or ""
    browser = bureau.browser()
    browser.client.set_cookie(SESSION, planted, domain="fapiao.test", secure=True)
    browser.sign_in(person)
    assert browser.cookie() != planted
    assert "zhang@1" in browser.get("/account").text
    assert not thief.is_in()


def test_a_cookie_that_was_stolen_ends_with_signing_out(bureau: Bureau) -> None:
    browser = bureau.signed_in(bureau.person("zhang"))
    thief = bureau.browser()
    thief.client.set_cookie(SESSION, browser.cookie() or "", domain="fapiao.test", secure=True)
    assert thief.is_in()
    browser.send("/sign-out")
    assert not thief.is_in()


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_form_of_another_site_does_nothing(bureau: Bureau, site: str) -> None:
    browser = bureau.signed_in(bureau.person("zhang"))
    answer = browser.post("/account/sessions/end", site, form=browser.token)
    assert (answer.status_code, code_in(answer)) == (403, "form_stale")
    assert browser.is_in()


@pytest.mark.parametrize("token", ["", "x", "0" * 64, "ÿ"])
def test_a_form_without_our_token_does_nothing(bureau: Bureau, token: str) -> None:
    """Also where a browser does not say from where it is sent."""
    browser = bureau.signed_in(bureau.person("zhang"))
    for path in ("/sign-out", "/account/sessions/end", "/account/password", "/people"):
        answer = browser.post(path, None, form=token)
        assert (answer.status_code, code_in(answer)) == (403, "form_stale"), path
    assert browser.is_in()


def test_nobody_is_signed_in_as_somebody_else_by_another_site(bureau: Bureau) -> None:
    person = bureau.person("zhang")
    browser = bureau.browser()
    sent = {"login": person.login, "password": PASSWORD}
    assert code_in(browser.post("/sign-in", None, **sent)) == "form_stale"
    stranger = bureau.browser()
    stranger.get("/sign-in")
    browser.get("/sign-in")
    assert code_in(browser.post("/sign-in", None, form=stranger.token, **sent)) == "form_stale"


def test_two_tabs(bureau: Bureau) -> None:
    """The form of a tab from before signing in anew is refused; loaded again it works."""
    person = bureau.person("zhang")
    browser = bureau.signed_in(person)
    old_tab = browser.token
    browser.send("/sign-out")
    browser.sign_in(person)
    assert code_in(browser.post("/account/sessions/end", form=old_tab)) == "form_stale"
    assert browser.is_in()
    assert browser.send("/account/sessions/end").status_code == 303
    assert not browser.is_in()


def test_two_tabs_of_the_way_in(bureau: Bureau) -> None:
    person = bureau.person("zhang")
    browser = bureau.browser()
    browser.get("/sign-in")
    other_tab = browser.token
    browser.send("/sign-in", login=person.login, password=PASSWORD)
    again = browser.post("/sign-in", form=other_tab, login=person.login, password=PASSWORD)
    assert again.status_code == 303
    assert browser.is_in()


def test_nobody_learns_who_is_there(bureau: Bureau) -> None:
    """The same bytes but for the name that was typed, and what is drawn by lot."""
    active, removed = bureau.person("qian"), bureau.person("other")
    staff = bureau.instance.people.staff
    staff.remove(removed, bureau.instance.operator())
    pages = set()
    for number, login in enumerate((active.login, removed.login, "nobody@1", "nobody@77")):
        browser = bureau.browser(f"192.0.2.{number}")
        browser.get("/sign-in")
        answer = browser.send("/sign-in", login=login, password=OTHER_PASSWORD)
        assert answer.status_code == 403
        text = answer.text.replace(browser.token, "").replace(login, "")
        for drawn in ("data-options", "asked"):
            text = text.replace(_attribute(text, drawn), "")
        pages.add((text, str(sorted(answer.headers.keys()))))
    assert len(pages) == 1


def _attribute(text: str, name: str) -> str:
    if name == "asked":
        return hidden(text, name)
    return text.partition(f'{name}="')[2].partition('"')[0]


def test_guessing_is_slowed_down_and_says_for_how_long(bureau: Bureau) -> None:
    person = bureau.person("zhang")
    browser = bureau.browser()
    codes = []
    for _ in range(PAIR.burst + 1):
        answer = browser.sign_in(person, OTHER_PASSWORD)
        codes.append((answer.status_code, code_in(answer)))
    assert codes == [(403, "sign_in_refused")] * PAIR.burst + [(429, "sign_in_limited")]
    wait = int(answer.headers["Retry-After"])
    assert wait >= 1
    assert again_in(wait)[1] in answer.text
    browser.post("/language", language="en", back="/")
    answer = browser.sign_in(person)
    assert code_in(answer) == "sign_in_limited"
    assert again_in(int(answer.headers["Retry-After"]))[0] in answer.text
    elsewhere = bureau.browser("198.51.100.1")
    assert elsewhere.sign_in(person).status_code == 303


def test_refusals_are_counted(bureau: Bureau) -> None:
    browser = bureau.browser()
    browser.sign_in(bureau.person("zhang"), OTHER_PASSWORD)
    found = bureau.client.get("/v1/trail/refusals", headers=bureau.official()).get_json()
    rows = [(row["code"], row["who"], row["origin"]) for row in found["refusals"]]
    assert ("sign_in_refused", "unknown", "192.0.2.7") in rows


def test_a_second_step_and_no_way_round_it(bureau: Bureau) -> None:
    person = bureau.person("zhang")
    bureau.strong(person)
    fresh = bureau.instance.store.person(person.id)
    assert fresh is not None
    browser = bureau.browser()
    browser.get("/sign-in")
    answer = browser.send("/sign-in", login=person.login, password=PASSWORD)
    assert answer.headers["Location"].startswith("/sign-in/second")
    half = browser.cookie()
    assert not browser.is_in()
    assert code_in(browser.post("/account/sessions/end", form=browser.token)) == "sign_in_needed"
    browser.get("/sign-in/second")
    assert code_in(browser.send("/sign-in/second", code="000000")) == "second_factor_refused"
    bureau.clock.forward(seconds=60)
    kept = bureau.instance.people_key.open(fresh.totp or b"", f"totp:{person.id}").decode()
    code = TOTP(kept).at(bureau.clock())
    assert browser.send("/sign-in/second", code=code).status_code == 303
    assert browser.is_in()
    assert browser.cookie() != half


def test_a_session_ends_by_a_set_clock(bureau: Bureau) -> None:
    browser = bureau.signed_in(bureau.person("zhang"))
    bureau.clock.forward(seconds=bureau.config.people.idle_seconds - 1)
    assert browser.is_in()
    bureau.clock.forward(seconds=bureau.config.people.idle_seconds)
    answer = browser.get("/account")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?to=/account")


def test_a_till_sells_all_day_and_all_else_asks_to_sign_in_anew(bureau: Bureau) -> None:
    owner = bureau.person("zhang")
    browser, settings = bureau.signed_in(owner), bureau.config.people
    bureau.clock.forward(seconds=settings.absolute_seconds - 1)
    assert browser.get("/people").status_code == 200
    bureau.clock.forward(seconds=1)
    for path in ("/people", "/account", "/account/quota", "/till/buyers"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/sign-in?to={path}")
    assert code_in(browser.send("/account/quota", kind="leave", sure="yes")) == "sign_in_needed"
    assert browser.get("/till/").status_code == 200
    assert browser.get("/till/state").status_code == 200
    bureau.clock.forward(seconds=settings.till_seconds - settings.absolute_seconds)
    assert browser.get("/till/").headers["Location"] == "/sign-in?to=/till/"
    assert bureau.instance.people.sessions.visitor(browser.cookie() or "") is None


def test_who_signs_in_anew_is_at_the_same_till(bureau: Bureau) -> None:
    owner, other = bureau.person("zhang"), bureau.person("li")
    browser = bureau.signed_in(owner)
    (before,), cookie = bureau.instance.store.sessions(owner.id), browser.cookie()
    bureau.instance.store.set_session_till(before.id, "T3")
    browser.sign_in(owner)
    assert browser.cookie() != cookie
    assert [one.till for one in bureau.instance.store.sessions(owner.id)] == ["T3"]
    browser.sign_in(other)
    assert [one.till for one in bureau.instance.store.sessions(other.id)] == [""]


def test_who_is_removed_is_out_with_the_next_request(bureau: Bureau) -> None:
    person = bureau.person("zhang")
    browser = bureau.signed_in(person)
    bureau.instance.people.staff.remove(person, bureau.instance.operator())
    assert not browser.is_in()


@pytest.mark.parametrize(
    ("onward", "there"),
    [
        ("/people", "/people"),
        ("/people?merchant=2", "/people?merchant=2"),
        ("//elsewhere.test", "/account"),
        ("/\\elsewhere.test", "/account"),
        ("https://elsewhere.test/", "/account"),
        ("/a\r\nX: y", "/account"),
        ("", "/account"),
    ],
)
def test_one_goes_on_to_addresses_of_ours_only(bureau: Bureau, onward: str, there: str) -> None:
    person = bureau.person("zhang")
    browser = bureau.browser()
    browser.get("/sign-in")
    answer = browser.send("/sign-in", login=person.login, password=PASSWORD, to=onward)
    assert answer.headers["Location"] == there


def test_pages_are_kept_by_nobody_and_run_only_what_is_ours(bureau: Bureau) -> None:
    browser = bureau.signed_in(bureau.person("zhang"))
    for path in ("/sign-in", "/account", "/people", "/account/totp"):
        answer = browser.get(path)
        assert answer.headers["Cache-Control"] == "no-store", path
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


def test_calls_for_programs_take_no_cookie(bureau: Bureau) -> None:
    browser = bureau.signed_in(bureau.person("zhang"))
    answer = browser.client.get("/v1/invoices", base_url=BASE)
    assert answer.get_json()["code"] == "key_missing"


def test_a_form_that_cannot_be_read(bureau: Bureau) -> None:
    browser = bureau.browser()
    browser.get("/sign-in")
    twice = browser.client.post(
        "/sign-in",
        base_url=BASE,
        data=f"form={browser.token}&login=a&login=b",
        content_type="application/x-www-form-urlencoded",
    )
    assert code_in(twice) == "duplicate_parameter"
    json = browser.client.post("/sign-in", base_url=BASE, json={"login": "a"})
    assert code_in(json) == "unsupported_media_type"


@pytest.mark.parametrize("path", ["/sign-in", "/language"])
def test_a_form_is_small(bureau: Bureau, path: str) -> None:
    """Read, a form of odd signs takes hundreds of times as much room."""
    browser = bureau.browser()
    browser.get("/sign-in")
    answer = browser.send(path, login="%" * FORM_BYTES)
    assert answer.status_code == 413
    assert "body_too_large" in answer.text
