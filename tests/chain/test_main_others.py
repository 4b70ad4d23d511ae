"""``python -m chain verify`` of all but proof files of documents: acts, receipts, tlog-proofs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from chain import canonical
from chain.__main__ import main
from chain.commitment import act_digest, password_area
from chain.hashing import sha256
from chain.proof.receipt import BEGINNING, receipt_of
from chain.proof.tlogproof import HEADER, tlog_proof_of
from chain.signing.cosignature import Cosigner
from chain.signing.note import SignerKey, parse_note
from tests.chain.books import ORIGIN, SIGNER
from tests.chain.forged import with_everything, with_receipt
from tests.chain.forged_act import ACT, SALT, Forge

KEY = SIGNER.verifier.text()
OTHER_KEY = SignerKey(ORIGIN, bytes(32)).verifier.text()
WITNESS = Cosigner(SignerKey("w1.example", bytes([1]) * 32))
DOCUMENT = with_everything().document
HASH = password_area(DOCUMENT)
IN_LOG = {
    "receipt": receipt_of(with_receipt()).to_bytes(),
    "tlog-proof": tlog_proof_of(with_everything()).to_bytes(),
}


def act() -> bytes:
    """An act's proof that a witness has cosigned."""
    proof = Forge().proof()
    text = parse_note(proof.checkpoint).text
    line = WITNESS.cosign(text, 1_800_000_000).line().encode()
    return replace(proof, checkpoint=proof.checkpoint + line).to_bytes()


@pytest.fixture
def policy(tmp_path: Path) -> str:
    """The name of a policy that asks for the witness, and names one of another type."""
    path = tmp_path / "policy"
    lines = (f"witness W {WITNESS.verifier.text()}", "witness O other.example/w+0123abcd+Amtl")
    path.write_text("\n".join([*lines, "quorum W", ""]))
    return str(path)


def asked(folder: Path, data: bytes, *more: str, key: str = KEY) -> list[str]:
    """The command that asks about these bytes."""
    path = folder / "file"
    path.write_bytes(data)
    return ["verify", str(path), "--key", key, *more]


@pytest.mark.parametrize("kind", IN_LOG)
def test_that_a_document_is_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    ask = asked(tmp_path, IN_LOG[kind], "--hash", HASH)
    assert main(ask) == 0
    assert capsys.readouterr().out == (
        "IN THE LOG\n"
        f"hash       {HASH}\n"
        f"log        {ORIGIN}, 11 entries\n"
        "entry      5\n"
        "state      unknown: a proof file says whether it was reversed\n"
    )
    assert main([*ask, "--json"]) == 0
    told = capsys.readouterr().out
    assert told.endswith("}\n")
    assert json.loads(told) == {
        "proved": "in_log",
        "hash": HASH,
        "origin": ORIGIN,
        "size": 11,
        "index": 5,
        "witnesses": [],
    }


def test_a_tlog_proof_may_be_asked_for_witnesses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], policy: str
) -> None:
    ask = ["--hash", HASH, "--policy", policy, "--json"]
    assert main(asked(tmp_path, IN_LOG["tlog-proof"], *ask)) == 1
    assert json.loads(capsys.readouterr().out)["proved"] is False
    proof = tlog_proof_of(with_everything())
    line = WITNESS.cosign(parse_note(proof.checkpoint).text, 1_800_000_000).line().encode()
    proof = replace(proof, checkpoint=proof.checkpoint + line)
    assert main(asked(tmp_path, proof.to_bytes(), *ask)) == 0
    assert json.loads(capsys.readouterr().out)["witnesses"] == ["w1.example"]


@pytest.mark.parametrize("kind", IN_LOG)
def test_what_is_not_shown_to_be_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    data = IN_LOG[kind]
    other = password_area(sha256(b"another document"))
    for ask in (
        asked(tmp_path, data, "--hash", other),
        asked(tmp_path, data, "--hash", HASH, key=OTHER_KEY),
    ):
        assert main(ask) == 1
        assert capsys.readouterr().out.startswith("NOT PROVED: ")
        assert main([*ask, "--json"]) == 1
        assert json.loads(capsys.readouterr().out)["proved"] is False


def test_what_cannot_be_asked_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for data, area, code in (
        (IN_LOG["receipt"], HASH[:-1], "password_area"),
        (HEADER.encode(), HASH, "tlog_proof"),
        (BEGINNING, HASH, "receipt"),
        (b'{"kind":"act"}', "", "proof_malformed"),
    ):
        ask = asked(tmp_path, data, *(["--hash", area] if area else []))
        assert main(ask) == 2
        told = capsys.readouterr()
        assert (told.out, told.err.endswith(f" ({code})\n")) == ("", True)
        assert main([*ask, "--json"]) == 2
        answer = json.loads(capsys.readouterr().out)
        assert (answer["proved"], answer["code"]) == (None, code)


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("tlog-proof", [], "this does not say of which document it is: name it by --hash"),
        ("receipt", [], "this does not say of which document it is: name it by --hash"),
        *(
            (kind, ["--hash", HASH, option, "{policy}"], "--log and --memory take a proof file")
            for kind, option in (
                ("tlog-proof", "--log"),
                ("tlog-proof", "--memory"),
                ("receipt", "--policy"),
            )
        ),
        ("act", ["--hash", HASH], "--hash is for a receipt or a tlog-proof: a proof file names"),
    ],
)
def test_what_does_not_go_together(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    policy: str,
    kind: str,
    more: list[str],
    said: str,
) -> None:
    data = {**IN_LOG, "act": act()}[kind]
    with pytest.raises(SystemExit, match="2"):
        main(asked(tmp_path, data, *(one.format(policy=policy) for one in more)))
    assert f"error: {said}" in capsys.readouterr().err


def test_what_was_done_is_said_line_by_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], policy: str
) -> None:
    memory = ["--memory", str(tmp_path / "memory.json")]
    ask = asked(tmp_path, act(), "--policy", policy, *memory)
    assert main(ask) == 0
    commitment = act_digest(SALT, canonical.encode(ACT)).hex()
    assert capsys.readouterr().out == (
        "1. the log entry commits to this act: yes\n"
        "2. the log signed the checkpoint: yes\n"
        "3. the path leads from the entry to the root: yes\n"
        "4. the path leads from the seal to the root: yes\n"
        "5. the seal is the newest under the checkpoint: yes\n"
        "PROVED\n"
        f"act        {commitment}\n"
        f"log        {ORIGIN}, 8 entries\n"
        "entry      5\n"
        "as of      block 2, sealed 2026-11-21T04:00:00Z\n"
        "seen       nothing of this log before\n"
        "type       suspension\n"
        "at         2026-08-10T04:00:00Z\n"
        "by         person:2\n"
        "subject    merchant:7\n"
        "before     status active\n"
        "after      status suspended, until 7\n"
        "reason     \\u5730\\u5740\\u4e0d\\u7b26\n"
        f"previous   {ACT['previous']}\n"
        "cosigned   w1.example\n"
        "not asked  other.example/w (type 2): no such keys are known here\n"
    )
    assert main([*ask, "--json"]) == 0
    told = capsys.readouterr().out
    assert told.endswith("}\n")
    answer = json.loads(told)
    assert answer.pop("memory")["largest"] == 8
    names = ("act", "signature", "inclusion", "seal", "newest")
    assert answer == {
        "proved": True,
        "act": commitment,
        "document": ACT,
        "origin": ORIGIN,
        "size": 8,
        "index": 5,
        "height": 2,
        "sealed_at": "2026-11-21T04:00:00Z",
        "witnesses": ["w1.example"],
        "unchecked": ["other.example/w (type 2)"],
        "steps": [{"number": number, "name": name} for number, name in enumerate(names, start=1)],
    }


def test_an_act_of_which_little_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = {name: ACT[name] for name in ("version", "type", "at", "by", "subject")}
    data = Forge(document=canonical.encode(said)).proof().to_bytes()
    assert main(asked(tmp_path, data, "--no-memory")) == 0
    assert capsys.readouterr().out.endswith("\nsubject    merchant:7\n")
    assert main(asked(tmp_path, data, "--no-memory", "--json")) == 0
    assert json.loads(capsys.readouterr().out)["memory"] is None


def test_an_act_that_is_not_proved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], policy: str
) -> None:
    for ask in (
        asked(tmp_path, act(), key=OTHER_KEY),
        asked(tmp_path, Forge().proof().to_bytes(), "--policy", policy),
    ):
        assert main(ask) == 1
        assert capsys.readouterr().out.startswith("NOT PROVED at step 2: ")
        assert main([*ask, "--json"]) == 1
        answer = json.loads(capsys.readouterr().out)
        assert (answer["proved"], answer["step"]) == (False, 2)
