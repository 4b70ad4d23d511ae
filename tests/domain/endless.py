"""Input without end, of which only what is asked for exists."""


class Endless:
    """The same bytes again and again, up to a size; knows how much was asked for."""

    def __init__(self, piece: bytes, size: int) -> None:
        self._piece = piece
        self._left = size
        self.given = 0

    def read(self, size: int) -> bytes:
        size = min(size, self._left)
        start = self.given % len(self._piece)
        self._left -= size
        self.given += size
        return (self._piece * (size // len(self._piece) + 2))[start : start + size]
