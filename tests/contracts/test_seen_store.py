"""What every memory of a witness keeps: each log for itself, one update after the other."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from chain.errors import ConflictError, VerificationError
from chain.hashing import sha256
from chain.signing.cosignature import Cosigner
from chain.signing.note import SignerKey, parse_note
from chain.witness.database import WitnessStore, create_store
from chain.witness.judge import Inconsistent, Seen, SeenStore, Witness
from tests.chain.histories import ORIGIN, SIGNER, History, history
from tests.contracts.memory import MemorySeenStore

KEY = Cosigner(SignerKey("witness.example/w1", bytes([7]) * 32))
LOG = history(40)
NOW = 1_800_000_000


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SeenStore]:
    """A memory in which nothing is."""
    if request.param == "memory":
        yield MemorySeenStore()
        return
    create_store(tmp_path / "witness", KEY.verifier)
    with closing(WitnessStore(tmp_path / "witness")) as store:
        store.claim(KEY.verifier)
        yield store


def seen(size: int, time: int = NOW, log: History = LOG) -> Seen:
    """A checkpoint as it is remembered."""
    note = parse_note(log.note(size))
    signature = KEY.cosign(note.text, time)
    return Seen(log.checkpoint(size), time, parse_note(note.to_bytes() + signature.line().encode()))


def _put(new: Seen, told: list[Seen | None]) -> Callable[[Seen | None], Seen]:
    """A change to ``new``, which notes what was there before."""

    def change(before: Seen | None) -> Seen:
        told.append(before)
        return new

    return change


def _remembered(store: SeenStore, origin: str = ORIGIN) -> Seen | None:
    """What is remembered of a log."""
    told: list[Seen | None] = []

    def look(before: Seen | None) -> Seen:
        told.append(before)
        raise ConflictError("looking", "nothing is changed")

    with pytest.raises(ConflictError):
        store.update(origin, look)
    return told[0]


def test_it_remembers_what_it_was_told(store: SeenStore) -> None:
    told: list[Seen | None] = []
    for one in (seen(3), seen(5, NOW + 1)):
        assert store.update(ORIGIN, _put(one, told)) == one
    assert told == [None, seen(3)]
    assert _remembered(store) == seen(5, NOW + 1)


def test_logs_are_remembered_each_for_itself(store: SeenStore) -> None:
    other = history(5, SignerKey("another.example/log", bytes(32)))
    told: list[Seen | None] = []
    for one in (seen(3), seen(4, log=other), seen(7)):
        store.update(one.checkpoint.origin, _put(one, told))
    assert told == [None, None, seen(3)]
    assert _remembered(store, "another.example/log") == seen(4, log=other)


def test_a_change_that_fails_changes_nothing(store: SeenStore) -> None:
    store.update(ORIGIN, _put(seen(3), []))
    assert _remembered(store) == seen(3)
    assert store.noted(sha256(ORIGIN.encode()).hex()) == seen(3).note.to_bytes()
    store.update(ORIGIN, _put(seen(4), []))  # and nothing is locked
    assert _remembered(store) == seen(4)


def test_the_note_cosigned_last_is_found_by_the_hash_of_the_log_s_name(store: SeenStore) -> None:
    assert store.noted(sha256(ORIGIN.encode()).hex()) is None
    for size in (3, 5):
        store.update(ORIGIN, _put(seen(size), []))
    assert store.noted(sha256(ORIGIN.encode()).hex()) == seen(5).note.to_bytes()
    assert store.noted(sha256(b"another").hex()) is None


def test_of_updates_at_once_none_comes_between_another_s_reading_and_writing(
    store: SeenStore,
) -> None:
    def step(before: Seen | None) -> Seen:
        return seen(1 if before is None else before.checkpoint.size + 1)

    with ThreadPoolExecutor(4) as pool:
        sizes = [
            one.checkpoint.size for one in pool.map(lambda _: store.update(ORIGIN, step), "x" * 20)
        ]
    assert sorted(sizes) == list(range(1, 21))


def test_what_did_not_fit_is_kept_and_changes_nothing(store: SeenStore) -> None:
    store.update(ORIGIN, _put(seen(5), []))
    fork = LOG.fork(2)
    odd = Inconsistent(fork.checkpoint(5), "root_differs", parse_note(fork.note(5)))
    for _ in range(2):
        store.keep(odd)
    assert _remembered(store) == seen(5)


def test_a_witness_on_it_cosigns_one_history(store: SeenStore) -> None:
    witness = Witness(KEY, [SIGNER.verifier], store, lambda: NOW)
    assert KEY.verifier.name in witness.add_checkpoint(LOG.request(0, 5))
    fork = LOG.fork(2)
    with pytest.raises(VerificationError):
        witness.add_checkpoint(fork.request(5, 9))
    with pytest.raises(ConflictError):
        witness.add_checkpoint(fork.request(0, 9))
    assert KEY.verifier.name in witness.add_checkpoint(LOG.request(5, 9))
