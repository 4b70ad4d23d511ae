"""Tiles: paths as C2SP spells them, contents as it defines them, and no way to mistake damage."""

import errno
import os
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.errors import MalformedError, UnavailableError, VerificationError
from chain.hashing import Digest, leaf_hash
from chain.tree.merkle import Edge, consistency_path, inclusion_path, root, verify_consistency
from chain.tree.merkle_slow import slow_consistency_path, slow_inclusion_path, slow_root
from chain.tree.tiles import (
    MAX_ENTRY,
    TileFolder,
    TileId,
    decode_bundle,
    encode_bundle,
    entry_bundle_path,
    parse_tile_path,
    tile_path,
)
from tests.chain.tree.tiled import ENTRIES, LEAVES, defined, files, write
from tests.chain.trees import entries

# The specification's examples, and what follows from them.
PATHS = [
    (TileId(0, 0), "tile/0/000"),
    (TileId(0, 1), "tile/0/001"),
    (TileId(0, 999), "tile/0/999"),
    (TileId(0, 1000), "tile/0/x001/000"),
    (TileId(0, 1234067), "tile/0/x001/x234/067"),
    (TileId(0, 273, 112), "tile/0/273.p/112"),
    (TileId(1, 1, 17), "tile/1/001.p/17"),
    (TileId(2, 0, 1), "tile/2/000.p/1"),
    (TileId(63, 0, 255), "tile/63/000.p/255"),
    (TileId(None, 0), "tile/entries/000"),
    (TileId(None, 1234067), "tile/entries/x001/x234/067"),
    (TileId(None, 999999, 5), "tile/entries/x999/999.p/5"),
]


@pytest.mark.parametrize(("tile", "path"), PATHS)
def test_paths(tile: TileId, path: str) -> None:
    assert tile.path() == path
    assert parse_tile_path(path) == tile


@given(st.integers(0, 63) | st.none(), st.integers(0, 2**55), st.integers(1, 256))
def test_paths_round_trip(level: int | None, n: int, width: int) -> None:
    tile = TileId(level, n, width)
    assert parse_tile_path(tile.path()) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/-1/000",
        "tile/64/000",
        "tile/100/000",
        "tile/+1/000",
        "tile/x/000",
        "tile/0/-01",
        "tile/0/x000/001",  # 1, with a group too many
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/x001/x000",
        "tile/0/X001/000",
        "tile/0/001.p",
        "tile/0/001.p/",
        "tile/0/001.p/0",
        "tile/0/001.p/01",
        "tile/0/001.p/256",
        "tile/0/001.p/1000",
        "tile/0/001.p/1/",
        "tile/0/001.P/1",
        "tile/0/001\n",
        "/tile/0/001",
        "tile//0/001",
        "tile/0/../../checkpoint",
        "tile/0/001.p/1/../2",
        "tile/data/000",
        "tile/entries",
        "tile/Entries/000",
        "tile/8/0/001",  # with a height, as other logs have it
        "tile/0/\u0660\u0660\u0661",
        "tile/0/" + "x000/" * 7 + "001",
    ],
)
def test_paths_have_one_spelling(path: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_tile_path(path)
    assert caught.value.code == "tile_path"


@pytest.mark.parametrize(("level", "n", "width"), [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0)])
def test_there_is_no_such_tile(level: int, n: int, width: int) -> None:
    with pytest.raises(MalformedError, match=r"^tile_path\b"):
        tile_path(level, n, width)


@pytest.mark.parametrize(("n", "width"), [(-1, 1), (0, 0), (0, 257), (0, -1)])
def test_there_is_no_such_bundle(n: int, width: int) -> None:
    with pytest.raises(MalformedError, match=r"^tile_path\b"):
        entry_bundle_path(n, width)


def test_bundle() -> None:
    assert encode_bundle([b"ab", b"", b"c"]) == b"\x00\x02ab\x00\x00\x00\x01c"
    assert decode_bundle(b"\x00\x02ab\x00\x00\x00\x01c", 3) == [b"ab", b"", b"c"]


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5))
def test_bundle_round_trip(items: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(items), len(items)) == items


def test_the_longest_entry() -> None:
    assert MAX_ENTRY == 65_535
    assert decode_bundle(encode_bundle([bytes(65_535)]), 1) == [bytes(65_535)]
    with pytest.raises(MalformedError, match=r"^entry_too_long\b"):
        encode_bundle([b"a", bytes(65_536)])


@pytest.mark.parametrize(
    ("data", "width"),
    [
        (b"", 1),
        (b"\x00", 1),
        (b"\x00\x02a", 1),
        (b"\x00\x01a", 2),
        (b"\x00\x01a\x00", 1),
        (b"\x00\x01a\x00\x01b", 1),
        (b"\x00\x01a\x00\x01", 2),
        (b"\x00\x01a\x00", 2),
        (b"\xff\xff", 1),
    ],
)
def test_what_is_no_bundle(data: bytes, width: int) -> None:
    with pytest.raises(MalformedError) as caught:
        decode_bundle(data, width)
    assert caught.value.code == "bundle"


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 1600])
def test_files_are_as_the_specification_defines(tmp_path: Path, size: int) -> None:
    write(TileFolder(tmp_path), size)
    assert files(tmp_path) == dict(defined(size))


def test_every_published_size_keeps_its_partial_tiles(tmp_path: Path) -> None:
    sizes = (3, 200, 256, 257, 300, 700)
    write(TileFolder(tmp_path), *sizes)
    expected = {path: data for size in sizes for path, data in defined(size)}
    assert files(tmp_path) == expected


def test_the_specifications_example_of_three_levels(tmp_path: Path) -> None:
    size = 70_000
    items = entries(size)
    hashes = [leaf_hash(item) for item in items]
    folder = TileFolder(tmp_path)
    folder.write_range(0, 65_000, hashes[:65_000], items[:65_000])
    folder.write_range(65_000, size, hashes[65_000:], items[65_000:])
    folder.verify_range(0, size)
    names = set(files(tmp_path))
    assert len([name for name in names if name.startswith("tile/0/") and ".p/" not in name]) == 273
    assert {"tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"} <= names
    assert "tile/1/001" not in names
    assert "tile/2/000" not in names
    edge = Edge()
    edge.extend(hashes)
    reader = folder.reader(size)
    assert root(reader, size) == edge.root()
    assert (tmp_path / "tile/2/000.p/1").read_bytes() == reader.node(16, 0)
    assert list(folder.entries(69_000, size)) == items[69_000:]
    _damage_is_found_on_every_level(tmp_path, size)
    folder.drop_partials(65_000, size)
    left = {name.partition(".p/")[0] for name in files(tmp_path) if ".p/" in name}
    assert left == {"tile/0/273", "tile/1/001", "tile/2/000", "tile/entries/273"}


def _damage_is_found_on_every_level(folder: Path, size: int) -> None:
    """What stands above a tile betrays it, also beyond the first 65,536 entries."""
    for above, below, old in (
        ("tile/2/000.p/1", "tile/1/000", 0),
        ("tile/2/000.p/1", "tile/1/000", 65_300),
        ("tile/1/000", "tile/0/255", 65_300),
        ("tile/1/001.p/17", "tile/0/272", 69_700),
    ):
        whole = (folder / above).read_bytes()
        (folder / above).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(VerificationError) as caught:
            TileFolder(folder).verify_range(old, size)
        assert (caught.value.code, caught.value.extra["path"]) == ("tile_damaged", below)
        (folder / above).write_bytes(whole)
        TileFolder(folder).verify_range(old, size)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=4), st.data())
def test_however_it_was_written_it_reads_the_same(steps: list[int], data: st.DataObject) -> None:
    sizes = [sum(steps[: count + 1]) for count in range(len(steps))]
    size = sizes[-1]
    with tempfile.TemporaryDirectory() as name:
        folder = TileFolder(Path(name), cache_tiles=2)
        write(folder, *sizes)
        folder.verify_range(0, size)
        assert root(folder.reader(size), size) == slow_root(LEAVES[:size])
        index = data.draw(st.integers(0, size - 1))
        path = inclusion_path(folder.reader(size), index, size)
        assert path == slow_inclusion_path(LEAVES[:size], index)
        old = data.draw(st.sampled_from(sizes))
        proof = consistency_path(folder.reader(size), old, size)
        assert proof == slow_consistency_path(LEAVES[:size], old)
        verify_consistency(old, slow_root(LEAVES[:old]), size, slow_root(LEAVES[:size]), proof)
        assert list(folder.entries(index, size)) == ENTRIES[index:size]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 700), st.integers(1, 900))
def test_hashes_that_the_caller_has_are_written_as_those_made_here(old: int, added: int) -> None:
    new = old + added
    edge = Edge()
    edge.extend(LEAVES[:old])
    rows = edge.extend(LEAVES[old:new])
    with tempfile.TemporaryDirectory() as name:
        folder = TileFolder(Path(name))
        write(folder, old)
        folder.write_range(old, new, rows[0], ENTRIES[old:new], rows[8::8])
        folder.verify_range(0, new)
        assert files(Path(name)) == dict(defined(old)) | dict(defined(new))


@pytest.mark.parametrize("above", [[[]], [LEAVES[:1]], [LEAVES[:3]], [LEAVES[:2], LEAVES[:1]]])
def test_one_hash_is_needed_for_each_tile_that_becomes_full(
    tmp_path: Path, above: list[list[Digest]]
) -> None:
    with pytest.raises(MalformedError, match=r"^tile_range\b"):
        TileFolder(tmp_path).write_range(0, 600, LEAVES[:600], ENTRIES[:600], above)
    assert files(tmp_path) == {}


def test_hashes_of_the_caller_that_are_wrong_are_found_when_read_back(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    wrong = [slow_root(LEAVES[:256]), LEAVES[0]]
    folder.write_range(0, 600, LEAVES[:600], ENTRIES[:600], [wrong])
    with pytest.raises(VerificationError, match=r"^tile_damaged\b"):
        folder.verify_range(0, 600)


def test_nothing_to_add_writes_nothing(tmp_path: Path) -> None:
    TileFolder(tmp_path).write_range(0, 0, [], [])
    TileFolder(tmp_path).write_range(300, 300, [], [])
    assert files(tmp_path) == {}


@pytest.mark.parametrize(
    ("old", "new", "hashes", "items"),
    [(0, 2, 1, 2), (0, 2, 2, 1), (0, 2, 3, 2), (2, 1, 0, 0), (-1, 1, 2, 2)],
)
def test_a_range_must_be_whole(tmp_path: Path, old: int, new: int, hashes: int, items: int) -> None:
    with pytest.raises(MalformedError, match=r"^tile_range\b"):
        TileFolder(tmp_path).write_range(old, new, LEAVES[:hashes], ENTRIES[:items])
    assert files(tmp_path) == {}


def test_writing_reads_only_the_last_tiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = TileFolder(tmp_path)
    write(folder, 1500)
    read: list[str] = []
    original = Path.read_bytes

    def counting(path: Path) -> bytes:
        data = original(path)  # what is not there costs nothing
        read.append(str(path.relative_to(tmp_path)))
        return data

    monkeypatch.setattr(Path, "read_bytes", counting)
    folder.write_range(1500, 1540, LEAVES[1500:1540], ENTRIES[1500:1540])
    assert sorted(read) == ["tile/0/005.p/220", "tile/1/000.p/5", "tile/entries/005.p/220"]
    read.clear()
    folder.write_range(1540, 1541, LEAVES[1540:1541], ENTRIES[1540:1541])
    assert sorted(read) == ["tile/0/006.p/4", "tile/entries/006.p/4"]  # no tile above changes


def test_folders_are_durable_whoever_made_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker may have made a folder and not have come to syncing its name."""
    synced: list[Path] = []
    fsync = os.fsync

    def recording(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        fsync(handle)

    def synced_by(old: int, new: int) -> set[Path]:
        synced.clear()
        folder.write_range(old, new, LEAVES[old:new], ENTRIES[old:new])
        return {path for path in synced if path.is_dir()}

    monkeypatch.setattr(os, "fsync", recording)
    folder = TileFolder(tmp_path)
    above = {tmp_path, tmp_path / "tile", tmp_path / "tile/0", tmp_path / "tile/entries"}
    partials = {tmp_path / "tile/0/000.p", tmp_path / "tile/entries/000.p"}
    for path in partials:
        path.mkdir(parents=True)
    assert synced_by(0, 10) == above | partials
    assert synced_by(10, 20) == partials  # known by now: nothing is synced for nothing
    synced_by(20, 300)
    folder.drop_partials(20, 300)
    for path in partials:
        path.mkdir()
    assert synced_by(20, 30) >= partials | {path.parent for path in partials}


def test_full_tiles_are_read_once_and_no_more_are_kept_than_allowed(tmp_path: Path) -> None:
    write(TileFolder(tmp_path), 1024)
    small, large = TileFolder(tmp_path, cache_tiles=1), TileFolder(tmp_path, cache_tiles=4)
    for folder in (small, large):
        for index in (0, 256, 512, 768):
            folder.reader(1024).node(0, index)
    for n in range(4):
        (tmp_path / tile_path(0, n)).unlink()
    assert [large.reader(1024).node(0, n * 256) for n in range(4)] == LEAVES[:1024:256]
    assert small.reader(1024).node(5, 768 // 32) == slow_root(LEAVES[768:800])  # the last one
    with pytest.raises(VerificationError, match=r"^tile_missing\b"):
        small.reader(1024).node(0, 0)


@pytest.mark.parametrize(("level", "index"), [(0, 300), (8, 1), (9, 0), (0, -1), (-1, 0), (1, 150)])
def test_a_reader_ends_where_its_tree_ends(tmp_path: Path, level: int, index: int) -> None:
    folder = TileFolder(tmp_path)
    write(folder, 600)
    with pytest.raises(MalformedError, match=r"^node_outside\b"):
        folder.reader(300).node(level, index)


def test_a_partial_tile_may_go_once_the_full_one_is_there(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    sizes = (10, 200, 256, 300)
    write(folder, *sizes)
    expected = {size: slow_root(LEAVES[:size]) for size in sizes}
    folder.drop_partials(200, 300)
    assert {name for name in files(tmp_path) if ".p/" in name} == {
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/001.p/44",
    }
    assert not list(tmp_path.rglob("000.p")) or list(tmp_path.rglob("000.p")) == [
        tmp_path / "tile/1/000.p"
    ]
    for size, found in expected.items():  # every older checkpoint can still be proved
        assert root(folder.reader(size), size) == found
        assert list(folder.entries(0, size)) == ENTRIES[:size]


def test_dropping_keeps_what_has_no_full_tile(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    write(folder, 10, 200)
    before = files(tmp_path)
    folder.drop_partials(10, 200)
    folder.drop_partials(0, 0)
    assert files(tmp_path) == before
    folder.drop_partials(200, 300)  # said to be full, and is not
    assert files(tmp_path) == before


def test_a_worker_left_behind_writes_the_same_from_the_full_tiles(tmp_path: Path) -> None:
    ahead, behind = TileFolder(tmp_path), TileFolder(tmp_path)
    write(ahead, 200, 400)
    ahead.drop_partials(200, 400)
    behind.write_range(200, 250, LEAVES[200:250], ENTRIES[200:250])
    assert root(behind.reader(250), 250) == slow_root(LEAVES[:250])
    assert root(ahead.reader(400), 400) == slow_root(LEAVES[:400])


def test_an_interrupted_write_is_done_by_the_next(tmp_path: Path) -> None:
    """Whichever files a crash left out, writing the range again completes them."""
    whole = tmp_path / "whole"
    write(TileFolder(whole), 300, 600)
    new = sorted(set(dict(defined(600))) - set(dict(defined(300))))
    for lost in range(1 << len(new)):
        if lost.bit_count() not in (1, 2, len(new)):
            continue
        for at, name in enumerate(new):
            if lost >> at & 1:
                (whole / name).unlink(missing_ok=True)
        TileFolder(whole).write_range(300, 600, LEAVES[300:600], ENTRIES[300:600])
        assert files(whole) == dict(defined(300)) | dict(defined(600))


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.rename", "pathlib.Path.mkdir"])
def test_a_disk_that_fills_up_at_any_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Whatever was written by then is whole, nothing lies about, and the next call completes it."""
    module, _, name = call.rpartition(".")
    target: object = {"os": os, "pathlib.Path": Path}[module]
    original = getattr(target, name)
    steps = 0

    def failing(*args: object, **kwargs: object) -> object:
        nonlocal steps
        steps -= 1
        if steps == 0:
            raise OSError(errno.ENOSPC, "full")
        return original(*args, **kwargs)

    expected = dict(defined(300)) | dict(defined(600))
    for failure in range(1, 60):
        folder = TileFolder(tmp_path / str(failure))
        write(folder, 300)
        steps = failure
        with monkeypatch.context() as patch:
            patch.setattr(target, name, failing)
            try:
                folder.write_range(300, 600, LEAVES[300:600], ENTRIES[300:600])
            except UnavailableError as error:
                full = error
            else:
                assert files(tmp_path / str(failure)) == expected
                break
        assert full.code == "disk_full"
        assert files(tmp_path / str(failure)).items() <= expected.items()
        folder.write_range(300, 600, LEAVES[300:600], ENTRIES[300:600])
        assert files(tmp_path / str(failure)) == expected
    assert failure > 2, "the fault was never met"


def test_two_workers_at_once(tmp_path: Path) -> None:
    start, failures = threading.Barrier(4), list[BaseException]()

    def work() -> None:
        folder = TileFolder(tmp_path)
        try:
            for old, new in ((0, 100), (100, 300), (300, 301), (301, 900)):
                start.wait()
                folder.write_range(old, new, LEAVES[old:new], ENTRIES[old:new])
                folder.verify_range(old, new)
        except BaseException as error:  # noqa: BLE001  # shown by the test, whatever it is
            failures.append(error)
            start.abort()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    expected = {path: data for size in (100, 300, 301, 900) for path, data in defined(size)}
    assert files(tmp_path) == expected


def test_threads_share_a_folder(tmp_path: Path) -> None:
    write(TileFolder(tmp_path), 1600)
    folder = TileFolder(tmp_path, cache_tiles=3)
    expected = {index: slow_inclusion_path(LEAVES[:1600], index) for index in range(0, 1600, 61)}
    wrong: list[int] = []

    def work() -> None:
        for index, path in expected.items():
            if inclusion_path(folder.reader(1600), index, 1600) != path:
                wrong.append(index)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
