"""What a slow reader has not taken yet: in memory, then on disk, so that no thread waits for it."""

from contextlib import suppress
from tempfile import SpooledTemporaryFile
from typing import IO, Final

IN_MEMORY: Final = 131_072  # bytes


class Outbox:
    """Bytes in, the same bytes out in order."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._read = 0
        self.size = 0
        """Bytes kept, read ones among them until all have been."""

    def put(self, data: bytes) -> bool:
        """Add at the end; False when the disk has no room for it, and then nothing may follow."""
        try:
            if self._file is None:
                self._file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 # closed by `clear`
            self._file.seek(self.size)
            self._file.write(data)
            self._file.flush()
        except OSError:
            return False
        self.size += len(data)
        return True

    def take(self, most: int) -> bytes:
        """The next bytes, at most so many; b"" when there are none."""
        if self._file is None:
            return b""
        self._file.seek(self._read)
        data = self._file.read(most)
        self._read += len(data)
        return data

    def exhausted(self) -> bool:
        """Whether all has been read."""
        return self._read == self.size

    def clear(self) -> int:
        """Forget everything; returns how many bytes that were."""
        freed = self.size
        if self._file is not None:
            with suppress(OSError):  # nobody needs what could not be written
                self._file.close()
        self._file, self._read, self.size = None, 0, 0
        return freed
