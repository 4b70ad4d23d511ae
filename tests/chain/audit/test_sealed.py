"""Walking along a log: every entry that cannot stand where it stands is named, and how."""

from datetime import UTC, datetime, timedelta

import pytest

from chain.audit.finding import AuditError
from chain.audit.sealed import SealChain
from chain.entry import LockEntry, anchor_entry, format_entry, seal_entry
from chain.hashing import ZERO, Digest, leaf_hash, sha256

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
KEY, STATES = sha256(b"document"), sha256(b"states")


def walk(*entries: bytes) -> SealChain:
    """A chain that has taken these."""
    chain = SealChain()
    for data in entries:
        chain.add(data, leaf_hash(data))
    return chain


def seal(height: int, previous: Digest, first: int, count: int, seconds: int = 0) -> bytes:
    """A seal over no states."""
    return seal_entry(height, previous, first, count, NOON + timedelta(seconds=seconds))


def invoice(n: int) -> bytes:
    """An entry that changes no state."""
    return anchor_entry("invoice", sha256(b"%d" % n))


FIRST = [invoice(0), invoice(1), seal(1, ZERO, 0, 2)]


def finding(chain: SealChain, data: bytes) -> dict[str, int | str]:
    """What is said of the next entry."""
    with pytest.raises(AuditError) as caught:
        chain.add(data, leaf_hash(data))
    assert caught.value.code == "audit_failed"
    return caught.value.extra


def test_a_log_that_is_in_order() -> None:
    chain = walk(*FIRST, invoice(2), seal(2, leaf_hash(FIRST[-1]), 3, 1))
    chain.finish()
    assert (chain.size, chain.height) == (5, 2)
    walk().finish()
    assert walk().height == 0


def test_what_is_no_entry() -> None:
    said = finding(walk(*FIRST), b"{}")
    assert (said["kind"], said["place"], said["expected"]) == ("entry", 3, "a canonical entry")
    assert str(said["found"]).startswith("entry_malformed: ")


@pytest.mark.parametrize(
    ("data", "expected", "found"),
    [
        (seal(3, leaf_hash(FIRST[-1]), 3, 1), "height 2", "height 3"),
        (seal(2, KEY, 3, 1), f"previous {leaf_hash(FIRST[-1]).hex()}", f"previous {KEY.hex()}"),
        (seal(2, leaf_hash(FIRST[-1]), 2, 2), "first 3", "first 2"),
        (seal(2, leaf_hash(FIRST[-1]), 3, 2), "count 1", "count 2"),
        (
            seal_entry(2, leaf_hash(FIRST[-1]), 3, 1, NOON, STATES),
            f"states {ZERO.hex()}",
            f"states {STATES.hex()}",
        ),
        (
            seal(2, leaf_hash(FIRST[-1]), 3, 1, -1),
            "sealed_at from 2026-11-21T04:00:00Z on",
            "2026-11-21T03:59:59Z",
        ),
    ],
    ids=["height", "previous", "first", "count", "states", "time"],
)
def test_a_seal_that_does_not_fit(data: bytes, expected: str, found: str) -> None:
    said = finding(walk(*FIRST, invoice(2)), data)
    assert said == {"kind": "seal", "place": 2, "expected": expected, "found": found}


def test_two_seals_at_one_time_are_no_step_back() -> None:
    walk(*FIRST, invoice(2), seal(2, leaf_hash(FIRST[-1]), 3, 1, 0)).finish()


def test_states_that_cannot_follow() -> None:
    lock = format_entry(LockEntry(anchor=KEY.hex(), state="released", holder=KEY.hex()))
    said = finding(walk(*FIRST, lock), seal(2, leaf_hash(FIRST[-1]), 3, 1))
    assert (said["kind"], said["place"], said["expected"]) == ("seal", 2, "states that follow")
    assert str(said["found"]).startswith("not_locked: ")


def test_a_log_that_ends_without_a_seal() -> None:
    with pytest.raises(AuditError) as caught:
        walk(*FIRST, invoice(2), invoice(3)).finish()
    assert caught.value.extra == {
        "kind": "entry",
        "place": 4,
        "expected": "a seal at the log's end",
        "found": "another entry",
    }
