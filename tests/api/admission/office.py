"""An applicant and an official before the calls of admission."""

from typing import Any

from werkzeug.test import TestResponse

from tests.api.desk import OTHER_TAX_ID, Desk

ASKED: dict[str, Any] = {
    "tax_id": OTHER_TAX_ID,
    "name": "海岸咖啡馆",
    "industry": "6220",
    "district": "440305",
    "contact": "王店长 13800000000",
}
OCTETS = "application/octet-stream"


def apply(desk: Desk, status: int = 201, /, **changes: object) -> Any:  # noqa: ANN401 # JSON
    answer = desk.client.post("/v1/applications", json={**ASKED, **changes})
    assert answer.status_code == status, answer.text
    return answer.get_json()


def mine(desk: Desk, receipt: str, path: str = "", body: object = None) -> TestResponse:
    """The applicant's call; bytes are a paper."""
    address, headers = f"/v1/applications/mine{path}", {"Fapiao-Receipt": receipt}
    if body is None and not path:
        return desk.client.get(address, headers=headers)
    if isinstance(body, bytes):
        return desk.client.post(address, data=body, headers=headers, content_type=OCTETS)
    return desk.client.post(address, json=body, headers=headers)


def decide(desk: Desk, id_: int, decision: str, **more: object) -> TestResponse:
    """An official's step, about the application as it is now unless ``version`` is said."""
    path = f"/v1/applications/{id_}"
    there = desk.client.get(path, headers=desk.official()).get_json()
    body = {"version": there["version"], "decision": decision, **more}
    return desk.client.post(f"{path}/decision", json=body, headers=desk.official())


def stepped(desk: Desk, id_: int, decision: str, **more: object) -> Any:  # noqa: ANN401 # JSON
    answer = decide(desk, id_, decision, **more)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def applied(desk: Desk, photograph: bytes, **changes: object) -> tuple[int, str]:
    """An application with a paper: its number, its receipt."""
    made = apply(desk, **changes)
    assert mine(desk, made["receipt"], "/papers", photograph).status_code == 200
    return int(made["application"]["id"]), str(made["receipt"])


def examined(desk: Desk, photograph: bytes, **changes: object) -> tuple[int, str]:
    """One that only waits for the decision."""
    id_, receipt = applied(desk, photograph, **changes)
    stepped(desk, id_, "notice")
    desk.clock.forward(days=5)
    stepped(desk, id_, "examine", risk="low", credit="B")
    return id_, receipt


def trail(desk: Desk, type_: str) -> list[dict[str, Any]]:
    answer = desk.client.get(f"/v1/trail?type={type_}&limit=500", headers=desk.official())
    found: list[dict[str, Any]] = answer.get_json()["acts"]
    return found
