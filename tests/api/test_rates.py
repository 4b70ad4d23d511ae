"""Tokens through the real application, with a clock that stands still."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.api.desk import NDJSON, UNKNOWN, Desk, problem, slip

RATE = {
    "FAPIAO_RATE_PEER_PER_SECOND": "2",
    "FAPIAO_RATE_PEER_BURST": "6",
    "FAPIAO_RATE_KEY_PER_SECOND": "4",
    "FAPIAO_RATE_KEY_BURST": "12",
    "FAPIAO_WEB_TRUSTED_PROXIES": '["127.0.0.1"]',
}
CHECK = f"/v1/verifications?hash={UNKNOWN}&bill_num=00000001&total_amount=1"
PILOT = "/dzswj/bers_ep_web/query_bill_detail"


class Clock:
    """The library's clock."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("throttled.utils.now_mono_f", clock)
    return clock


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Iterator[Desk]:
    with Desk(tmp_path, **RATE) as desk:
        yield desk


def get(desk: Desk, path: str = CHECK, peer: str = "203.0.113.1", **headers: str) -> TestResponse:
    return desk.client.get(path, headers={"X-Forwarded-For": peer, **headers})


def statuses(desk: Desk, count: int, path: str = CHECK, **headers: str) -> list[int]:
    return [get(desk, path, **headers).status_code for _ in range(count)]


def test_a_peer_has_its_tokens_and_gets_them_back(desk: Desk, clock: Clock) -> None:
    assert statuses(desk, 8) == [200] * 6 + [429] * 2
    clock.now += 1
    assert statuses(desk, 3) == [200, 200, 429]


def test_who_is_refused_is_told_when_to_come_again(desk: Desk, clock: Clock) -> None:
    first = get(desk)
    assert first.headers["RateLimit-Policy"] == '"peer";q=6;w=3'
    assert first.headers["RateLimit"] == '"peer";r=5;t=1'
    assert "Retry-After" not in first.headers
    statuses(desk, 5)
    answer = get(desk)
    refused = problem(answer, 429, "rate_limited")
    wait = int(answer.headers["Retry-After"])
    assert refused["retry_after"] == wait > 0
    assert answer.headers["RateLimit"].startswith('"peer";r=0;')
    clock.now += wait
    assert get(desk).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/v1/invoices", "/nowhere", "/static/css/pages.css", "/log/checkpoint", "/readyz", "//"],
)
def test_every_address_costs(desk: Desk, path: str) -> None:
    statuses(desk, 6, path)
    assert statuses(desk, 1, path) == [429]
    assert statuses(desk, 1) == [429]


def test_whether_it_lives_may_be_asked_without_end(desk: Desk) -> None:
    assert statuses(desk, 20, "/healthz") == [200] * 20


def test_those_without_an_address_are_one_peer(desk: Desk) -> None:
    nobody = {"REMOTE_ADDR": ""}
    found = [desk.client.get("/", environ_overrides=nobody).status_code for _ in range(7)]
    assert found == [200] * 6 + [429]


def test_another_peer_is_not_touched(desk: Desk) -> None:
    statuses(desk, 7)
    assert get(desk, peer="203.0.113.2").status_code == 200
    assert get(desk, peer="2001:db8::1").status_code == 200


def test_what_a_client_writes_into_its_address_buys_nothing(desk: Desk) -> None:
    for number in range(6):
        assert get(desk, peer=f"198.51.100.{number}, 203.0.113.1").status_code == 200
    assert get(desk, peer="198.51.100.77, 203.0.113.1").status_code == 429


def test_all_addresses_of_a_network_of_ipv6_are_one(desk: Desk) -> None:
    for number in range(6):
        assert get(desk, peer=f"2001:db8::{number}").status_code == 200
    assert get(desk, peer="2001:db8::ffff").status_code == 429


def test_a_key_counts_for_itself_wherever_it_is_used(desk: Desk) -> None:
    statuses(desk, 7)  # its address has nothing left
    other = desk.new_key(desk.restaurant.merchant.id)
    assert statuses(desk, 13, "/v1/invoices", **desk.auth()) == [200] * 12 + [429]
    assert get(desk, "/v1/invoices", peer="203.0.113.9", **desk.auth()).status_code == 429
    assert get(desk, "/v1/invoices", **desk.auth(other)).status_code == 200


@pytest.mark.parametrize("path", [CHECK, "/v1/invoices"])
def test_a_wrong_key_buys_nothing(desk: Desk, path: str) -> None:
    for number in range(6):
        key = f"fk_{number:043}"
        assert get(desk, path, **desk.auth(key)).status_code == (401 if "invoices" in path else 200)
    assert get(desk, path, **desk.auth(f"fk_{9:043}")).status_code == 429


def test_a_list_costs_a_token_for_each_record(desk: Desk) -> None:
    body = json.dumps({"qr": "x"}).encode() + b"\n"
    headers = {"Content-Type": NDJSON, "X-Forwarded-For": "203.0.113.1"}

    def check(records: int) -> TestResponse:
        return desk.client.post("/v1/verifications", data=body * records, headers=headers)

    assert check(4).headers["RateLimit"] == '"peer";r=2;t=2'
    problem(check(3), 429, "rate_limited")  # the call itself has cost one of the two
    assert check(1).status_code == 200
    problem(check(1), 429, "rate_limited")


def test_a_batch_that_is_refused_has_issued_nothing(desk: Desk) -> None:
    line = '{"order_id":"%d","lines":[{"name":"x","unit_price":100,"tax_rate":"0.06"}]}\n'
    body = "".join(line % number for number in range(8)).encode()
    assert desk.post("/v1/invoices/batch", body, {"Content-Type": NDJSON}).status_code == 200
    problem(desk.post("/v1/invoices/batch", body, {"Content-Type": NDJSON}), 429, "rate_limited")
    assert desk.count() == 8


def test_nothing_costs_more_than_all_that_can_be_saved(desk: Desk) -> None:
    headers = {"Content-Type": "text/plain", "X-Forwarded-For": "203.0.113.1"}
    answer = desk.client.post("/v1/verifications", data=b"x\n" * 7, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["RateLimit"].startswith('"peer";r=0;')


def test_every_door_refuses_in_its_own_words(desk: Desk) -> None:
    invoice = desk.issue()
    statuses(desk, 7)
    page = desk.client.get(
        "/verify/scan", query_string=slip(invoice), headers={"X-Forwarded-For": "203.0.113.1"}
    )
    assert (page.status_code, page.mimetype) == (429, "text/html")
    pilot = desk.client.post(PILOT, json={}, headers={"X-Forwarded-For": "203.0.113.1"})
    assert pilot.get_json()["retcode"] == 9
    for answer in (page, pilot):
        assert int(answer.headers["Retry-After"]) > 0
