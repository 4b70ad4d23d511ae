"""A log's signature over the root of a checkpoint as COSE receipts need it (RFC 9942).

It is the same for every entry under the checkpoint, so the log makes it once, when it signs the
checkpoint, and it stands there as one more signature line: whoever has the checkpoint and a path
can put a receipt together, and needs no key for that. The line has the log's name, a key id of a
type of its own, and behind it the id of the log's key and the signature. Readers of notes that
do not know such lines pass over them.

The log's own key signs, no other one: what COSE signs begins with a byte that begins no text,
so neither signature can be taken for the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chain.hashing import Digest, sha256
from chain.signing import cbor
from chain.signing.checkpoint import Checkpoint
from chain.signing.note import SIGNATURE_SIZE, Note, NoteSigner, Signature, SignerKey, VerifierKey

RECEIPT_TYPE: Final = b"\xffrfc9942-rfc9162_sha256-eddsa"
"""Signature type of the line: the byte for types without a number, and a name."""

ALG, KID, CLAIMS, STRUCTURE, SIZE = 1, 4, 15, 395, -65_538
"""Labels of the protected header; the last one, of the range for private use, is ours."""

EDDSA: Final = -8
RFC9162_SHA256: Final = 1
ISSUER: Final = 1  # among the claims

_KEY_ID_SIZE: Final = 4


@dataclass(frozen=True, slots=True)
class SignedRoot:
    """The log ``origin`` signed the root of its tree of ``size``, with the key of that id."""

    origin: str
    key_id: bytes
    size: int
    signature: bytes


def protected_header(origin: str, key_id: bytes, size: int) -> bytes:
    """What is signed beside the root: algorithm, key, log, kind of tree, and size of the tree."""
    header: dict[int, cbor.Value] = {
        ALG: EDDSA,
        KID: key_id,
        CLAIMS: {ISSUER: origin},
        STRUCTURE: RFC9162_SHA256,
        SIZE: size,
    }
    return cbor.encode(header)


def signed_bytes(protected: bytes, root: Digest) -> bytes:
    """The ``Sig_structure`` of RFC 9052, section 4.4, over a detached root."""
    return cbor.encode(["Signature1", protected, b"", root])


@dataclass(frozen=True, slots=True)
class ReceiptSigner:
    """Signs checkpoints with a key of the log, for their receipts; a ``NoteSigner``."""

    signer: SignerKey

    @property
    def name(self) -> str:
        """The log's."""
        return self.signer.name

    @property
    def key_id(self) -> bytes:
        """Of the line, and not of the key."""
        return _line_id(self.signer.verifier)

    def sign(self, text: str) -> Signature:
        """Sign the checkpoint of that text; errors as ``Checkpoint.parse``."""
        checkpoint = Checkpoint.parse(text)
        own = self.signer.key_id
        protected = protected_header(checkpoint.origin, own, checkpoint.size)
        raw = self.signer.sign_structure(signed_bytes(protected, checkpoint.root))
        return Signature(self.name, self.key_id, own + raw)


def with_receipts(signers: Sequence[SignerKey]) -> tuple[NoteSigner, ...]:
    """The signers of a checkpoint, and what signs for receipts with each of their keys."""
    return (*signers, *map(ReceiptSigner, signers))


def signed_root(note: Note) -> SignedRoot | None:
    """The newest signature for receipts on a checkpoint's note, unchecked; None without one."""
    checkpoint = Checkpoint.parse(note.text)
    origin = checkpoint.origin
    own = {line.key_id for line in note.signatures if line.name == origin}
    for line in reversed(note.signatures):
        key_id, raw = line.payload[:_KEY_ID_SIZE], line.payload[_KEY_ID_SIZE:]
        if line.name == origin and len(raw) == SIGNATURE_SIZE and key_id in own:
            return SignedRoot(origin, key_id, checkpoint.size, raw)
    return None


def _line_id(key: VerifierKey) -> bytes:
    text = key.name.encode() + b"\n" + RECEIPT_TYPE + key.public
    return sha256(text)[:_KEY_ID_SIZE]
