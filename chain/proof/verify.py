"""Checking a proof: bytes and a key in, evidence out. No store, no clock, no network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from chain.canonical import JsonValue, decode_canonical
from chain.commitment import (
    GROUPS,
    anchor,
    document_digest,
    parse_password_area,
    password_area,
)
from chain.entry import AnchorEntry, SealEntry, parse_entry, parse_time
from chain.errors import Problem, VerificationError
from chain.hashing import Digest, digest_from_hex, leaf_hash
from chain.proof.file import Placed, Proof, ShownGroup, digest_of_group
from chain.signing.checkpoint import Checkpoint, open_checkpoint
from chain.signing.keys import TrustedKeys, keys_of
from chain.signing.note import open_note
from chain.signing.policy import NO_WITNESSES, Policy
from chain.tree.merkle import verify_inclusion
from chain.tree.states import verify_state


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was checked, and held."""

    number: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a proof establishes.

    The document of password area ``hash`` is entry ``index`` of the log ``origin``, under a
    checkpoint of ``size`` entries, which ends with block ``height``, sealed at ``sealed_at``.
    ``state`` is what the state map said of it as of that block, None for nothing. ``reverses``
    is the anchor of the document that it reverses, ``reversal`` how far. ``shown`` holds the
    groups' documents.
    """

    hash: str
    anchor: Digest
    origin: str
    index: int
    height: int
    sealed_at: datetime
    size: int
    state: dict[str, str] | None
    reverses: Digest | None
    reversal: str | None
    shown: dict[str, JsonValue]
    hidden: tuple[str, ...]
    witnesses: tuple[str, ...]
    steps: tuple[Step, ...]


def verify_proof(proof: Proof, log_key: TrustedKeys, policy: Policy = NO_WITNESSES) -> Evidence:
    """Return what the proof establishes, or raise a Problem whose ``extra["step"]`` failed.

    1. the groups hash to the password area;
    2. the entry names that password area, and the same reversal as the face where it is shown;
    3. the log signed the checkpoint, and the policy's witnesses cosigned it;
    4. the path leads from the entry to the checkpoint's root;
    5. the path leads from the seal to the same root;
    6. the seal is the last entry under the checkpoint;
    7. the state map under the seal holds what the proof says of the document.
    """
    steps: list[Step] = []
    with checked_step(steps, 1, "groups", "the groups hash to the password area"):
        shown = _check_groups(proof)
    with checked_step(steps, 2, "entry", "the log entry names that password area"):
        entry = _check_entry(proof, shown.get("face"))
    with checked_step(steps, 3, "signature", "the log signed the checkpoint"):
        checkpoint, witnesses = open_cosigned(proof.checkpoint, log_key, policy)
    with checked_step(steps, 4, "inclusion", "the entry is under the checkpoint's root"):
        check_path(proof.placed, checkpoint)
    with checked_step(steps, 5, "seal", "the seal is under the same root"):
        check_path(proof.seal, checkpoint)
    with checked_step(steps, 6, "newest", "the seal is the newest under the checkpoint"):
        seal = check_newest(proof.seal, checkpoint)
    with checked_step(steps, 7, "state", "the state map as of that seal says this of the document"):
        state = _check_state(proof, seal)
    reverses, reversal = entry.reversed or (None, None)
    return Evidence(
        hash=password_area(proof.document),
        anchor=digest_from_hex(entry.anchor),
        origin=checkpoint.origin,
        index=proof.placed.index,
        height=seal.height,
        sealed_at=parse_time(seal.sealed_at),
        size=checkpoint.size,
        state=state,
        reverses=reverses,
        reversal=reversal,
        shown=shown,
        hidden=tuple(name for name in GROUPS if name not in shown),
        witnesses=witnesses,
        steps=tuple(steps),
    )


@contextmanager
def checked_step(steps: list[Step], number: int, name: str, text: str) -> Iterator[None]:
    """Note that the step held, or in what it raised that it is the one that failed."""
    try:
        yield
    except Problem as problem:
        problem.extra["step"] = number
        raise
    steps.append(Step(number, name, text))


def _check_groups(proof: Proof) -> dict[str, JsonValue]:
    """The shown groups' documents, once all three groups lead to the password area."""
    face, buyer, lines = (digest_of_group(name, proof.groups[name]) for name in GROUPS)
    if document_digest(face, buyer, lines) != proof.document:
        raise VerificationError("hash_mismatch", "the groups belong to another password area")
    return {
        name: decode_canonical(group.document)
        for name, group in proof.groups.items()
        if isinstance(group, ShownGroup)
    }


def _check_entry(proof: Proof, face: JsonValue | None) -> AnchorEntry:
    entry = parse_entry(proof.placed.entry)
    if not isinstance(entry, AnchorEntry):
        raise VerificationError("entry_kind", "this entry anchors nothing")
    if entry.anchor != anchor(proof.document).hex():
        raise VerificationError("anchor_mismatch", "the entry is of another password area")
    if isinstance(face, dict):
        _check_reversal(entry, face)
    return entry


def _check_reversal(entry: AnchorEntry, face: dict[str, JsonValue]) -> None:
    """The face and the entry reverse the same document, or neither reverses any."""
    said = face.get("reverses")
    expected = anchor(parse_password_area(said)) if isinstance(said, str) else said
    found = None if entry.reversed is None else entry.reversed[0]
    if found != expected:
        raise VerificationError("reversal_mismatch", "face and entry reverse different documents")


def open_cosigned(
    note: bytes, log_key: TrustedKeys, policy: Policy
) -> tuple[Checkpoint, tuple[str, ...]]:
    """The checkpoint and who cosigned it.

    Errors as ``open_checkpoint``, ``Policy.check_log``, ``Policy.cosigners``.
    """
    keys = keys_of(log_key)
    checkpoint = open_checkpoint(note, keys)
    policy.check_log(keys.verifiers)
    if not policy.witnesses:
        return checkpoint, ()
    known = [*keys.verifiers, *policy.witnesses]
    return checkpoint, policy.cosigners(open_note(note, known).signatures)


def check_path(placed: Placed, checkpoint: Checkpoint) -> None:
    """Check that the path leads to the checkpoint's root; errors as ``verify_inclusion``."""
    verify_inclusion(
        leaf_hash(placed.entry), placed.index, checkpoint.size, placed.path, checkpoint.root
    )


def check_newest(placed: Placed, checkpoint: Checkpoint) -> SealEntry:
    """Return the seal; an older one would hide what has happened since.

    Raises VerificationError ``seal_kind``, ``seal_place``, ``seal_not_newest``.
    """
    seal = parse_entry(placed.entry)
    if not isinstance(seal, SealEntry):
        raise VerificationError("seal_kind", "this entry seals nothing")
    if seal.index != placed.index:
        raise VerificationError("seal_place", "the seal does not stand right after its block")
    if seal.index != checkpoint.size - 1:
        raise VerificationError("seal_not_newest", "a newer seal stands under the checkpoint")
    return seal


def _check_state(proof: Proof, seal: SealEntry) -> dict[str, str] | None:
    root = digest_from_hex(seal.states)
    return verify_state(root, anchor(proof.document), proof.state.leaf, proof.state.siblings)
