"""People and tills for programs: within one's own merchant, with a key for it."""

import pytest
from werkzeug.test import TestResponse

from invoice_service.services.people.ports import SCOPES, KeyTerms
from tests.api.desk import MEAL, OTHER_TAX_ID, Desk, problem

LI = {"name": "李四", "login": "li", "role": "cashier"}
ALL = KeyTerms(scopes=SCOPES["merchant"])


@pytest.fixture
def manager(desk: Desk) -> dict[str, str]:
    """The headers of a key for managing."""
    return desk.auth(desk.new_key(desk.restaurant.merchant.id, ALL))


def stranger(desk: Desk) -> dict[str, str]:
    """The same of another merchant."""
    other = desk.new_merchant(OTHER_TAX_ID, "另一家")
    return desk.auth(desk.new_key(other.merchant.id, ALL))


def invite(desk: Desk, headers: dict[str, str], query: str = "", **changes: str) -> TestResponse:
    return desk.client.post(f"/v1/people{query}", json={**LI, **changes}, headers=headers)


def test_somebody_is_invited_again_and_removed(desk: Desk, manager: dict[str, str]) -> None:
    made = invite(desk, manager)
    assert made.status_code == 201
    person = made.get_json()
    assert (person["login"], person["state"], person["merchant"]) == ("li@1", "invited", 1)
    assert person["invitation"].startswith("https://fapiao.test/invitation/")
    path = f"/v1/people/{person['id']}"
    again = desk.client.post(f"{path}/invitation", headers=manager).get_json()
    assert again["invitation"] != person["invitation"]
    listed = desk.client.get("/v1/people", headers=manager)
    assert "invitation/" not in listed.text
    assert desk.client.delete(path, headers=manager).get_json()["state"] == "removed"
    problem(desk.client.post(f"{path}/invitation", headers=manager), 403, "person_removed")


def test_another_merchants_people_answer_like_nobody(desk: Desk, manager: dict[str, str]) -> None:
    theirs = invite(desk, stranger(desk)).get_json()["id"]
    for number in (theirs, 999):
        path = f"/v1/people/{number}"
        calls = (
            desk.client.delete(path, headers=manager),
            desk.client.post(f"{path}/invitation", headers=manager),
        )
        for answer in calls:
            said = problem(answer, 404, "person_unknown")
            assert str(number) not in said["detail"]
    assert desk.client.get("/v1/people", headers=manager).get_json() == {"people": []}
    refused = desk.client.get("/v1/people?merchant=2", headers=manager)
    problem(refused, 403, "role_required")


def test_officials_invite_anybody(desk: Desk) -> None:
    chen = invite(desk, desk.official(), login="chen", role="administrator").get_json()
    assert (chen["login"], "merchant" in chen) == ("chen@bureau", False)
    boss = invite(desk, desk.official(), "?merchant=1", role="owner").get_json()
    assert boss["login"] == "li@1"
    problem(invite(desk, desk.official(), "?merchant=77"), 404, "merchant_unknown")
    problem(invite(desk, desk.official()), 422, "role_of_another")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"login": "a b"}, 422, "login_invalid"),
        ({"name": ""}, 422, "text_empty"),
        ({"name": "x" * 41}, 422, "text_too_long"),
        ({"role": "boss"}, 422, "value_unknown"),
        ({"role": "administrator"}, 422, "role_of_another"),
        ({"password": "x"}, 422, "unknown_field"),
    ],
)
def test_who_cannot_be_invited(
    desk: Desk, manager: dict[str, str], changes: dict[str, str], status: int, code: str
) -> None:
    problem(invite(desk, manager, **changes), status, code)


def test_a_name_is_taken_once(desk: Desk, manager: dict[str, str]) -> None:
    assert invite(desk, manager).status_code == 201
    problem(invite(desk, manager, login="LI"), 409, "login_taken")
    assert invite(desk, stranger(desk)).status_code == 201


def test_a_till_gets_a_key_which_changes_without_closing(
    desk: Desk, manager: dict[str, str]
) -> None:
    made = desk.client.post("/v1/devices", json={"till": "T3"}, headers=manager)
    assert made.status_code == 201
    device = made.get_json()
    assert (device["till"], device["scopes"]) == ("T3", ["issue", "reverse", "read"])
    old = desk.auth(device["key"])
    path = f"/v1/devices/{device['id']}"
    new = desk.client.post(f"{path}/rotation", json={"overlap_seconds": 60}, headers=manager)
    keys = [old, desk.auth(new.get_json()["key"])]
    for number, headers in enumerate(keys):
        body = {"order_id": f"A{number}", "lines": [MEAL]}
        assert desk.post("/v1/invoices", body, headers).status_code == 201
    desk.clock.forward(seconds=61)
    problem(desk.post("/v1/invoices", {"order_id": "B", "lines": [MEAL]}, old), 401, "key_expired")
    assert desk.client.delete(path, headers=manager).get_json()["revoked_at"]
    listed = desk.client.get("/v1/devices", headers=manager).get_json()["devices"]
    assert [one["till"] for one in listed] == ["T3", "T3"]
    problem(desk.client.get("/v1/people", headers=keys[1]), 403, "scope_required")


def test_a_key_that_is_no_tills_or_anothers_is_not_there(
    desk: Desk, manager: dict[str, str]
) -> None:
    theirs = desk.client.post("/v1/devices", json={"till": "T1"}, headers=stranger(desk)).get_json()
    for number in (1, theirs["id"], 999):
        path = f"/v1/devices/{number}"
        problem(desk.client.delete(path, headers=manager), 404, "api_key_unknown")
        rotated = desk.client.post(f"{path}/rotation", json={}, headers=manager)
        problem(rotated, 404, "api_key_unknown")
    problem(desk.client.post("/v1/devices", json={"till": ""}, headers=manager), 422, "text_empty")
