"""Orders over HTTP: tills that begin anew each morning, shared bills, returns; who is told what."""

import json
from typing import Any

import pytest

from tests.api.desk import MEAL, NDJSON, OTHER_TAX_ID, Desk, problem

TODAY, TOMORROW = "2026-11-21", "2026-11-22"
COFFEE: dict[str, Any] = {"name": "*餐饮服务*拿铁", "unit_price": 2800, "tax_rate": "0.06"}


def sale(number: str = "001", **told: object) -> dict[str, Any]:
    return {"order_id": number, "lines": [COFFEE], **told}


def batch(desk: Desk, *records: dict[str, Any]) -> list[dict[str, Any]]:
    body = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    answer = desk.post("/v1/invoices/batch", body, {"Content-Type": NDJSON})
    return [json.loads(line) for line in answer.text.splitlines()]


def test_the_same_number_for_another_guest_the_next_day_is_never_thrown_away(desk: Desk) -> None:
    monday = desk.post("/v1/invoices", sale()).get_json()
    desk.anchor()
    desk.clock.forward(days=1)
    refused = problem(desk.post("/v1/invoices", sale()), 409, "order_id_reused")
    assert refused["first_hash"] == monday["hash"]
    assert refused["first_number"] == monday["number"]
    assert refused["first_issued_at"] == monday["issued_at"]
    assert refused["first_state"] == "authentic"
    assert monday["number"] in refused["detail"]
    assert monday["number"] in refused["detail_zh"]
    assert "business_day" in refused["detail"]
    told = desk.post("/v1/invoices", sale(business_day=TOMORROW))
    assert told.status_code == 201
    assert told.get_json()["hash"] != monday["hash"]
    assert desk.count() == 2


def test_numbers_that_begin_anew_each_morning_are_orders_of_their_days(desk: Desk) -> None:
    days = [TODAY, TOMORROW]
    invoices = [desk.post("/v1/invoices", sale(business_day=day)).get_json() for day in days]
    assert [one["business_day"] for one in invoices] == days
    desk.clock.forward(days=2)
    for day, first in zip(days, invoices, strict=True):
        again = desk.post("/v1/invoices", sale(business_day=day))
        assert (again.status_code, again.get_json()["hash"]) == (200, first["hash"])
        other = desk.post("/v1/invoices", sale(business_day=day, remark="two sugars"))
        assert problem(other, 409, "order_id_conflict")["first_hash"] == first["hash"]
    assert desk.count() == 2


@pytest.mark.parametrize(
    ("first", "second", "minutes", "status"),
    [
        (None, None, 9, 200),
        (None, None, 11, 409),
        ("k", "k", 10_000, 200),
        ("k", "l", 1, 409),
        ("k", None, 1, 409),
        (None, "k", 1, 409),
    ],
)
def test_without_a_day_a_repeat_is_one_only_while_it_can_be(
    desk: Desk, first: str | None, second: str | None, minutes: int, status: int
) -> None:
    headers = [{"Idempotency-Key": key} if key else {} for key in (first, second)]
    sold = desk.post("/v1/invoices", sale(), headers[0]).get_json()
    desk.clock.forward(minutes=minutes)
    again = desk.post("/v1/invoices", sale(), headers[1])
    assert again.status_code == status
    if status == 200:
        assert again.get_json()["hash"] == sold["hash"]
    else:
        assert problem(again, 409, "order_id_reused")["first_hash"] == sold["hash"]
    assert desk.count() == 1


def test_records_of_a_batch_may_carry_their_keys(desk: Desk) -> None:
    records = [sale(str(n), idempotency_key=f"day-1/{n}") for n in range(3)]
    assert [one["status"] for one in batch(desk, *records)] == [201] * 3
    desk.clock.forward(hours=1)
    results = batch(desk, *records, sale("0", idempotency_key="day-2/0"), sale("1"))
    assert [one["status"] for one in results] == [200, 200, 200, 409, 409]
    other = batch(desk, sale("9", idempotency_key="day-1/0"))[0]["problem"]
    assert other["code"] == "idempotency_key_conflict"
    assert other["first_number"] == "00000001"
    assert "idempotency_key" not in json.dumps(desk.client.get(
        "/v1/invoices/" + results[0]["invoice"]["hash"], headers=desk.auth()
    ).get_json())  # fmt: skip


def test_guests_share_a_bill(desk: Desk) -> None:
    bill: dict[str, Any] = {"business_day": TODAY, "parts": 3, "order_total": 8400}
    first = desk.post("/v1/invoices", sale(part=1, **bill)).get_json()
    told = {name: first[name] for name in ("part", "parts", "order_total")}
    assert told == {"part": 1, "parts": 3, "order_total": 8400}
    assert desk.post("/v1/invoices", sale(part=1, **bill)).status_code == 200
    changed = desk.post("/v1/invoices", sale(part=2, **bill | {"order_total": 8401}))
    assert problem(changed, 409, "order_parts_conflict")["first_hash"] == first["hash"]
    assert desk.post("/v1/invoices", sale(part=2, **bill)).status_code == 201
    two = {"lines": [COFFEE, {**COFFEE, "unit_price": 1}]}
    refused = problem(
        desk.post("/v1/invoices", sale(part=3, **bill) | two), 409, "order_total_exceeded"
    )
    assert (refused["left"], refused["order_total"]) == (2800, 8400)
    assert desk.post("/v1/invoices", sale(part=3, **bill)).status_code == 201
    assert desk.count() == 3


def test_what_was_taken_back_is_said_and_issued_anew_in_its_place(desk: Desk) -> None:
    first = desk.post("/v1/invoices", sale(business_day=TODAY)).get_json()
    red = desk.reverse(first)
    again = desk.post("/v1/invoices", sale(business_day=TODAY))
    assert (again.status_code, again.get_json()["state"]) == (200, "reversed")
    corrected = sale(business_day=TODAY, buyer={"name": "张三"})
    refused = problem(desk.post("/v1/invoices", corrected), 409, "order_id_conflict")
    assert refused["first_state"] == "reversed"
    assert "replaces" in refused["detail"]
    assert "replaces" in refused["detail_zh"]
    wrong = desk.post("/v1/invoices", corrected | {"replaces": red["hash"]})
    assert problem(wrong, 409, "replaces_not_first")["first_hash"] == first["hash"]
    anew = corrected | {"replaces": refused["first_hash"]}
    dearer = desk.post("/v1/invoices", anew | {"lines": [{**COFFEE, "unit_price": 2801}]})
    assert problem(dearer, 409, "order_total_exceeded")["left"] == 2800
    second = desk.post("/v1/invoices", anew)
    assert second.status_code == 201
    assert second.get_json()["replaces"] == first["hash"]
    third = desk.post("/v1/invoices", anew | {"remark": "again"})
    assert problem(third, 409, "order_total_exceeded")["left"] == 0
    assert desk.count() == 3


def test_another_merchant_is_told_nothing(desk: Desk) -> None:
    first = desk.post("/v1/invoices", sale(), {"Idempotency-Key": "k"}).get_json()
    other = desk.new_merchant(OTHER_TAX_ID, "海岸咖啡馆")
    theirs = desk.auth(desk.new_key(other.merchant.id))
    answer = desk.post("/v1/invoices", sale(), {**theirs, "Idempotency-Key": "k"})
    assert answer.status_code == 201
    assert answer.get_json()["number"] == "00000002"
    named = desk.post("/v1/invoices", sale("002", replaces=first["hash"]), theirs)
    told = problem(named, 409, "replaces_not_first")
    assert not [name for name in told if name.startswith("first_")]
    assert first["number"] not in named.text.replace(first["hash"], "")


def test_a_list_is_searched_by_till_and_day(desk: Desk) -> None:
    for till in ("1", "2"):
        for day in (TODAY, TOMORROW):
            desk.post("/v1/invoices", sale(till=till, business_day=day))

    def found(**asked: str) -> list[tuple[str, str]]:
        answer = desk.client.get("/v1/invoices", query_string=asked, headers=desk.auth())
        return [(one["till"], one["business_day"]) for one in answer.get_json()["invoices"]]

    assert found(order_id="001", till="2") == [("2", TODAY), ("2", TOMORROW)]
    assert found(order_id="001", till="1", business_day=TODAY) == [("1", TODAY)]
    alone = desk.client.get("/v1/invoices?till=1", headers=desk.auth())
    problem(alone, 400, "missing_parameter")


def test_whoever_scans_it_sees_where_it_stands(desk: Desk) -> None:
    bill: dict[str, Any] = {
        "till": "T-3",
        "business_day": TODAY,
        "part": 1,
        "parts": 2,
        "order_total": 99900,
    }
    first = desk.post("/v1/invoices", sale(**bill)).get_json()
    desk.reverse(first)
    anew = desk.post("/v1/invoices", sale(**bill, replaces=first["hash"])).get_json()
    page = desk.client.get("/verify/scan", query_string={
        "hash": anew["hash"], "bill_num": anew["number"], "total_amount": anew["total"]
    })  # fmt: skip
    for shown in ("T-3", TODAY, "1 / 2", "999.00", first["hash"]):
        assert shown in page.text


def test_a_plain_invoice_answers_as_before(desk: Desk) -> None:
    plain = desk.post("/v1/invoices", {"order_id": "T1", "lines": [MEAL]}).get_json()
    added = {"till", "business_day", "part", "parts", "order_total", "replaces"}
    assert plain.keys().isdisjoint(added)
