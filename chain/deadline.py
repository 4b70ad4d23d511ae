"""Time limits over a whole exchange: who sends a byte now and then meets them too."""

import io
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Deadline:
    """The moment by which an exchange must be over, in seconds from when it is set."""

    def __init__(self, seconds: float) -> None:
        self.restart(seconds)

    def restart(self, seconds: float) -> None:
        """Set the moment anew, ``seconds`` from now."""
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, more than zero; TimeoutError when it has passed."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for this exchange is over")
        return left


class TimedReader(io.RawIOBase):
    """Reads a socket until its deadline; a socket's own limit starts anew with every byte.

    ``received`` counts bytes. The socket is not closed for good before this is.
    """

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline
        self._file = connection.makefile("rb", buffering=0)
        self.received = 0

    def readable(self) -> bool:
        """Say that this can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read what has come, at most a buffer full; TimeoutError at the deadline."""
        self._connection.settimeout(self._deadline.left())
        count = self._file.readinto(buffer) or 0
        self.received += count
        return count

    def close(self) -> None:
        """Let go of the socket."""
        self._file.close()
        super().close()
