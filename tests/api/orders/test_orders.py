"""Orders by a till: made, repeated, shared, listed, cancelled, paid; and claims of them."""

import io
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from chain.errors import UnavailableError
from tests.api.desk import MEAL, OTHER_TAX_ID, Desk, problem
from tests.documents.printer import Printer

COMPANY = {"kind": "company", "name": "深圳市采购有限公司", "tax_id": OTHER_TAX_ID}


def made(desk: Desk, order_id: str = "A1", *, status: int = 201, **more: object) -> dict[str, Any]:
    """A new order, as answered."""
    answer = desk.post("/v1/orders", {"order_id": order_id, "lines": [MEAL], **more})
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def now(desk: Desk, order: dict[str, Any]) -> dict[str, Any]:
    """The order as it is told of now."""
    found: dict[str, Any] = desk.client.get(
        f"/v1/orders/{order['id']}", headers=desk.auth()
    ).get_json()
    return found


def path_of(order: dict[str, Any]) -> str:
    """The address of its claim, on this host."""
    return str(order["link"]).removeprefix("https://fapiao.test")


def claim(desk: Desk, order: dict[str, Any], mine: str = "a", **fields: str) -> Any:  # noqa: ANN401 # an answer
    """What somebody gets who claims it in a browser of their own."""
    form = {"mine": mine * 32, **fields}
    return desk.app.test_client(use_cookies=False).post(path_of(order), data=form)


def test_an_order_stands_until_it_is_claimed(desk: Desk) -> None:
    order = made(desk, till="T1")
    assert (order["state"], order["total"], order["business_day"]) == ("open", 49810, "2026-11-21")
    assert claim(desk, order, **COMPANY).status_code == 303
    then = now(desk, order)
    assert then["state"] == "claimed"
    invoice = desk.client.get(
        f"/v1/invoices/{then['shares'][0]['hash']}", headers=desk.auth()
    ).get_json()
    assert invoice["buyer"]["name"] == COMPANY["name"]
    assert (invoice["order_id"], invoice["till"]) == ("A1", "T1")
    assert desk.count() == 1


def test_the_same_order_again_is_the_one_there_is(desk: Desk) -> None:
    order = made(desk)
    assert made(desk, status=200) == order
    differs = {"order_id": "A1", "lines": [{**MEAL, "unit_price": 1}]}
    problem(desk.post("/v1/orders", differs), 409, "order_differs")
    desk.client.delete(f"/v1/orders/{order['id']}", headers=desk.auth())
    corrected = desk.post("/v1/orders", differs)
    assert corrected.status_code == 201
    assert corrected.get_json()["link"] != order["link"]


def test_a_till_that_issues_by_itself_is_first_or_second_but_not_beside(desk: Desk) -> None:
    first, second = made(desk, "A1"), made(desk, "A2")
    desk.issue("A1", business_day="2026-11-21")
    refused = claim(desk, first, **COMPANY)
    assert refused.status_code == 409
    assert "claimed already" in refused.text or "已" in refused.text
    assert now(desk, first)["state"] == "claimed"
    claim(desk, second, **COMPANY)
    beside = {"order_id": "A2", "business_day": "2026-11-21", "lines": [MEAL]}
    problem(desk.post("/v1/invoices", beside), 409, "order_id_conflict")
    assert desk.count() == 2


def test_guests_share_to_the_fen_and_none_gets_another_s(desk: Desk) -> None:
    lines = [MEAL, {"name": "*水果*苹果", "total": 101, "quantity": "3", "tax_rate": "0.09"}]
    order = made(desk, lines=lines, parts=3, discount=10)
    amounts = [share["amount"] for share in order["shares"]]
    assert (sum(amounts), max(amounts) - min(amounts)) == (49901, 1)
    for mine, part in (("a", "2"), ("b", "2"), ("c", "")):
        assert claim(desk, order, mine, part=part).status_code == 303
    shares = now(desk, order)["shares"]
    issued = [
        desk.client.get(f"/v1/invoices/{share['hash']}", headers=desk.auth()).get_json()
        for share in shares
    ]
    assert [one["total"] for one in issued] == amounts
    assert [(one["part"], one["parts"], one["order_total"]) for one in issued] == [
        (part, 3, 49901) for part in (1, 2, 3)
    ]
    assert claim(desk, order, "d").status_code == 409


def test_shares_may_differ_and_add_up(desk: Desk) -> None:
    order = made(desk, shares=[9810, 40000])
    assert [share["amount"] for share in order["shares"]] == [9810, 40000]
    assert claim(desk, order, "a", part="2").status_code == 303
    assert claim(desk, order, "b", part="2").status_code == 409
    wrong: list[tuple[dict[str, object], str]] = [
        ({"shares": [1, 2]}, "parts_incomplete"),
        ({"shares": [9810, 40000], "parts": 3}, "part_unclear"),
        ({"parts": 6}, "amount_out_of_range"),
        ({"buyer": COMPANY}, "unknown_field"),
        ({"expires_in": 59}, "amount_out_of_range"),
        ({"lines": [{**MEAL, "tax_rate": "0.5"}]}, "tax_rate_unknown"),
    ]
    for more, code in wrong:
        answer = desk.post("/v1/orders", {"order_id": "A9", "lines": [MEAL], **more})
        problem(answer, 422, code)


def test_orders_end_by_time_and_may_be_opened_again(desk: Desk) -> None:
    order = made(desk, expires_in=60)
    desk.clock.forward(seconds=60)
    assert now(desk, order)["state"] == "expired"
    assert claim(desk, order).status_code == 410
    again = made(desk, status=200, expires_in=60)
    assert (again["state"], again["link"]) == ("open", order["link"])
    assert claim(desk, order).status_code == 303


def test_a_cancelled_order_is_nobody_s_and_a_claimed_one_is_not_cancelled(desk: Desk) -> None:
    order, other = made(desk, "A1"), made(desk, "A2")
    assert claim(desk, other).status_code == 303
    for _ in range(2):
        answer = desk.client.delete(f"/v1/orders/{order['id']}", headers=desk.auth())
        assert answer.get_json()["state"] == "cancelled"
    assert claim(desk, order).status_code == 410
    refused = desk.client.delete(f"/v1/orders/{other['id']}", headers=desk.auth())
    problem(refused, 409, "order_claimed")
    assert desk.count() == 1


def test_what_waits_for_its_payment_is_claimed_after_it(desk: Desk) -> None:
    order = made(desk, after_payment=True)
    assert claim(desk, order).status_code == 409
    waiting = desk.client.get(path_of(order))
    assert waiting.headers["Refresh"] == "5"
    for status in (201, 200):
        paid = desk.post(f"/v1/orders/{order['id']}/paid", b"")
        assert paid.status_code == status
        assert paid.get_json()["state"] == "paid"
    assert claim(desk, order).status_code == 303


def test_a_paid_order_issues_by_itself_where_that_is_wished(desk: Desk) -> None:
    order = made(desk, auto_issue=True, parts=2)
    claim(desk, order, **COMPANY)
    desk.post(f"/v1/orders/{order['id']}/paid", b"")
    then = now(desk, order)
    assert then["state"] == "claimed"
    names = [
        desk.client.get(f"/v1/invoices/{share['hash']}", headers=desk.auth()).get_json()["buyer"]
        for share in then["shares"]
    ]
    assert [one["name"] for one in names] == [COMPANY["name"], ""]
    assert claim(desk, order, "b").status_code == 409
    assert desk.count() == 2


def test_lists_come_in_pages_and_of_one_s_own(desk: Desk) -> None:
    orders = [made(desk, f"A{number}") for number in range(3)]
    first = desk.client.get("/v1/orders?limit=2", headers=desk.auth()).get_json()
    rest = desk.client.get(f"/v1/orders?after={first['next']}", headers=desk.auth()).get_json()
    assert [*first["orders"], *rest["orders"]] == orders
    assert rest["next"] is None
    found = desk.client.get("/v1/orders?order_id=A1", headers=desk.auth()).get_json()
    assert found["orders"] == [orders[1]]
    other = desk.auth(desk.new_key(desk.new_merchant("914403001922038216", "咖啡馆").merchant.id))
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/paid"), ("GET", "/slip")):
        answer = desk.client.open(
            f"/v1/orders/{orders[0]['id']}{path}", method=method, headers=other
        )
        problem(answer, 404, "order_unknown")


def test_the_slip_says_that_it_is_no_invoice_and_carries_the_claim(desk: Desk) -> None:
    order = made(desk)
    path = f"/v1/orders/{order['id']}/slip"
    for width, dots in (("58", 384), ("80", 576)):
        paper = Printer(dots).take(
            desk.client.get(f"{path}?width={width}", headers=desk.auth()).data
        )
        assert [code.text for code in paper.codes] == [order["link"]]
        assert "本单不是发票 Not an invoice" in paper.texts
        assert "样本" in paper.texts
        assert "Scan for your invoice" in paper.texts
        assert MEAL["name"] in paper.texts
    picture = Image.open(io.BytesIO(desk.client.get(f"{path}.png", headers=desk.auth()).data))
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [order["link"]]
    claim(desk, order)
    problem(desk.client.get(path, headers=desk.auth()), 409, "order_claimed")


def test_a_bureau_s_claim_slips_are_no_samples(tmp_path: Path) -> None:
    with Desk(tmp_path, FAPIAO_BUREAU_NAME="深圳市税务局") as desk:
        path = f"/v1/orders/{made(desk)['id']}/slip"
        paper = Printer(384).take(desk.client.get(path, headers=desk.auth()).data)
        assert "样本" not in paper.texts


def test_the_till_closes_what_nobody_has_claimed(desk: Desk) -> None:
    order = made(desk, parts=3, expires_in=60)
    claim(desk, order, part="2", **COMPANY)
    desk.anchor()
    desk.clock.forward(seconds=60)
    for _ in range(2):
        answer = desk.post(f"/v1/orders/{order['id']}/rest", b"")
        assert answer.status_code == 200, answer.text
        assert answer.get_json()["state"] == "claimed"
    assert desk.count() == 3
    waits, gone = made(desk, "A2", after_payment=True), made(desk, "A3")
    problem(desk.post(f"/v1/orders/{waits['id']}/rest", b""), 409, "order_not_paid")
    desk.client.delete(f"/v1/orders/{gone['id']}", headers=desk.auth())
    problem(desk.post(f"/v1/orders/{gone['id']}/rest", b""), 410, "order_cancelled")


def test_a_refused_claim_leaves_the_share_free(desk: Desk) -> None:
    order = made(desk)
    desk.instance.store.set_quota(desk.restaurant.merchant.id, 0, desk.instance.operator())
    assert claim(desk, order, "a").status_code == 403
    desk.instance.store.set_quota(desk.restaurant.merchant.id, None, desk.instance.operator())
    assert claim(desk, order, "b").status_code == 303
    assert desk.count() == 1


def test_tills_are_told_at_once_and_what_is_done_is_frozen(desk: Desk) -> None:
    order, store = made(desk), desk.instance.store
    _, seen = store.newest()
    claim(desk, order, **COMPANY)
    desk.post(f"/v1/orders/{order['id']}/paid", b"")
    told = store.till_events(desk.restaurant.merchant.id, seen, 10)
    assert [(event.kind, event.subject) for event in told] == [("order", order["id"])] * 2
    news = store.order_news(order["id"])
    assert (news["claimed"], news["paid"]) == ([now(desk, order)["shares"][0]["hash"]], True)
    for change in (
        "UPDATE claims SET hash = ''",
        "DELETE FROM claims",
        "UPDATE claim_payments SET amount = 1",
        "DELETE FROM claim_payments",
    ):
        with pytest.raises(UnavailableError, match="frozen"), store.connections.writing() as rows:
            rows.execute(change)
