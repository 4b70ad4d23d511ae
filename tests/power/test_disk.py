"""The model disk: what each sync makes safe, and what a power cut may leave of the rest."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.power.cuts import Kept, Lost, NamesOnly, Torn, after_cut, materialise, sectors
from tests.power.disk import SECTOR, Disk, File, Folder, Write
from tests.power.replay import Replay
from tests.power.trace import TraceError, read_trace


@pytest.fixture
def disk() -> Disk:
    return Disk(Path("/d"))


def _new(disk: Disk, path: str, data: bytes) -> File:
    file = File()
    disk.create(path, file)
    disk.write(file, 0, data)
    return file


def _sync(disk: Disk, path: str) -> None:
    disk.sync(path, disk.position())


def test_a_synced_file_without_a_synced_name_is_lost(disk: Disk) -> None:
    _new(disk, "/d/a", b"x")
    _sync(disk, "/d/a")
    assert after_cut(disk, Lost()) == {}
    _sync(disk, "/d")
    assert after_cut(disk, Lost()) == {"a": b"x"}


def test_a_synced_name_without_synced_contents_is_an_empty_file(disk: Disk) -> None:
    _new(disk, "/d/a", b"x")
    _sync(disk, "/d")
    assert after_cut(disk, Lost()) == {"a": b""}
    assert after_cut(disk, Kept()) == {"a": b"x"}


def test_a_folder_lost_takes_its_files_with_it(disk: Disk) -> None:
    disk.create("/d/sub", Folder())
    _new(disk, "/d/sub/a", b"x")
    for path in ("/d/sub/a", "/d/sub"):
        _sync(disk, path)
    assert after_cut(disk, Lost()) == {}
    _sync(disk, "/d")
    assert after_cut(disk, Lost()) == {"sub": None, "sub/a": b"x"}


def test_a_rename_within_a_folder_happens_whole_or_not_at_all(disk: Disk) -> None:
    for name, data in (("a", b"old"), ("b", b"new")):
        _new(disk, f"/d/{name}", data)
        _sync(disk, f"/d/{name}")
    _sync(disk, "/d")
    disk.rename("/d/b", "/d/a")
    trees = [after_cut(disk, Torn(random.Random(seed))) for seed in range(20)]
    assert all(tree in ({"a": b"old", "b": b"new"}, {"a": b"new"}) for tree in trees)
    assert {"a": b"new"} in trees
    assert {"a": b"old", "b": b"new"} in trees


def test_a_rename_before_its_sync_may_show_an_empty_file(disk: Disk) -> None:
    _new(disk, "/d/a.new", b"x")
    disk.rename("/d/a.new", "/d/a")
    assert after_cut(disk, NamesOnly()) == {"a": b""}
    assert after_cut(disk, NamesOnly(), ordered_rename=True) == {"a": b"x"}


def test_a_rename_between_folders_may_leave_both_names(disk: Disk) -> None:
    disk.create("/d/sub", Folder())
    _new(disk, "/d/a", b"x")
    for path in ("/d/a", "/d"):
        _sync(disk, path)
    disk.rename("/d/a", "/d/sub/a")
    _sync(disk, "/d/sub")
    assert after_cut(disk, Lost()) == {"a": b"x", "sub": None, "sub/a": b"x"}


def test_a_removed_name_may_come_back(disk: Disk) -> None:
    _new(disk, "/d/a", b"x")
    for path in ("/d/a", "/d"):
        _sync(disk, path)
    disk.remove("/d/a")
    assert disk.visible() == {}
    assert after_cut(disk, Lost()) == {"a": b"x"}


def test_a_sync_covers_only_what_was_written_before_it_began(disk: Disk) -> None:
    file = _new(disk, "/d/a", b"x")
    _sync(disk, "/d")
    before = disk.position()
    disk.write(file, 1, b"late")
    disk.sync("/d/a", before)
    assert after_cut(disk, Lost()) == {"a": b"x"}
    assert after_cut(disk, Kept()) == {"a": b"xlate"}


def test_cut_and_extend_are_volatile_as_well(disk: Disk) -> None:
    file = _new(disk, "/d/a", b"abcdef")
    for path in ("/d/a", "/d"):
        _sync(disk, path)
    disk.resize(file, 2)
    disk.resize(file, 4)
    assert file.size() == 4
    assert after_cut(disk, Lost()) == {"a": b"abcdef"}
    assert after_cut(disk, Kept()) == {"a": b"ab\0\0"}


@given(offset=st.integers(0, 3 * SECTOR), data=st.binary(min_size=1, max_size=3 * SECTOR))
def test_sectors_of_a_write_join_to_the_write_and_cross_no_boundary(
    offset: int, data: bytes
) -> None:
    pieces = [piece for piece in sectors(Write(1, offset, data)) if isinstance(piece, Write)]
    assert b"".join(piece.data for piece in pieces) == data
    assert pieces[0].offset == offset
    for piece in pieces:
        assert piece.offset // SECTOR == (piece.offset + len(piece.data) - 1) // SECTOR


def test_what_is_on_disk_at_the_start_is_safe(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_bytes(b"x")
    tree = after_cut(Disk.holding(tmp_path), Lost())
    assert tree == {"sub": None, "sub/a": b"x"}
    materialise(tree, tmp_path / "again")
    assert (tmp_path / "again" / "sub" / "a").read_bytes() == b"x"


def _hex(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


@pytest.mark.parametrize(
    "line",
    [
        f"mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 3<{_hex('/d/a')}>, 0) = 1",
        f"copy_file_range(3<{_hex('/x')}>, NULL, 4<{_hex('/d/a')}>, NULL, 9, 0) = 9",
        f"fallocate(3<{_hex('/d/a')}>, FALLOC_FL_PUNCH_HOLE, 0, 100) = 0",
        f'symlink("{_hex("/x")}", "{_hex("/d/b")}") = 0',
        f'rename("{_hex("/x")}", "{_hex("/d/b")}") = 0',
        f'write(3<{_hex("/d/a")}>, "{_hex("x")}", 1) = 1',
    ],
)
def test_what_is_not_modelled_is_refused_and_not_skipped(disk: Disk, line: str) -> None:
    _new(disk, "/d/a", b"x")
    with pytest.raises(TraceError):
        list(Replay(disk, list(read_trace([f"1 1.0 {line}"]))).steps())


def test_a_sync_in_two_halves_covers_what_came_before_its_first(disk: Disk) -> None:
    path = _hex("/d/a")
    trace = [
        f'1 1.0 openat(AT_FDCWD<{_hex("/")}>, "{path}", O_RDWR|O_CREAT, 0644) = 3<{path}>',
        f'1 1.0 pwrite64(3<{path}>, "{_hex("early")}", 5, 0) = 5',
        f"1 1.1 fdatasync(3<{path}> <unfinished ...>",
        f'2 1.2 pwrite64(4<{path}>, "{_hex("late")}", 4, 5) = 4',
        "1 1.3 <... fdatasync resumed>) = 0",
    ]
    steps = list(Replay(disk, list(read_trace(trace))).steps())
    assert [step.synced for step in steps] == [False, False, False, True]
    assert after_cut(disk, NamesOnly()) == {"a": b"early"}
