"""The proof of an act: one test for each step that breaks only that step, then every bend."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain import canonical
from chain.commitment import act_digest
from chain.entry import act_entry, anchor_entry, seal_entry
from chain.errors import ConflictError, MalformedError, Problem
from chain.hashing import ZERO
from chain.proof.act import (
    ActEvidence,
    ActProof,
    build_act_proof,
    is_act_proof,
    parse_act_proof,
    read_document,
    verify_act_proof,
)
from chain.proof.file import MAX_PROOF_BYTES, Placed
from chain.proof.verify import Step
from chain.signing.cosignature import Cosigner
from chain.signing.note import SignerKey
from chain.signing.policy import parse_policy
from tests.chain.books import NOON, ORIGIN, SIGNER, Books
from tests.chain.forged import with_everything
from tests.chain.forged_act import ACT, BAD_DOCUMENTS, SALT, Forge

KEY = SIGNER.verifier


def check(proof: ActProof, **how: Any) -> ActEvidence:  # noqa: ANN401 # handed on
    """Verify the file, as a stranger would: from its bytes."""
    return verify_act_proof(parse_act_proof(proof.to_bytes()), KEY, **how)


def refused_at(step: int, code: str, proof: ActProof, **how: Any) -> None:  # noqa: ANN401 # handed on
    """The proof fails at this step, for this reason."""
    with pytest.raises(Problem) as refused:
        check(proof, **how)
    assert (refused.value.extra.get("step"), refused.value.code) == (step, code)


def test_what_a_good_proof_establishes() -> None:
    proof = Forge().proof()
    assert check(proof) == ActEvidence(
        commitment=act_digest(SALT, canonical.encode(ACT)),
        document=read_document(canonical.encode(ACT)),
        origin=ORIGIN,
        index=5,
        height=2,
        sealed_at=datetime(2026, 11, 21, 4, tzinfo=UTC),
        size=8,
        witnesses=(),
        steps=(
            Step(1, "act", "the log entry commits to this act"),
            Step(2, "signature", "the log signed the checkpoint"),
            Step(3, "inclusion", "the path leads from the entry to the root"),
            Step(4, "seal", "the path leads from the seal to the root"),
            Step(5, "newest", "the seal is the newest under the checkpoint"),
        ),
    )


@pytest.mark.parametrize("absent", ["before", "after", "reason", "previous"])
def test_what_is_not_said_is_absent(absent: str) -> None:
    said = {name: value for name, value in ACT.items() if name != absent}
    assert canonical.encode(said) == Forge(document=canonical.encode(said)).proof().document
    check(Forge(document=canonical.encode(said)).proof())


def test_a_real_log_proves_it(tmp_path: Path) -> None:
    books = Books(tmp_path)
    books.grow(2)
    document = canonical.encode(ACT)
    head = books.log.head()
    draft = act_entry("suspension", act_digest(SALT, document))
    books.log.sequence(head, [draft], sealed_at=NOON, cursor=head.cursor)
    with pytest.raises(ConflictError, match=r"^not_published\b"):
        build_act_proof(books.log, head.size, SALT, document)
    books.publish()
    newest = build_act_proof(books.log, head.size, SALT, document)
    assert (check(newest).index, check(newest).size) == (3, books.log.head().size)
    books.grow(3)
    proof = build_act_proof(books.log, head.size, SALT, document)
    assert (check(proof).index, check(proof).size) == (3, books.log.head().size)
    assert parse_act_proof(proof.to_bytes()) == proof
    books.store.close()


def test_1_another_document_or_salt() -> None:
    proof = Forge().proof()
    other = canonical.encode({**ACT, "reason": "地址不苻"})
    refused_at(1, "act_mismatch", replace(proof, document=other))
    refused_at(1, "act_mismatch", replace(proof, salt=bytes(16)))


def test_1_an_entry_of_another_kind_or_type() -> None:
    forge = Forge()
    commitment = act_digest(SALT, forge.document)
    forge.entries[5] = anchor_entry("invoice", commitment)
    refused_at(1, "entry_kind", forge.proof())
    forge.entries[5] = act_entry("quota", commitment)
    refused_at(1, "act_type", forge.proof())


@pytest.mark.parametrize("name", BAD_DOCUMENTS)
def test_1_a_document_that_is_none(name: str) -> None:
    """The log committed to it, and it is no act all the same."""
    document = canonical.encode({**ACT, **BAD_DOCUMENTS[name]})
    code = "time_malformed" if "time" in name else "act_malformed"
    refused_at(1, code, Forge(document=document).proof())


@pytest.mark.parametrize("name", ["version", "type", "at", "by", "subject"])
def test_1_a_document_that_lacks_something(name: str) -> None:
    document = canonical.encode({key: said for key, said in ACT.items() if key != name})
    refused_at(1, "act_malformed", Forge(document=document).proof())


def test_2_signed_by_another() -> None:
    refused_at(2, "signature_missing", Forge(signer=SignerKey(ORIGIN, bytes(32))).proof())
    witness = Cosigner(SignerKey("witness.example/w1", bytes([1]) * 32)).verifier.text()
    policy = parse_policy(f"witness w {witness}\nquorum w\n".encode())
    with pytest.raises(Problem) as refused:
        check(Forge().proof(), policy=policy)
    assert refused.value.extra["step"] == 2


def test_3_and_4_a_path_that_leads_elsewhere() -> None:
    proof = Forge().proof()

    def bent(placed: Placed) -> Placed:
        return replace(placed, path=(ZERO, *placed.path[1:]))

    refused_at(3, "root_mismatch", replace(proof, placed=bent(proof.placed)))
    refused_at(4, "root_mismatch", replace(proof, seal=bent(proof.seal)))
    refused_at(3, "path_length", replace(proof, placed=replace(proof.placed, path=())))
    refused_at(4, "path_length", replace(proof, seal=replace(proof.seal, path=())))


def test_5_a_seal_that_is_not_the_newest() -> None:
    forge = Forge()
    forge.seal_index = 3
    refused_at(5, "seal_not_newest", forge.proof())
    forge.seal_index = 4
    refused_at(5, "seal_kind", forge.proof())
    forge = Forge()
    forge.entries[7] = seal_entry(2, ZERO, 4, 2, NOON)
    refused_at(5, "seal_place", forge.proof())


def test_which_files_say_that_they_are_one() -> None:
    data = Forge().proof().to_bytes()
    assert is_act_proof(data)
    assert is_act_proof(b'{"kind":"act"}')
    for other in (with_everything().to_bytes(), b"", b"[]", b'{"kind":1}', b"\xff", b"[" * 10_000):
        assert not is_act_proof(other)
    for other in (with_everything().to_bytes(), b"[]"):
        with pytest.raises(MalformedError, match=r"^proof_malformed\b"):
            parse_act_proof(other)


FILES: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "version": ("proof_version", lambda file: file.update(version=2)),
    "kind": ("proof_malformed", lambda file: file.update(kind="invoice")),
    "salt": ("proof_malformed", lambda file: file.update(salt="00" * 15)),
    "salt in capitals": ("proof_malformed", lambda file: file.update(salt="AB" * 16)),
    "no seal": ("proof_malformed", lambda file: file.pop("seal")),
    "more": ("proof_malformed", lambda file: file.update(state={})),
    "index below": ("proof_malformed", lambda file: file.update(index=-1)),
    "a short hash": ("proof_malformed", lambda file: file["path"].append("00")),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_another_form_are_refused(name: str) -> None:
    code, bend = FILES[name]
    file = json.loads(Forge().proof().to_bytes())
    bend(file)
    with pytest.raises(MalformedError) as refused:
        parse_act_proof(canonical.encode(file))
    assert refused.value.code == code
    assert "step" not in refused.value.extra


def test_a_file_that_is_too_long_is_not_read() -> None:
    data = Forge().proof().to_bytes()
    longest = data.ljust(MAX_PROOF_BYTES)
    with pytest.raises(MalformedError, match=r"^proof_too_long\b"):
        parse_act_proof(longest + b" ")
    with pytest.raises(MalformedError, match=r"^not_canonical\b"):
        parse_act_proof(longest)


GOOD = Forge().proof().to_bytes()


@given(st.data())
def test_a_changed_byte_is_refused(data: st.DataObject) -> None:
    bent = bytearray(GOOD)
    place = data.draw(st.integers(0, len(bent) - 1))
    bent[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Problem):
        verify_act_proof(parse_act_proof(bytes(bent)), KEY)


@given(st.data())
def test_a_cut_or_a_spliced_file_is_refused(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(GOOD) - 1))
    end = data.draw(st.integers(start, len(GOOD)))
    filling = data.draw(st.binary(max_size=8).filter(lambda some: some != GOOD[start:end]))
    with pytest.raises(Problem):
        verify_act_proof(parse_act_proof(GOOD[:start] + filling + GOOD[end:]), KEY)
