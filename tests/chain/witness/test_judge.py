"""A witness cosigns what continues what it saw, and says of everything else why it does not."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chain.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    Problem,
    RefusedError,
    UnavailableError,
    VerificationError,
)
from chain.hashing import EMPTY_ROOT, ZERO, Digest, sha256
from chain.signing.checkpoint import Checkpoint
from chain.signing.cosignature import Cosigner, SubtreeCosigner, open_cosignatures
from chain.signing.note import Note, Signature, SignerKey, parse_note, sign_note
from chain.witness.database import WitnessStore, create_store
from chain.witness.judge import (
    MAX_PROOF_LINES,
    MAX_REQUEST_BYTES,
    Inconsistent,
    Request,
    Seen,
    Witness,
)
from tests.chain.histories import ORIGIN, SIGNER, History, history

KEY = Cosigner(SignerKey("witness.example/w1", bytes([7]) * 32))
NOW = 1_800_000_000
LOG = history(40)
OTHER_SIGNER = SignerKey("other.example/log", bytes(32))


class Clock:
    """Tells the time that it was told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


class Desk:
    """A witness on its folder, with a clock at hand; ``reopen`` starts it again."""

    def __init__(self, folder: Path, *logs: History) -> None:
        create_store(folder, KEY.verifier)
        self.folder = folder
        self.clock = Clock()
        self.keys = [key for log in logs or (LOG,) for key in log.keys]
        self.open()

    def open(self) -> None:
        """Start the witness."""
        self.store = WitnessStore(self.folder)
        self.store.claim(KEY.verifier)
        self.witness = Witness(KEY, self.keys, self.store, self.clock)

    def reopen(self) -> None:
        """Stop and start it."""
        self.store.close()
        self.open()

    def ask(self, body: bytes) -> Signature:
        """Ask for a cosignature, and check the one that comes."""
        lines = self.witness.add_checkpoint(body)
        text = parse_note(Request.parse(body).note).text
        return open_cosignatures(text, lines.encode(), [KEY.verifier])[KEY.verifier]

    def seen(self) -> tuple[int, Digest] | None:
        """Size and root of what it has cosigned last, of its only log."""
        found = self.store.seen()
        return (found[0].checkpoint.size, found[0].checkpoint.root) if found else None


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A witness that knows ``LOG`` and has seen nothing of it."""
    desk = Desk(tmp_path / "witness")
    yield desk
    desk.store.close()


def refused(kind: type[Problem], code: str, desk: Desk, body: bytes) -> Problem:
    """The witness refuses, and remembers what it did before."""
    before = desk.store.seen()
    with pytest.raises(kind) as refusal:
        desk.witness.add_checkpoint(body)
    assert refusal.value.code == code
    assert desk.store.seen() == before
    return refusal.value


def test_a_log_grows_and_is_cosigned(desk: Desk) -> None:
    sizes = [1, 2, 3, 7, 8, 9, 32, 33, 40]
    for old, new in zip([0, *sizes], sizes, strict=False):
        assert desk.ask(LOG.request(old, new)).timestamp == NOW
        assert desk.seen() == (new, LOG.checkpoint(new).root)


def test_what_is_kept_is_the_checkpoint_with_its_cosignature(desk: Desk) -> None:
    stranger = SignerKey("stranger.example", bytes([1]) * 32)
    text = LOG.checkpoint(5).to_text()
    note = sign_note(text, stranger, SIGNER)
    signature = desk.ask(Request(0, (), note).to_bytes())
    (seen,) = desk.store.seen()
    assert seen == Seen(LOG.checkpoint(5), NOW, Note(text, (SIGNER.sign(text), signature)))


def test_each_of_its_keys_cosigns_the_same(desk: Desk) -> None:
    """Also when one comes later: what was kept before that is taken up as it is."""
    desk.ask(LOG.request(0, 5))
    desk.reopen()
    modern = SubtreeCosigner("witness.example/w1", bytes([8]) * 32)
    witness = Witness(KEY, desk.keys, desk.store, desk.clock, modern)
    for old, new in ((5, 5), (5, 9)):
        lines = witness.add_checkpoint(LOG.request(old, new)).encode()
        text = LOG.checkpoint(new).to_text()
        keys = [KEY.verifier, modern.verifier]
        found = open_cosignatures(text, lines, keys)
        assert list(found) == keys
        assert {signature.timestamp for signature in found.values()} == {NOW}
        assert lines.count(b"\n") == 2
        (seen,) = desk.store.seen()
        assert seen.note.signatures == (SIGNER.sign(text), *found.values())
    desk.reopen()
    assert desk.ask(LOG.request(9, 12)).timestamp == NOW


def test_it_goes_on_after_a_restart(desk: Desk) -> None:
    desk.ask(LOG.request(0, 5))
    desk.reopen()
    refused(ConflictError, "old_size", desk, LOG.request(0, 9))
    desk.ask(LOG.request(5, 9))


# 1. the request can be read


HASH = base64.b64encode(ZERO).decode()
NOTE = LOG.note(1).decode()


def test_step_1_a_request_that_cannot_be_read(desk: Desk) -> None:
    for body in ("", "old 0", f"old 00\n\n{NOTE}", f"old 0\n{HASH[:-1]}\n\n{NOTE}"):
        refused(MalformedError, "witness_request", desk, body.encode())


def test_step_1_a_request_may_have_63_hashes_and_so_many_bytes(desk: Desk) -> None:
    full = Request(1, (ZERO,) * MAX_PROOF_LINES, LOG.note(1)).to_bytes()
    refused(ConflictError, "old_size", desk, full)
    long = b"old 0\n\n" + b"x" * MAX_REQUEST_BYTES
    refused(MalformedError, "witness_request", desk, long)
    refused(MalformedError, "note", desk, long[:MAX_REQUEST_BYTES])


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\nthis is not a checkpoint\n",
        f"{ORIGIN}\n5\n",
        f"{ORIGIN}\n05\n{HASH}\n",
        f"{ORIGIN}\n5\n{HASH[:-4]}\n",
        f"{ORIGIN}\n5\n{HASH}\n\nextension after an empty line\n",
    ],
)
def test_step_1_a_signed_text_that_is_no_checkpoint(desk: Desk, text: str) -> None:
    body = Request(0, (), sign_note(text, SIGNER)).to_bytes()
    refused(MalformedError, "checkpoint", desk, body)


def test_step_1_a_note_without_signatures(desk: Desk) -> None:
    for note in (b"", b"monkeys\nthis is not a checkpoint\n", LOG.checkpoint(1).to_text().encode()):
        refused(MalformedError, "note", desk, Request(0, (), note).to_bytes())


# 2. the log is known


def test_step_2_a_log_that_is_not_known(desk: Desk) -> None:
    refused(NotFoundError, "log_unknown", desk, history(3, OTHER_SIGNER).request(0, 3))
    almost = SignerKey(f"{ORIGIN}/", bytes(range(32)))
    refused(NotFoundError, "log_unknown", desk, history(3, almost).request(0, 3))


def test_step_2_comes_before_step_3(desk: Desk) -> None:
    text = history(3, OTHER_SIGNER).checkpoint(3).to_text()
    body = Request(0, (), sign_note(text, SIGNER)).to_bytes()  # a known key, another log
    refused(NotFoundError, "log_unknown", desk, body)


# 3. the log signed it


def test_step_3_signed_by_nobody_that_is_known(desk: Desk) -> None:
    note = sign_note(LOG.checkpoint(3).to_text(), OTHER_SIGNER)
    refused(RefusedError, "signature_missing", desk, Request(0, (), note).to_bytes())
    namesake = SignerKey(ORIGIN, bytes(32))
    note = sign_note(LOG.checkpoint(3).to_text(), namesake)
    refused(RefusedError, "signature_missing", desk, Request(0, (), note).to_bytes())


def test_step_3_a_signature_that_fails(desk: Desk) -> None:
    wrong = sign_note(LOG.checkpoint(4).to_text(), SIGNER).replace(b"\n4\n", b"\n3\n")
    refused(RefusedError, "signature", desk, Request(0, (), wrong).to_bytes())


def test_step_3_comes_before_what_the_request_asks(desk: Desk) -> None:
    """Nobody learns what a witness knows of a log without that log's signature."""
    desk.ask(LOG.request(0, 5))
    wrong = LOG.note(4).replace(b"\n4\n", b"\n3\n")
    for old in (0, 3, 9):
        refused(RefusedError, "signature", desk, Request(old, (), wrong).to_bytes())


def test_a_log_may_have_several_keys(tmp_path: Path) -> None:
    second = SignerKey(ORIGIN, bytes(32))
    desk = Desk(tmp_path / "witness", history(9, SIGNER, second))
    desk.ask(history(9, SIGNER).request(0, 3))
    desk.ask(history(9, second).request(3, 5))
    desk.ask(history(9, second, SIGNER).request(5, 8))
    text = LOG.checkpoint(9).to_text()
    wrong = Signature(ORIGIN, second.verifier.key_id, bytes(64))
    note = Note(text, (SIGNER.sign(text), wrong)).to_bytes()
    body = Request(8, LOG.proof(8, 9), note).to_bytes()
    refused(RefusedError, "signature", desk, body)  # one known key's fails: the note is refused
    desk.store.close()


def test_signatures_of_others_are_passed_over(desk: Desk) -> None:
    text = LOG.checkpoint(3).to_text()
    garbage = Signature("stranger.example", b"1234", bytes(7))
    own = KEY.cosign(text, 1)
    note = Note(text, (garbage, SIGNER.sign(text), own)).to_bytes()
    assert desk.ask(Request(0, (), note).to_bytes()).timestamp == NOW


def test_extension_lines_of_other_logs_are_cosigned_with_the_rest(desk: Desk) -> None:
    text = LOG.checkpoint(3).to_text() + "extension 1\nextension 2\n"
    desk.ask(Request(0, (), sign_note(text, SIGNER)).to_bytes())
    assert desk.seen() == (3, LOG.checkpoint(3).root)
    desk.ask(LOG.request(3, 3))


# 4. a tree without entries has the empty root


def test_step_4_an_empty_tree_with_another_root(desk: Desk) -> None:
    for root in (ZERO, LOG.checkpoint(1).root):
        text = Checkpoint(ORIGIN, 0, root).to_text()
        body = Request(0, (), sign_note(text, SIGNER)).to_bytes()
        refused(VerificationError, "empty_root", desk, body)


def test_an_empty_tree_is_cosigned_and_any_tree_follows(desk: Desk) -> None:
    desk.ask(LOG.request(0, 0))
    assert desk.seen() == (0, EMPTY_ROOT)
    desk.ask(LOG.request(0, 0))
    refused(
        VerificationError, "proof_from_nothing", desk, Request(0, (ZERO,), LOG.note(0)).to_bytes()
    )
    desk.ask(LOG.request(0, 7))


# 5. the old size is not above the checkpoint's


def test_step_5_an_old_size_above_the_checkpoints(desk: Desk) -> None:
    refused(MalformedError, "old_size_ahead", desk, Request(6, (), LOG.note(5)).to_bytes())
    desk.ask(LOG.request(0, 6))
    refused(MalformedError, "old_size_ahead", desk, Request(6, (), LOG.note(5)).to_bytes())
    refused(MalformedError, "old_size_ahead", desk, Request(1, (), LOG.note(0)).to_bytes())


# 6. the old size is that of the latest checkpoint


@pytest.mark.parametrize("old", [0, 1, 4, 6, 9])
def test_step_6_another_old_size(desk: Desk, old: int) -> None:
    desk.ask(LOG.request(0, 5))
    refusal = refused(ConflictError, "old_size", desk, LOG.request(old, 9))
    assert refusal.extra["size"] == 5


def test_step_6_of_a_log_never_seen(desk: Desk) -> None:
    assert refused(ConflictError, "old_size", desk, LOG.request(3, 5)).extra["size"] == 0


def test_step_6_nothing_smaller_is_cosigned_ever_again(desk: Desk) -> None:
    desk.ask(LOG.request(0, 9))
    for old in range(9):
        for new in range(old, 9):
            assert refused(ConflictError, "old_size", desk, LOG.request(old, new)).extra == {
                "size": 9
            }


def test_step_6_comes_before_step_7(desk: Desk) -> None:
    desk.ask(LOG.request(0, 5))
    body = Request(0, (ZERO,), LOG.note(9)).to_bytes()
    assert refused(ConflictError, "old_size", desk, body).extra["size"] == 5


# 7. the proof leads from there to here


def test_step_7_a_proof_from_nothing(desk: Desk) -> None:
    body = Request(0, (ZERO,), LOG.note(5)).to_bytes()
    refused(VerificationError, "proof_from_nothing", desk, body)


def test_step_7_the_same_size_with_another_root(desk: Desk) -> None:
    desk.ask(LOG.request(0, 5))
    refused(VerificationError, "root_differs", desk, LOG.fork(4).request(5, 5))


def test_step_7_a_proof_at_the_same_size(desk: Desk) -> None:
    desk.ask(LOG.request(0, 5))
    body = Request(5, (ZERO,), LOG.note(5)).to_bytes()
    refused(VerificationError, "path_length", desk, body)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (3, 7), (4, 8), (5, 40), (32, 33)])
def test_step_7_every_bend_of_a_proof(desk: Desk, old: int, new: int) -> None:
    desk.ask(LOG.request(0, old))
    proof = LOG.proof(old, new)
    bent: list[tuple[Digest, ...]] = [(), (*proof, ZERO), (ZERO, *proof), proof[1:], proof[:-1]]
    bent += [(*proof[:place], ZERO, *proof[place + 1 :]) for place in range(len(proof))]
    bent += [proof[::-1]] if proof[::-1] != proof else []
    for one in bent:
        with pytest.raises(VerificationError):
            desk.witness.add_checkpoint(Request(old, one, LOG.note(new)).to_bytes())
        assert desk.seen() == (old, LOG.checkpoint(old).root)
    desk.ask(LOG.request(old, new))


@pytest.mark.parametrize("fork", range(8))
def test_step_7_no_other_history_is_cosigned(desk: Desk, fork: int) -> None:
    desk.ask(LOG.request(0, 8))
    for new in range(8, 20):
        with pytest.raises(VerificationError):
            desk.witness.add_checkpoint(LOG.fork(fork).request(8, new))
    desk.ask(LOG.fork(8).request(8, 20))  # one that forks later is as good as the other
    with pytest.raises(VerificationError):
        desk.witness.add_checkpoint(LOG.request(20, 21))


# 8. stored, and only then answered


class Broken(WitnessStore):
    """A store whose disk is full."""

    def update(self, origin: str, change: Callable[[Seen | None], Seen]) -> Seen:
        """Let the change be made, and fail to store it."""
        change(None)
        raise UnavailableError("disk_full", "the disk is full")


def test_step_8_no_cosignature_leaves_that_could_not_be_stored(desk: Desk) -> None:
    witness = Witness(KEY, desk.keys, Broken(desk.folder), desk.clock)
    with pytest.raises(UnavailableError):
        witness.add_checkpoint(LOG.request(0, 5))
    assert desk.store.seen() == []


# time


def test_the_same_tree_again_gets_a_fresh_cosignature(desk: Desk) -> None:
    first = desk.ask(LOG.request(0, 5))
    desk.clock.now += 60
    again = desk.ask(LOG.request(5, 5))
    assert (first.timestamp, again.timestamp) == (NOW, NOW + 60)
    assert desk.seen() == (5, LOG.checkpoint(5).root)


def test_time_never_goes_back_whatever_the_clock_says(tmp_path: Path) -> None:
    other = history(9, OTHER_SIGNER)
    desk = Desk(tmp_path / "witness", LOG, other)
    desk.ask(LOG.request(0, 5))
    desk.clock.now = NOW - 1000
    assert desk.ask(LOG.request(5, 6)).timestamp == NOW
    desk.reopen()
    assert desk.ask(LOG.request(6, 6)).timestamp == NOW
    assert desk.ask(other.request(0, 3)).timestamp == NOW - 1000  # of each log for itself
    desk.clock.now = NOW + 1
    assert desk.ask(LOG.request(6, 6)).timestamp == NOW + 1
    desk.store.close()


@pytest.mark.parametrize("now", [0, -1])
def test_without_a_clock_nothing_is_cosigned(desk: Desk, now: int) -> None:
    desk.clock.now = now
    refused(UnavailableError, "clock_wrong", desk, LOG.request(0, 5))
    desk.clock.now = 1
    assert desk.ask(LOG.request(0, 5)).timestamp == 1


# monitors


def test_monitors_get_the_note_cosigned_last(desk: Desk) -> None:
    origin_hash = sha256(ORIGIN.encode()).hex()
    assert desk.witness.latest(origin_hash) is None
    desk.ask(LOG.request(0, 5))
    (seen,) = desk.store.seen()
    assert desk.witness.latest(origin_hash) == seen.note.to_bytes()
    for other in ("", "x", "../witness.key", origin_hash.upper(), f"{origin_hash}\n", ORIGIN):
        assert desk.witness.latest(other) is None


# logs


def test_a_log_is_asked_for_by_its_hash_and_nothing_else(desk: Desk) -> None:
    (desk.folder / "other.note").write_bytes(b"secret")
    assert desk.witness.latest("../other") is None
    assert desk.witness.latest("../" + "a" * 61) is None


def test_logs_do_not_mix(tmp_path: Path) -> None:
    other = history(40, OTHER_SIGNER)
    desk = Desk(tmp_path / "witness", LOG, other)
    desk.ask(LOG.request(0, 9))
    assert refused(ConflictError, "old_size", desk, other.request(9, 12)).extra["size"] == 0
    desk.ask(other.request(0, 30))
    desk.ask(LOG.request(9, 12))
    desk.ask(other.request(30, 31))
    desk.store.close()


# what may prove that a log lied


def test_a_second_history_is_kept(desk: Desk) -> None:
    desk.ask(LOG.request(0, 5))
    same_size, longer = LOG.fork(4).request(5, 5), LOG.fork(2).request(5, 8)
    for body in (same_size, longer, same_size):
        with pytest.raises(VerificationError):
            desk.witness.add_checkpoint(body)
    kept = desk.store.inconsistent()
    assert [(one.checkpoint, one.code) for one in kept] == [
        (LOG.fork(4).checkpoint(5), "root_differs"),
        (LOG.fork(2).checkpoint(8), "root_mismatch"),
    ]
    assert kept[0].note.to_bytes() == LOG.fork(4).note(5)


@pytest.mark.parametrize("old", [0, 3, 5])
def test_two_roots_of_one_size_are_kept_whatever_was_asked(desk: Desk, old: int) -> None:
    desk.ask(LOG.request(0, 5))
    with pytest.raises(Problem):
        desk.witness.add_checkpoint(LOG.fork(1).request(old, 5))
    (kept,) = desk.store.inconsistent()
    assert (kept.checkpoint, kept.code) == (LOG.fork(1).checkpoint(5), "root_differs")
    with pytest.raises(Problem):
        desk.witness.add_checkpoint(Request(5, (ZERO,), LOG.note(5)).to_bytes())
    assert len(desk.store.inconsistent()) == 1  # the same tree with a wrong proof says nothing


def test_what_proves_nothing_is_not_kept(desk: Desk) -> None:
    desk.ask(LOG.request(0, 5))
    bodies = [
        b"garbage",
        history(9, OTHER_SIGNER).request(0, 9),
        LOG.fork(2).request(0, 9),  # 409: whoever asks has not even tried
        LOG.fork(2).note(9).replace(b"\n9\n", b"\n8\n"),
    ]
    for body in bodies:
        with pytest.raises(Problem):
            desk.witness.add_checkpoint(body)
    assert desk.store.inconsistent() == []


def _inconsistent(number: int, code: str) -> Inconsistent:
    checkpoint = Checkpoint(ORIGIN, number, sha256(b"%d" % number))
    return Inconsistent(checkpoint, code, parse_note(sign_note(checkpoint.to_text(), SIGNER)))


def test_nobody_fills_the_disk_with_them(desk: Desk) -> None:
    for number in range(130):
        desk.store.keep(_inconsistent(number, "root_mismatch"))
    certain = _inconsistent(1000, "root_differs")
    desk.store.keep(certain)
    kept = desk.store.inconsistent()
    assert len(kept) == 101
    assert kept[-1] == certain  # doubtful ones leave room for certain ones
