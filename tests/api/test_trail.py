"""Officials read who did what; who was refused is counted, and only their look-ups write."""

import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import urllib3
from werkzeug.test import TestResponse

from chain.errors import UnavailableError
from tests.api.desk import NDJSON, TAX_ID, Desk, problem, refusing
from tests.api.merchants.test_register import CAFE, CALLS
from tests.api.server import serving

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PEER = {"REMOTE_ADDR": "192.0.2.7"}


def trail(desk: Desk, query: str = "") -> list[dict[str, Any]]:
    """The acts that match."""
    answer = desk.client.get(f"/v1/trail?{query}", headers=desk.official())
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["acts"]
    return found


def refusals(desk: Desk) -> dict[tuple[str, str, str], int]:
    """How often each was refused."""
    answer = desk.client.get("/v1/trail/refusals", headers=desk.official())
    assert answer.status_code == 200, answer.text
    rows = answer.get_json()["refusals"]
    return {(row["code"], row["who"], row["origin"]): row["count"] for row in rows}


def official(desk: Desk, method: str, path: str, body: object = None) -> TestResponse:
    """An official's call, from an address of his."""
    return desk.client.open(
        path, method=method, json=body, headers=desk.official(), environ_base=PEER
    )


def test_every_change_says_who_made_it_from_where_and_when(desk: Desk) -> None:
    before = trail(desk)[-1]["seq"]
    desk.clock.forward(seconds=7)
    official(desk, "POST", "/v1/merchants", {**CAFE, "quota": 3})
    official(desk, "PUT", "/v1/merchants/2/quota", {"quota": None})
    official(desk, "POST", "/v1/merchants/2/suspension")
    official(desk, "DELETE", "/v1/merchants/2/suspension")
    key = official(desk, "POST", "/v1/merchants/2/keys", {"label": "张三的收银台"}).get_json()
    official(desk, "DELETE", f"/v1/merchants/2/keys/{key['id']}")
    acts = trail(desk, f"after={before}")
    assert [(act["type"], act["subject"]) for act in acts] == [
        ("admission", "merchant:2"),
        ("quota", "merchant:2"),
        ("suspension", "merchant:2"),
        ("suspension", "merchant:2"),
        ("key", f"key:{key['id']}"),
        ("key_revocation", f"key:{key['id']}"),
    ]
    for act in acts:
        assert act["actor"] == "key:2"
        assert act["origin"] == "192.0.2.7"
        assert act["at"] == "2026-11-21T04:30:07Z"
        assert act["outcome"] == "done"
    assert acts[1] | {"hash": "", "seq": 0} == {
        "seq": 0,
        "at": "2026-11-21T04:30:07Z",
        "actor": "key:2",
        "origin": "192.0.2.7",
        "type": "quota",
        "subject": "merchant:2",
        "subject_name": CAFE["name"],
        "outcome": "done",
        "before": {"quota": 3},
        "hash": "",
    }
    assert key["key"] not in json.dumps(acts)


def test_what_an_official_is_refused_is_an_act(desk: Desk) -> None:
    before = trail(desk)[-1]["seq"]
    for method, path, body in (
        ("POST", "/v1/merchants", {**CAFE, "tax_id": TAX_ID}),
        ("PUT", "/v1/merchants/77/quota", {"quota": 1}),
        ("POST", "/v1/merchants/77/suspension", None),
        ("DELETE", "/v1/merchants/77/suspension", None),
        ("POST", "/v1/merchants/77/keys", {}),
        ("DELETE", "/v1/merchants/1/keys/2", None),
    ):
        assert official(desk, method, path, body).status_code in {404, 409}
    acts = trail(desk, f"after={before}")
    assert [(act["type"], act["subject"], act["outcome"], act["code"]) for act in acts] == [
        ("admission", f"tax_id:{TAX_ID}", "refused", "tax_id_taken"),
        ("quota", "merchant:77", "refused", "merchant_unknown"),
        ("suspension", "merchant:77", "refused", "merchant_unknown"),
        ("suspension", "merchant:77", "refused", "merchant_unknown"),
        ("key", "merchant:77", "refused", "merchant_unknown"),
        ("key_revocation", "key:2", "refused", "api_key_unknown"),
    ]


def test_what_cannot_be_read_is_no_act(desk: Desk) -> None:
    before = trail(desk)
    official(desk, "PUT", "/v1/merchants/1/quota", {"quota": -1})
    official(desk, "POST", "/v1/merchants", {**CAFE, "tax_id": "1"})
    assert trail(desk) == before


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_key_of_the_wrong_role_leaves_a_line(desk: Desk, method: str, path: str) -> None:
    before = trail(desk)[-1]["seq"]
    answer = desk.client.open(path, method=method, headers=desk.auth(), environ_base=PEER)
    problem(answer, 403, "role_required")
    (act,) = trail(desk, f"after={before}")
    assert (act["type"], act["actor"], act["origin"]) == ("access", "key:1", "192.0.2.7")
    assert (act["outcome"], act["code"]) == ("refused", "role_required")
    assert act["subject"].startswith(f"call:{method} /v1/merchants")
    assert refusals(desk) == {("role_required", "key:1", "192.0.2.7"): 1}


def test_a_revoked_key_leaves_a_line_and_a_strangers_only_a_count(desk: Desk) -> None:
    official(desk, "DELETE", "/v1/merchants/1/keys/1")
    before = trail(desk)[-1]["seq"]
    for _ in range(3):
        problem(desk.post("/v1/invoices", {}), 401, "key_revoked")
        problem(desk.post("/v1/invoices", {}, desk.auth("fk_" + "A" * 43)), 401, "key_unknown")
        problem(desk.client.post("/v1/invoices", json={}), 401, "key_missing")
    acts = trail(desk, f"after={before}")
    assert [(act["actor"], act["code"]) for act in acts] == [("key:1", "key_revoked")] * 3
    assert refusals(desk) == {
        ("key_revoked", "key:1", "127.0.0.1"): 3,
        ("key_unknown", "unknown", "127.0.0.1"): 3,
        ("key_missing", "unknown", "127.0.0.1"): 3,
    }


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", "unknown"),
    ],
)
def test_addresses_are_counted_by_whose_they_are(desk: Desk, address: str, counted: str) -> None:
    desk.client.post("/v1/invoices", json={}, environ_base={"REMOTE_ADDR": address})
    assert refusals(desk) == {("key_missing", "unknown", counted): 1}


def test_a_merchants_refused_business_is_counted_by_its_key(desk: Desk) -> None:
    official(desk, "POST", "/v1/merchants/1/suspension")
    before = trail(desk)
    order = {"order_id": "T", "lines": [{"name": "x", "unit_price": 1, "tax_rate": "0"}]}
    problem(desk.post("/v1/invoices", order), 403, "merchant_suspended")
    assert refusals(desk) == {("merchant_suspended", "key:1", "127.0.0.1"): 1}
    assert trail(desk) == before


class Meanwhile(io.BytesIO):
    """A body, and what an official does while it comes in."""

    def __init__(self, body: bytes, act: Callable[[], object]) -> None:
        super().__init__(body)
        self._act = act

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """The first time, the official acts."""
        if self.tell() == 0:
            self._act()
        return super().readinto(buffer)


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "suspension", None, "merchant_suspended"),
        ("PUT", "quota", {"quota": 1}, "quota_exhausted"),
        ("DELETE", "keys/1", None, "key_revoked"),
    ],
)
def test_each_record_of_a_list_that_is_refused_is_counted_and_leaves_no_line(
    desk: Desk, method: str, path: str, body: object, code: str
) -> None:
    line = {"lines": [{"name": "x", "unit_price": 1, "tax_rate": "0"}]}
    orders = [json.dumps({**line, "order_id": f"L{n}"}) for n in range(50)]
    sent = "\n".join([*orders, "{}"]).encode()
    stream = Meanwhile(sent, lambda: official(desk, method, f"/v1/merchants/1/{path}", body))
    answer = desk.client.post(
        "/v1/invoices/batch",
        input_stream=stream,
        content_length=len(sent),
        headers={**desk.auth(), "Content-Type": NDJSON},
    )
    codes = [json.loads(one).get("problem", {}).get("code") for one in answer.text.splitlines()]
    refused = 49 if code == "quota_exhausted" else 50
    assert codes.count(code) == refused
    assert refusals(desk) == {(code, "key:1", "127.0.0.1"): refused}
    assert trail(desk, "type=access") == []


def test_a_refusal_stands_although_it_cannot_be_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = refusing(UnavailableError("database_busy", "busy"))
    monkeypatch.setattr(desk.instance.store, "record", away)
    monkeypatch.setattr(desk.instance.store, "count_refusals", away)
    problem(desk.client.get("/v1/merchants", headers=desk.auth()), 403, "role_required")


@contextmanager
def written(desk: Desk) -> Iterator[list[int]]:
    """How many transactions the database took meanwhile."""
    found: list[int] = []
    with closing(sqlite3.connect(desk.config.invoices_db)) as watcher:
        before = watcher.execute("PRAGMA data_version").fetchone()[0]
        yield found
        found.append(watcher.execute("PRAGMA data_version").fetchone()[0] - before)


def test_a_good_call_writes_nothing(desk: Desk) -> None:
    invoice = desk.issue()
    with written(desk) as changes:
        for path in ("/v1/merchants", "/v1/trail", "/v1/trail/refusals"):
            assert desk.client.get(path, headers=desk.official()).status_code == 200
        assert desk.client.get("/v1/invoices", headers=desk.auth()).status_code == 200
        assert desk.client.get(f"/v1/invoices/{invoice['hash']}").status_code == 200
    assert changes == [0]


def test_an_officials_list_of_invoices_is_one_act_an_hour(desk: Desk) -> None:
    before = trail(desk)[-1]["seq"]
    for _ in range(3):
        assert desk.client.get("/v1/invoices", headers=desk.official()).status_code == 200
    assert [act["type"] for act in trail(desk, f"after={before}")] == ["lookup"]
    with written(desk) as changes:
        assert desk.client.get("/v1/invoices", headers=desk.official()).status_code == 200
    assert changes == [0]


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("subject=merchant:1", ["admission", "suspension"]),
        ("actor=key:2", ["suspension"]),
        ("type=key", ["key", "key"]),
        ("type=key&subject=key:2", ["key"]),
        ("from=2026-11-22", ["suspension"]),
        ("to=2026-11-21&type=suspension", []),
        ("subject=nobody", []),
    ],
)
def test_searching(desk: Desk, query: str, types: list[str]) -> None:
    desk.clock.forward(days=1)
    official(desk, "POST", "/v1/merchants/1/suspension")
    assert [act["type"] for act in trail(desk, query)] == types


def test_the_trail_begins_with_the_instance_and_comes_in_pages(desk: Desk) -> None:
    everything = trail(desk)
    assert everything[0]["type"] == "init"
    assert everything[0]["actor"].startswith("machine:")
    assert [act["seq"] for act in everything] == [1, 2, 3, 4]
    pages, after = [], 0
    while after is not None:
        path = f"/v1/trail?limit=3&after={after}"
        answer = desk.client.get(path, headers=desk.official()).get_json()
        pages += answer["acts"]
        after = answer["next"]
    assert pages == everything


@pytest.mark.parametrize(
    ("path", "name"), [("/v1/trail", "acts"), ("/v1/trail/refusals", "refusals")]
)
def test_lines_say_the_same_as_the_page(desk: Desk, path: str, name: str) -> None:
    desk.client.post("/v1/invoices", json={})
    page = desk.client.get(path, headers=desk.official())
    headers = {**desk.official(), "Accept": "application/x-ndjson"}
    lines = desk.client.get(path, headers=headers)
    assert lines.content_type == "application/x-ndjson"
    assert page.headers["Vary"] == lines.headers["Vary"] == "Accept"
    assert [json.loads(line) for line in lines.text.splitlines()] == page.get_json()[name]
    assert page.get_json()[name]


@pytest.mark.parametrize("path", ["/v1/trail", "/v1/trail/refusals"])
def test_only_officials_read_it(desk: Desk, path: str) -> None:
    problem(desk.client.get(path), 401, "key_missing")
    problem(desk.client.get(path, headers=desk.auth()), 403, "role_required")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("type=gift", "parameter_malformed"),
        ("limit=1001", "parameter_malformed"),
        ("after=-1", "parameter_malformed"),
        ("from=yesterday", "day_invalid"),
        ("from=2026-11-22&to=2026-11-21", "range_invalid"),
        ("merchant=1", "unknown_parameter"),
        ("type=key&type=quota", "duplicate_parameter"),
    ],
)
def test_what_cannot_be_asked(desk: Desk, query: str, code: str) -> None:
    problem(desk.client.get(f"/v1/trail?{query}", headers=desk.official()), 400, code)


def twice(url: str, first: str, second: str) -> int:
    """The status of a request with two ``Authorization`` headers."""
    place = urlsplit(url)
    with closing(HTTPConnection(place.hostname or "", place.port)) as line:
        line.putrequest("GET", "/v1/merchants")
        line.putheader("Authorization", first)
        line.putheader("Authorization", second)
        line.putheader("Connection", "close")
        line.endheaders()
        return line.getresponse().status


@pytest.mark.slow
def test_servers_that_stop_have_written_what_they_counted(desk: Desk) -> None:
    """Two processes, stopped at once after the last refusal; also of two keys in one request."""
    good, wrong = f"Bearer {desk.official_key}", "Bearer fk_" + "A" * 43
    with serving(desk) as url:
        for _ in range(30):
            headers = {"Authorization": wrong, "Connection": "close"}
            answer = urllib3.request("GET", f"{url}/v1/merchants", headers=headers, retries=False)
            assert answer.status == 401
        for first, second in ((good, good), (good, wrong), (wrong, good)):
            assert twice(url, first, second) == 401
    assert desk.instance.store.refusals_counted() == 33
