"""The proof file of an act, version 1: what was done, and that the log has an entry for it.

Canonical JSON {kind, version, salt, document, entry, index, path, checkpoint, seal}; ``kind`` is
"act", ``seal`` {entry, index, path} of the newest seal under the checkpoint. The document is
{version, type, at, by, subject, before, after, reason, previous}; what it does not say is absent.
``previous`` is the commitment to the last act about the same subject, so that a gap shows.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from chain.canonical import MAX_INTEGER, decode_canonical
from chain.commitment import SALT_SIZE, act_digest
from chain.entry import ActEntry, ActType, Count, Hex, parse_entry, parse_time
from chain.errors import ConflictError, MalformedError, VerificationError
from chain.hashing import Digest, digest_from_hex
from chain.proof.file import MAX_PROOF_BYTES, Placed, ProofSource, place
from chain.proof.verify import Step, check_newest, check_path, checked_step, open_cosigned
from chain.signing.keys import TrustedKeys
from chain.signing.policy import NO_WITNESSES, Policy

KIND: Final = "act"
VERSION: Final = 1

_Salt = Annotated[str, msgspec.Meta(pattern=rf"\A[0-9a-f]{{{2 * SALT_SIZE}}}\Z")]
_Whole = Annotated[int, msgspec.Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
_Word = Annotated[str, msgspec.Meta(min_length=1)]
_Said = Annotated[dict[str, _Whole | str], msgspec.Meta(min_length=1)]


class ActDocument(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """What an act says; ``at`` is UTC, ``by`` whoever acted (``key:7``), ``subject`` to whom.

    ``before`` and ``after`` are what it changed, ``previous`` the commitment to the act before.
    """

    version: Literal[1]
    type: ActType
    at: str
    by: _Word
    subject: _Word
    before: _Said | msgspec.UnsetType = msgspec.UNSET
    after: _Said | msgspec.UnsetType = msgspec.UNSET
    reason: _Word | msgspec.UnsetType = msgspec.UNSET
    previous: Hex | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class ActProof:
    """A proof file's content; ``document`` holds canonical bytes, ``salt`` 16 random ones."""

    salt: bytes
    document: bytes
    placed: Placed
    checkpoint: bytes
    seal: Placed

    def to_bytes(self) -> bytes:
        """The file: canonical JSON, as ``parse_act_proof`` reads it. Raises MalformedError."""
        data = _encoder.encode(_to_wire(self))
        parse_act_proof(data)  # what we write, others can read
        return data


@dataclass(frozen=True, slots=True)
class ActEvidence:
    """What a proof establishes: the log ``origin`` has the act as its entry ``index``.

    Under a checkpoint of ``size`` entries, which ends with block ``height``, sealed at
    ``sealed_at``. Later acts may have changed what this one did.
    """

    commitment: Digest
    document: ActDocument
    origin: str
    index: int
    height: int
    sealed_at: datetime
    size: int
    witnesses: tuple[str, ...]
    steps: tuple[Step, ...]


def build_act_proof(source: ProofSource, index: int, salt: bytes, document: bytes) -> ActProof:
    """Prove entry ``index`` under the latest checkpoint.

    ``salt`` and ``document`` are what the entry commits to; nothing here checks them.
    ConflictError ``not_published`` while the entry's block is not under a checkpoint yet.
    """
    checkpoint, note = source.latest_checkpoint()
    if source.block_of(index).size > checkpoint.size:
        raise ConflictError("not_published", "the entry's block is not published yet; try again")
    return ActProof(
        salt=salt,
        document=document,
        placed=place(source, index, checkpoint.size),
        checkpoint=note,
        seal=place(source, checkpoint.size - 1, checkpoint.size),
    )


def is_act_proof(data: bytes) -> bool:
    """Whether this says that it proves an act; it may be a bad one."""
    try:
        return msgspec.json.decode(data, type=_Kind).kind == KIND
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def parse_act_proof(data: bytes) -> ActProof:
    """Read a proof file; only its canonical bytes are accepted.

    Raises MalformedError: ``proof_too_long``, ``proof_version``, ``proof_malformed``, and those
    of ``canonical.decode_canonical``.
    """
    if len(data) > MAX_PROOF_BYTES:
        raise MalformedError("proof_too_long", f"a proof file has at most {MAX_PROOF_BYTES} bytes")
    value = decode_canonical(data)
    version = value.get("version") if isinstance(value, dict) else VERSION
    if type(version) is int and version != VERSION:
        raise MalformedError("proof_version", f"this reads version {VERSION} of an act's proof")
    try:
        wire = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise MalformedError("proof_malformed", f"not an act's proof: {error}") from error
    return ActProof(
        salt=bytes.fromhex(wire.salt),
        document=bytes(wire.document),  # a part of canonical bytes is canonical itself
        placed=_placed(wire.entry, wire.index, wire.path),
        checkpoint=wire.checkpoint.encode(),
        seal=_placed(wire.seal.entry, wire.seal.index, wire.seal.path),
    )


def verify_act_proof(
    proof: ActProof, log_key: TrustedKeys, policy: Policy = NO_WITNESSES
) -> ActEvidence:
    """Return what the proof establishes, or raise a Problem whose ``extra["step"]`` failed.

    1. salt and document hash to what the entry commits to, and the entry is of the act's type;
    2. the log signed the checkpoint, and the policy's witnesses cosigned it;
    3. the path leads from the entry to the checkpoint's root;
    4. the path leads from the seal to the same root;
    5. the seal is the last entry under the checkpoint.
    """
    steps: list[Step] = []
    with checked_step(steps, 1, "act", "the log entry commits to this act"):
        document, commitment = _check_entry(proof)
    with checked_step(steps, 2, "signature", "the log signed the checkpoint"):
        checkpoint, witnesses = open_cosigned(proof.checkpoint, log_key, policy)
    with checked_step(steps, 3, "inclusion", "the path leads from the entry to the root"):
        check_path(proof.placed, checkpoint)
    with checked_step(steps, 4, "seal", "the path leads from the seal to the root"):
        check_path(proof.seal, checkpoint)
    with checked_step(steps, 5, "newest", "the seal is the newest under the checkpoint"):
        seal = check_newest(proof.seal, checkpoint)
    return ActEvidence(
        commitment=commitment,
        document=document,
        origin=checkpoint.origin,
        index=proof.placed.index,
        height=seal.height,
        sealed_at=parse_time(seal.sealed_at),
        size=checkpoint.size,
        witnesses=witnesses,
        steps=tuple(steps),
    )


def _check_entry(proof: ActProof) -> tuple[ActDocument, Digest]:
    entry = parse_entry(proof.placed.entry)
    if not isinstance(entry, ActEntry):
        raise VerificationError("entry_kind", "this entry is no act")
    commitment = act_digest(proof.salt, proof.document)
    if commitment != digest_from_hex(entry.act):
        raise VerificationError("act_mismatch", "the entry commits to another act")
    document = read_document(proof.document)
    if document.type != entry.type:
        raise VerificationError("act_type", "entry and act are of different types")
    return document, commitment


def read_document(data: bytes) -> ActDocument:
    """Read an act's canonical document; MalformedError ``act_malformed``, ``time_malformed``."""
    try:
        document = _documents.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedError("act_malformed", f"not an act's document: {error}") from error
    parse_time(document.at)
    return document


class _Kind(msgspec.Struct):
    kind: str = ""


class _SealWire(msgspec.Struct, forbid_unknown_fields=True):
    entry: msgspec.Raw
    index: Count
    path: list[Hex]


class _ActWire(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["act"]
    version: Literal[1]
    salt: _Salt
    document: msgspec.Raw
    entry: msgspec.Raw
    index: Count
    path: list[Hex]
    checkpoint: str
    seal: _SealWire


_documents: Final = msgspec.json.Decoder(ActDocument)
_decoder: Final = msgspec.json.Decoder(_ActWire)
_encoder: Final = msgspec.json.Encoder(order="sorted")


def _to_wire(proof: ActProof) -> _ActWire:
    seal = proof.seal
    return _ActWire(
        kind="act",
        version=VERSION,
        salt=proof.salt.hex(),
        document=msgspec.Raw(proof.document),
        entry=msgspec.Raw(proof.placed.entry),
        index=proof.placed.index,
        path=[one.hex() for one in proof.placed.path],
        checkpoint=proof.checkpoint.decode(),
        seal=_SealWire(msgspec.Raw(seal.entry), seal.index, [one.hex() for one in seal.path]),
    )


def _placed(entry: msgspec.Raw, index: int, path: list[str]) -> Placed:
    return Placed(bytes(entry), index, tuple(map(digest_from_hex, path)))
