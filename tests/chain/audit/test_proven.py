"""A tree read from outside: from the nearest source that is right, up to where the tree ends."""

from pathlib import Path

import pytest

from chain.audit.proven import ProvenTree
from chain.errors import NotFoundError, VerificationError
from chain.signing.checkpoint import Checkpoint
from chain.tree.merkle_slow import slow_root
from chain.tree.tiles import TileFolder, TileId
from tests.chain.trees import entries, leaves

SIZE = 1100
ENTRIES, LEAVES = entries(SIZE), leaves(SIZE)


class Source:
    """A folder of tiles that notes what it is asked for; ``gone`` says what it does not have."""

    def __init__(self, folder: Path, *gone: str) -> None:
        self.folder = folder
        self.gone = gone
        self.asked: list[str] = []

    def checkpoint(self) -> bytes:
        raise NotFoundError("file_missing", "no checkpoint here")

    def tile(self, tile: TileId) -> bytes:
        path = tile.path()
        self.asked.append(path)
        if path in self.gone or not (self.folder / path).exists():
            raise NotFoundError("file_missing", path)
        return (self.folder / path).read_bytes()


def tree(folder: Path, size: int, *sources: Source) -> ProvenTree:
    """The tree of so many entries, in a folder of its own."""
    TileFolder(folder).write_range(0, size, LEAVES[:size], ENTRIES[:size])
    return ProvenTree(Checkpoint("x", size, slow_root(LEAVES[:size])), *sources)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512, 1024, SIZE])
def test_everything_up_to_the_end_is_read(tmp_path: Path, size: int) -> None:
    proven = tree(tmp_path, size, Source(tmp_path))
    assert [h for tile in proven.tiles(0) for h in proven.hashes(0, tile.n)] == LEAVES[:size]
    assert [e for tile in proven.tiles(0) for e in proven.entries(tile.n)] == ENTRIES[:size]


def test_what_the_first_source_has_is_not_asked_of_the_last(tmp_path: Path) -> None:
    near = Source(tmp_path, "tile/0/001", "tile/entries/002")
    far = Source(tmp_path)
    proven = tree(tmp_path, SIZE, near, far)
    for n in range(4):
        proven.hashes(0, n)
        proven.entries(n)
    assert [path for path in far.asked if ".p/" not in path] == ["tile/0/001", "tile/entries/002"]
    assert {"tile/0/000", "tile/entries/000", "tile/0/001"} <= set(near.asked)


def test_the_last_source_says_what_is_wrong(tmp_path: Path) -> None:
    near, far = Source(tmp_path, "tile/0/001"), Source(tmp_path, "tile/0/001")
    proven = tree(tmp_path, SIZE, near, far)
    with pytest.raises(VerificationError, match=r"^tile_missing\b"):
        proven.hashes(0, 1)
