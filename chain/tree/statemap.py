"""The state map itself: a sparse Merkle map kept as nodes that are found by their hash.

Nodes never change: an update adds those on the way from the changed leaves to a new root, and
every older root stays provable. A subtree with one leaf is that leaf, however high it hangs, so
with keys that are digests a way is about log2(leaves) long. Cost of an update: changed leaves
times that; what else stands in the map is not read.

``slow_root`` is the definition of docs/formats.md; tests hold the map against it.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final, Protocol

from chain.canonical import decode_canonical, encode
from chain.errors import MalformedError, VerificationError
from chain.hashing import DIGEST_SIZE, ZERO, Digest, to_digest
from chain.tree.states import (
    EMPTY_MAP,
    KEY_BITS,
    StateLeaf,
    StateProof,
    state_leaf_hash,
    state_node_hash,
)

Value = dict[str, str]

_LEAF = b"\x02"
_NODE = b"\x03"


class StateNodes(Protocol):
    """What the map needs of a database."""

    def state_node(self, digest: Digest) -> bytes | None:
        """Return the body kept under this hash; None when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class _Fork:
    """A subtree with two leaves or more."""

    left: Digest
    right: Digest


_Node = StateLeaf | _Fork | None
_Change = tuple[Digest, Value | None]


class NodeReader:
    """Reads and checks nodes; those near the root, which every proof passes, once. Thread-safe."""

    def __init__(self, nodes: StateNodes, *, kept: int = 0) -> None:
        """Keep up to ``kept`` nodes in memory, 200 bytes each: a node never changes."""
        # Not a method: a cycle would keep the database open until somebody collects it.
        read = partial(_read, nodes)
        self.read: Final = lru_cache(kept)(read) if kept else read


class StateMap:
    """One map at one root; ``update`` moves it on and collects the nodes to be kept."""

    def __init__(self, nodes: StateNodes | NodeReader, root: Digest = EMPTY_MAP) -> None:
        self.root = root
        self.added: dict[Digest, bytes] = {}
        self._nodes = nodes if isinstance(nodes, NodeReader) else NodeReader(nodes)

    def get(self, key: Digest) -> Value | None:
        """Return the state of ``key``, None when it has none; errors as ``prove``."""
        leaf = self.prove(key).leaf
        return leaf.value if leaf is not None and leaf.key == key else None

    def prove(self, key: Digest) -> StateProof:
        """Return what ``verify_state`` takes. Raises VerificationError ``state_damaged``."""
        siblings: list[Digest] = []
        node = self._load(self.root)
        while isinstance(node, _Fork):
            right = _bit(key, len(siblings))
            siblings.append(node.left if right else node.right)
            node = self._load(node.right if right else node.left)
        return StateProof(node, tuple(siblings))

    def update(self, changes: Mapping[Digest, Value | None]) -> Digest:
        """Set or (None) remove the states of keys; return the new root.

        What must be kept for it stands in ``added`` from then on. Raises MalformedError
        ``state_value``, VerificationError ``state_damaged``.
        """
        self.root = self._update(self.root, sorted(changes.items()), 0)
        return self.root

    def _update(self, root: Digest, changes: Sequence[_Change], depth: int) -> Digest:
        if not changes:
            return root
        node = self._load(root)
        if not isinstance(node, _Fork):
            leaves = {} if node is None else {node.key: node.value}
            leaves.update((key, value) for key, value in changes if value is not None)
            for key, value in changes:
                if value is None:
                    leaves.pop(key, None)
            return self._build(sorted(StateLeaf(*item) for item in leaves.items()), depth)
        middle = _middle(changes, depth)
        left = self._update(node.left, changes[:middle], depth + 1)
        right = self._update(node.right, changes[middle:], depth + 1)
        return self._join(left, right)

    def _build(self, leaves: Sequence[StateLeaf], depth: int) -> Digest:
        if not leaves:
            return EMPTY_MAP
        if len(leaves) == 1:
            digest = state_leaf_hash(leaves[0])
            self.added[digest] = _LEAF + leaves[0].key + encode(leaves[0].value)
            return digest
        middle = _middle(leaves, depth)
        left = self._build(leaves[:middle], depth + 1)
        return self._join(left, self._build(leaves[middle:], depth + 1))

    def _join(self, left: Digest, right: Digest) -> Digest:
        """Return the subtree over two; a leaf that is alone in it takes its place."""
        for only, other in ((left, right), (right, left)):
            if other == EMPTY_MAP and not isinstance(self._load(only), _Fork):
                return only
        digest = state_node_hash(left, right)
        self.added[digest] = _NODE + left + right
        return digest

    def _load(self, digest: Digest) -> _Node:
        if digest == EMPTY_MAP:
            return None
        body = self.added.get(digest)
        return self._nodes.read(digest) if body is None else _parse(digest, body)


def slow_root(leaves: Mapping[Digest, Value], depth: int = 0) -> Digest:
    """Return the root by the definition, from all leaves."""
    if not leaves:
        return ZERO
    if len(leaves) == 1:
        return state_leaf_hash(StateLeaf(*next(iter(leaves.items()))))
    left = {key: value for key, value in leaves.items() if not _bit(key, depth)}
    right = {key: value for key, value in leaves.items() if _bit(key, depth)}
    return state_node_hash(slow_root(left, depth + 1), slow_root(right, depth + 1))


def _read(nodes: StateNodes, digest: Digest) -> _Node:
    body = nodes.state_node(digest)
    if body is None:
        raise VerificationError("state_damaged", f"the state map lacks node {digest.hex()}")
    return _parse(digest, body)


def _parse(digest: Digest, body: bytes) -> StateLeaf | _Fork:
    """Read a node back, and check that it is the one that hashes to ``digest``."""
    if body[:1] == _NODE and len(body) == 1 + 2 * DIGEST_SIZE:
        fork = _Fork(to_digest(body[1 : 1 + DIGEST_SIZE]), to_digest(body[1 + DIGEST_SIZE :]))
        if state_node_hash(fork.left, fork.right) == digest:
            return fork
    elif body[:1] == _LEAF and len(body) > 1 + DIGEST_SIZE:
        with suppress(MalformedError):
            value = decode_canonical(body[1 + DIGEST_SIZE :])
            leaf = StateLeaf(to_digest(body[1 : 1 + DIGEST_SIZE]), value)  # type: ignore[arg-type]  # the next line finds out
            if isinstance(value, dict) and state_leaf_hash(leaf) == digest:
                return leaf
    raise VerificationError("state_damaged", f"node {digest.hex()} of the state map is damaged")


def _middle(sorted_by_key: Sequence[tuple[Digest, Value | None]], depth: int) -> int:
    """Return how many keys, all alike above ``depth``, go to the left there."""
    low, high = 0, len(sorted_by_key)
    while low < high:
        middle = (low + high) // 2
        if _bit(sorted_by_key[middle][0], depth):
            high = middle
        else:
            low = middle + 1
    return low


def _bit(key: Digest, depth: int) -> int:
    """Return bit ``depth`` of a key, 0 the most significant."""
    if depth >= KEY_BITS:
        raise VerificationError("state_depth", "two keys of the state map are the same")
    return key[depth >> 3] >> (7 - (depth & 7)) & 1
