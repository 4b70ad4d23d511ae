"""The Merkle tree exactly as RFC 6962, section 2.1, defines it: slow, and the oracle for the rest.

``entries`` are leaf hashes: the definition's MTH({d(0)}) is taken as given.
"""

from collections.abc import Sequence

from chain.hashing import EMPTY_ROOT, Digest, node_hash


def slow_root(leaves: Sequence[Digest]) -> Digest:
    """MTH(D[n]), section 2.1."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = _largest_power_of_two_below(len(leaves))
    return node_hash(slow_root(leaves[:k]), slow_root(leaves[k:]))


def slow_inclusion_path(leaves: Sequence[Digest], m: int) -> list[Digest]:
    """PATH(m, D[n]), section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = _largest_power_of_two_below(len(leaves))
    if m < k:
        return [*slow_inclusion_path(leaves[:k], m), slow_root(leaves[k:])]
    return [*slow_inclusion_path(leaves[k:], m - k), slow_root(leaves[:k])]


def slow_consistency_path(leaves: Sequence[Digest], m: int) -> list[Digest]:
    """PROOF(m, D[n]), section 2.1.2, for 0 < m <= n."""
    return _subproof(leaves, m, known=True)


def _subproof(leaves: Sequence[Digest], m: int, *, known: bool) -> list[Digest]:
    if m == len(leaves):
        return [] if known else [slow_root(leaves)]
    k = _largest_power_of_two_below(len(leaves))
    if m <= k:
        return [*_subproof(leaves[:k], m, known=known), slow_root(leaves[k:])]
    return [*_subproof(leaves[k:], m - k, known=False), slow_root(leaves[:k])]


def _largest_power_of_two_below(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k
