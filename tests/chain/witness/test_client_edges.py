"""Asking witnesses, looked at closely: who is asked, who is told when, and in which words."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from chain.errors import RefusedError
from chain.witness.client import Answer, Limits
from tests.witness.inside import Peer, http_answer
from tests.witness.room import K1, K2, LOG, Room, codes, line

PATIENT = Limits(exchange=20.0, grace=20.0)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A room without anybody."""
    with ExitStack() as stack:
        yield Room(tmp_path, stack)


def test_an_answer_names_all_who_had_to_cosign() -> None:
    assert str(Answer("", (K1, K2))) == "witness.example/w1, witness.example/w2: cosigned"


def test_the_only_one_that_has_cosigned_is_not_asked_again(room: Room) -> None:
    room.good(1, 2)
    note = room.gather(room.policy(1, K1)).note
    again = room.gather(room.policy(2), note=note)
    assert again.met
    assert codes(again) == {"w2": ""}


def test_waiting_for_a_witness_keeps_no_program_alive(room: Room) -> None:
    asking: list[threading.Thread] = []

    def looking(_: bytes) -> bytes:
        asking.extend(one for one in threading.enumerate() if one not in before)
        return http_answer(200, line(1))

    peer = room.bad(K1, Peer(looking))
    before = {*threading.enumerate()}
    assert room.gather(room.policy(1)).met
    assert peer.requests
    assert asking
    assert all(one.daemon for one in asking)


def _told(room: Room, quorum: int, note: bytes) -> list[set[str]]:
    """Whose answers there were, each time that they were told to make the quorum."""
    told: list[set[str]] = []

    def enough(answers: Sequence[Answer]) -> None:
        told.append({key.name for answer in answers for key in answer.keys})

    policy = room.policy(quorum)
    gathered = room.witnesses(policy, PATIENT).gather(
        note, sizes={}, prove=room.prove(9), enough=enough
    )
    assert gathered.met
    assert codes(gathered).keys() >= {"w2", "w3"}
    return told


def test_a_quorum_is_told_once_and_only_when_it_is_news(room: Room) -> None:
    """Not when it was there before, and not when all have answered: that is said by returning."""
    room.good(1, 2, 3)
    note = room.gather(room.policy(1, K1)).note
    assert _told(room, 1, note) == []
    assert _told(room, 3, note) == []
    assert _told(room, 3, LOG.note(9)) == []
    for quorum in (1, 2):
        (names,) = _told(room, quorum, LOG.note(9))
        assert len(names) == quorum


def _problem(room: Room, answer: Callable[[bytes], bytes]) -> RefusedError:
    """What is said of a witness that refuses."""
    room.bad(K1, Peer(answer))
    (failure,) = room.gather(room.policy(1, K1), sizes={K1: 9}).failures()
    assert isinstance(failure.problem, RefusedError)
    return failure.problem


def test_a_refusal_is_shown_in_the_witnesss_words(room: Room) -> None:
    """So that they can be read: what would move the cursor or change colours becomes blank."""
    problem = _problem(room, lambda _: http_answer(500, b"no\x07way \x1b[31mred\n"))
    assert problem.detail == "500 no way  [31mred"


def test_another_root_is_said_like_any_refusal(room: Room) -> None:
    problem = _problem(room, lambda _: http_answer(409, b"9\n", "text/x.tlog.size"))
    assert problem.detail == "409 it has cosigned another root of this size"
