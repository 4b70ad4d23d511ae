"""At every address that takes a body: only whole requests are acted upon, by a real server.

The addresses are the application's own, so that a new one is covered by itself.
"""

import json
import socket
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from tests.api.desk import JSON, MEAL, NDJSON, Desk
from tests.api.server import serving
from tests.front.stage import Client, Place, body_of, soon, status

WRITES = {"POST", "PUT", "PATCH", "DELETE"}
ORDER = json.dumps({"order_id": "HALF", "lines": [MEAL]}).encode()
MERCHANT = json.dumps(
    {"tax_id": "91330100799655058B", "name": "某店", "industry": "6210", "district": "440303"}
).encode()
BODIES: dict[str, tuple[str, bytes]] = {
    "/v1/invoices/batch": (
        NDJSON,
        b"\n".join([ORDER.replace(b"HALF", b"H%d" % n) for n in range(9)]),
    ),
    "/v1/invoices/<hash_>/reversals": (JSON, b'{"reason":"SALES_RETURN"}'),
    "/v1/merchants": (JSON, MERCHANT),
}
"""What would be acted upon if it were whole; elsewhere an order."""


class Shop:
    """An instance with one invoice, served; requests by hand."""

    def __init__(self, desk: Desk, url: str) -> None:
        self.desk = desk
        desk.clock.now = datetime.now(UTC)  # as the server's, which goes by real time
        self.hash = str(desk.issue("FIRST")["hash"])
        parts = urlsplit(url)
        self.place: Place = (parts.hostname or "", parts.port or 0)
        rules = [rule for rule in desk.app.url_map.iter_rules() if (rule.methods or set()) & WRITES]
        self.addresses = sorted(
            (method, rule.rule) for rule in rules for method in (rule.methods or set()) & WRITES
        )

    def head(self, method: str, rule: str, *framing: str) -> bytes:
        """The head of a request that may do what it asks for."""
        path = rule.replace("<hash_>", self.hash).replace("<int:", "<").replace("<id>", "1")
        path = "/".join("1" if part.startswith("<") else part for part in path.split("/"))
        official = "/merchants" in rule
        key = self.desk.official_key if official else self.desk.key
        kind, _ = BODIES.get(rule, (JSON, b""))
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {key}"]
        return "\r\n".join([*lines, f"Content-Type: {kind}", *framing, "", ""]).encode()

    def state(self) -> dict[str, int]:
        """How many rows each table holds."""
        database = sqlite3.connect(self.desk.config.invoices_db)
        try:
            names = database.execute("select name from sqlite_master where type = 'table'")
            return {
                name: database.execute(f'select count(*) from "{name}"').fetchone()[0]
                for (name,) in names.fetchall()
            }
        finally:
            database.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("whole")
    with (
        Desk(folder) as desk,
        serving(desk, web_body_seconds="1.0", limits_peer_connections="1000") as url,
    ):
        yield Shop(desk, url)


def halves(shop: Shop, method: str, rule: str) -> Iterator[bytes]:
    """Requests whose bodies could be acted upon as far as they have come."""
    _, body = BODIES.get(rule, (JSON, ORDER))
    yield shop.head(method, rule, f"Content-Length: {len(body) + 400}") + body
    yield shop.head(method, rule, f"Content-Length: {len(body) + 1}") + body
    yield shop.head(method, rule, "Transfer-Encoding: chunked") + b"%x\r\n%b\r\n" % (
        len(body),
        body,
    )
    yield shop.head(method, rule, "Transfer-Encoding: chunked") + b"fff\r\n" + body


def refused(answer: bytes, code: str) -> bool:
    """In the words of its address: the pilot's clients are always answered 200."""
    if status(answer) == 200:
        found = json.loads(body_of(answer))
        return (found["retcode"], found["bill_record"]) == (1, {})
    return status(answer) in (400, 408) and code.encode() in answer


def test_there_are_such_addresses(shop: Shop) -> None:
    assert ("POST", "/v1/invoices") in shop.addresses
    assert len(shop.addresses) >= 7


def test_a_half_closed_request_is_refused_everywhere(shop: Shop) -> None:
    before = shop.state()
    for method, rule in shop.addresses:
        for request in halves(shop, method, rule):
            with Client(shop.place) as client:
                answer = client.say(request).half_close().rest()
            assert refused(answer, "request_incomplete"), (method, rule, answer)
    assert shop.state() == before


@pytest.mark.parametrize("way", ["close", "reset"])
def test_a_request_that_is_broken_off_does_nothing_anywhere(shop: Shop, way: str) -> None:
    before = shop.state()
    for method, rule in shop.addresses:
        for request in halves(shop, method, rule):
            client = Client(shop.place).say(request)
            if way == "reset":
                client.reset()
            else:
                client.line.close()
    with Client(shop.place) as client:
        client.say(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").rest()
    assert shop.state() == before


def test_a_request_that_does_not_come_is_timed_out_everywhere(shop: Shop) -> None:
    before = shop.state()
    waiting = [
        (rule, Client(shop.place).say(request))
        for method, rule in shop.addresses
        for request in halves(shop, method, rule)
    ]
    for rule, client in waiting:
        with client:
            assert refused(client.rest(), "request_timeout"), rule
    assert shop.state() == before


def test_the_same_requests_are_acted_upon_when_they_are_whole(shop: Shop) -> None:
    """Or the tests above would show nothing."""
    for rule in ("/v1/invoices/batch", "/v1/invoices", "/v1/merchants"):
        before = shop.state()
        _, body = BODIES.get(rule, (JSON, ORDER))
        whole = shop.head("POST", rule, f"Content-Length: {len(body)}") + body
        with Client(shop.place) as client:
            client.say(whole).half_close().rest()
        assert shop.state() != before, rule


def test_a_slow_upload_of_a_batch_that_is_killed_issues_nothing(shop: Shop) -> None:
    before = shop.state()
    lines = [ORDER.replace(b"HALF", b"SLOW%d" % n) + b"\n" for n in range(2000)]
    client = Client(shop.place).say(
        shop.head("POST", "/v1/invoices/batch", f"Content-Length: {sum(map(len, lines))}")
    )
    client.say(*lines[:1500])
    client.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.line.close()
    assert soon(lambda: _alive(shop))
    assert shop.state() == before


def _alive(shop: Shop) -> bool:
    with Client(shop.place) as client:
        ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        return client.say(ask).rest().startswith(b"HTTP/1.1 200")
