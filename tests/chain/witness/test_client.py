"""Whoever asks witnesses believes nothing unchecked, and names everybody who failed."""

import threading
from collections.abc import Callable, Sequence

import pytest

from chain.errors import MalformedError, RefusedError, VerificationError
from chain.hashing import Digest
from chain.signing.cosignature import MAX_LINES_BYTES, add_signatures
from chain.signing.note import open_note, parse_note
from chain.signing.policy import Group, Policy
from chain.witness.client import Answer
from chain.witness.judge import Request
from tests.chain.histories import SIGNER
from tests.witness.inside import NOW, Peer, http_answer
from tests.witness.room import K1, K2, K3, K4, LIMITS, LOG, ONE, TWO, Room, codes, count, line

# what good witnesses give


def test_all_cosign_and_the_note_holds_under_the_policy(room: Room) -> None:
    room.good(1, 2, 3)
    policy = room.policy(3)
    gathered = room.gather(policy)
    assert gathered.met
    assert gathered.failures() == ()
    opened = open_note(gathered.note, [SIGNER.verifier, *policy.witnesses])
    assert opened.signatures[0] == SIGNER.sign(opened.text)
    assert gathered.note.startswith(LOG.note(9))
    assert set(policy.cosigners(opened.signatures)) == {K1.name, K2.name, K3.name}
    assert set(gathered.cosignatures) == {K1, K2, K3}
    assert [one.timestamp for one in gathered.cosignatures.values()] == [NOW] * 3
    assert [str(answer) for answer in gathered.answers if answer.keys == (K1,)] == [
        "witness.example/w1: cosigned"
    ]


def test_with_the_sizes_known_one_request_each_is_enough(room: Room) -> None:
    asked: list[bytes] = []
    room.good(1, 2, 3)
    for server in room.servers.values():
        count(server, asked)
    policy = room.policy(3)
    room.gather(policy, 9)
    assert len(asked) == 3
    assert room.proved == []  # from nothing, nothing is proved
    gathered = room.gather(policy, 20, sizes=dict.fromkeys((K1, K2, K3), 9))
    assert gathered.met
    assert len(asked) == 6
    assert room.proved == [9]  # one proof for all three


@pytest.mark.parametrize("guess", [0, 3, 9, 20, 999])
def test_an_unknown_size_costs_a_second_request(room: Room, guess: int) -> None:
    asked: list[bytes] = []
    room.good(1)
    policy = room.policy(1)
    room.gather(policy, 7)
    count(room.servers[K1], asked)
    assert room.gather(policy, 20, sizes={K1: guess}).met
    assert [Request.parse(body).old_size for body in asked] == [min(guess, 20), 7]
    assert room.proved[-1] == 7


def test_witnesses_of_different_sizes_each_get_their_proof(room: Room) -> None:
    room.good(1, 2, 3)
    room.gather(room.policy(1, K1), 5)
    room.gather(room.policy(1, K2), 8)
    assert room.gather(room.policy(3), 20).met
    assert sorted(room.proved) == [5, 8]


def test_only_the_logs_own_signature_is_sent(room: Room) -> None:
    asked: list[bytes] = []
    room.good(1, 2)
    count(room.servers[K2], asked)
    first = room.gather(room.policy(1, K1), 9)
    assert room.gather(room.policy(2), 9, note=first.note).met
    assert [Request.parse(body).note for body in asked] == [LOG.note(9)]


def test_who_has_cosigned_is_not_asked_again(room: Room) -> None:
    asked: list[bytes] = []
    room.good(1, 2)
    policy = room.policy(2)
    note = room.gather(policy, 9).note
    for server in room.servers.values():
        count(server, asked)
    again = room.gather(policy, 9, note=note)
    assert (again.met, again.note, again.answers, asked) == (True, note, (), [])


def test_a_missing_one_is_asked_the_next_time(room: Room) -> None:
    room.good(1, 2)
    absent = Peer()
    absent.close()
    room.urls[K3] = absent.url
    first = room.gather(room.policy(3))
    assert not first.met
    assert codes(first) == {"w1": "", "w2": "", "w3": "witness_unreachable"}
    room.good(3)
    second = room.gather(room.policy(3), note=first.note)
    assert second.met
    assert codes(second) == {"w3": ""}
    assert set(second.cosignatures) == {K3}
    assert second.note.startswith(first.note)


def test_nobody_is_needed_and_nobody_is_there(room: Room) -> None:
    gathered = room.gather(Policy())
    assert (gathered.met, gathered.note, gathered.answers) == (True, LOG.note(9), ())


def test_one_place_may_give_several_lines(room: Room) -> None:
    body = line(4) + line(2) + line(1)
    peer = room.answering(K1, 200, body)
    room.urls[K2] = peer.url
    gathered = room.gather(room.policy(2, K1, K2))
    assert gathered.met
    assert set(gathered.cosignatures) == {K1, K2}  # what a stranger says is passed over
    assert len(peer.requests) == 1
    assert [answer.keys for answer in gathered.answers] == [(K1, K2)]


def test_quorums_of_groups(room: Room) -> None:
    room.good(1, 3)
    absent = Peer()
    absent.close()
    room.urls.update({K2: absent.url, K4: absent.url})
    either = Group("ab", 2, (Group("a", 1, (K1, K2)), Group("b", 1, (K3, K4))))
    both = Group("ab", 2, (Group("a", 2, (K1, K2)), Group("b", 1, (K3, K4))))
    assert room.gather(room.policy(either)).met
    assert not room.gather(room.policy(both)).met


# what others give


@pytest.mark.parametrize(
    ("status", "body", "media_type", "code"),
    [
        (200, b"", "", "cosignature_lines"),
        (200, b"garbage\n", "", "cosignature_lines"),
        (200, b"<html><body>Welcome to our network</body></html>", "", "cosignature_lines"),
        (200, line(1)[:-1], "", "cosignature_lines"),
        (200, line(1) + b"\n", "", "cosignature_lines"),
        (200, line(1) + line(4) * MAX_LINES_BYTES, "", "cosignature_lines"),
        (200, line(4), "", "signature_missing"),
        (200, line(2), "", "signature_missing"),  # a right one, and another's
        (200, SIGNER.sign(LOG.checkpoint(9).to_text()).line().encode(), "", "signature_missing"),
        (200, line(1, size=8), "", "signature"),
        (200, line(1) + line(2, size=8), "", "signature"),
        (204, b"", "", "witness_refused"),
        (302, line(1), "", "witness_refused"),
        (400, b"bad", "", "witness_refused"),
        (403, b"signature: who are you?\n", "", "witness_refused"),
        (404, b"", "", "witness_refused"),
        (422, b"root_differs: another root\n", "", "witness_refused"),
        (429, b"", "", "witness_refused"),
        (500, b"\x00\xff\x1b[31m" * 1000, "", "witness_refused"),
        (503, b"disk_full\n", "", "witness_refused"),
        (409, b"5\n", "text/plain", "witness_answer"),
        (409, b"5", "text/x.tlog.size", "witness_answer"),
        (409, b"05\n", "text/x.tlog.size", "witness_answer"),
        (409, b"+5\n", "text/x.tlog.size", "witness_answer"),
        (409, b"5\n5\n", "text/x.tlog.size", "witness_answer"),
        (409, b"x" * (MAX_LINES_BYTES + 9), "text/x.tlog.size", "witness_answer"),
        (409, b"0\n", "text/x.tlog.size", "witness_answer"),  # 0 is what was sent
        (409, b"10\n", "text/x.tlog.size", "witness_ahead"),
        (409, b"5\n", "text/x.tlog.size", "witness_moved"),  # and again
    ],
)
def test_a_wrong_answer_is_a_failure_with_a_name(
    room: Room, status: int, body: bytes, media_type: str, code: str
) -> None:
    room.answering(K1, status, body, media_type)
    room.good(2)
    gathered = room.gather(room.policy(1, K1, K2))
    assert gathered.met
    assert codes(gathered) == {"w1": code, "w2": ""}
    assert set(gathered.cosignatures) == {K2}
    assert open_note(gathered.note, [K2]).signatures
    (failure,) = gathered.failures()
    assert str(failure).startswith(f"witness.example/w1: {code}: ")
    assert str(failure).isprintable()
    assert not room.gather(room.policy(2, K1, K2)).met
    if code == "witness_refused":
        assert failure.problem is not None
        assert failure.problem.extra == {"status": status}
    if code == "witness_ahead":
        assert failure.problem is not None
        assert failure.problem.extra == {"size": 10}


@pytest.mark.parametrize("media_type", ["text/plain", "text/x.tlog.size"])
def test_some_witnesses_say_409_to_another_root(room: Room, media_type: str) -> None:
    """Those of tlog-witness 1.0, where others say 422: it is the same alarm."""
    room.answering(K1, 409, b"9\n", media_type)
    gathered = room.gather(room.policy(1), sizes={K1: 9})
    (failure,) = gathered.failures()
    assert failure.problem is not None
    assert (failure.problem.code, failure.problem.extra) == ("witness_refused", {"status": 409})
    assert "another root" in failure.problem.detail


def test_a_second_request_is_sent_once_and_no_third(room: Room) -> None:
    peer = room.answering(K1, 409, b"5\n", "text/x.tlog.size")
    room.gather(room.policy(1))
    assert [Request.parse(body).old_size for body in peer.requests] == [0, 5]
    assert Request.parse(peer.requests[1]).proof == LOG.proof(5, 9)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + line(1)[:-9],
    ],
)
def test_what_is_no_answer_is_a_failure_with_a_name(room: Room, answer: bytes) -> None:
    room.bad(K1, Peer(lambda _: answer))
    gathered = room.gather(room.policy(1))
    assert not gathered.met
    assert codes(gathered)["w1"] in {"witness_unreachable", "cosignature_lines"}


def test_an_answer_without_a_length_ends_with_its_connection(room: Room) -> None:
    room.bad(K1, Peer(lambda _: b"HTTP/1.0 200 OK\r\n\r\n" + line(1)))
    assert room.gather(room.policy(1)).met


def test_an_answer_in_chunks_is_read(room: Room) -> None:
    pieces = [line(1)[:10], line(1)[10:]]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    room.bad(K1, Peer(lambda _: head + chunks + b"0\r\n\r\n"))
    assert room.gather(room.policy(1)).met


def test_a_witness_without_a_url_is_named(room: Room) -> None:
    room.good(1)
    gathered = room.gather(room.policy(1, K1, K2))
    assert gathered.met
    assert codes(gathered) == {"w1": "", "w2": "witness_no_url"}
    assert [answer.url for answer in gathered.failures()] == [""]
    noted = add_signatures(LOG.note(9), [TWO.cosign(LOG.checkpoint(9).to_text(), NOW)])
    assert room.gather(room.policy(2, K1, K2), note=noted).met


def test_a_proof_that_cannot_be_made_is_named(room: Room) -> None:
    room.good(1, 2)
    room.gather(room.policy(1, K1), 5)

    def prove(_: int) -> Sequence[Digest]:
        raise VerificationError("tile_damaged", "a tile is damaged")

    gathered = room.witnesses(room.policy(2)).gather(LOG.note(9), sizes={}, prove=prove)
    assert codes(gathered) == {"w1": "tile_damaged", "w2": ""}


def test_an_address_that_cannot_be_asked_is_refused_at_once(room: Room) -> None:
    room.good(1)
    room.urls[K1] = "ftp://w.example"
    with pytest.raises(MalformedError, match=r"^witness_url\b"):
        room.witnesses(room.policy(1))


def test_a_note_with_a_wrong_cosignature_is_not_sent_round(room: Room) -> None:
    room.good(1)
    wrong = add_signatures(LOG.note(9), [ONE.cosign(LOG.checkpoint(8).to_text(), NOW)])
    with pytest.raises(VerificationError):
        room.gather(room.policy(1), note=wrong)
    with pytest.raises(MalformedError):
        room.gather(room.policy(1), note=b"garbage")


def test_the_merged_note_is_read_by_its_parts(room: Room) -> None:
    room.good(1, 2)
    note = room.gather(room.policy(2)).note
    names = [signature.name for signature in parse_note(note).signatures]
    assert names[0] == SIGNER.name
    assert sorted(names[1:]) == [K1.name, K2.name]


# who is told when, and in which words


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
    gathered = room.witnesses(policy, LIMITS).gather(
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
