"""The log's store on SQLite: its triggers refuse changes, its errors are named by whose fault."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from chain.block import StoredCheckpoint
from chain.errors import UnavailableError, VerificationError
from chain.log.database import SqliteLogStore
from chain.log.schema import FROZEN_TABLES, GUARDS
from chain.signing.note import Signature
from tests.contracts.made_up import NOON, block_after, fill

Open = Callable[[], SqliteLogStore]


@pytest.fixture
def open_store(tmp_path: Path) -> Open:
    """Open the same store again, as another worker would."""
    return lambda: SqliteLogStore(tmp_path / "log.db")


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
    connection = store._connection()
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
    connection = store._connection()
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
