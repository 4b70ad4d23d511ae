"""That an entry is in a log, in the form other people's programs read: C2SP tlog-proof, version 1.

``extra`` is authenticated by nobody, so verifying does not read it: who verifies brings the
entry's own bytes. What we write there is the entry itself, for readers that cannot make it; it
counts only by having the leaf hash that the path proves.
"""

import base64
import binascii
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from chain.commitment import anchor
from chain.entry import AnchorEntry, anchor_entry, parse_entry
from chain.errors import MalformedError
from chain.hashing import Digest, leaf_hash, to_digest
from chain.proof.file import Proof
from chain.proof.verify import open_cosigned
from chain.signing.checkpoint import Checkpoint
from chain.signing.keys import TrustedKeys
from chain.signing.note import MAX_NOTE_SIZE, parse_note
from chain.signing.policy import NO_WITNESSES, Policy
from chain.tree.merkle import MAX_SIZE, verify_inclusion

HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_EXTRA: Final = 65_535
"""In bytes; the longest entry that a bundle of tiles can hold."""

MAX_PATH: Final = 63
MAX_TLOG_PROOF: Final = MAX_NOTE_SIZE + 100_000
"""In bytes; a note, and room for the longest extra data and path."""

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class TlogProof:
    """An entry's index, the path from its leaf's sibling upwards, and the checkpoint's note."""

    index: int
    path: tuple[Digest, ...]
    checkpoint: bytes
    extra: bytes = b""

    def to_bytes(self) -> bytes:
        """The file, as ``parse_tlog_proof`` reads it. Raises MalformedError."""
        data = _format(self)
        parse_tlog_proof(data)  # what we write, others can read
        return data


@dataclass(frozen=True, slots=True)
class Logged:
    """What a tlog-proof establishes: entry ``index`` is under ``checkpoint``, seen by these."""

    checkpoint: Checkpoint
    index: int
    witnesses: tuple[str, ...]


def tlog_proof_of(proof: Proof) -> TlogProof:
    """The part of a proof file that says that its entry is in the log; the entry as ``extra``."""
    placed = proof.placed
    return TlogProof(placed.index, placed.path, proof.checkpoint, extra=placed.entry)


def parse_tlog_proof(data: bytes) -> TlogProof:
    """Take a tlog-proof apart without believing it; only one spelling is read.

    Raises MalformedError: ``tlog_proof_too_long``, ``tlog_proof``, and ``note`` for a checkpoint
    that is no signed note.
    """
    if len(data) > MAX_TLOG_PROOF:
        raise MalformedError(
            "tlog_proof_too_long", f"a tlog-proof has at most {MAX_TLOG_PROOF} bytes"
        )
    # The first empty line ends the proof's own lines; the checkpoint has another one, later.
    head, gap, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise _malformed("its first lines are not ASCII") from None
    if lines.pop(0) != HEADER:
        raise _malformed(f"it does not begin with {HEADER}")
    if not gap:
        raise _malformed("no empty line leads to its checkpoint")
    parse_note(checkpoint)
    extra = _extra(lines.pop(0)) if lines and lines[0].startswith("extra") else b""
    proof = TlogProof(_index(lines), _path(lines[1:]), checkpoint, extra)
    if _format(proof) != data:
        raise _malformed("it is spelled otherwise than the format says")
    return proof


def entry_of(proof: TlogProof, document: Digest) -> bytes:
    """Return the entry that anchors ``document``, as its holder can make it.

    That of a document that reverses another also says which and how far: where ``proof.extra``
    is an entry with the document's own anchor, it is taken as a copy, for the path to prove.
    """
    own = anchor(document)
    with suppress(MalformedError):
        copy = parse_entry(proof.extra)
        if isinstance(copy, AnchorEntry) and copy.anchor == own.hex():
            return proof.extra
    return anchor_entry("invoice", own)


def verify_tlog_proof(
    proof: TlogProof, entry: bytes, log_key: TrustedKeys, policy: Policy = NO_WITNESSES
) -> Logged:
    """Return what the proof establishes of ``entry``, or raise VerificationError.

    1. the log signed the checkpoint, and the policy's witnesses cosigned it;
    2. the path leads from this entry at this index to the checkpoint's root.

    ``entry`` must be known from elsewhere, or be held against what is: ``proof.extra`` may hold
    anything, and is not looked at. Errors as ``open_checkpoint`` and ``verify_inclusion``.
    """
    checkpoint, witnesses = open_cosigned(proof.checkpoint, log_key, policy)
    leaf = leaf_hash(entry)
    verify_inclusion(leaf, proof.index, checkpoint.size, proof.path, checkpoint.root)
    return Logged(checkpoint, proof.index, witnesses)


def _format(proof: TlogProof) -> bytes:
    extra = [f"extra {_to_base64(proof.extra)}"] if proof.extra else []
    lines = [HEADER, *extra, f"index {proof.index}", *map(_to_base64, proof.path), "", ""]
    return "\n".join(lines).encode() + proof.checkpoint


def _extra(line: str) -> bytes:
    raw = _from_base64(line.removeprefix("extra "))
    if not raw:  # without extra data there is no such line
        raise _malformed("its extra data is empty")
    if len(raw) > MAX_EXTRA:
        raise _malformed(f"its extra data is longer than {MAX_EXTRA} bytes")
    return raw


def _index(lines: list[str]) -> int:
    text = lines[0].removeprefix("index ") if lines else ""
    if not _INDEX.fullmatch(text) or int(text) >= MAX_SIZE:
        raise _malformed("it has no line with the entry's index")
    return int(text)


def _path(lines: list[str]) -> tuple[Digest, ...]:
    if len(lines) > MAX_PATH:
        raise _malformed(f"its path has more than {MAX_PATH} hashes")
    try:
        return tuple(to_digest(_from_base64(line)) for line in lines)
    except MalformedError as error:
        raise _malformed("a line of its path is not a hash") from error


def _to_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text)  # leniently: ``parse_tlog_proof`` compares
    except (binascii.Error, ValueError):
        raise _malformed("a line is not base64") from None


def _malformed(why: str) -> MalformedError:
    return MalformedError("tlog_proof", f"this is not a tlog-proof: {why}")
