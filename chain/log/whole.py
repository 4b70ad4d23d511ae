"""Whether the log's folder holds every full tile, and how those that were lost come back.

Who adds to a log reads only its last tiles: that another one is gone would be noticed by nobody
here, while nobody elsewhere could follow the log. The database holds every entry, so a lost tile
is derived again, and written once it is proven to lead to the root that was signed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
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
        """Rebuild what the tree of ``signed`` has in full and the folder lacks; return that.

        Raises VerificationError ``tile_missing`` for what the database does not lead to, and
        ``root_mismatch``; UnavailableError.
        """
        lost = list(self._lost(signed.size))
        if lost:
            rebuilder = _Rebuilder(self._tiles, self._rows, signed)
            left = iter(lost)
            while some := list(islice(left, _TOGETHER)):
                # A crash in here leaves some of them, each whole; the next one makes the rest.
                self._tiles.put_back({tile: rebuilder.content(tile) for tile in some})
        return lost

    def _lost(self, size: int) -> Iterator[TileId]:
        """Yield those above before those below, which are proven by them; bundles last."""
        for level, count in _full(size):
            for first in range(0, count, _FOLDER):
                yield from self._lost_of(level, range(first, min(first + _FOLDER, count)))

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
        self._size = signed.size
        self._hashes = lru_cache(TILE_WIDTH)(self._find)
        self._proven: set[tuple[int, int]] = set()
        # This reads the last, partial, tile of every level: there, proofs end.
        if merkle.root(tiles.reader(signed.size), signed.size) != signed.root:
            raise VerificationError("root_mismatch", "the last tiles lead to another root")

    def content(self, tile: TileId) -> bytes:
        """What stands in a full tile; VerificationError ``tile_missing`` if nobody knows."""
        level = tile.level or 0
        if not self._leads_up(level, tile.n):
            raise _lost_for_good(tile)
        hashes = self._hashes(level, tile.n)
        if tile.level is not None:
            return b"".join(hashes)
        entries = self._entries(tile.n)
        if leaf_hashes(entries) != hashes:
            raise _lost_for_good(tile)
        return encode_bundle(entries)

    def _leads_up(self, level: int, n: int) -> bool:
        """Whether a full tile leads, tile by tile, to one that was proven."""
        if (level, n) in self._proven:
            return True
        above, at = divmod(n, TILE_WIDTH)
        width = min(TILE_WIDTH, (self._size >> TILE_HEIGHT * (level + 1)) - above * TILE_WIDTH)
        if width < TILE_WIDTH:
            row: Sequence[Digest] = self._tiles.read_hashes(level + 1, above, width)
        elif self._leads_up(level + 1, above):
            row = self._hashes(level + 1, above)
        else:
            return False
        if row[at] != full_root(self._hashes(level, n)):
            return False
        self._proven.add((level, n))
        return True

    def _find(self, level: int, n: int) -> Sequence[Digest]:
        """The hashes of a full tile: as they stand there, or else as they must be."""
        try:
            return self._tiles.read_hashes(level, n)
        except VerificationError as error:
            if error.code != "tile_missing":
                raise
        if level == 0:
            return leaf_hashes(self._entries(n))
        below = range(n * TILE_WIDTH, (n + 1) * TILE_WIDTH)
        return [full_root(self._hashes(level - 1, child)) for child in below]

    def _entries(self, n: int) -> list[bytes]:
        entries = [row.entry for row in self._rows(n * TILE_WIDTH, (n + 1) * TILE_WIDTH)]
        if len(entries) != TILE_WIDTH:
            raise _lost_for_good(TileId(None, n))
        return entries


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
