"""What a witness remembers is kept by the database itself, and survives an older copy of it."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from chain.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    UnavailableError,
    VerificationError,
)
from chain.hashing import Digest, sha256
from chain.signing.checkpoint import Checkpoint
from chain.signing.cosignature import Cosigner
from chain.signing.note import SignerKey, parse_note
from chain.witness.database import DATABASE, NOTES, WitnessStore, create_store
from chain.witness.judge import Seen, Witness
from tests.chain.histories import ORIGIN, SIGNER, History, history

KEY = Cosigner(SignerKey("witness.example/w1", bytes([7]) * 32))
LOG = history(12)
HISTORIES = [LOG, *(LOG.fork(at) for at in (0, 1, 3, 6, 9))]
NOW = 1_800_000_000


def seen(size: int, time: int = NOW, log: History = LOG) -> Seen:
    """A checkpoint as it is remembered."""
    note = parse_note(log.note(size))
    signature = KEY.cosign(note.text, time)
    return Seen(log.checkpoint(size), time, parse_note(note.to_bytes() + signature.line().encode()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a witness that has seen nothing."""
    create_store(tmp_path / "witness", KEY.verifier)
    return tmp_path / "witness"


@pytest.fixture
def store(folder: Path) -> Iterator[WitnessStore]:
    """Its memory, claimed."""
    with closing(WitnessStore(folder)) as store:
        store.claim(KEY.verifier)
        yield store


def remember(store: WitnessStore, *what: Seen) -> None:
    """Store one after the other."""
    for one in what:
        store.update(one.checkpoint.origin, _always(one))


def _always(one: Seen) -> Callable[[Seen | None], Seen]:
    return lambda _: one


def sql(folder: Path, statement: str, *values: object) -> None:
    """Do what somebody with a database shell would."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute(statement, values)


def test_a_change_that_fails_changes_nothing(store: WitnessStore, folder: Path) -> None:
    remember(store, seen(3))

    def change(before: Seen | None) -> Seen:
        raise ConflictError("old_size", "no", size=3)

    with pytest.raises(ConflictError):
        store.update(ORIGIN, change)
    assert store.seen() == [seen(3)]
    assert noted(folder) == seen(3)
    remember(store, seen(4))  # and nothing is locked


def noted(folder: Path) -> Seen:
    """The second copy, as it stands in the only note."""
    (path,) = (folder / NOTES).iterdir()
    note = parse_note(path.read_bytes())
    size = int(note.text.split("\n")[1])
    return Seen(LOG.checkpoint(size), note.signatures[-1].timestamp or 0, note)


def test_the_note_beside_it_says_the_same(store: WitnessStore, folder: Path) -> None:
    for size in (3, 5, 9):
        remember(store, seen(size))
        assert noted(folder) == seen(size)
    assert (folder / NOTES / f"{sha256(ORIGIN.encode()).hex()}.note").exists()


# what the database itself refuses


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE seen SET size = size - 1",
        "UPDATE seen SET root = zeroblob(32)",
        "UPDATE seen SET time = time - 1",
        "UPDATE seen SET origin = 'x'",
        "DELETE FROM seen",
        "INSERT OR REPLACE INTO seen SELECT origin, 1, root, time, note FROM seen",
        "INSERT INTO seen SELECT origin, 1, root, time, note FROM seen WHERE true"
        " ON CONFLICT DO UPDATE SET size = 1",
        "UPDATE OR REPLACE seen SET size = 1",
        "DELETE FROM meta",
        "UPDATE meta SET value = 'another key'",
        "INSERT OR REPLACE INTO meta VALUES ('verifier', 'another key')",
    ],
)
def test_the_database_never_goes_back(store: WitnessStore, folder: Path, statement: str) -> None:
    remember(store, seen(5))
    with pytest.raises(sqlite3.IntegrityError, match=r"never|fixed"):
        sql(folder, statement)
    assert store.seen() == [seen(5)]


def test_the_store_passes_that_on(store: WitnessStore, folder: Path) -> None:
    remember(store, seen(5))
    for back in (seen(4), seen(5, log=LOG.fork(1)), seen(6, NOW - 1)):
        with pytest.raises(UnavailableError, match="never goes back"):
            remember(store, back)
    assert store.seen() == [seen(5)]
    assert noted(folder) == seen(5)


@pytest.mark.parametrize("trigger", ["seen_forward", "seen_once", "seen_kept", "meta_fixed"])
def test_it_does_not_work_without_its_guards(folder: Path, trigger: str) -> None:
    sql(folder, f"DROP TRIGGER {trigger}")
    with pytest.raises(UnavailableError, match=rf"^witness_damaged\b.*{trigger}"):
        WitnessStore(folder)


def test_it_waits_for_who_looks_into_its_database(store: WitnessStore) -> None:
    assert store._connection.execute("PRAGMA busy_timeout").fetchone() == (10_000,)


# who may have it


def test_a_witness_without_its_memory_does_not_start(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(NotFoundError, match=r"^witness_missing\b"):
        WitnessStore(tmp_path)
    (folder / DATABASE).unlink()
    with pytest.raises(NotFoundError, match=r"^witness_missing\b"):
        WitnessStore(folder)
    assert not (folder / DATABASE).exists()


def test_a_memory_is_made_once(folder: Path) -> None:
    with pytest.raises(ConflictError, match=r"^witness_exists\b"):
        create_store(folder, KEY.verifier)


def test_a_memory_is_of_one_key(folder: Path) -> None:
    other = Cosigner(SignerKey("witness.example/w1", bytes(32)))
    store = WitnessStore(folder)
    with closing(store), pytest.raises(UnavailableError, match=r"^witness_key_differs\b"):
        store.claim(other.verifier)


def test_one_process_at_a_time(store: WitnessStore, folder: Path) -> None:
    with closing(WitnessStore(folder)) as second:
        with pytest.raises(UnavailableError, match=r"^witness_running\b"):
            second.claim(KEY.verifier)
        remember(store, seen(3))
        assert second.seen() == [seen(3)]  # looking is free
    store.close()
    with closing(WitnessStore(folder)) as third:
        assert third.claim(KEY.verifier) == []


# an older database


def _older_database(folder: Path, *then: Seen) -> list[Seen]:
    """Put back the database as it was before ``then``, and start again."""
    copy = folder.parent / "copy.db"
    with closing(WitnessStore(folder)) as store:
        store.claim(KEY.verifier)
        remember(store, seen(3))
    shutil.copyfile(folder / DATABASE, copy)
    with closing(WitnessStore(folder)) as store:
        store.claim(KEY.verifier)
        remember(store, *then)
    copy.replace(folder / DATABASE)
    with closing(WitnessStore(folder)) as store:
        assert store.seen() == [seen(3)]
        lost = store.claim(KEY.verifier)
        assert store.seen() == [then[-1]]
        return lost


def test_an_older_database_is_brought_up_to_the_notes(folder: Path) -> None:
    assert _older_database(folder, seen(5), seen(9, NOW + 9)) == [seen(9, NOW + 9)]


def test_a_database_that_only_lost_a_time_too(folder: Path) -> None:
    assert _older_database(folder, seen(3, NOW + 9)) == [seen(3, NOW + 9)]


def test_a_database_that_lost_a_log_altogether(folder: Path) -> None:
    copy = folder.parent / "copy.db"
    shutil.copyfile(folder / DATABASE, copy)
    with closing(WitnessStore(folder)) as store:
        remember(store, seen(5))
    copy.replace(folder / DATABASE)
    with closing(WitnessStore(folder)) as store:
        assert store.claim(KEY.verifier) == [seen(5)]
        assert store.seen() == [seen(5)]


def test_a_note_behind_the_database_is_what_a_crash_leaves(folder: Path) -> None:
    with closing(WitnessStore(folder)) as store:
        remember(store, seen(3))
        (path,) = (folder / NOTES).iterdir()
        behind = path.read_bytes()
        remember(store, seen(5))
    path.write_bytes(behind)
    with closing(WitnessStore(folder)) as store:
        assert store.claim(KEY.verifier) == []
        assert store.seen() == [seen(5)]


def _unreadable(folder: Path, content: bytes) -> None:
    with closing(WitnessStore(folder)) as store:
        remember(store, seen(5))
    (path,) = (folder / NOTES).iterdir()
    path.write_bytes(content)
    store = WitnessStore(folder)
    with closing(store), pytest.raises(UnavailableError, match=r"^witness_damaged\b"):
        store.claim(KEY.verifier)


def test_notes_that_do_not_belong_here_stop_the_witness(folder: Path) -> None:
    other = Cosigner(SignerKey("witness.example/w1", bytes(32)))
    text = LOG.checkpoint(9).to_text()
    foreign = LOG.note(9) + other.cosign(text, NOW).line().encode()
    _unreadable(folder, foreign)


@pytest.mark.parametrize("content", [b"", b"garbage", LOG.note(9), seen(6).note.to_bytes()[:-9]])
def test_damaged_notes_stop_the_witness(folder: Path, content: bytes) -> None:
    _unreadable(folder, content)


def test_a_note_of_another_history_stops_the_witness(folder: Path) -> None:
    _unreadable(folder, seen(5, log=LOG.fork(2)).note.to_bytes())


def test_a_damaged_row_is_not_taken_for_a_wrong_request(store: WitnessStore, folder: Path) -> None:
    remember(store, seen(5))
    sql(folder, "UPDATE seen SET note = x'00'")
    witness = Witness(KEY, [SIGNER.verifier], store, lambda: NOW)
    with pytest.raises(UnavailableError, match=r"^witness_damaged\b"):
        witness.add_checkpoint(LOG.request(5, 9))


def test_a_damaged_file_is_not_taken_for_a_wrong_request(folder: Path) -> None:
    with closing(WitnessStore(folder)) as store:
        remember(store, seen(5))
    content = bytearray((folder / DATABASE).read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    (folder / DATABASE).write_bytes(content)
    with pytest.raises(UnavailableError):
        WitnessStore(folder).seen()


# any story


class Story(RuleBasedStateMachine):
    """Several histories, restarts, older databases, a clock out of order; one witness."""

    @initialize()
    def start(self) -> None:
        """Make a witness that has seen nothing."""
        self.folder = self.fresh() / "witness"
        create_store(self.folder, KEY.verifier)
        self.copies: list[bytes] = [(self.folder / DATABASE).read_bytes()]
        self.cosigned: list[tuple[list[Digest], Checkpoint]] = []
        self.times: list[int] = []
        self.now = NOW
        self.open()

    @staticmethod
    def fresh() -> Path:
        """A folder of its own for each story."""
        raise NotImplementedError

    def open(self) -> None:
        """Start the witness."""
        self.store = WitnessStore(self.folder)
        self.store.claim(KEY.verifier)
        self.witness = Witness(KEY, [SIGNER.verifier], self.store, lambda: self.now)

    @rule(
        log=st.sampled_from(HISTORIES),
        new=st.integers(0, len(LOG.leaves)),
        old=st.integers(0, len(LOG.leaves)),
        known=st.booleans(),
    )
    def ask(self, log: History, old: int, new: int, known: bool) -> None:
        """Ask to cosign some tree of some history, mostly after the one seen last."""
        latest = self.cosigned[-1][1].size if self.cosigned else 0
        old = latest if known else old
        try:
            line = self.witness.add_checkpoint(log.request(min(old, new), new))
        except (ConflictError, MalformedError, VerificationError):
            return
        time = parse_note(log.note(new) + line.encode()).signatures[-1].timestamp
        assert time is not None
        self.check(log.leaves[:new], log.checkpoint(new), time)

    def check(self, leaves: list[Digest], new: Checkpoint, time: int) -> None:
        """What has been cosigned continues everything that was cosigned before."""
        for before, old in self.cosigned:
            assert old.size <= new.size
            assert leaves[: old.size] == before
        assert all(time >= before for before in self.times)
        self.cosigned.append((leaves, new))
        self.times.append(time)

    @rule()
    def restart(self) -> None:
        """Stop and start; a copy of the database stays with somebody."""
        self.store.close()
        self.copies.append((self.folder / DATABASE).read_bytes())
        self.open()

    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        """Somebody puts an older database in place."""
        self.store.close()
        (self.folder / DATABASE).write_bytes(data.draw(st.sampled_from(self.copies)))
        self.open()

    @rule(by=st.integers(-100, 100))
    def set_clock(self, by: int) -> None:
        """The clock is set."""
        self.now += by

    def teardown(self) -> None:
        """Close the files."""
        if hasattr(self, "store"):
            self.store.close()


@pytest.mark.slow
def test_no_story_makes_a_witness_cosign_two_histories(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Story, "fresh", staticmethod(lambda: tmp_path_factory.mktemp("story")))
    run_state_machine_as_test(
        Story, settings=settings(max_examples=15, stateful_step_count=25, deadline=None)
    )
