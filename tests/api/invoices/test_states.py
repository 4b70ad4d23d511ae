"""How own invoices stand now, many at once: nobody else's, and each line by itself."""

import json
from typing import Any

from invoice_service.services.people.ports import KeyTerms
from tests.api.desk import NDJSON, OTHER_TAX_ID, UNKNOWN, Desk, problem


def ask(desk: Desk, *hashes: str, key: str | None = None) -> list[dict[str, Any]]:
    """What is answered for each."""
    body = "".join(json.dumps({"hash": hash_}) + "\n" for hash_ in hashes).encode()
    headers = {"Content-Type": NDJSON, **desk.auth(key)}
    answer = desk.post("/v1/invoices/states", body, headers)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_each_is_told_with_what_became_of_it(desk: Desk) -> None:
    kept, part = desk.issue("A"), desk.issue("B", business_day="2026-11-21")
    path = f"/v1/invoices/{part['hash']}/reversals"
    back = {"reason": "SALES_RETURN", "amount": 10000}
    first = desk.post(path, back).get_json()
    desk.anchor()
    late = desk.issue("C")
    second = desk.reverse(part)
    again = desk.issue("B", business_day="2026-11-21", replaces=part["hash"], remark="anew")
    said = [line["invoice"] for line in ask(desk, kept["hash"], part["hash"].upper(), late["hash"])]
    assert said[0] == {"hash": kept["hash"], "state": "authentic"}
    assert said[1] == {
        "hash": part["hash"],
        "state": "reversed",
        "left": 0,
        "reversed_by": [first["number"], second["number"]],
        "replaced_by": [again["number"]],
    }
    assert said[2] == {"hash": late["hash"], "state": "pending"}
    [red] = ask(desk, first["hash"])
    assert red["invoice"] == {"hash": first["hash"], "state": "authentic"}


def test_what_is_partly_left_says_how_much(desk: Desk) -> None:
    part = desk.issue("B")
    back = {"reason": "SALES_RETURN", "amount": 10000}
    desk.post(f"/v1/invoices/{part['hash']}/reversals", back)
    [line] = ask(desk, part["hash"])
    assert (line["invoice"]["state"], line["invoice"]["left"]) == ("partly_reversed", 39810)


def test_anothers_is_like_what_is_not_there(desk: Desk) -> None:
    other = desk.new_merchant(OTHER_TAX_ID, "别家")
    mine = desk.issue("A")
    theirs, nobodys = ask(desk, mine["hash"], UNKNOWN, key=desk.new_key(other.merchant.id))
    assert theirs["problem"]["code"] == nobodys["problem"]["code"] == "invoice_unknown"
    assert theirs["problem"] | {"line": 0} == nobodys["problem"] | {"line": 0}


def test_a_line_that_is_none_stops_no_other(desk: Desk) -> None:
    mine = desk.issue("A")
    body = b'{"hash":"01"}\nnot json\n{"hash":"%s"}\n' % mine["hash"].encode()
    answer = desk.post("/v1/invoices/states", body, {"Content-Type": NDJSON})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line.get("problem", {}).get("code") for line in lines] == [
        "password_area",
        "not_json",
        None,
    ]


def test_it_is_for_keys_that_may_read(desk: Desk) -> None:
    key = desk.new_key(desk.restaurant.merchant.id, KeyTerms(scopes=("issue",)))
    headers = {"Content-Type": NDJSON, **desk.auth(key)}
    problem(desk.post("/v1/invoices/states", b"{}", headers), 403, "scope_required")
    assert desk.client.get("/v1/invoices/states", headers=desk.auth()).status_code == 405
