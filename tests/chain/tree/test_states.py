"""State proofs against a map built by the definition: presence, absence, and every way to bend."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.canonical import encode
from chain.errors import MalformedError, VerificationError
from chain.hashing import ZERO, Digest, sha256
from chain.tree.states import EMPTY_MAP, KEY_BITS, StateLeaf, verify_state
from tests.chain.state_map import State, map_root, prove
from tests.chain.trees import flip

STATES: list[State] = [
    {"reversal": "full"},
    {"reversal": "part"},
    {"reimbursement": "locked"},
    {"reimbursement": "closed"},
    {"pledge": "pledged"},
    {"reversal": "part", "reimbursement": "locked", "pledge": "pledged"},
]


def keys(count: int) -> list[Digest]:
    return [sha256(b"key %d" % number) for number in range(count)]


def close_keys() -> list[Digest]:
    """Keys that part late: at bit 255, 200, 8, 7, 1 and 0."""
    base = sha256(b"base")
    return [base, *(flip(base, at // 8 * 8 + 7 - at % 8) for at in (255, 200, 8, 7, 1, 0))]


maps = st.integers(0, 12).flatmap(
    lambda count: st.tuples(
        st.sampled_from([keys(12), close_keys()]),
        st.lists(st.sampled_from(STATES), min_size=count, max_size=count),
    ).map(lambda drawn: dict(zip(drawn[0], drawn[1], strict=False)))
)


def test_the_empty_map() -> None:
    assert bytes(32) == EMPTY_MAP
    assert verify_state(EMPTY_MAP, sha256(b"key"), None, []) is None


@given(maps, st.integers(0, 20))
def test_the_proof_says_the_truth(items: dict[Digest, State], number: int) -> None:
    root = map_root(items)
    for key in (*items, sha256(b"key %d" % number), flip(sha256(b"base"), number)):
        leaf, siblings = prove(items, key)
        assert verify_state(root, key, leaf, siblings) == items.get(key)


def test_the_order_of_bits_is_most_significant_first() -> None:
    low, high = Digest(b"\x7f" + bytes(31)), Digest(b"\x80" + bytes(31))
    items = {low: STATES[0], high: STATES[1]}
    leaves = [sha256(b"\x02" + key + sha256(encode(value))) for key, value in items.items()]
    root = sha256(b"\x03" + leaves[0] + leaves[1])
    assert map_root(items) == root
    assert verify_state(root, low, StateLeaf(low, STATES[0]), [leaves[1]]) == STATES[0]
    assert verify_state(root, high, StateLeaf(high, STATES[1]), [leaves[0]]) == STATES[1]


def test_keys_that_part_at_the_last_bit() -> None:
    base, twin = close_keys()[:2]
    items = {base: STATES[0], twin: STATES[1]}
    leaf, siblings = prove(items, twin)
    assert len(siblings) == KEY_BITS
    assert verify_state(map_root(items), twin, leaf, siblings) == STATES[1]


def test_absence_is_shown_by_an_empty_place_or_by_another_leaf() -> None:
    items = dict.fromkeys(keys(8), STATES[0])
    root, seen = map_root(items), set()
    for key in keys(60)[8:]:
        leaf, siblings = prove(items, key)
        seen.add(leaf is None)
        assert verify_state(root, key, leaf, siblings) is None
    assert seen == {True, False}


def refused(root: Digest, key: Digest, leaf: StateLeaf | None, siblings: list[Digest]) -> None:
    with pytest.raises((MalformedError, VerificationError)):
        verify_state(root, key, leaf, siblings)


def bent_siblings(siblings: list[Digest]) -> Iterator[list[Digest]]:
    for at in range(len(siblings)):
        for change in (0, 7, 128, 255):
            yield [*siblings[:at], flip(siblings[at], change), *siblings[at + 1 :]]
        for other in (ZERO, Digest(b""), Digest(bytes(31)), Digest(bytes(33))):
            if other != siblings[at]:
                yield [*siblings[:at], other, *siblings[at + 1 :]]
        yield [*siblings[:at], *siblings[at + 1 :]]
    for at in range(len(siblings) + 1):
        for other in (ZERO, sha256(b"other"), *siblings):
            yield [*siblings[:at], other, *siblings[at:]]
    yield [*siblings, *[ZERO] * 256]
    yield [*siblings, *[sha256(b"other")] * 256]


@pytest.mark.parametrize("count", range(1, 9))
def test_every_bent_proof_is_refused(count: int) -> None:
    items = {key: STATES[at % len(STATES)] for at, key in enumerate(keys(count))}
    root = map_root(items)
    for key in (*items, *keys(30)[20:]):
        leaf, siblings = prove(items, key)
        for bent in bent_siblings(siblings):
            if bent != siblings:
                refused(root, key, leaf, bent)
        for other_root in (flip(root, 0), flip(root, 255), ZERO, Digest(bytes(31))):
            refused(other_root, key, leaf, siblings)
        if leaf is not None:
            for state in STATES:
                if state != leaf.value:
                    refused(root, key, StateLeaf(leaf.key, state), siblings)
            for change in range(0, 256, 5):
                refused(root, key, StateLeaf(flip(leaf.key, change), leaf.value), siblings)
            refused(root, key, None, siblings)
        else:
            for state in STATES:
                refused(root, key, StateLeaf(key, state), siblings)


def test_no_proof_of_absence_for_what_is_there() -> None:
    """Whatever stands elsewhere, and whatever prefix of the way is shown."""
    items = {key: STATES[at % len(STATES)] for at, key in enumerate(keys(8))}
    root = map_root(items)
    for key in items:
        for other in keys(40):
            leaf, siblings = prove(items, other)
            for cut in range(len(siblings) + 1):
                for end in (leaf, None):
                    try:
                        said = verify_state(root, key, end, siblings[:cut])
                    except (MalformedError, VerificationError):
                        continue
                    assert said == items[key]


def code_of(root: Digest, key: Digest, leaf: StateLeaf | None, siblings: list[Digest]) -> str:
    with pytest.raises((MalformedError, VerificationError)) as caught:
        verify_state(root, key, leaf, siblings)
    return caught.value.code


def test_each_step_has_its_code() -> None:
    key, other = Digest(bytes(32)), Digest(b"\x80" + bytes(31))
    items = {key: STATES[0], other: STATES[1]}
    root = map_root(items)
    leaf, siblings = prove(items, key)
    assert verify_state(root, key, leaf, siblings) == STATES[0]
    assert code_of(root, key, leaf, siblings * 257) == "state_depth"
    assert code_of(root, key, StateLeaf(other, STATES[1]), siblings) == "state_elsewhere"
    assert code_of(root, key, leaf, [*siblings, ZERO]) == "state_shape"
    assert code_of(root, key, None, [ZERO]) == "state_shape"
    assert code_of(root, key, leaf, []) == "state_root"
    assert code_of(root, key, None, []) == "state_root"
    assert code_of(root, Digest(bytes(31)), leaf, siblings) == "digest_length"
    assert code_of(root, key, StateLeaf(Digest(bytes(33)), STATES[0]), []) == "digest_length"


def test_a_map_that_hangs_a_leaf_too_deep_proves_nothing() -> None:
    """A leaf alone in its half stands at the top; below an empty sibling it is another root."""
    key = Digest(bytes(32))
    leaf = sha256(b"\x02" + key + sha256(encode(STATES[0])))
    deep = sha256(b"\x03" + leaf + ZERO)
    assert code_of(deep, key, StateLeaf(key, STATES[0]), [ZERO]) == "state_shape"
    assert code_of(sha256(b"\x03" + ZERO + ZERO), key, None, [ZERO]) == "state_shape"


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"reversal": "none"},
        {"reversal": ""},
        {"reimbursement": "released"},
        {"pledge": "locked"},
        {"other": "full"},
        {"reversal": "full", "other": "x"},
        {"reversal": True},
        {"reversal": None},
        {"reversal": ["full"]},
        {1: "full"},
    ],
)
def test_only_states_that_exist(value: dict[str, str]) -> None:
    key = sha256(b"key")
    assert code_of(ZERO, key, StateLeaf(key, value), []) == "state_value"
