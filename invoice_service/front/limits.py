"""What one client may take of a web process: time, room, connections."""

from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

SMALL_BYTES: Final = 65_536
"""Of a body that is no list: what nearly every request has, and what there is always room for."""


class Limits(NamedTuple):
    """Seconds, bytes, and numbers of connections; ``[web]`` and ``[limits]`` in config.toml."""

    head_seconds: float = 10.0
    body_seconds: float = 30.0
    slowest: int = 16_384
    """Bytes a second; each so many that came give a body one second more."""
    answer_seconds: float = 30.0
    """For each piece of an answer (64 KiB) to be taken."""
    idle_seconds: float = 75.0
    head_bytes: int = 32_768
    body_bytes: int = 65_536
    large: Mapping[str, int] = {}
    """Addresses that take larger bodies, and how large."""
    long: tuple[bytes, ...] = ()
    """Parts of paths whose answers take long to make."""
    held_bytes: int = 268_435_456
    connections: int = 2_000
    peer_connections: int = 200
    feeds: int = 500
    """Answers that stay open; ``peer_feeds`` of them one address's."""

    peer_feeds: int = 100

    def body_of(self, path: str) -> int:
        """The largest body that this address takes."""
        return self.large.get(path, self.body_bytes)

    def is_long(self, path: bytes) -> bool:
        """Whether what this path (as it was sent) is answered takes long to make."""
        return any(part in unquote_to_bytes(path) for part in self.long)

    def is_small(self, limit: int, size: int) -> bool:
        """Whether a body of so many bytes is small, where ``limit`` would be taken."""
        return limit <= self.body_bytes and size <= SMALL_BYTES


class Purse:
    """A sum that all share: what is taken is given back. Used by one thread.

    An owner has half of it at most, and a quarter is kept for small requests: whoever fills it with
    large ones stops nobody who sends an ordinary one, and whoever fills it with small ones leaves a
    quarter to others. The owner "" is counted as many.
    """

    def __init__(self, amount: int) -> None:
        self._left = amount
        self._reserve = amount // 4
        self._share = amount // 2
        self._of: Counter[str] = Counter()

    def take(self, amount: int, owner: str, *, small: bool) -> bool:
        """Whether there was enough."""
        if amount > self._left - (0 if small else self._reserve):
            return False
        if owner and self._of[owner] + amount > self._share + (self._reserve if small else 0):
            return False
        self._left -= amount
        self._of[owner] += amount
        return True

    def give(self, amount: int, owner: str) -> None:
        """Put it back."""
        self._left += amount
        self._of[owner] -= amount
        if self._of[owner] <= 0:
            del self._of[owner]
