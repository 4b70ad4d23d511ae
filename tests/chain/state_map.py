"""The state map by its definition: slow, whole in memory, and the oracle for its proofs."""

from collections.abc import Mapping

from chain.canonical import encode
from chain.hashing import ZERO, Digest, sha256
from chain.tree.states import StateLeaf

State = dict[str, str]


def bit(key: Digest, depth: int) -> int:
    """Return a bit of the key, the most significant first."""
    return key[depth // 8] >> (7 - depth % 8) & 1


def map_root(items: Mapping[Digest, State], depth: int = 0) -> Digest:
    """The root of the map, word for word as the format defines it."""
    if not items:
        return ZERO
    if len(items) == 1:
        ((key, value),) = items.items()
        return sha256(b"\x02" + key + sha256(encode(value)))
    left = {key: value for key, value in items.items() if not bit(key, depth)}
    right = {key: value for key, value in items.items() if bit(key, depth)}
    return sha256(b"\x03" + map_root(left, depth + 1) + map_root(right, depth + 1))


def prove(items: Mapping[Digest, State], key: Digest) -> tuple[StateLeaf | None, list[Digest]]:
    """The leaf and the siblings from the root down to where ``key`` stands or would stand."""
    siblings: list[Digest] = []
    here = dict(items)
    while len(here) > 1:
        depth = len(siblings)
        beside = {other: v for other, v in here.items() if bit(other, depth) != bit(key, depth)}
        here = {other: v for other, v in here.items() if other not in beside}
        siblings.append(map_root(beside, depth + 1))
    leaf = next((StateLeaf(other, value) for other, value in here.items()), None)
    return leaf, siblings
