"""Reading invoices: who sees what, pages, search, pictures."""

import io
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from tests.api.desk import MEAL, Desk, problem


def names(answer: dict[str, Any]) -> list[str]:
    return [invoice["order_id"] for invoice in answer["invoices"]]


def listing(desk: Desk, query: str = "", key: str | None = None) -> dict[str, Any]:
    answer = desk.client.get(f"/v1/invoices?{query}", headers=desk.auth(key))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    found: dict[str, Any] = answer.get_json()
    return found


def test_pages_follow_each_other_without_gap_or_repeat(desk: Desk) -> None:
    for number in range(7):
        desk.issue(f"T{number}")
    seen, after = [], "0"
    for _ in range(4):
        page = listing(desk, f"limit=2&after={after}")
        seen += names(page)
        if page["next"] is None:
            break
        after = page["next"]
    assert seen == [f"T{number}" for number in range(7)]


def test_a_search_finds_by_order_number_and_day(desk: Desk) -> None:
    desk.issue("T1")
    desk.anchor()
    desk.clock.forward(days=1)
    second = desk.issue("T2")
    desk.reverse(second)
    assert names(listing(desk, "order_id=T1")) == ["T1"]
    assert names(listing(desk, "number=00000002")) == ["T2"]
    assert names(listing(desk, "from=2026-11-21&to=2026-11-21")) == ["T1"]
    assert names(listing(desk, "from=2026-11-22")) == ["T2", "T2"]
    assert names(listing(desk, "to=2026-11-20")) == []
    assert names(listing(desk, "order_id=T%27%20OR%201%3D1")) == []


def test_a_list_shows_what_has_become_of_each(desk: Desk) -> None:
    first = desk.issue("T1")
    red = desk.reverse(first)
    desk.anchor()
    desk.issue("T2")
    found = {item["number"]: item for item in listing(desk)["invoices"]}
    assert [found[n]["state"] for n in sorted(found)] == ["reversed", "authentic", "pending"]
    assert found["00000001"]["reversed_by"] == [red["hash"]]
    assert found["00000002"]["reverses"] == first["hash"]


def test_a_merchant_lists_its_own_and_an_official_all(desk: Desk) -> None:
    cafe = desk.new_merchant("914403001922038216", "咖啡馆")
    cafe_key = desk.new_key(cafe.merchant.id)
    desk.issue("T1")
    desk.post("/v1/invoices", {"order_id": "C1", "lines": [MEAL]}, desk.auth(cafe_key))
    assert names(listing(desk)) == ["T1"]
    assert names(listing(desk, key=cafe_key)) == ["C1"]
    assert names(listing(desk, key=desk.official_key)) == ["T1", "C1"]
    of_cafe = f"merchant={cafe.merchant.id}"
    assert names(listing(desk, of_cafe, key=desk.official_key)) == ["C1"]


def test_nobody_lists_without_a_key(desk: Desk) -> None:
    problem(desk.client.get("/v1/invoices"), 401, "key_missing")


def test_by_the_hash_alone_one_sees_the_face_and_digests(desk: Desk) -> None:
    invoice = desk.issue(buyer={"kind": "individual", "name": "张三丰"})
    answer = desk.client.get(f"/v1/invoices/{invoice['hash']}")
    found = answer.get_json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert found["face"]["seller"]["name"] == "深圳市旋转餐厅有限公司"
    assert set(found["buyer"]) == set(found["lines"]) == {"digest"}
    assert "张三丰" not in answer.text
    assert "餐费" not in answer.text


def test_the_issuing_merchant_and_officials_see_all_groups(desk: Desk) -> None:
    invoice = desk.issue(buyer={"kind": "individual", "name": "张三丰"})
    for headers in (desk.auth(), desk.official()):
        found = desk.client.get(f"/v1/invoices/{invoice['hash']}", headers=headers).get_json()
        assert found["buyer"]["name"] == "张三丰"
        assert found["lines"][0]["name"] == MEAL["name"]


def test_another_merchant_sees_no_more_than_the_public(desk: Desk) -> None:
    other = desk.new_key(desk.new_merchant("914403001922038216", "咖啡馆").merchant.id)
    invoice = desk.issue()
    found = desk.client.get(f"/v1/invoices/{invoice['hash']}", headers=desk.auth(other)).get_json()
    assert set(found["buyer"]) == {"digest"}


def test_a_wrong_key_is_refused_also_where_none_is_needed(desk: Desk) -> None:
    path = f"/v1/invoices/{desk.issue()['hash']}"
    wrong = {"Authorization": "Bearer fk_" + "A" * 43}
    problem(desk.client.get(path, headers=wrong), 401, "key_unknown")
    problem(desk.client.get(f"{path}/proof", headers=wrong), 401, "key_unknown")


def test_the_pictures_say_the_scan_address(desk: Desk) -> None:
    invoice = desk.issue()
    png = desk.client.get(f"/v1/invoices/{invoice['hash']}/qr.png")
    assert png.content_type == "image/png"
    picture = Image.open(io.BytesIO(png.data))
    qr_codes = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    found = zxingcpp.read_barcodes(picture, formats=qr_codes)
    assert [code.text for code in found] == [invoice["qr"]]
    larger = desk.client.get(f"/v1/invoices/{invoice['hash']}/qr.png?module=10")
    assert Image.open(io.BytesIO(larger.data)).width == 2 * picture.width
    svg = desk.client.get(f"/v1/invoices/{invoice['hash']}/qr.svg")
    assert svg.content_type.startswith("image/svg+xml")
    assert svg.data.startswith(b"<svg ")
    assert svg.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("module", ["3", "33", "x", "4.5", "+5", ""])
def test_modules_that_would_not_print_are_refused(desk: Desk, module: str) -> None:
    path = f"/v1/invoices/{desk.issue()['hash']}/qr.png"
    answer = desk.client.get(path, query_string={"module": module})
    problem(answer, 400, "parameter_malformed")


def test_a_merchant_may_not_choose_whose_invoices_are_listed(desk: Desk) -> None:
    own = desk.restaurant.merchant.id
    answer = desk.client.get(f"/v1/invoices?merchant={own}", headers=desk.auth())
    problem(answer, 403, "role_required")
