"""Whether the log's folder holds every tile, and how those that were lost come back.

Who adds to a log reads only its last tiles: that another one is gone would be noticed by nobody
here, while nobody elsewhere could follow the log. The database holds every entry, so a lost tile
is derived again, and written once it is proven to lead to the root that was signed. The last,
partial, tiles of the levels are proven together by that root, and prove all others.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import count, islice
from os import scandir
from pathlib import Path
from typing import Final

from chain.block import Row
from chain.errors import UnavailableError, VerificationError
from chain.hashing import Digest, leaf_hashes
from chain.signing.checkpoint import Checkpoint
from chain.tree import merkle
from chain.tree.tiles import TILE_HEIGHT, TILE_WIDTH, TileFolder, TileId, encode_bundle, full_root

_FOLDER: Final = 1000  # tiles at most, as tlog-tiles spells their numbers
_TOGETHER: Final = 64  # tiles that are rebuilt before they are written

ReadRows = Callable[[int, int], Iterator[Row]]


class WholeFolder:
    """Looks for lost tiles: once at everything, then at the folders that have changed."""

    def __init__(self, tiles: TileFolder, folder: Path, rows: ReadRows) -> None:
        """``rows`` reads entries of the database."""
        self._tiles = tiles
        self._folder = folder
        self._rows = rows
        self._seen: dict[Path, tuple[int, int]] = {}

    def mend(self, signed: Checkpoint) -> Sequence[TileId]:
        """Rebuild what the tree of ``signed`` has and the folder lacks; return that.

        Raises VerificationError ``tile_missing`` for what the database does not lead to, and
        ``root_mismatch``; UnavailableError.
        """
        lost = [*self._lost_ends(signed.size), *self._lost(signed.size)]
        if lost:
            rebuilder = self._rebuilder(signed, lost)
            left = iter(lost)
            while some := list(islice(left, _TOGETHER)):
                # A crash in here leaves some of them, each whole; the next one makes the rest.
                self._tiles.put_back({tile: rebuilder.content(tile) for tile in some})
        return lost

    def _rebuilder(self, signed: Checkpoint, lost: Sequence[TileId]) -> "_Rebuilder":
        try:
            return _Rebuilder(self._tiles, self._rows, signed)
        except VerificationError as error:
            # Where an end had to be derived, it is the database that leads elsewhere.
            if error.code == "root_mismatch" and lost[0].width < TILE_WIDTH:
                raise _lost_for_good(lost[0]) from error
            raise

    def _lost(self, size: int) -> Iterator[TileId]:
        """Yield full ones, those above before those below that they prove; bundles last."""
        for level, number in _full(size):
            for first in range(0, number, _FOLDER):
                yield from self._lost_of(level, range(first, min(first + _FOLDER, number)))

    def _lost_ends(self, size: int) -> Iterator[TileId]:
        """Yield partial ones of this size, on which its readers begin."""
        for tile in _ends(size):
            if not (self._folder / tile.path()).is_file():
                yield tile

    def _lost_of(self, level: int | None, numbers: range) -> Iterator[TileId]:
        """Look into one folder, if it has changed since nothing was missing there."""
        folder = (self._folder / TileId(level, numbers[0]).path()).parent
        try:
            # Before the look: what is lost after it changes the folder once more.
            stamp = folder.stat().st_mtime_ns, len(numbers)
            if self._seen.get(folder) == stamp:
                return
            with scandir(folder) as found:
                there = {one.name for one in found if one.is_file()}
        except FileNotFoundError:
            stamp, there = (0, 0), set()
        except OSError as error:
            text = f"cannot look into {folder}: {error.strerror}"
            raise UnavailableError("read_failed", text) from error
        lost = [TileId(level, n) for n in numbers if f"{n % _FOLDER:03}" not in there]
        if not lost:
            self._seen[folder] = stamp
        yield from lost


class _Rebuilder:
    """Derives tiles of a signed tree from entries, and proves them by the tiles above."""

    def __init__(self, tiles: TileFolder, rows: ReadRows, signed: Checkpoint) -> None:
        self._tiles = tiles
        self._rows = rows
        self._hashes = lru_cache(TILE_WIDTH)(self._find)
        self._proven: set[tuple[int, int]] = set()
        # Of every level the last, partial, tile: there, proofs end.
        self._last: dict[tuple[int, int], Sequence[Digest]] = {
            (tile.level, tile.n): self._find(tile.level, tile.n, tile.width)
            for tile in _ends(signed.size)
            if tile.level is not None
        }
        if merkle.root(self, signed.size) != signed.root:
            raise VerificationError("root_mismatch", "the last tiles lead to another root")

    def node(self, level: int, index: int) -> Digest:
        """Return a complete subtree of a last tile; all that a tree's root is made from."""
        tile_level, height = divmod(level, TILE_HEIGHT)
        n, first = divmod(index << height, TILE_WIDTH)
        return full_root(self._last[tile_level, n][first : first + (1 << height)])

    def content(self, tile: TileId) -> bytes:
        """What stands in a tile; VerificationError ``tile_missing`` if nobody knows."""
        level = tile.level or 0
        if not self._leads_up(level, tile.n):
            raise _lost_for_good(tile)
        hashes = self._last.get((level, tile.n)) or self._hashes(level, tile.n, tile.width)
        if tile.level is not None:
            return b"".join(hashes)
        entries = self._entries(tile)
        if leaf_hashes(entries) != hashes:
            raise _lost_for_good(tile)
        return encode_bundle(entries)

    def _leads_up(self, level: int, n: int) -> bool:
        """Whether a tile leads, tile by tile, to one that was proven."""
        if (level, n) in self._last or (level, n) in self._proven:
            return True
        above, at = divmod(n, TILE_WIDTH)
        row = self._last.get((level + 1, above))
        if row is None:
            if not self._leads_up(level + 1, above):
                return False
            row = self._hashes(level + 1, above, TILE_WIDTH)
        if row[at] != full_root(self._hashes(level, n, TILE_WIDTH)):
            return False
        self._proven.add((level, n))
        return True

    def _find(self, level: int, n: int, width: int) -> Sequence[Digest]:
        """The hashes of a tile: as they stand there, or else as they must be."""
        try:
            return self._tiles.read_hashes(level, n, width)
        except VerificationError as error:
            if error.code != "tile_missing":
                raise
        if level == 0:
            return leaf_hashes(self._entries(TileId(None, n, width)))
        below = range(n * TILE_WIDTH, n * TILE_WIDTH + width)
        return [full_root(self._hashes(level - 1, child, TILE_WIDTH)) for child in below]

    def _entries(self, tile: TileId) -> list[bytes]:
        first = tile.n * TILE_WIDTH
        entries = [row.entry for row in self._rows(first, first + tile.width)]
        if len(entries) != tile.width:
            raise _lost_for_good(tile)
        return entries


def _ends(size: int) -> Iterator[TileId]:
    """The partial tiles of this size, and the bundle."""
    n, width = divmod(size, TILE_WIDTH)
    if width:
        yield TileId(None, n, width)
    for level in count():
        if n == width == 0:
            return
        if width:
            yield TileId(level, n, width)
        n, width = divmod(n, TILE_WIDTH)


def _full(size: int) -> Iterable[tuple[int | None, int]]:
    """Each level with the number of its full tiles, from the top; bundles at the end."""
    counts: list[int] = []
    while size := size // TILE_WIDTH:
        counts.append(size)
    yield from reversed(list(enumerate(counts)))
    if counts:
        yield None, counts[0]


def _lost_for_good(tile: TileId) -> VerificationError:
    path = tile.path()
    text = f"{path} is not there, and the database does not lead to what was signed of it"
    return VerificationError("tile_missing", text, path=path)
