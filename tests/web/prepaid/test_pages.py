"""The customer's page of a prepaid account: what is hers, and how to have it back."""

from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from tests.api.desk import Desk, problem
from tests.api.prepaid.test_prepaid import Numbers, look, meal, now, opened, say
from tests.services.prepaid import wallets

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An instance that knows wallets."""
    folder = tmp_path_factory.mktemp("prepaid")
    with Desk(folder, **wallets.settings(folder / "wallets")) as desk:
        yield desk


def path_of(account: dict[str, Any]) -> str:
    """The address of its page, on this host."""
    return str(account["link"]).removeprefix("https://fapiao.test")


def shown(desk: Desk, account: dict[str, Any]) -> str:
    """What the page says."""
    answer = desk.client.get(path_of(account), headers=ENGLISH)
    assert answer.status_code == 200
    return unescape(answer.text)


def test_each_meal_leads_to_its_invoice(whole: Desk) -> None:
    account = opened(whole)
    first = meal(whole, account).get_json()
    second = meal(whole, account).get_json()
    whole.reverse(second)
    page = shown(whole, account)
    assert 'data-prepaid="open"' in page
    for text in ("¥501.90", "¥1,000.00", "¥498.10", first["number"], "blue-bank", "两次午餐"):
        assert text in page, text
    assert "Taken back, and yours again:" in page
    assert f"hash={first['hash']}" in page
    assert "No money moves here." in page
    assert account["id"] not in page


def test_she_asks_for_the_rest_once_and_no_meal_is_paid_any_more(whole: Desk) -> None:
    account = opened(whole)
    for _ in range(2):
        answer = whole.client.post(path_of(account), data={"ask": "back"})
        assert answer.status_code == 303
        assert answer.headers["Location"] == path_of(account)
    page = shown(whole, account)
    assert 'data-prepaid="ended"' in page
    assert "You have asked for the rest." in page
    assert "<form method" not in page
    problem(meal(whole, account), 409, "prepaid_ended")
    told = look(whole, account).get_json()
    assert (told["ending"], told["due"], told["asked_back_at"]) == (
        "customer",
        100_000,
        "2026-11-21T04:30:00Z",
    )
    path = f"/v1/prepaid/{account['id']}/refund"
    say(whole, path, {"request_id": Numbers.new(), "reason": "余额退还"})
    page = shown(whole, account)
    assert 'data-prepaid="closed"' in page
    assert "余额退还" in page


def test_a_refused_meal_is_hers_again(whole: Desk) -> None:
    account = opened(whole)
    issued = meal(whole, account).get_json()
    path = f"/v1/prepaid/{account['id']}/refusal"
    say(whole, path, {"request_id": Numbers.new(), "hash": issued["hash"]})
    assert "did not pay it: all of it is yours again" in shown(whole, account)


def test_nothing_of_the_page_is_kept_told_on_or_run(whole: Desk) -> None:
    answer = whole.client.get(path_of(opened(whole)))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "script-src" not in answer.headers["Content-Security-Policy"]


def test_links_that_lead_nowhere_say_so_alike(whole: Desk) -> None:
    opened(whole)
    pages = set()
    for token in ("A" * 24, "short", "a" * 200):
        for answer in (
            whole.client.get(f"/prepaid/{token}", headers=ENGLISH),
            whole.client.post(f"/prepaid/{token}", data={"ask": "back"}, headers=ENGLISH),
        ):
            assert answer.status_code == 404
            pages.add(answer.text.replace(token, ""))
    assert len(pages) == 1


def test_only_what_the_button_sends_asks(whole: Desk) -> None:
    account = opened(whole)
    for form in ({}, {"ask": "all"}, {"ask": ["back", "back"]}):
        assert whole.client.post(path_of(account), data=form).status_code in (415, 422)
    assert now(whole, account)["state"] == "open"
