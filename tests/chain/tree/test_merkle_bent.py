"""Every proof in trees of 1 to 8 leaves, bent in every way: nothing bent verifies."""

from collections.abc import Iterator

import pytest

from chain.errors import MalformedError, VerificationError
from chain.hashing import EMPTY_ROOT, ZERO, Digest
from chain.tree.merkle import MAX_SIZE, verify_consistency, verify_inclusion
from chain.tree.merkle_slow import slow_consistency_path, slow_inclusion_path, slow_root
from tests.chain.trees import flip, leaves

LEAVES = leaves(17)
ROOTS = [slow_root(LEAVES[:size]) for size in range(18)]
SIZES = range(1, 9)
FOREIGN = Digest(b"\xaa" * 32)
WRONG_LENGTHS = [Digest(bytes(length)) for length in (0, 31, 33, 64)]

Path = list[Digest]


def bent_paths(path: Path) -> Iterator[Path]:
    """Yield the path changed in every bit, and lengthened, shortened and reordered everywhere."""
    for at in range(len(path)):
        for bit in range(256):
            yield [*path[:at], flip(path[at], bit), *path[at + 1 :]]
        for digest in (FOREIGN, ZERO, EMPTY_ROOT, *WRONG_LENGTHS):
            yield [*path[:at], digest, *path[at + 1 :]]
        yield [*path[:at], *path[at + 1 :]]
        for other in range(at):
            swapped = list(path)
            swapped[at], swapped[other] = swapped[other], swapped[at]
            yield swapped
    for at in range(len(path) + 1):
        for digest in (FOREIGN, ZERO, EMPTY_ROOT, *WRONG_LENGTHS, *path):
            yield [*path[:at], digest, *path[at:]]
    yield path + path or [FOREIGN, FOREIGN]
    yield path * 30 or [FOREIGN] * 64


def bent_digests(digest: Digest) -> Iterator[Digest]:
    yield from (flip(digest, bit) for bit in range(256))
    yield from (FOREIGN, ZERO, *WRONG_LENGTHS)


def refused_inclusion(leaf: Digest, index: int, size: int, path: Path, root: Digest) -> None:
    with pytest.raises((MalformedError, VerificationError)):
        verify_inclusion(leaf, index, size, path, root)


def refused_consistency(old: int, old_root: Digest, new: int, new_root: Digest, path: Path) -> None:
    with pytest.raises((MalformedError, VerificationError)):
        verify_consistency(old, old_root, new, new_root, path)


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_with_a_bent_path(size: int) -> None:
    for index in range(size):
        path = slow_inclusion_path(LEAVES[:size], index)
        verify_inclusion(LEAVES[index], index, size, path, ROOTS[size])
        for bent in bent_paths(path):
            if bent != path:  # swapping equal siblings bends nothing
                refused_inclusion(LEAVES[index], index, size, bent, ROOTS[size])


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_of_another_leaf_or_under_another_root(size: int) -> None:
    for index in range(size):
        path = slow_inclusion_path(LEAVES[:size], index)
        for bent in (*bent_digests(LEAVES[index]), EMPTY_ROOT, *LEAVES[:index], ROOTS[17]):
            refused_inclusion(bent, index, size, path, ROOTS[size])
        for bent in (*bent_digests(ROOTS[size]), EMPTY_ROOT, ROOTS[size - 1], ROOTS[size + 1]):
            refused_inclusion(LEAVES[index], index, size, path, bent)


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_at_another_place(size: int) -> None:
    for index in range(size):
        path = slow_inclusion_path(LEAVES[:size], index)
        for other in (*range(-2, 20), index + 2**63, index - 2**63):
            if other != index:
                refused_inclusion(LEAVES[index], other, size, path, ROOTS[size])


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_in_a_tree_of_another_size(size: int) -> None:
    """A path says nothing of the size where it takes the same turns: the root must tell.

    So the bent size comes with its own root, as a checkpoint would bring it.
    """
    for index in range(size):
        path = slow_inclusion_path(LEAVES[:size], index)
        for other in range(-2, 18):
            if other != size:
                refused_inclusion(LEAVES[index], index, other, path, ROOTS[max(0, other)])
        for other in (2**62, MAX_SIZE, MAX_SIZE + 1):
            refused_inclusion(LEAVES[index], index, other, path, ROOTS[size])


@pytest.mark.parametrize("size", SIZES)
def test_a_node_does_not_pass_for_a_leaf(size: int) -> None:
    """An inner node with the rest of its path must not stand as a leaf higher up."""
    for index in range(size):
        path = slow_inclusion_path(LEAVES[:size], index)
        for cut in range(1, len(path) + 1):
            for low in range(0, size, 1 << cut):
                node = slow_root(LEAVES[low : min(size, low + (1 << cut))])
                for place in range(size):
                    refused_inclusion(node, place, size, path[cut:], ROOTS[size])


def test_an_empty_leaf_under_an_empty_root() -> None:
    nothing = Digest(b"")
    refused_inclusion(nothing, 0, 1, [], nothing)
    refused_inclusion(nothing, 0, 0, [], nothing)
    refused_inclusion(EMPTY_ROOT, 0, 0, [], EMPTY_ROOT)
    refused_consistency(1, nothing, 1, nothing, [])
    refused_consistency(1, nothing, 2, nothing, [nothing])
    refused_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    refused_consistency(0, EMPTY_ROOT, 3, ROOTS[3], [])


def pairs(size: int) -> Iterator[tuple[int, Path]]:
    for old in range(1, size + 1):
        yield old, slow_consistency_path(LEAVES[:size], old)


@pytest.mark.parametrize("size", SIZES)
def test_consistency_with_a_bent_path(size: int) -> None:
    for old, path in pairs(size):
        verify_consistency(old, ROOTS[old], size, ROOTS[size], path)
        for bent in bent_paths(path):
            if bent != path:
                refused_consistency(old, ROOTS[old], size, ROOTS[size], bent)


@pytest.mark.parametrize("size", SIZES)
def test_consistency_under_bent_roots(size: int) -> None:
    for old, path in pairs(size):
        for bent in (*bent_digests(ROOTS[old]), EMPTY_ROOT, ROOTS[old - 1], ROOTS[old + 1]):
            refused_consistency(old, bent, size, ROOTS[size], path)
        for bent in (*bent_digests(ROOTS[size]), EMPTY_ROOT, ROOTS[size - 1], ROOTS[size + 1]):
            refused_consistency(old, ROOTS[old], size, bent, path)
        if old != size:
            refused_consistency(old, ROOTS[size], size, ROOTS[old], path)
            refused_consistency(old, ROOTS[old], size, ROOTS[old], path)
            refused_consistency(old, ROOTS[size], size, ROOTS[size], path)


@pytest.mark.parametrize("size", SIZES)
def test_consistency_between_other_sizes(size: int) -> None:
    """A bent size comes with its own root: the path must not fit."""
    for old, path in pairs(size):
        for other in range(-2, 18):
            if other != old and (path or other != size):
                refused_consistency(other, ROOTS[max(0, other)], size, ROOTS[size], path)
            if other != size and (path or other != old):
                refused_consistency(old, ROOTS[old], other, ROOTS[max(0, other)], path)
        refused_consistency(old, ROOTS[old], size + 2**62, ROOTS[size], path)
        refused_consistency(old, ROOTS[old], MAX_SIZE + 1, ROOTS[size], path)


@pytest.mark.parametrize("size", SIZES)
def test_a_changed_history_has_no_consistency(size: int) -> None:
    for old in range(1, size):
        for changed in range(old):
            forged = list(LEAVES[:size])
            forged[changed] = FOREIGN
            path = slow_consistency_path(forged, old)
            refused_consistency(old, ROOTS[old], size, slow_root(forged), path)


def test_the_codes_say_whose_fault() -> None:
    path = slow_inclusion_path(LEAVES[:5], 2)
    leaf, root = LEAVES[2], ROOTS[5]
    with pytest.raises(VerificationError, match=r"^path_length\b"):
        verify_inclusion(leaf, 2, 5, path[:-1], root)
    with pytest.raises(VerificationError, match=r"^path_length\b"):
        verify_inclusion(leaf, 2, 5, [*path, FOREIGN], root)
    with pytest.raises(VerificationError, match=r"^root_mismatch\b"):
        verify_inclusion(leaf, 2, 5, [flip(path[0], 0), *path[1:]], root)
    with pytest.raises(MalformedError, match=r"^index_outside\b"):
        verify_inclusion(leaf, 5, 5, path, root)
    with pytest.raises(MalformedError, match=r"^tree_size\b"):
        verify_inclusion(leaf, 5, MAX_SIZE + 1, path, root)
    with pytest.raises(MalformedError, match=r"^digest_length\b"):
        verify_inclusion(leaf, 2, 5, [*path[:-1], Digest(b"")], root)
    with pytest.raises(MalformedError, match=r"^consistency_sizes\b"):
        verify_consistency(0, EMPTY_ROOT, 5, root, [])
    with pytest.raises(VerificationError, match=r"^path_length\b"):
        verify_consistency(5, root, 5, root, [FOREIGN])
    with pytest.raises(VerificationError, match=r"^root_mismatch\b"):
        verify_consistency(5, root, 5, ROOTS[4], [])
    with pytest.raises(VerificationError, match=r"^path_length\b"):
        verify_consistency(3, ROOTS[3], 5, root, [])
    path = slow_consistency_path(LEAVES[:5], 3)
    with pytest.raises(VerificationError, match=r"^path_length\b"):
        verify_consistency(3, ROOTS[3], 5, root, [*path, FOREIGN])
    with pytest.raises(VerificationError, match=r"^path_length\b"):
        verify_consistency(3, ROOTS[3], 5, root, path[:-1])
