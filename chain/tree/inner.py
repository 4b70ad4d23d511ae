"""The nodes inside full tiles, kept beside them so that a way through a cold tile costs no digest.

A file of 8,160 bytes a tile: its inner nodes, height by height from the first above the leaves, the
root last. Whoever writes it has just derived them from the tiles. Whoever reads it believes
nothing: a way is only a proposal until it has led to a root that is known. It may be lost without
harm, and nobody publishes it.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from weakref import finalize

from chain.hashing import DIGEST_SIZE, Digest, node_hashes

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
"""Of a tile, in hashes."""

NAME: Final = "inner"
TILE_BYTES: Final = (WIDTH - 1) * DIGEST_SIZE


def inner_nodes(hashes: Sequence[Digest]) -> list[Digest]:
    """All nodes above the hashes of a full tile, height by height; the last is its root."""
    nodes: list[Digest] = []
    while len(hashes) > 1:
        hashes = node_hashes(hashes)
        nodes += hashes
    return nodes


def way(nodes: bytes, position: int) -> list[Digest]:
    """The siblings from height 1 up of what stands at ``position`` in the tile of these nodes."""
    places = [
        WIDTH - (WIDTH >> height - 1) + (position >> height ^ 1) for height in range(1, HEIGHT)
    ]
    return [Digest(nodes[DIGEST_SIZE * place : DIGEST_SIZE * (place + 1)]) for place in places]


class InnerNodes:
    """The file. Nothing of it is needed, so no trouble with it is anybody's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1

    def read(self, n: int) -> bytes | None:
        """The inner nodes of tile ``n``, as they stand there; None for nothing."""
        with suppress(OSError):
            if self._handle < 0:
                self._handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
                finalize(self, os.close, self._handle)
            nodes = os.pread(self._handle, TILE_BYTES, n * TILE_BYTES)
            return nodes if len(nodes) == TILE_BYTES else None
        return None

    def keep(self, first: int, tiles: Sequence[Sequence[Digest]]) -> None:
        """Write the inner nodes of the tiles from ``first`` on."""
        if not tiles:
            return
        data = b"".join([node for nodes in tiles for node in nodes])
        # Not synced: a crash in here, or soon after, leaves bytes that lead nowhere.
        with suppress(OSError):
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                os.pwrite(handle, data, first * TILE_BYTES)
            finally:
                os.close(handle)
