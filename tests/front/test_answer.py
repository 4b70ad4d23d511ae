"""What an application answers, on the wire; and readers that take their time."""

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from invoice_service.front.limits import Limits
from tests.front.stage import Client, body_of, get, soon, stage, status
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LARGE = 40_000_000  # bytes; more than the sockets of both sides hold


def streaming(*parts: bytes, **headers: str) -> "WSGIApplication":
    """An application that answers with these parts, without a length unless it is given."""

    def app(_environ: "WSGIEnvironment", start: "StartResponse") -> Iterator[bytes]:
        start("200 OK", [(name.replace("_", "-"), value) for name, value in headers.items()])
        yield from parts

    return app


def test_an_answer_without_a_length_goes_out_in_chunks() -> None:
    with stage(streaming(b"one", b"", b"two")) as place, Client(place) as client:
        answer = client.say(get("/", b"Connection: close")).rest()
    assert b"Transfer-Encoding: chunked" in answer
    assert body_of(answer) == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


def test_an_old_client_gets_it_until_the_end() -> None:
    with stage(streaming(b"one", b"two")) as place, Client(place) as client:
        answer = client.say(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").rest()
    assert b"chunked" not in answer
    assert body_of(answer) == b"onetwo"


def test_each_part_goes_out_before_the_next_is_made() -> None:
    goes_on = threading.Event()

    def app(_environ: "WSGIEnvironment", start: "StartResponse") -> Iterator[bytes]:
        start("200 OK", [])
        yield b"first"
        goes_on.wait(PATIENCE)
        yield b"second"

    with stage(app) as place, Client(place) as client:
        client.say(get("/", b"Connection: close"))
        answer = b""
        while b"first" not in answer:
            answer += client.line.recv(4096)
        goes_on.set()
        assert body_of(answer + client.rest()) == b"5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n"


@pytest.mark.parametrize("method", [b"HEAD", b"GET"])
def test_head_has_the_length_and_no_body(method: bytes) -> None:
    with stage(streaming(b"abc", Content_Length="3")) as place, Client(place) as client:
        answer = client.say(method + b" / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").rest()
    assert b"Content-Length: 3" in answer
    assert body_of(answer) == (b"" if method == b"HEAD" else b"abc")


def test_a_date_that_the_application_says_is_not_said_twice() -> None:
    """RFC 9110 section 6.6.1; files come with one."""
    said = "Fri, 10 Aug 2018 00:00:00 GMT"
    for name, dates in (("Date", 1), ("date", 1), ("X-Date", 2)):
        app = streaming(b"abc", **{"Content_Length": "3", name.replace("-", "_"): said})
        with stage(app) as place, Client(place) as client:
            head = client.say(get()).answer().partition(b"\r\n\r\n")[0]
        assert head.lower().count(b"date: ") == dates
        assert said.encode() in head


def test_an_application_that_breaks_is_a_500_or_a_broken_answer() -> None:
    def app(environ: "WSGIEnvironment", start: "StartResponse") -> Iterator[bytes]:
        if environ["PATH_INFO"] == "/late":
            start("200 OK", [])
            yield b"first"
        raise RuntimeError("broken")

    with stage(app) as place:
        with Client(place) as client:
            assert body_of(client.say(get("/early")).rest()) == b"internal_error"
        with Client(place) as client:
            assert not client.say(get("/late")).rest().endswith(b"0\r\n\r\n")


def test_an_answer_shorter_than_it_said_ends_the_connection() -> None:
    with stage(streaming(b"abc", Content_Length="9")) as place, Client(place) as client:
        assert body_of(client.say(get()).rest()) == b"abc"


def test_slow_readers_hold_no_thread_and_get_everything() -> None:
    made = threading.Semaphore(0)

    def app(environ: "WSGIEnvironment", start: "StartResponse") -> Iterator[bytes]:
        start("200 OK", [])
        if environ["PATH_INFO"] == "/large":
            for number in range(LARGE // 100_000):
                yield bytes([number % 251]) * 100_000
        made.release()

    with stage(app, threads=1) as place, Client(place) as slow:
        slow.say(get("/large", b"Connection: close"))
        assert made.acquire(timeout=PATIENCE)  # all is made, and hardly any of it is read
        with Client(place) as other:
            assert status(other.say(get("/", b"Connection: close")).rest()) == 200
        body = _unchunk(body_of(slow.rest()))
        assert len(body) == LARGE
        assert body == b"".join(bytes([n % 251]) * 100_000 for n in range(LARGE // 100_000))


def _unchunk(data: bytes) -> bytes:
    body: list[bytes] = []
    at = 0
    while True:
        end = data.index(b"\r\n", at)
        size = int(data[at:end], 16)
        if not size:
            return b"".join(body)
        body.append(data[end + 2 : end + 2 + size])
        at = end + 4 + size


def test_a_reader_who_stops_is_closed() -> None:
    app = streaming(*[b"x" * 100_000] * (LARGE // 100_000))
    limits = Limits(answer_seconds=0.4)
    with stage(app, limits) as place, Client(place) as client:
        client.say(get())
        assert soon(lambda: not _is_writable(client))


def _is_writable(client: Client) -> bool:
    try:
        client.say(b"\r\n")
    except ConnectionError:
        return False
    return True


def test_what_nobody_waits_for_is_not_made_to_its_end() -> None:
    made: list[int] = []

    def app(_environ: "WSGIEnvironment", start: "StartResponse") -> Iterator[bytes]:
        start("200 OK", [])
        try:
            for number in range(100_000_000):
                yield b"x" * 1000
                made.append(number)
        finally:
            made.append(-1)

    with stage(app) as place:
        client = Client(place).say(get())
        assert soon(lambda: len(made) > 10)
        client.reset()
        assert soon(lambda: made[-1] == -1)


def test_what_a_slow_reader_leaves_is_bounded() -> None:
    app = streaming(*[b"x" * 100_000] * (LARGE // 100_000))
    with stage(app, Limits(held_bytes=1_000_000)) as place, Client(place) as client:
        client.say(get())
        assert soon(lambda: not _is_writable(client))
