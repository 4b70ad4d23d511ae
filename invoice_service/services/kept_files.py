"""Reading files of ours: plain ones alone, since a link could lead anywhere, also to a key."""

import os
from contextlib import closing
from pathlib import Path
from stat import S_ISREG
from typing import Final

from chain.errors import UnavailableError

# Not through a link, and without waiting for who writes into a pipe.
_HOW: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read_kept(path: Path, what: str) -> bytes | None:
    """As ``read_plain``; UnavailableError ``data_unreadable`` says that it is ``what``."""
    try:
        return read_plain(path)
    except OSError as error:
        raise UnavailableError("data_unreadable", f"{what}: {error.strerror}") from error


def read_plain(path: Path) -> bytes | None:
    """Return a file's bytes; None where there is none, or something else in its place. OSError."""
    if path.is_symlink():
        return None
    try:
        with closing(os.fdopen(os.open(path, _HOW), "rb")) as file:
            return file.read() if S_ISREG(os.fstat(file.fileno()).st_mode) else None
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
