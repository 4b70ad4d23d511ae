"""Returns at the till: as much as is left, paid back to the fen, once."""

from typing import Any

import pytest

from tests.web.till.counter import NOODLES, TEA, Counter, new_id


def reversal(sold: dict[str, Any]) -> str:
    return f"invoices/{sold['invoices'][0]['hash']}/reversal"


def refund(paid_back: int, **more: object) -> dict[str, Any]:
    paid = [{"kind": "cash", "amount": paid_back}]
    return {"id": new_id(), "reason": "SALES_RETURN", "refund": paid, **more}


def test_a_whole_invoice(counter: Counter) -> None:
    sold = counter.zhang.sell(NOODLES, TEA)
    back = counter.zhang.do("POST", reversal(sold), refund(3700))
    (red,) = back["invoices"]
    assert (red["total_amount"], red["state"], red["by"]["name"]) == (-3700, "red", "Zhang")
    assert (back["invoice"]["state"], back["invoice"]["left"]) == ("full", 0)
    assert red["payments"] == [{"kind": "cash", "amount": -3700}]


def test_one_line_then_an_amount_then_the_rest(counter: Counter) -> None:
    sold = counter.zhang.sell({**NOODLES, "quantity": "2"}, TEA)
    lines = [{"line": 1, "quantity": "1"}]
    first = counter.zhang.do("POST", reversal(sold), refund(2800, lines=lines))
    assert (first["invoice"]["state"], first["invoice"]["left"]) == ("part", 3700)
    counter.zhang.do("POST", reversal(sold), refund(100, amount=100))
    shown = counter.zhang.read(f"invoices/{sold['invoices'][0]['hash']}")
    assert [line["quantity_left"] for line in shown["lines"]] == ["1", "1"]
    assert sum(line["left"] for line in shown["lines"]) == 3600
    assert [red["total_amount"] for red in shown["red"]] == [-2800, -100]
    rest = counter.zhang.do("POST", reversal(sold), refund(3600))
    assert rest["invoice"]["state"] == "full"


def test_the_same_return_again_is_the_same(counter: Counter) -> None:
    sold, asked = counter.zhang.sell(), refund(2800)
    first = counter.zhang.do("POST", reversal(sold), asked)
    again = counter.zhang.do("POST", reversal(sold), asked)
    assert first["invoices"][0]["hash"] == again["invoices"][0]["hash"]
    assert counter.count() == 2
    other = {**asked, "reason": "ISSUE_ERROR"}
    assert counter.zhang.refused("POST", reversal(sold), other)["code"] == "till_id_taken"


@pytest.mark.parametrize(
    ("more", "amount", "code"),
    [
        ({}, 2799, "payments_differ"),
        ({"amount": 2801}, 2801, "return_too_large"),
        ({"lines": [{"line": 2}]}, 2800, "line_unknown"),
        ({"lines": [{"line": 1, "quantity": "2"}]}, 5600, "return_too_large"),
        ({"reason": "HUNGER"}, 2800, "value_unknown"),
        ({"id": "x"}, 2800, "till_id_invalid"),
    ],
)
def test_what_cannot_come_back(
    counter: Counter, more: dict[str, Any], amount: int, code: str
) -> None:
    sold = counter.zhang.sell()
    problem = counter.zhang.refused("POST", reversal(sold), refund(amount, **more))
    assert problem["code"] == code
    if code == "payments_differ":
        assert problem["total"] == 2800
    assert counter.count() == 1
    assert counter.rows("SELECT count(*) FROM till_returns") == [(0,)]


def test_twice_is_once(counter: Counter) -> None:
    sold = counter.zhang.sell()
    counter.zhang.take_back(sold, 2800)
    assert counter.zhang.refused("POST", reversal(sold), refund(0))["code"] == "already_reversed"


def test_another_merchants_invoice_is_not_there(counter: Counter) -> None:
    sold = counter.zhang.sell()
    hash_ = sold["invoices"][0]["hash"]
    answers = [
        counter.wang.get(f"invoices/{hash_}"),
        counter.wang.get(f"invoices/{hash_}/slip"),
        counter.wang.send("POST", f"invoices/{hash_}/prints"),
        counter.wang.send("POST", reversal(sold), refund(2800)),
    ]
    missing = counter.wang.get(f"invoices/{'01' + '0' * 64}")
    assert {answer.get_json()["code"] for answer in [*answers, missing]} == {"invoice_unknown"}
    assert counter.wang.read("invoices")["invoices"] == []


def test_the_trail_says_who_took_back_what(counter: Counter) -> None:
    sold = counter.li.sell()
    counter.li.take_back(sold, 2800)
    (act,) = counter.acts("return")
    assert act["actor"] == f"person:{counter.people['li'].id}"
    assert act["after"] == {"invoice": 1, "red": 2, "till": "1", "paid_cash": -2800}


def test_what_a_program_has_sold_comes_back_at_the_till_too(counter: Counter) -> None:
    invoice = counter.issue("T1", lines=[TEA])
    sold = {"invoices": [{"hash": invoice["hash"]}]}
    assert counter.zhang.take_back(sold, 900)["invoice"]["by"] is None
    assert counter.zhang.sell(NOODLES, bill=new_id())["order_id"] == "P0001"
