"""Signing in by the bureau's provider: a real one, in a process of its own."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import TestResponse

from invoice_service.domain.acts import By
from invoice_service.services.people.person import Person
from invoice_service.services.people.proposals import Actor
from tests.web.people.provider_process import BACK, CLIENT, SECRET, Provider, provider
from tests.web.people.visitors import Browser, Bureau, code_in

HE = {"sub": "p1", "name": "何", "preferred_username": "he", "amr": ["pwd", "otp"]}


@pytest.fixture(scope="module")
def shared() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture
def there(shared: Provider) -> Provider:
    """The provider, honest, who knows an examiner."""
    shared.lies()
    shared.knows(**HE, roles=["tax-examiners", "others"])
    return shared


def opened(folder: Path, there: Provider, **more: str) -> Bureau:
    """A bureau with that provider."""
    settings = {
        "ISSUER": there.url,
        "CLIENT_ID": CLIENT,
        "CLIENT_SECRET": SECRET,
        "VIEWERS": '["tax-viewers"]',
        "EXAMINERS": '["tax-examiners"]',
        "ADMINISTRATORS": '["tax-heads"]',
    }
    named = {f"FAPIAO_OIDC_{name}": text for name, text in settings.items()}
    bureau = Bureau(folder, **named, **more)
    bureau.clock.now = bureau.clock.now.now(tz=bureau.clock.now.tzinfo)  # as the provider's
    return bureau


@pytest.fixture
def bureau(tmp_path: Path, there: Provider) -> Iterator[Bureau]:
    with opened(tmp_path, there) as bureau:
        yield bureau


def there_and_back(browser: Browser, there: Provider, to: str = "") -> TestResponse:
    """What the browser is shown when it comes back."""
    asked = f"?to={to}" if to else ""
    left = browser.get(f"/sign-in/provider{asked}")
    assert left.status_code == 303, left.text
    back = there.visit(left.headers["Location"])
    assert back.startswith(BACK)
    return browser.get(back.removeprefix("https://fapiao.test"))


def he(bureau: Bureau) -> Person:
    """Who has been kept."""
    (person,) = bureau.instance.store.people(None)
    return person


def test_who_is_mapped_comes_in_and_is_known_again(bureau: Bureau, there: Provider) -> None:
    browser = bureau.browser()
    assert there_and_back(browser, there, "/reports").headers["Location"] == "/reports"
    assert browser.get("/reports").status_code == 200
    account = browser.get("/account").text
    assert 'type="password"' not in account  # there is none here that they could say once more
    assert "统一登录" in account
    person = he(bureau)
    assert (person.role, person.login, person.name) == ("examiner", "he@bureau", "何")
    there_and_back(bureau.browser(), there)
    assert he(bureau).id == person.id
    acts = [(one["actor"], one["after"]["how"]) for one in bureau.acts("sign_in")]
    assert acts == [(f"person:{person.id}", "oidc")] * 2
    assert [one["actor"] for one in bureau.acts("role")] == ["provider"]


def test_the_browser_is_sent_with_state_nonce_and_challenge(bureau: Bureau) -> None:
    first, second = (
        parse_qs(urlsplit(bureau.browser().get("/sign-in/provider").headers["Location"]).query)
        for _ in range(2)
    )
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]
    assert (first["code_challenge_method"], first["response_type"]) == (["S256"], ["code"])
    assert (first["redirect_uri"], first["scope"]) == ([BACK], ["openid profile email"])


def test_roles_end_and_change_at_the_next_sign_in(bureau: Bureau, there: Provider) -> None:
    browser = bureau.browser()
    there_and_back(browser, there)
    there.knows(**HE, roles="tax-viewers")
    there_and_back(bureau.browser(), there)
    assert he(bureau).role == "viewer"
    assert not browser.is_in()
    there_and_back(browser, there)
    assert browser.is_in()
    there.knows(**HE, roles=["others"])
    assert code_in(there_and_back(bureau.browser(), there)) == "provider_no_role"
    assert not browser.is_in()


def came(bureau: Bureau, there: Provider, *roles: str) -> Person:
    """Who has come in with these roles at the provider."""
    there.knows(**HE, roles=list(roles))
    browser = bureau.browser()
    there_and_back(browser, there)
    assert browser.is_in()
    return next(one for one in bureau.instance.store.people(None) if one.name == HE["name"])


def test_where_there_are_two_the_provider_alone_makes_no_administrator(
    bureau: Bureau, there: Provider
) -> None:
    first, second = (bureau.person(name, "administrator") for name in ("chen", "lin"))
    proposals, now = bureau.instance.people.proposals, bureau.instance.people.clock()
    assert came(bureau, there, "tax-heads").role == "viewer"
    person = came(bureau, there, "tax-heads", "tax-examiners")
    assert person.role == "examiner"
    asked = proposals.propose(
        "role",
        f"person:{person.id}",
        {"role": "administrator"},
        "",
        Actor(By(f"person:{first.id}", now), first.id),
    )
    proposals.confirm(asked.id, Actor(By(f"person:{second.id}", now), second.id))
    assert came(bureau, there, "tax-heads", "tax-examiners").role == "administrator"
    assert came(bureau, there, "tax-examiners").role == "examiner"
    assert came(bureau, there, "tax-heads").role == "viewer", "once taken, it takes two again"
    ways = [one["after"]["how"] for one in bureau.acts("sign_in")]
    assert ways == ["oidc_lesser", "oidc_lesser", "oidc", "oidc", "oidc_lesser"]


def test_who_gets_another_role_is_told_so_once(bureau: Bureau, there: Provider) -> None:
    browser = bureau.browser()
    there_and_back(browser, there)
    there.knows(**HE, roles="tax-viewers")
    told = there_and_back(browser, there, "/bureau/totals")
    assert told.status_code == 200
    for word in ("审核员", "查阅员", 'href="/bureau/totals"'):
        assert word in told.text
    assert browser.is_in()
    assert there_and_back(browser, there, "/bureau/").headers["Location"] == "/bureau/"
    last = bureau.acts("role")[-1]
    assert (last["actor"], last["before"], last["after"]) == (
        *("provider", {"role": "examiner"}),
        {"role": "viewer"},
    )


def test_whom_the_provider_alone_calls_an_administrator_is_told_what_is_missing(
    bureau: Bureau, there: Provider
) -> None:
    for name in ("chen", "lin"):
        bureau.person(name, "administrator")
    there.knows(**HE, roles=["tax-heads"])
    browser = bureau.browser()
    told = there_and_back(browser, there, "/bureau/")
    assert told.status_code == 200
    assert "两名管理员" in told.text
    assert there_and_back(browser, there, "/bureau/").status_code == 303, "once"


def test_before_there_are_two_it_does(bureau: Bureau, there: Provider) -> None:
    bureau.person("chen", "administrator")
    assert came(bureau, there, "tax-heads").role == "administrator"


def test_and_where_the_settings_leave_it_to_the_provider(tmp_path: Path, there: Provider) -> None:
    with opened(tmp_path, there, FAPIAO_OIDC_TWO_PERSON="false") as bureau:
        for name in ("chen", "lin"):
            bureau.person(name, "administrator")
        assert came(bureau, there, "tax-heads").role == "administrator"


def test_what_the_provider_takes_ends_with_the_session_at_the_latest(
    bureau: Bureau, there: Provider
) -> None:
    """It is not asked in between: at the next sign-in, or after these hours, as the page says."""
    browser = bureau.browser()
    there_and_back(browser, there)
    there.knows(**HE, roles=["others"])
    settings = bureau.config.people
    for _ in range(settings.official_absolute_seconds // settings.official_idle_seconds + 1):
        assert browser.is_in()
        bureau.clock.forward(seconds=settings.official_idle_seconds - 1)
    assert not browser.is_in()


def test_who_has_no_role_is_not_kept(bureau: Bureau, there: Provider) -> None:
    there.knows(**HE)
    assert code_in(there_and_back(bureau.browser(), there)) == "provider_no_role"
    assert bureau.instance.store.people(None) == []


def test_who_is_suspended_is_not_let_in(bureau: Bureau, there: Provider) -> None:
    browser = bureau.browser()
    there_and_back(browser, there)
    bureau.instance.people.staff.suspend(he(bureau), bureau.instance.operator())
    assert not browser.is_in()
    assert code_in(there_and_back(browser, there)) == "sign_in_refused"


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "x"},
        {"aud": "another"},
        {"aud": [CLIENT, "another"]},
        {"iss": "https://other.example"},
        {"exp": 1},
        {"iat": 4102444800},
        {"key": True},
        {"sub": ""},
        {"at_hash": "x"},
        {"azp": "another"},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_sign_in_opens_nothing(
    bureau: Bureau, there: Provider, lies: dict[str, object]
) -> None:
    there.lies(**lies)
    browser = bureau.browser()
    assert code_in(there_and_back(browser, there)) == "provider_refused"
    assert not browser.is_in()
    assert bureau.instance.store.people(None) == []


def test_a_provider_that_says_it_is_another_is_not_asked(bureau: Bureau, there: Provider) -> None:
    there.lies(issuer="https://other.example")
    assert code_in(bureau.browser().get("/sign-in/provider")) == "provider_unreachable"


@pytest.mark.parametrize("methods", [[], ["none"], ["HS256", "none"]], ids=str)
def test_a_provider_that_signs_by_nothing_we_take_is_not_asked(
    bureau: Bureau, there: Provider, methods: list[str]
) -> None:
    """Who is told of no method would take that of a secret, which its keys may hold for all."""
    there.lies(methods=methods)
    assert code_in(bureau.browser().get("/sign-in/provider")) == "provider_unreachable"


def test_what_comes_back_counts_once_and_in_its_browser(bureau: Bureau, there: Provider) -> None:
    browser, other = bureau.browser(), bureau.browser()
    left = browser.get("/sign-in/provider").headers["Location"]
    back = there.visit(left).removeprefix("https://fapiao.test")
    assert code_in(other.get(back)) == "provider_stale"
    other.get("/sign-in/provider")
    assert code_in(other.get(back)) == "provider_stale"
    assert browser.get(back).status_code == 303
    assert code_in(browser.get(back)) == "provider_stale"


def test_a_way_ends_and_a_refusal_is_told(bureau: Bureau, there: Provider) -> None:
    browser = bureau.browser()
    left = browser.get("/sign-in/provider").headers["Location"]
    state = parse_qs(urlsplit(left).query)["state"][0]
    back = there.visit(left).removeprefix("https://fapiao.test")
    bureau.clock.forward(seconds=600)
    assert code_in(browser.get(back)) == "provider_stale"
    left = browser.get("/sign-in/provider").headers["Location"]
    state = parse_qs(urlsplit(left).query)["state"][0]
    said = browser.get(f"/sign-in/provider/back?error=access_denied&state={state}")
    assert code_in(said) == "provider_refused"


def test_without_a_second_factor_there_is_none_here(bureau: Bureau, there: Provider) -> None:
    there.knows(**{**HE, "amr": ["pwd"]}, roles=["tax-heads"])
    assert code_in(there_and_back(bureau.browser(), there)) == "provider_weak"


def test_roles_may_stand_beside_the_token(bureau: Bureau, there: Provider) -> None:
    there.knows(**HE, at={"roles": ["tax-heads"]})
    there_and_back(bureau.browser(), there)
    assert he(bureau).role == "administrator"


def test_signing_out_offers_the_providers_end(bureau: Bureau, there: Provider) -> None:
    browser = bureau.browser()
    there_and_back(browser, there)
    browser.get("/account")
    gone = browser.send("/sign-out")
    assert gone.headers["Location"] == "/sign-in?left=provider"
    assert f"{there.url}/end?client_id={CLIENT}" in browser.get("/sign-in?left=provider").text
    assert not browser.is_in()


def test_a_provider_that_is_away_keeps_nobody_else_out(tmp_path: Path) -> None:
    named = {"FAPIAO_OIDC_ISSUER": "http://127.0.0.1:9", "FAPIAO_OIDC_CLIENT_ID": CLIENT}
    with Bureau(tmp_path, **named) as bureau:
        browser = bureau.browser()
        assert code_in(browser.get("/sign-in/provider")) == "provider_unreachable"
        assert browser.sign_in(bureau.person("chen", "administrator")).status_code == 303


def test_without_settings_there_is_none(tmp_path: Path) -> None:
    with Bureau(tmp_path) as bureau:
        browser = bureau.browser()
        assert "/sign-in/provider" not in browser.get("/sign-in").text
        assert code_in(browser.get("/sign-in/provider")) == "provider_off"
        assert code_in(browser.get("/sign-in/provider/back?code=x&state=y")) == "provider_stale"
