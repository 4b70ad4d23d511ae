"""A tile that was damaged is named, never built upon, and never overwritten."""

from pathlib import Path

import pytest

from chain.errors import UnavailableError, VerificationError
from chain.hashing import Digest, leaf_hash
from chain.tree.merkle import root
from chain.tree.merkle_slow import slow_root
from chain.tree.tiles import (
    TileFolder,
    encode_bundle,
)
from tests.chain.tree.tiled import ENTRIES, LEAVES, defined, files, write

DAMAGED = ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44", "tile/0/000"]


@pytest.mark.parametrize("name", [*DAMAGED, "tile/entries/000"])
@pytest.mark.parametrize("length", [0, 1, -1, 31, 33])
def test_a_file_of_another_length_is_named(tmp_path: Path, name: str, length: int) -> None:
    write(TileFolder(tmp_path), 300)
    path = tmp_path / name
    data = path.read_bytes()
    path.write_bytes(data[:-1] if length < 0 else (data + bytes(33))[: len(data) + length])
    if length == 0:
        path.write_bytes(b"")
    folder = TileFolder(tmp_path)
    with pytest.raises(VerificationError) as caught:
        folder.verify_range(0, 300)
    assert (caught.value.code, caught.value.extra["path"]) == ("tile_damaged", name)


@pytest.mark.parametrize("name", [*DAMAGED, "tile/entries/000"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    write(TileFolder(tmp_path), 300)
    (tmp_path / name).unlink()
    with pytest.raises(VerificationError) as caught:
        TileFolder(tmp_path).verify_range(0, 300)
    assert (caught.value.code, caught.value.extra["path"]) == ("tile_missing", name)


def test_a_file_that_cannot_be_read_is_no_damage(tmp_path: Path) -> None:
    write(TileFolder(tmp_path), 300)
    path = tmp_path / "tile/0/000"
    path.unlink()
    path.mkdir()
    with pytest.raises(UnavailableError, match=r"^read_failed\b"):
        TileFolder(tmp_path).read_hashes(0, 0)


def read_back(folder: TileFolder, size: int) -> None:
    """Check as a publisher does before it signs: the range, then the root."""
    folder.verify_range(0, size)
    if root(folder.reader(size), size) != slow_root(LEAVES[:size]):
        raise VerificationError("tile_damaged", "found by the root")


@pytest.mark.parametrize("name", sorted(dict(defined(600))))
def test_one_changed_byte_is_found_when_read_back(tmp_path: Path, name: str) -> None:
    write(TileFolder(tmp_path), 600)
    path = tmp_path / name
    whole = path.read_bytes()
    for at in {0, 2, len(whole) // 2, len(whole) - 1}:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        folder = TileFolder(tmp_path)
        with pytest.raises(VerificationError, match=r"^tile_damaged\b"):
            read_back(folder, 600)


def test_a_file_with_other_bytes_is_never_overwritten(tmp_path: Path) -> None:
    write(TileFolder(tmp_path), 200)
    before = files(tmp_path)
    other = [leaf_hash(b"other"), *LEAVES[201:300]]
    items = [b"other", *ENTRIES[201:300]]
    write(TileFolder(tmp_path), 200, 300)
    written = files(tmp_path)
    with pytest.raises(VerificationError) as caught:
        TileFolder(tmp_path).write_range(200, 300, other, items)
    assert caught.value.code == "tile_differs"
    assert caught.value.extra["path"] in written
    assert files(tmp_path) == written
    assert before.items() <= written.items()


@pytest.mark.parametrize("name", ["tile/0/000.p/200", "tile/entries/000.p/200"])
def test_nothing_is_built_on_a_damaged_tile(tmp_path: Path, name: str) -> None:
    write(TileFolder(tmp_path), 200)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    before = files(tmp_path)
    with pytest.raises(VerificationError) as caught:
        TileFolder(tmp_path).write_range(200, 300, LEAVES[200:300], ENTRIES[200:300])
    assert caught.value.code == "tile_damaged"
    assert files(tmp_path) == before


def test_nothing_is_built_on_a_missing_tile(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match=r"^tile_missing\b"):
        TileFolder(tmp_path).write_range(200, 300, LEAVES[200:300], ENTRIES[200:300])
    assert files(tmp_path) == {}


def test_entries_that_are_not_the_hashes_are_found_when_read_back(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    folder.write_range(0, 3, LEAVES[:3], [*ENTRIES[:2], b"forged"])
    with pytest.raises(VerificationError, match=r"^tile_damaged\b"):
        folder.verify_range(0, 3)


@pytest.mark.parametrize("old", [0, 256, 300, 511])
def test_a_tile_that_agrees_only_with_its_bundle_is_found_when_read_back(
    tmp_path: Path, old: int
) -> None:
    """Forged in both places: the tile above tells."""
    write(TileFolder(tmp_path), 600)
    items = [*ENTRIES[256:511], b"forged"]
    (tmp_path / "tile/entries/001").write_bytes(encode_bundle(items))
    (tmp_path / "tile/0/001").write_bytes(b"".join(map(leaf_hash, items)))
    with pytest.raises(VerificationError) as caught:
        TileFolder(tmp_path).verify_range(old, 600)
    assert (caught.value.code, caught.value.extra["path"]) == ("tile_damaged", "tile/0/001")
    TileFolder(tmp_path).verify_range(512, 600)  # is not about this one


def test_a_hash_is_a_digest(tmp_path: Path) -> None:
    write(TileFolder(tmp_path), 3)
    read = TileFolder(tmp_path).read_hashes(0, 0, 3)
    assert read == [Digest(leaf) for leaf in LEAVES[:3]]
    assert all(type(item) is bytes and len(item) == 32 for item in read)
