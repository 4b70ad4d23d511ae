"""Stores that keep everything in memory: what a contract asks for, and no database."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chain.block import Block, Head, Located, Row, StoredCheckpoint, empty_head
from chain.errors import ConflictError
from chain.hashing import Digest, sha256
from chain.signing.note import Signature
from chain.tree.merkle import Edge
from chain.witness.judge import Inconsistent, Seen


@dataclass
class LogMemory:
    """What is kept of one log, by however many stores."""

    origin: str | None = None
    rows: list[Row] = field(default_factory=list)
    keys: dict[bytes, int] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    nodes: dict[Digest, bytes] = field(default_factory=dict)
    checkpoints: dict[int, StoredCheckpoint] = field(default_factory=dict)
    signatures: dict[int, list[Signature]] = field(default_factory=dict)
    turn: threading.RLock = field(default_factory=threading.RLock)


class MemoryLogStore:
    """A log's store; several on one memory are several workers on one database."""

    def __init__(self, memory: LogMemory) -> None:
        self._memory = memory

    def bind_origin(self, origin: str) -> None:
        with self._memory.turn:
            self._memory.origin = self._memory.origin or origin
            if self._memory.origin != origin:
                raise ConflictError("origin_differs", f"this log is {self._memory.origin}")

    def origin(self) -> str | None:
        return self._memory.origin

    def append(
        self, expected: Head, rows: Sequence[Row], block: Block, nodes: Mapping[Digest, bytes]
    ) -> None:
        with self._memory.turn:
            if self.head() != expected:
                raise ConflictError("log_moved", "another writer has moved the log's head")
            keys = {row.key: row.index for row in rows if row.key is not None}
            if not keys.keys().isdisjoint(self._memory.keys) or len(keys) < len(rows) - 1:
                raise ConflictError("already_in_log", "a key stands in the log once")
            if not _follows(expected, rows, block):
                raise ConflictError("store_refused", "the block does not follow")
            self._memory.rows += rows
            self._memory.keys |= keys
            self._memory.blocks.append(block)
            self._memory.nodes = {**nodes, **self._memory.nodes}

    def head(self) -> Head:
        blocks = self._memory.blocks
        return blocks[-1].head() if blocks else empty_head(Edge().to_bytes())

    def block(self, height: int) -> Block | None:
        return next((one for one in self._memory.blocks if one.height == height), None)

    def block_of_size(self, size: int) -> Block | None:
        return next((one for one in self._memory.blocks if one.size == size), None)

    def block_of(self, index: int) -> Block | None:
        return next((one for one in self._memory.blocks if one.size > index), None)

    def blocks(self, after: int, limit: int) -> list[Block]:
        return [one for one in self._memory.blocks if one.height > after][:limit]

    def find(self, key: bytes) -> int | None:
        return self._memory.keys.get(key)

    def locate(self, key: bytes) -> Located | None:
        index = self._memory.keys.get(key)
        block = None if index is None else self.block_of(index)
        if index is None or block is None:
            return None
        return Located(index, self._memory.rows[index].entry, block.size)

    def entry(self, index: int) -> bytes | None:
        rows = self._memory.rows
        return rows[index].entry if index < len(rows) else None

    def rows(self, first: int, end: int) -> Iterator[Row]:
        yield from self._memory.rows[first:end]

    def state_node(self, digest: Digest) -> bytes | None:
        return self._memory.nodes.get(digest)

    def add_checkpoint(self, checkpoint: StoredCheckpoint, signed_at: datetime | None) -> None:
        with self._memory.turn:
            stored = self._memory.checkpoints.get(checkpoint.size)
            if stored == checkpoint:
                return
            if stored is not None:
                raise ConflictError("checkpoint_differs", "that size was signed as another note")
            latest = self.latest_checkpoint()
            ends = {0, *(one.size for one in self._memory.blocks)}
            if checkpoint.size not in ends or (latest and latest.size > checkpoint.size):
                raise ConflictError("store_refused", "only the end of a block, and none before")
            self._memory.checkpoints[checkpoint.size] = checkpoint

    def checkpoint(self, size: int) -> StoredCheckpoint | None:
        return self._memory.checkpoints.get(size)

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        return self._memory.checkpoints.get(max(self._memory.checkpoints, default=-1))

    def checkpoints(self, after: int, limit: int) -> list[StoredCheckpoint]:
        found = sorted(self._memory.checkpoints.items())
        return [one for size, one in found if size > after][:limit]

    def add_signatures(self, size: int, signatures: Iterable[Signature]) -> None:
        with self._memory.turn:
            if size not in self._memory.checkpoints:
                raise ConflictError("store_refused", "the log has not signed that size")
            lines = self._memory.signatures.setdefault(size, [])
            for one in signatures:
                if (one.name, one.key_id) not in {(line.name, line.key_id) for line in lines}:
                    lines.append(one)

    def signatures(self, size: int) -> list[Signature]:
        return list(self._memory.signatures.get(size, ()))

    def signed_sizes(self, least: int, limit: int) -> list[int]:
        sizes = sorted(self._memory.signatures, reverse=True)
        return [size for size in sizes if size >= least][:limit]

    def signed_size(self, name: str, key_id: bytes) -> int:
        lines = self._memory.signatures.items()
        signed = (s for s, by in lines if (name, key_id) in {(one.name, one.key_id) for one in by})
        return max(signed, default=0)

    def check(self) -> None:
        """Find nothing wrong: there is no file that could be damaged."""


def _follows(head: Head, rows: Sequence[Row], block: Block) -> bool:
    """Whether these rows and this block come right behind the head."""
    indexes = list(range(head.size, head.size + len(rows)))
    return (
        [row.index for row in rows] == indexes
        and (block.height, block.first) == (head.height + 1, head.size)
        and (block.count + 1, block.size) == (len(rows), head.size + len(rows))
        and block.cursor >= head.cursor
        and (head.sealed_at is None or block.sealed_at >= head.sealed_at)
    )


class MemorySeenStore:
    """What a witness remembers, until its process ends."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}
        self.kept: list[Inconsistent] = []
        self._turn = threading.Lock()

    def update(self, origin: str, change: Callable[[Seen | None], Seen]) -> Seen:
        with self._turn:
            self._seen[origin] = seen = change(self._seen.get(origin))
            return seen

    def keep(self, inconsistent: Inconsistent) -> None:
        self.kept.append(inconsistent)

    def noted(self, origin_hash: str) -> bytes | None:
        for origin, seen in self._seen.items():
            if sha256(origin.encode()).hex() == origin_hash:
                return seen.note.to_bytes()
        return None
