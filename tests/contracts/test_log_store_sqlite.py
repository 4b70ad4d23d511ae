"""The log's store on SQLite: files, processes, threads; triggers that refuse; errors by name."""

import multiprocessing
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from chain.block import Head, StoredCheckpoint
from chain.errors import ConflictError, Problem, UnavailableError, VerificationError
from chain.hashing import sha256
from chain.log.database import SqliteLogStore
from chain.log.schema import FROZEN_TABLES, GUARDS
from chain.signing.note import Signature
from tests.contracts.made_up import NOON, block_after, fill

Open = Callable[[], SqliteLogStore]


@pytest.fixture
def open_store(tmp_path: Path) -> Open:
    """Open the same store again, as another worker would."""
    return lambda: SqliteLogStore(tmp_path / "log.db")


def test_what_a_log_is_called_is_said_once(open_store: Open) -> None:
    with closing(open_store()) as store:
        assert (store.origin(), store.instance(), store.statements()) == (None, None, {})
        store.bind_origin("log.example")
        store.bind_instance("mark")
        store.bind_statement(1, "one")
        store.bind_statement(12, "two")
    with closing(open_store()) as store:
        store.bind_instance("mark")
        store.bind_statement(12, "two")
        with pytest.raises(ConflictError, match=r"^origin_differs\b"):
            store.bind_origin("other.example")
        with pytest.raises(ConflictError, match=r"^instance_differs\b"):
            store.bind_instance("other")
        with pytest.raises(ConflictError, match=r"^statement_differs\b"):
            store.bind_statement(1, "two")
        assert (store.origin(), store.instance()) == ("log.example", "mark")
        assert store.statements() == {1: "one", 12: "two"}


def test_an_entry_without_a_block_is_damage(open_store: Open) -> None:
    with closing(open_store()) as store:
        store._here().connection.execute("INSERT INTO entries VALUES (0, x'00', x'01')")
        with pytest.raises(VerificationError, match=r"^store_damaged\b"):
            store.locate(b"\x01")


CHANGES = {
    "meta": "UPDATE meta SET value = 'x'",
    "entries": "UPDATE entries SET entry = x'00' WHERE idx = 1",
    "blocks": "UPDATE blocks SET cursor = cursor + 1",
    "checkpoints": "UPDATE checkpoints SET note = x'00'",
    "state_nodes": "UPDATE state_nodes SET body = x'00'",
    "signatures": "UPDATE signatures SET payload = x'00'",
}
REPLACEMENTS = {
    "meta": "INSERT OR REPLACE INTO meta VALUES ('origin', 'x')",
    "entries": "INSERT OR REPLACE INTO entries VALUES (1, x'00', NULL)",
    "entries by key": "INSERT OR REPLACE INTO entries SELECT 3, x'00', key FROM entries LIMIT 1",
    "blocks": "INSERT OR REPLACE INTO blocks SELECT * FROM blocks",
    "checkpoints": "INSERT OR REPLACE INTO checkpoints SELECT * FROM checkpoints",
    "state_nodes": "INSERT OR REPLACE INTO state_nodes SELECT hash, x'00' FROM state_nodes",
    "signatures": "INSERT OR REPLACE INTO signatures SELECT 2, size, name, key_id, x'00'"
    " FROM signatures",
    "signatures by id": "INSERT OR REPLACE INTO signatures SELECT id, size, 'x', key_id, x'00'"
    " FROM signatures",
}
DELETIONS = {table: f"DELETE FROM {table}" for table in CHANGES}


def test_every_table_is_tried() -> None:
    assert set(CHANGES) == set(FROZEN_TABLES)
    assert {name.split()[0] for name in REPLACEMENTS} == set(FROZEN_TABLES)


@pytest.mark.parametrize(
    "statement", [*CHANGES.values(), *DELETIONS.values(), *REPLACEMENTS.values()]
)
def test_the_database_refuses_to_change_rows(tmp_path: Path, statement: str) -> None:
    store = SqliteLogStore(tmp_path / "log.db")
    store.bind_origin("a.example/log")
    fill(store, 2)
    store.add_checkpoint(StoredCheckpoint(3, b"note"), NOON)
    store.add_signatures(3, [Signature("w.example", b"1234", b"payload")])
    with closing(sqlite3.connect(tmp_path / "log.db")) as connection:
        connection.execute("PRAGMA recursive_triggers = OFF")
        before = _everything(connection)
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)
        connection.rollback()
        assert _everything(connection) == before


def _everything(connection: sqlite3.Connection) -> list[object]:
    return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in FROZEN_TABLES]


def test_its_guards_are_the_triggers_it_makes(open_store: Open, tmp_path: Path) -> None:
    open_store().check()
    with closing(sqlite3.connect(tmp_path / "log.db")) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        assert {name for (name,) in rows} == GUARDS


@pytest.mark.parametrize("guard", sorted(GUARDS))
def test_a_missing_guard_is_noticed(open_store: Open, tmp_path: Path, guard: str) -> None:
    store = open_store()
    with closing(sqlite3.connect(tmp_path / "log.db")) as connection, connection:
        connection.execute(f"DROP TRIGGER {guard}")
    with pytest.raises(VerificationError, match=rf"^store_unguarded\b.*{guard}"):
        store.check()


def test_a_damaged_file_is_named(open_store: Open, tmp_path: Path) -> None:
    store = open_store()
    fill(store, 2000)
    store.close()
    path = tmp_path / "log.db"
    data = path.read_bytes()
    path.write_bytes(data[:4096] + bytes(len(data) - 4096))
    with pytest.raises(VerificationError, match=r"^store_damaged\b"):
        open_store().check()


def test_a_row_that_breaks_the_schema_is_damage(open_store: Open, tmp_path: Path) -> None:
    store = open_store()
    fill(store, 2)
    with closing(sqlite3.connect(tmp_path / "log.db")) as connection, connection:
        connection.execute("DROP TRIGGER blocks_no_update")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("UPDATE blocks SET count = 0")
    with pytest.raises(VerificationError, match=r"^store_damaged\b.*CHECK.*blocks"):
        store.check()


def test_a_writer_waits_and_begins_in_words(open_store: Open) -> None:
    store = open_store()
    connection = store._here().connection
    assert connection.execute("PRAGMA busy_timeout").fetchone() == (10_000,)
    assert connection.isolation_level is None


def test_a_full_disk_is_said_and_nothing_stays(open_store: Open, tmp_path: Path) -> None:
    store = open_store()
    fill(store, 3)
    head = store.head()
    pages = _limit_pages(store, 0)
    _limit_pages(store, pages + 5)
    rows, block = block_after(head, 2000)
    with pytest.raises(UnavailableError) as refused:
        store.append(head, rows, block)
    assert refused.value.code == "disk_full"
    assert store.head() == head
    _limit_pages(store, pages + 5000)
    store.append(head, rows, block)
    assert open_store().head() == block.head()


def _limit_pages(store: SqliteLogStore, most: int) -> int:
    """The same error as a full disk's, SQLITE_FULL, by a limit that the database has itself."""
    connection = store._here().connection
    pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {most}")
    return pages


def test_a_busy_database_is_said(
    open_store: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chain.log.database.BUSY_SECONDS", 0.05)
    store = open_store()
    head = store.head()
    with closing(sqlite3.connect(tmp_path / "log.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match=r"^database_busy\b"):
            store.append(head, *block_after(head, 1))
    store.append(head, *block_after(head, 1))


def test_a_path_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "log.db").mkdir()
    with pytest.raises(UnavailableError, match=r"^store_unavailable\b"):
        SqliteLogStore(tmp_path / "log.db")


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(VerificationError, match=r"^store_damaged\b"):
        SqliteLogStore(tmp_path / "log.db")


@pytest.mark.parametrize(
    ("table", "columns", "values"),
    [
        ("entries", "idx INTEGER PRIMARY KEY, entry, key", "0, 'text', NULL"),
        ("entries", "idx INTEGER PRIMARY KEY, entry, key", "0, x'00', 5"),
        ("blocks", "height INTEGER PRIMARY KEY, a, b, c, d, e, f, g, h", "1" + ", 2" * 8),
        ("checkpoints", "size INTEGER PRIMARY KEY, note, signed_at", "0, 'text', NULL"),
    ],
)
def test_a_column_of_another_type_is_damage(
    open_store: Open, tmp_path: Path, table: str, columns: str, values: str
) -> None:
    """What a flipped bit in a page can make of a value, though the schema is strict."""
    store = open_store()
    with closing(sqlite3.connect(tmp_path / "log.db")) as connection, connection:
        connection.execute(f"DROP TABLE {table}")
        connection.execute(f"CREATE TABLE {table} ({columns})")
        connection.execute(f"INSERT INTO {table} VALUES ({values})")
    with pytest.raises(VerificationError, match=r"^store_damaged\b"):
        _ = [store.head(), store.latest_checkpoint(), list(store.rows(0, 9))]


def test_what_sqlite_refuses_otherwise_is_said(open_store: Open, tmp_path: Path) -> None:
    store = open_store()
    with closing(sqlite3.connect(tmp_path / "log.db")) as connection, connection:
        connection.execute("DROP TABLE blocks")
    with pytest.raises(UnavailableError, match=r"^store_unavailable\b.*no such table"):
        store.head()


def _append_once(path: Path, start: Callable[[], object], head: Head, name: bytes) -> str:
    store = SqliteLogStore(path)
    rows, block = block_after(head, 200)
    rows[0] = structs.replace(rows[0], entry=name)
    start()
    try:
        store.append(head, rows, block)
    except Problem as problem:
        return problem.code
    return "won"


def test_of_two_processes_at_once_one_wins(tmp_path: Path) -> None:
    head = SqliteLogStore(tmp_path / "log.db").head()
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(2) as pool:
        gate = manager.Barrier(2)
        work = [(tmp_path / "log.db", gate.wait, head, b"%d" % n) for n in range(2)]
        assert sorted(pool.starmap(_append_once, work)) == ["log_moved", "won"]
    store = SqliteLogStore(tmp_path / "log.db")
    assert len(list(store.rows(0, 999))) == store.head().size == 201


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_threads_that_end_leave_nothing_open(open_store: Open) -> None:
    """A server starts threads as requests come and ends them when none do, for years."""
    store = open_store()
    before = _open_files()
    for _ in range(20):
        thread = threading.Thread(target=store.head)
        thread.start()
        thread.join()
    assert _open_files() <= before + 3


def test_closing_closes_the_connections_of_all_threads(open_store: Open) -> None:
    before = _open_files()
    store, gate = open_store(), threading.Barrier(2)

    def work() -> None:
        store.head()
        gate.wait()
        gate.wait()

    thread = threading.Thread(target=work)
    thread.start()
    gate.wait()
    store.close()
    assert _open_files() <= before
    gate.wait()
    thread.join()


def test_a_forked_child_opens_its_own_connection(open_store: Open) -> None:
    store = open_store()
    fill(store, 2)
    context = multiprocessing.get_context("fork")
    inbox = context.SimpleQueue()
    child = context.Process(target=lambda: inbox.put(fill(store, 3)))
    child.start()
    blocks = inbox.get()
    child.join()
    assert store.head() == blocks[0].head()


def test_several_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    gate = threading.Barrier(6)

    def open_new(path: Path) -> int:
        gate.wait()
        return SqliteLogStore(path).head().height

    with ThreadPoolExecutor(6) as pool:
        for number in range(4):
            path = tmp_path / str(number) / "log.db"
            path.parent.mkdir()
            assert list(pool.map(open_new, [path] * 6)) == [0] * 6


def test_the_unique_index_refuses_even_without_the_trigger(tmp_path: Path) -> None:
    store = SqliteLogStore(tmp_path / "log.db")
    fill(store, 3)
    with closing(sqlite3.connect(tmp_path / "log.db")) as connection, connection:
        connection.execute("DROP TRIGGER entries_grow")
    rows, block = block_after(store.head(), 1)
    rows[0] = structs.replace(rows[0], key=sha256(b"key 1"))
    with pytest.raises(ConflictError, match="already_in_log"):
        store.append(store.head(), rows, block)


def test_an_older_file_is_brought_up_to_date(open_store: Open, tmp_path: Path) -> None:
    """A log of version 1, as it is when it was made before there were cosignatures."""
    store = open_store()
    fill(store, 2)
    store.add_checkpoint(StoredCheckpoint(3, b"three"), None)
    with closing(sqlite3.connect(tmp_path / "log.db")) as connection, connection:
        connection.execute("DROP TABLE signatures")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'add_signatures'")
    again = open_store()
    again.check()
    again.add_signatures(3, [Signature("one", b"one ", b"one")])
    assert again.latest_checkpoint() == StoredCheckpoint(3, b"three")


def test_every_commit_is_synced(open_store: Open) -> None:
    store = open_store()
    connection = store._here().connection
    settings: Sequence[object] = [
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous")
    ]
    assert settings == ["wal", 2]  # 2: FULL, the write-ahead log is synced at every commit


def test_a_checkpoint_is_kept_with_the_time_at_which_it_was_first_signed(open_store: Open) -> None:
    store = open_store()
    store.add_checkpoint(StoredCheckpoint(0, b"empty"), None)
    fill(store, 2)
    for moment in (NOON, NOON + timedelta(days=1)):
        store.add_checkpoint(StoredCheckpoint(3, b"full"), moment)
    assert store._all("SELECT signed_at FROM checkpoints ORDER BY size", ()) == [
        (None,),
        ("2026-11-21T04:00:00Z",),
    ]
