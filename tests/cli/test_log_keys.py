"""The log's keys on the command line: shown, rotated, encrypted, and told to whoever checks."""

import json
from pathlib import Path
from typing import Any

import pytest

from chain.proof.file import parse_proof
from chain.signing.cosignature import Cosigner, add_signatures
from chain.signing.note import SignerKey, VerifierKey, parse_note
from chain.signing.statement import KeyStatement
from tests.cli.town import Town

WITNESSES = [Cosigner(SignerKey(f"w{n}.example", bytes([40 + n]) * 32)) for n in range(2)]


def _keys(town: Town) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = town.asked("keys", "log")["keys"]
    return found


def _states(town: Town) -> list[str]:
    return [key["state"] for key in _keys(town)]


def _proof(town: Town, invoice: dict[str, Any], name: str) -> Path:
    town.run("proof", invoice["hash"], "--output", name)
    return Path(name)


def _rotated(town: Town) -> list[Path]:
    """Three proofs: by the old key, by both, by the new one."""
    [first] = town.sell(1)
    town.run("anchor")
    proofs = [_proof(town, first, "a.json")]
    town.run("keys", "rotate-log")
    town.run("anchor")
    proofs.append(_proof(town, first, "b.json"))
    town.run("keys", "rotate-log", "--finish")
    town.sell(2)
    town.run("anchor")
    return [*proofs, _proof(town, first, "c.json")]


def _statements(town: Town) -> list[str]:
    notes = (town.folder / "var/main/keys/statements").glob("*.note")
    return [word for note in sorted(notes) for word in ("--key", str(note))]


def test_a_rotation_on_the_console(town: Town) -> None:
    assert "no_rotation" in town.refusal("keys", "rotate-log", "--finish")
    old = town.run("keys", "log").splitlines()[0]
    said = town.run("keys", "rotate-log")
    assert "Both sign from now on" in said
    assert said.count("signs") == 2
    assert town.run("keys", "log").splitlines()[0] == old
    assert "rotation_not_seen" in town.refusal("keys", "rotate-log", "--finish")
    town.run("anchor")  # an admission, the rotation's beginning and a seal
    assert "Backups of keys/" in town.run("keys", "rotate-log", "--finish")
    said = town.run("keys", "log")
    assert said.splitlines()[0] != old
    assert f"│ retired at size 3 │ {old} │" in said
    assert _states(town) == ["signs", "retired"]
    assert town.asked("keys", "log")["statement"] == 3
    [_, retired] = _keys(town)
    assert (retired["key"], retired["size"]) == (old, 3)


def test_a_theft_on_the_console(town: Town) -> None:
    [key] = _keys(town)
    assert "no_log_key" in town.refusal("keys", "rotate-log", "--stolen", "01234567")
    both = ("--stolen", key["id"], "--finish")
    assert "say which" in town.refusal("keys", "rotate-log", *both, status=2)
    said = town.asked("keys", "rotate-log", "--stolen", key["id"])
    assert [one["state"] for one in said["keys"]] == ["signs", "revoked"]
    assert said["statement"] == 2
    [invoice] = town.sell(1)
    town.run("anchor")
    assert town.asked("verify", invoice["hash"])["verdict"] == "authentic"
    assert town.asked("audit")["clean"]


def test_every_proof_holds_with_the_statements(town: Town) -> None:
    proofs = _rotated(town)
    new, old = (key["key"] for key in _keys(town))
    statements = _statements(town)
    for proof in proofs:
        for pinned in (old, new):
            arguments = ("--offline", "--key", pinned, *statements)
            assert town.asked("verify", str(proof), *arguments)["verdict"] == "authentic"
        assert town.asked("verify", str(proof))["verdict"] == "authentic"
    refused = [(proofs[0], new), (proofs[2], old)]
    for proof, key in refused:
        said = town.refusal("verify", str(proof), "--offline", "--key", key)
        assert "signature_missing" in said
        town.asked("verify", str(proof), "--offline", "--key", old, "--key", new)
    said = town.refusal("verify", str(proofs[0]), "--offline", *statements, status=2)
    assert "key_text" in said


def test_a_proof_by_a_revoked_key_is_refused_and_a_new_one_holds(town: Town) -> None:
    [invoice] = town.sell(1)
    town.run("anchor")
    old = _proof(town, invoice, "old.json")
    [key] = _keys(town)
    town.run("keys", "rotate-log", "--stolen", key["id"])
    arguments = ("--offline", "--key", key["key"], *_statements(town))
    assert "key_revoked" in town.refusal("verify", str(old), *arguments)
    assert "key_revoked" in town.refusal("verify", str(old))
    new = _proof(town, invoice, "new.json")
    assert town.asked("verify", str(new), *arguments)["verdict"] == "authentic"


def _cosign(proof: Path, *witnesses: Cosigner) -> Path:
    note = parse_proof(proof.read_bytes()).checkpoint
    lines = [witness.cosign(parse_note(note).text, 1_800_000_000) for witness in witnesses]
    content = json.loads(proof.read_bytes())
    content["checkpoint"] = add_signatures(note, lines).decode()
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    proof.write_text(text, encoding="utf-8")
    return proof


@pytest.fixture
def proof(town: Town) -> Path:
    """A proof that one of two witnesses has cosigned."""
    [invoice] = town.sell(1)
    town.run("anchor")
    return _cosign(_proof(town, invoice, "p.json"), WITNESSES[0])


def _policy(quorum: str, log: str = "") -> str:
    lines = [f"witness w{n} {one.verifier.text()}\n" for n, one in enumerate(WITNESSES)]
    log_line = f"log {log}\n" if log else ""
    text = f"{log_line}{''.join(lines)}group both all w0 w1\ngroup one any both\nquorum {quorum}\n"
    Path("policy").write_text(text)
    return "policy"


@pytest.mark.parametrize("offline", [True, False])
def test_a_policy_says_who_must_have_cosigned(town: Town, proof: Path, offline: bool) -> None:
    [key] = _keys(town)
    where = ("--offline", "--key", key["key"]) if offline else ()
    for log in ("", key["key"]):
        met = _policy("w0", log)
        said = town.asked("verify", str(proof), *where, "--policy", met)
        assert (said["verdict"], said["witnesses"]) == ("authentic", ["w0.example"])
        assert "cosigned by w0.example" in town.run(
            "verify", str(proof), *where, "--policy", "policy"
        )
    for quorum in ("w1", "both"):
        refusal = town.refusal("verify", str(proof), *where, "--policy", _policy(quorum))
        assert "quorum: " in refusal
    other = SignerKey(key["key"].split("+")[0], bytes(32)).verifier.text()
    refusal = town.refusal("verify", str(proof), *where, "--policy", _policy("w0", other))
    assert "policy_log: " in refusal


def test_a_policy_that_is_none(town: Town, proof: Path) -> None:
    Path("policy").write_text("quorum w9\n")
    assert "policy: " in town.refusal("verify", str(proof), "--policy", "policy", status=2)
    assert "nowhere" in town.refusal("verify", str(proof), "--policy", "nowhere", status=2)
    invoice = parse_proof(proof.read_bytes())
    hash_ = "01" + invoice.document.hex()
    _policy("w0")
    refusal = town.refusal("verify", hash_, "--policy", "policy", status=2)
    assert "is for proof files" in refusal


def test_a_policy_is_no_part_of_evidence(town: Town) -> None:
    Path("evidence.json").write_text('{"kind":"fork"}')
    _policy("w0")
    refusal = town.refusal("verify", "evidence.json", "--policy", "policy", status=2)
    assert "--witness" in refusal


def test_all_secrets_are_encrypted_in_an_overlap(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.run("keys", "rotate-log")
    folder = town.folder / "var/main/keys"
    monkeypatch.setenv("FAPIAO_PASSPHRASE", "first")
    assert town.run("keys", "encrypt").count("encrypted ") == 3
    assert b"PRIVATE+KEY" not in b"".join(path.read_bytes() for path in folder.glob("*.key"))
    town.run("anchor")
    monkeypatch.setenv("FAPIAO_NEW_PASSPHRASE", "second")
    assert town.run("keys", "passphrase").count("encrypted ") == 3
    assert "passphrase_wrong" in town.refusal("keys", "rotate-log", "--finish")
    monkeypatch.setenv("FAPIAO_PASSPHRASE", "second")
    town.run("keys", "rotate-log", "--finish")
    kept = sorted(path.name for path in folder.glob("*.key"))
    assert kept == ["log.key", "people.key", "promise.key"]
    town.run("keys", "rotate-log")  # a new key is encrypted like the others
    assert b"PRIVATE+KEY" not in b"".join(path.read_bytes() for path in folder.glob("*.key"))
    town.run("anchor")


def test_a_new_key_is_kept_as_the_old_one(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker without the passphrase could not open it, and after a theft nobody could sign."""
    [key] = _keys(town)
    monkeypatch.setenv("FAPIAO_PASSPHRASE", "only here")
    town.run("keys", "rotate-log", "--stolen", key["id"])
    monkeypatch.delenv("FAPIAO_PASSPHRASE")
    town.run("anchor")


def test_the_statements_on_disk_are_those_that_are_shown(town: Town) -> None:
    town.run("keys", "rotate-log")
    note = (town.folder / "var/main/keys/statements/2.note").read_bytes()
    shown = [VerifierKey.parse(key["key"]) for key in _keys(town)]
    assert list(KeyStatement.parse(note).keys.signing) == shown


def test_a_log_writes_its_lines_for_the_witness_network(town: Town) -> None:
    """One item for each key that signs: while two do, witnesses have to know both."""
    asked = ("keys", "list-log", "--requests", "86400", "--contact", "log@example.com")
    for step in ([], ["keys", "rotate-log"]):
        if step:
            town.sell(1)
            town.run("anchor")
            town.run(*step)
        signing = [key["key"] for key in _keys(town) if key["state"] == "signs"]
        items = [f"vkey {key}\nqpd 86400\ncontact log@example.com\n" for key in signing]
        assert town.run(*asked) == "\n".join(items)
    assert len(items) == 2
    assert town.run(*asked[:3], "0", *asked[4:], status=2) == ""
