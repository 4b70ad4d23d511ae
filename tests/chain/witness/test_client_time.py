"""Whoever asks witnesses waits for nobody longer than said, and keeps its connections."""

import os
import socket
import ssl
import subprocess
import threading
import time
from contextlib import closing
from itertools import cycle
from pathlib import Path

import pytest

from chain.errors import MalformedError
from chain.signing.cosignature import add_signatures
from chain.signing.note import open_note
from chain.signing.policy import Policy
from chain.witness.client import Gathered, Limits, Witnesses
from chain.witness.http import WitnessServer
from chain.witness.judge import Request
from tests.outside import need
from tests.patience import NEVER, PATIENCE, growing, returns, wait_until
from tests.witness.inside import Peer, http_answer
from tests.witness.room import K1, K2, K3, K4, LIMITS, LOG, Room, codes, line

BRIEF = Limits(exchange=NEVER, grace=0.2)
SHORT = Limits(exchange=1.5, grace=0.2)


# time


def _gather(room: Room, policy: Policy, limits: Limits) -> Gathered:
    witnesses = room.witnesses(policy, limits)
    return returns(lambda: room.gather(policy, witnesses=witnesses))


class Held(Peer):
    """Answers, but only once it is let go."""

    def __init__(self, key: int, status: int = 200) -> None:
        self.let_go = threading.Event()
        super().__init__(self._wait)
        self._held = http_answer(status, line(key))

    def _wait(self, _: bytes) -> bytes:
        self.let_go.wait()
        return self._held

    def close(self) -> None:
        """Let go of everybody."""
        self.let_go.set()
        super().close()


def _threads() -> set[threading.Thread]:
    """Those that ask a witness just now."""
    return {thread for thread in threading.enumerate() if thread.name.endswith("(_run)")}


def _nobody_asks_any_more() -> None:
    wait_until(lambda: not _threads(), "nobody asks any more")


def test_a_hung_witness_delays_by_the_grace_when_it_is_not_needed(room: Room) -> None:
    room.good(1, 2)
    room.bad(K3, Held(3))
    policy = room.policy(2)
    began = time.monotonic()
    gathered = _gather(room, policy, BRIEF)
    assert gathered.met
    assert codes(gathered) == {"w1": "", "w2": "", "w3": "witness_slow"}
    assert time.monotonic() - began >= BRIEF.grace


def test_a_hung_witness_delays_by_the_limit_when_it_is_needed(room: Room) -> None:
    room.good(1, 2)
    room.bad(K3, Held(3))
    for exchange in growing(1.0):
        began = time.monotonic()
        gathered = _gather(room, room.policy(3), Limits(exchange, grace=0.0))
        assert time.monotonic() - began >= exchange
        assert not gathered.met
        if set(gathered.cosignatures) == {K1, K2}:  # they are not lost
            break
    assert codes(gathered) == {"w1": "", "w2": "", "w3": "witness_slow"}


def test_witnesses_are_asked_at_once_and_not_each_in_turn(room: Room) -> None:
    """None of them answers before all have been asked."""
    keys = {1: K1, 2: K2, 3: K3, 4: K4}
    all_asked = threading.Barrier(len(keys))

    def together(number: int) -> Peer:
        def answer(_: bytes) -> bytes:
            all_asked.wait(PATIENCE / 2)
            return http_answer(200, line(number))

        return Peer(answer)

    for number, key in keys.items():
        room.bad(key, together(number))
    assert _gather(room, room.policy(4), LIMITS).met


def test_hung_witnesses_have_one_limit_for_all(room: Room) -> None:
    for key in (K1, K2, K3, K4):
        room.bad(key, Peer())
    gathered = _gather(room, room.policy(1), SHORT)
    assert [*codes(gathered).values()] == ["witness_slow"] * 4
    _nobody_asks_any_more()


class Dripping(Peer):
    """Sends its answer byte by byte, without an end in sight."""

    def send(self, connection: socket.socket, answer: bytes) -> None:
        """Send a byte now and then, for longer than anybody waits."""
        for byte in cycle(answer):
            connection.sendall(bytes([byte]))
            time.sleep(0.05)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 60_000,
        b"HTTP/1.1 100 Continue\r\n\r\n",
        http_answer(200, b"x" * 10_000),
    ],
)
def test_who_sends_a_byte_now_and_then_meets_the_limit_too(room: Room, answer: bytes) -> None:
    room.bad(K1, Dripping(lambda _: answer))
    gathered = _gather(room, room.policy(1), SHORT)
    assert codes(gathered) == {"w1": "witness_slow"}
    _nobody_asks_any_more()


class Endless(Peer):
    """Sends as fast as it can, and never stops by itself."""

    def send(self, connection: socket.socket, answer: bytes) -> None:
        """Send until nobody listens."""
        connection.sendall(answer)
        while True:
            connection.sendall(line(1) * 100)


@pytest.mark.parametrize("status", [200, 409, 500])
def test_who_never_stops_is_read_to_a_limit(room: Room, status: int) -> None:
    room.bad(K1, Endless(lambda _: b"HTTP/1.1 %d Whatever\r\n\r\n" % status))
    gathered = _gather(room, room.policy(1), LIMITS)
    assert not gathered.met
    assert codes(gathered)["w1"] in {"cosignature_lines", "witness_answer", "witness_refused"}


def test_a_hung_handshake_meets_the_limit_too(room: Room) -> None:
    peer = room.bad(K1, Peer())
    room.urls[K1] = peer.url.replace("http:", "https:")
    gathered = _gather(room, room.policy(1), SHORT)
    assert codes(gathered) == {"w1": "witness_slow"}
    _nobody_asks_any_more()


def test_both_requests_together_have_one_limit(room: Room) -> None:
    def answer(body: bytes) -> bytes:
        time.sleep(1.0)
        if Request.parse(body).old_size == 0:
            return http_answer(409, b"5\n", "text/x.tlog.size")
        return http_answer(200, line(1))

    room.bad(K1, Peer(answer))
    gathered = _gather(room, room.policy(1), SHORT)
    assert codes(gathered) == {"w1": "witness_slow"}
    _nobody_asks_any_more()
    assert room.late == []  # the second answer would have come a second after the first
    assert _gather(room, room.policy(1), LIMITS).met


def test_when_all_have_answered_nobody_waits(room: Room) -> None:
    room.good(1, 2)
    room.answering(K3, 500, b"")
    for quorum in (1, 2, 3):
        _gather(room, room.policy(quorum), LIMITS)


def test_within_the_grace_more_are_taken(room: Room) -> None:
    """The second answers only after the quorum has been met by the first."""
    room.good(1)
    held = Held(2)
    room.bad(K2, held)
    policy = room.policy(1)
    gathered = returns(
        lambda: room.witnesses(policy, LIMITS).gather(
            LOG.note(9),
            sizes={},
            prove=room.prove(9),
            enough=lambda _: held.let_go.set(),
            late=room.late.append,
        )
    )
    assert set(gathered.cosignatures) == {K1, K2}
    assert room.late == []


def test_after_the_grace_they_are_late_and_not_lost(room: Room) -> None:
    room.good(1)
    held = [Held(2), Held(3, status=500)]
    for key, peer in zip((K2, K3), held, strict=True):
        room.bad(key, peer)
    gathered = _gather(room, room.policy(1), BRIEF)
    assert codes(gathered) == {"w1": "", "w2": "witness_slow", "w3": "witness_slow"}
    assert room.late == []
    for peer in held:
        peer.let_go.set()
    _nobody_asks_any_more()
    (answer,) = room.late
    assert (answer.keys, set(answer.cosignatures)) == ((K2,), {K2})
    merged = add_signatures(gathered.note, answer.cosignatures.values())
    assert room.policy(2).cosigners(open_note(merged, [K1, K2]).signatures)


def test_without_patience_nothing_hangs(room: Room) -> None:
    room.good(1)
    gathered = _gather(room, room.policy(1), Limits(exchange=0.0, grace=0.0))
    assert codes(gathered) == {"w1": "witness_slow"}


# connections


def _connections(server: WitnessServer) -> list[socket.socket]:
    """The connections to a server, as they come."""
    found: list[socket.socket] = []
    process = server.process_request

    def counting(request: socket.socket, address: object) -> None:
        found.append(request)
        process(request, address)

    server.process_request = counting  # type: ignore[method-assign, assignment]  # the same, counted
    return found


def test_connections_are_kept_and_made_anew(room: Room) -> None:
    room.good(1)
    connections = _connections(room.servers[K1])
    policy = room.policy(1)
    witnesses = room.witnesses(policy)
    for size in (3, 5, 7):
        assert room.gather(policy, size, witnesses=witnesses, sizes={K1: size - 2}).met
    (kept,) = connections
    kept.shutdown(socket.SHUT_RDWR)  # as the server does when it has been idle for long
    assert room.gather(policy, 9, witnesses=witnesses, sizes={K1: 7}).met
    assert len(connections) == 2


def test_connections_are_not_shared_with_a_fork(room: Room) -> None:
    room.good(1)
    connections = _connections(room.servers[K1])
    policy = room.policy(1)
    witnesses = room.witnesses(policy)
    assert room.gather(policy, 3, witnesses=witnesses).met
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if room.gather(policy, 5, witnesses=witnesses).met else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert room.gather(policy, 7, witnesses=witnesses, sizes={K1: 5}).met
    assert len(connections) == 2  # one of each process


def test_threads_may_ask_at_once(room: Room) -> None:
    room.good(1, 2)
    policy = room.policy(2)
    witnesses = room.witnesses(policy)
    found: list[Gathered] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(room.gather(policy, 9, witnesses=witnesses, sizes={}))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.met for one in found] == [True] * 4


@pytest.mark.parametrize(
    "url",
    [
        "",
        "w1.example",
        "ftp://w1.example",
        "http://",
        "http:///x",
        "http://w1.example:port",
        "http://w1.example:99999",
        "http://w1.example/?x",
        "http://w1.example/#x",
        "http://user:pass@w1.example/",
        "http://w1.example/ x",
        "http://w1.example/\n",
        "http://w1.example/é",
        "http://[::1",
        "#comment",
    ],
)
def test_an_address_that_cannot_be_asked_is_refused_at_once(url: str) -> None:
    with pytest.raises(MalformedError) as refusal:
        Witnesses(Policy((K1,), 1, urls={K1: url}))
    assert refusal.value.code == "witness_url"


def test_a_prefix_may_have_a_path(room: Room) -> None:
    peer = room.answering(K1, 200, line(1))
    for prefix in ("", "/", "/witness/one", "/witness/one/"):
        room.urls[K1] = f"{peer.url}{prefix}"
        assert room.gather(room.policy(1)).met
    paths = [head.split(b" ")[1] for head in peer.heads]
    assert paths == [b"/add-checkpoint"] * 2 + [b"/witness/one/add-checkpoint"] * 2


CERTIFICATE = (
    *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
    *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
)


def test_over_tls_only_a_witness_that_is_who_it_says(room: Room, tmp_path: Path) -> None:
    openssl = need("openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [openssl, *CERTIFICATE, "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    room.good(1)
    server = room.servers[K1]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    port = server.url.rpartition(":")[2]
    policy = Policy((K1,), 1, urls={K1: f"https://localhost:{port}"})
    trusting = ssl.create_default_context(cafile=str(certificate))
    with closing(Witnesses(policy, LIMITS, trusting)) as witnesses:
        for size, old in ((5, 0), (9, 5)):
            gathered = witnesses.gather(LOG.note(size), sizes={K1: old}, prove=room.prove(size))
            assert gathered.met, gathered.failures()
    stranger = room.gather(policy, 20)  # trusts the machine's authorities only
    assert codes(stranger) == {"w1": "witness_unreachable"}
    wrong = Policy((K1,), 1, urls={K1: f"https://127.0.0.1:{port}"})
    with closing(Witnesses(wrong, LIMITS, trusting)) as witnesses:
        gathered = witnesses.gather(LOG.note(20), sizes={}, prove=room.prove(20))
        assert codes(gathered) == {"w1": "witness_unreachable"}
