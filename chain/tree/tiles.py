"""The tree and its entries as files, in the layout of C2SP tlog-tiles.

Tile n of level l is 256 consecutive hashes, each the root over 256^l entries; the last tile
of a level may be partial. Whoever writes a tile writes the same bytes, so two workers at
once do no harm, and everything here that a crash interrupts is done again by the next one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from chain.durable import fsync_dir, make_folder, write_files
from chain.errors import MalformedError, UnavailableError, VerificationError
from chain.hashing import DIGEST_SIZE, Digest, leaf_hashes, node_hashes
from chain.tree import inner

T = TypeVar("T", bound=bytes)

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
"""Hashes in a full tile, entries in a full bundle."""

MAX_LEVEL = 63
MAX_ENTRY = 0xFFFF
"""Longest entry, in bytes: its length is stored in two."""

_BUNDLES = "entries"
_PATH = re.compile(
    r"tile/(?P<level>entries|[0-9]{1,2})/(?P<n>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[0-9]{1,3}))?"
)


class TileId(NamedTuple):
    """Which tile; ``level`` is None for an entry bundle."""

    level: int | None
    n: int
    width: int = TILE_WIDTH

    def path(self) -> str:
        """Return where it is, below the log's folder or address."""
        if self.level is None:
            return entry_bundle_path(self.n, self.width)
        return tile_path(self.level, self.n, self.width)


def tile_path(level: int, n: int, width: int = TILE_WIDTH) -> str:
    """Return ``tile/<L>/<N>[.p/<W>]``; MalformedError ``tile_path`` for what cannot exist."""
    if not 0 <= level <= MAX_LEVEL:
        raise MalformedError("tile_path", f"tiles have levels 0 to {MAX_LEVEL}")
    return f"tile/{level}/{_number(n)}{_partial(width)}"


def entry_bundle_path(n: int, width: int = TILE_WIDTH) -> str:
    """Return ``tile/entries/<N>[.p/<W>]``; MalformedError ``tile_path`` as above."""
    return f"tile/{_BUNDLES}/{_number(n)}{_partial(width)}"


def parse_tile_path(text: str) -> TileId:
    """Read a tile's or a bundle's path; MalformedError ``tile_path`` for any other spelling."""
    match = _PATH.fullmatch(text)
    if not match:
        raise MalformedError("tile_path", "this is not the path of a tile")
    level = None if match["level"] == _BUNDLES else int(match["level"])
    n = int(match["n"].replace("x", "").replace("/", ""))
    tile = TileId(level, n, int(match["width"]) if match["width"] else TILE_WIDTH)
    if tile.path() != text:
        raise MalformedError("tile_path", "this is not how the path of a tile is spelled")
    return tile


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the entries, each after its length; MalformedError ``entry_too_long``."""
    if any(len(entry) > MAX_ENTRY for entry in entries):
        raise MalformedError("entry_too_long", f"an entry has at most {MAX_ENTRY} bytes")
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """Read exactly ``width`` entries; MalformedError ``bundle`` for any other length."""
    entries: list[bytes] = []
    start = 0
    for _ in range(width):
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        entries.append(data[start + 2 : end])
        start = end
    if start != len(data):  # behind the end, if something is missing
        raise MalformedError("bundle", f"this is not a bundle of {width} entries")
    return entries


class TileFolder:
    """A log's tiles and entry bundles below ``root``; safe to share between threads."""

    def __init__(self, root: Path, *, cache_tiles: int = 256) -> None:
        """Keep up to ``cache_tiles`` tiles in memory, some 50 KB each once they are used.

        Of full ones that ways in them were asked of, 16 KB each.
        """
        self._root = root
        self._inner = inner.InnerNodes(root / inner.NAME)
        self._nodes = lru_cache(cache_tiles)(self._inner.read)
        self._leaves = lru_cache(cache_tiles)(self._read_full)
        self._cached = lru_cache(cache_tiles)(self._load)
        self._synced: set[Path] = set()

    def reader(self, size: int) -> "TileReader":
        """Return the tree over the first ``size`` entries, which must have been written."""
        return TileReader(self, size)

    def read_hashes(self, level: int, n: int, width: int = TILE_WIDTH) -> list[Digest]:
        """Read a tile from its file, or the beginning of the full tile that replaced it.

        Raises VerificationError: ``tile_missing``, ``tile_damaged``; UnavailableError.
        """
        tile, data = self._read(TileId(level, n, width))
        if len(data) != DIGEST_SIZE * tile.width:
            raise _damaged(tile, f"it has {len(data)} bytes")
        ends = range(DIGEST_SIZE, DIGEST_SIZE * width + 1, DIGEST_SIZE)
        return [Digest(data[end - DIGEST_SIZE : end]) for end in ends]

    def read_bundle(self, n: int, width: int = TILE_WIDTH) -> list[bytes]:
        """Read an entry bundle like ``read_hashes``; the same errors."""
        tile, data = self._read(TileId(None, n, width))
        try:
            return decode_bundle(data, tile.width)[:width]
        except MalformedError as error:
            raise _damaged(tile, error.detail) from None

    def entries(self, first: int, size: int) -> Iterator[bytes]:
        """Yield the entries from ``first`` up to ``size``, reading one bundle at a time."""
        for n, width in _row(first, size):
            yield from self.read_bundle(n, width)[max(0, first - n * TILE_WIDTH) :]

    def node(self, level: int, n: int, width: int, height: int, position: int) -> Digest:
        """Return a node inside a tile: ``height`` above its hashes, ``position`` from the left."""
        return self._rows(level, n, width, height)[height][position]

    def way_in_tile(self, index: int) -> list[Digest] | None:
        """Return the siblings from leaf ``index`` up to the root of its full tile, as proposed.

        By the inner nodes that were kept, which may be wrong: whoever asks finds out where the way
        leads. None where none are kept. Raises VerificationError ``tile_missing``,
        ``tile_damaged``; UnavailableError.
        """
        n, position = divmod(index, TILE_WIDTH)
        nodes = self._nodes(n)
        if nodes is None:
            return None
        start = (position ^ 1) * DIGEST_SIZE
        beside = Digest(self._leaves(n)[start : start + DIGEST_SIZE])
        return [beside, *inner.way(nodes, position)]

    def write_range(
        self,
        old_size: int,
        new_size: int,
        leaves: Sequence[Digest],
        entries: Sequence[bytes],
        above: Sequence[Sequence[Digest]] = (),
    ) -> None:
        """Write every tile and bundle in which size ``new_size`` differs from ``old_size``.

        ``above`` are the roots of the tiles that become full, by level, if the caller has them.
        Durable once it returns. Costs O(new + log size): at each level it reads the last
        partial tile of ``old_size``, never more. A file that already holds the same bytes
        is left alone. Raises VerificationError ``tile_differs`` if one holds other bytes,
        ``tile_missing``, ``tile_damaged``, and then writes nothing; UnavailableError.
        """
        added = new_size - old_size
        if old_size < 0 or (len(leaves), len(entries)) != (added, added):
            raise MalformedError("tile_range", "one hash and one entry are needed a new leaf")
        if added:
            hashes, bundled = self._last(old_size)
            rows = self._tiles(old_size, hashes, [leaves, *above])
            files = {tile: b"".join(row) for tile, row in rows}
            for tile, row in _cut(None, old_size, [*bundled, *entries]):
                files[tile] = encode_bundle(row)
            self._write(files)

    def put_back(self, files: Mapping[TileId, bytes]) -> None:
        """Write tiles that were lost, durably; the errors of ``write_range``."""
        self._synced.clear()  # folders may have been lost with them
        self._write(files)

    def verify_range(self, old_size: int, new_size: int) -> None:
        """Read back what ``write_range`` wrote and derive it again, in O(new + log size).

        Each entry hashes to its leaf, each full tile to its place in the tile above; with the
        root over ``new_size`` checked as well, the files are what is about to be signed.
        Keeps the inner nodes of full tiles, which come by. Raises VerificationError
        ``tile_damaged`` naming the file.
        """
        roots: dict[int, Digest] = {}  # of the full tiles of a level
        nodes: list[list[Digest]] = []
        for n, width in _row(old_size, new_size):
            hashes = self.read_hashes(0, n, width)
            _check_bundle(n, hashes, self.read_bundle(n, width))
            if width == TILE_WIDTH:
                nodes.append(inner.inner_nodes(hashes))
                roots[n] = nodes[-1][-1]
        level, old, new = 1, old_size // TILE_WIDTH, new_size // TILE_WIDTH
        while new > old:
            roots = self._verify_above(level, old, new, roots)
            level, old, new = level + 1, old // TILE_WIDTH, new // TILE_WIDTH
        self._inner.keep(old_size // TILE_WIDTH, nodes)

    def drop_partials(self, old_size: int, new_size: int) -> None:
        """Remove the partial tiles of those that ``new_size`` has in full and ``old_size`` not.

        Only once ``new_size`` is published: readers of an older checkpoint then find the
        full tile. A crash leaves some of them, which does no harm.
        """
        level, old, new = 0, old_size // TILE_WIDTH, new_size // TILE_WIDTH
        for n in range(old, new):
            self._drop(TileId(None, n))
        while new > old:
            for n in range(old, new):
                self._drop(TileId(level, n))
            level, old, new = level + 1, old // TILE_WIDTH, new // TILE_WIDTH

    def _read(self, tile: TileId) -> tuple[TileId, bytes]:
        """Return a tile's bytes, and which was found: the partial one or the full one."""
        for candidate in dict.fromkeys((tile, TileId(tile.level, tile.n))):
            with suppress(FileNotFoundError):
                return candidate, _read_file(self._root / candidate.path())
        raise VerificationError("tile_missing", f"{tile.path()} is not there", path=tile.path())

    def _read_full(self, n: int) -> bytes:
        """The hashes of a full tile of leaves, as they stand there."""
        tile, data = self._read(TileId(0, n))
        if len(data) != DIGEST_SIZE * TILE_WIDTH:
            raise _damaged(tile, f"it has {len(data)} bytes")
        return data

    def _rows(self, level: int, n: int, width: int, height: int) -> dict[int, list[Digest]]:
        """Return a tile's nodes by their height, at least up to ``height``."""
        rows = self._cached(level, n, width)
        for above in range(1, height + 1):
            if above not in rows:  # two threads may both set it, to the same
                rows[above] = node_hashes(rows[above - 1])
        return rows

    def _load(self, level: int, n: int, width: int) -> dict[int, list[Digest]]:
        return {0: self.read_hashes(level, n, width)}

    def _last(self, size: int) -> tuple[list[Digest], list[bytes]]:
        """Return what stands in the last, partial, tile and bundle of ``size``, checked."""
        n, width = divmod(size, TILE_WIDTH)
        if not width:
            return [], []
        hashes, entries = self.read_hashes(0, n, width), self.read_bundle(n, width)
        _check_bundle(n, hashes, entries)
        return hashes, entries

    def _tiles(
        self, old_size: int, start: Sequence[Digest], known: Sequence[Sequence[Digest]]
    ) -> Iterator[tuple[TileId, Sequence[Digest]]]:
        """Yield the new tiles, level by level; ``start`` precedes the leaves in the first tile.

        ``known`` are the new hashes of the lowest levels; those above are made here.
        """
        level, old, added = 0, old_size, known[0]
        while added:
            tiles = list(_cut(level, old, [*start, *added]))
            yield from tiles
            full = [row for tile, row in tiles if tile.width == TILE_WIDTH]
            level, old = level + 1, old // TILE_WIDTH
            added = known[level] if level < len(known) else list(map(full_root, full))
            if len(added) != len(full):
                raise MalformedError("tile_range", "one hash is needed a tile that becomes full")
            n, width = divmod(old, TILE_WIDTH)
            start = self.read_hashes(level, n, width) if width and added else []

    def _write(self, files: Mapping[TileId, bytes]) -> None:
        paths = {self._root / tile.path(): data for tile, data in files.items()}
        for tile, (path, data) in zip(files, paths.items(), strict=True):
            with suppress(FileNotFoundError):
                if _read_file(path) != data:
                    raise VerificationError(
                        "tile_differs", f"{tile.path()} holds other bytes", path=tile.path()
                    )
        for folder in {path.parent for path in paths} - self._synced:
            self._make_folder(folder)
        # A crash in here leaves some of the files, each whole. Nobody reads them before a
        # checkpoint of this size is published, and whoever comes next writes the rest.
        write_files(paths.items())

    def _make_folder(self, folder: Path) -> None:
        """Make a folder durable even if another worker made it just now and did not sync."""
        make_folder(folder)
        for above in folder.parents:
            fsync_dir(above)
            if above == self._root or above in self._synced:
                break
        self._synced.add(folder)

    def _verify_above(
        self, level: int, old: int, new: int, below: dict[int, Digest]
    ) -> dict[int, Digest]:
        """Check that tiles of ``level`` hold the roots ``below``, numbers ``old`` to ``new``.

        Return the roots of those that are full, by number, for the level above.
        """
        roots: dict[int, Digest] = {}
        for n, width in _row(old, new):
            hashes = self.read_hashes(level, n, width)
            for at, hash_ in enumerate(hashes, n * TILE_WIDTH):
                if at >= old and hash_ != below[at]:
                    raise _damaged(TileId(level - 1, at), "it does not lead to the tile above it")
            if width == TILE_WIDTH:
                roots[n] = full_root(hashes)
        return roots

    def _drop(self, tile: TileId) -> None:
        full = self._root / tile.path()
        partials = full.with_name(f"{full.name}.p")
        # Another worker may be removing the same, or adding to it: what is left does no harm.
        with suppress(OSError):
            if partials.is_dir() and full.is_file():
                for path in partials.iterdir():
                    path.unlink(missing_ok=True)
                self._synced.discard(partials)
                partials.rmdir()


class TileReader:
    """The tree over the first ``size`` entries of a folder: a ``merkle.NodeReader``."""

    def __init__(self, folder: TileFolder, size: int) -> None:
        self._folder = folder
        self._size = size

    def node(self, level: int, index: int) -> Digest:
        """Return a complete subtree's hash; MalformedError ``node_outside`` beyond the size."""
        if level < 0 or index < 0 or (index + 1) << level > self._size:
            raise MalformedError("node_outside", "there is no such node in a tree of this size")
        tile_level, height = divmod(level, TILE_HEIGHT)
        n, position = divmod(index, TILE_WIDTH >> height)
        row = self._size >> (TILE_HEIGHT * tile_level)
        width = min(TILE_WIDTH, row - n * TILE_WIDTH)
        return self._folder.node(tile_level, n, width, height, position)


def _row(first: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield number and width of the tiles that hold ``first`` up to ``size``."""
    for n in range(first // TILE_WIDTH, -(-size // TILE_WIDTH)):
        yield n, min(TILE_WIDTH, size - n * TILE_WIDTH)


def _cut(level: int | None, old: int, row: Sequence[T]) -> Iterator[tuple[TileId, Sequence[T]]]:
    """Cut what starts at the last tile boundary before ``old`` into tiles."""
    for start in range(0, len(row), TILE_WIDTH):
        part = row[start : start + TILE_WIDTH]
        yield TileId(level, (old + start) // TILE_WIDTH, len(part)), part


def _check_bundle(n: int, hashes: Sequence[Digest], entries: Sequence[bytes]) -> None:
    if leaf_hashes(entries) != hashes:
        raise _damaged(TileId(None, n, len(entries)), "its entries are not those of the tile")


def full_root(row: Sequence[Digest]) -> Digest:
    """Return the root over a power of two of hashes."""
    while len(row) > 1:
        row = node_hashes(row)
    return row[0]


def _number(n: int) -> str:
    if n < 0:
        raise MalformedError("tile_path", "tiles are counted from 0")
    digits = str(n)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


def _partial(width: int) -> str:
    if not 0 < width <= TILE_WIDTH:
        raise MalformedError("tile_path", f"tiles are 1 to {TILE_WIDTH} wide")
    return "" if width == TILE_WIDTH else f".p/{width}"


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnavailableError("read_failed", f"cannot read {path}: {error.strerror}") from error


def _damaged(tile: TileId, why: str) -> VerificationError:
    return VerificationError("tile_damaged", f"{tile.path()}: {why}", path=tile.path())
