"""A witness over HTTP, byte by byte: each answer's head and body, each line about a refusal."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from socketserver import ThreadingTCPServer
from types import SimpleNamespace
from typing import Any

import pytest

from chain.hashing import sha256
from chain.signing.cosignature import Cosigner
from chain.signing.note import SignerKey
from chain.witness import http
from chain.witness.http import WitnessServer
from chain.witness.judge import MAX_REQUEST_BYTES
from tests.chain.histories import ORIGIN, history
from tests.patience import PATIENCE
from tests.witness.inside import cosigner, serving

KEY = cosigner(7)
LOG = history(9)
BODY = LOG.request(0, 3)
AT = "2027-01-15T08:00:00Z"
TEXT = "Content-Type: text/plain; charset=utf-8"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WitnessServer]:
    """A witness."""
    with serving(tmp_path / "witness", KEY) as server:
        yield server


def connect(server: WitnessServer) -> socket.socket:
    """A connection to it."""
    port = int(server.url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def talk(server: WitnessServer, sent: bytes, *, end: bool = False) -> bytes:
    """Send this, with or without an end, and return what comes until the server closes."""
    content = b""
    with connect(server) as connection:
        connection.sendall(sent)
        if end:
            connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65536):
            content += piece
    return content


def answer(content: bytes) -> tuple[str, set[str], bytes]:
    """The status line, the other lines of the head, and the body; but for server and date."""
    head, _, body = content.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    known = ("Server: ", "Date: ")
    return status, {line for line in lines if not line.startswith(known)}, body


def post(path: str, body: bytes = BODY, *more: str) -> bytes:
    """A request after which the connection is to be closed."""
    return request("POST", path, f"Content-Length: {len(body)}", *more) + body


def request(method: str, path: str, *more: str, close: bool = True) -> bytes:
    """The head of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: w", *more, *(["Connection: close"] * close)]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def plain(status: str, body: str, *more: str) -> tuple[str, set[str], bytes]:
    """An answer in plain text, after which the connection is closed."""
    content = body.encode()
    lines = {TEXT, f"Content-Length: {len(content)}", "Connection: close", *more}
    return f"HTTP/1.1 {status}", lines, content


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What has been written down."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def line(status: int, code: str, detail: str, **more: object) -> dict[str, object]:
    """One line about a refusal."""
    said = {"at": AT, "status": status, "code": code, "detail": detail, "client": "127.0.0.1"}
    return {**said, **more}


@pytest.mark.parametrize(
    ("name", "prefix"), [("w.example", ""), ("w.example/a", "/a"), ("w.example/a/b", "/a/b")]
)
def test_it_answers_below_its_name_and_at_the_root(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, prefix: str
) -> None:
    key = Cosigner(SignerKey(name, bytes(32)))
    with serving(tmp_path / "witness", key) as server:
        assert server.prefix == prefix
        status, head, body = answer(talk(server, post(f"{prefix}/add-checkpoint")))
        assert status == "HTTP/1.1 200 OK"
        assert head == {TEXT, f"Content-Length: {len(body)}", "Connection: close"}
        assert body.decode().startswith(f"\N{EM DASH} {name} ")
        assert answer(talk(server, post("/add-checkpoint")))[0] == "HTTP/1.1 409 Conflict"
        for path in (f"{prefix}x/add-checkpoint", f"/add-checkpoint{prefix}/"):
            assert answer(talk(server, post(path)))[0] == "HTTP/1.1 404 Not Found"
    assert [one["code"] for one in lines(capsys)] == ["old_size", "no_such_path", "no_such_path"]


def test_another_path(server: WitnessServer, capsys: pytest.CaptureFixture[str]) -> None:
    detail = "requests go to POST /add-checkpoint"
    said = plain("404 Not Found", f"no_such_path: {detail}\n")
    assert answer(talk(server, post("/x"))) == said
    assert lines(capsys) == [line(404, "no_such_path", detail)]


def test_of_more_refusals_than_can_be_read_few_are_written_down(
    server: WitnessServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Strangers can make any number of them; each code is told once beyond, then counted."""
    monkeypatch.setattr(http, "LINES", 3)
    for number in range(9):
        path = "/x" if number % 2 else "/0" * 32 + "/checkpoint"
        assert b"404 Not Found" in talk(server, request("GET", path))
        assert b"405 Method" in talk(server, request("GET", "/add-checkpoint"))
    detail = "as others before it"
    found = lines(capsys)
    assert [one["code"] for one in found[:3]] == ["not_cosigned", "method", "not_cosigned"]
    assert found[3:] == [line(405, "method", detail), line(404, "not_cosigned", detail)]
    monkeypatch.setattr(http, "QUIET_SECONDS", 0)
    talk(server, request("GET", "/x"))
    talk(server, request("GET", "/add-checkpoint"))
    assert [one["detail"] == detail for one in lines(capsys)] == [False, False]


def test_so_many_refusals_a_minute_are_written_down_whole(
    server: WitnessServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [5.0]
    monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(http, "LINES", 2)
    whole = line(404, "code", "what it was", client="192.0.2.1", size=7)
    few = line(404, "code", "as others before it", client="192.0.2.1")
    for seconds, said in (
        (0.0, [whole]),
        (0.0, [whole]),
        (0.0, [few]),
        (59.9, []),
        (0.1, [whole]),
        (0.0, [whole]),
        (0.0, [few | {"times": 2}]),
    ):
        now[0] += seconds
        server.tell(404, "code", "what it was", client="192.0.2.1", size=7)
        assert lines(capsys) == said


def test_another_size(server: WitnessServer, capsys: pytest.CaptureFixture[str]) -> None:
    for old, latest in ((3, 0), (1, 5)):
        status, head, body = answer(talk(server, post("/add-checkpoint", LOG.request(old, 9))))
        assert (status, body) == ("HTTP/1.1 409 Conflict", f"{latest}\n".encode())
        assert head == {"Content-Type: text/x.tlog.size", "Content-Length: 2", "Connection: close"}
        (said,) = lines(capsys)
        assert said == line(409, "old_size", said["detail"], origin=ORIGIN, size=latest)
        talk(server, post("/add-checkpoint", LOG.request(0, 5)))


def test_what_it_cosigned_last(server: WitnessServer, capsys: pytest.CaptureFixture[str]) -> None:
    path = f"/w7/{sha256(ORIGIN.encode()).hex()}/checkpoint"
    line_of_key = answer(talk(server, post("/add-checkpoint")))[2]
    note = LOG.note(3) + line_of_key
    said = plain("200 OK", note.decode())
    assert answer(talk(server, request("GET", path))) == said
    assert answer(talk(server, request("HEAD", path))) == (*said[:2], b"")
    assert lines(capsys) == []


@pytest.mark.parametrize("path", [f"/{sha256(b'x').hex()}/checkpoint", "/", "/x/checkpoint"])
def test_what_it_never_cosigned(
    server: WitnessServer, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    detail = "nothing has been cosigned here"
    said = plain("404 Not Found", f"not_cosigned: {detail}\n")
    assert answer(talk(server, request("GET", path))) == said
    assert lines(capsys) == [line(404, "not_cosigned", detail)]


def test_a_note_that_cannot_be_read(
    server: WitnessServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    name = sha256(b"x").hex()
    (tmp_path / "witness" / "cosigned" / f"{name}.note").mkdir()
    status, _, body = answer(talk(server, request("GET", f"/{name}/checkpoint")))
    assert status == "HTTP/1.1 503 Service Unavailable"
    (said,) = lines(capsys)
    assert said == line(503, "witness_damaged", said["detail"])
    assert body == f"witness_damaged: {said['detail']}\n".encode()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_requests_are_posted(
    server: WitnessServer, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    detail = "requests are posted"
    said = plain("405 Method Not Allowed", f"method: {detail}\n", "Allow: POST")
    said = (*said[:2], b"") if method == "HEAD" else said
    assert answer(talk(server, request(method, "/add-checkpoint"))) == said
    assert lines(capsys) == [line(405, "method", detail)]


LENGTH = ("length", "the length is a decimal number")
IN_ADVANCE = ("length_required", "a request says its length in advance")
TOO_LARGE = ("too_large", f"a request has at most {MAX_REQUEST_BYTES} bytes")


@pytest.mark.parametrize(
    ("headers", "status", "said"),
    [
        ([], "411 Length Required", IN_ADVANCE),
        (["Transfer-Encoding: chunked"], "411 Length Required", IN_ADVANCE),
        (["transfer-encoding: x", "Content-Length: 1"], "411 Length Required", IN_ADVANCE),
        (["Content-Length: x"], "400 Bad Request", LENGTH),
        (["Content-Length: \N{SUPERSCRIPT TWO}"], "400 Bad Request", LENGTH),
        (["Content-Length: 1", "Content-Length: 1"], "400 Bad Request", LENGTH),
    ],
)
def test_a_request_has_a_length_and_who_gives_none_is_let_go(
    server: WitnessServer,
    capsys: pytest.CaptureFixture[str],
    headers: list[str],
    status: str,
    said: tuple[str, str],
) -> None:
    """Closed though its client would go on: where its next request begins, nobody can tell."""
    sent = request("POST", "/add-checkpoint", *headers, close=False)
    assert answer(talk(server, sent)) == plain(status, f"{said[0]}: {said[1]}\n")
    assert lines(capsys) == [line(int(status[:3]), *said)]


def test_a_body_that_is_too_long_is_read_to_its_end(
    server: WitnessServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what is unread when the connection is closed could take the answer with it."""
    unread = b""
    close = server.shutdown_request

    def look(request: socket.socket) -> None:
        nonlocal unread
        request.setblocking(False)
        with suppress(BlockingIOError):
            unread += request.recv(1, socket.MSG_PEEK)
        close(request)

    monkeypatch.setattr(server, "shutdown_request", look)
    length = 3 * MAX_REQUEST_BYTES
    sent = request("POST", "/add-checkpoint", f"Content-Length: {length}", close=False)
    said = plain("413 Request Entity Too Large", f"{TOO_LARGE[0]}: {TOO_LARGE[1]}\n")
    assert answer(talk(server, sent + bytes(length))) == said
    assert lines(capsys) == [line(413, *TOO_LARGE)]
    assert unread == b""


def test_a_body_may_have_any_length_up_to_that(
    server: WitnessServer, capsys: pytest.CaptureFixture[str]
) -> None:
    for length in (0, 10, MAX_REQUEST_BYTES):
        status, _, body = answer(talk(server, post("/add-checkpoint", b"x" * length)))
        assert (status, body[:17]) == ("HTTP/1.1 400 Bad Request", b"witness_request: ")
    assert [one["code"] for one in lines(capsys)] == ["witness_request"] * 3


def test_a_length_may_begin_with_zeros(server: WitnessServer) -> None:
    sent = request("POST", "/add-checkpoint", f"Content-Length: {'0' * 1000}{len(BODY)}")
    assert talk(server, sent + BODY).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_connection_goes_on_after_an_answer_and_a_refusal(server: WitnessServer) -> None:
    length = f"Content-Length: {len(BODY)}"
    first = request("POST", "/add-checkpoint", length, close=False) + BODY
    second = request("POST", "/x", "Content-Length: 0", close=False)
    content = talk(server, first + second + request("GET", "/y"))
    assert content.count(b"HTTP/1.1 ") == 3
    assert content.count(b"Connection: close") == 1


def test_half_a_request(server: WitnessServer, capsys: pytest.CaptureFixture[str]) -> None:
    sent = request("POST", "/add-checkpoint", "Content-Length: 500", close=False) + b"old"
    said = plain("400 Bad Request", "cut_off: the request ended early\n")
    assert answer(talk(server, sent, end=True)) == said
    assert lines(capsys) == [line(400, "cut_off", "the request ended early")]


def test_no_request_that_the_base_class_knows(
    server: WitnessServer, capsys: pytest.CaptureFixture[str]
) -> None:
    status, head, body = answer(talk(server, request("BREW", "/", close=False)))
    (said,) = lines(capsys)
    assert said == line(501, "http", said["detail"])
    wanted = plain("501 Not Implemented", f"http: {said['detail']}\n")
    assert (status, head, body) == wanted


def test_who_is_too_slow_is_written_down_and_who_is_idle_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path / "witness", KEY, seconds=1.0) as server:
        assert talk(server, b"") == b""
        assert lines(capsys) == []
        again = request("GET", "/x", close=False)
        assert talk(server, again).count(b"HTTP/1.1 ") == 1
        assert [one["code"] for one in lines(capsys)] == ["not_cosigned"]
        assert talk(server, b"POST /add") == b""
        (said,) = lines(capsys)
        assert said == line(0, "too_slow", said["detail"])


def test_there_is_no_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(tmp_path / "witness", KEY, places=0) as server:
        content = talk(server, b"")
    head = b"Connection: close\r\nContent-Length: 0\r\n\r\n"
    assert content == b"HTTP/1.1 503 Service Unavailable\r\n" + head
    assert lines(capsys) == [line(503, "too_many_connections", "there is no place")]


def test_that_there_is_no_place_is_written_down_once_a_minute(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [5.0]
    monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with serving(tmp_path / "witness", KEY, places=0) as server:
        for seconds, said in ((0, 1), (59.9, 0), (0.1, 1), (59.9, 0)):
            now[0] += seconds
            assert talk(server, b"").startswith(b"HTTP/1.1 503 ")
            assert len(lines(capsys)) == said
    with serving(tmp_path / "witness", KEY, places=1) as server:
        for seconds, said in ((0, 1), (59.9, 0), (0.1, 1)):
            now[0] += seconds
            with connect(server):
                assert talk(server, request("GET", "/")).startswith(b"HTTP/1.1 404 ")
            written = [one for one in lines(capsys) if one["code"] != "not_cosigned"]
            for one in written:
                one.pop("times", None)  # a connection of before may not be quite gone
            assert written == [line(0, "gave_way", "who waited longest gave way")] * said


def test_that_clients_are_slow_or_go_is_written_down_once_a_minute(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [5.0]
    with serving(tmp_path / "witness", KEY, seconds=1.0) as server:
        monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=lambda: now[0]))
        for seconds, times in ((0, [None]), (1, []), (58.9, []), (0.1, [3]), (59, []), (1, [2])):
            now[0] += seconds
            assert talk(server, b"POST /add") == b""
            assert [one.get("times") for one in lines(capsys)] == times
        here, there = socket.socketpair()
        with here, there:
            server.places.take(here, "192.0.2.1")
            for _ in range(3):
                try:
                    raise ConnectionResetError
                except ConnectionResetError:
                    server.handle_error(here, ("192.0.2.1", 5))
        assert [one["code"] for one in lines(capsys)] == ["connection_lost"]


def test_a_place_is_free_again_where_no_thread_was_to_be_had(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with serving(tmp_path / "witness", KEY, places=1) as server:
        with monkeypatch.context() as patch:
            patch.setattr(ThreadingTCPServer, "process_request", fail)
            assert talk(server, b"") == b""
        assert talk(server, request("GET", "/")).startswith(b"HTTP/1.1 404 ")
    assert [one["code"] for one in lines(capsys)] == ["internal", "not_cosigned"]


@pytest.mark.parametrize(
    ("error", "code"), [(OSError("gone"), "connection_lost"), (KeyError("a bug"), "internal")]
)
def test_why_a_connection_broke_off(
    server: WitnessServer, capsys: pytest.CaptureFixture[str], error: Exception, code: str
) -> None:
    said = line(0, code, repr(error), client="192.0.2.1")
    here, there = socket.socketpair()
    with here, there:
        for written in ([], [said]):
            try:
                raise error
            except (OSError, KeyError):
                server.handle_error(here, ("192.0.2.1", 5))
            assert lines(capsys) == written  # nothing of one that had to give way
            server.places.take(here, "192.0.2.1")


@pytest.mark.parametrize(
    ("body", "origin"),
    [
        (b"old 0\n\nlog\xff.example\n3\n\n\xe2\x80\x94 a line\n", "log\ufffd.example"),
        (b"old 0\n\n" + b"x" * 300 + b"\n3\n\n", "x" * 200),
        (b"old 0\nlog.example\n", None),
    ],
)
def test_the_log_that_is_spoken_of(
    server: WitnessServer, capsys: pytest.CaptureFixture[str], body: bytes, origin: str | None
) -> None:
    talk(server, post("/add-checkpoint", body))
    (said,) = lines(capsys)
    assert said.get("origin") == origin
