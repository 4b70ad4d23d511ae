"""The golden files are what our code makes, and what they say holds."""

import json
from typing import Any

import pytest

from chain.canonical import decode, decode_canonical, encode
from chain.commitment import parse_password_area
from chain.entry import parse_entry
from chain.errors import Problem
from chain.hashing import digest_from_hex, leaf_hash, sha256
from chain.proof.file import parse_proof
from chain.proof.receipt import parse_receipt, verify_receipt
from chain.proof.tlogproof import parse_tlog_proof, verify_tlog_proof
from chain.proof.verify import verify_proof
from chain.signing.checkpoint import open_checkpoint
from chain.signing.keyfile import open_key
from chain.signing.note import VerifierKey, open_note
from chain.signing.policy import Policy
from chain.tree.states import StateLeaf, verify_state
from tests.vectors.make import FORMATS, HERE, path_of, text_of


def golden(name: str) -> Any:  # noqa: ANN401  # each file has its own shape
    return json.loads(path_of(name).read_text("utf-8"))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_script_finds_no_difference(name: str) -> None:
    assert path_of(name).read_text("utf-8") == text_of(name)


def test_every_file_has_its_maker() -> None:
    assert {path.stem for path in HERE.glob("*.json")} == set(FORMATS)


def test_canonical() -> None:
    for case in golden("canonical"):
        assert encode(decode(case["json"].encode())) == case["canonical"].encode()
        assert decode_canonical(case["canonical"].encode()) == json.loads(case["json"])


def test_commitment_by_hand() -> None:
    """Only SHA-256 and the definitions, none of the code that made the file."""
    file = golden("commitment")
    digests = []
    for name in ("face", "buyer", "lines"):
        group = file["groups"][name]
        start = f"fapiao/v1/{name}\n".encode() + bytes.fromhex(group["salt"])
        digests.append(sha256(start + group["canonical"].encode()))
        assert digests[-1].hex() == group["digest"]
    digest = sha256(b"fapiao/v1/invoice\n" + b"".join(digests))
    assert file["password_area"] == "01" + digest.hex() == "01" + file["digest"]
    assert file["check_code"] == digest.hex()[-5:]
    assert file["anchor"] == sha256(b"fapiao/v1/anchor\n" + digest).hex()
    closing = file["closing"]
    start = b"fapiao/v1/closing\n" + bytes.fromhex(closing["salt"])
    assert closing["digest"] == sha256(start + closing["totals"].encode()).hex()


def test_entries() -> None:
    for case in golden("entry").values():
        parse_entry(case["entry"].encode())
        assert leaf_hash(case["entry"].encode()).hex() == case["leaf"]


def test_notes() -> None:
    file = golden("note")
    log, promise = (VerifierKey.parse(key["public"]) for key in file["keys"].values())
    witness = VerifierKey.parse(file["witness"]["public"])
    open_note(file["promise"].encode(), [promise])
    assert open_checkpoint(file["empty"].encode(), log).size == 0
    assert open_checkpoint(file["checkpoint"].encode(), log).size == 42
    opened = open_note(file["cosigned"].encode(), [log, witness])
    assert [signature.timestamp for signature in opened.signatures] == [
        None,
        file["witness"]["time"],
    ]


def test_states() -> None:
    for case in golden("state"):
        for shown in case["proofs"]:
            leaf = shown.get("leaf")
            said = verify_state(
                digest_from_hex(case["root"]),
                digest_from_hex(shown["key"]),
                leaf and StateLeaf(digest_from_hex(leaf["key"]), leaf["value"]),
                [digest_from_hex(sibling) for sibling in shown["siblings"]],
            )
            assert said == case["items"].get(shown["key"])


def test_proofs() -> None:
    file = golden("proof")
    for name, hidden, state in (
        ("shown", (), None),
        ("face only", ("buyer", "lines"), None),
        ("reversed", (), {"reversal": "full"}),
        ("reversed, a part", (), {"reversal": "part"}),
        ("reversed, two parts", (), {"reversal": "part"}),
        ("reversed, part by part", (), {"reversal": "full"}),
    ):
        evidence = verify_proof(
            parse_proof(file["files"][name].encode()), VerifierKey.parse(file["log_key"])
        )
        assert evidence.hash == golden("commitment")["password_area"]
        assert (evidence.hidden, evidence.state) == (hidden, state)


def test_tlog_proofs() -> None:
    file = golden("tlogproof")
    log, witness = (VerifierKey.parse(file[name]) for name in ("log_key", "witness"))
    entry = file["entry"].encode()
    for name, text in file["good"].items():
        proof = parse_tlog_proof(text.encode())
        assert verify_tlog_proof(proof, entry, log).index == 2
        if name == "cosigned":
            policy = Policy((witness,), 1)
            assert verify_tlog_proof(proof, entry, log, policy).witnesses == (witness.name,)
    for name, case in file["bent"].items():
        with pytest.raises(Problem) as caught:
            verify_tlog_proof(parse_tlog_proof(case["text"].encode()), entry, log)
        assert caught.value.code == case["code"], name


def test_cose_receipts() -> None:
    file = golden("receipt")
    log, document = VerifierKey.parse(file["log_key"]), parse_password_area(file["hash"])
    good = parse_receipt(bytes.fromhex(file["good"]))
    assert verify_receipt(good, good.entry(document), log).index == 2
    assert open_checkpoint(file["checkpoint"].encode(), log).size == good.signed.size
    for name, case in file["bent"].items():
        receipt = parse_receipt(bytes.fromhex(case["receipt"]))
        with pytest.raises(Problem) as caught:
            verify_receipt(receipt, receipt.entry(document), log)
        assert caught.value.code == case["code"], name


def test_an_encrypted_key() -> None:
    file = golden("keyfile")
    assert open_key(file["file"].encode(), file["passphrase"].encode()).text() == file["key"]
