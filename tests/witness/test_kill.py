"""Kill -9 a witness at every moment that counts, and at any: it never says two things."""

import http.client
import random
import resource
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.hashing import Digest
from chain.signing.note import SignerKey
from tests.chain.histories import SIGNER, History, history
from tests.patience import PATIENCE
from tests.witness.running import Reply, WitnessProcess

FATAL = ("-m", "tests.witness.programs.fatal")
LOG = history(200)


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[WitnessProcess]:
    """A witness that has cosigned five entries, not running."""
    witness = WitnessProcess(tmp_path / "witness", LOG).start()
    witness.cosignature(LOG.request(0, 5))
    assert witness.end() == 0
    yield witness
    witness.end()


def _die_at(witness: WitnessProcess, moment: str, body: bytes) -> None:
    """Have it die while it answers ``body``; no answer comes."""
    witness.start(FATAL, environ={"FATAL": moment, "FATAL_SIZE": "9"})
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        witness.post(body)
    assert witness.process is not None
    assert witness.process.wait(PATIENCE) == -9
    witness.end()


@pytest.mark.parametrize("moment", ["stored", "noted"])
def test_what_was_stored_and_not_answered_stays(witness: WitnessProcess, moment: str) -> None:
    _die_at(witness, moment, LOG.request(5, 9))
    witness.start()
    assert witness.post(LOG.fork(6).request(9, 9)).status == 422  # the other tree of that size
    assert witness.post(LOG.fork(6).request(5, 9)).body == b"9\n"  # and the other way to it
    assert witness.post(LOG.request(5, 9)).body == b"9\n"  # who asks again is told to come again
    witness.cosignature(LOG.request(9, 9))
    witness.cosignature(LOG.request(9, 12))


def test_what_was_not_stored_was_not_cosigned(witness: WitnessProcess) -> None:
    _die_at(witness, "decided", LOG.request(5, 9))
    witness.start()
    witness.cosignature(LOG.fork(6).request(5, 9))  # nobody has a cosignature of the other
    assert witness.post(LOG.request(9, 9)).status == 422


@pytest.mark.parametrize("moment", ["decided", "stored", "noted"])
def test_dying_again_and_again_does_no_harm(witness: WitnessProcess, moment: str) -> None:
    size = 5
    for step in (9, 12, 13, 40):
        _die_at(witness, moment, LOG.request(size, step))
        size = step if moment != "decided" else size
    witness.start()
    assert witness.post(LOG.request(0, 41)).body == b"%d\n" % size
    witness.cosignature(LOG.request(size, 41))


class Book:
    """Everything that a witness has ever answered, as its clients know it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.roots: dict[int, Digest] = {}
        self.latest = 0

    def note(self, log: History, size: int) -> None:
        """Note an answer; AssertionError when it contradicts an earlier one."""
        with self.lock:
            root = log.checkpoint(size).root
            assert self.roots.setdefault(size, root) == root, f"two roots of size {size}"
            self.latest = max(self.latest, size)


def _client(witness: WitnessProcess, log: History, book: Book, stop: threading.Event) -> None:
    """Feed a witness one history as fast as it goes, however often it is gone."""
    rng = random.Random(log.leaves[-1])
    old = 0
    while not stop.is_set():
        new = min(old + rng.randrange(4), len(log.leaves))
        try:
            reply = witness.post(log.request(old, new))
        except (OSError, http.client.HTTPException):
            stop.wait(0.01)
            continue
        if reply.status == 200:
            book.note(log, new)
            old = new
        elif reply.status == 409:
            old = min(int(reply.body), len(log.leaves))


@pytest.mark.slow
def test_killed_at_any_time_under_load_it_never_cosigns_two_histories(tmp_path: Path) -> None:
    witness = WitnessProcess(tmp_path / "witness", LOG).start()
    book, stop, faults = Book(), threading.Event(), list[BaseException]()

    def feed(log: History) -> None:
        try:
            _client(witness, log, book, stop)
        except BaseException as fault:  # noqa: BLE001  # it is raised again below
            faults.append(fault)

    # Two histories that part after 60 entries; which one wins is a matter of luck.
    threads = [threading.Thread(target=feed, args=(log,)) for log in (LOG, LOG.fork(60), LOG)]
    for thread in threads:
        thread.start()
    rng = random.Random(5)
    for _ in range(8):
        stop.wait(rng.random())
        witness.kill()
        before = book.latest
        witness.start()
        known = int(witness.post(LOG.request(199, 200)).body)
        assert known >= before, "it has forgotten what it answered"
    stop.wait(1)
    stop.set()
    for thread in threads:
        thread.join()
    witness.end()
    assert faults == []
    assert book.latest > 60
    assert len(book.roots) > 20


def test_of_conflicting_requests_at_once_one_wins(tmp_path: Path) -> None:
    signers = [SignerKey(f"log-{n}.example", bytes([n]) * 32) for n in range(1, 13)]
    logs = [history(12, signer) for signer in signers]
    witness = WitnessProcess(tmp_path / "witness", *logs).start()
    for log in logs:
        witness.cosignature(log.request(0, 5))
        bodies = [log.request(5, 9), log.fork(6).request(5, 9), log.fork(7).request(5, 11)] * 2
        replies = _at_once(witness, bodies)
        assert sorted(reply.status for reply in replies) == [200, 409, 409, 409, 409, 409]
        (winner,) = (body for body, one in zip(bodies, replies, strict=True) if one.status == 200)
        size = b"11\n" if winner == bodies[2] else b"9\n"
        assert {reply.body for reply in replies if reply.status == 409} == {size}
    assert witness.end() == 0


def _at_once(witness: WitnessProcess, bodies: list[bytes]) -> list[Reply]:
    replies: dict[int, Reply] = {}
    barrier = threading.Barrier(len(bodies))

    def post(number: int) -> None:
        connection = witness.connect()
        connection.connect()
        barrier.wait()
        connection.request("POST", "/add-checkpoint", bodies[number])
        response = connection.getresponse()
        replies[number] = Reply(response.status, "", response.read())
        connection.close()

    threads = [threading.Thread(target=post, args=(number,)) for number in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [replies[number] for number in range(len(bodies))]


def test_a_full_disk_stops_cosigning_and_nothing_else(tmp_path: Path) -> None:
    log = history(60, SIGNER)
    witness = WitnessProcess(tmp_path / "witness", log).start()
    witness.cosignature(log.request(0, 1))
    witness.end()
    witness.start(before=_small_files)
    size = 1
    while (reply := witness.post(log.request(size, size + 1))).status == 200:
        size += 1
        assert size < 59, "the disk never was full"
    assert reply.status == 503
    assert not reply.cosigned
    witness.end()
    witness.start()
    known = int(witness.post(log.request(59, 60)).body)
    assert known in (size, size + 1)  # stored, perhaps; answered, not
    witness.cosignature(log.request(known, known + 1))
    witness.end()


def _small_files() -> None:
    """Let no file grow beyond 40 kB: the write-ahead log of a few requests."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
