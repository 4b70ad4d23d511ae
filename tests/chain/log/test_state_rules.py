"""What each entry does to the state map, from every state, and what it must not do."""

import pytest

from chain.entry import AnchorEntry, ClosingEntry, Entry, LockEntry, LockState, Reversal
from chain.errors import ConflictError
from chain.hashing import Digest, sha256
from chain.log.state_rules import Value, changes_state, state_changes

KEY, OTHER = sha256(b"document"), sha256(b"another")


def reversing(how_far: Reversal, whom: Digest = KEY) -> Entry:
    """A document that reverses another."""
    return AnchorEntry(anchor=sha256(b"red").hex(), reverses=whom.hex(), reversal=how_far)


def lock(state: LockState, whom: Digest = KEY) -> Entry:
    """A change of the lock."""
    return LockEntry(anchor=whom.hex(), state=state, holder=sha256(b"holder").hex())


EMPTY: dict[Digest, Value] = {}
NORMAL: Value = {}
PART, FULL = {"reversal": "part"}, {"reversal": "full"}
LOCKED, CLOSED = {"reimbursement": "locked"}, {"reimbursement": "closed"}


@pytest.mark.parametrize(
    ("before", "entry", "after"),
    [
        (NORMAL, reversing("part"), PART),
        (NORMAL, reversing("full"), FULL),
        (PART, reversing("part"), PART),
        (PART, reversing("full"), FULL),
        (LOCKED, reversing("full"), LOCKED | FULL),
        (CLOSED, reversing("part"), CLOSED | PART),
        (NORMAL, lock("locked"), LOCKED),
        (PART, lock("locked"), PART | LOCKED),
        (LOCKED, lock("released"), None),
        (LOCKED | FULL, lock("released"), FULL),
        (LOCKED, lock("closed"), CLOSED),
        (LOCKED | PART, lock("closed"), CLOSED | PART),
    ],
)
def test_what_follows(before: Value, entry: Entry, after: Value | None) -> None:
    assert changes_state(entry)
    assert state_changes([entry], {KEY: before}.get) == {KEY: after}


@pytest.mark.parametrize(
    ("before", "entry", "code"),
    [
        (FULL, reversing("part"), "already_reversed"),
        (FULL, reversing("full"), "already_reversed"),
        (LOCKED | FULL, reversing("full"), "already_reversed"),
        (FULL, lock("locked"), "reversed"),
        (LOCKED, lock("locked"), "already_locked"),
        (CLOSED, lock("locked"), "already_locked"),
        (NORMAL, lock("released"), "not_locked"),
        (NORMAL, lock("closed"), "not_locked"),
        (CLOSED, lock("released"), "not_locked"),
        (CLOSED, lock("closed"), "not_locked"),
    ],
)
def test_what_is_refused(before: Value, entry: Entry, code: str) -> None:
    with pytest.raises(ConflictError) as caught:
        state_changes([entry], {KEY: before}.get)
    assert caught.value.code == code


def test_entries_follow_one_another_and_keys_do_not_mix() -> None:
    entries = [lock("locked"), lock("locked", OTHER), lock("released"), reversing("part", OTHER)]
    assert state_changes(entries, {OTHER: PART}.get) == {KEY: None, OTHER: LOCKED | PART}
    with pytest.raises(ConflictError, match=r"^already_locked\b"):
        state_changes([lock("locked"), lock("locked")], EMPTY.get)


def test_what_is_there_stays_as_it_was() -> None:
    before = dict(LOCKED)
    state_changes([lock("closed"), reversing("full")], {KEY: before}.get)
    assert before == LOCKED


@pytest.mark.parametrize(
    "entry",
    [
        AnchorEntry(anchor=KEY.hex()),
        ClosingEntry(day="2026-11-21", through=0, totals=OTHER.hex()),
    ],
)
def test_most_entries_change_nothing(entry: Entry) -> None:
    assert not changes_state(entry)
    assert state_changes([entry], EMPTY.get) == {}
