"""Trees to test with: the whole tree in memory, and the published vectors."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chain.hashing import Digest, leaf_hash
from chain.tree.merkle_slow import slow_root

OUTSIDE = Path(__file__).parent.parent / "vectors" / "outside"


class Leaves:
    """A ``NodeReader`` that answers by the definition, and counts what it was asked."""

    def __init__(self, leaves: Sequence[Digest]) -> None:
        self.leaves = leaves
        self.asked = 0

    def node(self, level: int, index: int) -> Digest:
        self.asked += 1
        subtree = self.leaves[index << level : (index + 1) << level]
        assert len(subtree) == 1 << level, "only complete subtrees may be asked for"
        return slow_root(subtree)


def entries(count: int) -> list[bytes]:
    """Return ``count`` different entries."""
    return [b"entry %d" % index for index in range(count)]


def leaves(count: int) -> list[Digest]:
    """Return the leaf hashes of ``entries``."""
    return [leaf_hash(entry) for entry in entries(count)]


def outside(name: str) -> Any:  # noqa: ANN401  # what others published, in their shape
    """Read vectors that others made."""
    return json.loads((OUTSIDE / name).read_text("utf-8"))


def flip(digest: Digest, bit: int) -> Digest:
    """Return the digest with one bit changed."""
    changed = bytearray(digest)
    changed[bit // 8] ^= 1 << bit % 8
    return Digest(bytes(changed))
