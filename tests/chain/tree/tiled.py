"""A tree in tiles, and what must stand in each of them."""

from collections.abc import Iterator
from pathlib import Path

from chain.tree.merkle_slow import slow_root
from chain.tree.tiles import (
    TileFolder,
    TileId,
)
from tests.chain.trees import entries, leaves

ENTRIES = entries(1600)
LEAVES = leaves(1600)


def write(folder: TileFolder, *sizes: int) -> None:
    """Write the tree step by step, up to the last of the sizes."""
    old = 0
    for new in sizes:
        folder.write_range(old, new, LEAVES[old:new], ENTRIES[old:new])
        old = new


def files(root_: Path) -> dict[str, bytes]:
    """What is published: not the inner nodes, which nobody else reads."""
    found = (path for path in root_.rglob("*") if path.is_file() and path.name != "inner")
    return {str(path.relative_to(root_)): path.read_bytes() for path in found}


def defined(size: int) -> Iterator[tuple[str, bytes]]:
    """Yield the tiles of a size as the specification defines them: MTH over slices of leaves."""
    level = 0
    while size >> 8 * level:
        row = [
            slow_root(LEAVES[start : start + 256**level])
            for start in range(0, size - 256**level + 1, 256**level)
        ]
        for n in range(0, len(row), 256):
            tile = TileId(level, n // 256, len(row[n : n + 256]))
            yield tile.path(), b"".join(row[n : n + 256])
        level += 1
    for n in range(0, size, 256):
        part = ENTRIES[n : min(size, n + 256)]
        bundle = b"".join(len(entry).to_bytes(2, "big") + entry for entry in part)
        yield TileId(None, n // 256, len(part)).path(), bundle
