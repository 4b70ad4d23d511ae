"""The audit: a sound log is sound, and of a damaged one the first wrong thing is named."""

import pickle
import shutil
import threading
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from chain.audit.audit import AuditReport, audit_log
from chain.audit.finding import AuditError
from chain.durable import write_file
from chain.entry import anchor_entry
from chain.errors import VerificationError
from chain.hashing import ZERO, sha256
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.note import SignerKey
from tests.chain.books import ORIGIN, SIGNER, Books, name
from tests.patience import PATIENCE

COUNTS = (3, 300, 1, 250, 20)
"""Blocks end at sizes 4, 305, 307, 558, 579: two full tiles, the third 67 wide."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sound log, to be copied."""
    folder = tmp_path_factory.mktemp("sound")
    books = Books(folder)
    books.publish()
    books.grow(*COUNTS)
    books.store.close()
    return folder


@pytest.fixture
def books(sound: Path, tmp_path: Path) -> Books:
    """A copy of the sound log."""
    shutil.copytree(sound, tmp_path / "copy")
    return Books(tmp_path / "copy")


def audit(books: Books) -> AuditReport:
    """Audit with the log's key."""
    return audit_log(books.store, books.log_folder, SIGNER.verifier)


def named(books: Books) -> tuple[str, int | str]:
    """What the audit names: kind and place."""
    with pytest.raises(AuditError) as found:
        audit(books)
    extra = found.value.extra
    assert found.value.code == "audit_failed"
    assert f"{extra['kind']} {extra['place']}: expected {extra['expected']}" in str(found.value)
    kind, place = extra["kind"], extra["place"]
    assert isinstance(kind, str)
    return kind, place


def flip(path: Path, at: int = 40) -> None:
    """Change one byte of a file."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def flip_row(books: Books, table: str, column: str, where: str, at: int) -> None:
    """Change one byte of a column of one row."""
    rows = books.store._all(f"SELECT {column} FROM {table} WHERE {where}", ())
    data = bytearray(rows[0][0])
    data[at] ^= 1
    books.tamper(f"UPDATE {table} SET {column} = ? WHERE {where}", bytes(data))


def test_a_sound_log_is_sound(books: Books) -> None:
    seen: list[tuple[int, int]] = []
    report = audit_log(
        books.store, books.log_folder, SIGNER.verifier, lambda *done: seen.append(done)
    )
    head = books.log.head()
    assert report == AuditReport(
        origin=ORIGIN,
        size=579,
        root=head.root,
        blocks=5,
        checkpoints=6,
        tiles=report.tiles,
        published=579,
    )
    # Two full tiles and the third's partial ones at 558 and 579, one at each size on level 1,
    # and the bundles: as many as there are files.
    files = [path for path in (books.log_folder / "tile").rglob("*") if path.is_file()]
    assert report.tiles == len(files)
    assert seen[-1] == (579, 579)


def test_an_empty_log_is_sound(tmp_path: Path) -> None:
    books = Books(tmp_path)
    assert audit(books).size == 0
    books.publish()
    assert audit(books).checkpoints == 1


# One byte


def test_one_byte_of_an_entry(books: Books) -> None:
    flip_row(books, "entries", "entry", "idx = 100", 20)
    assert named(books) == ("entry", 100)


def test_one_byte_of_an_entry_that_breaks_its_form(books: Books) -> None:
    flip_row(books, "entries", "entry", "idx = 100", 0)
    assert named(books) == ("entry", 100)


def test_an_entry_and_its_key_changed_together(books: Books) -> None:
    other = sha256(b"another document")
    books.tamper(
        "UPDATE entries SET entry = ?, key = ? WHERE idx = 100",
        anchor_entry("invoice", other),
        other,
    )
    assert named(books) == ("entry", 100)


def test_one_byte_of_an_entrys_key(books: Books) -> None:
    flip_row(books, "entries", "key", "idx = 100", 5)
    assert named(books) == ("entry", 100)


@pytest.mark.parametrize("field", [b'"sealed_at"', b'"states"', b'"previous"', b'"count"'])
def test_one_byte_of_a_seals_entry(books: Books, field: bytes) -> None:
    at = books.log.entry(304).index(field) + len(field) + 3 - (field == b'"count"') * 2
    flip_row(books, "entries", "entry", "idx = 304", at)
    kind, place = named(books)
    assert (kind, place) in {("seal", 2), ("entry", 304)}


@pytest.mark.parametrize("column", ["root", "edge", "seal"])
def test_one_byte_of_a_blocks_digest(books: Books, column: str) -> None:
    flip_row(books, "blocks", column, "height = 3", 10)
    assert named(books) == ("block", 3)


@pytest.mark.parametrize(
    "change",
    [
        "first = first + 1",
        "count = count + 1",
        "size = size + 1, count = count + 1",
        "size = size - 1, count = count - 1",
        "sealed_at = '2026-11-21T04:00:03Z'",
        "sealed_at = '2026-11-21T04:00:01Z'",
        "sealed_at = '2026-11-20T04:00:02Z'",
        "sealed_at = 'noon'",
        "cursor = 1",
        "height = 9",
        "root = x'00'",
    ],
)
def test_a_changed_block_row(books: Books, change: str) -> None:
    books.tamper("DELETE FROM blocks WHERE height > 4")
    books.tamper("DELETE FROM checkpoints WHERE size > 558")
    with_checks_off(books, f"UPDATE blocks SET {change} WHERE height = 3")
    kind, place = named(books)
    assert place in {3, 305, 306, 307, 308}, (kind, place)


def with_checks_off(books: Books, statement: str) -> None:
    """Tamper past the CHECK constraints as well."""
    connection = books.store._here().connection
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute(statement)
    connection.execute("PRAGMA ignore_check_constraints = OFF")


@pytest.mark.parametrize("at", [2, 25, 60, -10])
def test_one_byte_of_a_stored_checkpoint(books: Books, at: int) -> None:
    flip_row(books, "checkpoints", "note", "size = 305", at)
    assert named(books) == ("checkpoint", 305)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/46",
        "tile/0/002.p/67",
        "tile/1/000.p/1",
        "tile/1/000.p/2",
    ],
)
def test_one_byte_of_a_tile(books: Books, path: str) -> None:
    flip(books.log_folder / path, 17)
    assert named(books) == ("tile", path)


@pytest.mark.parametrize(
    "path",
    ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/46", "tile/entries/002.p/67"],
)
@pytest.mark.parametrize("at", [0, 1, 300])
def test_one_byte_of_a_bundle(books: Books, path: str, at: int) -> None:
    flip(books.log_folder / path, at)
    assert named(books) == ("bundle", path)


@pytest.mark.parametrize("at", [0, 20, 30, 60, 110, -2])
def test_one_byte_of_the_published_checkpoint(books: Books, at: int) -> None:
    flip(books.log_folder / "checkpoint", at)
    assert named(books) == ("published", "checkpoint")


# What is missing, and what is too much


def test_a_missing_entry(books: Books) -> None:
    books.tamper("DELETE FROM entries WHERE idx = 100")
    assert named(books) == ("entry", 100)


def test_a_missing_seal(books: Books) -> None:
    books.tamper("DELETE FROM entries WHERE idx = 304")
    assert named(books) == ("entry", 304)


def test_an_entry_behind_the_last_block(books: Books) -> None:
    books.tamper(
        "INSERT INTO entries VALUES (579, ?, ?)", anchor_entry("invoice", name(579)), name(579)
    )
    assert named(books) == ("entry", 579)


def test_a_missing_block(books: Books) -> None:
    books.tamper("DELETE FROM blocks WHERE height = 2")
    assert named(books) == ("block", 2)


def test_a_checkpoint_inside_a_block(books: Books) -> None:
    note = sign_checkpoint(Checkpoint(ORIGIN, 100, ZERO), SIGNER)
    books.tamper("INSERT INTO checkpoints VALUES (100, ?, NULL)", note)
    assert named(books) == ("checkpoint", 100)


def test_a_checkpoint_beyond_the_log(books: Books) -> None:
    note = sign_checkpoint(Checkpoint(ORIGIN, 900, ZERO), SIGNER)
    books.tamper("INSERT INTO checkpoints VALUES (900, ?, NULL)", note)
    kind, _place = named(books)
    assert kind in {"checkpoint", "tile", "bundle"}  # tiles up to 900 are not there either


@pytest.mark.parametrize(
    ("signer", "checkpoint"),
    [
        (SIGNER, Checkpoint(ORIGIN, 305, ZERO)),
        (SIGNER, Checkpoint(ORIGIN, 306, ZERO)),
        (SIGNER, Checkpoint("other.example/log", 305, ZERO)),
        (SignerKey(ORIGIN, bytes(32)), None),
    ],
    ids=["root", "size", "origin", "key"],
)
def test_a_signed_lie(books: Books, signer: SignerKey, checkpoint: Checkpoint | None) -> None:
    block = books.log.block(2)
    told = checkpoint or Checkpoint(ORIGIN, 305, block.root)
    books.tamper("UPDATE checkpoints SET note = ? WHERE size = 305", sign_checkpoint(told, signer))
    assert named(books) == ("checkpoint", 305)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/001",
        "tile/entries/001",
        "tile/0/002.p/67",
        "tile/entries/002.p/67",
        "tile/1/000.p/2",
    ],
)
def test_a_missing_file(books: Books, path: str) -> None:
    (books.log_folder / path).unlink()
    assert named(books) == ("bundle" if "entries" in path else "tile", path)


def test_an_older_partial_tile_may_be_missing(books: Books) -> None:
    (books.log_folder / "tile/0/002.p/46").unlink()
    assert audit(books).size == 579


@pytest.mark.parametrize(
    ("path", "named_path"),
    [
        ("tile/0/002.p/68", "tile/0/002.p/68"),
        ("tile/0/002", "tile/0/002"),
        ("tile/0/003", "tile/0/003"),
        ("tile/0/003.p/1", "tile/0/003"),
        ("tile/entries/003", "tile/entries/003"),
        ("tile/1/001.p/1", "tile/1/001"),
        ("tile/2/000.p/1", "tile/2/000"),
    ],
)
def test_a_file_beyond_the_log(books: Books, path: str, named_path: str) -> None:
    """What a newer history leaves behind when an older database is restored."""
    write_file(books.log_folder / path, bytes(32))
    assert named(books)[1] == named_path


def test_a_file_being_written_aside_is_passed_over(books: Books) -> None:
    (books.log_folder / "tile/0/002.p/.67.abc.tmp").write_bytes(b"half")
    assert audit(books).size == 579


def test_a_missing_published_checkpoint(books: Books) -> None:
    (books.log_folder / "checkpoint").unlink()
    assert named(books) == ("published", "checkpoint")


def test_a_published_checkpoint_that_a_crash_left_behind_is_no_alarm(books: Books) -> None:
    stored = books.store.checkpoint(307)
    assert stored is not None
    (books.log_folder / "checkpoint").write_bytes(stored.note)
    assert audit(books).published == 307


def test_blocks_that_are_not_published_yet_are_no_alarm(books: Books) -> None:
    books.add(300)
    report = audit(books)
    assert (report.size, report.published) == (880, 579)


def test_tiles_that_a_crash_left_before_signing_are_no_alarm(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.add(300)
    with monkeypatch.context() as patch:
        patch.setattr(type(books.store), "add_checkpoint", _cut)
        with pytest.raises(KeyboardInterrupt):
            books.publish()
    assert audit(books).size == 880
    flip(books.log_folder / "tile/0/003.p/112", 3)
    assert named(books) == ("tile", "tile/0/003.p/112")


def _cut(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_a_rolled_back_database(books: Books, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    books.store.close()
    shutil.copy(books.folder / "log.db", backup)
    newer = Books(books.folder)
    newer.grow(4)
    newer.store.close()
    shutil.copy(backup, books.folder / "log.db")
    kind, _place = named(Books(books.folder))
    assert kind == "published"


def test_another_logs_database(books: Books) -> None:
    with pytest.raises(AuditError, match="origin"):
        audit_log(books.store, books.log_folder, SignerKey("other.example", bytes(32)).verifier)


def test_a_missing_trigger(books: Books) -> None:
    connection = books.store._here().connection
    connection.execute("DROP TRIGGER entries_no_update")
    assert named(books) == ("store", "structure")


def test_an_index_that_lost_an_entry(books: Books) -> None:
    """Every row is right, but a look-up by key would not find one of them."""
    connection = books.store._here().connection
    connection.execute("PRAGMA writable_schema = ON")
    page = connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'entries_key'"
    ).fetchone()[0]
    size = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    books.store.close()
    path = books.folder / "log.db"
    data = bytearray(path.read_bytes())
    start = (page - 1) * size
    data[start + 3 : start + 5] = (data[start + 4] - 1).to_bytes(2, "big")  # one cell less
    path.write_bytes(data)
    assert named(Books(books.folder)) == ("store", "structure")


# Beside a log that grows


def test_a_log_that_grows_meanwhile_is_no_alarm(books: Books) -> None:
    done = threading.Event()
    worker = Books(books.folder)

    def grow() -> None:
        while not done.wait(0.02):
            worker.grow(130)

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        sizes = [audit(books).size for _ in range(12)]
    finally:
        done.set()
        thread.join()
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    """Appending, publishing and auditing hold a block of the log, never the whole.

    In a process apart: what other tests left behind decides when this one's garbage is collected.
    """
    folders, blocks = (tmp_path / "short", tmp_path / "long"), (4, 12)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        short, long = apart.map(_peak_of, folders, blocks, timeout=PATIENCE)
    assert long < short * 1.2


def _peak_of(folder: Path, blocks: int) -> int:
    """Bytes that Python held at most, the cache of tiles kept small."""
    folder.mkdir()
    books = Books(folder, cache_tiles=2)
    books.grow(300)
    tracemalloc.start()
    try:
        books.grow(*[300] * blocks)
        audit(books)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_what_it_raises_survives_a_pipe() -> None:
    error = AuditError("entry", 7, "this", "that")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert isinstance(again, VerificationError)
    assert (again.code, again.extra) == (error.code, error.extra)
