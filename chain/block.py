"""What the log knows of its blocks: a block, the head it makes, a signed checkpoint as stored."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from chain.hashing import EMPTY_ROOT, ZERO, Digest


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log stands: the state after its last block, and what the next one builds on.

    ``height`` counts blocks from 1 (0: none yet), ``size`` counts entries, seals included.
    ``edge`` is the tree's right edge, ``seal`` the last seal's leaf hash, ``cursor`` the
    caller's own position as of that block.
    """

    height: int
    size: int
    root: Digest
    edge: bytes
    seal: Digest
    sealed_at: datetime | None
    cursor: int


@dataclass(frozen=True, slots=True)
class Block:
    """Entries ``first`` to ``first + count - 1`` and the seal right after them.

    ``size`` and ``root`` are the tree's after the seal; ``seal`` is the seal's leaf hash.
    """

    height: int
    first: int
    count: int
    size: int
    root: Digest
    edge: bytes
    seal: Digest
    sealed_at: datetime
    cursor: int

    @property
    def seal_index(self) -> int:
        """Where the seal stands in the log."""
        return self.size - 1

    def head(self) -> Head:
        """The head of a log that ends with this block."""
        return Head(
            height=self.height,
            size=self.size,
            root=self.root,
            edge=self.edge,
            seal=self.seal,
            sealed_at=self.sealed_at,
            cursor=self.cursor,
        )


class Row(msgspec.Struct, frozen=True, gc=False):
    """One entry as stored: ``key`` is what may stand in the log only once, or None."""

    index: int
    entry: bytes
    key: bytes | None


@dataclass(frozen=True, slots=True)
class Located:
    """An entry found by its key; ``size`` is the log's after the entry's block."""

    index: int
    entry: bytes
    size: int


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A signed checkpoint as stored: the tree size it signs and the whole note's bytes."""

    size: int
    note: bytes


def empty_head(edge: bytes) -> Head:
    """The head of a log without blocks; ``edge`` is the empty tree's edge."""
    return Head(height=0, size=0, root=EMPTY_ROOT, edge=edge, seal=ZERO, sealed_at=None, cursor=0)
