"""Whoever asks witnesses waits for nobody longer than said, and keeps its connections."""

import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
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
from tests.witness.inside import Peer, cosigner, http_answer, serving
from tests.witness.room import K1, K2, K3, K4, LIMITS, LOG, SHORT, SLACK, Room, codes, line


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A room without anybody."""
    with ExitStack() as stack:
        yield Room(tmp_path, stack)


# time


def _timed(room: Room, policy: Policy, limits: Limits = LIMITS) -> tuple[Gathered, float]:
    witnesses = room.witnesses(policy, limits)
    began = time.monotonic()
    gathered = room.gather(policy, witnesses=witnesses)
    return gathered, time.monotonic() - began


def test_a_hung_witness_delays_by_the_grace_when_it_is_not_needed(room: Room) -> None:
    room.good(1, 2)
    room.bad(K3, Peer())
    gathered, took = _timed(room, room.policy(2))
    assert gathered.met
    assert codes(gathered) == {"w1": "", "w2": "", "w3": "witness_slow"}
    assert LIMITS.grace <= took < LIMITS.grace + SLACK


def test_a_hung_witness_delays_by_the_limit_when_it_is_needed(room: Room) -> None:
    room.good(1, 2)
    room.bad(K3, Peer())
    gathered, took = _timed(room, room.policy(3), SHORT)
    assert not gathered.met
    assert codes(gathered) == {"w1": "", "w2": "", "w3": "witness_slow"}
    assert set(gathered.cosignatures) == {K1, K2}  # they are not lost
    assert SHORT.exchange <= took < SHORT.exchange + SLACK


def test_hung_witnesses_delay_once_not_each_in_turn(room: Room) -> None:
    for key in (K1, K2, K3, K4):
        room.bad(key, Peer())
    gathered, took = _timed(room, room.policy(1), SHORT)
    assert len(gathered.failures()) == 4
    assert took < SHORT.exchange + SLACK


class Dripping(Peer):
    """Sends its answer byte by byte, without an end in sight."""

    def send(self, connection: socket.socket, answer: bytes) -> None:
        """Send a byte now and then."""
        for byte in answer:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 90,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 90,
        http_answer(200, b"x" * 1000),
    ],
)
def test_who_sends_a_byte_now_and_then_meets_the_limit_too(room: Room, answer: bytes) -> None:
    room.bad(K1, Dripping(lambda _: answer))
    before = threading.active_count()
    gathered, took = _timed(room, room.policy(1), SHORT)
    assert codes(gathered) == {"w1": "witness_slow"}
    assert took < SHORT.exchange + SLACK
    end = time.monotonic() + SLACK
    while threading.active_count() > before + 1 and time.monotonic() < end:
        time.sleep(0.02)
    assert threading.active_count() <= before + 1  # the peer's own thread may be left


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
    gathered, took = _timed(room, room.policy(1), Limits(exchange=20.0))
    assert not gathered.met
    assert codes(gathered)["w1"] in {"cosignature_lines", "witness_answer", "witness_refused"}
    assert took < 5


def test_a_hung_handshake_meets_the_limit_too(room: Room) -> None:
    peer = room.bad(K1, Peer())
    room.urls[K1] = peer.url.replace("http:", "https:")
    gathered, took = _timed(room, room.policy(1), SHORT)
    assert codes(gathered) == {"w1": "witness_slow"}
    assert took < SHORT.exchange + SLACK


def test_both_requests_together_have_one_limit(room: Room) -> None:
    def answer(body: bytes) -> bytes:
        time.sleep(1.0)
        if Request.parse(body).old_size == 0:
            return http_answer(409, b"5\n", "text/x.tlog.size")
        return http_answer(200, line(1))

    room.bad(K1, Peer(answer))
    gathered, took = _timed(room, room.policy(1), SHORT)
    assert codes(gathered) == {"w1": "witness_slow"}
    assert took < SHORT.exchange + SLACK
    patient, _ = _timed(room, room.policy(1), LIMITS)
    assert patient.met


def test_when_all_have_answered_nobody_waits(room: Room) -> None:
    room.good(1, 2)
    room.answering(K3, 500, b"")
    for quorum in (1, 2, 3):
        _, took = _timed(room, room.policy(quorum), Limits(exchange=9.0, grace=9.0))
        assert took < SLACK


def _slow(seconds: float, key: int, status: int = 200) -> Peer:
    def answer(_: bytes) -> bytes:
        time.sleep(seconds)
        return http_answer(status, line(key))

    return Peer(answer)


def test_within_the_grace_more_are_taken(room: Room) -> None:
    room.good(1)
    room.bad(K2, _slow(0.3, 2))
    gathered, took = _timed(room, room.policy(1), Limits(exchange=9.0, grace=6.0))
    assert set(gathered.cosignatures) == {K1, K2}
    assert took < 6
    assert room.late == []


def test_after_the_grace_they_are_late_and_not_lost(room: Room) -> None:
    room.good(1)
    room.bad(K2, _slow(3.0, 2))
    room.bad(K3, _slow(3.0, 3, status=500))
    gathered, took = _timed(room, room.policy(1), Limits(exchange=9.0, grace=0.1))
    assert took < 3
    assert codes(gathered) == {"w1": "", "w2": "witness_slow", "w3": "witness_slow"}
    end = time.monotonic() + 9
    while not room.late and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.2)
    (answer,) = room.late
    assert (answer.keys, set(answer.cosignatures)) == ((K2,), {K2})
    merged = add_signatures(gathered.note, answer.cosignatures.values())
    assert room.policy(2).cosigners(open_note(merged, [K1, K2]).signatures)


def test_without_patience_nothing_hangs(room: Room) -> None:
    room.good(1)
    gathered, took = _timed(room, room.policy(1), Limits(exchange=0.0, grace=0.0))
    assert codes(gathered) == {"w1": "witness_slow"}
    assert took < SLACK


# connections


def _connections(server: WitnessServer) -> list[object]:
    """Where connections to a server come from, as they come."""
    found: list[object] = []
    process = server.process_request

    def counting(request: object, address: object) -> None:
        found.append(address)
        process(request, address)

    server.process_request = counting  # type: ignore[method-assign, assignment]  # the same, counted
    return found


def test_connections_are_kept_and_made_anew(room: Room, tmp_path: Path) -> None:
    with serving(tmp_path / "w9", cosigner(9), seconds=1.0) as server:
        connections = _connections(server)
        key = cosigner(9).verifier
        policy = Policy((key,), 1, urls={key: server.url})
        witnesses = room.witnesses(policy)
        for size in (3, 5, 7):
            assert room.gather(policy, size, witnesses=witnesses, sizes={key: size - 2}).met
        assert len(connections) == 1
        time.sleep(1.5)  # the server has closed it meanwhile
        assert room.gather(policy, 9, witnesses=witnesses, sizes={key: 7}).met
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
