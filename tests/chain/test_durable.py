"""A file is there whole or not at all, and a full disk is an answer, not a crash."""

import errno
import os
import shlex
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from chain.durable import fsync_dir, make_folder, write_file, write_files
from chain.errors import UnavailableError
from tests.patience import PATIENCE, returns


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    write_file(path, b"one")
    write_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert names(path.parent) == ["file"]


def test_everybody_may_read_unless_told_otherwise(tmp_path: Path) -> None:
    write_file(tmp_path / "a", b"")
    write_files([(tmp_path / "b", b"")])
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"} == {0o644}


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    write_file(path, b"secret", mode=0o644)
    write_file(path, b"secret", mode=mode)  # the same bytes, but not for everybody
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_the_same_bytes_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"one")
    before = path.stat()
    write_file(path, b"one")
    assert path.stat().st_ino == before.st_ino
    write_file(path, b"two")
    assert path.stat().st_ino != before.st_ino


def test_several_files(tmp_path: Path) -> None:
    write_files([(tmp_path / "a" / "1", b"1"), (tmp_path / "b" / "2", b"2")])
    assert (tmp_path / "a" / "1").read_bytes() == b"1"
    assert (tmp_path / "b" / "2").read_bytes() == b"2"


def record(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record syncs and renames, doing them for real."""
    done: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def synced(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        size = "" if path.is_dir() else f" of {path.stat().st_size} bytes"
        done.append(f"sync {path.name}{size}")
        fsync(handle)

    def renamed(path: Path, target: Path) -> Path:
        done.append(f"rename to {target.name}")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    return done


def test_contents_are_synced_before_the_name_and_the_name_before_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = record(monkeypatch)
    write_file(tmp_path / "a" / "file", b"data")
    assert done[0] == f"sync {tmp_path.name}"  # the new folder's name
    assert done[1].startswith("sync .file.")
    assert done[1].endswith(" of 4 bytes")
    assert done[2:] == ["rename to file", "sync a"]


def test_the_folder_is_synced_even_if_another_wrote_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"data")
    (tmp_path / "file").chmod(0o644)
    done = record(monkeypatch)
    write_file(tmp_path / "file", b"data")
    assert done == [f"sync {tmp_path.name}"]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EIO, "write_failed"),
        (errno.EROFS, "write_failed"),
    ],
)
@pytest.mark.parametrize("call", ["os.fsync", "os.fchmod", "pathlib.Path.rename", "os.open"])
def test_a_failing_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str, call: str
) -> None:
    path = tmp_path / "file"
    write_file(path, b"old")

    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(call, fail)
        with pytest.raises(UnavailableError) as caught:
            write_file(path, b"new")
    assert caught.value.code == code
    assert names(tmp_path) == ["file"]  # nothing lies about
    assert path.read_bytes() == b"old"


def test_what_is_written_aside_stands_on_the_same_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    write_file(tmp_path / "file", b"new")
    assert names(tmp_path) == ["file"]


FILL = """
from pathlib import Path
import sys
from chain.durable import write_file
from chain.errors import UnavailableError
folder = Path(sys.argv[1])
for number in range(100):
    try:
        write_file(folder / str(number), bytes(20_000))
    except UnavailableError as error:
        left = sorted(path.name for path in folder.iterdir())
        whole = all(path.stat().st_size == 20_000 for path in folder.iterdir())
        print(error.code, left == sorted(map(str, range(number))), whole)
        break
"""


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    private = ["unshare", "--map-root-user", "--mount"]
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "none", str(tmp_path)]
    if subprocess.run([*private, *mount], capture_output=True, check=False).returncode:
        pytest.skip("may not mount a small disk here")
    script = f'{shlex.join(mount)} && exec "$@"'
    command = [*private, "sh", "-c", script, "sh", sys.executable, "-c", FILL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert done.stdout.split() == ["disk_full", "True", "True"]


def test_a_path_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnavailableError, match=r"^write_failed\b"):
        write_file(tmp_path / "file" / "below", b"data")
    with pytest.raises(UnavailableError, match=r"^write_failed\b"):
        make_folder(tmp_path / "file" / "below")


def test_a_device_or_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    """Whoever may write anywhere would else put a file in the place of /dev/null."""
    pipe, link, other = tmp_path / "pipe", tmp_path / "link", tmp_path / "other"
    os.mkfifo(pipe)
    with pytest.raises(UnavailableError, match="a device or a pipe") as caught:
        write_files([(other, b"1"), (pipe, b"2")])
    assert caught.value.code == "write_failed"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
    with pytest.raises(UnavailableError, match="a device or a pipe"):
        returns(lambda: write_file(pipe, b""))  # as long as a pipe says it is: nobody reads it
    link.symlink_to(other)
    write_file(link, b"3")
    assert link.read_bytes() == b"3"


def test_syncing_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"^write_failed\b"):
        fsync_dir(tmp_path / "missing")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnavailableError, match=r"^write_failed\b"):
        fsync_dir(tmp_path / "file")


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(UnavailableError, match="run is in the way of a folder") as caught:
        make_folder(tmp_path / "run")
    assert caught.value.code == "write_failed"


def test_make_folder_twice(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_files_written_together_are_on_disk_before_they_are_in_their_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no more of them are open at once than a process may have."""
    synced: set[str] = set()
    waiting: list[int] = []
    fsync, rename = os.fsync, Path.rename

    def note_sync(handle: int) -> None:
        fsync(handle)
        synced.add(str(Path(f"/proc/self/fd/{handle}").readlink()))

    def note_rename(path: Path, target: Path) -> Path:
        assert str(path) in synced
        waiting.append(len(list(tmp_path.glob(".*.tmp"))))
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "rename", note_rename)
    write_files((tmp_path / str(n), b"%d" % n) for n in range(150))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        str(n): b"%d" % n for n in range(150)
    }
    assert max(waiting) == 64
    assert len(synced) == 151  # and the folder


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.rename"])
def test_of_files_written_together_nothing_is_left_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    handles = set(Path("/proc/self/fd").iterdir())
    left = iter([True] * 2)

    def fail(*_: object) -> None:
        if not next(left, False):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(call, fail)
    with pytest.raises(UnavailableError, match=r"^disk_full\b"):
        write_files((tmp_path / str(n), b"") for n in range(5))
    monkeypatch.undo()
    # What is said to have been renamed was not, here.
    said = {"os.fsync": 0, "pathlib.Path.rename": 2}
    assert len(names(tmp_path)) == said[call]
    assert set(Path("/proc/self/fd").iterdir()) == handles


def test_a_process_without_standard_input_is_left_nothing_open(tmp_path: Path) -> None:
    """There the first file that is opened has the number 0."""
    kept = os.dup(0)
    os.close(0)
    try:
        write_file(tmp_path / "a", b"data")
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(0)
    finally:
        os.dup2(kept, 0)
        os.close(kept)
    assert (tmp_path / "a").read_bytes() == b"data"
