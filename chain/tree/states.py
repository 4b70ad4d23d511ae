"""Checking what the state map says of a key: its state, or that it has none.

A sparse Merkle map over 256-bit keys. An empty subtree is 32 zero bytes, a subtree with one
leaf SHA-256(0x02 || key || SHA-256(value)), any other SHA-256(0x03 || left || right); bits
are taken from the most significant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chain.canonical import encode
from chain.errors import MalformedError, VerificationError
from chain.hashing import DIGEST_SIZE, ZERO, Digest, sha256, to_digest

EMPTY_MAP = ZERO
"""Root of the map in which nothing stands."""

KEY_BITS = 8 * DIGEST_SIZE

STATES = {
    "reversal": ("part", "full"),
    "reimbursement": ("locked", "closed"),
    "pledge": ("pledged",),
}
"""What a value may say."""


class StateLeaf(NamedTuple):
    """What stands in the map at the end of a proof, of the key asked for or of another."""

    key: Digest
    value: dict[str, str]


@dataclass(frozen=True, slots=True)
class StateProof:
    """Siblings from the root downwards, and the leaf at their end (None: an empty subtree)."""

    leaf: StateLeaf | None = None
    siblings: tuple[Digest, ...] = ()


def state_leaf_hash(leaf: StateLeaf) -> Digest:
    """Return the hash of a subtree with one leaf; MalformedError ``state_value``."""
    _check_value(leaf.value)
    return sha256(b"\x02" + to_digest(leaf.key) + sha256(encode(leaf.value)))


def state_node_hash(left: Digest, right: Digest) -> Digest:
    """Return the hash of a subtree with several leaves."""
    return sha256(b"\x03" + left + right)


def verify_state(
    root: Digest, key: Digest, leaf: StateLeaf | None, siblings: Sequence[Digest]
) -> dict[str, str] | None:
    """Return the state of ``key``, or None if the map proves that it has none.

    ``siblings`` go from the root's other child down to where ``leaf`` stands, or to an empty
    subtree when it is None.

    1. the proof is no deeper than a key has bits;
    2. it ends where ``key`` would stand: in an empty subtree, or at a leaf on the same way;
    3. it could not end higher up: the last sibling is not empty;
    4. the siblings lead from there to the root.

    Raises MalformedError: ``digest_length``, ``state_value``; VerificationError ``state_depth``,
    ``state_elsewhere``, ``state_shape``, ``state_root``.
    """
    hashes = [to_digest(sibling) for sibling in siblings]
    if len(hashes) > KEY_BITS:
        raise VerificationError("state_depth", "a state proof has at most 256 siblings")
    if leaf is not None and _way(leaf.key, len(hashes)) != _way(key, len(hashes)):
        raise VerificationError("state_elsewhere", "the leaf stands on another key's way")
    if hashes and hashes[-1] == ZERO:
        raise VerificationError("state_shape", "nothing stands beside the end of the proof")
    node = state_leaf_hash(leaf) if leaf else ZERO
    way = _way(key, len(hashes))
    for depth, sibling in enumerate(reversed(hashes)):
        node = (
            state_node_hash(sibling, node) if way >> depth & 1 else state_node_hash(node, sibling)
        )
    if node != to_digest(root):
        raise VerificationError("state_root", "the state proof leads to another root")
    return leaf.value if leaf and leaf.key == key else None


def _way(key: Digest, depth: int) -> int:
    """Return the first ``depth`` bits of a key, the first of them the most significant."""
    return int.from_bytes(to_digest(key), "big") >> (KEY_BITS - depth)


def _check_value(value: dict[str, str]) -> None:
    if not value or any(said not in STATES.get(name, ()) for name, said in value.items()):
        raise MalformedError("state_value", "no key of the map has such a state")
