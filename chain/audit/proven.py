"""A log's tree read from outside, every tile checked on its way in.

From the signed root downwards: the partial tiles at the log's end lead to the root, each full
tile to its place in the tile above it, each entry bundle to its tile of leaves. So whatever is
wrong is found when it is read, with its path, in constant memory.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from chain.audit.fetch import LogSource
from chain.errors import MalformedError, NotFoundError, VerificationError
from chain.hashing import DIGEST_SIZE, Digest, leaf_hash
from chain.signing.checkpoint import Checkpoint
from chain.tree import merkle
from chain.tree.merkle import Edge
from chain.tree.tiles import TILE_HEIGHT, TILE_WIDTH, TileId, decode_bundle

_CACHED = 64  # tiles; a walk along the log needs one a level


class ProvenTree:
    """The tree under ``checkpoint``: a ``merkle.NodeReader`` that returns nothing unproven.

    ``sources`` are tried in order for every full tile and bundle, and the first that has the
    right bytes is taken; the last one has the partial tiles, and says what is wrong.
    """

    def __init__(self, checkpoint: Checkpoint, *sources: LogSource) -> None:
        """Raise VerificationError ``root_mismatch`` unless the log's end leads to the root."""
        self.checkpoint = checkpoint
        self._sources = sources
        self._full = lru_cache(_CACHED)(self._load)
        self._ends: dict[int, list[Digest]] = {}
        for level in self.levels():
            n, width = divmod(self._row(level), TILE_WIDTH)
            if width:
                data = _read(sources[-1], TileId(level, n, width))
                self._ends[level] = _hashes(TileId(level, n, width), data)
        if merkle.root(self, checkpoint.size) != checkpoint.root:
            raise VerificationError(
                "root_mismatch", "the tiles at the log's end do not lead to the root it signed"
            )

    def levels(self) -> range:
        """The levels at which the tree has tiles."""
        return range(-(-self.checkpoint.size.bit_length() // TILE_HEIGHT))

    def tiles(self, level: int) -> Iterator[TileId]:
        """Yield the tiles of a level, from left to right."""
        row = self._row(level)
        for n in range(-(-row // TILE_WIDTH)):
            yield TileId(level, n, min(TILE_WIDTH, row - n * TILE_WIDTH))

    def hashes(self, level: int, n: int) -> list[Digest]:
        """Return a tile's hashes; errors as ``entries``."""
        if (n + 1) * TILE_WIDTH > self._row(level):
            return self._ends[level]
        return self._full(level, n)

    def entries(self, n: int) -> list[bytes]:
        """Return a bundle's entries.

        Raises VerificationError ``tile_damaged``, ``tile_missing``; MalformedError
        ``file_too_long``; UnavailableError.
        """
        leaves = self.hashes(0, n)
        bundle = TileId(None, n, len(leaves))
        for source in self._sources[:-1]:
            try:
                return _bundle(bundle, _read(source, bundle), leaves)
            except (MalformedError, VerificationError):
                pass  # a copy that is not whole yet; the next source has it
        return _bundle(bundle, _read(self._sources[-1], bundle), leaves)

    def node(self, level: int, index: int) -> Digest:
        """Return a complete subtree's hash; the tree must have it."""
        tile_level, height = divmod(level, TILE_HEIGHT)
        n, position = divmod(index, TILE_WIDTH >> height)
        row = self.hashes(tile_level, n)[position << height : (position + 1) << height]
        return _root(row)

    def _row(self, level: int) -> int:
        return self.checkpoint.size >> (TILE_HEIGHT * level)

    def _load(self, level: int, n: int) -> list[Digest]:
        above, slot = divmod(n, TILE_WIDTH)
        tile, expected = TileId(level, n), self.hashes(level + 1, above)[slot]
        for source in self._sources[:-1]:
            try:
                return _tile(tile, _read(source, tile), expected)
            except (MalformedError, VerificationError):
                pass  # as above
        return _tile(tile, _read(self._sources[-1], tile), expected)


def _read(source: LogSource, tile: TileId) -> tuple[TileId, bytes]:
    """Read a tile, or the full one that has replaced it; return which, and its bytes."""
    for candidate in dict.fromkeys((tile, TileId(tile.level, tile.n))):
        try:
            return candidate, source.tile(candidate)
        except NotFoundError:
            pass
    raise VerificationError("tile_missing", f"{tile.path()} is not there", path=tile.path())


def _hashes(tile: TileId, found: tuple[TileId, bytes]) -> list[Digest]:
    which, data = found
    if len(data) != DIGEST_SIZE * which.width:
        raise _damaged(which, f"it has {len(data)} bytes")
    starts = range(0, DIGEST_SIZE * tile.width, DIGEST_SIZE)
    return [Digest(data[start : start + DIGEST_SIZE]) for start in starts]


def _tile(tile: TileId, found: tuple[TileId, bytes], expected: Digest) -> list[Digest]:
    row = _hashes(tile, found)
    if _root(row) != expected:
        raise _damaged(tile, "it does not lead to the tile above it")
    return row


def _bundle(bundle: TileId, found: tuple[TileId, bytes], leaves: Sequence[Digest]) -> list[bytes]:
    which, data = found
    try:
        entries = decode_bundle(data, which.width)[: bundle.width]
    except MalformedError as error:
        raise _damaged(which, error.detail) from None
    if [leaf_hash(entry) for entry in entries] != leaves:
        raise _damaged(which, "its entries are not those of the tile")
    return entries


def _root(row: Sequence[Digest]) -> Digest:
    edge = Edge()
    edge.extend(row)
    return edge.root()


def _damaged(tile: TileId, why: str) -> VerificationError:
    return VerificationError("tile_damaged", f"{tile.path()}: {why}", path=tile.path())
