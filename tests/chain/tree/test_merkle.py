"""Roots and paths agree with published ones, with another library, and with the definition."""

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError
from chain.hashing import EMPTY_ROOT, Digest, digest_from_hex, leaf_hash
from chain.tree.merkle import (
    MAX_SIZE,
    Edge,
    consistency_path,
    inclusion_path,
    root,
    rows,
    verify_consistency,
    verify_inclusion,
)
from chain.tree.merkle_slow import slow_consistency_path, slow_inclusion_path, slow_root
from tests.chain.trees import Leaves, entries, leaves, outside

VECTORS = outside("rfc6962.json")
LEAVES = [leaf_hash(bytes.fromhex(entry)) for entry in VECTORS["entries"]]
ROOTS = [digest_from_hex(text) for text in VECTORS["roots"]]

MANY = leaves(600)
SMALL = [slow_root(MANY[:size]) for size in range(35)]


def from_hex(texts: list[str]) -> list[Digest]:
    return [digest_from_hex(text) for text in texts]


def test_published_leaves() -> None:
    assert from_hex(VECTORS["leaves"]) == LEAVES


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    edge = Edge()
    edge.extend(LEAVES[:size])
    assert edge.root() == ROOTS[size]
    assert root(Leaves(LEAVES), size) == ROOTS[size]
    assert slow_root(LEAVES[:size]) == ROOTS[size]


@pytest.mark.parametrize("size", range(9))
def test_published_edges(size: int) -> None:
    edge = Edge()
    edge.extend(LEAVES[:size])
    assert list(edge.hashes) == from_hex(VECTORS["edges"][size])
    assert Edge.read(Leaves(LEAVES), size) == edge


@pytest.mark.parametrize("case", VECTORS["inclusion"])
def test_published_inclusion_paths(case: dict[str, object]) -> None:
    index, size, path = int(str(case["index"])), int(str(case["size"])), case["path"]
    assert isinstance(path, list)
    assert inclusion_path(Leaves(LEAVES), index, size) == from_hex(path)
    assert slow_inclusion_path(LEAVES[:size], index) == from_hex(path)
    verify_inclusion(LEAVES[index], index, size, from_hex(path), ROOTS[size])


@pytest.mark.parametrize("case", VECTORS["consistency"])
def test_published_consistency_paths(case: dict[str, object]) -> None:
    old, new, path = int(str(case["old"])), int(str(case["new"])), case["path"]
    assert isinstance(path, list)
    assert consistency_path(Leaves(LEAVES), old, new) == from_hex(path)
    assert slow_consistency_path(LEAVES[:new], old) == from_hex(path)
    verify_consistency(old, ROOTS[old], new, ROOTS[new], from_hex(path))


def test_another_library_finds_the_same_roots() -> None:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    edge = Edge()
    for entry in entries(130):
        tree.append_entry(entry)
        edge.append(leaf_hash(entry))
        assert tree.get_root() == edge.root()


def test_another_library_finds_the_same_paths() -> None:
    tree = pymerkle.InmemoryTree.init_from_entries(entries(37), algorithm="sha256")
    for index in range(37):
        # Its paths begin with the leaf itself, and it counts leaves from 1.
        theirs = tree.prove_inclusion(index + 1, 37).path
        assert theirs[1:] == inclusion_path(Leaves(MANY), index, 37)


@given(st.integers(0, 600))
def test_root_is_the_definition(size: int) -> None:
    expected = slow_root(MANY[:size])
    assert root(Leaves(MANY), size) == expected
    edge = Edge()
    edge.extend(MANY[:size])
    assert edge.root() == expected


@given(st.integers(1, 600).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_inclusion_path_is_the_definition(case: tuple[int, int]) -> None:
    index, size = case
    reader = Leaves(MANY)
    path = inclusion_path(reader, index, size)
    assert path == slow_inclusion_path(MANY[:size], index)
    assert reader.asked <= 2 * size.bit_length()
    verify_inclusion(MANY[index], index, size, path, slow_root(MANY[:size]))


@given(st.integers(1, 600).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))))
def test_consistency_path_is_the_definition(case: tuple[int, int]) -> None:
    old, new = case
    reader = Leaves(MANY)
    path = consistency_path(reader, old, new)
    assert path == slow_consistency_path(MANY[:new], old)
    assert reader.asked <= 3 * new.bit_length()
    verify_consistency(old, slow_root(MANY[:old]), new, slow_root(MANY[:new]), path)


@given(st.integers(1, 80))
def test_rows_lead_to_the_root_as_the_definition_does(size: int) -> None:
    tree = rows(leaves(size))
    assert tree[-1] == [slow_root(leaves(size))]
    for index in range(size):
        place, path = index, []
        for row in tree[:-1]:
            path += row[place ^ 1 : (place ^ 1) + 1]
            place >>= 1
        assert path == slow_inclusion_path(leaves(size), index)


def test_every_proof_between_two_small_trees() -> None:
    """From 25 leaves on, a node may move up without a partner in the middle of a proof."""
    for new in range(1, 35):
        for old in range(1, new + 1):
            path = consistency_path(Leaves(MANY), old, new)
            verify_consistency(old, SMALL[old], new, SMALL[new], path)


@given(st.lists(st.integers(0, 70), max_size=8))
def test_an_edge_grows_the_same_however_it_is_fed(steps: list[int]) -> None:
    edge, done = Edge(), 0
    for step in steps:
        edge.extend(MANY[done : done + step])
        done += step
    one_by_one = Edge()
    for leaf in MANY[:done]:
        one_by_one.append(leaf)
    assert edge == one_by_one
    assert edge.size == done
    assert edge == Edge.read(Leaves(MANY), done)
    assert edge.root() == slow_root(MANY[:done])


@given(st.integers(0, 300), st.integers(0, 300))
def test_an_edge_tells_what_it_has_completed(old: int, added: int) -> None:
    """At each height the complete subtrees of the new tree that the old one did not have."""
    edge = Edge.read(Leaves(MANY), old)
    rows = edge.extend(MANY[old : old + added])
    whole = [
        [Leaves(MANY).node(height, n) for n in range(old >> height, (old + added) >> height)]
        for height in range(10)
    ]
    assert rows == [row for row in whole if row]


@given(st.integers(0, 600))
def test_edge_as_bytes(size: int) -> None:
    edge = Edge.read(Leaves(MANY), size)
    data = edge.to_bytes()
    assert len(data) == 8 + 32 * size.bit_count()
    assert Edge.from_bytes(data) == edge


def test_a_copy_grows_on_its_own() -> None:
    edge = Edge()
    edge.extend(MANY[:5])
    copy = edge.copy()
    copy.append(MANY[5])
    assert (edge.size, copy.size) == (5, 6)
    assert edge.root() == slow_root(MANY[:5])
    assert copy.root() == slow_root(MANY[:6])
    assert edge != copy
    assert edge != edge.to_bytes()


def test_an_edge_is_no_key() -> None:
    with pytest.raises(TypeError):
        hash(Edge())


def test_the_empty_tree() -> None:
    assert Edge().root() == EMPTY_ROOT
    assert root(Leaves([]), 0) == EMPTY_ROOT
    assert Edge.from_bytes(bytes(8)) == Edge()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "edge_shape"),
        (bytes(7), "edge_shape"),
        (bytes(9), "edge_shape"),
        (bytes(8 + 32), "edge_shape"),  # one hash too many for no leaves
        ((1).to_bytes(8, "big"), "edge_shape"),  # one too few
        ((3).to_bytes(8, "big") + bytes(32), "edge_shape"),
        ((2).to_bytes(8, "big") + bytes(31), "edge_shape"),
        ((2**63).to_bytes(8, "big") + bytes(32), "tree_size"),
    ],
)
def test_what_is_no_edge(data: bytes, code: str) -> None:
    with pytest.raises(MalformedError) as caught:
        Edge.from_bytes(data)
    assert caught.value.code == code


def test_an_edge_takes_only_digests() -> None:
    with pytest.raises(MalformedError, match=r"^digest_length\b"):
        Edge(1, [Digest(bytes(31))])


def test_an_edge_cannot_outgrow_its_counter() -> None:
    edge = Edge(MAX_SIZE, [Digest(bytes(32))] * 63)
    with pytest.raises(MalformedError, match=r"^tree_size\b"):
        edge.append(MANY[0])
    assert edge.size == MAX_SIZE


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 5), (5, 5), (9, 8)])
def test_there_is_no_path_for_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(MalformedError, match=r"^index_outside\b"):
        inclusion_path(Leaves(MANY), index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_there_is_no_consistency_from_nothing_or_backwards(old: int, new: int) -> None:
    with pytest.raises(MalformedError, match=r"^consistency_sizes\b"):
        consistency_path(Leaves(MANY), old, new)


@pytest.mark.parametrize("size", [-1, MAX_SIZE + 1])
def test_there_is_no_tree_of_such_a_size(size: int) -> None:
    for read in (lambda: root(Leaves(MANY), size), lambda: inclusion_path(Leaves(MANY), 0, size)):
        with pytest.raises(MalformedError, match=r"^tree_size\b"):
            read()
    with pytest.raises(MalformedError, match=r"^tree_size\b"):
        consistency_path(Leaves(MANY), 1, size)
