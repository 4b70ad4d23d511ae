"""Writing files so that after a crash each is there whole, or not at all."""

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_IFREG, S_ISDIR, S_ISLNK, S_ISREG
from typing import Final

from chain.errors import UnavailableError

_AT_ONCE: Final = 64
"""Files that are open at once: they are synced together, which costs half as much."""

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


def write_file(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace ``path`` by ``data``, durably: a crash leaves the old file or the new one.

    Makes missing folders. Raises UnavailableError ``disk_full`` or ``write_failed``, and then
    nothing has changed.
    """
    write_files([(path, data)], mode=mode)


def write_files(files: Iterable[tuple[Path, bytes]], *, mode: int = 0o644) -> None:
    """Write several files like ``write_file``, syncing each folder once, at the end.

    In the order given; a crash may leave any of them unwritten, none of them in part. A file
    that already holds these bytes stays; its folder is synced all the same, since whoever
    wrote it may not have come to that yet.
    """
    folders: dict[Path, None] = {}
    asides: list[_Aside] = []
    try:
        for path, data in files:
            if path.parent not in folders:
                make_folder(path.parent)
                folders[path.parent] = None
            if not _holds(path, data, mode):
                asides.append(_Aside(path))
                asides[-1].write(data, mode)
            if len(asides) == _AT_ONCE:
                _replace(asides)
        _replace(asides)
    finally:
        for aside in asides:  # what has failed
            aside.drop()
    # A crash before this line may undo the renames: what they replaced comes back, whole.
    for folder in folders:
        fsync_dir(folder)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, durably; one that is there already is fine."""
    if path.is_dir():
        return
    make_folder(path.parent)
    try:
        path.mkdir()
    except FileExistsError:
        if not path.is_dir():  # else another worker made it just now
            what = f"{path} is in the way of a folder: move it elsewhere"
            raise UnavailableError("write_failed", what) from None
    except OSError as error:
        raise _unavailable(error, path) from error
    fsync_dir(path.parent)


def fsync_dir(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise _unavailable(error, folder) from error


def _holds(path: Path, data: bytes, mode: int) -> bool:
    try:
        status = path.stat()
        same = (status.st_size, status.st_mode) == (len(data), S_IFREG | mode)
        return same and path.read_bytes() == data
    except OSError:  # what cannot be read is written again
        return False


def _is_device(path: Path) -> bool:
    """Whether a file put in its place would do away with more than a file."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return not (S_ISREG(mode) or S_ISDIR(mode) or S_ISLNK(mode))


def _replace(asides: list["_Aside"]) -> None:
    """Put these files in their places, all of them on disk before the first; leave none here."""
    for aside in asides:
        aside.sync()
    while asides:
        asides[0].put()
        del asides[0]


class _Aside:
    """A file beside the one that it will replace, under a name nobody else uses."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1
        self._name = ""

    def write(self, data: bytes, mode: int) -> None:
        """Write it; UnavailableError."""
        if _is_device(self._path):
            raise UnavailableError("write_failed", f"{self._path} is a device or a pipe")
        with self._translated():
            self._handle, self._name = tempfile.mkstemp(
                prefix=f".{self._path.name}.", suffix=".tmp", dir=self._path.parent
            )
            with os.fdopen(self._handle, "wb", closefd=False) as file:
                file.write(data)
            os.fchmod(self._handle, mode)

    def sync(self) -> None:
        """Have it on disk; after others were written, one journal entry does for all of them."""
        with self._translated():
            # A crash before the rename leaves only the file aside, which nobody reads.
            os.fsync(self._handle)

    def put(self) -> None:
        """Rename it onto the other."""
        with self._translated():
            Path(self._name).rename(self._path)
        self._name = ""
        self.drop()

    def drop(self) -> None:
        """Close it, and remove it unless it is in its place."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        if self._name:
            with suppress(OSError):
                Path(self._name).unlink()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _unavailable(error, self._path) from error


def _unavailable(error: OSError, path: Path) -> UnavailableError:
    if error.errno in _DISK_FULL:
        return UnavailableError("disk_full", f"the disk is full, writing {path}")
    return UnavailableError("write_failed", f"cannot write {path}: {error.strerror}")
