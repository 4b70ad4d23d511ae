"""``fapiao verify`` remembers checkpoints; a log that shows two histories is found out by it."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from chain.audit.evidence import Fork, verify_evidence
from chain.hashing import leaf_hash
from chain.proof.memory import Memory, default_place
from chain.signing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from chain.signing.note import SignerKey, VerifierKey
from invoice_service.config import Config, load
from invoice_service.wiring import open_instance
from tests.cli.town import Town


@pytest.fixture
def proof(town: Town) -> list[str]:
    """How the proof of an anchored invoice is checked, offline."""
    [invoice] = town.sell(1)
    town.run("anchor")
    file = town.run("proof", invoice["hash"]).strip()
    return ["verify", file, "--offline", "--key", _key(town)]


def _config(town: Town) -> Config:
    return load(town.folder / "config.toml", {})


def _key(town: Town) -> str:
    key: str = town.asked("keys", "log")["log_key"]
    return key


def _other_history(town: Town, file: str) -> bytes:
    """Another root for the size that the file's checkpoint has, signed by the log's own key."""
    instance = open_instance(_config(town))
    note = json.loads(Path(file).read_bytes())["checkpoint"]
    seen = open_checkpoint(note.encode(), instance.log_keys)
    instance.close()
    signer = SignerKey.parse((_config(town).keys_dir / "log.key").read_text().strip())
    return sign_checkpoint(Checkpoint(seen.origin, seen.size, leaf_hash(b"other")), signer)


def test_what_was_seen_is_told_and_kept_where_the_other_program_keeps_it(
    town: Town, proof: list[str]
) -> None:
    assert "  seen: nothing of this log before\n" in town.run(*proof)
    [note] = json.loads(default_place(os.environ).read_bytes())["notes"]
    size = int(note.split("\n")[1])
    assert f"  seen: {size} entries of this log before\n" in town.run(*proof)
    told = town.asked(*proof)
    assert told["memory"]["largest"] == size
    assert "seen" not in town.run(*proof, "--no-memory")
    assert "memory" not in town.asked(*proof, "--no-memory")


def test_a_second_history_is_refused_however_it_is_asked(town: Town, proof: list[str]) -> None:
    """Offline and asked here, of a proof file and of a tlog-proof; each writes the evidence."""
    file, key = proof[1], proof[-1]
    hash_ = json.loads(Path(file).read_bytes())["hash"]
    tlog = town.run("proof", hash_, "--tlog").strip()
    memory = town.folder / "seen" / "m.json"
    (town.folder / "seen").mkdir()
    other = _other_history(town, file)
    keys = VerifierKey.parse(key)
    Memory(memory).keep((open_checkpoint(other, keys), other))
    for asked in (proof, ["verify", file], ["verify", tlog, "--hash", hash_]):
        [evidence] = [
            town.folder / "seen" / f"fork-{open_checkpoint(other, keys).size}.evidence.json"
        ]
        evidence.unlink(missing_ok=True)
        refused = town.refusal(*asked, "--memory", str(memory), "--json")
        told: dict[str, Any] = json.loads(refused)
        assert (told["code"], told["evidence"]) == ("log_forked", str(evidence))
        assert isinstance(verify_evidence(evidence.read_bytes(), keys), Fork)
        town.run(*asked, "--no-memory")


def test_the_log_or_a_copy_of_it_is_asked(town: Town, proof: list[str]) -> None:
    memory = ["--memory", str(town.folder / "m.json")]
    log = str(_config(town).log_dir)
    assert town.asked(*proof, *memory, "--log", log)["memory"]["compared"] is True
    town.sell(2)
    town.run("anchor")
    said = town.run(*proof, *memory, "--log", log)
    assert "; the log contains both\n" in said
    said = town.run(*proof, *memory)
    assert ": this is older than what you have seen; not compared" in said
    assert "not compared" in town.run(*proof, *memory, "--log", str(town.folder / "none"))


def test_a_memory_that_is_damaged_is_wrong_usage_and_no_verdict(
    town: Town, proof: list[str]
) -> None:
    (town.folder / "m.json").write_text("{")
    told = town.refusal(*proof, "--memory", str(town.folder / "m.json"), status=2)
    assert "memory_damaged" in told
    assert "memory_unreadable" in town.refusal(*proof, "--memory", "/proc/self/mem", status=3)


def test_what_cannot_be_remembered_is_said_and_changes_no_verdict(
    town: Town, proof: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc")  # where nobody can write
    status, said, told = town.tried(*proof)
    assert (status, said.startswith("authentic: ")) == (0, True)
    assert told.startswith("nothing is remembered of this checkpoint: write_failed: ")


@pytest.mark.parametrize("option", [("--log", "."), ("--memory", "m.json")])
def test_what_has_no_checkpoint_cannot_be_remembered(
    town: Town, proof: list[str], option: tuple[str, str]
) -> None:
    hash_ = json.loads(Path(proof[1]).read_bytes())["hash"]
    assert "need a proof" in town.refusal("verify", hash_, *option, status=2)
    assert "--no-memory" in town.refusal(*proof, *option, "--no-memory", status=2)


def test_a_service_under_the_same_name_by_another_key_is_told_apart(
    town: Town, proof: list[str]
) -> None:
    """Asked without a key, whoever answers says which key it is: told, but no fork."""
    town.run(*proof)
    shutil.rmtree(town.folder / "var")
    town.run("init")
    town.admit()
    [invoice] = town.sell(1)
    town.run("anchor")
    file = town.run("proof", invoice["hash"], "--output", "again.json").strip()
    assert "of its name by other keys, which is taken for another log" in town.run("verify", file)
