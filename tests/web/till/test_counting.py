"""Shifts and figures: right to the fen, against sums made in another way."""

import json
import random
from collections import Counter as Tally
from typing import Any

import pytest

from tests.web.till.counter import NOODLES, TEA, Counter, Till, new_id

DAY = "2026-11-21"


def opened(till: Till, change: int = 20_000) -> str:
    """A shift with so much in its drawer."""
    shift = new_id()
    till.do("POST", "shifts", {"id": shift, "till": "1", "float": change})
    return shift


def closed(till: Till, shift: str, cash: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return till.do("POST", f"shifts/{shift}/close", {"counted": {"cash": cash}, **more})


def test_a_shift_counts_what_was_paid_in_it(counter: Counter) -> None:
    shift = opened(counter.zhang)
    sold = counter.zhang.sell(NOODLES, TEA)
    counter.li.sell(TEA)
    counter.zhang.take_back(sold, 2800, lines=[{"line": 1}])
    found = closed(counter.zhang, shift, 21_700)
    assert found["expected"] == {"cash": 20_000 + 3700 + 900 - 2800}
    assert found["difference"] == {"cash": -100}
    assert (found["figures"]["count"], found["figures"]["net"]) == (2, 1800)
    assert found["closed_by"]["name"] == "Zhang"
    assert closed(counter.zhang, shift, 21_700) == found
    again = {"counted": {"cash": 1}}
    problem = counter.zhang.refused("POST", f"shifts/{shift}/close", again)
    assert problem["code"] == "shift_closed"
    (row,) = counter.zhang.read("shifts", month="2026-11")["shifts"]
    assert (row["id"], row["difference"]) == (shift, {"cash": -100})


def test_what_is_sold_after_closing_is_of_the_next_shift(counter: Counter) -> None:
    closed(counter.zhang, opened(counter.zhang), 20_000)
    counter.zhang.sell()
    state = counter.zhang.read("state")
    assert state["shift"]["float"] == 0
    assert closed(counter.zhang, state["shift"]["id"], 2800)["difference"] == {"cash": 0}


def test_opening_is_once(counter: Counter) -> None:
    shift = opened(counter.zhang)
    again = {"id": shift, "till": "1", "float": 20_000}
    assert counter.zhang.do("POST", "shifts", again)["id"] == shift
    other = {"id": new_id(), "till": "1", "float": 0}
    assert counter.zhang.refused("POST", "shifts", other)["code"] == "till_open"
    nowhere = {"id": new_id(), "till": "2", "float": 0}
    assert counter.zhang.refused("POST", "shifts", nowhere)["code"] == "till_unknown"


def test_open_bills_are_named_or_carried(counter: Counter) -> None:
    shift, bill = opened(counter.zhang), new_id()
    counter.zhang.do("PUT", f"bills/{bill}", {"version": 0, "lines": [TEA]})
    body = {"counted": {"cash": 20_000}}
    problem = counter.zhang.refused("POST", f"shifts/{shift}/close", body)
    assert (problem["code"], problem["bills"]) == ("bills_open", [bill])
    assert closed(counter.zhang, shift, 20_000, carry=True)["difference"] == {"cash": 0}
    assert [one["id"] for one in counter.zhang.read("state")["bills"]] == [bill]


def test_the_trail_has_openings_and_closings(counter: Counter) -> None:
    shift = opened(counter.li)
    closed(counter.li, shift, 19_999)
    begun, done = counter.acts("shift")
    assert {act["subject"] for act in (begun, done)} == {f"shift:{shift}"}
    assert {act["actor"] for act in (begun, done)} == {f"person:{counter.people['li'].id}"}
    assert (done["after"]["expected_cash"], done["after"]["counted_cash"]) == (20_000, 19_999)


def test_another_merchants_shift_is_not_there(counter: Counter) -> None:
    shift = opened(counter.zhang)
    problem = counter.wang.refused("POST", f"shifts/{shift}/close", {"counted": {}})
    assert problem["code"] == "shift_unknown"
    assert counter.wang.read("shifts", month="2026-11")["shifts"] == []


def a_busy_day(counter: Counter, seed: int) -> None:
    """Sales by two people in several ways, discounts, shares, returns, and a program's own."""
    draw = random.Random(seed)
    sold = []
    for number in range(12):
        till = draw.choice([counter.zhang, counter.li])
        lines: list[dict[str, Any]] = [
            {**draw.choice([NOODLES, TEA]), "quantity": str(draw.randint(1, 3))}
            for _ in range(draw.randint(1, 3))
        ]
        total = sum(int(line["unit_price"]) * int(line["quantity"]) for line in lines)
        off = draw.choice([0, 0, 7, 101])
        cash = draw.randint(0, total - off)
        ways = [("cash", cash), (draw.choice(["wechat", "card"]), total - off - cash)]
        paid = [{"kind": kind, "amount": amount} for kind, amount in ways]
        bill = {"lines": lines, "discount": off}
        asked = {"version": 0, "bill": bill, "parts": [{"payments": paid}]}
        sold.append(till.do("POST", f"bills/{new_id()}/settle", asked))
        if number % 4 == 3:
            back = draw.choice(sold)
            sold.remove(back)
            till.take_back(back, back["invoices"][0]["total_amount"])
        if number % 5 == 0:
            counter.issue(f"A{number}", business_day=DAY, till="2")
    counter.issue("plain")


@pytest.mark.parametrize("seed", range(3))
def test_figures_are_the_sums_of_the_database(counter: Counter, seed: int) -> None:
    a_busy_day(counter, seed)
    figures = counter.zhang.read("figures", day=DAY)
    rows = counter.rows("SELECT seq, type, total, tax, till, lines, rates FROM invoices")
    blue = [row for row in rows if row[1] == "blue"]
    assert (figures["count"], figures["total"]) == (len(blue), sum(row[2] for row in blue))
    assert figures["returned"] == -sum(row[2] for row in rows if row[1] == "red")
    net = sum(row[2] for row in rows)
    assert (figures["net"], figures["tax"]) == (net, sum(row[3] for row in rows))
    off = [line for row in blue for line in json.loads(row[5]) if "nature" in line]
    assert figures["discounts"] == -sum(line["amount"] + line["tax"] for line in off)
    for name in ("by_cashier", "by_till", "by_hour"):
        assert sum(row["net"] for row in figures[name]) == net, name
    assert sum(row["total"] for row in figures["by_rate"]) == net
    assert sum(row["total"] for row in figures["by_item"]) == net
    paid = Tally(dict(counter.rows("SELECT kind, sum(amount) FROM till_payments GROUP BY kind")))
    shown = {row["kind"]: row["amount"] for row in figures["by_payment"]}
    unrecorded = shown.pop("unrecorded")
    assert shown == {kind: amount for kind, amount in paid.items() if kind in shown}
    assert unrecorded + sum(shown.values()) == net
    assert counter.zhang.read("figures", month="2026-11") == figures
    assert counter.wang.read("figures", day=DAY)["count"] == 0


def test_a_return_counts_on_the_day_on_which_it_is_made(counter: Counter) -> None:
    sold = counter.zhang.sell()
    counter.anchor()
    counter.clock.forward(days=1)
    till = counter.new_till("zhang")
    till.take_back(sold, 2800)
    assert till.read("figures", day=DAY)["net"] == 2800
    assert till.read("figures", day="2026-11-22")["net"] == -2800
    assert till.read("figures", month="2026-11")["net"] == 0
