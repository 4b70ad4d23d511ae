"""The log's key changes under a service that works: nobody stops, nobody is left behind."""

import json
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from chain.errors import NotFoundError, Problem
from chain.proof.file import parse_proof
from chain.proof.verify import verify_proof
from chain.signing.checkpoint import open_checkpoint
from chain.signing.cosignature import checked_cosignatures
from chain.signing.note import SIGNATURE_SIZE, VerifierKey, parse_note
from chain.signing.statement import follow
from chain.witness.server import LOGS_FILE, init
from tests.journeys.service import Service
from tests.patience import wait_until
from tests.witness.running import WitnessProcess

pytestmark = pytest.mark.slow

RUNNER = Path(__file__).parents[1] / "verifier" / "run.mjs"
LINE = {"name": "*餐饮服务*餐费", "unit_price": 11300, "tax_rate": "0.06"}


class Watcher:
    """Reads the log all the time as a stranger does who pinned the first key, and never doubts."""

    def __init__(self, service: Service, first: str) -> None:
        self._remote = service.remote()
        self._first = VerifierKey.parse(first)
        self.seen = 0
        self.refused: list[str] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def statements(self) -> list[bytes]:
        """Every statement that the log serves."""
        found: list[bytes] = []
        while True:
            try:
                found.append(self._remote.get(f"/log/keys/{len(found) + 1}"))
            except NotFoundError:
                return found

    def _run(self) -> None:
        while not self._ended.wait(0.1):
            before = self.statements()
            note = self._remote.get("/log/checkpoint")
            if self.statements() != before:
                continue  # the keys changed in between: look again
            try:
                open_checkpoint(note, follow([self._first], before))
                self.seen += 1
            except Problem as problem:
                self.refused.append(f"{problem} under {len(before)} statements: {note!r}")

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()
        self._thread.join()


class Scene:
    """The service with one witness, a watcher, and a restaurant that sells."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.service = Service(folder, witness={"policy": "policy", "timeout": 2.0})
        stack.callback(self.service.close)
        policy = folder / "policy"
        policy.write_text("quorum none\n")
        self.service.init()
        _, self.key = self.service.admit()
        self.first = self.service.asked("keys", "log")["log_key"]
        init(folder / "w", "witness.example/w", [self.first])
        self.witness = WitnessProcess(folder / "w").start()
        stack.callback(lambda: self.witness.end(signal.SIGKILL))
        policy.write_text(f"witness w {self.witness.key.text()} {self.witness.url}\nquorum w\n")
        self.policy = policy
        self.service.start()
        self.watcher = Watcher(self.service, self.first)
        stack.callback(self.watcher.end)
        self.count = 0

    def sell(self) -> bytes:
        """Issue one more invoice, wait until it is published, and fetch its proof."""
        self.count += 1
        body = json.dumps({"order_id": f"o{self.count}", "lines": [LINE]}).encode()
        issued = json.loads(self.service.remote(self.key).post("/v1/invoices", body))
        self.service.wait_until_anchored(self.count)
        return self.service.remote(self.key).get(f"/v1/invoices/{issued['hash']}/proof")

    def tell_witness(self) -> None:
        """Give the witness the keys that the log signs with now, too; it is started again."""
        keys = self.service.asked("keys", "log")["keys"]
        lines = [f"log {key['key']}\n" for key in keys if key["state"] != "revoked"]
        self.witness.end()
        (self.witness.folder / LOGS_FILE).write_text("".join(lines) + "quorum none\n")
        self.witness.start()

    def signers(self) -> list[str]:
        """The ids of the log's keys that signed what is published."""
        note = parse_note(self.service.remote().get("/log/checkpoint"))
        name = self.first.split("+")[0]
        lines = [one for one in note.signatures if one.name == name]
        return [one.key_id.hex() for one in lines if len(one.payload) == SIGNATURE_SIZE]

    def until_signed_by(self, *ids: str) -> None:
        """Wait until what is published was signed by these, in this order."""
        wait_until(lambda: self.signers() == list(ids), f"{ids} have signed")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """The service, running."""
    with ExitStack() as stack:
        yield Scene(tmp_path, stack)


def _id(key: str) -> str:
    return key.split("+")[1]


def _python(proof: bytes, key: str, notes: list[bytes]) -> str:
    try:
        verify_proof(parse_proof(proof), follow([VerifierKey.parse(key)], notes))
    except Problem as problem:
        return problem.code
    return "ok"


def _node(folder: Path, proof: bytes, key: str, notes: list[bytes]) -> str:
    node = shutil.which("node")
    assert node
    texts = [note.decode() for note in notes]
    row = {"name": "x", "key": key, "file": proof.decode(), "statements": texts}
    case = folder / "case.jsonl"
    case.write_text(json.dumps(row) + "\n", encoding="utf-8")
    done = subprocess.run([node, RUNNER, case], capture_output=True, text=True, check=True)
    code: str = json.loads(done.stdout)["code"]
    return code


def test_a_planned_rotation(scene: Scene, tmp_path: Path) -> None:
    service, old = scene.service, scene.first
    mirror = tmp_path / "mirror"

    def copy() -> None:
        keys = _key_arguments(tmp_path, scene, old)
        service.fapiao("mirror", f"{service.url}/log", str(mirror), *keys)

    proof_a = scene.sell()
    copy()
    [_, new] = [key["key"] for key in service.asked("keys", "rotate-log")["keys"]]
    scene.tell_witness()
    proof_b = scene.sell()
    scene.until_signed_by(_id(old), _id(new))
    copy()
    service.fapiao("keys", "rotate-log", "--finish")
    proof_c = scene.sell()
    scene.until_signed_by(_id(new))
    copy()

    notes = scene.watcher.statements()
    assert len(notes) == 3
    for verifier in (_python, lambda *told: _node(tmp_path, *told)):
        for proof in (proof_a, proof_b, proof_c):
            for pinned in (old, new):
                assert verifier(proof, pinned, notes) == "ok"
        assert verifier(proof_a, old, []) == verifier(proof_b, old, []) == "ok"
        assert verifier(proof_b, new, []) == verifier(proof_c, new, []) == "ok"
        assert verifier(proof_a, new, []) == verifier(proof_c, old, []) == "signature_missing"
    _as_a_person_does(scene, tmp_path, [proof_a, proof_b, proof_c], new)
    for proof in (proof_a, proof_b, proof_c):  # the witness has cosigned throughout
        assert checked_cosignatures(parse_proof(proof).checkpoint, [scene.witness.key])
    keys = _key_arguments(tmp_path, scene, new)
    assert service.asked("audit")["clean"]
    assert service.asked("audit", "--mirror", str(mirror), *keys)["clean"]
    scene.watcher.end()
    assert scene.watcher.refused == []
    assert scene.watcher.seen > 10
    assert service.stop() == 0


def _key_arguments(folder: Path, scene: Scene, key: str) -> list[str]:
    """``--key`` for a pinned key and for every statement."""
    arguments = ["--key", key]
    for number, note in enumerate(scene.watcher.statements()):
        path = folder / f"{number}.note"
        path.write_bytes(note)
        arguments += ["--key", str(path)]
    return arguments


def _as_a_person_does(scene: Scene, folder: Path, proofs: list[bytes], new: str) -> None:
    """With the command line: offline, and asking the service."""
    keys = _key_arguments(folder, scene, scene.first)
    policy = ("--policy", str(scene.policy))
    for number, proof in enumerate(proofs):
        path = folder / f"{number}.fapiao.json"
        path.write_bytes(proof)
        said = scene.service.asked("verify", str(path), "--offline", *keys, *policy)
        assert said["verdict"] == "authentic"
        assert said["witnesses"] == ["witness.example/w"]
        scene.service.fapiao("verify", str(path))
        scene.service.fapiao("verify", str(path), "--url", scene.service.url)
    alone = ("--offline", "--key", new)
    scene.service.fapiao("verify", str(folder / "0.fapiao.json"), *alone, status=1)


def test_a_theft_is_answered_while_everything_runs(scene: Scene, tmp_path: Path) -> None:
    """The witness has to hear of the new key, or nothing would be published."""
    service, old = scene.service, scene.first
    proof_a = scene.sell()
    said = service.asked("keys", "rotate-log", "--stolen", _id(old))
    [new] = [key["key"] for key in said["keys"] if key["state"] == "signs"]
    assert _id(new) in scene.signers()  # what was published has its signature already
    scene.tell_witness()
    proof_b = scene.sell()
    scene.until_signed_by(_id(new))
    notes = scene.watcher.statements()
    again = service.remote(scene.key).get(f"/v1/invoices/{json.loads(proof_a)['hash']}/proof")
    for verifier in (_python, lambda *told: _node(tmp_path, *told)):
        for pinned in (old, new):
            assert verifier(proof_a, pinned, notes) == "key_revoked"
            assert verifier(again, pinned, notes) == verifier(proof_b, pinned, notes) == "ok"
    assert service.asked("audit")["clean"]
    scene.watcher.end()
    assert scene.watcher.refused == []
    assert service.stop() == 0


def test_rotations_in_a_row_under_load_never_show_a_checkpoint_that_is_refused(
    scene: Scene,
) -> None:
    """The worker is never told; it finds what has changed before each signature."""
    ended = threading.Event()

    def buy() -> None:
        remote, count = scene.service.remote(scene.key), 0
        while not ended.wait(0.02):
            count += 1
            body = json.dumps({"order_id": f"load{count}", "lines": [LINE]}).encode()
            remote.post("/v1/invoices", body)

    buyer = threading.Thread(target=buy)
    buyer.start()
    try:
        for _ in range(3):
            scene.service.fapiao("keys", "rotate-log")
            scene.tell_witness()
            wait_until(lambda: len(scene.signers()) == 2, "both have signed what is published")
            _retry(lambda: scene.service.asked("keys", "rotate-log", "--finish"))
        [key] = _signing(scene)
        scene.service.fapiao("keys", "rotate-log", "--stolen", _id(key))
        scene.tell_witness()
        scene.until_signed_by(_id(_signing(scene)[0]))
    finally:
        ended.set()
        buyer.join()
    scene.watcher.end()
    assert scene.watcher.refused == []
    assert scene.watcher.seen > 20
    assert scene.service.asked("audit")["clean"]
    assert scene.service.stop() == 0


def _signing(scene: Scene) -> list[str]:
    keys = scene.service.asked("keys", "log")["keys"]
    return [key["key"] for key in keys if key["state"] == "signs"]


def _retry(command: Callable[[], Any]) -> None:
    """Until both have signed, the end of an overlap is refused."""

    def done() -> bool:
        try:
            command()
        except AssertionError as refusal:
            assert "rotation_not_seen" in str(refusal)  # noqa: PT017 # or something else is wrong
            return False
        return True

    wait_until(done, "the overlap has ended")
