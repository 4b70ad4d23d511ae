"""What is read of a file that others replace is what stands there."""

import os
from pathlib import Path

import pytest

from chain.durable import write_file
from chain.log.watched import Watched


def test_every_replacement_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "file"
    watched = Watched(path)
    for n in range(200):  # within one tick of the file system's clock, numbers are used again
        write_file(path, b"%03d" % n)
        assert watched.read() == b"%03d" % n


def test_a_change_in_place_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    watched = Watched(path)
    assert watched.read() == b"one"
    path.write_bytes(b"two")
    assert watched.read() == b"two"


def test_a_file_that_may_have_just_changed_is_read_each_time(tmp_path: Path) -> None:
    """Of a later time than now, as after a clock was set back, every file may have."""
    path = tmp_path / "file"
    watched = Watched(path)
    for data in (b"one", b"two"):
        path.write_bytes(data)
        _settle(path, 2**33)
        assert watched.read() == data


def test_a_file_that_stays_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_file(path, b"one")
    _settle(path, 1)
    watched = Watched(path)
    assert watched.read() == b"one"
    with monkeypatch.context() as patch:
        patch.delattr(Path, "read_bytes")
        assert watched.read() == b"one"
    write_file(path, b"two")
    assert watched.read() == b"two"
    _settle(path, 2)
    assert watched.read() == b"two"


def test_a_file_of_the_same_time_and_length_is_told_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"one")
    _settle(path, 1)
    watched = Watched(path)
    assert watched.read() == b"one"
    write_file(path, b"two")
    _settle(path, 1)
    assert watched.read() == b"two"


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    watched = Watched(path)
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            watched.read()
        write_file(path, b"one")
        _settle(path, 1)
        assert watched.read() == b"one"
        path.unlink()


def _settle(path: Path, second: int) -> None:
    """Date the file back: it has not changed for long."""
    os.utime(path, (second, second))
