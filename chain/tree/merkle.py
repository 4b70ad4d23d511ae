"""The Merkle tree of RFC 6962, section 2.1: roots, inclusion and consistency proofs.

Building reads the tree through a keyhole, ``NodeReader``, and costs O(log size) look-ups;
checking is pure. ``merkle_slow`` has the definitions that all of this must agree with.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol, Self

from chain.errors import MalformedError, VerificationError
from chain.hashing import DIGEST_SIZE, EMPTY_ROOT, Digest, node_hash, node_hashes, to_digest

MAX_SIZE = 2**63 - 1
"""Largest tree; what fits a signed 64-bit integer everywhere."""

_SIZE_BYTES = 8


class NodeReader(Protocol):
    """What proofs need of a stored tree."""

    def node(self, level: int, index: int) -> Digest:
        """Return the hash of the complete subtree over leaves index * 2^level up to the next."""
        ...


class Edge:
    """The right edge of a tree: the roots of the complete subtrees it consists of, left to right.

    All that appending needs: O(log size) memory, however long the log is. Not thread-safe.
    """

    __slots__ = ("_peaks", "_size")

    def __init__(self, size: int = 0, hashes: Iterable[Digest] = ()) -> None:
        """Raise MalformedError ``edge_shape`` unless there is one hash for each bit of ``size``."""
        self._size = _check_size(size)
        self._peaks = [to_digest(peak) for peak in hashes]
        if len(self._peaks) != size.bit_count():
            raise MalformedError(
                "edge_shape",
                f"the edge of {size} leaves has {size.bit_count()} hashes, not {len(self._peaks)}",
            )

    @classmethod
    def read(cls, reader: NodeReader, size: int) -> Self:
        """Read the edge of the first ``size`` leaves of a stored tree."""
        return cls(size, _peaks(reader, 0, _check_size(size)))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what ``to_bytes`` wrote; MalformedError for anything else."""
        if (len(data) - _SIZE_BYTES) % DIGEST_SIZE:  # never 0 for less than the size's bytes
            raise MalformedError("edge_shape", f"no edge is {len(data)} bytes long")
        starts = range(_SIZE_BYTES, len(data), DIGEST_SIZE)
        size = int.from_bytes(data[:_SIZE_BYTES], "big")
        return cls(size, (Digest(data[start : start + DIGEST_SIZE]) for start in starts))

    def to_bytes(self) -> bytes:
        """Return the size as 8 big-endian bytes, then the hashes."""
        return self._size.to_bytes(_SIZE_BYTES, "big") + b"".join(self._peaks)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._size

    @property
    def hashes(self) -> tuple[Digest, ...]:
        """The roots of the complete subtrees, the largest first."""
        return tuple(self._peaks)

    def copy(self) -> "Edge":
        """Return an edge that grows on its own."""
        return Edge(self._size, self._peaks)

    def append(self, leaf: Digest) -> None:
        """Add one leaf hash."""
        self.extend((leaf,))

    def extend(self, leaves: Sequence[Digest]) -> list[list[Digest]]:
        """Add leaf hashes in order; return the subtrees that they complete, by height, from 0 on.

        Height by height, as in adding two binary numbers: ``leaves`` are the first row.
        """
        _check_size(self._size + len(leaves))
        rows: list[list[Digest]] = []
        alone: list[Digest] = []
        row = list(leaves)
        while row:
            waiting = self._size >> len(rows) & 1  # a subtree of this height has no neighbour yet
            paired = [self._peaks.pop(), *row] if waiting else row
            if len(paired) & 1:
                alone.append(paired[-1])
            rows.append(row)
            row = node_hashes(paired)
        self._peaks.extend(reversed(alone))
        self._size += len(leaves)
        return rows

    def root(self) -> Digest:
        """Return the root of the tree."""
        return _fold(self._peaks) if self._peaks else EMPTY_ROOT

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Edge) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]  # it changes


def root(reader: NodeReader, size: int) -> Digest:
    """Return the root over the first ``size`` leaves."""
    return Edge.read(reader, size).root()


def rows(leaves: Sequence[Digest]) -> list[list[Digest]]:
    """Return the nodes of a small tree, row by row from its leaves (at least one) to its root.

    A node without a partner stands in the next row as well, so number i's parent is number i // 2.
    """
    found = [list(leaves)]
    while len(row := found[-1]) > 1:
        above = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=False)]
        found.append(above + row[2 * len(above) :])
    return found


def inclusion_path(reader: NodeReader, index: int, size: int, *, above: int = 1) -> list[Digest]:
    """Return the siblings from leaf ``index`` up to the root over ``size`` leaves.

    With ``above``, a power of two, only those above the complete subtree of so many leaves in which
    it stands, which must be there.
    """
    _check_index(index, size)
    path: list[Digest] = []
    low, high = 0, size
    while high - low > above:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range_root(reader, middle, high))
            high = middle
        else:
            path.append(_range_root(reader, low, middle))
            low = middle
    path.reverse()
    return path


def consistency_path(reader: NodeReader, old_size: int, new_size: int) -> list[Digest]:
    """Return the proof that the first ``old_size`` leaves of ``new_size`` are unchanged.

    Nothing can be proved from the empty tree: MalformedError ``consistency_sizes``.
    """
    _check_sizes(old_size, new_size)
    path: list[Digest] = []
    low, high = 0, new_size
    while high != old_size:
        middle = low + _split(high - low)
        if old_size <= middle:
            path.append(_range_root(reader, middle, high))
            high = middle
        else:
            path.append(_range_root(reader, low, middle))
            low = middle
    if low:  # else the old tree is a subtree of the new one, and its root is known
        path.append(_range_root(reader, low, high))
    path.reverse()
    return path


def verify_inclusion(
    leaf: Digest, index: int, size: int, path: Sequence[Digest], root: Digest
) -> None:
    """Check that ``leaf`` is number ``index`` of the tree (RFC 9162, section 2.1.3.2).

    Raises MalformedError for what no tree has: ``index_outside``, ``tree_size``,
    ``digest_length``; VerificationError ``path_length`` or ``root_mismatch``.
    """
    _check_root(inclusion_root(leaf, index, size, path), root)


def inclusion_root(leaf: Digest, index: int, size: int, path: Sequence[Digest]) -> Digest:
    """Return the root to which the path leads; errors as ``verify_inclusion``."""
    _check_index(index, size)
    node, siblings = to_digest(leaf), [to_digest(sibling) for sibling in path]
    position, last = index, size - 1
    for sibling in siblings:
        if last == 0:
            raise _wrong_length()
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            # A node that ends its row without a partner moves up until it is a right child.
            while not position & 1:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise _wrong_length()
    return node


def verify_consistency(
    old_size: int, old_root: Digest, new_size: int, new_root: Digest, path: Sequence[Digest]
) -> None:
    """Check that the new tree only adds to the old one (RFC 9162, section 2.1.4.2).

    Raises MalformedError: ``consistency_sizes``, ``tree_size``, ``digest_length``;
    VerificationError: ``path_length``, ``root_mismatch``.
    """
    _check_sizes(old_size, new_size)
    hashes = [to_digest(item) for item in path]
    if old_size == new_size:
        if hashes:
            raise _wrong_length()
        _check_root(to_digest(old_root), new_root)
        return
    if old_size & (old_size - 1) == 0:  # the old tree is complete: its root starts the proof
        hashes.insert(0, to_digest(old_root))
    if not hashes:
        raise _wrong_length()
    old_node, new_node = _climb(old_size, new_size, hashes)
    _check_root(old_node, old_root)
    _check_root(new_node, new_root)


def _climb(old_size: int, new_size: int, hashes: list[Digest]) -> tuple[Digest, Digest]:
    """Return the two roots that a consistency proof leads to."""
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_node = new_node = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise _wrong_length()
        if position & 1 or position == last:
            old_node = node_hash(sibling, old_node)
            new_node = node_hash(sibling, new_node)
            while not position & 1:  # it is the last of its row, so not 0
                position, last = position >> 1, last >> 1
        else:
            new_node = node_hash(new_node, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise _wrong_length()
    return old_node, new_node


def _split(width: int) -> int:
    """Return the largest power of two below ``width`` (at least 2): the left subtree's leaves."""
    return 1 << ((width - 1).bit_length() - 1)


def _peaks(reader: NodeReader, low: int, high: int) -> list[Digest]:
    """Return the roots of the complete subtrees over leaves ``low`` to ``high``.

    ``low`` must be a multiple of the largest of them, as it is wherever RFC 6962 splits.
    """
    found: list[Digest] = []
    while low < high:
        level = (high - low).bit_length() - 1
        found.append(reader.node(level, low >> level))
        low += 1 << level
    return found


def _range_root(reader: NodeReader, low: int, high: int) -> Digest:
    return _fold(_peaks(reader, low, high))


def _fold(peaks: Sequence[Digest]) -> Digest:
    """Return the root over complete subtrees that stand side by side, at least one."""
    node = peaks[-1]
    for peak in reversed(peaks[:-1]):
        node = node_hash(peak, node)
    return node


def _check_size(size: int) -> int:
    if not 0 <= size <= MAX_SIZE:
        raise MalformedError("tree_size", "no tree has this many leaves")
    return size


def _check_index(index: int, size: int) -> None:
    if not 0 <= index < _check_size(size):
        raise MalformedError("index_outside", "there is no such leaf in a tree of this size")


def _check_sizes(old_size: int, new_size: int) -> None:
    if not 0 < old_size <= _check_size(new_size):
        raise MalformedError(
            "consistency_sizes",
            "consistency is proved from a tree that is not empty to a later one",
        )


def _check_root(found: Digest, expected: Digest) -> None:
    if found != to_digest(expected):
        raise VerificationError("root_mismatch", "the proof leads to another root")


def _wrong_length() -> VerificationError:
    return VerificationError("path_length", "the proof does not have the length its sizes demand")
