"""Halves of tiles: whatever stands in their file, or does not, a way through a tile is the same."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.errors import VerificationError
from chain.hashing import Digest
from chain.tree.merkle import inclusion_path
from chain.tree.merkle_slow import slow_inclusion_path, slow_root
from chain.tree.tiles import TileFolder, tile_path
from tests.chain.tree.tiled import LEAVES, write

SIZE = 600
ROOTS = [slow_root(LEAVES[:256]), slow_root(LEAVES[256:512])]
FEET = [slow_root(LEAVES[start : start + 16]) for start in range(0, 512, 16)]


def made(folder: Path, *sizes: int) -> Path:
    """A log's tiles, read back as before a checkpoint is signed; the file with the halves."""
    tiles = TileFolder(folder)
    write(tiles, *(sizes or (SIZE,)))
    for old, new in zip((0, *sizes), sizes or (SIZE,), strict=False):
        tiles.verify_range(old, new)
    return folder / "halves"


def way(folder: Path, index: int) -> list[Digest]:
    """The path in its tile, by somebody who has read nothing yet."""
    return TileFolder(folder).path_in_tile(index, ROOTS[index // 256])


def as_defined(index: int) -> list[Digest]:
    return slow_inclusion_path(LEAVES[:SIZE], index)[:8]


@pytest.mark.parametrize("sizes", [(SIZE,), (100, 256, 300, SIZE), (255, 512, SIZE)])
def test_the_file_holds_the_roots_over_sixteen(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    assert made(tmp_path, *sizes).read_bytes() == b"".join(FEET)


def test_without_a_full_tile_there_is_none(tmp_path: Path) -> None:
    assert not made(tmp_path, 255).exists()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 511), min_size=1, max_size=30))
def test_ways_are_as_defined_whatever_was_read_before(indexes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        made(Path(name))
        tiles = TileFolder(Path(name), cache_tiles=1)
        for index in indexes:
            assert tiles.path_in_tile(index, ROOTS[index // 256]) == as_defined(index)
            whole = inclusion_path(tiles.reader(SIZE), index, SIZE)
            assert whole == slow_inclusion_path(LEAVES[:SIZE], index)


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _lost(file: Path) -> None:
    file.unlink()


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _rewritten(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def rewrite(file: Path) -> None:
        file.write_bytes(change(file.read_bytes()))

    return rewrite


@pytest.mark.parametrize(
    "spoil",
    [
        _lost,
        _folder,
        _rewritten(lambda data: data[:0]),
        _rewritten(lambda data: data[:700]),
        _rewritten(lambda data: bytes(len(data))),
        _rewritten(lambda data: data[512:] + data[:512]),
        _rewritten(lambda data: data[32:64] + data[:32] + data[64:]),
        *(_rewritten(partial(_flip, at=at)) for at in (0, 31, 32, 511, 512, 1023)),
    ],
)
def test_the_file_may_hold_anything(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(made(tmp_path))
    for index in (0, 15, 16, 255, 256, 300, 511):
        assert way(tmp_path, index) == as_defined(index)


def test_nobody_needs_to_be_able_to_write_it(tmp_path: Path) -> None:
    (tmp_path / "halves").mkdir()
    made(tmp_path)
    assert way(tmp_path, 3) == as_defined(3)


def test_of_a_tile_only_its_own_sixteen_hashes_are_read(tmp_path: Path) -> None:
    """What makes a cold tile cheap: the other hashes might as well not be there."""
    made(tmp_path)
    path = tmp_path / tile_path(0, 0)
    whole = path.read_bytes()
    path.write_bytes(bytes(512) + whole[512:1024])
    assert way(tmp_path, 20) == as_defined(20)
    (tmp_path / "halves").unlink()
    with pytest.raises(VerificationError, match=r"^tile_damaged\b"):
        way(tmp_path, 20)


@pytest.mark.parametrize("damage", [lambda data: _flip(data, 40), lambda data: data[:40]])
def test_a_tile_that_was_damaged_is_named_and_once_mended_is_read_again(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    made(tmp_path)
    path = tmp_path / tile_path(0, 0)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    tiles = TileFolder(tmp_path)
    for _ in range(2):
        with pytest.raises(VerificationError) as caught:
            tiles.path_in_tile(3, ROOTS[0])
        assert (caught.value.code, caught.value.extra["path"]) == ("tile_damaged", "tile/0/000")
    path.write_bytes(whole)
    assert tiles.path_in_tile(3, ROOTS[0]) == as_defined(3)


def test_a_tile_that_leads_elsewhere_has_no_way(tmp_path: Path) -> None:
    made(tmp_path)
    with pytest.raises(VerificationError, match=r"^tile_damaged\b"):
        TileFolder(tmp_path).path_in_tile(3, ROOTS[1])


def test_halves_are_read_once_and_no_more_are_kept_than_allowed(tmp_path: Path) -> None:
    made(tmp_path)
    small, large = TileFolder(tmp_path, cache_tiles=1), TileFolder(tmp_path, cache_tiles=2)
    for tiles in (small, large):
        for index in range(0, 512, 16):
            tiles.path_in_tile(index, ROOTS[index // 256])
    for n in range(2):
        (tmp_path / tile_path(0, n)).unlink()
    for index in range(512):
        assert large.path_in_tile(index, ROOTS[index // 256]) == as_defined(index)
    assert small.path_in_tile(511, ROOTS[1]) == as_defined(511)
    with pytest.raises(VerificationError, match=r"^tile_missing\b"):
        small.path_in_tile(0, ROOTS[0])
