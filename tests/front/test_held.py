"""What bodies that are on their way may take together, and when it is free again."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from invoice_service.front import incoming, outbox
from invoice_service.front.limits import Limits
from tests.front.stage import (
    HOLDS,
    Acts,
    Client,
    body_of,
    by_address,
    by_forwarded,
    full_disk,
    get,
    is_full,
    nobody,
    post,
    soon,
    stage,
    status,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.mark.parametrize("whose", ["one address", "nobody"])
def test_what_all_hold_together_is_bounded(acts: Acts, whose: str) -> None:
    """Of large bodies an address holds half at most, and all together three quarters."""
    held, more = (45_000, 10_000) if whose == "one address" else (60_000, 20_000)
    caller = by_address if whose == "one address" else nobody
    with stage(acts, HOLDS, caller=caller) as place:
        with Client(place) as first, Client(place) as second, Client(place) as till:
            first.say(post(b"x" * held, "/list", length=held + 1))
            assert soon(lambda: is_full(place, more))
            second.say(post(b"x" * more, "/list"))
            assert body_of(second.answer()) == b"too_busy"
            assert body_of(till.say(post(b"x" * 20_000)).answer()) == b"/ 20000"
            assert body_of(first.say(b"x").answer()) == f"/list {held + 1}".encode()
        assert soon(lambda: not is_full(place, more))


def test_who_sends_many_small_ones_leaves_a_quarter_to_others(acts: Acts) -> None:
    with stage(acts, HOLDS, caller=by_address) as place, ExitStack() as opened:
        for _ in range(3):
            client = opened.enter_context(Client(place, source="127.0.0.2"))
            client.say(post(b"x" * 24_000, length=24_001))
        with Client(place, source="127.0.0.2") as more, Client(place) as till:
            assert soon(lambda: is_full(place, 5_000))  # for lists there is no room any more
            assert body_of(more.say(post(b"x" * 5_000)).answer()) == b"too_busy"
            assert body_of(till.say(post(b"x" * 5_000)).answer()) == b"/ 5000"


def test_heads_that_wait_are_held_too(acts: Acts) -> None:
    acts.hold.clear()
    with stage(acts, HOLDS, caller=by_address) as place, Client(place) as client:
        client.say(get("/hold"), *(get("/", b"A: " + b"x" * 9_000) for _ in range(20)))
        assert soon(lambda: "/hold" in acts.seen)
        assert soon(lambda: is_full(place, 5_000))
        acts.hold.set()
        assert client.rest().endswith(b"too_busy")
        assert len(acts.seen) < 10


def test_a_full_disk_is_told_and_leaves_all_others_alone(
    acts: Acts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What is large waits on disk, of which there may be none left."""
    limits = Limits(body_bytes=300_000, held_bytes=2_000_000)
    with stage(acts, limits, caller=by_address) as place, Client(place) as till:
        with monkeypatch.context() as full:
            full.setattr(incoming, "TemporaryFile", full_disk)
            for _ in range(10):
                with Client(place) as client:
                    assert body_of(client.say(post(b"x" * 250_000)).rest()) == b"disk_full"
            assert body_of(till.say(post(b"x" * 9_000)).answer()) == b"/ 9000"
        assert body_of(till.say(post(b"x" * 250_000)).answer()) == b"/ 250000"
    assert {record.name for record in caplog.records} == {"invoice_service.front.crowd"}


def test_an_answer_that_a_full_disk_cannot_keep_ends_its_connection_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(outbox, "SpooledTemporaryFile", full_disk)

    def app(environ: "WSGIEnvironment", start: "StartResponse") -> list[bytes]:
        pieces = [b"x" * 100_000] * (200 if environ["PATH_INFO"] == "/large" else 0)
        start("200 OK", [("Content-Length", str(sum(map(len, pieces))))])
        return pieces

    with stage(app, caller=by_address, count=seen.append) as place:
        with Client(place) as slow:
            slow.say(get("/large"))
            assert soon(lambda: "answers_full" in seen)
            assert len(slow.rest()) < 20_000_000
        with Client(place) as other:
            assert status(other.say(get()).answer()) == 200


def test_a_long_body_is_held_as_a_list_is_whatever_its_address(acts: Acts) -> None:
    """An order may be long; for what is small there is room beside it."""
    limits = Limits(held_bytes=400_000, body_bytes=300_000)
    with stage(acts, limits, caller=by_address) as place:
        with Client(place) as first, Client(place) as second, Client(place) as till:
            first.say(post(b"x" * 190_000, length=190_001))
            assert soon(lambda: is_full(place, 100_000, path="/"))
            assert body_of(second.say(post(b"x" * 90_000)).answer()) == b"too_busy"
            assert body_of(till.say(post(b"x" * 60_000)).answer()) == b"/ 60000"
            assert body_of(first.say(b"x").answer()) == b"/ 190001"
        assert soon(lambda: not is_full(place, 100_000, path="/"))


def test_of_what_is_held_each_client_of_a_proxy_has_half(acts: Acts) -> None:
    one, other = b"X-Forwarded-For: 192.0.2.1", b"X-Forwarded-For: 192.0.2.2"
    with stage(acts, HOLDS, caller=by_forwarded) as place:
        with Client(place) as first, Client(place) as second, Client(place) as third:
            first.say(post(b"x" * 45_000, "/list", one, length=45_001))
            assert soon(lambda: is_full(place, 10_000, one))
            assert body_of(second.say(post(b"x" * 10_000, "/list", other)).answer()) == (
                b"/list 10000"
            )
            assert body_of(third.say(post(b"x" * 10_000, "/list", one)).answer()) == b"too_busy"
            first.say(b"x").answer()
        assert soon(lambda: not is_full(place, 10_000, one))


class Slow:
    """An answer of one piece, after which the application takes its time."""

    def __init__(self, goes_on: threading.Event) -> None:
        self._goes_on = goes_on
        self._pieces = iter([b"done"])

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        self._goes_on.wait()


def test_what_a_request_took_is_free_once_its_answer_has_come() -> None:
    goes_on = threading.Event()

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        assert environ["fapiao.problem"] is None
        start("200 OK", [("Content-Length", "4")])
        return Slow(goes_on)

    with stage(app, HOLDS, threads=8, caller=by_address) as place:
        try:
            with ExitStack() as open_:  # a line that ends would free it too
                for _ in range(3):  # an address has room for one of them
                    client = open_.enter_context(Client(place))
                    assert body_of(client.say(post(b"x" * 45_000, "/list")).answer()) == b"done"
        finally:
            goes_on.set()
