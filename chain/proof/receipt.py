"""That an entry is in a log, as a COSE receipt of inclusion: RFC 9942, structure RFC9162_SHA256.

A COSE_Sign1 over the root of the tree, which is left out: whoever has the entry makes it from
the path. The log signs it once a checkpoint (``chain.signing.receipt``), so a receipt is that
signature and a path, and is put together without any key.

The size of the tree stands twice. In the path, as the RFC has it, it is signed by nobody; in the
protected header, under a label of ours, it is, and only that one is believed. An entry that
reverses another cannot be made from its document's digest alone: what is missing of it stands in
the unprotected header, for the path to prove, as ``extra`` of a tlog-proof does.
"""

from dataclasses import dataclass
from typing import Final

from chain.commitment import anchor
from chain.entry import AnchorEntry, Reversal, anchor_entry, parse_entry
from chain.errors import ConflictError, MalformedError, VerificationError
from chain.hashing import Digest, leaf_hash, to_digest
from chain.proof.file import Proof
from chain.proof.tlogproof import MAX_PATH, Logged
from chain.signing import cbor
from chain.signing.checkpoint import Checkpoint
from chain.signing.keys import TrustedKeys, keys_of
from chain.signing.note import SIGNATURE_SIZE, Signature, is_key_name, parse_note
from chain.signing.receipt import (
    CLAIMS,
    ISSUER,
    KID,
    SIZE,
    SignedRoot,
    protected_header,
    signed_bytes,
    signed_root,
)
from chain.tree.merkle import MAX_SIZE, inclusion_root

BEGINNING: Final = b"\xd2\x84"
"""How a receipt begins: a COSE_Sign1 with its tag."""

MAX_RECEIPT: Final = 4096
"""In bytes; the longest path and name leave half of it."""

_SIGN1: Final = 18
_PROOFS, _INCLUSION, _REVERSES = 396, -1, -65_539
_KEY_ID_SIZE: Final = 4


@dataclass(frozen=True, slots=True)
class Receipt:
    """A log's signature over its root, an entry's index, and the path from its leaf's sibling up.

    ``reverses`` says of a document that reverses another: whose anchor that has, and how far.
    """

    signed: SignedRoot
    index: int
    path: tuple[Digest, ...]
    reverses: tuple[Digest, Reversal] | None = None

    def to_bytes(self) -> bytes:
        """The receipt, as ``parse_receipt`` reads it. Raises MalformedError."""
        data = _format(self)
        parse_receipt(data)  # what we write, others can read
        return data

    def entry(self, document: Digest) -> bytes:
        """The entry that anchors ``document``, as its holder can make it.

        VerificationError ``anchor_mismatch`` for the document that it takes back.
        """
        target, reversal = self.reverses or (None, None)
        try:
            return anchor_entry("invoice", anchor(document), reverses=target, reversal=reversal)
        except ValueError:
            raise VerificationError(
                "anchor_mismatch", "the receipt is of an entry that takes this document back"
            ) from None


def receipt_of(proof: Proof) -> Receipt:
    """The receipt for a proof file's entry.

    ConflictError ``receipt_missing`` where the log did not sign the checkpoint for receipts.
    """
    signed = signed_root(parse_note(proof.checkpoint))
    if signed is None:
        raise ConflictError(
            "receipt_missing", "the log signed this checkpoint without receipts; the next has one"
        )
    entry = parse_entry(proof.placed.entry)
    reverses = entry.reversed if isinstance(entry, AnchorEntry) else None
    return Receipt(signed, proof.placed.index, proof.placed.path, reverses)


def parse_receipt(data: bytes) -> Receipt:
    """Take a receipt apart without believing it; only what ``to_bytes`` writes is read.

    Raises MalformedError ``receipt``; VerificationError ``receipt_size`` for a path of another
    tree than the one that is said to be signed.
    """
    if len(data) > MAX_RECEIPT:
        raise _malformed(f"it is longer than {MAX_RECEIPT} bytes")
    try:
        receipt, size = _read(cbor.decode(data))
        same = _format(receipt, size) == data
    except MalformedError as error:
        raise _malformed(error.detail) from error
    if not same:
        raise _malformed("it is spelled otherwise than the format says")
    if size != receipt.signed.size:
        raise VerificationError("receipt_size", "the path is of another tree than the signature")
    return receipt


def verify_receipt(receipt: Receipt, entry: bytes, log_key: TrustedKeys) -> Logged:
    """Return what the receipt establishes of ``entry``, or raise VerificationError.

    1. the receipt is of the log whose key is trusted, and by one of its keys: else
       ``origin_mismatch``, ``signature_missing``;
    2. that key signed the root to which the path leads from this entry at this index, and the
       size: else ``signature``; MalformedError or VerificationError for an index or a path that
       no tree of this size has;
    3. the key counts for that size and root: else ``key_retired``, ``key_revoked``.
    """
    keys, signed = keys_of(log_key), receipt.signed
    if signed.origin != keys.origin:
        raise VerificationError("origin_mismatch", "the receipt is of another log than the key")
    by = next((key for key in keys.verifiers if key.key_id == signed.key_id), None)
    if by is None:
        raise VerificationError("signature_missing", "none of the keys asked for signed this")
    root = inclusion_root(leaf_hash(entry), receipt.index, signed.size, receipt.path)
    protected = protected_header(signed.origin, signed.key_id, signed.size)
    by.verify_structure(signed_bytes(protected, root), signed.signature)
    line = Signature(signed.origin, signed.key_id, signed.signature)
    keys.check(signed.size, root, [line])
    return Logged(Checkpoint(signed.origin, signed.size, root), receipt.index, ())


def _format(receipt: Receipt, size: int | None = None) -> bytes:
    signed = receipt.signed
    path: cbor.Value = [bytes(step) for step in receipt.path]
    tree_size = signed.size if size is None else size
    inclusion = cbor.encode([tree_size, receipt.index, path])
    unprotected: dict[int, cbor.Value] = {_PROOFS: {_INCLUSION: [inclusion]}}
    if receipt.reverses is not None:
        target, reversal = receipt.reverses
        unprotected[_REVERSES] = [bytes(target), reversal]
    protected = protected_header(signed.origin, signed.key_id, signed.size)
    return cbor.encode(cbor.Tagged((_SIGN1, [protected, unprotected, None, signed.signature])))


def _read(value: cbor.Value) -> tuple[Receipt, int]:
    """A receipt, and the size in its path."""
    match value:
        case cbor.Tagged(
            (18, [bytes(protected), dict(unprotected), None, bytes(signature)])  # _SIGN1
        ):
            signed = _signed(cbor.decode(protected), signature)
            size, index, path = _inclusion(unprotected.get(_PROOFS))
            return Receipt(signed, index, path, _reverses(unprotected.get(_REVERSES))), size
    raise _malformed("it is no COSE_Sign1 over what is left out")


def _signed(header: cbor.Value, signature: bytes) -> SignedRoot:
    said = header if isinstance(header, dict) else {}
    claims, key_id, size = said.get(CLAIMS), said.get(KID), said.get(SIZE)
    origin = claims.get(ISSUER) if isinstance(claims, dict) else None
    if (
        isinstance(key_id, bytes)
        and len(key_id) == _KEY_ID_SIZE
        and isinstance(size, int)
        and 0 < size <= MAX_SIZE
        and isinstance(origin, str)
        and is_key_name(origin)
        and len(signature) == SIGNATURE_SIZE
    ):
        return SignedRoot(origin, key_id, size, signature)
    raise _malformed("its header does not say which key of which log signed which size")


def _inclusion(proofs: cbor.Value) -> tuple[int, int, tuple[Digest, ...]]:
    match proofs.get(_INCLUSION) if isinstance(proofs, dict) else None:
        case [bytes(raw)]:
            match cbor.decode(raw):
                case [int(size), int(index), [*path]] if index >= 0 and len(path) <= MAX_PATH:
                    return size, index, tuple(map(_digest, path))
    raise _malformed("it holds no path, or more than one")


def _reverses(value: cbor.Value) -> tuple[Digest, Reversal] | None:
    match value:
        case None:
            return None
        case [bytes(target), "part"]:
            return to_digest(target), "part"
        case [bytes(target), "full"]:
            return to_digest(target), "full"
    raise _malformed("what it says of a reversal is nothing of the kind")


def _digest(value: cbor.Value) -> Digest:
    if not isinstance(value, bytes):
        raise _malformed("a part of its path is not a hash")
    return to_digest(value)


def _malformed(why: str) -> MalformedError:
    return MalformedError("receipt", f"this is not a COSE receipt of an entry in a log: {why}")
