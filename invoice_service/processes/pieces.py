"""Messages that are larger than what a local socket takes at once: in pieces, put together again.

A piece begins with 0xc1, which begins no msgpack, and with whether it is the last.
"""

from collections.abc import Iterator
from typing import Final, Generic, TypeVar

MARK: Final = 0xC1
MAX_WHOLE: Final = 4 << 20
"""Bytes of a message in pieces: one invoice of as many and as long lines as there may be."""

_MORE, _LAST = bytes([MARK, 1]), bytes([MARK, 0])

Client = TypeVar("Client")


def cut(message: bytes, most: int) -> Iterator[bytes]:
    """``message`` as it is sent: itself if it has ``most`` bytes, else pieces of so many."""
    if len(message) <= most:
        yield message
        return
    size = most - len(_LAST)
    for start in range(0, len(message), size):
        mark = _MORE if start + size < len(message) else _LAST
        yield mark + message[start : start + size]


class Pieces(Generic[Client]):
    """What has come of messages in pieces."""

    def __init__(self) -> None:
        self._of: dict[Client, bytearray] = {}

    def add(self, client: Client, message: bytes) -> bytes | None:
        """The whole message, once this is its last piece; None while it is not.

        ConnectionError for what is too large, is no piece, or breaks into another message.
        """
        mark = message[:2]
        begun = self._of.pop(client, None)
        if mark not in (_MORE, _LAST):
            if begun is None and message[0] != MARK:
                return message
            raise ConnectionError("a message that is neither whole nor a piece")
        whole = bytearray() if begun is None else begun
        whole += message[2:]
        if len(whole) > MAX_WHOLE:
            raise ConnectionError(f"a message of more than {MAX_WHOLE} bytes")
        if mark == _LAST:
            return bytes(whole)
        self._of[client] = whole
        return None

    def drop(self, client: Client) -> None:
        """It has gone: what came of its message is of no use."""
        self._of.pop(client, None)
