"""Bills and settling: what is sold is issued once, and booked to the fen."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from chain.errors import UnavailableError
from invoice_service.services.checking.audit_trail import audit_trail
from invoice_service.services.people.ports import SCOPES, KeyTerms
from invoice_service.services.till.ports import Bill
from invoice_service.storage.sqlite.till import bills
from tests.web.till.counter import COMPANY, NOODLES, TEA, Counter, Till, cash, new_id


def test_a_fresh_page_knows_where_it_is(counter: Counter) -> None:
    state = counter.zhang.read("state")
    assert state["merchant"]["name"] == "深圳市旋转餐厅有限公司"
    assert (state["person"]["role"], state["cashier"]) == ("owner", None)
    assert state["business_day"] == "2026-11-21"
    assert (state["shift"], state["bills"], state["menu"]) == (None, [], [])
    assert state["quota"] == {"limit": None, "used": 0, "left": None}


def test_one_call_sells(counter: Counter) -> None:
    sold = counter.zhang.sell(NOODLES, TEA)
    assert (sold["order_id"], sold["change"]) == ("P0001", 0)
    (invoice,) = sold["invoices"]
    assert invoice["total_amount"] == 3700
    stored = counter.instance.store.invoice_at(1)
    assert stored is not None
    assert (stored.hash, stored.business_day) == (invoice["hash"], "2026-11-21")
    assert counter.rows("SELECT kind, amount FROM till_payments") == [("cash", 3700)]
    assert counter.zhang.read("state")["shift"]["float"] == 0


def test_the_same_call_again_sells_nothing_more(counter: Counter) -> None:
    bill = new_id()
    first = counter.zhang.sell(bill=bill)
    assert counter.zhang.sell(bill=bill) == first
    assert counter.zhang.do("POST", f"bills/{bill}/settle", {"version": 0}) == first
    assert counter.count() == 1


def test_who_finishes_a_sale_that_is_sold_already_is_told_so(counter: Counter) -> None:
    """Two tills press "finish the sale": one of them sells, the other hears by whom."""
    bill = new_id()
    first = counter.zhang.sell(bill=bill)
    problem = counter.li.refused("POST", f"bills/{bill}/settle", {"version": 0})
    assert (problem["code"], problem["by"]["name"]) == ("bill_settled", "Zhang")
    hashes = [one["hash"] for one in problem["invoices"]]
    assert hashes == [one["hash"] for one in first["invoices"]]
    assert counter.count() == 1


def test_two_tills_finish_a_sale_at_the_same_moment(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill, begun = new_id(), {"version": 0, "bill": {"lines": [TEA]}, "parts": [cash(900)]}
    with monkeypatch.context() as patch:  # whoever began it dies before it is booked
        patch.setattr(bills.BillRows, "finish_bill", _dies)
        assert counter.zhang.send("POST", f"bills/{bill}/settle", begun).status_code == 503
    version = counter.li.read("state")["bills"][0]["version"]
    tills = [counter.new_till("zhang"), counter.li]
    with ThreadPoolExecutor(2) as pool:
        path, finish = f"bills/{bill}/settle", {"version": version}
        answers = list(pool.map(lambda till: till.send("POST", path, finish), tills))
    assert sorted(one.status_code for one in answers) == [200, 409]
    [told] = [one.get_json() for one in answers if one.status_code == 409]
    assert (told["code"], len(told["invoices"])) == ("bill_settled", 1)
    assert counter.count() == 1


def _dies(*_: object) -> None:
    raise UnavailableError("database_busy", "not now")


def test_another_way_of_paying_a_settled_bill_is_told_what_was_sold(counter: Counter) -> None:
    bill = new_id()
    sold = counter.zhang.sell(bill=bill)
    other = {"version": 0, "bill": {"lines": [TEA]}, "parts": [cash(900)]}
    problem = counter.zhang.refused("POST", f"bills/{bill}/settle", other)
    assert problem["code"] == "bill_settled"
    assert [one["hash"] for one in problem["invoices"]] == [sold["invoices"][0]["hash"]]
    assert counter.count() == 1


def test_a_settled_bill_takes_no_other_title(counter: Counter) -> None:
    """Who adds a company after a call that was lost is told that it is not on the invoice."""
    bill = new_id()
    sold = counter.zhang.sell(bill=bill)
    lines: dict[str, Any] = {"lines": [NOODLES]}
    for content, part in (
        ({**lines, "buyer": COMPANY}, cash(2800)),
        (lines, {**cash(2800), "buyer": COMPANY}),
    ):
        late = {"version": 0, "bill": content, "parts": [part]}
        problem = counter.zhang.refused("POST", f"bills/{bill}/settle", late)
        assert problem["code"] == "bill_settled"
        assert [one["hash"] for one in problem["invoices"]] == [sold["invoices"][0]["hash"]]
    assert counter.count() == 1


def test_the_same_call_at_the_same_time_sells_once(counter: Counter) -> None:
    bill = new_id()
    tills = [counter.new_till("zhang") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        sold = list(pool.map(lambda till: till.sell(bill=bill), tills))
    assert sold == [sold[0]] * 4
    assert counter.count() == 1
    assert counter.rows("SELECT count(*) FROM till_sales") == [(1,)]


def test_two_tills_that_are_paid_alike_for_one_bill_sell_it_once(counter: Counter) -> None:
    """At the same moment: whoever comes second hears by whom, and when, and which invoice."""
    bill = new_id()
    counter.zhang.do("PUT", f"bills/{bill}", {"version": 0, "table": "5", "lines": [TEA]})
    path, tills = f"bills/{bill}/settle", [counter.zhang, counter.li]
    asked = [{"version": 1, "id": new_id(), "parts": [cash(900)]} for _ in tills]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda n: tills[n].send("POST", path, asked[n]), range(2)))
    assert sorted(one.status_code for one in answers) == [200, 409]
    first = 0 if answers[0].status_code == 200 else 1
    assert answers[1 - first].get_json()["code"] in {"bill_settled", "bill_settling"}
    sold = answers[first].get_json()
    for _ in range(2):
        assert tills[first].do("POST", path, asked[first]) == sold  # its own call again
        late = tills[1 - first].refused("POST", path, asked[1 - first])
        assert (late["code"], late["till"]) == ("bill_settled", "1")
        assert late["by"]["name"] == ("Zhang", "Li")[first]
        assert late["settled_at"].endswith("+08:00")
        assert [one["hash"] for one in late["invoices"]] == [sold["invoices"][0]["hash"]]
    assert counter.count() == 1
    assert counter.rows("SELECT kind, amount FROM till_payments") == [("cash", 900)]


def test_without_an_id_till_and_person_tell_two_calls_apart(counter: Counter) -> None:
    bill = new_id()
    counter.zhang.do("PUT", f"bills/{bill}", {"version": 0, "lines": [TEA]})
    path, asked = f"bills/{bill}/settle", {"version": 1, "parts": [cash(900)]}
    sold = counter.zhang.do("POST", path, asked)
    assert counter.zhang.do("POST", path, asked) == sold
    assert counter.li.refused("POST", path, asked)["code"] == "bill_settled"
    bad = counter.li.refused("POST", path, {**asked, "id": "x"})
    assert (bad["code"], bad["pointer"]) == ("till_id_invalid", "/id")


def test_a_merchant_has_room_for_so_many_bills(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bills, "MOST_OPEN", 2)
    for _ in range(2):
        counter.zhang.do("PUT", f"bills/{new_id()}", {"version": 0, "lines": [TEA]})
    problem = counter.zhang.refused("PUT", f"bills/{new_id()}", {"version": 0, "lines": [TEA]})
    assert problem["code"] == "too_many_bills"
    counter.wang.do("PUT", f"bills/{new_id()}", {"version": 0, "lines": [TEA]})


def test_two_tills_see_one_bill(counter: Counter) -> None:
    bill = new_id()
    put = counter.zhang.do("PUT", f"bills/{bill}", {"version": 0, "table": "5", "lines": [TEA]})
    assert (put["version"], put["table"], put["by"]["name"]) == (1, "5", "Zhang")
    more = {"version": 1, "table": "5", "lines": [TEA, NOODLES]}
    assert counter.li.do("PUT", f"bills/{bill}", more)["version"] == 2
    late = counter.zhang.refused("PUT", f"bills/{bill}", {"version": 1, "lines": []})
    assert (late["code"], late["bill"]["version"]) == ("bill_changed", 2)
    assert len(late["bill"]["lines"]) == 2
    assert [one["id"] for one in counter.zhang.read("state")["bills"]] == [bill]


def test_a_bill_joins_another(counter: Counter) -> None:
    one, two = new_id(), new_id()
    counter.zhang.do("PUT", f"bills/{one}", {"version": 0, "table": "1", "lines": [TEA]})
    counter.zhang.do("PUT", f"bills/{two}", {"version": 0, "lines": [NOODLES], "discount": 100})
    asked = {"from": two, "version": 1, "from_version": 1}
    merged = counter.zhang.do("POST", f"bills/{one}/merge", asked)
    assert (merged["table"], merged["discount"]) == ("1", 100)
    assert [line["name"] for line in merged["lines"]] == [TEA["name"], NOODLES["name"]]
    assert len(counter.zhang.read("state")["bills"]) == 1
    asked = {"version": 2, "parts": [cash(3600)]}
    assert counter.zhang.do("POST", f"bills/{one}/settle", asked)["invoices"]


def test_a_dropped_bill_is_gone(counter: Counter) -> None:
    bill = new_id()
    counter.zhang.do("PUT", f"bills/{bill}", {"version": 0, "lines": [TEA]})
    for _ in range(2):
        counter.zhang.do("DELETE", f"bills/{bill}?version=1")
    assert counter.zhang.read("state")["bills"] == []
    asked = {"version": 1, "parts": [cash(900)]}
    problem = counter.zhang.refused("POST", f"bills/{bill}/settle", asked)
    assert problem["code"] == "bill_changed"


def shared(till: Till, parts: list[dict[str, Any]], **content: Any) -> dict[str, Any]:  # noqa: ANN401
    """Settle a bill of three noodles and a tea, 93.00 yuan less what is taken off."""
    lines = [{**NOODLES, "quantity": "3"}, TEA]
    asked = {"version": 0, "bill": {"lines": lines, **content}, "parts": parts}
    return till.do("POST", f"bills/{new_id()}/settle", asked)


def test_guests_share_by_dish(counter: Counter) -> None:
    parts = [
        {"lines": [{"line": 1, "quantity": "1"}, {"line": 2}], **cash(3700), "buyer": COMPANY},
        {"lines": [{"line": 1, "quantity": "1"}], **cash(2800)},
        cash(2800),
    ]
    sold = shared(counter.zhang, parts)
    assert [one["total_amount"] for one in sold["invoices"]] == [3700, 2800, 2800]
    places = [counter.instance.store.invoice_at(seq).place for seq in (1, 2, 3)]  # type: ignore[union-attr]
    assert [(one.part, one.parts, one.order_total) for one in places if one] == [
        (1, 3, 9300),
        (2, 3, 9300),
        (3, 3, 9300),
    ]
    listed = counter.zhang.read("invoices", day="2026-11-21")["invoices"]
    assert [one.get("buyer_name") for one in listed] == [None, None, COMPANY["name"]]


@pytest.mark.parametrize("amounts", [[4650, 4650], [3100, 3100, 3100], [1, 9299], [9300]])
def test_guests_share_evenly_to_the_fen(counter: Counter, amounts: list[int]) -> None:
    sold = shared(counter.zhang, [{"amount": one, **cash(one)} for one in amounts])
    assert [one["total_amount"] for one in sold["invoices"]] == amounts


def test_a_discount_of_all_is_shared_to_the_fen(counter: Counter) -> None:
    problem = counter.zhang.refused(
        "POST",
        f"bills/{new_id()}/settle",
        {
            "version": 0,
            "bill": {"lines": [{**NOODLES, "quantity": "3"}, TEA], "discount": 101},
            "parts": [{"lines": [{"line": 1}], **cash(8400)}, cash(799)],
        },
    )
    assert (problem["code"], sum(problem["totals"])) == ("payments_differ", 9199)
    paid = [cash(total) for total in problem["totals"]]
    parts = [{"lines": [{"line": 1}], **paid[0]}, paid[1]]
    sold = shared(counter.zhang, parts, discount=101)
    assert [one["total_amount"] for one in sold["invoices"]] == problem["totals"]


def test_cash_has_change_and_several_ways_add_up(counter: Counter) -> None:
    part = {
        "payments": [{"kind": "cash", "amount": 1000}, {"kind": "wechat", "amount": 1800}],
        "tendered": 5000,
    }
    asked = {"version": 0, "bill": {"lines": [NOODLES]}, "parts": [part]}
    assert counter.zhang.do("POST", f"bills/{new_id()}/settle", asked)["change"] == 4000
    paid = counter.rows("SELECT kind, amount FROM till_payments ORDER BY kind")
    assert paid == [("cash", 1000), ("wechat", 1800)]


WRONG: list[tuple[dict[str, Any], list[dict[str, Any]], str]] = [
    ({"lines": []}, [cash(1)], "no_lines"),
    ({"lines": [NOODLES]}, [cash(2799)], "payments_differ"),
    ({"lines": [NOODLES]}, [cash(2800) | {"tendered": 2000}], "payments_differ"),
    ({"lines": [{**NOODLES, "tax_rate": "0.07"}]}, [cash(2800)], "tax_rate_unknown"),
    ({"lines": [{**NOODLES, "quantity": "0"}]}, [cash(0)], "quantity_not_positive"),
    ({"lines": [{**NOODLES, "discount": 2801}]}, [cash(0)], "discount_too_large"),
    ({"lines": [{**NOODLES, "discount": 2800}]}, [cash(0)], "total_zero"),
    ({"lines": [NOODLES]}, [{"lines": [{"line": 2}], **cash(1)}], "line_unknown"),
    ({"lines": [NOODLES]}, [{"amount": 2799, **cash(2799)}], "parts_incomplete"),
    ({"lines": [NOODLES]}, [{"amount": 1, **cash(1)}, cash(2799)], "part_unclear"),
    ({"lines": [NOODLES]}, [cash(1400), cash(1400)], "part_unclear"),
    (
        {"lines": [NOODLES]},
        [{"lines": [{"line": 1, "quantity": "0.5"}], **cash(1400)}],
        "parts_incomplete",
    ),
    (
        {"lines": [NOODLES]},
        [{"lines": [{"line": 1}, {"line": 1}], **cash(5600)}],
        "line_twice",
    ),
    ({"lines": [NOODLES]}, [cash(2800) | {"buyer": {"kind": "company"}}], "buyer_incomplete"),
]


@pytest.mark.parametrize(("content", "parts", "code"), WRONG, ids=[one[2] for one in WRONG])
def test_what_cannot_be_sold_leaves_nothing(
    counter: Counter, content: dict[str, Any], parts: list[dict[str, Any]], code: str
) -> None:
    bill = new_id()
    asked = {"version": 0, "bill": content, "parts": parts}
    assert counter.zhang.refused("POST", f"bills/{bill}/settle", asked)["code"] == code
    assert counter.count() == 0
    assert counter.rows("SELECT count(*) FROM till_bills") == [(0,)]


def test_a_part_that_is_refused_leaves_a_bill_that_can_be_finished(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The quota is lowered just after the bill was fixed: it was enough then, for both parts."""
    store, merchant_id = counter.instance.store, counter.restaurant.merchant.id
    fix = bills.BillRows.fix_bill

    def fix_and_lower(*call: Any) -> Bill:  # noqa: ANN401 # as it is called
        fixed = fix(*call)
        store.set_quota(merchant_id, 1, counter.instance.operator())
        return fixed

    monkeypatch.setattr(bills.BillRows, "fix_bill", fix_and_lower)
    bill, content = new_id(), {"lines": [{**NOODLES, "quantity": "3"}, TEA]}
    asked = {
        "version": 0,
        "bill": content,
        "parts": [{"amount": 9000, **cash(9000)}, {"amount": 300, **cash(300)}],
    }
    for _ in range(2):  # and the very same again, as after a reload
        problem = counter.zhang.refused("POST", f"bills/{bill}/settle", asked)
        assert problem["code"] == "quota_exhausted"
        assert (problem["bill"]["settling"], problem["bill"]["order_id"]) == (True, "P0001")
    assert counter.count() == 1
    (left,) = counter.li.read("state")["bills"]
    assert left == problem["bill"]
    assert [one["total"] for one in left["parts"]] == [9000, 300]
    assert [(one["part"], one["total_amount"]) for one in left["sold"]] == [(1, 9000)]
    store.set_quota(merchant_id, None, counter.instance.operator())
    done = counter.li.do("POST", f"bills/{bill}/settle", {"version": left["version"]})
    assert [one["total_amount"] for one in done["invoices"]] == [9000, 300]
    assert counter.li.read("state")["bills"] == []
    assert counter.rows("SELECT sum(amount) FROM till_payments") == [(9300,)]


def test_a_quota_that_is_used_up_sells_nothing_and_loses_nothing(counter: Counter) -> None:
    merchant_id = counter.restaurant.merchant.id
    counter.instance.store.set_quota(merchant_id, 1, counter.instance.operator())
    lines = [{**NOODLES, "quantity": "2"}]
    bill = new_id()
    counter.zhang.do("PUT", f"bills/{bill}", {"version": 0, "lines": lines})
    asked = {"version": 1, "parts": [{"amount": 2800, **cash(2800)} for _ in range(2)]}
    assert counter.zhang.refused("POST", f"bills/{bill}/settle", asked)["code"] == (
        "quota_exhausted"
    )
    assert counter.zhang.read("state")["bills"][0]["lines"][0]["quantity"] == "2"
    counter.instance.store.set_quota(merchant_id, 2, counter.instance.operator())
    assert len(counter.zhang.do("POST", f"bills/{bill}/settle", asked)["invoices"]) == 2
    assert counter.zhang.read("state")["quota"] == {"limit": 2, "used": 2, "left": 0}


def test_numbers_go_on_past_those_of_another_program(counter: Counter) -> None:
    place = {"till": "1", "business_day": "2026-11-21"}
    counter.issue("P0002", **place)
    assert [counter.zhang.sell()["order_id"] for _ in range(2)] == ["P0001", "P0003"]


def test_a_settled_bill_keeps_nothing_of_its_buyer(counter: Counter) -> None:
    counter.zhang.sell(NOODLES, buyer={"kind": "individual", "name": "赵某某"})
    kept = counter.rows("SELECT * FROM till_bills")
    assert "赵某某" not in repr(kept)
    assert "赵某某".encode() not in b"".join(
        cell for row in kept for cell in row if isinstance(cell, bytes)
    )


def test_a_business_day_ends_in_the_small_hours(counter: Counter) -> None:
    counter.clock.forward(hours=15)  # half past three at night
    counter.zhang.sell()
    counter.anchor()
    counter.clock.forward(minutes=45)
    night = counter.zhang.read("invoices", day="2026-11-21")["invoices"]
    assert [one["order_id"] for one in night] == ["P0001"]
    assert counter.zhang.sell()["business_day"] == "2026-11-22"


def test_what_was_booked_is_frozen(counter: Counter) -> None:
    counter.zhang.sell()
    shift = counter.zhang.read("state")["shift"]["id"]
    counter.zhang.do("POST", f"shifts/{shift}/close", {"counted": {"cash": 2800}})
    path = counter.config.invoices_db
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        for table in ("till_sales", "till_payments", "till_shifts"):
            columns = [row[1] for row in stranger.execute(f"PRAGMA table_info({table})")]
            for change in (
                f"UPDATE {table} SET {columns[0]} = {columns[0]}",
                f"DELETE FROM {table}",
            ):
                with pytest.raises(sqlite3.IntegrityError, match="frozen"):
                    stranger.execute(change)
        for table in ("till_sales", "till_payments"):
            row = stranger.execute(f"SELECT * FROM {table}").fetchone()
            marks = ", ".join("?" * len(row))
            with pytest.raises(sqlite3.IntegrityError, match="only ever appended"):
                stranger.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", row)


def test_a_person_who_is_erased_is_gone_from_the_till_too(counter: Counter) -> None:
    name = "欧阳娜娜"
    sold = counter.zhang.sell(NOODLES, buyer={"name": name})
    hash_ = sold["invoices"][0]["hash"]
    assert counter.zhang.read("invoices", q=name)["invoices"]
    key = counter.new_key(counter.restaurant.merchant.id, KeyTerms(scopes=SCOPES["merchant"]))
    erasure = counter.client.post(f"/v1/invoices/{hash_}/buyer/erasure", headers=counter.auth(key))
    assert erasure.status_code == 200
    assert counter.zhang.read("invoices", q=name)["invoices"] == []
    (row,) = counter.zhang.read("invoices", day="2026-11-21")["invoices"]
    assert row["buyer_name"] == "已删除"
    assert name not in str(counter.zhang.read(f"invoices/{hash_}"))
    assert counter.zhang.sell(NOODLES, buyer={"name": name})["order_id"] == "P0002"
    assert counter.zhang.take_back(sold, 2800)["invoice"]["state"] == "full"


def test_the_audit_finds_a_tills_day_in_order(counter: Counter) -> None:
    counter.zhang.do("PUT", "tables", {"version": 0, "tables": ["1"]})
    sold = counter.zhang.sell(NOODLES, TEA)
    counter.li.take_back(sold, 900, lines=[{"line": 2}])
    shift = counter.zhang.read("state")["shift"]["id"]
    counter.zhang.do("POST", f"shifts/{shift}/close", {"counted": {"cash": 2800}})
    counter.anchor()
    instance = counter.instance
    found = audit_trail(instance.store)
    assert found.acts == instance.store.last_act().seq
    assert {act["type"] for kind in ("menu", "shift", "return") for act in counter.acts(kind)} == {
        "menu",
        "shift",
        "return",
    }
