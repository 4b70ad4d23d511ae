"""A till has its guests claim: bill, order, drawer and list say the same at every step."""

import re
from typing import Any

import pytest

from chain.errors import UnavailableError
from tests.api.desk import problem
from tests.documents.printer import Printer
from tests.web.till.counter import COMPANY, NOODLES, TEA, Counter, Till, cash, new_id
from tests.web.till.test_events import Watcher

DAY = "2026-11-21"
WHOLE: list[dict[str, Any]] = [{}]
CARD = [{"kind": "card", "amount": 2800}]


def order(till: Till, *lines: dict[str, Any], bill: str = "", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """An order of a bill at the counter."""
    asked = {"version": 0, "bill": {"lines": list(lines or [NOODLES])}, "shares": WHOLE, **more}
    found: dict[str, Any] = till.do("POST", f"bills/{bill or new_id()}/order", asked)["order"]
    return found


def claim(counter: Counter, made: dict[str, Any], mine: str = "a", **fields: str) -> int:
    """Somebody's telephone; the answer's status."""
    found = counter.instance.store.order(made["id"], None)
    assert found is not None
    link = counter.instance.claims.links.url(found.order)
    form = {"mine": mine * 32, **fields}
    phone = counter.app.test_client(use_cookies=False)
    return phone.post(link.removeprefix("https://fapiao.test"), data=form).status_code


def now(till: Till, made: dict[str, Any]) -> dict[str, Any]:
    return till.read(f"orders/{made['id']}")


def later(counter: Counter) -> None:
    """The time of all orders is over."""
    counter.anchor()
    counter.clock.forward(seconds=60)


def states(till: Till) -> list[str]:
    return [one["state"] for one in till.read("orders", day=DAY)["orders"]]


def expected(till: Till) -> dict[str, int]:
    """What should be in the drawer, as closing says."""
    shift = till.read("state")["shift"]
    found: dict[str, int] = till.do(
        "POST", f"shifts/{shift['id']}/close", {"counted": {"cash": 0}}
    )["expected"]
    return found


def test_an_order_goes_from_open_to_claimed_and_other_tills_hear_of_it(counter: Counter) -> None:
    page = Watcher(counter.zhang)
    made = order(counter.li, NOODLES, TEA)
    assert (made["order_id"], made["total"], made["left"]) == ("P0001", 3700, 3700)
    assert (made["state"], states(counter.zhang)) == ("open", ["open"])
    assert ("order", made["id"]) in [(kind, data.get("id")) for kind, data in page.look()]
    counter.li.do("POST", f"orders/{made['id']}/paid", {"payments": [cash(3700)["payments"][0]]})
    assert states(counter.li) == ["paid"]
    assert claim(counter, made, **COMPANY) == 303
    found = now(counter.zhang, made)
    assert (found["state"], found["left"]) == ("claimed", 0)
    assert found["shares"][0]["lines"] == [NOODLES["name"], TEA["name"]]
    assert "buyer" not in str(found)
    assert COMPANY["name"] not in str(found)
    (row,) = counter.li.read("invoices", day=DAY)["invoices"]
    assert (row["order_id"], row["buyer_name"]) == ("P0001", COMPANY["name"])
    assert row["payments"] == [{"kind": "cash", "amount": 3700}]
    assert row["by"]["name"] == "Li"
    assert [kind for kind, _ in page.look()].count("order") == 1  # the same twice is told once


def test_the_same_press_twice_is_one_order_and_the_bill_is_nobody_s_any_more(
    counter: Counter,
) -> None:
    bill = new_id()
    made = order(counter.li, bill=bill, payments=CARD)
    assert order(counter.li, bill=bill, payments=CARD) == made
    assert len(states(counter.li)) == 1
    assert counter.rows("SELECT kind, amount FROM claim_money") == [("card", 2800)]
    sell = {"version": 0, "bill": {"lines": [NOODLES]}, "parts": [cash(2800)]}
    refused = counter.zhang.refused("POST", f"bills/{bill}/settle", sell)
    assert (refused["code"], refused["order"]) == ("bill_settled", made["id"])
    again = counter.zhang.refused("POST", f"bills/{bill}/settle", {"version": 2})
    assert (again["code"], again["order"]) == ("bill_settled", made["id"])
    other = {"version": 0, "bill": {"lines": [TEA]}, "shares": WHOLE}
    assert counter.li.refused("POST", f"bills/{bill}/order", other)["code"] == "bill_settled"
    assert counter.count() == 0


def test_a_table_s_bill_is_an_order_and_its_person_is_forgotten(counter: Counter) -> None:
    bill = new_id()
    person = {"kind": "individual", "name": "欧阳小明"}
    kept = {"version": 0, "table": "5", "lines": [NOODLES], "buyer": person}
    counter.li.do("PUT", f"bills/{bill}", kept)
    stale = {"version": 0, "shares": WHOLE}
    assert counter.zhang.refused("POST", f"bills/{bill}/order", stale)["code"] == "bill_changed"
    made = counter.zhang.do("POST", f"bills/{bill}/order", {"version": 1, "shares": WHOLE})["order"]
    assert counter.li.read("state")["bills"] == []
    assert counter.rows("SELECT buyers, buyer_key FROM till_bills") == [(b"", 0)]
    counter.li.do("DELETE", f"orders/{made['id']}")
    (open_again,) = counter.li.read("state")["bills"]
    assert (open_again["id"], open_again["table"], open_again["lines"][0]["name"]) == (
        bill,
        "5",
        NOODLES["name"],
    )
    assert "buyer" not in open_again


def test_cancelled_the_money_goes_back_and_the_bill_is_sold_under_the_same_number(
    counter: Counter,
) -> None:
    bill = new_id()
    made = order(counter.li, bill=bill, payments=[{"kind": "cash", "amount": 2800}])
    gone = counter.li.do("DELETE", f"orders/{made['id']}")
    assert (gone["state"], gone["money"]) == ("cancelled", [])
    assert counter.li.do("DELETE", f"orders/{made['id']}")["state"] == "cancelled"
    assert claim(counter, made) == 410
    (open_again,) = counter.li.read("state")["bills"]
    asked = {"version": open_again["version"], "parts": [{"payments": CARD}]}
    sold = counter.li.do("POST", f"bills/{bill}/settle", asked)
    assert sold["order_id"] == "P0001"
    paid = {"payments": CARD}
    path = f"orders/{made['id']}/paid"
    assert counter.li.refused("POST", path, paid)["code"] == "order_cancelled"
    assert expected(counter.li) == {"cash": 0, "card": 2800}


def test_money_is_in_the_drawer_of_whoever_took_it_and_once(counter: Counter) -> None:
    first, second = order(counter.li), order(counter.li, TEA)
    path = f"orders/{first['id']}/paid"
    short = {"payments": [{"kind": "cash", "amount": 2799}]}
    refused = counter.li.refused("POST", path, short)
    assert (refused["code"], refused["total"]) == ("payments_differ", 2800)
    for kind in ("cash", "wechat"):
        counter.li.do("POST", path, {"payments": [{"kind": kind, "amount": 2800}]})
    assert now(counter.li, first)["money"] == [{"kind": "cash", "amount": 2800}]
    for change in ("UPDATE claim_money SET amount = 1", "DELETE FROM claim_money"):
        with (
            pytest.raises(UnavailableError, match="frozen"),
            counter.instance.store.connections.writing() as rows,
        ):
            rows.execute(change)
    mixed = [{"kind": "alipay", "amount": 500}, {"kind": "cash", "amount": 400}]
    counter.li.do("POST", f"orders/{second['id']}/paid", {"payments": mixed})
    assert expected(counter.li) == {"cash": 3200, "alipay": 500}


def test_guests_by_dish_get_their_own_to_the_fen_and_none_another_s(counter: Counter) -> None:
    thing = {"name": "*餐饮服务*鱼", "tax_rate": "0.06", "unit_price": 1000, "quantity": "3"}
    soup = {"name": "*餐饮服务*汤", "tax_rate": "0.06", "unit_price": 1000}
    shares = [
        {"lines": [{"line": 1, "quantity": "1"}]},
        {"lines": [{"line": 1, "quantity": "2"}]},
        {"lines": [{"line": 2}]},
    ]
    bill = {"lines": [thing, soup], "discount": 100}
    asked = {"version": 0, "bill": bill, "shares": shares}
    made = counter.li.do("POST", f"bills/{new_id()}/order", asked)["order"]
    assert [share["amount"] for share in made["shares"]] == [975, 1950, 975]
    page = counter.app.test_client().get(path_of(counter, made)).text
    assert "鱼" in page
    assert "汤" in page
    assert claim(counter, made, "a", part="1") == 303
    assert claim(counter, made, "b", part="1") == 409  # of the same amount, but not the same dish
    assert claim(counter, made, "b", part="3") == 303
    assert now(counter.li, made)["left"] == 1950
    issued = counter.rows("SELECT part, total FROM invoices ORDER BY part")
    assert issued == [(1, 975), (3, 975)]


def path_of(counter: Counter, made: dict[str, Any]) -> str:
    found = counter.instance.store.order(made["id"], None)
    assert found is not None
    return counter.instance.claims.links.url(found.order).removeprefix("https://fapiao.test")


def test_five_guests_share_and_the_till_closes_the_rest_by_itself(counter: Counter) -> None:
    amounts = [1667, 1667, 1667, 1667, 1666]
    thing = {"name": "*餐饮服务*全席", "tax_rate": "0.06", "unit_price": 8334}
    counter.instance.claims.seconds = 60
    made = order(counter.li, thing, shares=[{"amount": one} for one in amounts])
    assert [claim(counter, made, mine, part="1") for mine in "abc"] == [303] * 3
    found = now(counter.li, made)
    assert (found["left"], found["state"]) == (1667 + 1666, "open")
    refused = counter.li.refused("DELETE", f"orders/{made['id']}")
    assert refused["code"] == "order_claimed"
    later(counter)
    assert now(counter.li, made)["state"] == "expired"
    closed = counter.li.do("POST", f"orders/{made['id']}/rest")
    assert (closed["state"], closed["left"]) == ("claimed", 0)
    assert counter.li.do("POST", f"orders/{made['id']}/rest") == closed
    totals = [row[0] for row in counter.rows("SELECT total FROM invoices ORDER BY part")]
    assert totals == amounts
    assert counter.count() == 5


def test_an_order_whose_time_is_over_is_opened_again_by_the_same_link(counter: Counter) -> None:
    counter.instance.claims.seconds = 60
    made = order(counter.li)
    later(counter)
    assert claim(counter, made) == 410
    assert counter.li.do("POST", f"orders/{made['id']}/extension")["state"] == "open"
    assert claim(counter, made) == 303


def test_its_slip_is_a_sample_with_the_code_and_is_for_this_merchant_alone(
    counter: Counter,
) -> None:
    made = order(counter.li)
    slip = counter.li.get(f"orders/{made['id']}/slip", width="58")
    said = Printer(384).take(slip.data).texts
    assert "样本" in "".join(said)
    assert any("自助开票" in line for line in said)
    page = counter.li.browser.get(f"/till/orders/{made['id']}/receipt?width=80&print=1")
    assert page.status_code == 200
    assert re.search(r'src="/till/orders/[0-9a-f]{32}/code.svg"', page.text)
    code = counter.li.get(f"orders/{made['id']}/code.svg")
    assert (code.mimetype, code.headers["Cache-Control"]) == ("image/svg+xml", "no-store")
    token = path_of(counter, made).rpartition("/")[2]
    assert token not in str(now(counter.li, made))
    for path in ("", "/slip", "/code.svg"):
        problem(counter.wang.get(f"orders/{made['id']}{path}"), 404, "order_unknown")
    for path in ("paid", "rest", "extension"):
        refused = counter.wang.refused(
            "POST", f"orders/{made['id']}/{path}", {"payments": CARD} if path == "paid" else None
        )
        assert refused["code"] == "order_unknown"
    assert states(counter.wang) == []
    claim(counter, made)
    problem(counter.li.get(f"orders/{made['id']}/code.svg"), 409, "order_claimed")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"shares": []}, "no_lines"),
        ({"shares": [{"amount": 1}, {"amount": 2}]}, "parts_incomplete"),
        ({"shares": WHOLE, "payments": [{"kind": "cash", "amount": 1}]}, "payments_differ"),
        ({"shares": WHOLE, "bill": {"lines": []}}, "no_lines"),
        (
            {"shares": WHOLE, "bill": {"lines": [{**NOODLES, "tax_rate": "0.5"}]}},
            "tax_rate_unknown",
        ),
    ],
)
def test_what_could_never_be_claimed_is_refused_at_once(
    counter: Counter, asked: dict[str, Any], code: str
) -> None:
    sent = {"version": 0, "bill": {"lines": [NOODLES]}, **asked}
    found = counter.li.refused("POST", f"bills/{new_id()}/order", sent)
    assert found["code"] == code
    assert counter.rows("SELECT 1 FROM claim_orders") == []


def test_numbers_of_bills_and_orders_never_meet(counter: Counter) -> None:
    body = {"order_id": "P0001", "till": "1", "lines": [{**NOODLES}]}
    assert counter.post("/v1/orders", body).status_code == 201
    assert order(counter.li)["order_id"] == "P0002"
    assert counter.li.sell()["order_id"] == "P0003"
