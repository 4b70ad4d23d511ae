"""A bill in parts that is not gone on with: what is sold stays, the rest is sold anew, once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from invoice_service.services.till.ports import Bill
from invoice_service.storage.sqlite.till import bills
from tests.api.desk import problem
from tests.web.till.counter import COMPANY, NOODLES, TEA, Counter, cash, new_id

PARTS = [
    {"lines": [{"line": 1, "quantity": "1"}, {"line": 2}], **cash(3621), "buyer": COMPANY},
    {"lines": [{"line": 1, "quantity": "2"}], **cash(5479)},
]
CONTENT = {"lines": [{**NOODLES, "quantity": "3"}, TEA], "discount": 200}


@pytest.fixture
def half(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The bill of which the first part is sold: the quota was lowered just after it was fixed."""
    store, mine = counter.instance.store, counter.restaurant.merchant.id
    fix = bills.BillRows.fix_bill

    def fix_and_lower(*call: Any) -> Bill:  # noqa: ANN401 # as it is called
        fixed = fix(*call)
        store.set_quota(mine, 1, counter.instance.operator())
        return fixed

    with monkeypatch.context() as patch:
        patch.setattr(bills.BillRows, "fix_bill", fix_and_lower)
        bill = new_id()
        asked = {"version": 0, "bill": {**CONTENT, "table": "5"}, "parts": PARTS}
        refused = counter.zhang.refused("POST", f"bills/{bill}/settle", asked)
    assert refused["code"] == "quota_exhausted"
    store.set_quota(mine, None, counter.instance.operator())
    found: dict[str, Any] = refused["bill"]
    assert [one["total_amount"] for one in found["sold"]] == [3621]
    return found


def undo(half: dict[str, Any]) -> tuple[str, str, dict[str, int]]:
    return "POST", f"bills/{half['id']}/undo", {"version": half["version"]}


def test_what_is_sold_stays_and_the_rest_is_open_again(
    counter: Counter, half: dict[str, Any]
) -> None:
    done = counter.li.do(*undo(half))
    assert counter.li.do(*undo(half)) == done  # the same call again
    (stays,) = done["invoices"]
    assert (stays["order_id"], stays["total_amount"]) == ("P0001", 3621)
    assert stays["payments"] == [{"kind": "cash", "amount": 3621}]
    (open_,) = counter.zhang.read("state")["bills"]
    assert open_ == done["bill"]
    assert (open_["table"], open_.get("discount", 0)) == ("5", 0)
    assert [(one["quantity"], one["discount"]) for one in open_["lines"]] == [("2", 121)]
    asked = {"version": open_["version"], "parts": [cash(5479)]}
    sold = counter.zhang.do("POST", f"bills/{half['id']}/settle", asked)
    assert (sold["order_id"], sold["invoices"][0]["total_amount"]) == ("P0002", 5479)
    assert counter.rows("SELECT sum(total), count(*) FROM invoices") == [(9100, 2)]
    assert counter.rows("SELECT sum(amount) FROM till_payments") == [(9100,)]
    late = counter.li.refused(*undo(half))
    assert (late["code"], late["invoices"][0]["total_amount"]) == ("bill_settled", 5479)


def test_what_stays_is_taken_back_like_any_other(counter: Counter, half: dict[str, Any]) -> None:
    (stays,) = counter.zhang.do(*undo(half))["invoices"]
    counter.zhang.take_back({"invoices": [stays]}, 3621)
    assert counter.rows("SELECT sum(total) FROM invoices") == [(0,)]
    assert counter.zhang.read("figures", day="2026-11-21")["total"] == 3621
    assert counter.zhang.read("figures", day="2026-11-21")["returned"] == 3621


def test_no_further_part_is_sold_under_its_number(counter: Counter, half: dict[str, Any]) -> None:
    """Not by who was finishing it, and not by a program."""
    counter.zhang.do(*undo(half))
    finish = {"version": half["version"]}
    refused = counter.li.refused("POST", f"bills/{half['id']}/settle", finish)
    assert (refused["code"], refused["bill"]["lines"][0]["quantity"]) == ("bill_changed", "2")
    place = {"order_id": "P0001", "till": "1", "business_day": "2026-11-21"}
    part = {"part": 2, "parts": 2, "order_total": 9100, **place, "lines": [NOODLES]}
    answer = counter.post("/v1/invoices", part, counter.auth(counter.key))
    problem(answer, 409, "order_parts_conflict")
    assert counter.count() == 1


def test_finishing_and_undoing_at_once_sell_nothing_twice(
    counter: Counter, half: dict[str, Any]
) -> None:
    """Whoever is first: the parts' sum and what is open are the bill, and all is booked."""
    finish = ("POST", f"bills/{half['id']}/settle", {"version": half["version"]})
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(counter.zhang.send, *finish)
        other = pool.submit(counter.li.send, *undo(half))
        codes = {one.result().status_code, other.result().status_code}
    assert 200 in codes
    ((sold,),) = counter.rows("SELECT sum(total) FROM invoices")
    open_ = counter.zhang.read("state")["bills"]
    assert sold == (3621 if open_ else 9100)
    assert [one["lines"][0]["quantity"] for one in open_] == (["2"] if open_ else [])
    assert counter.rows("SELECT sum(amount) FROM till_payments") == [(sold,)]


@pytest.mark.parametrize("version", [0, 99])
def test_only_what_is_looked_at_is_undone(
    counter: Counter, half: dict[str, Any], version: int
) -> None:
    refused = counter.li.refused("POST", f"bills/{half['id']}/undo", {"version": version})
    assert (refused["code"], refused["bill"]["settling"]) == ("bill_changed", True)
    assert counter.li.refused("POST", f"bills/{new_id()}/undo", {"version": 1})["code"] == (
        "bill_changed"
    )
    assert counter.wang.refused(*undo(half))["code"] == "bill_changed"
    assert counter.rows("SELECT count(*) FROM till_undone") == [(0,)]


def test_an_open_bill_is_not_undone(counter: Counter) -> None:
    bill = new_id()
    counter.zhang.do("PUT", f"bills/{bill}", {"version": 0, "lines": [TEA]})
    refused = counter.zhang.refused("POST", f"bills/{bill}/undo", {"version": 1})
    assert (refused["code"], refused["bill"]["version"]) == ("bill_changed", 1)
