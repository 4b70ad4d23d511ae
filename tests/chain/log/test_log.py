"""The log: one winner, one history, nothing signed that is not on disk, every crash repaired."""

import gc
import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from chain.audit.audit import audit_log
from chain.entry import (
    SealEntry,
    anchor_entry,
    closing_entry,
    closing_key,
    lock_entry,
    parse_entry,
    seal_entry,
)
from chain.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    VerificationError,
)
from chain.hashing import EMPTY_ROOT, ZERO, Digest, digest_from_hex, leaf_hash, sha256
from chain.log.log import Log
from chain.log.publish import STEP
from chain.signing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from chain.signing.note import SignerKey
from chain.tree import merkle
from chain.tree.merkle_slow import slow_root
from chain.tree.statemap import slow_root as slow_states
from chain.tree.states import verify_state
from tests.chain.books import NOON, ORIGIN, SIGNER, Books, drafts_from, name


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """An empty log."""
    return Books(tmp_path)


def leaves(books: Books) -> list[Digest]:
    """Leaf hashes of all entries, from the database."""
    return [leaf_hash(row.entry) for row in books.store.rows(0, books.log.head().size)]


# Sequencing


def test_a_block_is_its_entries_and_a_seal(books: Books) -> None:
    first, second = books.add(3), books.add(2)
    seal = parse_entry(books.log.entry(second.seal_index))
    assert seal == SealEntry(
        height=2,
        previous=leaf_hash(books.log.entry(3)).hex(),
        first=4,
        count=2,
        states="0" * 64,
        sealed_at="2026-11-21T04:00:01Z",
    )
    assert (second.first, second.count, second.size, second.seal_index) == (4, 2, 7, 6)
    assert second.seal == leaf_hash(books.log.entry(6))
    assert second.root == slow_root(leaves(books))
    assert books.log.head() == second.head()
    assert books.log.blocks() == [first, second]
    assert books.log.block(2) == books.log.block_of(5) == second
    assert books.log.find(name(5)) == 5
    assert books.log.find(name(6)) is None


def test_the_cursor_is_kept(books: Books) -> None:
    books.log.sequence(books.log.head(), drafts_from(0, 1), sealed_at=NOON, cursor=77)
    assert books.log.head().cursor == 77


def test_the_last_seals_time_is_told(books: Books) -> None:
    assert books.store.last_sealed() == 0
    books.add(1)
    books.add(2)
    sealed = books.log.head().sealed_at
    assert sealed is not None
    assert books.store.last_sealed() == int(sealed.timestamp()) > int(NOON.timestamp())


def test_what_was_taken_is_what_is_published(books: Books) -> None:
    assert books.log.taken() == 0
    books.publish()
    assert books.log.taken() == 0
    books.grow(2)
    books.add(3)
    assert (books.log.taken(), books.log.head().cursor) == (2, 5)
    books.publish()
    assert books.log.taken() == 5


def test_a_seal_carries_the_states_that_its_entries_make(books: Books) -> None:
    books.add(3)
    _sequence(books, reversing(3, 0))
    _sequence(books, reversing(4, 1), reversing(5, 2))
    wanted = {name(n): {"reversal": "full"} for n in range(3)}
    for size, reversed_then in ((4, 0), (6, 1), (9, 3)):
        truth = dict(list(wanted.items())[:reversed_then])
        seal = parse_entry(books.log.entry(size - 1))
        assert isinstance(seal, SealEntry)
        assert seal.states == slow_states(truth).hex()
        for n in range(6):
            proof = books.log.prove_state(name(n), size)
            root = digest_from_hex(seal.states)
            assert verify_state(root, name(n), proof.leaf, proof.siblings) == truth.get(name(n))


def test_what_the_rules_forbid_is_not_sequenced(books: Books) -> None:
    books.add(3)
    _sequence(books, reversing(3, 0))
    head = books.log.head()
    for draft, code in (
        (reversing(4, 0), "already_reversed"),
        (lock_entry("reimbursement", name(0), "locked", name(9)), "reversed"),
        (lock_entry("reimbursement", name(1), "released", name(9)), "not_locked"),
    ):
        with pytest.raises(ConflictError) as refused:
            _sequence(books, draft)
        assert refused.value.code == code
    assert books.log.head() == head


def _sequence(books: Books, *drafts: bytes) -> None:
    books.log.sequence(books.log.head(), drafts, sealed_at=NOON, cursor=77)


def reversing(mine: int, whom: int) -> bytes:
    """The entry of a document that reverses another in full."""
    return anchor_entry("invoice", name(mine), reverses=name(whom), reversal="full")


def test_a_lost_race_is_a_conflict(books: Books, tmp_path: Path) -> None:
    head = books.log.head()
    Books(tmp_path).add(2)
    with pytest.raises(ConflictError) as refused:
        books.log.sequence(head, drafts_from(9, 1), sealed_at=NOON, cursor=1)
    assert refused.value.code == "log_moved"
    assert books.log.head().height == 1


def _race(folder: Path, wait: Callable[[], object], worker: int) -> list[str]:
    """Append ten blocks of one entry against others; return the conflicts met."""
    books = Books(folder)
    done, codes = 0, []
    wait()
    while done < 10:
        head = books.log.head()
        entry = drafts_from(1000 * worker + done, 1)
        try:
            books.log.sequence(head, entry, sealed_at=NOON, cursor=head.cursor + 1)
            done += 1
        except ConflictError as error:
            codes.append(error.code)
        books.publish()
    return codes


def test_threads_that_race_lose_nothing(tmp_path: Path) -> None:
    books, gate = Books(tmp_path), threading.Barrier(3)
    with ThreadPoolExecutor(3) as pool:
        codes = list(pool.map(lambda worker: _race(tmp_path, gate.wait, worker), range(1, 4)))
    _nothing_lost(books, codes)


def test_processes_that_race_lose_nothing(tmp_path: Path) -> None:
    books, context = Books(tmp_path), multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(2) as pool:
        gate = manager.Barrier(2)
        codes = pool.starmap(_race, [(tmp_path, gate.wait, worker) for worker in (1, 2)])
    _nothing_lost(books, codes)


def _nothing_lost(books: Books, codes: list[list[str]]) -> None:
    assert {code for worker in codes for code in worker} <= {"log_moved"}
    workers, head = len(codes), books.log.head()
    assert (head.height, head.size, head.cursor) == (10 * workers, 20 * workers, 10 * workers)
    for worker in range(1, workers + 1):
        assert all(books.log.find(name(1000 * worker + n)) is not None for n in range(10))
    assert audit_log(books.store, books.log_folder, SIGNER.verifier).published == head.size


def test_an_entry_key_stands_once_and_the_draft_is_named(books: Books) -> None:
    books.add(3)
    head = books.log.head()
    for drafts, place in (
        ([*drafts_from(9, 2), *drafts_from(1, 1)], 2),
        ([*drafts_from(9, 2), *drafts_from(9, 1)], 2),
    ):
        with pytest.raises(ConflictError) as refused:
            books.log.sequence(head, drafts, sealed_at=NOON, cursor=9)
        assert refused.value.code == "already_in_log"
        assert refused.value.extra == {"draft": place}
    assert books.log.head() == head


def test_of_entries_without_a_key_none_is_taken_for_a_duplicate(books: Books) -> None:
    books.add(3)
    day = [closing_entry("2026-11-21", 1, ZERO), closing_entry("2026-11-22", 1, ZERO)]
    locks = [lock_entry("reimbursement", name(n), "locked", ZERO) for n in (0, 1)]
    with pytest.raises(ConflictError) as refused:
        books.log.sequence(
            books.log.head(), [*locks, *day, drafts_from(2, 1)[0]], sealed_at=NOON, cursor=9
        )
    assert (refused.value.code, refused.value.extra) == ("already_in_log", {"draft": 4})


def test_who_lost_the_race_is_not_told_of_duplicates(books: Books) -> None:
    """Both workers took the same drafts: the second is to look at the head again."""
    head = books.log.head()
    drafts = drafts_from(0, 3)
    books.log.sequence(head, drafts, sealed_at=NOON, cursor=3)
    for published in (False, True):
        if published:
            books.publish()
        with pytest.raises(ConflictError) as refused:
            books.log.sequence(head, drafts, sealed_at=NOON, cursor=3)
        assert (refused.value.code, refused.value.extra) == ("log_moved", {})


def test_a_day_is_closed_once(books: Books) -> None:
    books.add(1)
    closing = closing_entry("2026-11-21", 1, ZERO)
    books.log.sequence(books.log.head(), [closing], sealed_at=NOON, cursor=1)
    assert books.log.find(closing_key("2026-11-21")) == 2
    again = closing_entry("2026-11-21", 3, ZERO)
    with pytest.raises(ConflictError, match=r"^already_in_log\b"):
        books.log.sequence(books.log.head(), [again], sealed_at=NOON, cursor=1)


def test_locks_may_repeat(books: Books) -> None:
    lock = lock_entry("reimbursement", name(0), "locked", ZERO)
    release = lock_entry("reimbursement", name(0), "released", ZERO)
    _sequence(books, lock, release, lock)
    assert books.log.head().size == 4


def test_the_time_of_sealing_never_goes_back(books: Books) -> None:
    books.add(1)
    early = NOON - timedelta(days=1)
    block = books.log.sequence(books.log.head(), drafts_from(9, 1), sealed_at=early, cursor=2)
    assert block.sealed_at == NOON
    late = NOON + timedelta(seconds=5, microseconds=999_999)
    block = books.log.sequence(books.log.head(), drafts_from(19, 1), sealed_at=late, cursor=2)
    assert block.sealed_at == NOON + timedelta(seconds=5)


@pytest.mark.parametrize(
    ("drafts", "code"),
    [
        ([], "empty_block"),
        ([b'{"anchor": "x"}'], "entry_malformed"),
        ([drafts_from(0, 1)[0] + b" "], "not_canonical"),
        ([seal_entry(1, ZERO, 0, 1, NOON)], "draft_is_seal"),
    ],
)
def test_what_is_no_draft_is_refused(books: Books, drafts: list[bytes], code: str) -> None:
    with pytest.raises(MalformedError) as refused:
        books.log.sequence(books.log.head(), drafts, sealed_at=NOON, cursor=0)
    assert refused.value.code == code
    assert books.log.head().size == 0


def test_the_cursor_never_goes_back(books: Books) -> None:
    books.add(3)
    with pytest.raises(MalformedError, match=r"^cursor_back\b"):
        books.log.sequence(books.log.head(), drafts_from(9, 1), sealed_at=NOON, cursor=2)


def test_a_time_without_zone_is_refused(books: Books) -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(MalformedError, match=r"^time_malformed\b"):
        books.log.sequence(books.log.head(), drafts_from(9, 1), sealed_at=naive, cursor=2)


def test_a_damaged_edge_is_not_built_upon(books: Books) -> None:
    books.add(3)
    edge = bytearray(books.log.head().edge)
    edge[20] ^= 1
    books.tamper("UPDATE blocks SET edge = ?", bytes(edge))
    with pytest.raises(VerificationError, match=r"^edge_damaged\b"):
        books.add(1)


def test_a_log_is_not_opened_under_another_name(books: Books) -> None:
    with pytest.raises(ConflictError, match=r"^origin_differs\b"):
        Log("other.example/log", books.store, books.tiles, books.log_folder)


def test_what_is_not_there_is_said(books: Books) -> None:
    with pytest.raises(NotFoundError, match=r"^no_checkpoint\b"):
        books.log.latest_checkpoint()
    for ask in (books.log.block, books.log.block_of, books.log.entry):
        with pytest.raises(NotFoundError):
            ask(0)


# Publishing


def test_an_empty_log_is_published(books: Books) -> None:
    assert books.publish() == Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert books.log.latest_checkpoint() == (Checkpoint(ORIGIN, 0, EMPTY_ROOT), books.published())


def test_what_is_published_verifies(books: Books) -> None:
    books.grow(3, 300, 1)
    head = books.log.head()
    checkpoint = open_checkpoint(books.published(), SIGNER.verifier)
    assert checkpoint == Checkpoint(ORIGIN, head.size, slow_root(leaves(books)))
    for index in (0, 3, 4, 255, 256, head.size - 1):
        path = books.log.inclusion(index, head.size)
        leaf = leaf_hash(books.log.entry(index))
        merkle.verify_inclusion(leaf, index, head.size, path, head.root)
    old = books.log.block(1)
    path = books.log.consistency(old.size, head.size)
    merkle.verify_consistency(old.size, old.root, head.size, head.root, path)


def test_publishing_again_changes_nothing(books: Books) -> None:
    books.grow(3)
    before = _files(books.folder / "log")
    assert books.publish() == books.log.latest_checkpoint()[0]
    assert _files(books.folder / "log") == before
    assert len(books.store.checkpoints(-1, 9)) == 1


def test_several_blocks_are_published_at_once(books: Books) -> None:
    for count in (3, 400, 20):
        books.add(count)
    assert books.publish().size == 426
    assert audit_log(books.store, books.log_folder, SIGNER.verifier).size == 426


def test_partial_tiles_go_once_the_full_one_is_published(books: Books) -> None:
    books.grow(3, 3)
    partials = books.log_folder / "tile/0/000.p"
    assert {path.name for path in partials.iterdir()} == {"4", "8"}
    books.grow(300)
    assert not partials.exists()
    assert not (books.log_folder / "tile/entries/000.p").exists()
    assert books.log.inclusion(2, 8)  # an old checkpoint's proof, from the full tile


def test_workers_who_publish_at_once_agree(tmp_path: Path) -> None:
    books = Books(tmp_path)
    books.grow(5)
    for _ in range(4):
        books.add(300)
        gate = threading.Barrier(3)

        def publish(gate: threading.Barrier = gate) -> Checkpoint:
            worker = Books(tmp_path)
            gate.wait()
            return worker.publish()

        with ThreadPoolExecutor(3) as pool:
            results = [pool.submit(publish) for _ in range(3)]
            assert len({result.result() for result in results}) == 1
    assert audit_log(books.store, books.log_folder, SIGNER.verifier).checkpoints == 5


def test_without_the_lock_they_agree_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a network disk flock may do nothing: then the bytes are still the same."""
    monkeypatch.setattr("chain.log.turns.fcntl.flock", lambda _handle, _how: None)
    test_workers_who_publish_at_once_agree(tmp_path)


def test_steps_are_cut_where_tiles_end(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backlog is published in steps of constant memory, to the same files."""
    assert STEP % 256 == 0
    monkeypatch.setattr("chain.log.publish.STEP", 256)
    books.grow(200)
    for count in (500, 300, 299):
        books.add(count)
    books.publish()
    assert audit_log(books.store, books.log_folder, SIGNER.verifier).size == 1303
    level_0 = books.log_folder / "tile/0"
    assert [path.name for path in sorted(level_0.iterdir())] == [
        *(f"00{n}" for n in range(5)),
        "005.p",
    ]


# Nothing wrong is signed


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _refused(books: Books, *codes: str) -> None:
    """Publishing is refused and neither the file nor the database has a new checkpoint."""
    file, stored = books.published(), books.store.latest_checkpoint()
    with pytest.raises(VerificationError) as refused:
        books.publish()
    assert refused.value.code in codes
    assert (books.published(), books.store.latest_checkpoint()) == (file, stored)


def test_an_entry_changed_after_sequencing_is_not_signed(books: Books) -> None:
    books.grow(3)
    books.add(3)
    books.tamper("UPDATE entries SET entry = ? WHERE idx = 5", drafts_from(99, 1)[0])
    _refused(books, "root_mismatch")


def test_an_entry_lost_after_sequencing_is_not_signed(books: Books) -> None:
    books.grow(3)
    books.add(3)
    books.tamper("DELETE FROM entries WHERE idx = 5")
    _refused(books, "entry_missing")


def test_a_root_changed_after_sequencing_is_not_signed(books: Books) -> None:
    books.grow(3)
    books.add(3)
    books.tamper("UPDATE blocks SET root = ? WHERE height = 2", ZERO)
    _refused(books, "root_mismatch")


def test_a_tile_that_differs_is_not_overwritten(books: Books) -> None:
    books.grow(3)
    books.add(3)
    tile = books.log_folder / "tile/0/000.p/8"
    tile.write_bytes(bytes(256))
    _refused(books, "tile_differs")
    assert tile.read_bytes() == bytes(256)


@pytest.mark.parametrize("kind", ["0", "entries"])
def test_what_the_disk_changed_while_writing_is_not_signed(
    books: Books, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    books.grow(300)
    books.add(600)
    write = type(books.tiles).write_range

    def write_badly(*arguments: object) -> None:
        write(*arguments)  # type: ignore[arg-type]  # handed on
        path = books.log_folder / f"tile/{kind}/002"
        data = bytearray(path.read_bytes())
        data[100] ^= 1
        path.write_bytes(data)

    monkeypatch.setattr(type(books.tiles), "write_range", write_badly)
    _refused(books, "tile_damaged")


def test_a_head_that_does_not_continue_the_signed_one_is_not_signed(books: Books) -> None:
    books.grow(3)
    other = SignerKey(ORIGIN, bytes(32))
    forged = Checkpoint(ORIGIN, 4, sha256(b"another history"))
    books.add(3)
    (books.log_folder / "checkpoint").unlink()
    books.tamper("UPDATE checkpoints SET note = ?", sign_checkpoint(forged, other))
    stored = books.store.latest_checkpoint()
    with pytest.raises(VerificationError, match=r"^root_mismatch\b"):
        books.publish()
    assert books.store.latest_checkpoint() == stored


def test_a_log_that_nobody_holds_lets_go_of_its_database(tmp_path: Path) -> None:
    """At once, not when the garbage is next collected: the last to close tidies up the files."""
    gc.collect()
    gc.disable()
    try:
        books = Books(tmp_path)
        books.grow(3)
        books.log.prove_state(name(1), books.log.head().size)
        assert (tmp_path / "log.db-wal").exists()
        del books
        assert not (tmp_path / "log.db-wal").exists()
    finally:
        gc.enable()


def test_a_block_that_does_not_end_in_a_seal_has_no_states(tmp_path: Path) -> None:
    books = Books(tmp_path)
    books.grow(3)
    other = books.log.entry(0)
    books.tamper("UPDATE entries SET entry = ? WHERE idx = 3", other)
    with pytest.raises(VerificationError) as caught:
        Books(tmp_path).log.prove_state(name(0), 4)
    assert caught.value.code == "seal_missing"
