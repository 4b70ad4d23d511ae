"""Taking back over HTTP: lines, amounts, the rest; what is refused, and what everyone sees."""

import re
from html import unescape
from typing import Any

import pytest

from tests.api.desk import Desk, problem, slip

COFFEE = {"name": "*餐饮服务*拿铁", "unit_price": 2800, "quantity": "3", "tax_rate": "0.06"}
CAKE = {"name": "*餐饮服务*蛋糕", "unit_price": 1000, "tax_rate": "0.13"}


def sold(desk: Desk) -> dict[str, Any]:
    """Three coffees, one taken off a little, and a cake."""
    return desk.issue(lines=[COFFEE | {"discount": 100}, CAKE])


def take(desk: Desk, blue: dict[str, Any], key: str = "", **asked: object) -> Any:  # noqa: ANN401 # an answer
    headers = {"Idempotency-Key": key} if key else {}
    body = {"reason": "SALES_RETURN", **asked}
    return desk.post(f"/v1/invoices/{blue['hash']}/reversals", body, desk.auth() | headers)


def verdict(desk: Desk, blue: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = desk.client.get("/v1/verifications", query_string=slip(blue)).get_json()
    return found


def test_parts_then_the_rest(desk: Desk) -> None:
    blue = sold(desk)
    first = take(desk, blue, lines=[{"line": 1, "quantity": "1"}])
    assert (first.status_code, first.json["total"]) == (201, -2767)
    assert first.json["reverses"] == blue["hash"]
    found = verdict(desk, blue)
    assert (found["verdict"], found["left"]) == ("partly_reversed", 6533)
    second = take(desk, blue, amount=500, rate="0.13").json
    rest = take(desk, blue).json
    assert (second["total"], rest["total"]) == (-500, -6033)
    reds = [first.json["hash"], second["hash"], rest["hash"]]
    shown = desk.client.get(f"/v1/invoices/{blue['hash']}").get_json()
    assert (shown["state"], shown["reversed_by"], shown["left"]) == ("reversed", reds, 0)
    assert [one["total"] for one in verdict(desk, blue)["returns"]] == [2767, 500, 6033]
    desk.anchor()
    assert verdict(desk, blue)["verdict"] == "reversed"
    over = problem(take(desk, blue, amount=1, rate="0.13"), 409, "already_reversed")
    assert over["reversed_by"] == rest["hash"]


def test_reports_follow_at_once(desk: Desk) -> None:
    blue = sold(desk)
    take(desk, blue, lines=[{"line": 3}])
    desk.anchor()
    sums = desk.client.get("/v1/reports/totals", headers=desk.official()).get_json()
    assert (sums["reversed"]["total"], sums["net"]["total"]) == ("-1000", "8300")


@pytest.mark.parametrize(
    ("asked", "status", "code", "more"),
    [
        (
            {"lines": [{"line": 1, "quantity": "3.5"}]},
            409,
            "return_too_large",
            {"line": 1, "quantity_left": "3"},
        ),
        ({"amount": 8301, "rate": "0.06"}, 409, "return_too_large", {"left": 8300}),
        ({"amount": 1}, 422, "rate_needed", {"rates": "0.06, 0.13"}),
        ({"amount": 1, "rate": "0.03"}, 422, "rate_not_on_invoice", {}),
        ({"lines": [{"line": 2}]}, 422, "line_unknown", {"pointer": "/lines/0/line"}),
        ({"lines": [{"line": 1}, {"line": 1}]}, 422, "line_twice", {}),
        ({"lines": [{"line": 1}], "amount": 1}, 422, "return_unclear", {}),
        ({"lines": []}, 422, "no_lines", {}),
        ({"amount": 0}, 422, "amount_not_positive", {}),
        ({"amount": 10**13 + 1}, 422, "amount_out_of_range", {}),
        ({"lines": [{"line": 1, "quantity": "1e1"}]}, 422, "quantity_invalid", {}),
        ({"lines": [{"line": 1, "quantity": "0"}]}, 422, "quantity_not_positive", {}),
        ({"lines": [{"line": 1, "quantity": "0.000001"}]}, 422, "total_zero", {}),
    ],
)
def test_bad_returns(
    desk: Desk, asked: dict[str, Any], status: int, code: str, more: dict[str, Any]
) -> None:
    blue = sold(desk)
    refused = problem(take(desk, blue, **asked), status, code)
    assert refused | more == refused
    assert desk.count() == 1


def test_the_same_part_again_needs_a_key_of_its_own(desk: Desk) -> None:
    blue = sold(desk)
    one = [{"line": 1, "quantity": "1"}]
    first = take(desk, blue, lines=one).json
    again = problem(
        take(desk, blue, lines=[{"line": 1, "quantity": "1.0"}]), 409, "return_repeated"
    )
    assert (again["first_hash"], again["first_number"]) == (first["hash"], first["number"])
    assert take(desk, blue, "till-7", lines=one).status_code == 201
    replay = take(desk, blue, "till-7", lines=one)
    assert (replay.status_code, replay.headers["Idempotency-Replayed"]) == (200, "true")
    assert desk.count() == 3


def test_the_page_tells_what_was_taken_back_and_what_stands(desk: Desk) -> None:
    blue = sold(desk)
    red = take(desk, blue, amount=500, rate="0.13").json
    page = desk.client.get("/verify/scan", query_string=slip(blue)).text
    assert 'data-verdict="partly_reversed"' in page
    assert red["number"] in page
    assert "¥5.00" in page
    assert "¥88.00" in page
    # From one to the other: what it says of itself, and what its proof says.
    (address,) = re.findall(r'href="([^"]*/verify/scan[^"]*)"', page)
    of_red = desk.client.get(unescape(address)).text
    assert 'is-red"' in of_red
    assert "-¥5.00" in of_red
    assert f"/verify/file?hash={blue['hash']}" in of_red
    take(desk, blue)
    whole = desk.client.get("/verify/scan", query_string=slip(blue)).text
    assert "¥0.00" in whole


def said(invoice: dict[str, Any]) -> dict[str, Any]:
    """What a verdict says of another invoice of the order."""
    return {name: invoice[name] for name in ("hash", "number", "issued_at", "total")}


def test_what_was_replaced_names_what_stands_in_its_place(desk: Desk) -> None:
    """And the other way round, for programs and on the page, from one scan to the other."""
    first = sold(desk)
    assert not verdict(desk, first).keys() & {"replaces", "replaced_by"}
    take(desk, first)
    second = desk.issue(lines=[CAKE], replaces=first["hash"])
    stranger = desk.issue("other", lines=[CAKE])
    assert verdict(desk, first)["replaced_by"] == [said(second)]
    assert verdict(desk, second)["replaces"] == said(first)
    assert "replaced_by" not in verdict(desk, second)
    assert not verdict(desk, stranger).keys() & {"replaces", "replaced_by"}
    for one, other in ((first, second), (second, first)):
        page = desk.client.get("/verify/scan", query_string=slip(one)).text
        (link,) = (
            unescape(found)
            for found in re.findall(r'href="([^"]*/verify/scan[^"]*)"', page)
            if other["hash"] in found
        )
        assert 'data-verdict="mismatch"' not in desk.client.get(link).text
        assert other["number"] in page
    # What was taken back as well stands in nothing's place; the newest does, for both.
    take(desk, second)
    assert "replaced_by" not in verdict(desk, first)
    third = desk.issue(lines=[CAKE], replaces=first["hash"], remark="again")
    assert verdict(desk, first)["replaced_by"] == [said(third)]
    assert verdict(desk, second)["replaced_by"] == [said(third)]
    detail = desk.client.get(f"/v1/invoices/{first['hash']}").get_json()
    assert detail["replaced_by"] == [third["hash"]]
    assert "replaced_by" not in desk.client.get(f"/v1/invoices/{third['hash']}").get_json()
