"""The state map against its definition, and every proof against the verifier."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.canonical import encode
from chain.errors import VerificationError
from chain.hashing import ZERO, Digest, sha256
from chain.tree.statemap import NodeReader, StateMap, Value, slow_root
from chain.tree.states import EMPTY_MAP, StateLeaf, StateProof, state_node_hash, verify_state

FULL: Value = {"reversal": "full"}
VALUES: list[Value] = [
    FULL,
    {"reversal": "part"},
    {"reimbursement": "locked"},
    {"reimbursement": "closed", "reversal": "part"},
]


class Nodes:
    """Nodes in memory, as a database keeps them: added, never changed."""

    def __init__(self) -> None:
        self.kept: dict[Digest, bytes] = {}
        self.reads = 0

    def state_node(self, digest: Digest) -> bytes | None:
        self.reads += 1
        return self.kept.get(digest)


def key(n: int) -> Digest:
    return sha256(n.to_bytes(4, "big"))


def near(n: int) -> Digest:
    """Keys that are alike but for their last bits, so that ways are long."""
    return Digest(bytes(31) + bytes([n]))


keys = st.one_of(st.integers(0, 40).map(key), st.integers(0, 7).map(near))
change = st.dictionaries(keys, st.one_of(st.none(), st.sampled_from(VALUES)), max_size=12)


@given(st.lists(change, max_size=6), keys)
@settings(max_examples=150, deadline=None)
def test_root_and_proofs_follow_the_definition(
    steps: list[dict[Digest, Value]], ask: Digest
) -> None:
    nodes, leaves, root = Nodes(), dict[Digest, Value](), EMPTY_MAP
    for changes in steps:
        states = StateMap(nodes, root)
        root = states.update(changes)
        nodes.kept.update(states.added)
        leaves.update(changes)
        leaves = {k: v for k, v in leaves.items() if v is not None}
        assert root == slow_root(leaves)
    proof = StateMap(nodes, root).prove(ask)
    assert verify_state(root, ask, proof.leaf, proof.siblings) == leaves.get(ask)


def test_old_roots_stay_provable() -> None:
    nodes = Nodes()
    first = StateMap(nodes)
    old = first.update({key(1): FULL})
    nodes.kept.update(first.added)
    second = StateMap(nodes, old)
    new = second.update({key(1): None, key(2): FULL})
    nodes.kept.update(second.added)
    assert StateMap(nodes, old).get(key(1)) == FULL
    assert StateMap(nodes, new).get(key(1)) is None
    assert StateMap(nodes, new).get(key(2)) == FULL


def test_what_is_normal_again_leaves_no_trace_in_the_root() -> None:
    nodes = Nodes()
    states = StateMap(nodes)
    before = states.update({near(1): FULL, key(5): FULL})
    states.update({near(0): FULL})
    assert states.update({near(0): None}) == before
    assert states.update({near(1): None, key(5): None}) == EMPTY_MAP


def test_an_update_costs_what_changes_not_what_exists() -> None:
    nodes = Nodes()
    states = StateMap(nodes)
    root = states.update({key(n): FULL for n in range(4_000)})
    nodes.kept.update(states.added)
    nodes.reads = 0
    small = StateMap(nodes, root)
    small.update({key(1_000_000): FULL})
    assert nodes.reads < 60
    assert len(small.added) < 40


def read_all(nodes: Nodes, root: Digest) -> None:
    for n in range(3):
        StateMap(nodes, root).get(key(n))


def test_a_missing_or_changed_node_is_named() -> None:
    nodes = Nodes()
    states = StateMap(nodes)
    root = states.update({key(n): FULL for n in range(3)})
    for digest, body in states.added.items():
        for bent in (None, body[:-1] + bytes([body[-1] ^ 1]), body[:40], b""):
            nodes.kept = {**states.added, digest: bent or b""}
            if bent is None:
                del nodes.kept[digest]
            with pytest.raises(VerificationError) as caught:
                read_all(nodes, root)
            assert caught.value.code == "state_damaged"


def bent_proofs(proof: StateProof) -> list[tuple[StateLeaf | None, list[Digest]]]:
    siblings = list(proof.siblings)
    bent: list[tuple[StateLeaf | None, list[Digest]]] = [(proof.leaf, [*siblings, ZERO])]
    bent.append((None if proof.leaf else StateLeaf(key(99), FULL), siblings))
    for place, sibling in enumerate(siblings):
        flipped = Digest(bytes([sibling[0] ^ 1]) + sibling[1:])
        bent.append((proof.leaf, [*siblings[:place], flipped, *siblings[place + 1 :]]))
        bent.append((proof.leaf, siblings[:place] + siblings[place + 1 :]))
    if len(set(siblings)) > 1:
        bent.append((proof.leaf, siblings[::-1]))
    if proof.leaf:
        bent.append((StateLeaf(key(77), proof.leaf.value), siblings))
        bent.append((StateLeaf(proof.leaf.key, {"pledge": "pledged"}), siblings))
    return bent


@pytest.mark.parametrize("count", range(9))
def test_no_bent_proof_passes(count: int) -> None:
    states = StateMap(Nodes())
    root = states.update({key(n): FULL for n in range(count)})
    for n in range(count + 3):
        for leaf, siblings in bent_proofs(states.prove(key(n))):
            with pytest.raises(VerificationError):
                verify_state(root, key(n), leaf, siblings)


def _one_leaf() -> tuple[Nodes, Digest]:
    nodes = Nodes()
    states = StateMap(nodes)
    root = states.update({key(1): FULL})
    nodes.kept.update(states.added)
    return nodes, root


def _damaged(nodes: Nodes, root: Digest, body: bytes) -> None:
    nodes.kept[root] = body
    with pytest.raises(VerificationError, match=r"^state_damaged\b"):
        StateMap(nodes, root).get(key(1))


def test_a_leaf_is_read_only_as_it_was_written() -> None:
    nodes, root = _one_leaf()
    body = nodes.kept[root]
    for wrong in (b"\x00" + body[1:], b"\x03" + body[1:], body + b" ", body[:33], body[:20], b""):
        _damaged(nodes, root, wrong)
    _damaged(nodes, root, body[:33] + encode({"reversal": "part"}))
    _damaged(nodes, root, body[:33] + encode(["reversal"]))
    _damaged(nodes, root, b"\x02" + key(2) + body[33:])


def test_nodes_are_read_once_only_where_that_is_asked_for() -> None:
    nodes, root = _one_leaf()
    for reader, reads in ((NodeReader(nodes), 3), (NodeReader(nodes, kept=9), 1)):
        nodes.reads = 0
        for _ in range(3):
            assert StateMap(reader, root).get(key(1)) == FULL
        assert nodes.reads == reads


def test_no_more_nodes_are_kept_than_was_said() -> None:
    nodes, states = Nodes(), StateMap(Nodes())
    root = states.update({key(n): FULL for n in range(8)})
    nodes.kept.update(states.added)
    reader = NodeReader(nodes, kept=2)
    for n in (*range(8), *range(8)):
        StateMap(reader, root).get(key(n))
    assert nodes.reads > len(states.added)


def test_a_way_deeper_than_a_key_has_bits_is_no_way() -> None:
    nodes, _ = _one_leaf()
    digest = key(0)
    for _ in range(257):
        left, digest = digest, state_node_hash(digest, ZERO)
        nodes.kept[digest] = b"\x03" + left + ZERO
    with pytest.raises(VerificationError, match=r"^state_depth\b"):
        StateMap(nodes, digest).get(ZERO)
