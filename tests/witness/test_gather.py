"""A live log and three witness processes: whatever happens to them, one history is cosigned."""

import random
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chain.entry import anchor_entry
from chain.hashing import sha256
from chain.signing.checkpoint import open_checkpoint
from chain.signing.note import VerifierKey, open_note
from chain.signing.policy import Group, Policy
from chain.witness.client import Answer, Gathered, Limits, Witnesses
from chain.witness.server import ML_DSA_PUBLIC_FILE
from tests.chain.books import NOON, SIGNER, Books
from tests.chain.histories import History
from tests.patience import NEVER, growing, returns, wait_until
from tests.witness.room import LIMITS
from tests.witness.running import WitnessProcess

BRIEF = Limits(exchange=NEVER, grace=0.2)


class Town:
    """A log, its witnesses, and the anchoring that asks them, as a worker does it."""

    def __init__(self, folder: Path, quorum: int) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        log = History([], SIGNER)
        self.witnesses = [
            WitnessProcess(folder / f"w{number}", log, name=f"witness.example/w{number}").start()
            for number in (1, 2, 3)
        ]
        self.keys = [one.key for one in self.witnesses]
        self.quorum = quorum
        self.sizes: dict[VerifierKey, int] = {}
        self.late: list[Answer] = []
        (folder / "books").mkdir()
        self.books = Books(folder / "books")
        self.asking = Witnesses(self.policy(), LIMITS)

    def ask_with(self, limits: Limits) -> None:
        """Have other limits from now on."""
        self.asking.close()
        self.asking = Witnesses(self.policy(), limits)

    def policy(self) -> Policy:
        """So many of the three."""
        urls = {one.key: one.url for one in self.witnesses}
        return Policy(tuple(self.keys), self.quorum, (SIGNER.verifier,), urls)

    def close(self) -> None:
        """Stop everything."""
        self.asking.close()
        self.books.store.close()
        for one in self.witnesses:
            one.end()

    def anchor(self, count: int = 3, books: Books | None = None) -> Gathered:
        """Add a block, sign its checkpoint, and have it cosigned."""
        log = books or self.books
        log.add(count)
        log.publish()
        return self.cosign(log)

    def cosign(self, books: Books | None = None, note: bytes = b"") -> Gathered:
        """Have the latest checkpoint cosigned."""
        log = (books or self.books).log
        checkpoint, signed = log.latest_checkpoint()
        gathered = self.asking.gather(
            note or signed,
            sizes=self.sizes,
            prove=lambda old: log.consistency(old, checkpoint.size),
            late=self.late.append,
        )
        self.sizes.update(dict.fromkeys(gathered.cosignatures, checkpoint.size))
        return gathered

    def codes(self, gathered: Gathered) -> list[str]:
        """What was the matter with whom, in order."""
        found = {answer.keys[0]: answer.problem for answer in gathered.answers}
        problems = [found.get(key) for key in self.keys]
        return ["" if problem is None else problem.code for problem in problems]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Two of three must cosign."""
    with closing(Town(tmp_path / "town", 2)) as town:
        yield town


def test_a_growing_log_is_cosigned_by_all(town: Town) -> None:
    for count in (1, 3, 250, 7):
        gathered = town.anchor(count)
        assert gathered.met
        assert town.codes(gathered) == ["", "", ""]
        checkpoint = open_checkpoint(gathered.note, SIGNER.verifier)
        assert checkpoint.size == town.books.log.head().size
        opened = open_note(gathered.note, [SIGNER.verifier, *town.keys])
        assert len(town.policy().cosigners(opened.signatures)) == 3
    for one in town.witnesses:
        assert not one.errors.read_text()  # every size was known in advance


def test_a_worker_that_knows_no_sizes_learns_them(town: Town) -> None:
    town.anchor()
    town.sizes.clear()
    gathered = town.anchor()
    assert town.codes(gathered) == ["", "", ""]
    for one in town.witnesses:
        assert [line["code"] for line in one.refusals()] == ["old_size"]


def test_one_that_was_killed_delays_nothing_and_catches_up(town: Town) -> None:
    town.anchor()
    town.witnesses[1].kill()
    for _ in range(3):
        gathered = returns(town.anchor)
        assert gathered.met
        assert town.codes(gathered) == ["", "witness_unreachable", ""]
    town.witnesses[1].start()
    assert town.codes(town.anchor()) == ["", "", ""]


def test_one_that_is_held_delays_by_the_grace_only(town: Town) -> None:
    town.anchor()
    town.ask_with(BRIEF)
    town.witnesses[0].send(signal.SIGSTOP)
    gathered = returns(town.anchor)
    assert gathered.met
    assert town.codes(gathered) == ["witness_slow", "", ""]
    town.witnesses[0].send(signal.SIGCONT)
    wait_until(
        lambda: {key for one in town.late for key in one.keys} >= {town.keys[0]}, "it answers"
    )
    answer = next(
        one for one in town.late if town.keys[0] in one.keys
    )  # it had the request all the time, and its answer is not lost
    assert set(answer.cosignatures) == {town.keys[0]}
    assert town.codes(town.anchor()) == ["", "", ""]


def test_below_the_quorum_nothing_is_met_and_nothing_lost(town: Town) -> None:
    town.anchor()
    town.witnesses[0].kill()
    town.witnesses[1].send(signal.SIGSTOP)
    town.books.add(3)
    town.books.publish()
    for exchange in growing(2.0):
        town.ask_with(Limits(exchange, exchange))
        gathered = returns(town.cosign)
        assert not gathered.met
        if gathered.cosignatures:
            break
    assert town.codes(gathered) == ["witness_unreachable", "witness_slow", ""]
    town.ask_with(LIMITS)
    town.witnesses[1].send(signal.SIGCONT)
    again = town.cosign(note=gathered.note)  # only those who are missing are asked
    assert again.met
    assert set(again.cosignatures) == {town.keys[1]}
    assert {answer.keys[0] for answer in again.answers} == {town.keys[0], town.keys[1]}


def test_one_with_an_older_database_is_as_good_as_before(town: Town) -> None:
    town.anchor()
    witness = town.witnesses[2]
    witness.end()
    older = (witness.folder / "witness.db").read_bytes()
    witness.start()
    town.anchor()
    witness.kill()
    for left in witness.folder.glob("witness.db*"):
        left.unlink()
    (witness.folder / "witness.db").write_bytes(older)
    witness.start()
    assert town.codes(town.anchor()) == ["", "", ""]
    assert [line["code"] for line in witness.refusals()] == []  # it knew what it had lost


def _roll_back(town: Town, at: Path) -> Books:
    """Put back the log as it was, database and folder, and let it go on with other entries."""
    town.books.store.close()
    shutil.rmtree(town.folder / "books")
    shutil.copytree(at, town.folder / "books")
    books = Books(town.folder / "books")
    head = books.log.head()
    other = [anchor_entry("invoice", sha256(b"other %d" % n)) for n in range(3)]
    books.log.sequence(head, other, sealed_at=NOON, cursor=head.cursor + 3)
    books.publish()
    town.books = books
    return books


def test_a_log_that_was_rolled_back_finds_no_witness(town: Town) -> None:
    town.anchor(3)
    town.books.store.close()
    shutil.copytree(town.folder / "books", town.folder / "backup")
    town.books = Books(town.folder / "books")
    first = town.anchor(3)
    town.anchor(3)
    assert first.met
    _roll_back(town, town.folder / "backup")
    for sizes in ({}, dict(town.sizes)):  # it may have lost those too, or not
        town.sizes = dict(sizes)
        behind = town.cosign()
        assert not behind.met
        assert set(town.codes(behind)) == {"witness_ahead"}
    level = town.anchor(3)  # as large as what they have seen
    assert not level.met
    assert set(town.codes(level)) == {"witness_refused"}
    beyond = town.anchor(30)
    assert not beyond.met
    assert set(town.codes(beyond)) == {"witness_refused"}
    assert beyond.cosignatures == {}
    problem = level.answers[0].problem
    assert problem is not None
    assert (problem.extra["status"], "root_differs" in problem.detail) == (422, True)
    for one in town.witnesses:  # and each can show both histories
        assert {line["code"] for line in one.refusals()} >= {"root_differs", "root_mismatch"}


@pytest.mark.slow
def test_whatever_happens_to_them_one_history_is_cosigned(tmp_path: Path) -> None:
    """Kill, hold, restart: publishing goes on while two of three are there, and never forks."""
    with closing(Town(tmp_path / "town", 2)) as town:
        stop = threading.Event()
        trouble = threading.Thread(target=_trouble, args=(town, stop))
        trouble.start()
        met = 0
        town.ask_with(BRIEF)
        try:
            for _ in range(25):
                gathered = town.anchor(2)
                met += gathered.met
                assert "signature" not in town.codes(gathered)
                assert "witness_refused" not in town.codes(gathered)
        finally:
            stop.set()
            trouble.join()
        town.ask_with(LIMITS)
        assert met >= 20, "with one witness away at a time, nearly all could be published"
        final = town.anchor()
        assert town.codes(final) == ["", "", ""]
        size = town.books.log.head().size
        for one in town.witnesses:
            (note,) = (one.folder / "cosigned").glob("*.note")
            assert open_checkpoint(note.read_bytes(), SIGNER.verifier).size == size


def _trouble(town: Town, stop: threading.Event) -> None:
    """One witness after the other is killed or held, and comes back."""
    rng = random.Random(9)
    while not stop.wait(0.1):
        one = rng.choice(town.witnesses)
        if rng.random() < 0.5:
            one.kill()
            stop.wait(0.3)
            one.start()
        else:
            one.send(signal.SIGSTOP)
            stop.wait(0.3)
            one.send(signal.SIGCONT)


def test_a_witness_signs_with_both_its_keys(tmp_path: Path) -> None:
    """One request brings both lines; a policy may ask for either, and count them as one."""
    log = History([], SIGNER)
    witness = WitnessProcess(tmp_path / "w1", log).start()
    modern = VerifierKey.parse((tmp_path / "w1" / ML_DSA_PUBLIC_FILE).read_text().strip())
    keys = (witness.key, modern)
    (tmp_path / "books").mkdir()
    books = Books(tmp_path / "books")
    books.add(3)
    books.publish()
    size, note = books.log.latest_checkpoint()[0].size, books.log.latest_checkpoint()[1]
    policy = Policy(
        keys, Group("w1", 1, keys), (SIGNER.verifier,), dict.fromkeys(keys, witness.url)
    )
    try:
        with closing(Witnesses(policy, LIMITS)) as asking:
            gathered = asking.gather(
                note,
                sizes={},
                prove=lambda old: books.log.consistency(old, size),
            )
        (answer,) = gathered.answers
        assert (gathered.met, answer.problem) == (True, None)
        assert tuple(gathered.cosignatures) == keys
        opened = open_note(gathered.note, [SIGNER.verifier, *keys])
        assert [one.name for one in opened.signatures][1:] == ["witness.example/w1"] * 2
    finally:
        books.store.close()
        witness.end()
