"""Three witnesses and two mirrors beside a live log under load, killed, cut off, set back."""

import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from chain.audit.evidence import Fork, verify_evidence
from chain.audit.fetch import HttpSource
from chain.audit.mirror import compare_mirrors, mirror_log
from chain.commitment import anchor, parse_password_area
from chain.log.database import SqliteLogStore
from chain.proof.file import parse_proof
from chain.proof.verify import verify_proof
from chain.signing.checkpoint import open_checkpoint
from chain.signing.cosignature import checked_cosignatures
from chain.signing.note import VerifierKey
from chain.signing.policy import Policy, parse_policy
from chain.witness.client import Limits, Witnesses
from chain.witness.server import PUBLIC_FILE, init, status
from invoice_service.wiring import open_instance
from tests.chain.books import SIGNER, Books
from tests.chain.served import go_another_way, roll_back, serve
from tests.journeys.service import Service
from tests.patience import wait_until
from tests.scale import share
from tests.witness.running import WitnessProcess

pytestmark = pytest.mark.slow

CUT_OFF = share(60, 30)  # seconds
QUORUM = "group most 2 w0 w1 w2\nquorum most\n"
ORDER = {
    "lines": [{"name": "*餐饮服务*餐费", "unit_price": 11300, "tax_rate": "0.06"}],
}


class Buyers:
    """Issue invoices all the time; remember every one that was acknowledged."""

    def __init__(self, service: Service, key: str) -> None:
        self.hashes: list[str] = []
        self._remote = service.remote(key)
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._buy, args=(one,)) for one in range(2)]
        for thread in self._threads:
            thread.start()

    def _buy(self, number: int) -> None:
        count = 0
        while not self._ended.wait(0.03):
            count += 1
            body = json.dumps({"order_id": f"b{number}-{count}", **ORDER}).encode()
            issued = json.loads(self._remote.post("/v1/invoices", body))
            self.hashes.append(issued["hash"])

    def end(self) -> None:
        """Stop buying."""
        self._ended.set()
        for thread in self._threads:
            thread.join()


class Mirroring:
    """Runs ``fapiao mirror`` again and again into one folder, as a timer would: each second."""

    def __init__(self, service: Service, folder: Path, key: str) -> None:
        self.folder = folder
        self.killed = 0
        self._service, self._key = service, key
        self._running: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(1.0):
            self._running = self._service.background(*self.command())
            self._running.wait()

    def command(self) -> tuple[str, ...]:
        """One run."""
        return ("mirror", f"{self._service.url}/log", str(self.folder), "--key", self._key)

    def kill(self) -> None:
        """Kill what runs now, wherever it is."""
        if self._running is not None and self._running.poll() is None:
            with suppress(ProcessLookupError):
                self._running.kill()
            self.killed += 1

    def end(self) -> None:
        """Let the last one end; the next run, by hand, must find nothing wrong."""
        self._ended.set()
        self._thread.join()


class Scene:
    """The service under a policy of two in three, its witnesses, mirrors and buyers."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.service = Service(
            folder,
            witness={"policy": "policy", "timeout": 2.0},
            anchor={"max_delay": 3600},  # buyers go on while nothing can be published
        )
        stack.callback(self.service.close)
        policy = folder / "policy"
        policy.write_text("quorum none\n")
        self.service.init()
        _, key = self.service.admit()
        self.log_key = self.service.asked("keys", "log")["log_key"]
        self.witnesses = []
        for number in range(3):
            init(folder / f"w{number}", f"witness.example/w{number}", [self.log_key])
            witness = WitnessProcess(folder / f"w{number}").start()
            stack.callback(witness.end, signal.SIGKILL)
            self.witnesses.append(witness)
        lines = [
            f"witness w{n} {one.key.text()} {one.url}\n" for n, one in enumerate(self.witnesses)
        ]
        policy.write_text("".join(lines) + QUORUM)
        self.policy = parse_policy(policy.read_bytes())
        self.service.start()
        self.buyers = Buyers(self.service, key)
        stack.callback(self.buyers.end)
        self.mirrors = [Mirroring(self.service, folder / f"m{n}", self.log_key) for n in range(2)]
        for mirror in self.mirrors:
            stack.callback(mirror.end)

    def health(self) -> dict[str, int]:
        """What ``/readyz`` says."""
        found: dict[str, int] = json.loads(self.service.remote().get("/readyz"))
        return found

    def published(self) -> int:
        """The size that everybody is shown."""
        return self.health()["published_size"]

    def goes_on(self) -> None:
        """Return once more has been published than now, twice: the second was begun since."""
        for _ in range(2):
            size = self.published()
            try:
                wait_until(lambda size=size: self.published() > size, "more is published")  # type: ignore[misc]
            except AssertionError as error:
                error.add_note(self.told())
                raise

    def told(self) -> str:
        """What the worker and the witnesses have said last."""
        files = [*self.service.data.rglob("worker.log"), *(one.errors for one in self.witnesses)]
        return "\n".join(f"{file}:\n{file.read_text()[-3000:]}" for file in files)

    def kill_worker(self) -> None:
        """Kill who anchors; its supervisor starts another."""
        for pid in self.service.pids("worker"):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """All of it, running."""
    folder = tmp_path / "scene"
    folder.mkdir()
    with ExitStack() as stack:
        yield Scene(folder, stack)


@pytest.mark.scaled
def test_nothing_is_lost_and_publishing_goes_on_whenever_it_can(scene: Scene) -> None:
    one, two, three = scene.witnesses
    chance = random.Random(20261122)
    wait_until(lambda: scene.health()["cosigned"] == 3, "all three have cosigned")

    two.send(signal.SIGSTOP)  # cut off: its port still takes connections, nothing answers
    cut_off = time.monotonic()
    scene.goes_on()

    one.kill()  # now the policy cannot be met
    old = scene.service.folder / "w0-old"
    shutil.copytree(one.folder, old)
    time.sleep(3)  # what was under way has come
    stuck, sealed = scene.published(), scene.health()["log_size"]
    wait_until(lambda: scene.health()["log_size"] > sealed + 100, "blocks are sealed meanwhile")
    assert scene.published() == stuck
    one.start()
    scene.goes_on()

    killings: list[Callable[[], object]] = [
        lambda: _restart(one, chance.random()),
        lambda: _restart(three, chance.random()),
        scene.kill_worker,
        *(mirror.kill for mirror in scene.mirrors * 3),
    ]
    while time.monotonic() < cut_off + CUT_OFF:
        chance.choice(killings)()
        scene.goes_on()

    two.send(signal.SIGCONT)
    wait_until(lambda: scene.health()["cosigned"] == 3, "the one that was cut off cosigns again")

    one.kill()
    for name in ("witness.db", "witness.db-wal", "witness.db-shm"):
        (one.folder / name).unlink(missing_ok=True)
        if (old / name).exists():
            shutil.copy(old / name, one.folder / name)
    told: list[str] = []
    one.start(told=told)
    assert any("the database was behind" in line for line in told)
    scene.goes_on()
    wait_until(lambda: scene.health()["cosigned"] == 3, "the one set back cosigns again")

    scene.buyers.end()
    scene.service.wait_until_anchored(len(scene.buyers.hashes))
    for mirror in scene.mirrors:
        mirror.end()
    assert sum(mirror.killed for mirror in scene.mirrors) > 0
    _check_everything(scene)


def _restart(witness: WitnessProcess, away: float) -> None:
    witness.kill()
    time.sleep(away)
    witness.start()


def _check_everything(scene: Scene) -> None:
    """All that was acknowledged is in the log, in both mirrors, under one history."""
    service = scene.service
    for mirror in scene.mirrors:
        service.fapiao(*mirror.command())
    service.fapiao("audit")
    service.fapiao(
        *("audit", "--mirror", str(scene.mirrors[0].folder)),
        *("--mirror", str(scene.mirrors[1].folder), "--key", scene.log_key),
    )
    log_key = VerifierKey.parse(scene.log_key)
    with closing(open_instance(service.config)) as instance:
        for hash_ in scene.buyers.hashes:
            assert instance.log.find(anchor(parse_password_area(hash_))) is not None, hash_
        size = instance.log.latest_checkpoint()[0].size
        assert size == instance.log.head().size
        proof = service.remote(_key_of(service)).get(f"/v1/invoices/{scene.buyers.hashes[0]}/proof")
        assert len(verify_proof(parse_proof(proof), log_key, scene.policy).witnesses) == 3
    for mirror in scene.mirrors:
        note = (mirror.folder / "checkpoint").read_bytes()
        assert open_checkpoint(note, log_key).size == size
    _check_history(service.config.log_db, scene.policy, log_key)
    for witness in scene.witnesses:
        assert status(witness.folder)[1] == [], "a witness has seen two histories"


def _check_history(log_db: Path, policy: Policy, log_key: VerifierKey) -> None:
    """Every cosignature that ever came is over the one history, and holds."""
    checked = 0
    with closing(SqliteLogStore(log_db)) as store:
        size = 0
        for stored in store.checkpoints(0, 1_000_000):
            lines = store.signatures(stored.size)
            checkpoint = open_checkpoint(stored.note, log_key)
            block = store.block_of_size(stored.size)
            assert block is not None
            assert (checkpoint.size, checkpoint.root) == (block.size, block.root)
            note = stored.note + "".join(line.line() for line in lines).encode()
            checked += len(checked_cosignatures(note, policy.witnesses))
            assert checkpoint.size > size
            size = checkpoint.size
    assert checked > 50


def _key_of(service: Service) -> str:
    key: str = service.asked("keys", "create", "--merchant", "1")["key"]
    return key


def test_a_fork_is_refused_by_all_who_saw_the_first_history(tmp_path: Path) -> None:
    """The log's database is rolled back and goes another way; two mirrors hold the proof."""
    first = tmp_path / "first"
    first.mkdir()
    with ExitStack() as stack:
        urls: dict[VerifierKey, str] = {}
        for number in range(3):
            folder = tmp_path / f"w{number}"
            init(folder, f"witness.example/w{number}", [SIGNER.verifier.text()])
            witness = WitnessProcess(folder).start()
            stack.callback(witness.end, signal.SIGKILL)
            urls[VerifierKey.parse((folder / PUBLIC_FILE).read_text().strip())] = witness.url
        policy = Policy(tuple(urls), 2, urls=urls)
        asking = Witnesses(policy, Limits(exchange=20, grace=5))
        stack.callback(asking.close)

        books = Books(first)
        books.grow(3, 40)
        fork = roll_back(books, tmp_path / "fork")
        books = Books(first)
        books.grow(260)
        assert len(_ask(asking, books)) == 3
        for count in (5, 254, 300):  # smaller than the first history, as large, larger
            go_another_way(fork, count)
            assert _ask(asking, fork) == set()
        books.grow(2)
        assert len(_ask(asking, books)) == 3, "the first history goes on"

        copies = []
        for name, log in (("one", books), ("two", fork)):
            with serve(log.log_folder) as served:
                copies.append(tmp_path / name)
                mirror_log(HttpSource(served.url), copies[-1], SIGNER.verifier)
        data = compare_mirrors(copies[0], copies[1], SIGNER.verifier)
        assert data is not None
        assert isinstance(verify_evidence(data, SIGNER.verifier), Fork)
        for number in range(3):
            kept = status(tmp_path / f"w{number}")[1]
            assert kept, "each witness keeps what it was shown"


def _ask(witnesses: Witnesses, books: Books) -> set[str]:
    """Who cosigns the log's newest checkpoint; whoever does not says why."""
    stored = books.store.latest_checkpoint()
    assert stored is not None
    gathered = witnesses.gather(
        stored.note, sizes={}, prove=lambda old: books.log.consistency(old, stored.size)
    )
    codes = {one.problem.code for one in gathered.failures() if one.problem is not None}
    assert codes <= {"witness_ahead", "witness_refused"}, codes
    return {key.name for key in gathered.cosignatures}
