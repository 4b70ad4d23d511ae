"""The part of the audit that holds tiles and entry bundles against the entries."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from chain.audit.finding import AuditError
from chain.errors import UnavailableError
from chain.hashing import Digest
from chain.tree.merkle import Edge
from chain.tree.tiles import TILE_HEIGHT, TILE_WIDTH, TileId, encode_bundle

_WIDTH: Final = re.compile(r"[1-9][0-9]{0,2}")


class TileAudit:
    """Is fed the log's entries in order; remembers the first file that disagrees in ``wrong``.

    Holds one unfinished tile a level. Every file up to size ``published`` must be there;
    whatever else is there, and a crash may leave more, must agree too, and end before
    ``grown()``, the size of the log by then.
    """

    def __init__(self, folder: Path, published: int, grown: Callable[[], int]) -> None:
        self.wrong: AuditError | None = None
        self.checked = 0
        self._folder = folder
        self._published = published
        self._grown = grown
        self._entries: list[bytes] = []
        self._rows: list[list[Digest]] = [[]]
        self._done: list[int] = [0]

    def add(self, entry: bytes, leaf: Digest) -> None:
        """Take the next entry and its leaf hash."""
        self._entries.append(entry)
        if len(self._entries) == TILE_WIDTH:
            self._check(TileId(None, self._done[0]), self._bundle)
            self._entries.clear()
        self._push(0, leaf)

    def finish(self) -> None:
        """Check the unfinished tiles, and that no level goes on behind the end of the log."""
        if self._entries:
            self._check(TileId(None, self._done[0]), self._bundle)
        self._beyond(TileId(None, self._done[0] + bool(self._entries)))
        for level, row in enumerate(self._rows):
            if row:
                self._check(TileId(level, self._done[level]), _tile(row))
            self._beyond(TileId(level, self._done[level] + bool(row)))
        self._beyond(TileId(len(self._rows), 0))

    def _push(self, level: int, digest: Digest) -> None:
        if level == len(self._rows):
            self._rows.append([])
            self._done.append(0)
        row = self._rows[level]
        row.append(digest)
        if len(row) == TILE_WIDTH:
            self._check(TileId(level, self._done[level]), _tile(row))
            edge = Edge()
            edge.extend(row)
            row.clear()
            self._done[level] += 1
            self._push(level + 1, edge.root())

    def _bundle(self, width: int) -> bytes:
        return encode_bundle(self._entries[:width])

    def _known(self, tile: TileId) -> int:
        """How many hashes or entries of this tile the log gave so far."""
        return len(self._entries) if tile.level is None else len(self._rows[tile.level])

    def _check(self, tile: TileId, content: Callable[[int], bytes]) -> None:
        """Check the full file and every partial one of a tile whose content is known."""
        if self.wrong is not None:
            return
        try:
            self._check_files(tile, content)
        except AuditError as error:
            self.wrong = error

    def _check_files(self, tile: TileId, content: Callable[[int], bytes]) -> None:
        needed = min(TILE_WIDTH, (self._published >> _shift(tile)) - tile.n * TILE_WIDTH)
        found: set[int] = set()
        for width in (*_partial_widths(self._folder, tile), TILE_WIDTH):
            part = tile._replace(width=width)
            data = _read(self._folder / part.path())  # a partial one may just have been dropped
            if data is not None:
                self._compare(part, data, content)
                found.add(width)
        if needed > 0 and not found & {needed, TILE_WIDTH}:
            raise AuditError(_kind(tile), tile._replace(width=needed).path(), "a file", "nothing")

    def _compare(self, part: TileId, data: bytes, content: Callable[[int], bytes]) -> None:
        expected = content(part.width)
        if self._known(part) < part.width:
            # Longer than the log was when the audit began: it may have grown since.
            if part.n * TILE_WIDTH + part.width > self._grown() >> _shift(part):
                raise AuditError(_kind(part), part.path(), "nothing beyond the log's end", "a file")
            data = data[: len(expected)]
        if data != expected:
            place = _first_difference(data, expected)
            raise AuditError(
                _kind(part), part.path(), "what the entries give", f"other bytes from {place} on"
            )
        self.checked += 1

    def _beyond(self, tile: TileId) -> None:
        if self.wrong is not None:
            return
        full = self._folder / tile.path()
        if not full.exists() and not _partial_widths(self._folder, tile):
            return
        # Asked after looking: a file that has come since is beyond no end that is read now.
        if tile.n * TILE_WIDTH >= self._grown() >> _shift(tile):
            self.wrong = AuditError(
                _kind(tile), tile.path(), "nothing beyond the log's end", "a file"
            )


def _tile(row: Sequence[Digest]) -> Callable[[int], bytes]:
    return lambda width: b"".join(row[:width])


def _shift(tile: TileId) -> int:
    """How many bits of a size to drop to count this tile's hashes."""
    return TILE_HEIGHT * (tile.level or 0)


def _kind(tile: TileId) -> str:
    return "bundle" if tile.level is None else "tile"


def _first_difference(one: bytes, other: bytes) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def _partial_widths(folder: Path, tile: TileId) -> list[int]:
    """Widths of a tile's partial files, in order; what is being written aside is passed over."""
    full = folder / tile.path()
    names: list[str] = []
    with suppress(FileNotFoundError, NotADirectoryError):
        names = [path.name for path in full.with_name(f"{full.name}.p").iterdir()]
    return sorted(int(name) for name in names if _WIDTH.fullmatch(name) and int(name) < TILE_WIDTH)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnavailableError(
            "read_failed", f"cannot read {path.name}: {error.strerror}"
        ) from error
