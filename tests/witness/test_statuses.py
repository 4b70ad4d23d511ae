"""The table of statuses, row by row, asked of a real witness process over a real socket."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from chain.hashing import ZERO, sha256
from chain.signing.checkpoint import Checkpoint
from chain.signing.note import Note, Signature, SignerKey, open_note, sign_note
from chain.witness.judge import Request
from tests.chain.histories import History, history
from tests.witness.running import Reply, WitnessProcess, talk

SIGNERS = [SignerKey(f"log-{number}.example", bytes([number]) * 32) for number in range(1, 33)]
_unused = count()


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WitnessProcess]:
    """One witness that knows many logs."""
    folder: Path = tmp_path_factory.mktemp("statuses") / "witness"
    witness = WitnessProcess(folder, *(history(0, signer) for signer in SIGNERS)).start()
    yield witness
    assert witness.end() == 0


@pytest.fixture
def log() -> History:
    """A log that the witness knows and has seen nothing of."""
    return history(20, SIGNERS[next(_unused)])


def refused(witness: WitnessProcess, body: bytes, status: int, code: str) -> Reply:
    """The witness refuses, writes one line about it, and its answer has no signature."""
    before = len(witness.refusals())
    reply = witness.post(body)
    assert reply.status == status, reply
    assert not reply.cosigned
    (line,) = witness.refusals()[before:]
    assert (line["status"], line["code"], line["client"]) == (status, code, "127.0.0.1")
    assert line["detail"]
    assert line["at"].endswith("Z")
    if status != 409:
        assert reply.media_type == "text/plain; charset=utf-8"
        assert reply.body.decode() == f"{code}: {line['detail']}\n"
    return reply


def test_origin_unknown_is_404(witness: WitnessProcess) -> None:
    stranger = history(3, SignerKey("stranger.example", bytes(32)))
    refused(witness, stranger.request(0, 3), 404, "log_unknown")
    assert witness.refusals()[-1]["origin"] == "stranger.example"


def test_no_signature_by_a_trusted_key_is_403(witness: WitnessProcess, log: History) -> None:
    note = sign_note(log.checkpoint(3).to_text(), SignerKey("stranger.example", bytes(32)))
    refused(witness, Request(0, (), note).to_bytes(), 403, "signature_missing")


def test_a_known_keys_signature_that_fails_is_403(witness: WitnessProcess, log: History) -> None:
    text = log.checkpoint(3).to_text()
    wrong = Signature(log.origin, log.keys[0].key_id, bytes(64))
    note = Note(text, (wrong,)).to_bytes()
    refused(witness, Request(0, (), note).to_bytes(), 403, "signature")


def test_old_above_the_checkpoints_size_is_400(witness: WitnessProcess, log: History) -> None:
    refused(witness, Request(4, (), log.note(3)).to_bytes(), 400, "old_size_ahead")


@pytest.mark.parametrize("old", [0, 4, 6])
def test_old_other_than_the_latest_size_is_409(
    witness: WitnessProcess, log: History, old: int
) -> None:
    witness.cosignature(log.request(0, 5))
    reply = refused(witness, log.request(old, 9), 409, "old_size")
    assert (reply.media_type, reply.body) == ("text/x.tlog.size", b"5\n")
    assert witness.refusals()[-1]["size"] == 5


def test_old_of_a_log_never_seen_is_409_and_0(witness: WitnessProcess, log: History) -> None:
    reply = refused(witness, log.request(3, 9), 409, "old_size")
    assert (reply.media_type, reply.body) == ("text/x.tlog.size", b"0\n")


def test_size_0_with_another_root_is_422(witness: WitnessProcess, log: History) -> None:
    text = Checkpoint(log.origin, 0, ZERO).to_text()
    body = Request(0, (), sign_note(text, *log.signers)).to_bytes()
    refused(witness, body, 422, "empty_root")


def test_old_0_with_a_proof_is_422(witness: WitnessProcess, log: History) -> None:
    body = Request(0, (ZERO,), log.note(3)).to_bytes()
    refused(witness, body, 422, "proof_from_nothing")


def test_a_proof_that_fails_is_422(witness: WitnessProcess, log: History) -> None:
    witness.cosignature(log.request(0, 5))
    right = log.proof(5, 9)
    body = Request(5, (ZERO, *right[1:]), log.note(9)).to_bytes()
    refused(witness, body, 422, "root_mismatch")
    refused(witness, Request(5, right[1:], log.note(9)).to_bytes(), 422, "path_length")
    refused(witness, log.fork(4).request(5, 9), 422, "root_mismatch")


def test_old_equal_to_size_with_another_root_is_422(witness: WitnessProcess, log: History) -> None:
    witness.cosignature(log.request(0, 5))
    refused(witness, log.fork(4).request(5, 5), 422, "root_differs")


def test_accepted_is_200_with_cosignature_lines(witness: WitnessProcess, log: History) -> None:
    for old, new in [(0, 0), (0, 1), (1, 5), (5, 20)]:
        reply = witness.post(log.request(old, new))
        assert (reply.status, reply.media_type) == (200, "text/plain; charset=utf-8")
        assert reply.body.startswith("\u2014 witness.example/w1 ".encode())
        assert reply.body.endswith(b"\n")
        assert reply.body.count(b"\n") == 2  # one by each of its keys
        assert reply.body.count("\u2014 witness.example/w1 ".encode()) == 2


def test_the_same_again_gets_a_cosignature_not_older(witness: WitnessProcess, log: History) -> None:
    first = witness.cosignature(log.request(0, 5)).timestamp
    again = witness.cosignature(log.request(5, 5)).timestamp
    assert first is not None
    assert again is not None
    assert first <= again


def test_what_cannot_be_read_is_400(witness: WitnessProcess, log: History) -> None:
    refused(witness, b"", 400, "witness_request")
    refused(witness, b"old 0\n\n" + b"\xff" * 100, 400, "note")
    text = f"{log.origin}\n5\n"
    refused(witness, Request(0, (), sign_note(text, *log.signers)).to_bytes(), 400, "checkpoint")


def test_a_line_about_a_refusal_is_one_line_whatever_was_sent(witness: WitnessProcess) -> None:
    evil = 'a"\x1b[31m\\n{"status": 200}\u2028\u0085'
    note = f"{evil}\n1\nx\n\n\u2014 x AAAAAAA=\n".replace("\x1b", "\x7f")
    refused(witness, Request(0, (), note.encode()).to_bytes(), 404, "log_unknown")
    assert witness.refusals()[-1]["origin"] == evil.replace("\x1b", "\x7f")


def test_several_requests_on_one_connection(witness: WitnessProcess, log: History) -> None:
    connection = witness.connect()
    steps = [(0, 3, 200), (0, 5, 409), (3, 5, 200), (9, 5, 400), (5, 5, 200)]
    for old, new, status in steps:
        proof = log.proof(old, new) if old <= new else ()
        reply = talk(connection, Request(old, proof, log.note(new)).to_bytes())
        assert reply.status == status
    connection.close()


def test_monitors_read_what_was_cosigned_last(witness: WitnessProcess, log: History) -> None:
    path = f"/{sha256(log.origin.encode()).hex()}/checkpoint"
    assert witness.get(path).status == 404
    for old, new in [(0, 5), (5, 9)]:
        witness.cosignature(log.request(old, new))
        reply = witness.get(path)
        assert (reply.status, reply.media_type) == (200, "text/plain; charset=utf-8")
        note = open_note(reply.body, [*log.keys, witness.key])
        assert note.text == log.checkpoint(new).to_text()
        assert len(note.signatures) == 2  # the log's, which was checked, and the witness's
    assert witness.post(log.fork(8).request(9, 9)).status == 422
    assert witness.get(path) == reply


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/checkpoint",
        f"/{'0' * 64}/checkpoint",
        f"/{'0' * 63}/checkpoint",
        f"/{'A' * 64}/checkpoint",
        f"/{'0' * 64}",
        f"/{'0' * 64}/checkpoint/",
        "/../witness.key/checkpoint",
    ],
)
def test_monitors_read_nothing_else(witness: WitnessProcess, path: str) -> None:
    reply = witness.get(path)
    assert (reply.status, reply.body[:13]) == (404, b"not_cosigned:")


def test_the_path_in_a_witness_s_name_is_a_prefix_too(
    witness: WitnessProcess, log: History
) -> None:
    assert witness.key.name == "witness.example/w1"
    assert witness.post(log.request(0, 5), "/w1/add-checkpoint").status == 200
    assert witness.get(f"/w1/{sha256(log.origin.encode()).hex()}/checkpoint").status == 200
    for path in ("/w2/add-checkpoint", "/w1add-checkpoint", "/w1/w1/add-checkpoint", "/w1"):
        assert witness.post(log.request(5, 9), path).status == 404
