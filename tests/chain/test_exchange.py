"""One exchange over HTTP: where it goes, and that all of it ends at its deadline."""

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import pytest

from chain.deadline import Deadline
from chain.errors import MalformedError
from chain.exchange import Address, Connection, Question, _Names, _TimedSocket, exchange
from tests.chain.served import answer, answering
from tests.patience import PATIENCE, growing
from tests.witness.inside import Peer, http_answer

SOON = 0.05
ASKED = Question("POST", "/", {}, b"")


def _to(url: str) -> Address:
    return Address.parse(url, "call", "log_url")


def _get(url: str, seconds: float = PATIENCE) -> bytes:
    """What is answered there, over a connection of its own."""
    deadline = Deadline(seconds)
    made = Connection(_to(url), None, deadline)
    with closing(made):
        return exchange(None, lambda: made, ASKED, deadline, 100)[0].body


@pytest.mark.parametrize("prefix", ["/log/X", "/log/X/", "/log/X//"])
def test_a_path_is_taken_as_it_is_but_for_the_slash_at_its_end(prefix: str) -> None:
    assert _to(f"https://w.example{prefix}").path == "/log/X/call"


def test_who_asks_says_what_a_bad_address_is_called() -> None:
    for code in ("log_url", "witness_url"):
        with pytest.raises(MalformedError, match=rf"^{code}\b"):
            Address.parse("ftp://w.example", "", code)


def test_the_usual_port_is_not_named() -> None:
    """In ``Host``; which port is the usual one depends on TLS."""
    for url, tls, port in (
        ("http://w.example", None, 80),
        ("https://w.example", ssl.create_default_context(), 443),
    ):
        connection = Connection(_to(url), tls, Deadline(PATIENCE))
        assert (connection.port, connection.default_port) == (port, port)


def test_an_answer_says_what_it_is_or_not() -> None:
    for more, told in (
        (["Content-Type: text/x", "Content-Encoding: gzip"], ("text/x", "gzip")),
        ([], ("", "")),
    ):
        with answering([answer(200, b"yes", "Connection: close", *more)]) as url:
            deadline = Deadline(PATIENCE)
            fresh = partial(Connection, _to(url), None, deadline)
            reply, kept = exchange(None, fresh, ASKED, deadline, 9)
        assert (reply.media_type, reply.coding, reply.body, kept) == (*told, b"yes", None)


def test_sending_ends_at_the_deadline() -> None:
    one, other = socket.socketpair()
    with one, other:
        connection = Connection(_to("http://w.example"), None, Deadline(PATIENCE))
        _TimedSocket(one, connection).sendall(b"x")
        limit = one.gettimeout()
    assert limit is not None
    assert 0 < limit <= PATIENCE


def test_connecting_ends_at_the_deadline() -> None:
    """Whoever listens and accepts nobody leaves the next ones waiting for their connection."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        with pytest.raises(TimeoutError):
            _get(url, SOON)
        for one in waiting:
            one.close()


def test_tls_ends_at_the_deadline() -> None:
    tls = ssl.create_default_context()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        address = _to(f"https://127.0.0.1:{silent.getsockname()[1]}")
        assert any(_greeted(silent, address, tls, seconds) for seconds in growing(SOON))


def _greeted(silent: socket.socket, address: Address, tls: ssl.SSLContext, seconds: float) -> bool:
    """Whether TLS had begun when time was over, not only the connection."""
    deadline = Deadline(seconds)
    with pytest.raises(TimeoutError):
        Connection(address, tls, deadline).ask(ASKED, deadline, 9)
    try:
        accepted, _ = silent.accept()
    except BlockingIOError:
        return False
    with accepted:
        return bool(accepted.recv(1))


class Resolver:
    """Answers for ``socket.getaddrinfo``: what it is told to, once it is let go."""

    def __init__(self, *places: tuple[str, int]) -> None:
        self.let_go = threading.Event()
        self.asked: list[str] = []
        self._places = places

    def __call__(self, host: str, port: int, **_: object) -> list[Any]:
        self.asked.append(host)
        self.let_go.wait()
        if not self._places:
            raise socket.gaierror(socket.EAI_NONAME, "nobody has that name")
        family, kind = socket.AF_INET, socket.SOCK_STREAM
        return [(family, kind, 6, "", place) for place in self._places]


@contextmanager
def resolving(monkeypatch: pytest.MonkeyPatch, *places: tuple[str, int]) -> Iterator[Resolver]:
    """Have every name looked up by a ``Resolver``, which is let go in the end."""
    resolver = Resolver(*places)
    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", resolver)
        try:
            yield resolver
        finally:
            resolver.let_go.set()


def _place(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").rpartition(":")
    return host, int(port)


def test_looking_a_name_up_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the system takes; and who comes later waits for the same look-up."""
    with resolving(monkeypatch) as resolver:
        before = set(threading.enumerate())
        for _ in range(3):
            with pytest.raises(TimeoutError, match=r"^slow\.example was not found in time$"):
                _get("http://slow.example", SOON)
        assert resolver.asked == ["slow.example"]
        assert not resolver.let_go.is_set()
        (waiting,) = set(threading.enumerate()) - before
        assert waiting.daemon, "the program cannot end before the name is found"


def test_a_name_that_hung_is_looked_up_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Peer(lambda _: http_answer(200, b"yes"))) as peer:
        with resolving(monkeypatch, _place(peer.url)) as resolver:
            with pytest.raises(TimeoutError):
                _get("http://late.example", SOON)
            resolver.let_go.set()
            assert _get("http://late.example") == b"yes"
            assert _get("http://late.example") == b"yes"
        assert len(resolver.asked) > 1


def test_an_unknown_name_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    with resolving(monkeypatch) as resolver:
        resolver.let_go.set()
        for _ in range(2):
            with pytest.raises(OSError, match="nobody has that name"):
                _get("http://nobody.example")
    with pytest.raises(OSError, match="is not known"):
        _get(f"http://{'x' * 70}.example")  # no label has so many characters


def test_a_name_without_an_address_is_said_to_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    with pytest.raises(OSError, match=r"^the name has no address$"):
        _get("http://nowhere.example")


def test_a_number_is_nobody_s_name() -> None:
    """It waits for nothing that is being looked up, and takes no thread."""
    names = _Names()
    threads = threading.active_count()
    for host in ("127.0.0.1", "::1"):
        assert [place[:2] for _, place in names.places(host, 80, Deadline(-1))] == [(host, 80)]
    assert threading.active_count() <= threads


def test_each_place_behind_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        closed = ("127.0.0.1", int(gone.getsockname()[1]))
    with (
        closing(Peer(lambda _: http_answer(200, b"yes"))) as peer,
        resolving(monkeypatch, closed, _place(peer.url)) as resolver,
    ):
        resolver.let_go.set()
        assert _get("http://two.example") == b"yes"
    with resolving(monkeypatch, closed, closed) as resolver:
        resolver.let_go.set()
        with pytest.raises(ConnectionRefusedError):
            _get("http://none.example")


def test_after_a_fork_nobody_waits_for_the_parent_s_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with resolving(monkeypatch, ("127.0.0.1", 9)) as resolver:
        with pytest.raises(TimeoutError):
            _get("http://forked.example", SOON)
        child = os.fork()
        if not child:
            resolver.let_go = threading.Event()
            resolver.let_go.set()
            try:
                _get("http://forked.example")
            except ConnectionRefusedError:
                os._exit(7)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
