"""Reading a file that others replace, only when it is another one."""

import time
from pathlib import Path
from typing import Final

_SETTLED: Final = 100_000_000
"""In nanoseconds; no file system in use tells times apart less finely than a tenth of this."""


class Watched:
    """A file that is replaced as a whole, as by ``write_file``; it is read when it is another.

    Safe for threads. Told by number, length and time of change; one that changed a moment ago is
    read each time, since the next change may get the same time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: tuple[tuple[int, int, int], bytes] | None = None

    def read(self) -> bytes:
        """Return the file's bytes; OSError when it cannot be read."""
        status = self._path.stat()
        stamp = status.st_ino, status.st_size, status.st_mtime_ns
        last = self._last
        if last is not None and last[0] == stamp:
            return last[1]
        data = self._path.read_bytes()
        settled = time.time_ns() - status.st_mtime_ns > _SETTLED
        self._last = (stamp, data) if settled else None
        return data
