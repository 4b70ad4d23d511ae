"""The proof file, version 1: all that is needed, beside the log's key, to check one document.

Canonical JSON {version, hash, groups, entry, index, path, checkpoint, seal, state}. A group is
{salt, document} when shown and {digest} when hidden. ``seal`` is {entry, index, path} of the
newest seal under the checkpoint. ``state`` is {leaf, siblings}, without ``leaf`` where the
state map's proof ends in an empty subtree. Reading checks the form; ``verify`` the content.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Protocol

import msgspec

from chain.block import Block
from chain.canonical import decode_canonical
from chain.commitment import (
    GROUPS,
    SALT_SIZE,
    anchor,
    group_digest,
    parse_password_area,
    password_area,
)
from chain.entry import Count, Hex
from chain.errors import ConflictError, MalformedError
from chain.hashing import Digest, digest_from_hex
from chain.signing.checkpoint import Checkpoint
from chain.tree.states import StateLeaf, StateProof

MAX_PROOF_BYTES: Final = 4 << 20
VERSION: Final = 1

_Salt = Annotated[str, msgspec.Meta(pattern=rf"\A[0-9a-f]{{{2 * SALT_SIZE}}}\Z")]


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """A group as it was frozen: its salt and the canonical bytes of its document."""

    salt: bytes
    document: bytes


@dataclass(frozen=True, slots=True)
class HiddenGroup:
    """A group of which only the digest is told."""

    digest: Digest


Group = ShownGroup | HiddenGroup


def digest_of_group(name: str, group: Group) -> Digest:
    """The group's digest, as told or made from what is shown; errors as ``group_digest``."""
    if isinstance(group, HiddenGroup):
        return group.digest
    return group_digest(name, group.salt, group.document)


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry's canonical bytes, its index, and its path to the checkpoint's root."""

    entry: bytes
    index: int
    path: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof file's content. ``document`` is the digest that the password area spells out.

    ``seal`` is the newest one under the checkpoint, whichever block the entry stands in:
    ``state`` is what the map said of the entry's anchor as of that block.
    """

    document: Digest
    groups: Mapping[str, Group]
    placed: Placed
    checkpoint: bytes
    seal: Placed
    state: StateProof

    def to_bytes(self) -> bytes:
        """The file: canonical JSON, as ``parse_proof`` reads it. Raises MalformedError."""
        data = _encoder.encode(_to_wire(self))
        parse_proof(data)  # what we write, others can read
        return data


def hidden_in(proof: Proof) -> tuple[str, ...]:
    """The names of the groups of which the proof tells only the digest."""
    return tuple(name for name in GROUPS if isinstance(proof.groups[name], HiddenGroup))


class ProofSource(Protocol):
    """What a proof needs of a log; ``chain.log.log.Log`` is one."""

    def latest_checkpoint(self) -> tuple[Checkpoint, bytes]:
        """The largest signed checkpoint and its note; NotFoundError ``no_checkpoint``."""
        ...

    def entry(self, index: int) -> bytes:
        """One entry's canonical bytes; NotFoundError ``no_entry``."""
        ...

    def block_of(self, index: int) -> Block:
        """The block in which entry ``index`` stands; NotFoundError ``no_block``."""
        ...

    def inclusion(self, index: int, size: int) -> list[Digest]:
        """The path from entry ``index`` to the root of a published ``size``."""
        ...

    def prove_state(self, key: Digest, size: int) -> StateProof:
        """What the state map said of ``key`` when the log had ``size`` entries."""
        ...


def build_proof(
    source: ProofSource, index: int, document: Digest, groups: Mapping[str, Group]
) -> Proof:
    """Prove entry ``index`` under the latest checkpoint.

    ``document`` and ``groups`` are what the entry commits to; nothing here checks them.
    ConflictError ``not_published`` while the entry's block is not under a checkpoint yet.
    """
    checkpoint, note = source.latest_checkpoint()
    block = source.block_of(index)
    if block.size > checkpoint.size:
        raise ConflictError("not_published", "the entry's block is not published yet; try again")
    return Proof(
        document=document,
        groups=groups,
        placed=place(source, index, checkpoint.size),
        checkpoint=note,
        # A checkpoint is signed at the end of a block, so the last entry under it is a seal.
        seal=place(source, checkpoint.size - 1, checkpoint.size),
        state=source.prove_state(anchor(document), checkpoint.size),
    )


def parse_proof(data: bytes) -> Proof:
    """Read a proof file; only its canonical bytes are accepted.

    Raises MalformedError: ``proof_too_long``, ``proof_version``, ``proof_malformed``,
    ``password_area``, and those of ``canonical.decode_canonical``.
    """
    if len(data) > MAX_PROOF_BYTES:
        raise MalformedError("proof_too_long", f"a proof file has at most {MAX_PROOF_BYTES} bytes")
    value = decode_canonical(data)
    version = value.get("version") if isinstance(value, dict) else VERSION
    if type(version) is int and version != VERSION:
        raise MalformedError("proof_version", f"this reads version {VERSION} of the proof file")
    try:
        wire = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise MalformedError("proof_malformed", f"not a proof file: {error}") from error
    return _from_wire(wire)


def place(source: ProofSource, index: int, size: int) -> Placed:
    """The entry with its path to the root of a published ``size``; errors as the source's."""
    return Placed(source.entry(index), index, tuple(source.inclusion(index, size)))


class _GroupWire(msgspec.Struct, forbid_unknown_fields=True):
    salt: _Salt | msgspec.UnsetType = msgspec.UNSET
    document: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    digest: Hex | msgspec.UnsetType = msgspec.UNSET


class _GroupsWire(msgspec.Struct, forbid_unknown_fields=True):
    face: _GroupWire
    buyer: _GroupWire
    lines: _GroupWire


class _LeafWire(msgspec.Struct, forbid_unknown_fields=True):
    key: Hex
    value: dict[str, str]


class _StateWire(msgspec.Struct, forbid_unknown_fields=True):
    siblings: list[Hex]
    leaf: _LeafWire | msgspec.UnsetType = msgspec.UNSET


class _SealWire(msgspec.Struct, forbid_unknown_fields=True):
    entry: msgspec.Raw
    index: Count
    path: list[Hex]


class _ProofWire(msgspec.Struct, forbid_unknown_fields=True):
    version: Literal[1]
    hash: str
    groups: _GroupsWire
    entry: msgspec.Raw
    index: Count
    path: list[Hex]
    checkpoint: str
    seal: _SealWire
    state: _StateWire


_decoder: Final = msgspec.json.Decoder(_ProofWire)
_encoder: Final = msgspec.json.Encoder(order="sorted")


def _to_wire(proof: Proof) -> _ProofWire:
    groups = {name: _group_to_wire(proof.groups[name]) for name in GROUPS}
    leaf = proof.state.leaf
    return _ProofWire(
        version=VERSION,
        hash=password_area(proof.document),
        groups=_GroupsWire(**groups),
        entry=msgspec.Raw(proof.placed.entry),
        index=proof.placed.index,
        path=_hexes(proof.placed.path),
        checkpoint=proof.checkpoint.decode(),
        seal=_SealWire(msgspec.Raw(proof.seal.entry), proof.seal.index, _hexes(proof.seal.path)),
        state=_StateWire(
            _hexes(proof.state.siblings),
            msgspec.UNSET if leaf is None else _LeafWire(leaf.key.hex(), leaf.value),
        ),
    )


def _from_wire(wire: _ProofWire) -> Proof:
    leaf = wire.state.leaf
    return Proof(
        document=parse_password_area(wire.hash),
        groups={name: _group_from_wire(name, getattr(wire.groups, name)) for name in GROUPS},
        placed=Placed(bytes(wire.entry), wire.index, _digests(wire.path)),
        checkpoint=wire.checkpoint.encode(),
        seal=Placed(bytes(wire.seal.entry), wire.seal.index, _digests(wire.seal.path)),
        state=StateProof(
            None if leaf is msgspec.UNSET else StateLeaf(digest_from_hex(leaf.key), leaf.value),
            _digests(wire.state.siblings),
        ),
    )


def _group_to_wire(group: Group) -> _GroupWire:
    if isinstance(group, HiddenGroup):
        return _GroupWire(digest=group.digest.hex())
    return _GroupWire(salt=group.salt.hex(), document=msgspec.Raw(group.document))


def _group_from_wire(name: str, wire: _GroupWire) -> Group:
    if wire.digest is not msgspec.UNSET:
        if wire.salt is msgspec.UNSET and wire.document is msgspec.UNSET:
            return HiddenGroup(digest_from_hex(wire.digest))
    elif wire.salt is not msgspec.UNSET and wire.document is not msgspec.UNSET:
        document = bytes(wire.document)  # a part of canonical bytes is canonical itself
        if document[:1] == (b"[" if name == "lines" else b"{"):
            return ShownGroup(bytes.fromhex(wire.salt), document)
    raise MalformedError(
        "proof_malformed",
        "a group is its salt and document, or its digest",
        pointer=f"/groups/{name}",
    )


def _hexes(digests: Sequence[Digest]) -> list[str]:
    return [digest.hex() for digest in digests]


def _digests(texts: Sequence[str]) -> tuple[Digest, ...]:
    return tuple(digest_from_hex(text) for text in texts)
