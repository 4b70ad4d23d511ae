"""The one module that makes digests: SHA-256 (FIPS 180-4), hashed as in RFC 6962, section 2.1."""

from collections.abc import Iterable, Sequence
from typing import NewType

from Crypto.Hash import SHA256, SHA512

from chain.errors import MalformedError

Digest = NewType("Digest", bytes)
"""Exactly 32 bytes. Bytes from outside become one only through ``to_digest``."""

DIGEST_SIZE = 32

_one_shot = SHA256.digest


def sha256(data: bytes) -> Digest:
    """Return the SHA-256 of ``data``."""
    return Digest(_one_shot(data))


def sha256_of_parts(parts: Iterable[bytes]) -> Digest:
    """Return the SHA-256 of ``parts`` put together, in constant memory."""
    state = SHA256.new()
    for part in parts:
        state.update(part)
    return Digest(state.digest())


def leaf_hash(entry: bytes) -> Digest:
    """Return the hash of a log entry: SHA-256(0x00 || entry)."""
    return Digest(_one_shot(b"\x00" + entry))


def node_hash(left: Digest, right: Digest) -> Digest:
    """Return the hash of two subtrees: SHA-256(0x01 || left || right)."""
    return Digest(_one_shot(b"\x01" + left + right))


def sha256_state(data: bytes) -> SHA256.SHA256Hash:
    """Return SHA-256 with ``data`` in it, for a signature that takes nothing else."""
    return SHA256.new(data)


def sha512(data: bytes) -> bytes:
    """Return the SHA-512 of ``data``: a part of Ed25519, and of nothing else here."""
    return SHA512.new(data).digest()


def sha256_each(texts: Iterable[bytes]) -> list[Digest]:
    """Return ``sha256`` of each text, at less cost than as many calls."""
    return [Digest(_one_shot(text)) for text in texts]


def leaf_hashes(entries: Iterable[bytes]) -> list[Digest]:
    """Return ``leaf_hash`` of each entry, likewise."""
    return [Digest(_one_shot(b"\x00" + entry)) for entry in entries]


def node_hashes(row: Sequence[Digest]) -> list[Digest]:
    """Return ``node_hash`` of each two that stand side by side; the last of an odd row has none."""
    pairs = zip(row[::2], row[1::2], strict=False)
    return [Digest(_one_shot(b"\x01" + left + right)) for left, right in pairs]


def to_digest(raw: bytes) -> Digest:
    """Turn bytes from outside into a digest; MalformedError ``digest_length`` unless 32.

    An empty "leaf" under an empty root must not verify: the length is checked here, once.
    """
    if type(raw) is not bytes or len(raw) != DIGEST_SIZE:
        raise MalformedError("digest_length", f"a digest has {DIGEST_SIZE} bytes, not {len(raw)}")
    return Digest(raw)


def digest_from_hex(text: str) -> Digest:
    """Read 64 lower-case hexadecimal digits; MalformedError ``digest_hex`` for any other text."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != DIGEST_SIZE or raw.hex() != text:  # it forgives blanks and capitals
        raise MalformedError("digest_hex", "a digest is written as 64 lower-case hex digits")
    return Digest(raw)


EMPTY_ROOT = sha256(b"")
"""Root of the tree without entries."""

ZERO = Digest(bytes(DIGEST_SIZE))
"""Stands for "none before" in the first seal, and for an empty subtree of the state map."""
