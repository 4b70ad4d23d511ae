"""The verifier: one test for each step that breaks only that step, then every bend there is."""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from hypothesis import given
from hypothesis import strategies as st

from chain import canonical
from chain.commitment import anchor, password_area
from chain.entry import anchor_entry, lock_entry, seal_entry
from chain.errors import MalformedError, Problem, VerificationError
from chain.hashing import ZERO, Digest, leaf_hash, sha256
from chain.proof.file import HiddenGroup, Placed, Proof, ShownGroup, parse_proof
from chain.proof.verify import Evidence, Step, verify_proof
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.note import COSIGNATURE_V1, Note, Signature, SignerKey, VerifierKey, parse_note
from chain.signing.policy import Policy
from chain.tree.states import StateLeaf, StateProof, state_leaf_hash, state_node_hash
from tests.chain.books import DOCUMENTS, NOON, ORIGIN, SIGNER, prove_one, shown
from tests.chain.forged import BLUE, Forge, hide, with_everything

Json = Any  # whatever the json module gives

KEY = SIGNER.verifier


def check(proof: Proof, key: VerifierKey = KEY, policy: Policy | None = None) -> Evidence:
    """Verify the file, as a stranger would: from its bytes."""
    read = parse_proof(proof.to_bytes())
    return verify_proof(read, key) if policy is None else verify_proof(read, key, policy)


def refused_at(step: int, code: str, proof: Proof, **how: Any) -> None:  # noqa: ANN401  # handed on
    """The proof fails at this step, for this reason."""
    with pytest.raises(Problem) as refused:
        check(proof, **how)
    assert (refused.value.extra.get("step"), refused.value.code) == (step, code)


# What holds


def test_what_a_good_proof_establishes(tmp_path: Path) -> None:
    proof = prove_one(tmp_path)
    assert check(proof) == Evidence(
        hash=password_area(proof.document),
        anchor=anchor(proof.document),
        origin=ORIGIN,
        index=7,
        height=3,
        sealed_at=datetime(2026, 11, 21, 4, 1, tzinfo=UTC),
        size=15,
        state=None,
        reverses=None,
        reversal=None,
        shown={group: json.loads(document) for group, document in DOCUMENTS.items()},
        hidden=(),
        witnesses=(),
        steps=(
            Step(1, "groups", "the groups hash to the password area"),
            Step(2, "entry", "the log entry names that password area"),
            Step(3, "signature", "the log signed the checkpoint"),
            Step(4, "inclusion", "the entry is under the checkpoint's root"),
            Step(5, "seal", "the seal is under the same root"),
            Step(6, "newest", "the seal is the newest under the checkpoint"),
            Step(7, "state", "the state map as of that seal says this of the document"),
        ),
    )


def test_what_a_reversing_proof_establishes(tmp_path: Path) -> None:
    evidence = check(prove_one(tmp_path, reverses=BLUE))
    assert (evidence.reverses, evidence.reversal) == (anchor(BLUE), "full")


@pytest.mark.parametrize("hidden", [("buyer",), ("face", "lines"), ("face", "buyer", "lines")])
def test_hidden_groups_are_named_and_not_shown(hidden: tuple[str, ...]) -> None:
    proof = Forge().proof()
    evidence = check(replace(proof, groups={**proof.groups, **hide(proof, hidden)}))
    assert evidence.hidden == hidden
    assert set(evidence.shown) == set(DOCUMENTS) - set(hidden)


def test_a_state_under_the_seal_is_told() -> None:
    me = anchor(Forge().document)
    leaf = StateLeaf(me, {"reimbursement": "locked", "reversal": "part"})
    alone = Forge(states=state_leaf_hash(leaf), state=StateProof(leaf))
    assert check(alone.proof()).state == {"reimbursement": "locked", "reversal": "part"}


def test_absence_beside_others_is_told() -> None:
    me = anchor(Forge().document)
    left = StateLeaf(Digest(bytes([me[0] ^ 0x80]) + me[1:]), {"pledge": "pledged"})
    pair = [state_leaf_hash(left), ZERO][:: 1 if me[0] & 0x80 else -1]
    root = state_node_hash(*pair)
    forge = Forge(states=root, state=StateProof(None, (state_leaf_hash(left),)))
    assert check(forge.proof()).state is None


@pytest.mark.parametrize("index", [0, 6, 9])
def test_any_entry_before_the_newest_seal_may_be_proved(index: int) -> None:
    forge = Forge(index=index)
    forge.entries[index] = forge.mine()
    assert check(forge.proof()).index == index


# Each step, and only that step


def test_step_1_groups_of_another_password_area() -> None:
    groups = {**shown(), "buyer": ShownGroup(bytes(16), b"{}")}
    refused_at(1, "hash_mismatch", replace(Forge().proof(), groups=groups))


def test_step_1_hidden_group_of_another_password_area() -> None:
    groups = {**shown(), "buyer": HiddenGroup(ZERO)}
    refused_at(1, "hash_mismatch", replace(Forge().proof(), groups=groups))


def test_step_1_groups_that_changed_places() -> None:
    groups = shown()
    groups["face"], groups["buyer"] = groups["buyer"], groups["face"]
    refused_at(1, "hash_mismatch", replace(Forge().proof(), groups=groups))


def test_step_2_the_entry_of_another_document() -> None:
    refused_at(2, "anchor_mismatch", Forge(index=4).proof())


def test_step_2_an_entry_that_anchors_nothing() -> None:
    forge = Forge()
    forge.entries[5] = lock_entry("reimbursement", anchor(forge.document), "locked", ZERO)
    refused_at(2, "entry_kind", forge.proof())


@pytest.mark.parametrize(
    ("said", "entered"),
    [(None, BLUE), (BLUE, None), (BLUE, sha256(b"another"))],
    ids=["only the entry", "only the face", "different ones"],
)
def test_step_2_face_and_entry_that_disagree_on_a_reversal(
    said: Digest | None, entered: Digest | None
) -> None:
    face = {} if said is None else {"reverses": password_area(said)}
    forge = Forge(groups=shown(DOCUMENTS | {"face": canonical.encode(face)}))
    forge.entries[5] = anchor_entry(
        "invoice",
        anchor(forge.document),
        reverses=None if entered is None else anchor(entered),
        reversal=None if entered is None else "full",
    )
    refused_at(2, "reversal_mismatch", forge.proof())


@pytest.mark.parametrize("said", [1, True, {}, []])
def test_step_2_a_face_that_reverses_no_hash(said: object) -> None:
    face = canonical.encode({"reverses": said})
    refused_at(2, "reversal_mismatch", Forge(groups=shown(DOCUMENTS | {"face": face})).proof())


def test_step_2_a_face_that_reverses_no_password_area() -> None:
    face = canonical.encode({"reverses": "01"})
    refused_at(2, "password_area", Forge(groups=shown(DOCUMENTS | {"face": face})).proof())


def test_step_3_a_checkpoint_of_another_key() -> None:
    forge = Forge(signer=SignerKey(ORIGIN, bytes(32)))
    refused_at(3, "signature_missing", forge.proof())


def test_step_3_a_checkpoint_that_was_changed_after_signing() -> None:
    forge = Forge()
    proof = forge.proof()
    forge.entries.append(forge.mine())
    longer = parse_note(Forge().note()).signatures
    note = Note(parse_note(forge.note()).text, longer).to_bytes()
    refused_at(3, "signature", replace(proof, checkpoint=note))


def test_step_3_a_checkpoint_of_another_log_with_this_key() -> None:
    forge = Forge()
    checkpoint = Checkpoint("other.example/log", len(forge.entries), ZERO)
    note = sign_checkpoint(checkpoint, SIGNER)
    refused_at(3, "origin_mismatch", replace(forge.proof(), checkpoint=note))


def test_step_3_what_is_no_note() -> None:
    refused_at(3, "note", replace(Forge().proof(), checkpoint=b"x"))


def test_step_3_what_is_a_note_and_no_checkpoint() -> None:
    note = Note("x\n", (SIGNER.sign("x\n"),)).to_bytes()
    refused_at(3, "checkpoint", replace(Forge().proof(), checkpoint=note))


def test_step_3_a_key_of_another_type() -> None:
    witness = VerifierKey(ORIGIN, COSIGNATURE_V1, KEY.public)
    refused_at(3, "key_type", Forge().proof(), key=witness)


def test_step_4_a_path_to_another_root() -> None:
    proof = Forge().proof()
    path = (sha256(b"bent"), *proof.placed.path[1:])
    refused_at(4, "root_mismatch", replace(proof, placed=replace(proof.placed, path=path)))


def test_step_4_another_index() -> None:
    proof = Forge().proof()
    refused_at(4, "root_mismatch", replace(proof, placed=replace(proof.placed, index=4)))


def test_step_4_an_index_beyond_the_tree() -> None:
    proof = Forge().proof()
    refused_at(4, "index_outside", replace(proof, placed=replace(proof.placed, index=11)))


def test_step_4_an_entry_that_is_not_in_the_log() -> None:
    forge = Forge()
    note = forge.note()
    forge.entries[6] = forge.entries[5]  # in another tree it stands next to its own place
    forge.index = 6
    refused_at(4, "root_mismatch", replace(forge.proof(), checkpoint=note))


def test_step_5_a_seals_path_to_another_root() -> None:
    proof = Forge().proof()
    path = (sha256(b"bent"), *proof.seal.path[1:])
    refused_at(5, "root_mismatch", replace(proof, seal=replace(proof.seal, path=path)))


def test_step_5_a_seal_that_is_not_in_the_log() -> None:
    proof = Forge().proof()
    other = seal_entry(3, ZERO, 8, 2, NOON)
    refused_at(5, "root_mismatch", replace(proof, seal=replace(proof.seal, entry=other)))


@pytest.mark.parametrize("seal_index", [3, 7], ids=["before the entry", "of its block"])
def test_step_6_an_older_seal(seal_index: int) -> None:
    """It would say what was true of the document once."""
    refused_at(6, "seal_not_newest", Forge(seal_index=seal_index).proof())


def test_step_6_a_seal_over_itself() -> None:
    """A log that lies: its seal counts one entry more than stands before it."""
    forge = Forge()
    forge.entries[10] = seal_entry(3, leaf_hash(forge.entries[7]), 8, 3, NOON)
    refused_at(6, "seal_place", forge.proof())


def test_step_6_the_entry_itself_as_its_seal() -> None:
    refused_at(6, "seal_kind", Forge(seal_index=6).proof())


def test_step_7_a_state_that_the_seal_does_not_know() -> None:
    leaf = StateLeaf(anchor(Forge().document), {"reversal": "full"})
    refused_at(7, "state_root", Forge(state=StateProof(leaf)).proof())


def test_step_7_an_absence_that_the_seal_does_not_know() -> None:
    leaf = StateLeaf(anchor(Forge().document), {"reversal": "full"})
    refused_at(7, "state_root", Forge(states=state_leaf_hash(leaf)).proof())


# Witnesses


WITNESSES = [SignerKey(f"witness-{n}.example", bytes([n]) * 32) for n in range(1, 4)]


def _public(witness: SignerKey) -> VerifierKey:
    return VerifierKey(witness.name, COSIGNATURE_V1, witness.verifier.public)


def _cosign(note: bytes, number: int) -> bytes:
    """The note with the cosignature of a witness, made by the definition."""
    opened, time = parse_note(note), 1_800_000_000 + number
    secret = ECC.construct(curve="Ed25519", seed=bytes([number]) * 32)
    message = f"cosignature/v1\ntime {time}\n{opened.text}".encode()
    payload = time.to_bytes(8, "big") + eddsa.new(secret, "rfc8032").sign(message)
    key = _public(WITNESSES[number - 1])
    signature = Signature(key.name, key.key_id, payload)
    return Note(opened.text, (*opened.signatures, signature)).to_bytes()


def _cosigned(*numbers: int) -> Proof:
    proof = Forge().proof()
    for number in numbers:
        proof = replace(proof, checkpoint=_cosign(proof.checkpoint, number))
    return proof


@pytest.mark.parametrize(
    ("numbers", "quorum"), [((1, 2), 2), ((3,), 1), ((1, 2, 3), 3), ((), 0), ((2,), 0)]
)
def test_enough_witnesses(numbers: tuple[int, ...], quorum: int) -> None:
    policy = Policy(tuple(map(_public, WITNESSES)), quorum)
    evidence = check(_cosigned(*numbers), policy=policy)
    assert evidence.witnesses == tuple(f"witness-{number}.example" for number in numbers)


@pytest.mark.parametrize(("numbers", "quorum"), [((), 1), ((1,), 2), ((1, 1), 2), ((1, 2), 3)])
def test_step_3_too_few_witnesses(numbers: tuple[int, ...], quorum: int) -> None:
    policy = Policy(tuple(map(_public, WITNESSES)), quorum)
    refused_at(3, "quorum", _cosigned(*numbers), policy=policy)


def test_step_3_witnesses_do_not_replace_the_log() -> None:
    proof = Forge(signer=SignerKey(ORIGIN, bytes(32))).proof()
    proof = replace(proof, checkpoint=_cosign(proof.checkpoint, 1))
    policy = Policy((_public(WITNESSES[0]),), 1)
    refused_at(3, "signature_missing", proof, policy=policy)


def test_step_3_a_witness_whose_signature_fails() -> None:
    proof = _cosigned(1)
    opened = parse_note(proof.checkpoint)
    bad = replace(opened.signatures[1], payload=bytes(72))
    note = replace(opened, signatures=(opened.signatures[0], bad)).to_bytes()
    policy = Policy((_public(WITNESSES[0]),), 1)
    refused_at(3, "signature", replace(proof, checkpoint=note), policy=policy)


def test_a_policy_that_makes_no_sense_is_refused() -> None:
    one, two = map(_public, WITNESSES[:2])
    again = VerifierKey("other-name.example", COSIGNATURE_V1, one.public)
    for witnesses, quorum in [((one,), 2), ((one,), -1), ((one, again), 1), ((KEY, two), 1)]:
        with pytest.raises(MalformedError, match=r"^policy\b"):
            Policy(witnesses, quorum)


# Every bend


def _places(content: Json, where: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of every value in a JSON document, the containers included."""
    if where:
        yield where
    if isinstance(content, dict | list):
        inside = content.items() if isinstance(content, dict) else enumerate(content)
        for step, value in inside:
            yield from _places(value, (*where, step))


def _bends(value: Json) -> list[Json]:
    """Other values of any type, and small changes of the same one."""
    bends: list[Json] = [0, 1, "", "0" * 64, False, {}, [], {"a": 1}, ["0" * 64], -1, 2**53 - 1]
    if type(value) is int:
        bends += [value + 1, value - 1, -value, str(value), [value]]
    if isinstance(value, str):
        bends += [value[:-1], value + "0", value[1:] + value[:1], value.upper(), value + "\n"]
        bends += [value.replace(a, b, 1) for a, b in ("01", "10", "ab", "ea", "Qw", "Ax")]
    if isinstance(value, list):
        bends += [value[:-1], value[1:], value[::-1], [*value, "0" * 64], value * 2]
    if isinstance(value, dict):
        bends += [
            value | {"x": 1},
            *({k: v for k, v in value.items() if k != key} for key in value),
        ]
    return [bend for bend in bends if bend != value or type(bend) is not type(value)]


def _bent(content: Json, where: Sequence[str | int], value: Json) -> bytes:
    bent = copy.deepcopy(content)
    inner = bent
    for step in where[:-1]:
        inner = inner[step]
    inner[where[-1]] = value
    return rfc8785.dumps(bent)


def _believed(bent: bytes, where: Sequence[str | int], bend: Json) -> None:
    verify_proof(parse_proof(bent), KEY)
    pytest.fail(f"{where} bent to {bend!r} was believed")


@pytest.mark.parametrize("make", [lambda: Forge().proof(), with_everything], ids=["plain", "all"])
def test_every_bend_of_every_field_is_refused(make: Callable[[], Proof]) -> None:
    good = make()
    check(good)
    content = json.loads(good.to_bytes())
    tried = 0
    for where in _places(content):
        value = content
        for step in where:
            value = value[step]
        for bend in _bends(value):
            tried += 1
            bent = _bent(content, where, bend)
            with pytest.raises(Problem):
                _believed(bent, where, bend)
    assert tried > 500


EVERYTHING = with_everything().to_bytes()


@given(st.data())
def test_a_changed_byte_is_refused(data: st.DataObject) -> None:
    bent = bytearray(EVERYTHING)
    place = data.draw(st.integers(0, len(bent) - 1))
    bent[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Problem):
        verify_proof(parse_proof(bytes(bent)), KEY)


@given(st.data())
def test_a_cut_or_a_spliced_file_is_refused(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(EVERYTHING) - 1))
    end = data.draw(st.integers(start, len(EVERYTHING)))
    filling = data.draw(st.binary(max_size=8).filter(lambda some: some != EVERYTHING[start:end]))
    with pytest.raises(Problem):
        verify_proof(parse_proof(EVERYTHING[:start] + filling + EVERYTHING[end:]), KEY)


def test_paths_of_another_length_are_refused() -> None:
    proof = Forge().proof()
    for path in (proof.placed.path[:-1], (*proof.placed.path, ZERO), ()):
        with pytest.raises(VerificationError):
            check(replace(proof, placed=Placed(proof.placed.entry, 5, path)))
