"""Inner nodes of tiles that are kept: proposals, right as long as nobody touched their file."""

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from stat import S_IMODE

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.errors import MalformedError, VerificationError
from chain.hashing import ZERO
from chain.tree.merkle import inclusion_path
from chain.tree.merkle_slow import slow_inclusion_path, slow_root
from chain.tree.tiles import TileFolder, tile_path
from tests.chain.tree.tiled import LEAVES, write
from tests.chain.trees import Leaves

SIZE = 600


def made(folder: Path, *sizes: int) -> Path:
    """A log's tiles, read back as before a checkpoint is signed; the file of their inner nodes."""
    tiles = TileFolder(folder)
    write(tiles, *(sizes or (SIZE,)))
    for old, new in zip((0, *sizes), sizes or (SIZE,), strict=False):
        tiles.verify_range(old, new)
    return folder / "inner"


@pytest.mark.parametrize("sizes", [(SIZE,), (100, 256, 300, SIZE), (255, 512, SIZE)])
def test_the_file_holds_the_nodes_of_full_tiles_height_by_height(
    tmp_path: Path, sizes: tuple[int, ...]
) -> None:
    nodes = [
        slow_root(LEAVES[start : start + (1 << height)])
        for tile in (0, 256)
        for height in range(1, 9)
        for start in range(tile, tile + 256, 1 << height)
    ]
    assert made(tmp_path, *sizes).read_bytes() == b"".join(nodes)


def test_without_a_full_tile_there_is_none(tmp_path: Path) -> None:
    assert not made(tmp_path, 255).exists()
    assert TileFolder(tmp_path).way_in_tile(3) is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 511))
def test_the_way_in_a_full_tile_is_the_beginning_of_the_whole(index: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        made(Path(name))
        whole = slow_inclusion_path(LEAVES[:SIZE], index)
        tiles = TileFolder(Path(name))
        assert tiles.way_in_tile(index) == whole[:8]
        above = inclusion_path(tiles.reader(SIZE), index, SIZE, above=256)
        assert above == whole[8:]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 1100), st.sampled_from([1, 2, 8, 256]), st.data())
def test_the_way_above_a_complete_subtree_is_the_end_of_the_whole(
    size: int, above: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    if (index // above + 1) * above > size:
        return
    whole = slow_inclusion_path(LEAVES[:size], index)
    found = inclusion_path(Leaves(LEAVES[:size]), index, size, above=above)
    assert found == whole[above.bit_length() - 1 :]


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


@pytest.mark.parametrize("spoil", [_lost, _folder, _rewritten(lambda data: data[:8159])])
def test_where_nothing_is_kept_nothing_is_proposed(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(made(tmp_path))
    assert TileFolder(tmp_path).way_in_tile(300) is None
    assert TileFolder(tmp_path).way_in_tile(3) is None


@pytest.mark.parametrize(
    "spoil",
    [
        _lost,
        _folder,
        _rewritten(lambda data: bytes(len(data))),
        _rewritten(lambda data: data[8160:] + data[:8160]),
        *(_rewritten(partial(_flip, at=at)) for at in range(0, 16320, 481)),
    ],
)
def test_proofs_and_nodes_do_not_come_from_it(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """Who proves something to others, or appends, reads the tiles."""
    spoil(made(tmp_path))
    tiles = TileFolder(tmp_path)
    for index in (0, 15, 255, 256, 511, 599):
        path = inclusion_path(tiles.reader(SIZE), index, SIZE)
        assert path == slow_inclusion_path(LEAVES[:SIZE], index)
    tiles.verify_range(0, SIZE)


def test_nobody_needs_to_be_able_to_write_it(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    made(tmp_path)
    assert TileFolder(tmp_path).way_in_tile(3) is None


def test_a_log_that_had_none_keeps_those_of_new_tiles(tmp_path: Path) -> None:
    made(tmp_path, 256).unlink()
    tiles = TileFolder(tmp_path)
    tiles.write_range(256, SIZE, LEAVES[256:SIZE], [bytes([1])] * (SIZE - 256))
    with pytest.raises(VerificationError, match=r"^tile_damaged\b"):
        tiles.verify_range(256, SIZE)  # of other entries: nothing is kept
    assert not (tmp_path / "inner").exists()
    other = tmp_path / "other"
    made(other, 256).unlink()
    tiles = TileFolder(other)
    write(tiles, 256, SIZE)
    tiles.verify_range(256, SIZE)
    assert tiles.way_in_tile(300) == slow_inclusion_path(LEAVES[:SIZE], 300)[:8]
    wrong = tiles.way_in_tile(3)  # there is a hole
    assert wrong is not None
    assert wrong != slow_inclusion_path(LEAVES[:SIZE], 3)[:8]


def test_of_a_tile_only_the_sibling_counts(tmp_path: Path) -> None:
    """What makes a cold tile cheap: nothing is made of the other hashes."""
    made(tmp_path)
    path = tmp_path / tile_path(0, 0)
    whole = path.read_bytes()
    path.write_bytes(bytes(21 * 32) + whole[21 * 32 : 22 * 32] + bytes(234 * 32))
    assert TileFolder(tmp_path).way_in_tile(20) == slow_inclusion_path(LEAVES[:SIZE], 20)[:8]
    path.write_bytes(whole[:-1])
    with pytest.raises(VerificationError) as caught:
        TileFolder(tmp_path).way_in_tile(20)
    assert (caught.value.code, caught.value.extra["path"]) == ("tile_damaged", "tile/0/000")
    path.unlink()
    with pytest.raises(VerificationError, match=r"^tile_missing\b"):
        TileFolder(tmp_path).way_in_tile(20)


def test_ways_read_a_tile_once_and_no_more_are_kept_than_allowed(tmp_path: Path) -> None:
    made(tmp_path)
    small, large = TileFolder(tmp_path, cache_tiles=1), TileFolder(tmp_path, cache_tiles=2)
    for tiles in (small, large):
        for index in (0, 256):
            tiles.way_in_tile(index)
    for n in range(2):
        (tmp_path / tile_path(0, n)).unlink()
    for index in range(512):
        assert large.way_in_tile(index) == slow_inclusion_path(LEAVES[:SIZE], index)[:8]
    assert small.way_in_tile(511) == slow_inclusion_path(LEAVES[:SIZE], 511)[:8]
    with pytest.raises(VerificationError, match=r"^tile_missing\b"):
        small.way_in_tile(0)


def test_of_inner_nodes_as_well_no_more_are_kept_than_allowed(tmp_path: Path) -> None:
    file = made(tmp_path)
    small, large = TileFolder(tmp_path, cache_tiles=1), TileFolder(tmp_path, cache_tiles=2)
    ways = [[tiles.way_in_tile(index) for index in (0, 256)] for tiles in (small, large)]
    file.write_bytes(bytes(file.stat().st_size))
    assert [large.way_in_tile(index) for index in (0, 256)] == ways[1]
    assert small.way_in_tile(256) == ways[0][1]
    assert small.way_in_tile(0) == [LEAVES[1], *[ZERO] * 7]


def test_others_may_read_the_file_and_only_its_owner_write_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        file = made(tmp_path)
    finally:
        os.umask(before)
    assert S_IMODE(file.stat().st_mode) == 0o644


def test_a_way_above_what_is_not_complete_is_refused(tmp_path: Path) -> None:
    made(tmp_path)
    with pytest.raises(MalformedError, match=r"^index_outside\b"):
        inclusion_path(TileFolder(tmp_path).reader(SIZE), SIZE, SIZE, above=256)
