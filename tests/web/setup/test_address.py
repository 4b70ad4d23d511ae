"""The address is changed on its page while nothing hangs on it; what could not be is refused."""

import re

import pytest

from invoice_service.keys.setup import SetupFile
from tests.web.people.visitors import Browser, code_in
from tests.web.setup.empty import ADMINISTRATOR, Empty, place, step

OTHER = "https://other.test"


@pytest.fixture
def heard(empty: Empty) -> Browser:
    """A browser that was let in, where somebody serves who can change the address."""
    door(empty).listen(hears=True)
    browser = empty.entered()
    browser.get("/setup/address")
    return browser


def door(empty: Empty) -> SetupFile:
    found = empty.setup.door
    assert isinstance(found, SetupFile)
    return found


def test_whoever_serves_is_told_and_the_code_shown_lets_in_there(
    empty: Empty, heard: Browser
) -> None:
    page = heard.send("/setup/address", address=f" {OTHER}/ ")
    assert page.status_code == 200
    assert "other.test/log" in page.text
    link = re.search(rf'href="{OTHER}/setup\?code=([A-Z2-7-]+)"', page.text)
    assert link, page.text
    wish = door(empty).wished()
    assert wish is not None
    assert wish.url == OTHER
    door(empty).take_up(wish.kept)
    assert place(heard.get("/setup/merchant")) == "/setup"  # who was in is not, any more
    heard.get("/setup")
    assert place(heard.send("/setup", code=link[1])) == "/setup/address"


@pytest.mark.parametrize(
    "url",
    ["", "other.test", "ftp://other.test", "https://other.test/v1", "https://other.test:99999"],
)
def test_an_address_that_is_none(empty: Empty, heard: Browser, url: str) -> None:
    answer = heard.send("/setup/address", address=url)
    assert (answer.status_code, code_in(answer)) == (422, "address_invalid")
    assert f'value="{url}"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert door(empty).wished() is None


def test_the_same_address_goes_on(empty: Empty, heard: Browser) -> None:
    assert place(heard.send("/setup/address", address="https://fapiao.test/")) == (
        "/setup/administrator"
    )
    assert door(empty).wished() is None


def test_it_is_fixed_with_the_administrator(empty: Empty, heard: Browser) -> None:
    step(heard, "administrator", ADMINISTRATOR)
    page = heard.get("/setup/address").text
    assert 'name="address"' not in page
    answer = heard.send("/setup/address", address=OTHER)
    assert (answer.status_code, code_in(answer)) == (409, "address_fixed")
    assert door(empty).wished() is None


def test_where_nobody_would_act_on_it_the_machine_is_named(empty: Empty) -> None:
    browser = empty.entered()
    page = browser.get("/setup/address").text
    assert 'name="address"' not in page
    assert "fapiao setup --address" in page
    answer = browser.send("/setup/address", address=OTHER)
    assert (answer.status_code, code_in(answer)) == (409, "address_by_hand")


def test_strangers_change_nothing(empty: Empty, heard: Browser) -> None:
    stranger = empty.browser("198.51.100.1")
    stranger.get("/setup")
    assert place(stranger.send("/setup/address", address=OTHER)) == "/setup"
    assert code_in(heard.post("/setup/address", "cross-site", address=OTHER)) == "form_stale"
    assert door(empty).wished() is None


@pytest.mark.parametrize(("language", "said"), [("zh", "永久"), ("en", "for ever")])
def test_what_it_freezes_is_said(empty: Empty, heard: Browser, language: str, said: str) -> None:
    heard.client.set_cookie("language", language, domain="fapiao.test")
    assert said in heard.get("/setup/address").text
