"""The client of a remote service: what it repeats, and whose fault an answer is."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from chain.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    Problem,
    RefusedError,
    UnavailableError,
)
from invoice_service.commands.remote import Remote
from invoice_service.processes.supervise import free_port

Answer = tuple[int, bytes]


@contextmanager
def answering(*answers: Answer, retry_after: str = "1") -> Iterator[tuple[str, list[str]]]:
    """A server that gives these answers in turn; yields its address and what it was asked."""
    asked: list[str] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            key = self.headers.get("Authorization", "")
            name = self.headers.get("Idempotency-Key", "")
            asked.append(f"{self.command} {self.path} {key} {body} {name}".rstrip())
            status, data = left.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            if status == 429:
                self.send_header("Retry-After", retry_after)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _answer  # noqa: N815 # the names that http.server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # its signature
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def problem_of(status: int, code: str, detail: str = "d") -> Answer:
    """What a service says that refuses."""
    return status, json.dumps({"status": status, "code": code, "detail": detail}).encode()


def test_it_sends_the_key_and_the_query() -> None:
    with answering((200, b'{"a":1}'), (201, b"made")) as (url, asked):
        remote = Remote(f"{url}/", "fk_x")
        assert remote.get_json("/v1/things", {"qr": "a b&c"}) == {"a": 1}
        assert remote.post("/v1/things", b"body") == b"made"
    assert asked == [
        "GET /v1/things?qr=a+b%26c Bearer fk_x",
        "POST /v1/things Bearer fk_x body",
    ]


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (400, MalformedError),
        (422, MalformedError),
        (401, RefusedError),
        (403, RefusedError),
        (404, NotFoundError),
        (409, ConflictError),
    ],
)
def test_a_refusal_is_not_repeated_and_keeps_its_code(status: int, fault: type[Problem]) -> None:
    with answering(problem_of(status, "some_code")) as (url, asked):
        with pytest.raises(fault) as caught:
            Remote(url).get("/x")
        assert caught.value.code == "some_code"
        assert len(asked) == 1


def test_a_conflict_keeps_what_it_says_of_the_first_and_nothing_strange() -> None:
    said = {"code": "c", "first_hash": "01ab", "left": 5, "self": 1, "step": 2, "rates": ["0"]}
    with (
        answering((409, json.dumps(said).encode())) as (url, _),
        pytest.raises(ConflictError) as caught,
    ):
        Remote(url).get("/x")
    assert caught.value.extra == {"first_hash": "01ab", "left": 5}


def test_a_call_under_a_name_of_its_own_is_repeated_under_it() -> None:
    busy = problem_of(503, "database_busy")
    with answering(busy, (201, b"{}")) as (url, asked):
        assert Remote(url).post_named("/x", b"order", "n1") == (201, b"{}")
    assert asked == ["POST /x  order n1"] * 2


def test_what_is_not_available_is_asked_again_until_it_is() -> None:
    busy = problem_of(503, "database_busy")
    with answering(busy, (502, b"<html>proxy</html>"), (200, b"ok")) as (url, asked):
        assert Remote(url).post("/x", b"order") == b"ok"
    assert asked == ["POST /x  order"] * 3


def test_patience_ends() -> None:
    with (
        answering(problem_of(503, "disk_full")) as (url, _),
        pytest.raises(UnavailableError, match="disk_full"),
    ):
        Remote(url, patience=0).get("/x")


def test_it_waits_as_long_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("invoice_service.commands.remote.time.sleep", waits.append)
    with answering(problem_of(429, "rate_limited"), (200, b"{}")) as (url, _):
        assert Remote(url).get("/x") == b"{}"
    assert waits == [1]


@pytest.mark.parametrize("said", ["", "Sat, 28 Nov 2026 15:00:00 GMT", "-1", "9" * 5000])
def test_a_wait_that_cannot_be_read_is_a_short_one(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("invoice_service.commands.remote.time.sleep", waits.append)
    with answering(problem_of(429, "rate_limited"), (200, b"{}"), retry_after=said) as (url, _):
        assert Remote(url).get("/x") == b"{}"
    assert waits == [pytest.approx(0.1)]


def test_it_does_not_wait_longer_than_it_has_patience() -> None:
    with (
        answering(problem_of(429, "rate_limited"), retry_after="90") as (url, _),
        pytest.raises(UnavailableError, match="rate_limited"),
    ):
        Remote(url, patience=60).get("/x")


def test_a_service_that_is_not_there_is_unavailable() -> None:
    url = f"http://127.0.0.1:{free_port('127.0.0.1')}"
    with pytest.raises(UnavailableError) as caught:
        Remote(url, patience=0.2).get("/x")
    assert caught.value.code == "service_unreachable"
    assert url in caught.value.detail


@pytest.mark.parametrize("url", ["", "no address", "http://", "ftp://host"])
def test_what_is_no_address_is_malformed_or_unreachable_never_a_traceback(url: str) -> None:
    with pytest.raises(Problem):
        Remote(url, patience=0).get("/x")
