"""Cosigning once more: who is asked again and when, what comes late, what contradicts."""

import threading

import pytest

from chain.errors import ConflictError, UnavailableError, VerificationError
from chain.signing.note import parse_note
from chain.signing.policy import Policy
from chain.witness import cosigning
from chain.witness.client import Answer, Gathered, Limits, Witnesses
from chain.witness.cosigning import PATIENCE, cosign_again
from tests.patience import NEVER
from tests.witness.desk import ONE, THREE, TWO, Desk
from tests.witness.inside import NOW, cosigner, http_answer
from tests.witness.room import LIMITS


def test_who_is_missing_is_asked_again_when_the_time_is_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(cosigning, "monotonic", lambda: now[0])
    failing = desk.peer(THREE, lambda _: http_answer(500, b"no"))
    books, cosigners = desk.open(2)
    books.grow(3)
    assert cosigners.run() is not None
    now[0] += PATIENCE - 0.5
    assert cosigners.run() is None
    now[0] += 0.5
    assert cosigners.run() is not None
    assert len(failing.requests) == 2


def test_a_cosignature_that_comes_late_is_kept(desk: Desk) -> None:
    """Nobody waited for it any more: the next publication has it."""
    held = threading.Event()
    before = {*threading.enumerate()}

    def late(body: bytes) -> bytes:
        held.wait()
        text = parse_note(body.partition(b"\n\n")[2]).text
        return http_answer(200, cosigner(3).cosign(text, NOW).line().encode())

    desk.peer(THREE, late)
    books, cosigners = desk.open(2, limits=Limits(exchange=NEVER, grace=0.0))
    books.grow(3)
    cosigners.run()
    assert {line.name for line in books.store.signatures(4)} == {ONE.name, TWO.name}
    held.set()
    for thread in {*threading.enumerate()} - before:
        if thread.name.endswith("(_run)"):
            thread.join()
    assert {line.name for line in books.store.signatures(4)} == {ONE.name, TWO.name, THREE.name}


def test_what_a_witness_has_seen_of_a_log_that_signed_nothing_contradicts(desk: Desk) -> None:
    _, cosigners = desk.open(2)
    ahead = Answer("", (ONE,), problem=ConflictError("witness_ahead", "it has more", size=1))
    vague = Answer("", (TWO,), problem=ConflictError("witness_ahead", "it does not say what"))
    gathered = Gathered(b"", met=False, cosignatures={}, answers=(ahead, vague))
    assert cosigners.contradictions(gathered) == (ahead,)


def test_all_that_fail_are_named_one_after_the_other(desk: Desk) -> None:
    books, cosigners = desk.open(2)
    books.grow(3)
    for key in (ONE, TWO):
        desk.peer(key, lambda _: http_answer(500, b"no"))
    _, cosigners = desk.open(2)
    with pytest.raises(UnavailableError) as caught:
        cosigners.confirm()
    _, _, told = caught.value.detail.partition("confirm the log: ")
    refusal = "witness_refused: 500 no"
    assert sorted(told.split("; ")) == [f"{ONE.name}: {refusal}", f"{TWO.name}: {refusal}"]


class TestAgain:
    """Somebody else has a published checkpoint cosigned anew."""

    def test_who_has_seen_as_much_cosigns_anew(self, desk: Desk) -> None:
        books, cosigners = desk.open(3)
        books.grow(3)
        cosigners.run()
        note = books.published()
        again = cosign_again(note, books.tiles.reader(4), desk.policy(3), LIMITS)
        assert parse_note(again).text == parse_note(note).text
        assert len(parse_note(again).signatures) == 4
        assert [len(desk.asked[key]) for key in (ONE, TWO, THREE)] == [2, 2, 2]

    def test_who_has_seen_more_says_that_the_log_has_grown(self, desk: Desk) -> None:
        books, cosigners = desk.open(3)
        books.grow(3)
        cosigners.run()
        note = books.published()
        books.grow(3)
        cosigners.run()
        with pytest.raises(VerificationError) as caught:
            cosign_again(note, books.tiles.reader(4), desk.policy(3), LIMITS)
        assert caught.value.code == "log_has_grown"
        assert ONE.name in caught.value.detail

    def test_who_refuses_for_another_reason_is_away(self, desk: Desk) -> None:
        books, cosigners = desk.open(1)
        books.grow(3)
        cosigners.run()
        for key in (ONE, TWO, THREE):
            desk.peer(key, lambda _: http_answer(500, b"no"))
        with pytest.raises(UnavailableError) as caught:
            cosign_again(books.published(), books.tiles.reader(4), desk.policy(1), LIMITS)
        assert caught.value.code == "witnesses_away"
        assert THREE.name in caught.value.detail

    def test_it_waits_for_all_unless_it_is_told_how_long(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        used: list[Limits | None] = []

        class Noting(Witnesses):
            def __init__(self, policy: Policy, limits: Limits | None = None) -> None:
                used.append(limits)
                super().__init__(policy, limits)

        monkeypatch.setattr(cosigning, "Witnesses", Noting)
        books, cosigners = desk.open(3)
        books.grow(3)
        cosigners.run()
        for limits in (LIMITS, None):
            cosign_again(books.published(), books.tiles.reader(4), desk.policy(3), limits)
        usual = Limits().exchange
        assert used == [LIMITS, Limits(exchange=usual, grace=usual)]
