"""Full tiles in two halves: trees of height four, so that a way through a cold tile is cheap.

The lower half of a tile are sixteen trees over sixteen of its hashes each, the upper half is the
tree over their roots. Those roots stand in a file beside the tiles, ``halves``, 512 bytes a tile.
Whoever writes it has just derived them from the tiles. Whoever reads it believes nothing: roots
that do not lead where the tile leads are derived again. It may be lost, and nobody publishes it.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from chain.hashing import DIGEST_SIZE, Digest, node_hashes

HEIGHT: Final = 4
WIDTH: Final = 1 << HEIGHT
"""Hashes at the foot of a half."""

ROW_BYTES: Final = WIDTH * DIGEST_SIZE
NAME: Final = "halves"


def build(row: Sequence[Digest]) -> bytes:
    """All nodes of the half over sixteen hashes, row by row; the root is the last."""
    nodes = list(row)
    while len(row) > 1:
        row = node_hashes(row)
        nodes += row
    return b"".join(nodes)


def root(half: bytes) -> Digest:
    """Where it leads."""
    return Digest(half[-DIGEST_SIZE:])


def node(half: bytes, height: int, position: int) -> Digest:
    """The node ``height`` above its foot, ``position`` from the left."""
    start = (2 * WIDTH - (2 * WIDTH >> height) + position) * DIGEST_SIZE
    return Digest(half[start : start + DIGEST_SIZE])


def way(half: bytes, position: int) -> list[Digest]:
    """The siblings from number ``position`` at its foot up to its root."""
    return [node(half, height, position >> height ^ 1) for height in range(HEIGHT)]


def split(row: bytes) -> list[Digest]:
    """The hashes that stand in ``row``."""
    starts = range(0, len(row), DIGEST_SIZE)
    return [Digest(row[start : start + DIGEST_SIZE]) for start in starts]


def foot_of_upper(hashes: Sequence[Digest]) -> Sequence[Digest]:
    """The sixteen roots of a full tile's lower half."""
    for _ in range(HEIGHT):
        hashes = node_hashes(hashes)
    return hashes


class Halves:
    """The file. Nothing of it is needed, so no trouble with it is anybody's."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def foot(self, n: int) -> list[Digest] | None:
        """What stands there for tile ``n``, as it stands there; None for nothing."""
        with suppress(OSError):
            row = read_piece(self._path, n * ROW_BYTES, ROW_BYTES)
            if len(row) == ROW_BYTES:
                return split(row)
        return None

    def keep(self, first: int, feet: Sequence[Sequence[Digest]]) -> None:
        """Write them for the tiles from ``first`` on."""
        if not feet:
            return
        data = b"".join(hash_ for foot in feet for hash_ in foot)
        # Not synced: a crash in here, or soon after, leaves bytes that lead nowhere.
        with suppress(OSError):
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                os.pwrite(handle, data, first * ROW_BYTES)
            finally:
                os.close(handle)


def read_piece(path: Path, start: int, length: int) -> bytes:
    """Some bytes of a file, fewer at its end; OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(handle, length, start)
    finally:
        os.close(handle)
