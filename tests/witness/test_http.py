"""What reaches a witness over HTTP is a request, or is refused; nobody holds it up for others."""

import http.client
import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chain import deadline
from chain.witness.http import MAX_CONNECTIONS, WitnessServer
from chain.witness.judge import MAX_REQUEST_BYTES
from tests.chain.histories import history
from tests.patience import NEVER, PATIENCE, wait_until
from tests.witness.inside import cosigner, serving
from tests.witness.running import Reply, talk

KEY = cosigner(7)
LOG = history(9)
SECONDS = 1.0
PLACES = 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WitnessServer]:
    """A witness that cuts nobody off, with few places."""
    with serving(tmp_path / "witness", KEY, places=PLACES) as server:
        yield server


@pytest.fixture
def hasty(server: WitnessServer) -> WitnessServer:
    """A witness with little patience."""
    server.request_seconds = SECONDS
    return server


def port_of(server: WitnessServer) -> int:
    """The port at which it listens."""
    return int(server.url.rpartition(":")[2])


def connect(server: WitnessServer, host: str = "127.0.0.1") -> socket.socket:
    """A connection to it, from an address of this machine."""
    place = ("127.0.0.1", port_of(server))
    return socket.create_connection(place, timeout=PATIENCE, source_address=(host, 0))


def client(server: WitnessServer, host: str = "127.0.0.1") -> http.client.HTTPConnection:
    """One who asks it."""
    return http.client.HTTPConnection(host, port_of(server), timeout=PATIENCE)


def ask(server: WitnessServer, body: bytes = LOG.request(0, 3)) -> Reply:
    """Post on a new connection."""
    with closing(client(server)) as one:
        return talk(one, body)


def raw(server: WitnessServer, sent: bytes) -> bytes:
    """Send bytes as they are, and return all that comes until the connection is closed."""
    with connect(server) as connection:
        connection.sendall(sent)
        return received(connection)


def received(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    content = b""
    while piece := connection.recv(65536):
        content += piece
    return content


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What the server has written down since the last time."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


HEAD = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (HEAD + b"\r\n", 411, "length_required"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411, "length_required"),
        (
            HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            411,
            "length_required",
        ),
        (HEAD + b"Content-Length: x\r\n\r\n", 400, "length"),
        (HEAD + b"Content-Length: -1\r\n\r\n", 400, "length"),
        (HEAD + b"Content-Length: +1\r\n\r\n", 400, "length"),
        (HEAD + b"Content-Length: \xb2\r\n\r\n", 400, "length"),
        (HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400, "length"),
        (HEAD + b"Content-Length: " + b"9" * 1000 + b"\r\n\r\n", 413, "too_large"),
        (b"GARBAGE\r\n\r\n", 400, "http"),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n", 400, "http"),
        (b"POST /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414, "http"),
        (HEAD + b"X: " + b"x" * 70_000 + b"\r\n\r\n", 431, "http"),
        (HEAD + b"".join(b"X-%d: x\r\n" % n for n in range(200)) + b"\r\n", 431, "http"),
        (b"BREW /add-checkpoint HTTP/1.1\r\nHost: w\r\n\r\n", 501, "http"),
        (
            b"GET / HTTP/1.1\r\nHost: w\r\nTransfer-Encoding: chunked\r\n\r\n",
            411,
            "length_required",
        ),
        (b"GET / HTTP/1.1\r\nHost: w\r\nContent-Length: -1\r\n\r\n", 400, "length"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "host"),
        (b"GET / HTTP/1.1\r\nHost: w\r\nHost: w\r\n\r\n", 400, "host"),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(
    server: WitnessServer, capsys: pytest.CaptureFixture[str], sent: bytes, status: int, code: str
) -> None:
    with connect(server) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        answer = received(connection)
    assert answer.split(b" ")[1] == str(status).encode()
    assert f"\r\n\r\n{code}: ".encode() in answer
    (line,) = lines(capsys)
    assert (line["status"], line["code"]) == (status, code)
    assert ask(server).status == 200


@pytest.mark.parametrize(
    "head",
    [
        "GET /",
        "HEAD /",
        "GET /add-checkpoint",
        "POST /",
        "POST /add-checkpoint/",
        "BREW /add-checkpoint",
    ],
)
@pytest.mark.parametrize("framing", ["Content-Length: {}", "Transfer-Encoding: chunked"])
def test_a_body_is_never_the_next_request(server: WitnessServer, head: str, framing: str) -> None:
    """Whatever has a body that is not asked for: behind a proxy, another caller comes next."""
    hidden = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    lines = [f"{head} HTTP/1.1", "Host: w", framing.format(len(hidden)), "", ""]
    with connect(server) as connection:
        connection.sendall("\r\n".join(lines).encode() + hidden)
        answers = received(connection)
    assert answers.count(b"HTTP/1.1 ") == 1
    assert b"HTTP/1.1 200 " not in answers
    assert b"\r\nConnection: close\r\n" in answers
    assert ask(server).status == 200  # the witness has seen nothing yet


def test_a_request_without_a_body_leaves_the_connection_open(server: WitnessServer) -> None:
    with closing(client(server)) as one:
        for _ in range(2):
            one.request("GET", "/", headers={"Content-Length": "0"})
            response = one.getresponse()
            assert (response.status, response.headers["Connection"]) == (404, None)
            response.read()
        assert talk(one, BODY).status == 200


def test_a_body_may_be_so_long_and_no_longer(
    server: WitnessServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(server, b"x" * MAX_REQUEST_BYTES).status == 400
    reply = ask(server, b"x" * (MAX_REQUEST_BYTES + 1))
    assert (reply.status, reply.cosigned) == (413, False)
    assert reply.body.startswith(b"too_large: ")
    assert [line["code"] for line in lines(capsys)] == ["witness_request", "too_large"]


@pytest.mark.parametrize(
    "path", ["/", "/add-checkpoint/", "/add-checkpoint?x", "/add-checkpoint%20"]
)
def test_there_is_one_path(server: WitnessServer, path: str) -> None:
    with closing(client(server)) as one:
        assert talk(one, LOG.request(0, 3), path).status == 404
    assert ask(server).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_requests_are_posted(server: WitnessServer, method: str) -> None:
    with closing(client(server)) as one:
        for _ in range(2):
            one.request(method, "/add-checkpoint")
            response = one.getresponse()
            assert (response.status, response.headers["Allow"]) == (405, "POST")
            assert response.read() == (
                b"" if method == "HEAD" else b"method: requests are posted\n"
            )


def test_a_client_may_ask_whether_to_go_on(server: WitnessServer) -> None:
    body = LOG.request(0, 3)
    head = HEAD + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body)
    with connect(server) as connection:
        connection.sendall(head)
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


def _slowly(server: WitnessServer, sent: bytes) -> bytes:
    """Send one byte after the other, slowly, until it is over; return what came."""
    with connect(server) as connection:
        try:
            for byte in sent:
                connection.sendall(bytes([byte]))
                time.sleep(SECONDS / 20)
            return received(connection)
        except ConnectionError:
            return b""


BODY = LOG.request(0, 3)


@pytest.mark.parametrize(
    "sent",
    [
        HEAD * 10,  # no end of the head
        HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY,
        HEAD + b"Content-Length: 900000\r\n\r\n" + BODY,
        b"\r\n" * 100,
    ],
)
def test_who_sends_a_byte_now_and_then_is_cut_off(
    hasty: WitnessServer, capsys: pytest.CaptureFixture[str], sent: bytes
) -> None:
    assert b" 200 " not in _slowly(hasty, sent)
    assert {line["code"] for line in lines(capsys)} <= {"too_slow", "http"}
    hasty.request_seconds = NEVER
    assert ask(hasty).status == 200


def test_who_sends_half_a_request_is_cut_off(
    hasty: WitnessServer, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    assert raw(hasty, HEAD + b"Content-Length: 500\r\n\r\nold 0\n") == b""
    assert time.monotonic() - began >= SECONDS * 0.9
    assert [line["code"] for line in lines(capsys)] == ["too_slow"]


def test_who_ends_half_a_request_is_told_so(
    server: WitnessServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with connect(server) as connection:
        connection.sendall(HEAD + b"Content-Length: 500\r\n\r\n" + BODY[:100])
        connection.shutdown(socket.SHUT_WR)
        assert received(connection).startswith(b"HTTP/1.1 400 ")
    assert [line["code"] for line in lines(capsys)] == ["cut_off"]


def test_an_idle_connection_is_closed_without_a_word(
    server: WitnessServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(client(server)) as one:
        assert talk(one, BODY).status == 200
        server.request_seconds = SECONDS
        assert talk(one, BODY).status == 409
        assert one.sock.recv(1) == b""
    assert raw(server, b"") == b""
    assert [line["code"] for line in lines(capsys)] == ["old_size"]


def test_each_request_of_a_connection_has_its_own_time(
    server: WitnessServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with closing(client(server)) as one:
        for status in (200, 409, 409, 409):
            assert talk(one, BODY).status == status
            now[0] += 0.6 * NEVER


def _wait_for_the_end() -> None:
    """Return when no connection is served any more, and all is written down."""
    wait_until(
        lambda: not any("process_request_thread" in one.name for one in threading.enumerate()),
        "nobody is served any more",
    )


def test_who_goes_away_before_the_answer_is_noted(
    server: WitnessServer, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(5):
        connection = connect(server)
        linger = (1).to_bytes(4, "little") + bytes(4)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.sendall(HEAD + b"Content-Length: 5")
        connection.close()  # with a reset
    assert ask(server).status == 200
    _wait_for_the_end()
    assert {line["code"] for line in lines(capsys)} <= {"connection_lost", "http"}


def test_a_server_that_has_ended_says_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the test after it would be told of clients that it has never seen."""
    told: list[str] = []

    def slowly(_status: int, code: str, *_: object, **__: object) -> None:
        time.sleep(0.3)
        told.append(code)

    with serving(tmp_path / "witness", KEY) as server:
        monkeypatch.setattr(server, "refused", slowly)
        with connect(server) as one:
            one.sendall(b"GET /nowhere HTTP/1.1\r\nHost: w\r\n\r\n" + HEAD)
            assert one.recv(1000).startswith(b"HTTP/1.1 404 ")
    assert told[:2] == ["not_cosigned", "length_required"]


def test_slow_clients_do_not_hold_up_others(server: WitnessServer) -> None:
    slow = [connect(server) for _ in range(PLACES - 1)]
    for connection in slow:
        connection.sendall(HEAD)
    assert ask(server).status == 200  # and nothing cuts off the others meanwhile
    for connection in slow:
        connection.close()
    _wait_for_the_end()


CROWDS = {
    "silent": b"",
    "half a head": HEAD,
    "half a body": HEAD + b"Content-Length: 500\r\n\r\nold 0\n",
    "slow to read": b"GET / HTTP/1.1\r\nHost: w\r\n\r\n" * 200,
}


@pytest.mark.parametrize("sent", CROWDS.values(), ids=CROWDS.keys())
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_an_address_that_takes_all_places_keeps_nobody_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sent: bytes, host: str
) -> None:
    """Neither from elsewhere nor from the same address, and nobody's time has to pass."""
    with serving(tmp_path / "witness", KEY, places=MAX_CONNECTIONS) as server, ExitStack() as held:
        for _ in range(MAX_CONNECTIONS + 20):
            held.enter_context(connect(server)).sendall(sent)
        with connect(server, host) as other:
            other.sendall(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY))
            other.sendall(BODY)
            assert received(other).startswith(b"HTTP/1.1 200 ")
        crowd = [line["code"] for line in lines(capsys) if line["code"] != "not_cosigned"]
    assert crowd == ["gave_way"]  # one for all of them


def test_who_holds_few_places_stays_while_others_take_many(server: WitnessServer) -> None:
    with connect(server, "127.0.0.2") as other, ExitStack() as held:
        other.sendall(HEAD)
        many = [held.enter_context(connect(server)) for _ in range(3 * PLACES)]
        wait_until(lambda: len(select.select(many, [], [], 0)[0]) >= 2 * PLACES, "most are closed")
        other.sendall(b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
        assert other.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_a_request_that_is_judged_is_not_cut_off(
    server: WitnessServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, begun, go_on = server.witness.add_checkpoint, threading.Semaphore(0), threading.Event()

    def slowly(body: bytes) -> str:
        begun.release()
        assert go_on.wait(PATIENCE)
        return judge(body)

    monkeypatch.setattr(server.witness, "add_checkpoint", slowly)
    with ExitStack() as held:
        judged = [held.enter_context(connect(server)) for _ in range(PLACES)]
        for one in judged:
            one.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
            assert begun.acquire(timeout=PATIENCE)
        assert raw(server, b"").startswith(b"HTTP/1.1 503 ")
        go_on.set()
        statuses = [one.recv(1000).split(b" ")[1] for one in judged]
    assert sorted(statuses) == [b"200", *[b"409"] * (PLACES - 1)]


def test_it_listens_on_ipv6_too(tmp_path: Path) -> None:
    with serving(tmp_path / "witness", KEY, host="::1") as server:
        assert server.url.startswith("http://[::1]:")
        with closing(client(server, "::1")) as one:
            assert talk(one, BODY).status == 200


def test_a_fault_of_its_own_is_one_line_and_no_answer(
    server: WitnessServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: bytes) -> str:
        raise ZeroDivisionError("a bug\nof two lines")

    monkeypatch.setattr(server.witness, "add_checkpoint", fail)
    with pytest.raises((http.client.BadStatusLine, ConnectionError)):
        ask(server)
    _wait_for_the_end()
    assert [line["code"] for line in lines(capsys)] == ["internal"]
