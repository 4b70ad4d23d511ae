"""Facts that are kept: they save work, and they make nothing true."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.entry import SealEntry
from chain.errors import Problem, VerificationError
from chain.hashing import ZERO, Digest
from chain.signing.checkpoint import Checkpoint
from chain.tree.merkle import consistency_path, inclusion_path
from chain.tree.merkle_slow import slow_root
from invoice_service.services.checking import known
from invoice_service.services.checking.known import Known
from tests.chain.trees import Leaves, flip, leaves

LEAVES = leaves(1100)
ORIGIN = "known.test/log"


class Tree:
    """The paths of a tree by their definition; ``asked`` says which were read."""

    def __init__(self, all_leaves: Sequence[Digest] = LEAVES) -> None:
        self._leaves = all_leaves
        self._reader = Leaves(all_leaves)
        self.asked: list[str] = []

    def checkpoint(self, size: int) -> Checkpoint:
        """What the log signs at that size."""
        return Checkpoint(ORIGIN, size, slow_root(self._leaves[:size]))

    def inclusion(self, index: int, size: int) -> list[Digest]:
        """The whole way."""
        self.asked.append("whole")
        return inclusion_path(self._reader, index, size)

    def way_in_tile(self, index: int) -> list[Digest] | None:
        """The way inside the tile."""
        self.asked.append("tile")
        return [self._reader.node(h, index >> h ^ 1) for h in range(8)]

    def way_above_tile(self, index: int, size: int) -> list[Digest]:
        """The way above it."""
        self.asked.append("above")
        return inclusion_path(self._reader, index, size, above=256)

    def consistency(self, old_size: int, new_size: int) -> list[Digest]:
        """From one size to another."""
        self.asked.append("consistency")
        return consistency_path(self._reader, old_size, new_size)


def asked(tree: Tree, action: Callable[[], object]) -> list[str]:
    """What the action read."""
    tree.asked.clear()
    action()
    return list(tree.asked)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(2, 1100), min_size=1, max_size=4), st.data())
def test_only_the_trees_own_leaves_are_under_it(sizes: list[int], data: st.DataObject) -> None:
    """Whatever has been found before, under whichever checkpoints of one log."""
    tree = Tree()
    facts = Known(tree.checkpoint(sizes[0]))
    for size in sizes:
        facts = facts.under(tree.checkpoint(size), tree)
        for _ in range(3):
            index = data.draw(st.integers(0, size - 1))
            facts.check_inclusion(tree, LEAVES[index], index)
            bent = flip(LEAVES[index], data.draw(st.integers(0, 255)))
            with pytest.raises(VerificationError, match=r"^root_mismatch\b"):
                facts.check_inclusion(tree, bent, index)
            other = (index + data.draw(st.integers(1, size - 1))) % size
            with pytest.raises(VerificationError, match=r"^root_mismatch\b"):
                facts.check_inclusion(tree, LEAVES[index], other)


def test_the_way_above_a_full_tile_is_checked_once() -> None:
    tree = Tree()
    facts = Known(tree.checkpoint(600))
    assert asked(tree, lambda: facts.check_inclusion(tree, LEAVES[3], 3)) == ["tile", "above"]
    assert asked(tree, lambda: facts.check_inclusion(tree, LEAVES[3], 3)) == ["tile"]
    assert asked(tree, lambda: facts.check_inclusion(tree, LEAVES[255], 255)) == ["tile"]
    assert asked(tree, lambda: facts.check_inclusion(tree, LEAVES[256], 256)) == ["tile", "above"]
    for _ in range(2):  # in the last tile, which is not full, always the whole
        assert asked(tree, lambda: facts.check_inclusion(tree, LEAVES[599], 599)) == ["whole"]


def test_a_tile_that_fails_is_not_kept() -> None:
    tree = Tree()
    facts = Known(tree.checkpoint(600))
    with pytest.raises(VerificationError):
        facts.check_inclusion(tree, ZERO, 3)
    assert facts.tiles == {}


def test_a_path_in_a_tile_that_was_bent_is_found() -> None:
    tree = Tree()
    facts = Known(tree.checkpoint(600))
    facts.check_inclusion(tree, LEAVES[3], 3)
    lying = Tree([*LEAVES[:2], ZERO, *LEAVES[3:]])
    with pytest.raises(VerificationError, match=r"^root_mismatch\b"):
        facts.check_inclusion(lying, LEAVES[3], 3)


class Proposing(Tree):
    """A tree whose ways in tiles are what somebody proposes."""

    def __init__(self, propose: Callable[[list[Digest]], list[Digest] | None]) -> None:
        super().__init__()
        self._propose = propose

    def way_in_tile(self, index: int) -> list[Digest] | None:
        way = super().way_in_tile(index)
        assert way is not None
        return self._propose(way)


def _bent(at: int) -> Callable[[list[Digest]], list[Digest]]:
    return lambda way: [*way[:at], flip(way[at], 7), *way[at + 1 :]]


@pytest.mark.parametrize(
    "propose",
    [
        lambda _way: None,
        lambda way: way[:-1],
        lambda way: [*way, ZERO],
        lambda way: list(reversed(way)),
        lambda way: [ZERO] * len(way),
        *map(_bent, range(8)),
    ],
)
@pytest.mark.parametrize("known", [False, True])
def test_what_is_proposed_makes_nothing_true_and_nothing_wrong(
    propose: Callable[[list[Digest]], list[Digest] | None], known: bool
) -> None:
    tree = Proposing(propose)
    facts = Known(tree.checkpoint(600))
    if known:
        facts.check_inclusion(Tree(), LEAVES[9], 9)
    found = asked(tree, lambda: facts.check_inclusion(tree, LEAVES[3], 3))
    assert found[-1] == "whole"
    assert facts.tiles == {0: slow_root(LEAVES[:256])}
    with pytest.raises(VerificationError, match=r"^root_mismatch\b"):
        facts.check_inclusion(tree, LEAVES[4], 3)
    assert facts.tiles == {0: slow_root(LEAVES[:256])}


def test_what_is_known_stays_known_under_a_root_that_continues() -> None:
    tree = Tree()
    facts = Known(tree.checkpoint(300))
    facts.check_inclusion(tree, LEAVES[3], 3)
    facts.keep_seal(_seal(299))
    assert asked(tree, lambda: facts.under(tree.checkpoint(300), tree)) == []
    later = facts.under(tree.checkpoint(1000), tree)
    assert (later.checkpoint.size, later.seals) == (1000, {299: _seal(299)})
    assert asked(tree, lambda: later.check_inclusion(tree, LEAVES[4], 4)) == ["tile"]
    assert asked(tree, lambda: later.check_inclusion(tree, LEAVES[299], 299)) == ["tile", "above"]


def test_an_older_checkpoint_has_only_its_own_full_tiles() -> None:
    """Two threads may see two checkpoints, and share what they find."""
    tree = Tree()
    facts = Known(tree.checkpoint(300))
    facts.under(tree.checkpoint(1000), tree).check_inclusion(tree, LEAVES[290], 290)
    assert asked(tree, lambda: facts.check_inclusion(tree, LEAVES[291], 291)) == ["whole"]


@pytest.mark.parametrize(
    "other",
    [
        Tree([ZERO, *LEAVES[1:]]).checkpoint(1000),
        Tree().checkpoint(200),
        replace(Tree().checkpoint(1000), origin="another.test/log"),
        replace(Tree().checkpoint(300), root=ZERO),
    ],
    ids=["another history", "smaller", "another log", "a fork"],
)
def test_under_a_root_that_does_not_continue_nothing_is_known(other: Checkpoint) -> None:
    tree = Tree()
    facts = Known(tree.checkpoint(300))
    facts.check_inclusion(tree, LEAVES[3], 3)
    facts.keep_seal(_seal(299))
    assert facts.under(other, tree) == Known(other)


def test_without_a_proof_nothing_is_known() -> None:
    class Broken(Tree):
        def consistency(self, old_size: int, new_size: int) -> list[Digest]:
            raise Problem("tile_missing", f"{old_size} to {new_size}")

    tree = Broken()
    facts = Known(tree.checkpoint(300))
    facts.check_inclusion(tree, LEAVES[3], 3)
    assert facts.under(tree.checkpoint(1000), tree).tiles == {}


def test_after_the_empty_log_nothing_is_known() -> None:
    tree = Tree()
    assert Known(tree.checkpoint(0)).under(tree.checkpoint(3), tree) == Known(tree.checkpoint(3))


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "_FACTS_KEPT", 3)
    tree = Tree()
    facts = Known(tree.checkpoint(1100))
    for n in range(4):
        facts.check_inclusion(tree, LEAVES[256 * n], 256 * n)
        facts.keep_seal(_seal(n + 1))
    assert set(facts.tiles) == {3}
    assert set(facts.seals) == {4}


def _seal(index: int) -> SealEntry:
    zero = ZERO.hex()
    return SealEntry(
        height=1,
        previous=zero,
        first=0,
        count=index,
        states=zero,
        sealed_at="2026-11-21T04:00:00Z",
    )
