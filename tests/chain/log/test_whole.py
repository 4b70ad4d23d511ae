"""A folder that lost full tiles: they come back as they were, or are named."""

import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

import pytest

from chain.block import Row
from chain.errors import UnavailableError, VerificationError
from chain.hashing import ZERO, leaf_hashes
from chain.log.whole import WholeFolder
from chain.signing.checkpoint import Checkpoint
from chain.signing.policy import Policy
from chain.tree import merkle
from chain.tree.tiles import TILE_WIDTH, TileFolder, TileId, encode_bundle, full_root
from tests.chain.books import ORIGIN, Books
from tests.witness.inside import cosigner

LOST = [
    ["tile/0/001"],
    ["tile/entries/000"],
    ["tile/0/001", "tile/entries/001", "tile/entries/000"],
    ["tile/0/000", "tile/0/001", "tile/0/002"],
]


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """A log of three full tiles and a partial one."""
    books = Books(tmp_path)
    books.grow(400, 387)
    return books


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file of the log."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("lost", LOST, ids=",".join)
@pytest.mark.parametrize("again", [False, True], ids=["running", "restarted"])
def test_what_is_lost_comes_back_before_anything_is_signed(
    books: Books, lost: list[str], again: bool
) -> None:
    before = contents(books.log_folder)
    books = Books(books.folder) if again else books
    for path in lost:
        (books.log_folder / path).unlink()
    books.add(2)
    books.publish()
    assert before.items() - contents(books.log_folder).items() <= _moved(books, before)


def _moved(books: Books, before: dict[Path, bytes]) -> set[tuple[Path, bytes]]:
    """What a publication replaces: the checkpoint."""
    path = books.log_folder / "checkpoint"
    return {(path, before[path])}


def test_a_lost_folder_comes_back(books: Books) -> None:
    before = contents(books.log_folder)
    for path in (books.log_folder / "tile/entries").iterdir():
        if path.is_file():
            path.unlink()
    assert len(books.log.publisher.mend()) == 3
    assert contents(books.log_folder) == before
    assert books.log.publisher.mend() == []


@pytest.mark.parametrize("path", ["tile/0/001", "tile/entries/001"])
def test_what_the_database_does_not_lead_to_is_named_and_nothing_is_signed(
    books: Books, path: str
) -> None:
    signed = books.published()
    books.add(2)
    (books.log_folder / path).unlink()
    books.tamper("UPDATE entries SET entry = ? WHERE idx = 300", b"another")
    with pytest.raises(VerificationError, match=path) as caught:
        books.publish()
    assert (caught.value.code, caught.value.extra) == ("tile_missing", {"path": path})
    assert not (books.log_folder / path).exists()
    assert books.published() == signed


def test_entries_that_are_gone_are_named(books: Books) -> None:
    (books.log_folder / "tile/entries/001").unlink()
    books.tamper("DELETE FROM entries WHERE idx = 300")
    with pytest.raises(VerificationError, match="tile/entries/001"):
        books.log.publisher.mend()


def test_tiles_of_two_levels_come_back(tmp_path: Path) -> None:
    """The upper one from the lower ones, some of which are lost as well."""
    books = Books(tmp_path)
    books.grow(256 * 256 + 10)
    before = contents(books.log_folder)
    for path in ("tile/1/000", "tile/0/007", "tile/0/255", "tile/entries/007"):
        (books.log_folder / path).unlink()
    assert [tile.path() for tile in books.log.publisher.mend()] == [
        "tile/1/000",
        "tile/0/007",
        "tile/0/255",
        "tile/entries/007",
    ]
    assert contents(books.log_folder) == before
    upper, lower = books.log_folder / "tile/1/000", books.log_folder / "tile/0/007"
    upper.chmod(0o644)
    upper.write_bytes(bytes(32) + upper.read_bytes()[32:])  # it leads nowhere, nor does what it has
    lower.unlink()
    with pytest.raises(VerificationError, match="tile/0/007"):
        books.log.publisher.mend()
    assert not lower.exists()


def test_nothing_is_rebuilt_below_a_tile_that_leads_elsewhere(books: Books) -> None:
    (books.log_folder / "tile/0/001").unlink()
    (last,) = (books.log_folder / "tile/0/003.p").iterdir()
    last.chmod(0o644)
    last.write_bytes(bytes(last.stat().st_size))
    books = Books(books.folder)
    with pytest.raises(VerificationError) as caught:
        books.log.publisher.mend()
    assert caught.value.code == "root_mismatch"
    assert not (books.log_folder / "tile/0/001").exists()


def test_a_folder_that_cannot_be_looked_into_is_named(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "not for you")

    (books.log_folder / "tile/0/001").unlink()
    monkeypatch.setattr("chain.log.whole.scandir", refuse)
    with pytest.raises(UnavailableError, match=r"tile/0: not for you$") as caught:
        books.log.publisher.mend()
    assert caught.value.code == "read_failed"


def test_a_folder_that_did_not_change_is_looked_into_once(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(books.log_folder / "tile/0", (0, 0))  # so that the next change is at another time
    books.log.publisher.mend()
    monkeypatch.setattr("chain.log.whole.scandir", None)  # whoever calls it fails
    assert books.log.publisher.mend() == []
    (books.log_folder / "tile/0/001").unlink()
    with pytest.raises(TypeError):
        books.log.publisher.mend()


FULL = 1001
"""Tiles: one more than stand in one folder."""

ENTRIES = [b"entry %d" % n for n in range(TILE_WIDTH)]


def _rows(first: int, end: int) -> Iterator[Row]:
    """A database in which every tile has the same entries, so that a large log is soon made."""
    for index in range(first, end):
        yield Row(index, ENTRIES[index % TILE_WIDTH], ZERO)


class Uniform:
    """The folder of such a log, most of whose files are one file under many names."""

    def __init__(self, folder: Path) -> None:
        self.tiles = TileFolder(folder)
        leaves = leaf_hashes(ENTRIES)
        above = [full_root(leaves)] * FULL
        highest = [full_root(above[:TILE_WIDTH])] * (FULL // TILE_WIDTH)
        self._many(folder, None, encode_bundle(ENTRIES))
        self._many(folder, 0, b"".join(leaves))
        for level, row in ((1, above), (2, highest)):
            for n, start in enumerate(range(0, len(row), TILE_WIDTH)):
                part = row[start : start + TILE_WIDTH]
                path = folder / TileId(level, n, len(part)).path()
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"".join(part))
        size = FULL * TILE_WIDTH
        self.signed = Checkpoint(ORIGIN, size, merkle.root(self.tiles.reader(size), size))
        self.whole = WholeFolder(self.tiles, folder, _rows)

    def _many(self, folder: Path, level: int | None, data: bytes) -> None:
        first = folder / TileId(level, 0).path()
        for n in range(FULL):
            path = folder / TileId(level, n).path()
            path.parent.mkdir(parents=True, exist_ok=True)
            if n:
                os.link(first, path)
            else:
                path.write_bytes(data)

    def lose(self, folder: Path, *paths: str) -> dict[Path, bytes]:
        """Remove these files, and return what stood in them."""
        lost = {folder / path: (folder / path).read_bytes() for path in paths}
        for path in lost:
            path.unlink()
        return lost


def test_more_tiles_than_stand_in_one_folder(tmp_path: Path) -> None:
    uniform = Uniform(tmp_path)
    assert uniform.whole.mend(uniform.signed) == []
    paths = ["tile/1/002", "tile/0/000", "tile/0/999", "tile/0/x001/000", "tile/entries/x001/000"]
    lost = uniform.lose(tmp_path, *paths)
    assert [tile.path() for tile in uniform.whole.mend(uniform.signed)] == paths
    assert {path: path.read_bytes() for path in lost} == lost
    assert uniform.whole.mend(uniform.signed) == []


def test_what_was_rebuilt_is_written_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So memory holds few, and a crash leaves those before it, which are not made again."""
    uniform = Uniform(tmp_path)
    lost = uniform.lose(tmp_path, *(f"tile/0/{n:03}" for n in range(150)))
    put_back, left = TileFolder.put_back, 2

    def crash(tiles: TileFolder, files: Mapping[TileId, bytes]) -> None:
        nonlocal left
        if not left:
            raise UnavailableError("disk_full", "there is no room")
        left -= 1
        put_back(tiles, files)

    with monkeypatch.context() as patch:
        patch.setattr(TileFolder, "put_back", crash)
        with pytest.raises(UnavailableError):
            uniform.whole.mend(uniform.signed)
    there = [path for path in lost if path.exists()]
    assert 2 <= len(there) <= 128
    assert there == list(islice(lost, len(there)))
    assert len(uniform.whole.mend(uniform.signed)) == 150 - len(there)
    assert {path: path.read_bytes() for path in lost} == lost


ENDS = [
    ["tile/0/003.p/21"],
    ["tile/entries/003.p/21"],
    ["tile/1/000.p/3"],
    ["tile/1/000.p/3", "tile/0/003.p/21", "tile/entries/003.p/21", "tile/0/002", "tile/0/000"],
]


@pytest.mark.parametrize("lost", ENDS, ids=",".join)
def test_the_last_tiles_come_back_and_the_log_goes_on(books: Books, lost: list[str]) -> None:
    before = contents(books.log_folder)
    for path in lost:
        (books.log_folder / path).unlink()
    books = Books(books.folder)
    assert {tile.path() for tile in books.log.publisher.mend()} == set(lost)
    assert contents(books.log_folder) == before
    assert books.log.publisher.mend() == []
    for path in lost:
        (books.log_folder / path).unlink()
    books.add(2)
    books.publish()
    assert before.items() - contents(books.log_folder).items() <= _moved(books, before)


def test_the_last_tiles_of_three_levels_come_back(tmp_path: Path) -> None:
    books = Books(tmp_path)
    books.grow(256 * 256 + 256 + 10)
    before = contents(books.log_folder)
    for path in ("tile/2/000.p/1", "tile/1/001.p/1", "tile/1/000", "tile/0/007"):
        (books.log_folder / path).unlink()
    assert len(books.log.publisher.mend()) == 4
    assert contents(books.log_folder) == before


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("tile/0/003.p/21", 300),
        ("tile/entries/003.p/21", 300),
        ("tile/1/000.p/3", 780),
    ],
)
def test_of_the_database_only_what_the_last_tiles_need_has_to_lead_to_them(
    books: Books, path: str, place: int
) -> None:
    (books.log_folder / path).unlink()
    books.tamper("UPDATE entries SET entry = ? WHERE idx = ?", b"another", place)
    assert [tile.path() for tile in books.log.publisher.mend()] == [path]


@pytest.mark.parametrize("path", ["tile/0/003.p/21", "tile/entries/003.p/21"])
@pytest.mark.parametrize("more", [[], ["tile/0/000"]], ids=["alone", "with a full one"])
def test_last_tiles_to_which_the_database_does_not_lead_are_named(
    books: Books, path: str, more: list[str]
) -> None:
    for lost in (path, *more):
        (books.log_folder / lost).unlink()
    books.tamper("UPDATE entries SET entry = ? WHERE idx = 780", b"another")
    with pytest.raises(VerificationError, match=path) as caught:
        books.log.publisher.mend()
    assert (caught.value.code, caught.value.extra) == ("tile_missing", {"path": path})
    assert not (books.log_folder / path).exists()


def test_a_tile_that_is_cut_off_is_no_lost_one(books: Books) -> None:
    (books.log_folder / "tile/entries/000").unlink()
    whole = books.log_folder / "tile/0/000"
    whole.chmod(0o644)
    whole.write_bytes(whole.read_bytes()[:-32])
    with pytest.raises(VerificationError, match="tile/0/000") as caught:
        Books(books.folder).log.publisher.mend()
    assert caught.value.code == "tile_damaged"
    assert not (books.log_folder / "tile/entries/000").exists()


def test_last_entries_that_are_gone_are_named(books: Books) -> None:
    (books.log_folder / "tile/0/003.p/21").unlink()
    books.tamper("DELETE FROM entries WHERE idx = 780")
    with pytest.raises(VerificationError, match=r"tile/entries/003\.p/21") as caught:
        books.log.publisher.mend()
    assert caught.value.code == "tile_missing"


def test_the_last_tiles_of_what_is_published_are_wanted_as_well(tmp_path: Path) -> None:
    """Where witnesses are awaited, more is signed than published."""
    books = Books(tmp_path)
    books.grow(300)
    waiting = Books(tmp_path, policy=Policy((cosigner(1).verifier,), 1))
    waiting.add(5)
    assert waiting.publish().size == 307
    before = contents(books.log_folder)
    lost = ["tile/0/001.p/45", "tile/0/001.p/51", "tile/entries/001.p/45"]
    for path in lost:
        (books.log_folder / path).unlink()
    assert {tile.path() for tile in waiting.log.publisher.mend()} == set(lost)
    assert contents(books.log_folder) == before
