"""Erasing a person among the buyers over HTTP, and what everybody gets to see afterwards."""

import re
from html import unescape
from typing import Any

import pytest

from invoice_service.pilot.clients import PATH as PILOT
from invoice_service.services.people.ports import SCOPES, KeyTerms
from tests.api.desk import MEAL, UNKNOWN, Desk, problem
from tests.domain.samples import company

NAME = "欧阳娜娜"
PERSON = {"name": NAME, "payment_id": "wx-4711"}


@pytest.fixture
def owner(desk: Desk) -> dict[str, str]:
    """The restaurant's own key, for all that a merchant may do."""
    terms = KeyTerms(scopes=SCOPES["merchant"])
    return desk.auth(desk.new_key(desk.restaurant.merchant.id, terms))


def path(invoice: dict[str, Any]) -> str:
    return f"/v1/invoices/{invoice['hash']}/buyer/erasure"


def erase(desk: Desk, invoice: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    answer = desk.client.post(path(invoice), headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_the_owner_and_the_bureau_erase_a_buyer_once(desk: Desk, owner: dict[str, str]) -> None:
    first, second = desk.issue("T1", buyer=PERSON), desk.issue("T2", buyer=PERSON)
    said = {"hash": first["hash"], "erased_at": "2026-11-21T04:30:00Z"}
    assert erase(desk, first, owner) == said
    desk.clock.forward(hours=1)
    assert erase(desk, first, desk.official()) == said
    assert erase(desk, second, desk.official())["erased_at"] == "2026-11-21T05:30:00Z"
    acts = desk.client.get("/v1/trail?type=erasure", headers=desk.official()).get_json()["acts"]
    assert [act["subject"] for act in acts] == [
        f"invoice:{invoice['code']}-{invoice['number']}" for invoice in (first, second)
    ]
    assert NAME not in str(acts)


def test_a_till_may_not_and_strangers_find_nothing(desk: Desk, owner: dict[str, str]) -> None:
    invoice = desk.issue(buyer=PERSON)
    problem(desk.client.post(path(invoice), headers=desk.auth()), 403, "scope_required")
    problem(desk.client.post(path(invoice)), 401, "key_missing")
    other = desk.new_merchant("914403001922038216", "咖啡馆").merchant.id
    theirs = desk.auth(desk.new_key(other, KeyTerms(scopes=SCOPES["merchant"])))
    refused = [
        problem(desk.client.post(where, headers=theirs), 404, "invoice_unknown")
        for where in (path(invoice), path({"hash": UNKNOWN}))
    ]
    assert refused[0] == refused[1]
    detail = desk.client.get(f"/v1/invoices/{invoice['hash']}", headers=owner).get_json()
    assert detail["buyer"]["name"] == NAME


@pytest.mark.parametrize("buyer", [company(), {"kind": "individual"}])
def test_companies_and_nobody_are_refused(
    desk: Desk, owner: dict[str, str], buyer: dict[str, str]
) -> None:
    invoice = desk.issue(buyer=buyer)
    problem(desk.client.post(path(invoice), headers=owner), 403, "buyer_not_erasable")


def test_afterwards_nobody_is_told_who_it_was(desk: Desk, owner: dict[str, str]) -> None:
    invoice = desk.issue(buyer=PERSON)
    desk.anchor()
    address = f"/v1/invoices/{invoice['hash']}"
    before = desk.client.get(address).get_json()
    assert "buyer_erased" not in before
    erase(desk, invoice, owner)
    for headers in ({}, owner, desk.official()):
        detail = desk.client.get(address, headers=headers).get_json()
        assert (detail["buyer"], detail["buyer_erased"]) == (before["buyer"], True)
        assert detail["face"] == before["face"]
        proof = desk.client.get(f"{address}/proof", headers=headers)
        assert proof.get_json()["groups"]["buyer"] == before["buyer"]
        for answer in (proof, desk.client.get(f"{address}/receipt", headers=headers)):
            assert answer.status_code == 200
            assert NAME not in answer.get_data(as_text=True)
    slip = desk.client.get(f"{address}/slip", headers=owner)
    assert "已删除".encode("gb18030") in slip.data
    assert NAME.encode("gb18030") not in slip.data


def test_checks_say_that_the_buyer_was_erased(desk: Desk, owner: dict[str, str]) -> None:
    invoice = desk.issue(buyer=PERSON)
    desk.anchor()
    erase(desk, invoice, owner)
    asked = {"tx_hash": invoice["hash"], "bill_num": invoice["number"]}
    record = desk.client.post(PILOT, json=asked | {"total_amount": str(invoice["total"])})
    assert record.get_json()["bill_record"]["buyer_name"] == "已删除"
    found = desk.client.get("/v1/verifications", query_string={"qr": invoice["qr"]}).get_json()
    assert (found["verdict"], found["buyer_name"]) == ("authentic", "已删除")
    assert found["buyer_erased"] is True
    scan = invoice["qr"].removeprefix("https://fapiao.test")
    for language, said in (("en", "Erased at its person's wish"), ("zh-CN", "已应本人要求删除")):
        page = desk.client.get(scan, headers={"Accept-Language": language})
        assert re.search(rf"<dd[^>]*>{said}</dd>", unescape(page.text)), page.text


def test_it_comes_back_and_is_sold_again(desk: Desk, owner: dict[str, str]) -> None:
    invoice = desk.issue(buyer=PERSON, business_day="2026-11-21")
    erase(desk, invoice, owner)
    body = {"order_id": "T1", "buyer": PERSON, "business_day": "2026-11-21"}
    again = desk.post("/v1/invoices", body | {"lines": [MEAL]})
    assert (again.status_code, again.get_json()["hash"]) == (200, invoice["hash"])
    red = desk.reverse(invoice)
    detail = desk.client.get(f"/v1/invoices/{red['hash']}", headers=owner).get_json()
    assert (detail["buyer"]["kind"], detail["buyer"]["name"]) == ("individual", "")
    anew = desk.issue(buyer=PERSON, business_day="2026-11-21", replaces=invoice["hash"])
    assert anew["hash"] not in (invoice["hash"], red["hash"])
