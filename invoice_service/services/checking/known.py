"""What was found under one growing log: a fact of its tree, once checked, is not checked again.

Only what many invoices share is kept: where a full tile leads, and what a seal says. Both are
facts about a root, proved by hashes, so no change of files or rows makes them untrue; and they
hold under every later root that is proved to continue that one.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from chain.entry import SealEntry
from chain.errors import Problem, VerificationError
from chain.hashing import Digest
from chain.signing.checkpoint import Checkpoint
from chain.tree.merkle import inclusion_root, verify_consistency, verify_inclusion
from chain.tree.tiles import TILE_HEIGHT, TILE_WIDTH

_Fact = TypeVar("_Fact")

_FACTS_KEPT: Final = 32_768
"""Of each kind, some 200 bytes each: the tiles of eight million entries."""


class Paths(Protocol):
    """What is read of the log's tiles."""

    def inclusion(self, index: int, size: int) -> list[Digest]:
        """The path from entry ``index`` to the root of a published ``size``."""
        ...

    def way_in_tile(self, index: int) -> list[Digest] | None:
        """The path from entry ``index`` to the root of its full tile, as proposed, if it is."""
        ...

    def way_above_tile(self, index: int, size: int) -> list[Digest]:
        """The path from the root of that tile to the root of a published ``size``."""
        ...

    def consistency(self, old_size: int, new_size: int) -> list[Digest]:
        """The proof that the log of ``new_size`` only adds to that of ``old_size``."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """Facts under ``checkpoint``: the roots of full tiles, and the seals at their indexes.

    Safe for threads: facts are only added, and a set of them that is too large is emptied.
    """

    checkpoint: Checkpoint
    tiles: dict[int, Digest] = field(default_factory=dict)
    seals: dict[int, SealEntry] = field(default_factory=dict)

    def check_inclusion(self, paths: Paths, leaf: Digest, index: int) -> None:
        """Check that the entry with this leaf hash stands at ``index``, as ``verify_inclusion``.

        The way inside a full tile each time, the way above it once. What is proposed as that way
        counts once it has led to a root that is known; if it does not, the tiles are asked.
        """
        n, position = divmod(index, TILE_WIDTH)
        size = self.checkpoint.size
        full = (n + 1) * TILE_WIDTH <= size
        if full and self._leads_up(paths, leaf, index):
            return
        path = paths.inclusion(index, size)
        verify_inclusion(leaf, index, size, path, self.checkpoint.root)
        if full:
            # The way that has just been checked goes through this node.
            _keep(self.tiles, n, inclusion_root(leaf, position, TILE_WIDTH, path[:TILE_HEIGHT]))

    def _leads_up(self, paths: Paths, leaf: Digest, index: int) -> bool:
        """Whether what is proposed as the way leads from the leaf to what is known."""
        n, position = divmod(index, TILE_WIDTH)
        try:
            way = paths.way_in_tile(index)
            if way is None:
                return False
            found = inclusion_root(leaf, position, TILE_WIDTH, way)
            if n in self.tiles:
                return found == self.tiles[n]
            size = self.checkpoint.size
            path = [*way, *paths.way_above_tile(index, size)]
            verify_inclusion(leaf, index, size, path, self.checkpoint.root)
        except VerificationError:
            return False
        _keep(self.tiles, n, found)
        return True

    def keep_seal(self, seal: SealEntry) -> None:
        """Remember a seal that was checked under the checkpoint."""
        _keep(self.seals, seal.index, seal)

    def under(self, checkpoint: Checkpoint, paths: Paths) -> "Known":
        """The same facts under another checkpoint, if it is proved to continue this one."""
        if checkpoint == self.checkpoint:
            return self
        if self._is_continued_by(checkpoint, paths):
            return Known(checkpoint, self.tiles, self.seals)
        return Known(checkpoint)

    def _is_continued_by(self, later: Checkpoint, paths: Paths) -> bool:
        mine = self.checkpoint
        if mine.origin != later.origin or not 0 < mine.size <= later.size:
            return False
        try:
            path = paths.consistency(mine.size, later.size)
            verify_consistency(mine.size, mine.root, later.size, later.root, path)
        except Problem:
            return False  # then nothing is known, and all is checked anew
        return True


def _keep(facts: dict[int, _Fact], number: int, fact: _Fact) -> None:
    if len(facts) >= _FACTS_KEPT:
        facts.clear()
    facts[number] = fact
