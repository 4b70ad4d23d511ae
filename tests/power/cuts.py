"""What a power cut leaves of a model disk: everything unsynced lost, kept, or torn at random."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chain.hashing import sha256
from tests.power.disk import SECTOR, Change, Disk, File, Folder, Naming, Resize, Write

Tree = dict[str, bytes | None]


class Fate(Protocol):
    """Decides which of the unsynced changes reach the platter."""

    def names(self, pending: Sequence[Naming]) -> list[Naming]:
        """Return the changes of one folder that survive."""

    def changes(self, pending: Sequence[Change]) -> list[Change]:
        """Return the changes (or parts of them) of one file that survive."""


@dataclass(frozen=True)
class Lost:
    """Nothing that was not synced survives."""

    def names(self, pending: Sequence[Naming]) -> list[Naming]:
        """Keep no change of a folder."""
        return []

    def changes(self, pending: Sequence[Change]) -> list[Change]:
        """Keep no change of a file."""
        return []


@dataclass(frozen=True)
class Kept:
    """Everything survives, as when only the processes are killed."""

    def names(self, pending: Sequence[Naming]) -> list[Naming]:
        """Keep every change of a folder."""
        return list(pending)

    def changes(self, pending: Sequence[Change]) -> list[Change]:
        """Keep every change of a file."""
        return list(pending)


@dataclass
class Torn:
    """A random subset survives; a write survives sector by sector."""

    rng: random.Random

    def names(self, pending: Sequence[Naming]) -> list[Naming]:
        """Keep each change of a folder with an even chance."""
        return [naming for naming in pending if self.rng.random() < 0.5]

    def changes(self, pending: Sequence[Change]) -> list[Change]:
        """Keep each sector of each write, and each resize, with a chance drawn for the file."""
        chance = self.rng.choice((0.1, 0.5, 0.9))
        pieces = (piece for change in pending for piece in sectors(change))
        return [piece for piece in pieces if self.rng.random() < chance]


@dataclass(frozen=True)
class NamesOnly:
    """Names survive and contents do not: what a rename without an fsync of the file risks."""

    def names(self, pending: Sequence[Naming]) -> list[Naming]:
        """Keep every change of a folder."""
        return list(pending)

    def changes(self, pending: Sequence[Change]) -> list[Change]:
        """Keep no change of a file."""
        return []


def sectors(change: Change) -> Iterator[Change]:
    """Split a write where a disk may tear it: at multiples of 512 bytes of the file."""
    if isinstance(change, Resize):
        yield change
        return
    start, end = change.offset, change.offset + len(change.data)
    for sector in range(start // SECTOR, (end + SECTOR - 1) // SECTOR):
        low, high = max(start, sector * SECTOR), min(end, (sector + 1) * SECTOR)
        yield Write(change.change, low, change.data[low - start : high - start])


def after_cut(disk: Disk, fate: Fate, *, ordered_rename: bool = False) -> Tree:
    """Return the tree that a reader finds after a power cut now.

    ``ordered_rename`` gives the kinder promise of ext4 (auto_da_alloc): a rename that survives
    brings the contents of what it renamed with it.
    """
    whole: set[int] = set()
    names: dict[int, dict[str, int]] = {}
    for inode, node in disk.nodes.items():
        if not isinstance(node, Folder):
            continue
        kept = fate.names(node.pending)
        names[inode] = node.names(kept)
        if ordered_rename:
            whole |= {child for n in kept if n.renamed for child in n.names.values() if child}
    return dict(_grow(disk, fate, names, whole, 0, ""))


def _grow(
    disk: Disk, fate: Fate, names: dict[int, dict[str, int]], whole: set[int], inode: int, at: str
) -> Iterator[tuple[str, bytes | None]]:
    node = disk.nodes[inode]
    if isinstance(node, File):
        yield at, node.contents(None if inode in whole else fate.changes(node.pending))
        return
    if at:
        yield at, None
    for name, child in sorted(names[inode].items()):
        yield from _grow(disk, fate, names, whole, child, f"{at}/{name}" if at else name)


def same_tree(tree: Tree) -> bytes:
    """Return a digest of a tree, so that a state that was checked once is not checked again."""
    parts = [b"%s\0%d\0" % (p.encode(), -1 if d is None else len(d)) for p, d in tree.items()]
    return sha256(b"".join(parts) + b"".join(data for data in tree.values() if data is not None))


def materialise(tree: Tree, folder: Path) -> None:
    """Write a tree into an empty folder, for the real code to open."""
    folder.mkdir(parents=True)
    for name, data in tree.items():
        if data is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(data)
