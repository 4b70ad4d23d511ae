"""aics-witness, by somebody else: it cosigns for our client, and our witness for its client."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from chain.hashing import leaf_hash
from chain.proof.verify import open_cosigned
from chain.signing.note import SignerKey, VerifierKey
from chain.signing.policy import Policy
from chain.tree.merkle import consistency_path
from chain.tree.tiles import TileFolder
from chain.witness.client import Gathered, Limits, Witnesses
from chain.witness.server import init
from invoice_service.processes.supervise import free_port
from tests.chain.histories import History
from tests.patience import NEVER, PATIENCE
from tests.strangers.homes import home, run, told
from tests.strangers.logs import SIZES, Grown, Web
from tests.witness.running import WitnessProcess

pytestmark = pytest.mark.slow
LIMITS = Limits(exchange=NEVER, grace=0.2)


@contextmanager
def their_witness(folder: Path, log: VerifierKey) -> Iterator[tuple[str, VerifierKey]]:
    """Their witness as its operator runs it, and the key that it printed."""
    program = home("aics") / "bin" / "aics-witness"
    config = ("--config", folder / "witness.json")
    made = run(program, "init", *config, "--name", "witness.example/theirs")
    assert made.returncode == 0, made.stderr
    key = re.search(r"witness\.example/theirs\+\S+", made.stdout)
    assert key, made.stdout
    added = run(program, "add-log", *config, "--origin", log.name, "--vkey", log.text())
    assert added.returncode == 0, added.stderr
    address = f"127.0.0.1:{free_port('127.0.0.1')}"
    command = [program, "serve", *config, "--listen", address]
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        try:
            assert server.stdout is not None
            first = server.stdout.readline()
            assert server.poll() is None, first
            yield f"http://{address}", VerifierKey.parse(key[0])
        finally:
            server.terminate()
            server.wait(PATIENCE)


class Client:
    """Ours, asking one witness; it knows what it was told of sizes, as the worker's table does."""

    def __init__(self, witness: VerifierKey, url: str, log: VerifierKey) -> None:
        self.policy = Policy((witness,), 1, (log,), {witness: url})
        self.asking = Witnesses(self.policy, LIMITS)

    def gather(self, log: Grown, sizes: Mapping[VerifierKey, int]) -> Gathered:
        reader = TileFolder(log.folder).reader(log.size)
        return self.asking.gather(
            log.note.read_bytes(),
            sizes=sizes,
            prove=lambda old: consistency_path(reader, old, log.size),
        )


def test_their_witness_cosigns_for_our_client(logs: dict[int, Grown], tmp_path: Path) -> None:
    """From the first checkpoint to the last; also when we have forgotten what it has seen."""
    key = logs[2].key
    with their_witness(tmp_path, key) as (url, witness):
        client = Client(witness, url, key)
        known: dict[VerifierKey, int] = {}
        for size in SIZES[1:]:
            gathered = client.gather(logs[size], known if size != 257 else {})
            assert gathered.met, gathered.answers
            checkpoint, names = open_cosigned(gathered.note, key, client.policy)
            assert (checkpoint.size, names) == (size, ("witness.example/theirs",))
            known = {witness: size}
        client.asking.close()


def test_their_witness_refuses_us_another_history(logs: dict[int, Grown], tmp_path: Path) -> None:
    """A fork signed by our own key; a smaller tree; a proof that is none."""
    key = logs[2].key
    signer = SignerKey.parse((logs[2].data / "keys" / "log.key").read_text().strip())
    fork = History([leaf_hash(b"fork %d" % n) for n in range(300)], signer)
    with their_witness(tmp_path, key) as (url, witness):
        client = Client(witness, url, key)
        assert client.gather(logs[255], {}).met
        shrunk = client.gather(logs[2], {witness: 255})
        assert [answer.problem and answer.problem.code for answer in shrunk.answers] == [
            "witness_ahead"
        ]
        gathered = client.asking.gather(
            fork.note(300), sizes={witness: 255}, prove=lambda old: fork.proof(old, 300)
        )
        assert not gathered.met
        [answer] = gathered.answers
        assert answer.problem is not None
        assert (answer.problem.code, answer.problem.extra["status"]) == ("witness_refused", 422)
        assert client.gather(logs[257], {witness: 255}).met
        client.asking.close()
    evidence = run(
        home("aics") / "bin" / "aics-witness", "evidence", "--config", tmp_path / "witness.json"
    )
    texts = [str(text) for kept in json.loads(evidence.stdout) for text in kept.values()]
    assert any(fork.checkpoint(300).to_text() in text for text in texts)


def test_our_witness_cosigns_for_their_client(
    logs: dict[int, Grown], served: Web, tmp_path: Path
) -> None:
    """Their client reads our log's tiles, makes the proofs itself, and checks what comes back."""
    key = logs[2].key
    served.serve(*SIZES)
    witness = tmp_path / "witness"
    vkey = init(witness, "witness.example/ours", [key.text()])
    process = WitnessProcess(witness).start()
    try:
        urls = [served.url(size) for size in SIZES]
        order: dict[str, object] = {
            "url": process.url,
            "vkey": vkey.text(),
            "key": key.text(),
            "logs": [*urls, urls[2]],
        }
        *answers, stale = told(home("aics"), "aics_feed.py", order)
    finally:
        process.end()
    for size, answer in zip(SIZES, answers, strict=True):
        assert answer["ok"], (size, answer)
        checkpoint, names = open_cosigned(answer["note"].encode(), key, Policy((vkey,), 1))
        assert (checkpoint.size, names) == (size, ("witness.example/ours",))
    assert [pair for answer in answers for pair in answer["proofs"]] == [
        [old, new] for old, new in pairwise(SIZES[1:])
    ]
    assert stale["refused"] == "WitnessAhead"
