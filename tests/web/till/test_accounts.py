"""Prepaid accounts at a till: they pay an invoice alone, just what it comes to, and get it back."""

import json
from itertools import count
from typing import Any, Final

import pytest

from invoice_service.services.prepaid.ports import Whole
from invoice_service.services.till.selling import Selling
from tests.api.desk import OTHER_TAX_ID, TAX_ID
from tests.web.till.counter import NOODLES, TEA, Counter, Till, cash, new_id

WALLET: Final = "digital-yuan"
_REQUESTS: Final = count(1)


def opened(counter: Counter, amount: int = 10_000, merchant: str = TAX_ID) -> str:
    """A new account's id."""
    said = {
        "request_id": f"R{next(_REQUESTS)}",
        "merchant": merchant,
        "amount": amount,
        "terms": "十次商务午餐",
        "expires_at": "2027-11-21T04:30:00Z",
    }
    return counter.instance.prepaid.open(WALLET, json.dumps(said).encode()).whole.account.id


def account_of(counter: Counter, account: str) -> Whole:
    """As it stands."""
    return counter.instance.prepaid.one(account)


def held(counter: Counter, account: str) -> int:
    """Fen that are left in it."""
    return account_of(counter, account).sums.held


def paid(account: str, amount: int) -> dict[str, Any]:
    """A part that an account pays."""
    return {"payments": [{"kind": "prepaid", "amount": amount}], "prepaid": account}


def sale(*parts: dict[str, Any], **bill: Any) -> dict[str, Any]:  # noqa: ANN401
    """A direct sale of a bowl of noodles and a tea: 37 yuan."""
    return {"version": 0, "bill": {"lines": [NOODLES, TEA], **bill}, "parts": list(parts)}


def test_a_till_sees_what_an_account_holds(counter: Counter) -> None:
    account = opened(counter)
    found = counter.li.read(f"prepaid/{account}")
    assert found == {
        "id": account,
        "wallet": WALLET,
        "terms": "十次商务午餐",
        "state": "open",
        "ending": None,
        "held": 10_000,
        "expires_at": "2027-11-21T12:30:00+08:00",
    }


def test_another_merchants_account_is_not_there(counter: Counter) -> None:
    for account in (opened(counter, merchant=OTHER_TAX_ID), "0" * 32):
        answer = counter.zhang.get(f"prepaid/{account}")
        assert (answer.status_code, answer.get_json()["code"]) == (404, "prepaid_unknown")
        body = sale(paid(account, 3700))
        problem = counter.zhang.refused("POST", f"bills/{new_id()}/settle", body)
        assert (problem["code"], problem["pointer"]) == ("prepaid_unknown", "/parts/0/prepaid")
    assert counter.count() == 0


def test_an_invoice_releases_just_what_it_comes_to_once(counter: Counter) -> None:
    account, bill = opened(counter), new_id()
    sold = counter.zhang.do("POST", f"bills/{bill}/settle", sale(paid(account, 3700)))
    assert counter.zhang.do("POST", f"bills/{bill}/settle", sale(paid(account, 3700))) == sold
    whole = account_of(counter, account)
    assert (whole.sums.held, whole.sums.released) == (6300, 3700)
    (release,) = [event for event in whole.events if event.kind == "release"]
    assert (release.amount, release.invoice) == (3700, sold["invoices"][0]["hash"])
    assert counter.rows("SELECT kind, amount FROM till_payments") == [("prepaid", 3700)]
    assert sold["change"] == 0


@pytest.mark.parametrize(
    ("payments", "named", "code"),
    [
        ({"prepaid": 3700}, False, "prepaid_pays_all"),
        ({"cash": 3700}, True, "prepaid_pays_all"),
        ({"prepaid": 3000, "cash": 700}, True, "prepaid_pays_all"),
        ({"prepaid": 3600}, True, "payments_differ"),
    ],
)
def test_an_account_pays_all_of_an_invoice_or_none(
    counter: Counter, payments: dict[str, int], *, named: bool, code: str
) -> None:
    account = opened(counter)
    part: dict[str, Any] = {
        "payments": [{"kind": kind, "amount": amount} for kind, amount in payments.items()]
    }
    if named:
        part["prepaid"] = account
    problem = counter.zhang.refused("POST", f"bills/{new_id()}/settle", sale(part))
    assert problem["code"] == code
    assert (counter.count(), held(counter, account)) == (0, 10_000)


def test_what_does_not_fit_is_refused_before_any_part_is_issued(counter: Counter) -> None:
    account = opened(counter, amount=3000)
    bill = new_id()
    first = {**paid(account, 2000), "amount": 2000}
    body = sale(first, {**paid(account, 1700), "amount": 1700})
    problem = counter.zhang.refused("POST", f"bills/{bill}/settle", body)
    assert (problem["code"], problem["pointer"]) == ("prepaid_short", "/parts/1/prepaid")
    assert problem["held"] == 1000
    assert (counter.count(), held(counter, account)) == (0, 3000)
    body = sale(first, {**cash(1700), "amount": 1700})
    counter.zhang.do("POST", f"bills/{bill}/settle", body)
    assert (counter.count(), held(counter, account)) == (2, 1000)


def test_an_account_that_has_ended_pays_nothing(counter: Counter) -> None:
    account = opened(counter)
    prepaid = counter.instance.prepaid
    prepaid.ask_back(prepaid.links.address(account_of(counter, account).account.sealed)[-24:])
    found = counter.zhang.read(f"prepaid/{account}")
    assert (found["state"], found["ending"]) == ("ended", "customer")
    problem = counter.zhang.refused("POST", f"bills/{new_id()}/settle", sale(paid(account, 3700)))
    assert problem["code"] == "prepaid_ended"
    assert counter.count() == 0


def test_an_account_emptied_meanwhile_leaves_the_bill_open(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at, and taken by another till before it is issued: issuing decides."""
    account, bill = opened(counter, amount=3700), new_id()
    with monkeypatch.context() as blind:
        blind.setattr(Selling, "_check_accounts", lambda *_: None)
        counter.zhang.do("POST", f"bills/{new_id()}/settle", sale(paid(account, 3700)))
        problem = counter.zhang.refused("POST", f"bills/{bill}/settle", sale(paid(account, 3700)))
    assert problem["code"] == "prepaid_short"
    (still,) = counter.zhang.read("state")["bills"] or [None]
    assert still is None or not still.get("settling")
    again = {"version": still["version"] if still else 0, "parts": [cash(3700)]}
    body = again if still else sale(cash(3700))
    counter.zhang.do("POST", f"bills/{bill}/settle", body)
    assert (counter.count(), held(counter, account)) == (2, 0)


def _back(till: Till, sold: dict[str, Any], amount: int, kind: str) -> tuple[str, dict[str, Any]]:
    path = f"invoices/{sold['invoices'][0]['hash']}/reversal"
    refund = [{"kind": kind, "amount": amount}]
    return path, {"id": new_id(), "reason": "SALES_RETURN", "amount": amount, "refund": refund}


def test_what_comes_back_goes_to_the_account_and_nothing_out_of_the_drawer(
    counter: Counter,
) -> None:
    account = opened(counter)
    zhang = counter.zhang
    sold = zhang.do("POST", f"bills/{new_id()}/settle", sale(paid(account, 3700)))
    assert zhang.read(f"invoices/{sold['invoices'][0]['hash']}")["prepaid"] is True
    problem = zhang.refused("POST", *_back(zhang, sold, 1000, "cash"))
    assert problem["code"] == "prepaid_goes_back"
    assert held(counter, account) == 6300
    for _ in range(2):
        zhang.do("POST", *_back(zhang, sold, 1000, "prepaid"))
    assert held(counter, account) == 8300
    shift = zhang.read("state")["shift"]
    closed = zhang.do("POST", f"shifts/{shift['id']}/close", {"counted": {"cash": 0}})
    assert closed["expected"] == {"cash": 0, "prepaid": 1700}
    assert closed["difference"] == {"cash": 0}


def test_what_no_account_paid_goes_into_none(counter: Counter) -> None:
    sold = counter.zhang.sell(NOODLES)
    assert counter.zhang.read(f"invoices/{sold['invoices'][0]['hash']}")["prepaid"] is False
    problem = counter.zhang.refused("POST", *_back(counter.zhang, sold, 1000, "prepaid"))
    assert problem["code"] == "prepaid_goes_back"


def test_an_invoice_that_a_program_had_paid_so_goes_back_alike(counter: Counter) -> None:
    """No page has sold it, so no page says how it was paid: the ledger does."""
    account = opened(counter, amount=100_000)
    invoice = counter.issue("A1", prepaid=account)
    sold = {"invoices": [invoice]}
    assert counter.zhang.read(f"invoices/{invoice['hash']}")["prepaid"] is True
    problem = counter.zhang.refused("POST", *_back(counter.zhang, sold, 1000, "cash"))
    assert problem["code"] == "prepaid_goes_back"
    before = held(counter, account)
    counter.zhang.do("POST", *_back(counter.zhang, sold, 1000, "prepaid"))
    assert held(counter, account) == before + 1000


def test_where_the_wallet_did_not_pay_money_may_go_back_as_it_came(counter: Counter) -> None:
    account = opened(counter)
    sold = counter.zhang.do("POST", f"bills/{new_id()}/settle", sale(paid(account, 3700)))
    no = {"request_id": "no", "hash": sold["invoices"][0]["hash"]}
    counter.instance.prepaid.refuse(WALLET, account, json.dumps(no).encode())
    assert held(counter, account) == 10_000
    counter.zhang.do("POST", *_back(counter.zhang, sold, 1000, "cash"))
    counter.zhang.do("POST", *_back(counter.zhang, sold, 2700, "prepaid"))
    assert held(counter, account) == 10_000


def test_an_order_of_guests_is_paid_by_money_alone(counter: Counter) -> None:
    body = {
        "version": 0,
        "shares": [{}],
        "bill": {"lines": [NOODLES]},
        "payments": [{"kind": "prepaid", "amount": 2800}],
    }
    problem = counter.zhang.refused("POST", f"bills/{new_id()}/order", body)
    assert problem["status"] == 422
