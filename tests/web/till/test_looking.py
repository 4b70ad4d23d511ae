"""Lists, search, titles, slips, menu, tables, tills."""

import csv
import io
import json
import re
from typing import Any
from unicodedata import normalize
from urllib.parse import quote

import pytest

from invoice_service.services.people.ports import KeyTerms
from invoice_service.services.people.sessions import token_digest
from invoice_service.services.till import books
from tests.api.desk import problem
from tests.web.people.visitors import BASE
from tests.web.till.counter import COMPANY, NOODLES, TEA, Counter, cash, new_id

DAY = "2026-11-21"
DISH: dict[str, Any] = {"id": "noodles1", "name": "牛肉面", "price": 2800, "tax_rate": "0.06"}


def numbers(counter: Counter, **query: str) -> list[str]:
    found = counter.zhang.read("invoices", **query)["invoices"]
    return [one["order_id"] for one in found]


def test_a_days_list_is_found_in_every_way(counter: Counter) -> None:
    counter.zhang.sell(NOODLES, buyer=COMPANY)
    counter.zhang.sell(TEA)
    counter.issue("plain", lines=[TEA])
    assert numbers(counter, day=DAY) == ["plain", "P0002", "P0001"]
    assert numbers(counter, day=DAY, q="某某") == ["P0001"]
    assert numbers(counter, q="P0002") == ["P0002"]
    assert numbers(counter, day=DAY, q="28.00") == ["P0001"]
    assert numbers(counter, day=DAY, q="nothing") == []
    assert numbers(counter, day="2026-11-20") == []


def batch(counter: Counter, orders: list[dict[str, Any]]) -> None:
    """Issue these at once, with a line of 1.00 yuan unless they say another."""
    line = {"name": "a", "unit_price": 100, "tax_rate": "0.06"}
    lines = "\n".join(json.dumps({"lines": [line], **one}) for one in orders)
    headers = {"Content-Type": "application/x-ndjson"}
    assert counter.post("/v1/invoices/batch", lines.encode(), headers).status_code == 200


def test_whatever_is_searched_for_is_found_wherever_in_the_day_it_is(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below more invoices than a look at all days reads, an exact name before all that hold it."""
    monkeypatch.setattr(books, "SCANNED", 100)
    dear = [{"name": "b", "unit_price": 77700, "tax_rate": "0.06"}]
    person = {"kind": "individual", "name": "欧阳小明"}
    first: list[dict[str, Any]] = [
        {"order_id": "7", "business_day": DAY, "lines": dear, "buyer": person},
        {"order_id": "7", "business_day": "2026-11-20"},
    ]
    batch(
        counter, [*first, *({"order_id": f"{n}", "business_day": DAY} for n in range(1000, 1210))]
    )
    assert numbers(counter, day=DAY, q="777.00") == ["7"]
    assert numbers(counter, day=DAY, q="¥777") == ["7"]
    assert numbers(counter, day=DAY, q="小明") == ["7"]
    stored = counter.instance.store.invoice_at(1)
    assert stored is not None
    assert numbers(counter, day=DAY, q=stored.hash[20:40]) == ["7"]
    assert numbers(counter, day=DAY, q=stored.number)[0] == "7"
    sevens = numbers(counter, day=DAY, q="7")
    assert sevens[0] == "7"
    assert len(sevens) == len({*sevens}) > 1
    seen = counter.zhang.read("invoices", day=DAY, q="1")
    rest = counter.zhang.read("invoices", day=DAY, q="1", after=seen["next"])["invoices"]
    found = [one["hash"] for one in (*seen["invoices"], *rest)]
    assert len(found) == len({*found}) > 100
    # What this day has not is found by its name among all others.
    assert numbers(counter, day="2026-11-19", q="1005") == ["1005"]
    assert numbers(counter, day="2026-11-20", q="7") == ["7"]
    assert counter.wang.read("invoices", day=DAY, q="7")["invoices"] == []


def test_a_damaged_row_is_named_and_not_passed_over(counter: Counter) -> None:
    counter.zhang.sell(buyer={"kind": "individual", "name": "某人"})
    with counter.instance.store.connections.writing() as connection:
        connection.execute("DROP TRIGGER buyer_keys_end")
        connection.execute("UPDATE buyer_keys SET key = ?", (bytes([1]) * 32,))
    problem = counter.zhang.get("invoices", day=DAY, q="other").get_json()
    assert problem["code"] == "record_damaged"


def test_states_follow_the_log_and_returns(counter: Counter) -> None:
    sold = counter.zhang.sell()
    listed = counter.zhang.read("invoices", day=DAY)["invoices"]
    assert [one["state"] for one in listed] == ["issued"]
    counter.anchor()
    counter.zhang.take_back(sold, 100, amount=100)
    listed = counter.zhang.read("invoices", day=DAY)["invoices"]
    assert [one["state"] for one in listed] == ["red", "part"]
    counter.zhang.sell()
    counter.anchor()
    listed = counter.zhang.read("invoices", day=DAY)["invoices"]
    assert [one["state"] for one in listed] == ["anchored", "red", "part"]


def test_pages_of_a_list_meet_without_gap(counter: Counter) -> None:
    batch(counter, [{"order_id": f"{n}", "business_day": DAY} for n in range(130)])
    first = counter.zhang.read("invoices", day=DAY)
    rest = counter.zhang.read("invoices", day=DAY, after=first["next"])
    found = [one["order_id"] for one in (*first["invoices"], *rest["invoices"])]
    assert found == [str(n) for n in reversed(range(130))]
    assert rest["next"] is None


def test_titles_are_those_of_companies_only(counter: Counter) -> None:
    counter.zhang.sell(NOODLES, buyer=COMPANY)
    counter.zhang.sell(NOODLES, buyer={"kind": "individual", "name": "某人É"})
    assert numbers(counter, q="人é") == numbers(counter, day=DAY, q="人é") == ["P0002"]
    found = counter.zhang.read("titles", q="某")["titles"]
    assert [one["tax_id"] for one in found] == [COMPANY["tax_id"]]
    assert counter.wang.read("titles", q="某")["titles"] == []
    assert counter.zhang.read("titles", q="")["titles"] == []


def test_slips_by_session(counter: Counter) -> None:
    hash_ = counter.zhang.sell()["invoices"][0]["hash"]
    first = counter.zhang.get(f"invoices/{hash_}/slip", width="80")
    assert "副本".encode("gb18030") not in first.data
    assert "样本".encode("gb18030") in first.data  # this service is no tax office's
    assert counter.zhang.do("POST", f"invoices/{hash_}/prints", {}) == {"prints": 1}
    assert "副本".encode("gb18030") in counter.zhang.get(f"invoices/{hash_}/slip").data
    picture = counter.zhang.get(f"invoices/{hash_}/slip", format="png")
    assert (picture.content_type, picture.data[:4]) == ("image/png", b"\x89PNG")
    wrong = counter.zhang.get(f"invoices/{hash_}/slip", width="70").get_json()
    assert wrong["code"] == "parameter_malformed"


def test_a_menu_is_replaced_whole_by_whoever_knows_the_last(counter: Counter) -> None:
    assert counter.zhang.do("PUT", "menu", {"version": 0, "items": [DISH]}) == {"version": 1}
    state = counter.li.read("state")
    assert (state["menu"], state["versions"]["menu"]) == ([DISH], 1)
    late = counter.zhang.refused("PUT", "menu", {"version": 0, "items": []})
    assert late["code"] == "list_changed"
    assert counter.li.refused("PUT", "menu", {"version": 1, "items": []})["code"] == (
        "role_required"
    )
    assert counter.wang.read("state")["menu"] == []
    assert [act["after"]["list"] for act in counter.acts("menu")] == ["menu"]


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ([DISH, DISH], "list_twice"),
        ([{**DISH, "tax_rate": "0.07"}], "tax_rate_unknown"),
        ([{**DISH, "tax_kind": "exempt"}], "tax_kind_with_rate"),
        ([{**DISH, "name": "\u200b"}], "text_empty"),
        ([{**DISH, "price": -1}], "amount_out_of_range"),
        ([{**DISH, "price": 1.5}], "wrong_type"),
    ],
)
def test_what_no_menu_has(counter: Counter, items: list[dict[str, Any]], code: str) -> None:
    asked = {"version": 0, "items": items}
    assert counter.zhang.refused("PUT", "menu", asked)["code"] == code


def test_a_menu_goes_out_and_comes_back_as_a_table(counter: Counter) -> None:
    dishes = [
        {**DISH, "category": "主食", "code": "0012"},
        {**DISH, "id": "b", "name": "=茶"},
        {**DISH, "id": "c", "name": '-"&HYPERLINK("http://x")&"'},
        {**DISH, "id": "d", "name": "＝1+1"},
        {**DISH, "id": "e", "name": "米", "tax_rate": "0", "tax_kind": "exempt"},
        {**DISH, "id": "f", "name": "卡", "tax_rate": "0", "tax_kind": "untaxed"},
        {**DISH, "id": "g", "name": "书", "tax_rate": "0"},
    ]
    counter.zhang.do("PUT", "menu", {"version": 0, "items": dishes})
    table = counter.zhang.get("menu.csv")
    cells = [cell for row in csv.reader(io.StringIO(table.text)) for cell in row]
    assert '="-""&HYPERLINK(""http://x"")&"""' in cells  # a text, whatever is in it
    assert all(
        re.fullmatch('="([^"]|"")*"', cell) for cell in cells if cell.startswith(("=", "-", "＝"))
    )
    found = sent_file(counter, table.data)
    assert found["refused"] == []
    names = ("name", "price", "tax_rate", "tax_kind", "category", "code")
    assert [[one.get(name, "") for name in names] for one in found["items"]] == [
        [one.get(name, "") for name in names] for one in dishes
    ]
    assert counter.zhang.read("state")["versions"]["menu"] == 1


def test_a_shops_own_table_of_dishes(counter: Counter) -> None:
    table = "分类,菜名,单价,税率\n主食,牛肉面,¥28.00,6%\n饮品,茶,9.5,\n,,x,\n".encode("gb18030")
    found = sent_file(counter, table)
    assert [(one["name"], one["price"], one["tax_rate"]) for one in found["items"]] == [
        ("牛肉面", 2800, "0.06"),
        ("茶", 950, "0.06"),
    ]
    assert [one["line"] for one in found["refused"]] == [4]
    assert all(one["title"] and one["title"] != one["code"] for one in found["refused"])
    assert counter.zhang.send("POST", "menu/file", {}).get_json()["code"] == (
        "unsupported_media_type"
    )


def test_a_table_of_dishes_is_not_guessed_at(counter: Counter) -> None:
    """Codes that a spreadsheet has rounded, and two columns that could be the price."""
    found = sent_file(counter, "菜名,单价,条码\n茶,5,6.90123E+12\n面,5,1月2日\n".encode())
    assert found["items"] == []
    assert [one["code"] for one in found["refused"]] == ["csv_number_destroyed"] * 2
    own = counter.zhang.form()
    answer = counter.zhang.client.post(
        "/till/menu/file",
        data="菜名,单价,售价\n茶,5,6\n".encode(),
        base_url=BASE,
        headers={**own, "Content-Type": "text/csv"},
    )
    assert answer.get_json()["code"] == "menu_header_unknown"
    assert "'单价'" in answer.get_json()["detail"]


def sent_file(counter: Counter, data: bytes) -> dict[str, Any]:
    own = counter.zhang.form()
    answer = counter.zhang.client.post(
        "/till/menu/file", data=data, base_url=BASE, headers={**own, "Content-Type": "text/csv"}
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_tills_have_names_and_a_browser_is_one(counter: Counter) -> None:
    counter.zhang.do("POST", "tills", {"name": "外卖"})
    assert [one["id"] for one in counter.zhang.read("state")["tills"]] == ["1", "外卖"]
    assert counter.zhang.refused("POST", "tills", {"name": "外卖"})["code"] == "till_taken"
    bill = {"version": 0, "bill": {"lines": [TEA]}, "parts": [cash(900)]}
    settle = f"bills/{new_id()}/settle"
    assert counter.li.refused("POST", settle, bill)["code"] == "till_needed"
    assert counter.li.refused("POST", "here", {"till": "3"})["code"] == "till_unknown"
    counter.li.do("POST", "here", {"till": "外卖"})
    assert counter.li.read("state")["till"]["name"] == "外卖"
    counter.li.do("POST", settle, bill)
    assert counter.zhang.read("invoices", day=DAY)["invoices"][0]["till"] == "外卖"
    counter.zhang.do("DELETE", "tills/外卖")
    assert counter.zhang.refused("DELETE", "tills/外卖")["code"] == "till_unknown"


@pytest.mark.parametrize("name", ["1/2", "/", ".", ".."])
def test_a_till_has_a_name_by_which_it_can_be_removed(counter: Counter, name: str) -> None:
    """By whichever way it comes."""
    refused = counter.zhang.refused("POST", "tills", {"name": name})
    assert (refused["code"], refused["pointer"]) == ("identifier_ambiguous", "/name")
    assert "/" in refused["detail_zh"]
    mine = counter.restaurant.merchant.id
    key = counter.new_key(mine, KeyTerms(scopes=("issue", "manage")))
    order = {"order_id": "1", "till": name, "lines": [TEA]}
    for path, body, shown in (
        ("/v1/devices", {"till": name, "label": "x"}, key),
        (f"/v1/merchants/{mine}/keys", {"till": name, "label": "x"}, counter.official_key),
        ("/v1/invoices", order, key),
        ("/v1/orders", order, key),
    ):
        answer = counter.post(path, body, counter.auth(shown))
        assert problem(answer, 422, "identifier_ambiguous")["pointer"] == "/till", path


@pytest.mark.parametrize("name", ["２", "Ａ", "ﾊﾞｰ", "ﬁ"])
def test_one_till_has_one_spelling(counter: Counter, name: str) -> None:
    """By whichever way it comes: else its orders would count as another till's."""
    plain = normalize("NFKC", name)
    counter.zhang.do("POST", "tills", {"name": plain})
    refused = counter.zhang.refused("POST", "tills", {"name": name})
    assert (refused["code"], refused["pointer"]) == ("identifier_ambiguous", "/name")
    assert plain in refused["detail"]
    assert plain in refused["detail_zh"]
    key = counter.new_key(counter.restaurant.merchant.id, KeyTerms(scopes=("issue", "manage")))
    for path, body in (
        ("/v1/devices", {"till": name, "label": "x"}),
        ("/v1/invoices", {"order_id": "1", "till": name, "lines": [TEA]}),
    ):
        problem(counter.post(path, body, counter.auth(key)), 422, "identifier_ambiguous")


def test_a_till_of_before_keeps_those_away_that_look_like_it(counter: Counter) -> None:
    """Its name would not be taken today; it stays readable, and can be removed."""
    terms, mine = KeyTerms(till="２"), counter.restaurant.merchant.id
    store, by = counter.instance.store, counter.instance.operator()
    old = store.add_key(token_digest("old"), "merchant", mine, "old", by, terms)
    assert [one["id"] for one in counter.zhang.read("state")["tills"]] == ["２"]
    assert counter.zhang.refused("POST", "tills", {"name": "2"})["code"] == "till_taken"
    manage = counter.new_key(mine, KeyTerms(scopes=("manage",)))
    asked = {"till": "2", "label": "new"}
    problem(counter.post("/v1/devices", asked, counter.auth(manage)), 409, "till_taken")
    store.revoke_key(old.id, by)
    assert counter.post("/v1/devices", asked, counter.auth(manage)).status_code == 201


@pytest.mark.parametrize("name", ["1.2", "吧台 1", "外卖（二楼）", "50%", "a?b#c", ".a"])
def test_whatever_else_it_is_called_it_goes(counter: Counter, name: str) -> None:
    counter.zhang.do("POST", "tills", {"name": name})
    counter.zhang.do("DELETE", f"tills/{quote(name, safe='')}")


def test_tables_are_kept(counter: Counter) -> None:
    asked = {"version": 0, "tables": ["1", "2", "露台"]}
    assert counter.zhang.do("PUT", "tables", asked) == {"version": 1}
    assert counter.li.read("state")["tables"] == ["1", "2", "露台"]
    asked = {"version": 1, "tables": ["1", "1"]}
    assert counter.zhang.refused("PUT", "tables", asked)["code"] == "list_twice"


def test_a_cashier_at_an_owners_till_is_a_cashier(counter: Counter) -> None:
    li, session = counter.people["li"], counter.zhang.session_id(counter)
    store = counter.instance.store
    store.set_cashier(session, li.id, counter.instance.operator())
    state = counter.zhang.read("state")
    assert state["cashier"]["name"] == "Li"
    asked = {"version": 0, "tables": []}
    assert counter.zhang.refused("PUT", "tables", asked)["code"] == "role_required"
    counter.zhang.sell()
    assert counter.zhang.read("invoices", day=DAY)["invoices"][0]["by"]["name"] == "Li"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("invoices?day=2026-13-01", "day_invalid"),
        ("invoices?after=x", "parameter_malformed"),
        ("invoices?colour=red", "unknown_parameter"),
        ("figures", "missing_parameter"),
        ("figures?day=2026-11-21&month=2026-11", "missing_parameter"),
        ("figures?month=2026-11-21", "day_invalid"),
        ("shifts", "missing_parameter"),
        ("invoices/xyz", "password_area"),
        ("titles?q=" + "x" * 101, "text_too_long"),
        ("invoices?q=a&q=b", "duplicate_parameter"),
    ],
)
def test_what_cannot_be_looked_at(counter: Counter, path: str, code: str) -> None:
    assert counter.zhang.get(path).get_json()["code"] == code
