"""Officials admit, suspend, set quotas, and hand out keys."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.api.desk import JSON, MEAL, TAX_ID, Desk, problem

CAFE: dict[str, Any] = {
    "tax_id": "914403001922038216",
    "name": "咖啡馆",
    "industry": "6232",
    "district": "440305",
}


def admit(desk: Desk, **changes: object) -> TestResponse:
    return desk.client.post("/v1/merchants", json={**CAFE, **changes}, headers=desk.official())


def test_an_admitted_merchant_gets_a_key_and_issues(desk: Desk) -> None:
    answer = admit(desk, quota=1)
    assert answer.status_code == 201
    merchant = answer.get_json()
    assert merchant["quota"] == 1
    assert (merchant["used"], merchant["status"]) == (0, "active")
    path = answer.headers["Location"]
    made = desk.client.post(f"{path}/keys", json={"label": "till 3"}, headers=desk.official())
    assert made.status_code == 201
    key = made.get_json()["key"]
    body = {"order_id": "C1", "lines": [MEAL]}
    assert desk.post("/v1/invoices", body, desk.auth(key)).status_code == 201
    assert desk.client.get(path, headers=desk.official()).get_json()["used"] == 1
    again = desk.post("/v1/invoices", {**body, "order_id": "C2"}, desk.auth(key))
    problem(again, 403, "quota_exhausted")


def test_a_quota_can_be_raised_and_lifted(desk: Desk) -> None:
    path = f"/v1/merchants/{desk.restaurant.merchant.id}/quota"
    for quota in (0, 5, None):
        answer = desk.client.put(path, json={"quota": quota}, headers=desk.official())
        assert answer.get_json()["quota"] == quota


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"quota": -1}, 422, "amount_out_of_range"),
        ({"quota": "5"}, 422, "wrong_type"),
        ({"quota": 1.5}, 422, "wrong_type"),
        ({}, 422, "limits_missing"),
        ({"quota": 5, "until": "2027"}, 422, "unknown_field"),
    ],
)
def test_a_quota_is_a_whole_number(desk: Desk, body: object, status: int, code: str) -> None:
    path = f"/v1/merchants/{desk.restaurant.merchant.id}/quota"
    problem(desk.client.put(path, json=body, headers=desk.official()), status, code)


def test_a_suspended_merchant_issues_again_once_resumed(desk: Desk) -> None:
    path = f"/v1/merchants/{desk.restaurant.merchant.id}/suspension"
    body = {"order_id": "T1", "lines": [MEAL]}
    suspended = desk.client.post(path, headers=desk.official())
    assert suspended.get_json()["status"] == "suspended"
    problem(desk.post("/v1/invoices", body), 403, "merchant_suspended")
    why = {"reason": "已整改"}
    assert desk.client.delete(path, json=why, headers=desk.official()).get_json()["status"] == (
        "active"
    )
    assert desk.post("/v1/invoices", body).status_code == 201
    read = desk.client.get("/v1/acts", headers=desk.auth()).get_json()["acts"]
    assert read[-1]["reason"] == "已整改"
    assert desk.client.delete(path, headers=desk.official()).status_code == 200
    problem(
        desk.client.delete(path, json={"because": "x"}, headers=desk.official()),
        422,
        "unknown_field",
    )


STANDING = ("suspension", "readmission", "leaving", "revocation")


@pytest.mark.parametrize("what", STANDING)
def test_why_a_merchant_may_not_issue_is_kept_and_read_by_it(desk: Desk, what: str) -> None:
    path = f"/v1/merchants/{desk.restaurant.merchant.id}/{what}"
    official = desk.official()
    sent = desk.client.post(path, json={"reason": "多次扫码不符"}, headers=official)
    assert sent.status_code == 200
    trail = "/v1/trail?type=suspension"
    (act,) = desk.client.get(trail, headers=official).get_json()["acts"]
    assert act["reason"] == "多次扫码不符"
    if what != "revocation":  # its key has ended with it
        read = desk.client.get("/v1/acts", headers=desk.auth()).get_json()["acts"]
        assert (read[-1]["type"], read[-1]["reason"]) == ("suspension", "多次扫码不符")
    for body, status, code in (
        ({"reason": "x" * 201}, 422, "text_too_long"),
        ({"reason": "a\nb"}, 422, "control_character"),
        ({"because": "x"}, 422, "unknown_field"),
        ([], 422, "wrong_type"),
    ):
        problem(desk.client.post(path, json=body, headers=official), status, code)
    text = desk.client.post(path, data=b"reason=x", headers=official)
    problem(text, 415, "unsupported_media_type")
    assert len(desk.client.get(trail, headers=official).get_json()["acts"]) == 1


def test_keys_are_listed_without_their_texts_and_revoked_for_ever(desk: Desk) -> None:
    path = f"/v1/merchants/{desk.restaurant.merchant.id}/keys"
    listed = desk.client.get(path, headers=desk.official())
    assert desk.key not in listed.text
    (key,) = listed.get_json()["keys"]
    assert "key" not in key
    one, official = f"{path}/{key['id']}", desk.official()
    long = desk.client.delete(one, json={"reason": "x" * 201}, headers=official)
    problem(long, 422, "text_too_long")
    revoked = desk.client.delete(one, json={"reason": "外泄"}, headers=official).get_json()
    assert revoked["revoked_at"] == "2026-11-21T04:30:00Z"
    (act,) = desk.client.get("/v1/trail?type=key_revocation", headers=official).get_json()["acts"]
    assert act["reason"] == "外泄"
    problem(desk.post("/v1/invoices", {"order_id": "T", "lines": [MEAL]}), 401, "key_revoked")


def test_an_officials_key_cannot_be_revoked_through_a_merchant(desk: Desk) -> None:
    (official,) = desk.instance.store.keys(None)
    path = f"/v1/merchants/{desk.restaurant.merchant.id}/keys/{official.id}"
    problem(desk.client.delete(path, headers=desk.official()), 404, "api_key_unknown")
    assert desk.client.get("/v1/merchants", headers=desk.official()).status_code == 200


def test_merchants_come_in_pages(desk: Desk) -> None:
    admit(desk)
    first = desk.client.get("/v1/merchants?limit=1", headers=desk.official()).get_json()
    assert [found["tax_id"] for found in first["merchants"]] == [TAX_ID]
    path = f"/v1/merchants?limit=1&after={first['next']}"
    second = desk.client.get(path, headers=desk.official()).get_json()
    assert [found["tax_id"] for found in second["merchants"]] == [CAFE["tax_id"]]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"tax_id": TAX_ID}, 409, "tax_id_taken"),
        ({"tax_id": CAFE["tax_id"][:-1] + "9"}, 422, "tax_id_invalid"),
        ({"industry": "9999"}, 422, "industry_unknown"),
        ({"district": "110101"}, 422, "district_unknown"),
        ({"name": ""}, 422, "text_empty"),
        ({"name": "咖啡\r\n馆"}, 422, "control_character"),
        ({"boss": "x"}, 422, "unknown_field"),
    ],
)
def test_a_merchant_that_cannot_be_admitted(
    desk: Desk, changes: dict[str, object], status: int, code: str
) -> None:
    problem(admit(desk, **changes), status, code)
    listed = desk.client.get("/v1/merchants", headers=desk.official()).get_json()
    assert len(listed["merchants"]) == 1


CALLS = [
    ("GET", "/v1/merchants"),
    ("POST", "/v1/merchants"),
    ("GET", "/v1/merchants/1"),
    ("POST", "/v1/merchants/1/suspension"),
    ("DELETE", "/v1/merchants/1/suspension"),
    ("PUT", "/v1/merchants/1/quota"),
    ("GET", "/v1/merchants/1/keys"),
    ("POST", "/v1/merchants/1/keys"),
    ("DELETE", "/v1/merchants/1/keys/1"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_call_needs_an_official(desk: Desk, method: str, path: str) -> None:
    headers = {"Content-Type": JSON}
    body = b'{"quota":5,"label":"x"}'
    refused = desk.client.open(path, method=method, data=body, headers=headers)
    problem(refused, 401, "key_missing")
    refused = desk.client.open(path, method=method, data=body, headers={**headers, **desk.auth()})
    problem(refused, 403, "role_required")


@pytest.mark.parametrize(("method", "path"), CALLS[2:])
def test_a_merchant_that_is_not_there(desk: Desk, method: str, path: str) -> None:
    body = {"keys": b'{"label":"x"}', "quota": b'{"quota":5}'}.get(path.rpartition("/")[2], b"")
    headers = {"Content-Type": JSON, **desk.official()}
    missing = path.replace("/1", "/77", 1)
    answer = desk.client.open(missing, method=method, data=body, headers=headers)
    problem(answer, 404, "api_key_unknown" if path.endswith("keys/1") else "merchant_unknown")
    malformed = path.replace("/1", "/01", 1)
    answer = desk.client.open(malformed, method=method, data=body, headers=headers)
    problem(answer, 400, "parameter_malformed")


def test_a_label_is_bounded(desk: Desk) -> None:
    path = f"/v1/merchants/{desk.restaurant.merchant.id}/keys"
    assert desk.post(path, {"label": "x" * 100}, desk.official()).status_code == 201
    refused = problem(desk.post(path, {"label": "x" * 101}, desk.official()), 422, "text_too_long")
    assert refused["pointer"] == "/label"
