"""A verifier that is used again: what it keeps, and what it holds the next checkpoint against."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from chain.errors import MalformedError, Problem, UnavailableError
from chain.proof.memory import (
    MAX_MEMORY_BYTES,
    MAX_NOTES,
    Continued,
    ForkedError,
    Memory,
    Seen,
    default_place,
    hold_against,
    remember,
)
from chain.signing.keys import LogKey, LogKeys
from chain.signing.note import SignerKey
from tests.chain.histories import ORIGIN, SIGNER, History, history

LOG = history(12)
KEY = SIGNER.verifier
NOT_ASKED = "the log was not asked"


def seen(size: int, log: History = LOG) -> Seen:
    """A checkpoint of the log, and its note."""
    return log.checkpoint(size), log.note(size)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    """A memory of nothing."""
    return Memory(tmp_path / "deep" / "memory.json")


def held(memory: Memory) -> list[str]:
    """The notes as they stand in the file."""
    notes: list[str] = json.loads(memory.path.read_text())["notes"]
    return notes


def test_the_first_checkpoint_is_kept(memory: Memory) -> None:
    assert hold_against(memory, seen(5), KEY, None) == Continued(None, False, False, NOT_ASKED)
    assert held(memory) == [LOG.note(5).decode()]
    assert memory.path.stat().st_mode & 0o777 == 0o600
    assert Memory(memory.path).recall(ORIGIN, KEY).seen == (seen(5),)


@pytest.mark.parametrize(("size", "kept"), [(3, 2), (5, 1), (9, 2)])
def test_another_one_is_kept_beside_it(memory: Memory, size: int, kept: int) -> None:
    """Nobody has shown that it continues the first, which stays."""
    hold_against(memory, seen(5), KEY, None)
    assert hold_against(memory, seen(size), KEY, None) == Continued(5, False, False, NOT_ASKED)
    assert held(memory) == [LOG.note(n).decode() for n in (5, size)][:kept]


def test_two_roots_of_one_size_are_a_fork(memory: Memory) -> None:
    """Whichever was seen before, also when a newer one was seen since."""
    for size in (5, 9):
        hold_against(memory, seen(size), KEY, None)
    other = LOG.fork(3)
    with pytest.raises(ForkedError, match=r"^log_forked\b") as caught:
        hold_against(memory, seen(5, other), KEY, None)
    assert caught.value.notes == (LOG.note(5), other.note(5))
    assert (caught.value.evidence, caught.value.extra) == (b"", {"size": 5})
    assert held(memory) == [LOG.note(5).decode(), LOG.note(9).decode()]


def test_the_evidence_of_a_fork_lies_beside_the_memory(memory: Memory) -> None:
    assert remember(memory, LOG.note(5), KEY, None, lambda _: b"x").largest is None
    made: list[ForkedError] = []

    def prove(forked: ForkedError) -> bytes:
        made.append(forked)
        return b"evidence"

    with pytest.raises(ForkedError) as caught:
        remember(memory, LOG.fork(3).note(5), KEY, None, prove)
    assert made == [caught.value]
    path = memory.path.with_name("fork-5.evidence.json")
    assert caught.value.extra == {"size": 5, "evidence": str(path)}
    assert path.read_bytes() == b"evidence"


@pytest.mark.parametrize("evidence", [b"evidence", b""])
def test_a_fork_is_a_fork_where_its_evidence_cannot_be_written(
    memory: Memory, evidence: bytes
) -> None:
    remember(memory, LOG.note(5), KEY, None, lambda _: b"")
    memory.path.with_name("fork-5.evidence.json").mkdir()
    with pytest.raises(ForkedError) as caught:
        remember(memory, LOG.fork(3).note(5), KEY, None, lambda _: evidence)
    assert caught.value.extra == {"size": 5}


def test_the_log_takes_the_place_of_all_that_it_contains(memory: Memory) -> None:
    for size in (5, 3):
        hold_against(memory, seen(size), KEY, None)
    asked: list[Sequence[Seen]] = []

    def ask(those: Sequence[Seen]) -> Seen:
        asked.append(those)
        return seen(12)

    assert hold_against(memory, seen(9), KEY, ask) == Continued(5, False, True)
    assert asked == [[seen(5), seen(3), seen(9)]]
    assert held(memory) == [LOG.note(12).decode()]
    assert hold_against(memory, seen(9), KEY, ask) == Continued(12, False, True)
    assert held(memory) == [LOG.note(12).decode()]


def test_what_the_log_forks_from_stays(memory: Memory) -> None:
    hold_against(memory, seen(5), KEY, None)

    def ask(_: Sequence[Seen]) -> Seen:
        raise ForkedError(5, (b"one", b"other"), b"evidence")

    with pytest.raises(ForkedError) as caught:
        hold_against(memory, seen(9), KEY, ask)
    assert caught.value.evidence == b"evidence"
    assert held(memory) == [LOG.note(5).decode()]


def test_a_log_that_cannot_be_asked_is_no_verdict(memory: Memory) -> None:
    def ask(_: Sequence[Seen]) -> Seen:
        raise UnavailableError("log_slow", "it sleeps")

    why = "log_slow: it sleeps"
    assert hold_against(memory, seen(5), KEY, ask) == Continued(None, False, False, why)
    assert held(memory) == [LOG.note(5).decode()]


def test_a_log_is_known_by_its_keys(memory: Memory) -> None:
    """A log made anew under the old name is another one; who follows the keys is told of both."""
    new = SignerKey(ORIGIN, bytes([9]) * 32)
    later = history(12, new).fork(0)
    hold_against(memory, seen(5), KEY, None)
    found = hold_against(memory, seen(5, later), new.verifier, None)
    assert found == Continued(None, True, False, NOT_ASKED)
    assert memory.recall(ORIGIN, new.verifier).others
    with pytest.raises(ForkedError):
        hold_against(memory, seen(5), LogKeys.of(KEY, new.verifier), None)


def test_what_only_a_stolen_key_signed_counts_for_nothing(memory: Memory) -> None:
    new = SignerKey(ORIGIN, bytes([9]) * 32)
    hold_against(memory, seen(5, LOG.fork(2)), KEY, None)
    keys = LogKeys(ORIGIN, (LogKey(new.verifier), LogKey(KEY, revoked=True)))
    log = History(LOG.leaves, new)
    assert hold_against(memory, seen(5, log), keys, None) == Continued(None, True, False, NOT_ASKED)


def test_logs_are_told_apart(memory: Memory) -> None:
    other = history(12, SignerKey(f"{ORIGIN}/more", bytes(32)))
    hold_against(memory, seen(5), KEY, None)
    found = hold_against(memory, seen(9, other), other.keys[0], None)
    assert found == Continued(None, False, False, NOT_ASKED)
    assert len(held(memory)) == 2


def test_there_is_an_end_to_it(memory: Memory) -> None:
    notes = [f"{n}\n" for n in range(MAX_NOTES)]
    memory.path.parent.mkdir()
    memory.path.write_text(json.dumps({"version": 1, "notes": notes}))
    hold_against(memory, seen(5), KEY, None)
    assert held(memory) == [*notes[1:], LOG.note(5).decode()]


def test_two_at_once_lose_nothing(memory: Memory) -> None:
    threads = [
        threading.Thread(target=hold_against, args=(memory, seen(size), KEY, None))
        for size in range(1, 11)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(held(memory)) == sorted(LOG.note(size).decode() for size in range(1, 11))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"version":2,"notes":[]}',
        b'{"version":1}',
        b'{"version":1,"notes":[1]}',
        b'{"version":1,"notes":[],"more":1}',
        b'{"version":1,"notes":[]}'.ljust(MAX_MEMORY_BYTES + 1),
    ],
)
def test_a_damaged_memory_is_not_written_over(memory: Memory, content: bytes) -> None:
    memory.path.parent.mkdir()
    memory.path.write_bytes(content)
    with pytest.raises(MalformedError, match=r"^memory_damaged\b"):
        hold_against(memory, seen(5), KEY, None)
    assert memory.path.read_bytes() == content


def test_a_memory_may_be_so_long(memory: Memory) -> None:
    memory.path.parent.mkdir()
    memory.path.write_bytes(b'{"version":1,"notes":[]}'.ljust(MAX_MEMORY_BYTES))
    assert memory.recall(ORIGIN, KEY).seen == ()


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"^memory_unreadable\b"):
        hold_against(Memory(tmp_path), seen(5), KEY, None)


def test_where_nothing_can_be_written_the_answer_comes_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = Memory(tmp_path / "file" / "memory.json")
    with pytest.raises(Problem):
        memory.keep(seen(5))
    found = hold_against(memory, seen(5), KEY, None)
    assert (found.largest, found.compared) == (None, False)
    assert found.unkept.startswith("write_failed: ")


def test_where_it_is_kept() -> None:
    end = Path("fapiao", "checkpoints.json")
    assert default_place({"XDG_STATE_HOME": "/x"}) == Path("/x") / end
    for value in ("", "relative"):
        assert default_place({"XDG_STATE_HOME": value}) == Path.home() / ".local/state" / end
    assert default_place({}) == Path.home() / ".local/state" / end
