"""Prepaid accounts by their calls: what a wallet says, what a meal releases, who is told what."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.api.desk import MEAL, OTHER_TAX_ID, TAX_ID, UNKNOWN, Desk, problem
from tests.services.prepaid import wallets

ENDS = "2027-11-21T04:30:00Z"
BLUE, RED = wallets.NAMES
PRICE = 49810


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An instance that knows two wallets."""
    folder = tmp_path_factory.mktemp("prepaid")
    with Desk(folder, **wallets.settings(folder / "wallets")) as desk:
        desk.new_merchant(OTHER_TAX_ID, "海岸咖啡馆")
        yield desk


class Numbers:
    """Requests and orders of one module, each with a number of its own."""

    last = 0

    @classmethod
    def new(cls) -> str:
        cls.last += 1
        return f"N{cls.last}"


def say(desk: Desk, path: str, body: object, **proof: Any) -> TestResponse:  # noqa: ANN401 # who signs, when
    """A wallet's POST; ``off`` seconds beside the time, ``changed`` headers."""
    sent = wallets.encode(body)
    at = int(desk.clock().timestamp()) + proof.pop("off", 0)
    changed = proof.pop("changed", {})
    signed = wallets.headers("POST", proof.pop("signed", path), sent, at, **proof)
    headers = {"Content-Type": "application/json", **signed, **changed}
    return desk.client.post(path, data=sent, headers=headers)


def look(desk: Desk, account: dict[str, Any], **proof: str) -> TestResponse:
    """A wallet's GET."""
    path = f"/v1/prepaid/{account['id']}"
    at = int(desk.clock().timestamp())
    return desk.client.get(path, headers=wallets.headers("GET", path, b"", at, **proof))


def request(**changes: object) -> dict[str, object]:
    """What a wallet says of a new account."""
    said = {
        "request_id": Numbers.new(),
        "merchant": TAX_ID,
        "amount": 100_000,
        "terms": "两次午餐",
        "expires_at": ENDS,
    }
    return said | changes


def opened(desk: Desk, **changes: object) -> dict[str, Any]:
    """A new account, as the wallet is answered."""
    answer = say(desk, "/v1/prepaid", request(**changes))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def now(desk: Desk, account: dict[str, Any]) -> dict[str, Any]:
    """The account as its merchant is told of now."""
    path = f"/v1/prepaid/{account['id']}"
    found: dict[str, Any] = desk.client.get(path, headers=desk.auth()).get_json()
    return found


def meal(desk: Desk, account: dict[str, Any] | None = None, **more: object) -> TestResponse:
    """A meal that is issued, and paid from the account."""
    paid = {} if account is None else {"prepaid": account["id"]}
    return desk.post("/v1/invoices", {"order_id": Numbers.new(), "lines": [MEAL], **paid, **more})


def books(account: dict[str, Any]) -> tuple[int, int, int, int, int]:
    """Paid in, held, released, paid back, due."""
    return (
        account["paid_in"],
        account["held"],
        account["released"],
        account["paid_back"],
        account["due"],
    )


def test_a_life_from_the_first_meal_to_the_rest(whole: Desk) -> None:
    account = opened(whole)
    assert (account["state"], books(account)) == ("open", (100_000, 100_000, 0, 0, 0))
    first, second = (meal(whole, account).get_json() for _ in range(2))
    assert books(now(whole, account)) == (100_000, 380, 99_620, 0, 0)
    back = whole.post(
        f"/v1/invoices/{first['hash']}/reversals", {"reason": "SALES_DISCOUNT", "amount": 20}
    )
    assert back.status_code == 201
    whole.reverse(second)
    then = now(whole, account)
    assert books(then) == (100_000, 50_210, 49_790, 0, 0)
    assert [(one["returned"], one["refused"]) for one in then["releases"]] == [
        (20, False),
        (PRICE, False),
    ]
    refund = f"/v1/prepaid/{account['id']}/refund"
    rest = say(whole, refund, {"request_id": Numbers.new(), "reason": "到期"}).get_json()
    assert (rest["state"], rest["ending"]) == ("closed", "paid_back")
    assert books(rest) == (100_000, 0, 49_790, 50_210, 0)
    whole.reverse(first)  # what comes back later is due at once
    assert (now(whole, account)["state"], now(whole, account)["due"]) == ("ended", 49_790)


def test_a_release_carries_what_a_wallet_checks_by_itself(whole: Desk) -> None:
    account = opened(whole)
    issued = meal(whole, account).get_json()
    (release,) = look(whole, account).get_json()["releases"]
    assert (release["hash"], release["number"]) == (issued["hash"], issued["number"])
    assert (release["amount"], release["qr"]) == (issued["total"], issued["qr"])
    whole.anchor()
    proof = whole.client.get(release["proof"].removeprefix("https://fapiao.test"))
    assert proof.get_json()["groups"]["face"]["document"]["total"] == release["amount"]


def test_what_an_account_does_not_pay_is_not_issued(whole: Desk) -> None:
    short, ended = opened(whole, amount=PRICE - 1), opened(whole)
    say(whole, f"/v1/prepaid/{ended['id']}/refund", {"request_id": Numbers.new(), "amount": 1})
    before = whole.count()
    answer = problem(meal(whole, short), 409, "prepaid_short")
    assert (answer["held"], answer["pointer"]) == (PRICE - 1, "/prepaid")
    problem(meal(whole, ended), 409, "prepaid_ended")
    problem(meal(whole, {"id": "0" * 32}), 404, "prepaid_unknown")
    assert whole.count() == before
    assert now(whole, short)["held"] == PRICE - 1


def test_its_time_is_over_and_the_rest_is_the_customer_s(whole: Desk) -> None:
    account = opened(whole, expires_at="2026-11-21T05:30:00Z")
    whole.anchor()
    whole.clock.forward(hours=1)
    problem(meal(whole, account), 409, "prepaid_ended")
    then = now(whole, account)
    assert (then["state"], then["ending"], then["due"]) == ("ended", "expired", 100_000)


def test_a_suspended_merchant_s_customers_have_all_back(whole: Desk) -> None:
    account = opened(whole, merchant=OTHER_TAX_ID)
    other = whole.instance.store.account_by_tax_id(OTHER_TAX_ID)
    assert other is not None
    path = f"/v1/merchants/{other.merchant.id}/suspension"
    whole.client.post(path, headers=whole.official())
    then = look(whole, account).get_json()
    assert (then["state"], then["ending"], then["due"]) == ("ended", "merchant", 100_000)
    refused = say(whole, "/v1/prepaid", request(merchant=OTHER_TAX_ID))
    problem(refused, 403, "merchant_suspended")
    whole.client.delete(path, headers=whole.official())
    assert look(whole, account).get_json()["state"] == "open"


def test_nobody_opens_one_at_a_merchant_that_has_left(whole: Desk) -> None:
    other = whole.instance.store.account_by_tax_id(OTHER_TAX_ID)
    assert other is not None
    path = f"/v1/merchants/{other.merchant.id}/leaving"
    left = whole.post(path, {"reason": "closed"}, whole.official())
    assert left.status_code == 200, left.text
    refused = say(whole, "/v1/prepaid", request(merchant=OTHER_TAX_ID))
    problem(refused, 403, "merchant_left")


def test_a_document_says_nothing_of_the_account(whole: Desk) -> None:
    account = opened(whole)
    issued = meal(whole, account).get_json()
    shown = whole.client.get(f"/v1/invoices/{issued['hash']}", headers=whole.auth())
    assert account["id"] not in shown.text
    assert "prepaid" not in shown.text


def test_a_claimed_order_is_paid_from_it(whole: Desk) -> None:
    account = opened(whole)
    order = {"order_id": Numbers.new(), "lines": [MEAL], "parts": 2, "prepaid": account["id"]}
    made = whole.post("/v1/orders", order)
    assert made.status_code == 201, made.text
    link = made.get_json()["link"].removeprefix("https://fapiao.test")
    for mine in "ab":
        guest = whole.app.test_client(use_cookies=False)
        assert guest.post(link, data={"mine": mine * 32}).status_code == 303
    assert books(now(whole, account)) == (100_000, 100_000 - PRICE, PRICE, 0, 0)
    order = {"order_id": Numbers.new(), "lines": [MEAL], "prepaid": "f" * 32}
    problem(whole.post("/v1/orders", order), 404, "prepaid_unknown")


def test_an_invoice_of_before_is_paid_once(whole: Desk) -> None:
    account, other = opened(whole), opened(whole)
    issued = meal(whole).get_json()
    path, body = f"/v1/prepaid/{account['id']}/release", {"hash": issued["hash"]}
    assert [whole.post(path, body).status_code for _ in range(2)] == [201, 200]
    assert now(whole, account)["released"] == PRICE
    problem(whole.post(f"/v1/prepaid/{other['id']}/release", body), 409, "prepaid_released")
    returned = meal(whole).get_json()
    red = whole.reverse(returned)
    for hash_ in (returned["hash"], red["hash"]):
        problem(whole.post(path, {"hash": hash_}), 409, "prepaid_not_whole")
    problem(whole.post(path, {"hash": UNKNOWN}), 404, "invoice_unknown")
    problem(whole.post(path, {"hash": "none"}), 400, "password_area")


def test_a_wallet_refuses_a_meal_once(whole: Desk) -> None:
    account = opened(whole)
    first, second = (meal(whole, account).get_json() for _ in range(2))
    path = f"/v1/prepaid/{account['id']}/refusal"
    said = {"request_id": Numbers.new(), "hash": first["hash"], "reason": "不是我"}
    assert [say(whole, path, said).status_code for _ in range(2)] == [201, 200]
    told = [(one["refused"], one["reason"]) for one in now(whole, account)["releases"]]
    assert told == [(True, "不是我"), (False, "")]
    whole.reverse(first)  # nothing of it is to come back any more
    whole.reverse(second)
    assert books(now(whole, account)) == (100_000, 100_000, 0, 0, 0)
    for hash_ in (first["hash"], second["hash"]):
        answer = say(whole, path, {"request_id": Numbers.new(), "hash": hash_})
        problem(answer, 409, "prepaid_given_back")
    answer = say(whole, path, {"request_id": Numbers.new(), "hash": UNKNOWN})
    problem(answer, 404, "prepaid_not_released")


def test_what_a_wallet_says_twice_is_said_once(whole: Desk) -> None:
    said = request()
    answers = [say(whole, "/v1/prepaid", said) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 200]
    account, again = (one.get_json() for one in answers)
    assert account == again
    problem(say(whole, "/v1/prepaid", said | {"amount": 1}), 409, "prepaid_differs")
    refund = f"/v1/prepaid/{account['id']}/refund"
    problem(say(whole, refund, {"request_id": said["request_id"]}), 409, "prepaid_differs")
    part = {"request_id": Numbers.new(), "amount": 600}
    assert [say(whole, refund, part).status_code for _ in range(2)] == [201, 200]
    assert books(now(whole, account)) == (100_000, 99_400, 0, 600, 99_400)
    more = {"request_id": Numbers.new(), "amount": 99_401}
    problem(say(whole, refund, more), 409, "prepaid_short")
    # Another wallet has numbers of its own.
    assert say(whole, "/v1/prepaid", said, wallet=RED).status_code == 201


def test_only_its_own_wallet_and_merchant_are_told(whole: Desk) -> None:
    account = opened(whole)
    assert look(whole, account).get_json()["link"] == account["link"]
    assert "link" not in now(whole, account)
    problem(look(whole, account, wallet=RED), 404, "prepaid_unknown")
    other = whole.instance.store.account_by_tax_id(OTHER_TAX_ID)
    assert other is not None
    key = whole.auth(whole.new_key(other.merchant.id))
    path = f"/v1/prepaid/{account['id']}"
    for headers in (key, whole.official()):
        problem(whole.client.get(path, headers=headers), 404, "prepaid_unknown")
    back = {"request_id": Numbers.new()}
    problem(say(whole, f"{path}/refund", back, wallet=RED), 404, "prepaid_unknown")
    found = whole.client.get("/v1/prepaid", headers=key).get_json()
    assert account["id"] not in [one["id"] for one in found["accounts"]]


def test_a_merchant_lists_its_own_by_pages(whole: Desk) -> None:
    ids = [opened(whole)["id"] for _ in range(3)]
    seen: list[str] = []
    after: str | None = "0"
    while after is not None:
        query = f"/v1/prepaid?limit=2&after={after}"
        page = whole.client.get(query, headers=whole.auth()).get_json()
        seen += [one["id"] for one in page["accounts"]]
        after = page["next"]
    assert seen[-3:] == ids
    assert len(set(seen)) == len(seen)


def test_what_is_caught_or_forged_says_nothing(whole: Desk) -> None:
    said, path = request(), "/v1/prepaid"
    for off in (-301, 301):
        problem(say(whole, path, said, off=off), 403, "wallet_time_over")
    for text in ("", "soon", "1" * 40, "-1", "01"):
        answer = say(whole, path, said, changed={"Wallet-Time": text})
        problem(answer, 403, "wallet_time_over")
    for name in ("", "no-bank", "../blue-bank", "Blue-Bank", "b" * 41):
        problem(say(whole, path, said, changed={"Wallet": name}), 403, "wallet_unknown")
    for answer in (
        say(whole, path, said, signer=RED),
        say(whole, path, said, changed={"Wallet-Signature": "no base64"}),
        say(whole, path, said, changed={"Wallet-Signature": ""}),
        say(whole, path, said, signed="/v1/prepaid/x"),
        look(whole, opened(whole), signer=RED),
    ):
        problem(answer, 403, "wallet_signature_invalid")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"amount": 0}, 422, "amount_out_of_range"),
        ({"amount": "1"}, 422, "amount_not_fen"),
        ({"merchant": "1"}, 422, "tax_id_invalid"),
        ({"merchant": "914403001922038216"}, 404, "merchant_unknown"),
        ({"expires_at": "2027-11-21"}, 422, "time_invalid"),
        ({"expires_at": "2026-11-21T04:00:00Z"}, 422, "prepaid_term"),
        ({"expires_at": "2037-11-21T04:30:00Z"}, 422, "prepaid_term"),
        ({"terms": " "}, 422, "text_empty"),
        ({"request_id": ""}, 422, "text_empty"),
        ({"more": 1}, 422, "unknown_field"),
    ],
)
def test_what_is_wrong_is_said(
    whole: Desk, changes: dict[str, object], status: int, code: str
) -> None:
    problem(say(whole, "/v1/prepaid", request(**changes)), status, code)


def test_without_keys_no_wallet_may_call(desk: Desk) -> None:
    problem(desk.client.post("/v1/prepaid", data=b"x"), 404, "prepaid_off")
    problem(desk.client.get(f"/v1/prepaid/{'0' * 32}"), 404, "prepaid_off")


def test_a_key_that_cannot_be_read_is_the_operator_s(tmp_path: Path) -> None:
    settings = wallets.settings(tmp_path / "wallets")
    (tmp_path / "wallets" / f"{BLUE}.pem").write_bytes(b"no key")
    with Desk(tmp_path, **settings) as desk:
        answer = say(desk, "/v1/prepaid", request())
        problem(answer, 503, "wallet_keys_unreadable")
        assert str(tmp_path) not in answer.text
