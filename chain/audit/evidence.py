"""The evidence file: that a log has lied, for anyone to check.

Canonical JSON, of one of two kinds:

- ``fork``: {version, kind, checkpoints: [note, note], prefix?: {path, root}}. Two checkpoints
  that one log signed and that cannot both be true. Of one size, their roots differ. Of two
  sizes, ``path`` proves which ``root`` the larger tree had at the smaller size: another one.
- ``broken_promise``: {version, kind, promise, checkpoint}. A promise, and a checkpoint from
  after its time, in whose tree no block sealed by then has the anchor. That something is *not*
  in a log is seen in a complete copy of it alone, so a mirror is needed to check this kind.

A fork is of version 1, a broken promise of the version that its promise has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from chain.audit.fetch import FolderSource
from chain.audit.proven import ProvenTree
from chain.audit.sealed import SealChain
from chain.canonical import decode_canonical
from chain.entry import AnchorEntry, Hex, SealEntry, parse_time
from chain.errors import MalformedError, UnavailableError, VerificationError
from chain.hashing import Digest, digest_from_hex, leaf_hash
from chain.proof.promise import Promise, open_promise
from chain.signing.checkpoint import Checkpoint, open_checkpoint
from chain.signing.cosignature import checked_cosignatures
from chain.signing.keys import TrustedKeys
from chain.signing.note import VerifierKey
from chain.tree import merkle
from chain.tree.tiles import TILE_WIDTH

VERSION: Final = 1
"""Of a fork."""

PROMISE_VERSIONS: Final = (1, 2)
"""Of a broken promise."""

MAX_EVIDENCE_BYTES: Final = 1 << 22
"""Room for two notes of the largest size, as JSON."""


@dataclass(frozen=True, slots=True)
class Fork:
    """``origin`` signed ``one`` and ``other``, of which at most one is a tree of its log.

    ``found`` is the root that the tree of ``other`` has at the size of ``one``.
    """

    origin: str
    one: Checkpoint
    other: Checkpoint
    found: Digest


@dataclass(frozen=True, slots=True)
class BrokenPromise:
    """``origin`` promised the document ``hash`` by ``deadline``, and had it not in its log.

    ``seen_at``, after the deadline, is when ``witness`` cosigned the checkpoint of ``size``, or
    (None) what the log's own last seal says.
    """

    origin: str
    hash: str
    deadline: datetime
    size: int
    seen_at: datetime
    witness: str | None


class _Prefix(msgspec.Struct, forbid_unknown_fields=True):
    path: list[Hex]
    root: Hex


class _ForkWire(msgspec.Struct, tag_field="kind", tag="fork", forbid_unknown_fields=True):
    version: Literal[1]
    checkpoints: tuple[str, str]
    prefix: _Prefix | msgspec.UnsetType = msgspec.UNSET


class _PromiseWire(
    msgspec.Struct, tag_field="kind", tag="broken_promise", forbid_unknown_fields=True
):
    version: Literal[1, 2]
    promise: str
    checkpoint: str


_Wire = _ForkWire | _PromiseWire

_decoder: Final = msgspec.json.Decoder(_Wire)
_encoder: Final = msgspec.json.Encoder(order="sorted")


def is_evidence(data: bytes) -> bool:
    """Tell an evidence file, well made or not, from a proof file: only the former has a kind."""
    try:
        return msgspec.json.decode(data, type=_Kind).kind != ""
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


class _Kind(msgspec.Struct):
    kind: str = ""


def fork_evidence(
    one: bytes, other: bytes, tree: merkle.NodeReader | None, log_key: TrustedKeys
) -> bytes:
    """Return the evidence file over two checkpoints' notes; what it returns has been verified.

    ``tree`` is that of the larger one, needed unless the sizes are the same. Raises as
    ``verify_evidence``; ``no_fork`` when both can be true.
    """
    notes = sorted((one, other), key=lambda note: _order(open_checkpoint(note, log_key)))
    small, large = (open_checkpoint(note, log_key) for note in notes)
    prefix: _Prefix | msgspec.UnsetType = msgspec.UNSET
    if 0 < small.size < large.size:
        if tree is None:
            raise MalformedError("tree_missing", "the larger checkpoint's tree is needed")
        path = merkle.consistency_path(tree, small.size, large.size)
        found = merkle.root(tree, small.size)
        prefix = _Prefix([digest.hex() for digest in path], found.hex())
    texts = (notes[0].decode(), notes[1].decode())
    data = _encoder.encode(_ForkWire(VERSION, texts, prefix))
    verify_evidence(data, log_key)
    return data


def promise_evidence(
    promise: bytes,
    log_key: TrustedKeys,
    promise_key: VerifierKey,
    mirror: Path,
    witnesses: Sequence[VerifierKey] = (),
    checkpoint: bytes | None = None,
) -> bytes:
    """Return the evidence that the promise was broken, under the mirror's newest checkpoint.

    Or under ``checkpoint``: the same, say, with younger cosignatures.

    Raises as ``verify_evidence``: ``promise_kept``, and UnavailableError ``promise_not_due`` while
    that checkpoint is not from after the deadline.
    """
    version = open_promise(promise, promise_key).version  # it is good, so it can be decoded
    note = FolderSource(mirror).checkpoint() if checkpoint is None else checkpoint
    open_checkpoint(note, log_key)
    data = _encoder.encode(_PromiseWire(version, promise.decode(), note.decode()))
    verify_evidence(data, log_key, promise_key, mirror, witnesses)
    return data


def verify_evidence(
    data: bytes,
    log_key: TrustedKeys,
    promise_key: VerifierKey | None = None,
    mirror: Path | None = None,
    witnesses: Sequence[VerifierKey] = (),
) -> Fork | BrokenPromise:
    """Return what the file proves, or raise.

    1. the log signed what is said to be its checkpoints;
    2. (fork) they are of two sizes or two roots, the smaller first, and cannot both be true;
    3. (promise) the promise, of the file's version, is by the log's promise key, and the
       checkpoint from after its time: one of ``witnesses`` cosigned it then, or its last seal
       says so;
    4. (promise) ``mirror`` has the checkpoint's whole tree, whose seals and states follow from one
       another, and in none of its blocks that were sealed in time stands the anchor.

    Raises MalformedError ``evidence_malformed``, ``evidence_version`` and those of
    ``decode_canonical``; VerificationError ``no_fork``, ``promise_kept``, ``mirror_behind`` and
    those of each part; UnavailableError ``promise_not_due``, ``mirror_missing``.
    """
    wire = _parse(data)
    if isinstance(wire, _ForkWire):
        return _verify_fork(wire, log_key)
    if promise_key is None or mirror is None:
        detail = "a broken promise is checked with the promise key and a mirror of the log"
        raise UnavailableError("mirror_missing", detail)
    checkpoint = open_checkpoint(wire.checkpoint.encode(), log_key)
    promise = open_promise(wire.promise.encode(), promise_key)
    if promise.version != wire.version:
        raise MalformedError("evidence_malformed", "the promise is of another version")
    if promise.origin != checkpoint.origin:
        raise VerificationError("promise_of_another", "the promise is of another log")
    chain = _Absence(promise)
    chain.walk(checkpoint, mirror, log_key)
    return _broken(promise, checkpoint, chain, _cosigned(wire.checkpoint.encode(), witnesses))


def _parse(data: bytes) -> _Wire:
    if len(data) > MAX_EVIDENCE_BYTES:
        detail = f"an evidence file has at most {MAX_EVIDENCE_BYTES} bytes"
        raise MalformedError("evidence_malformed", detail)
    value = decode_canonical(data)
    said = value if isinstance(value, dict) else {}
    version = said.get("version")
    known = (VERSION,) if said.get("kind") == "fork" else PROMISE_VERSIONS
    if type(version) is int and version not in known:
        raise MalformedError("evidence_version", "this version of evidence files is not read here")
    try:
        wire: _Wire = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise MalformedError("evidence_malformed", f"not an evidence file: {error}") from error
    return wire


def _verify_fork(wire: _ForkWire, log_key: TrustedKeys) -> Fork:
    one, other = (open_checkpoint(note.encode(), log_key) for note in wire.checkpoints)
    if _order(one) > _order(other):
        raise MalformedError("evidence_malformed", "the smaller checkpoint comes first")
    needed = 0 < one.size < other.size
    if needed != (wire.prefix is not msgspec.UNSET):
        raise MalformedError("evidence_malformed", "a prefix stands between two sizes, only there")
    found = other.root
    if wire.prefix is not msgspec.UNSET:
        found = digest_from_hex(wire.prefix.root)
        path = [digest_from_hex(text) for text in wire.prefix.path]
        # What leads to the signed root of the larger tree are that tree's own nodes, so `found`
        # is the only root that it can have had at the smaller size.
        merkle.verify_consistency(one.size, found, other.size, other.root, path)
    if one.size == 0 or found == one.root:
        raise VerificationError("no_fork", "both checkpoints can be true")
    return Fork(one.origin, one, other, found)


def _order(checkpoint: Checkpoint) -> tuple[int, bytes]:
    return checkpoint.size, checkpoint.root


class _Absence:
    """Reads a mirror's entries, looking for one anchor in the blocks sealed in time."""

    def __init__(self, promise: Promise) -> None:
        self.kept_in: int | None = None
        self.last_seal: datetime | None = None
        self._promise = promise
        self._seen = False

    def walk(self, checkpoint: Checkpoint, mirror: Path, log_key: TrustedKeys) -> None:
        """Read all entries under ``checkpoint``; all of them are checked."""
        tree = open_mirror(mirror, log_key)
        size = checkpoint.size
        if tree.checkpoint.size < size:
            raise VerificationError("mirror_behind", "the mirror is shorter than the checkpoint")
        if size and merkle.root(tree, size) != checkpoint.root:
            raise VerificationError("root_mismatch", "the mirror is of another history")
        chain = SealChain()
        for n in range(-(-size // TILE_WIDTH)):
            for entry in tree.entries(n)[: size - n * TILE_WIDTH]:
                self._look(chain, entry)
        chain.finish()

    def _look(self, chain: SealChain, data: bytes) -> None:
        entry = chain.add(data, leaf_hash(data))
        if isinstance(entry, AnchorEntry):
            self._seen |= entry.anchor == self._promise.anchor.hex()
        elif isinstance(entry, SealEntry):
            self.last_seal = parse_time(entry.sealed_at)
            if self._seen and self.kept_in is None and self.last_seal <= self._promise.deadline:
                self.kept_in = entry.height
            self._seen = False


def open_mirror(folder: Path, log_key: TrustedKeys) -> ProvenTree:
    """Return the tree that a mirror, or a log's own folder, publishes."""
    source = FolderSource(folder)
    return ProvenTree(open_checkpoint(source.checkpoint(), log_key), source)


def _cosigned(note: bytes, witnesses: Sequence[VerifierKey]) -> dict[str, datetime]:
    found = checked_cosignatures(note, witnesses) if witnesses else {}
    times = {key.name: signature.timestamp for key, signature in found.items()}
    try:
        return {name: datetime.fromtimestamp(time, UTC) for name, time in times.items() if time}
    except (OverflowError, ValueError, OSError):
        raise MalformedError("cosignature_time", "no calendar has this time") from None


def _broken(
    promise: Promise, checkpoint: Checkpoint, chain: _Absence, cosigned: dict[str, datetime]
) -> BrokenPromise:
    if chain.kept_in is not None:
        raise VerificationError(
            "promise_kept", f"it stands in block {chain.kept_in}", block=chain.kept_in
        )
    later: list[tuple[datetime, str | None]] = [
        (time, name) for name, time in cosigned.items() if time > promise.deadline
    ]
    if chain.last_seal is not None and chain.last_seal > promise.deadline:
        later.append((chain.last_seal, None))
    if not later:
        detail = "nothing shows that the checkpoint is from after the deadline"
        raise UnavailableError("promise_not_due", detail)
    seen_at, witness = later[0]
    return BrokenPromise(
        promise.origin, promise.hash, promise.deadline, checkpoint.size, seen_at, witness
    )
