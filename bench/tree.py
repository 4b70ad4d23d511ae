"""The tree alone, beside pymerkle: appending, proving, checking, over the same entries."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pymerkle import SqliteTree, verify_inclusion

from bench.timing import per_second, repeat
from chain.hashing import Digest, leaf_hash
from chain.tree import merkle
from chain.tree.tiles import TileFolder

BLOCK = 10_000


@dataclass(frozen=True, slots=True)
class TreeSpeed:
    """Entries appended, proofs built and proofs checked a second, at ``size`` entries."""

    size: int
    append: float
    prove: float
    check: float


def sample_entries(size: int) -> list[bytes]:
    """Entries of the length and shape that the log has."""
    rng = random.Random(1)
    return [
        b'{"anchor":"%s","kind":"invoice"}' % rng.randbytes(32).hex().encode() for _ in range(size)
    ]


def our_tree(folder: Path, entries: Sequence[bytes], seconds: float) -> TreeSpeed:
    """Leaf hashes, right edge and synced tiles, in blocks; then proofs read from the tiles."""
    tiles = TileFolder(folder)
    edge = merkle.Edge()
    leaves: list[Digest] = []

    def append() -> None:
        for start in range(0, len(entries), BLOCK):
            part = entries[start : start + BLOCK]
            hashes = [leaf_hash(entry) for entry in part]
            edge.extend(hashes)
            tiles.write_range(start, start + len(part), hashes, part)
            leaves.extend(hashes)

    rate = per_second(len(entries), append)
    size, root = len(entries), edge.root()
    reader, rng = tiles.reader(size), random.Random(2)
    index = rng.randrange(size)
    path = merkle.inclusion_path(reader, index, size)
    return TreeSpeed(
        size=size,
        append=rate,
        prove=repeat(
            lambda: merkle.inclusion_path(reader, rng.randrange(size), size), seconds
        ).per_second,
        check=repeat(
            lambda: merkle.verify_inclusion(leaves[index], index, size, path, root), seconds
        ).per_second,
    )


def pymerkle_tree(folder: Path, entries: Sequence[bytes], seconds: float) -> TreeSpeed:
    """The same with pymerkle's SQLite tree, which hashes with OpenSSL and syncs once a block."""
    with SqliteTree(str(folder / "pymerkle.db")) as tree:

        def append() -> None:
            for start in range(0, len(entries), BLOCK):
                tree.append_entries(entries[start : start + BLOCK])

        rate = per_second(len(entries), append)
        size, rng = len(entries), random.Random(2)
        index = rng.randrange(size) + 1
        proof, state, leaf = (
            tree.prove_inclusion(index, size),
            tree.get_state(),
            tree.get_leaf(index),
        )
        return TreeSpeed(
            size=size,
            append=rate,
            prove=repeat(
                lambda: tree.prove_inclusion(rng.randrange(size) + 1, size), seconds
            ).per_second,
            check=repeat(lambda: verify_inclusion(leaf, state, proof), seconds).per_second,
        )
