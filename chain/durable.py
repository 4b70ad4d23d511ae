"""Writing files so that after a crash each is there whole, or not at all."""

import errno
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE

from chain.errors import UnavailableError

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
    for path, data in files:
        if path.parent not in folders:
            make_folder(path.parent)
            folders[path.parent] = None
        if not _holds(path, data, mode):
            _write_aside(path, data, mode)
    # A crash before this line may undo the renames: what they replaced comes back, whole.
    for folder in folders:
        fsync_dir(folder)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, durably; one that is there already is fine."""
    if path.is_dir():
        return
    make_folder(path.parent)
    try:
        with suppress(FileExistsError):  # another worker made it just now
            path.mkdir()
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
        same = status.st_size == len(data) and S_IMODE(status.st_mode) == mode
        return same and path.read_bytes() == data
    except OSError:  # what cannot be read is written again
        return False


def _write_aside(path: Path, data: bytes, mode: int) -> None:
    """Write beside ``path`` under a name nobody else uses, sync, then rename onto it."""
    aside = ""
    try:
        handle, aside = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(handle, mode)
            # A crash before the rename leaves only the file aside, which nobody reads.
            os.fsync(handle)
        Path(aside).rename(path)
    except OSError as error:
        if aside:
            with suppress(OSError):
                Path(aside).unlink()
        raise _unavailable(error, path) from error


def _unavailable(error: OSError, path: Path) -> UnavailableError:
    if error.errno in _DISK_FULL:
        return UnavailableError("disk_full", f"the disk is full, writing {path}")
    return UnavailableError("write_failed", f"cannot write {path}: {error.strerror}")
