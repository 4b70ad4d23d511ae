"""SQLite's errors are told by their codes, in whatever language; every connection is made safe."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from chain.errors import Problem, UnavailableError
from chain.log.database import SqliteLogStore, _problem
from chain.log.sqlite import Trouble, trouble
from chain.log.turns import LONG_SECONDS
from chain.signing.cosignature import Cosigner
from chain.signing.note import SignerKey
from chain.witness import database
from chain.witness.database import WitnessStore
from tests.contracts.made_up import block_after
from tests.patience import PATIENCE

KINDS = {
    sqlite3.SQLITE_BUSY: Trouble.BUSY,
    sqlite3.SQLITE_BUSY_SNAPSHOT: Trouble.BUSY,
    sqlite3.SQLITE_LOCKED: Trouble.BUSY,
    sqlite3.SQLITE_PROTOCOL: Trouble.BUSY,
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_IOERR_FSYNC: Trouble.DISK,
    sqlite3.SQLITE_READONLY_DBMOVED: Trouble.READ_ONLY,
    sqlite3.SQLITE_CORRUPT_INDEX: Trouble.DAMAGED,
    sqlite3.SQLITE_NOTADB: Trouble.DAMAGED,
    sqlite3.SQLITE_CONSTRAINT_TRIGGER: Trouble.REFUSED,
    sqlite3.SQLITE_CANTOPEN: Trouble.OTHER,
    sqlite3.SQLITE_ERROR: Trouble.OTHER,
}


def error_of(code: int, text: str = "磁盘") -> sqlite3.Error:
    """An error as another build of SQLite would word it."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(("code", "kind"), KINDS.items())
def test_an_error_is_told_by_its_code(code: int, kind: Trouble) -> None:
    assert trouble(error_of(code, "database is locked, disk is full")) is kind


def test_what_python_raises_by_itself_has_no_code() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        pass
    with pytest.raises(sqlite3.ProgrammingError) as closed:
        connection.execute("SELECT 1")
    assert trouble(closed.value) is Trouble.OTHER


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (sqlite3.SQLITE_FULL, "disk_full"),
        (sqlite3.SQLITE_BUSY, "database_busy"),
        (sqlite3.SQLITE_IOERR, "disk_error"),
        (sqlite3.SQLITE_READONLY, "read_only"),
        (sqlite3.SQLITE_CORRUPT, "store_damaged"),
        (sqlite3.SQLITE_CONSTRAINT, "store_refused"),
        (sqlite3.SQLITE_CANTOPEN, "store_unavailable"),
    ],
)
def test_the_log_names_it_whatever_the_words(code: int, name: str) -> None:
    assert _problem(error_of(code)).code == name
    assert _problem(error_of(code, "disk is full; locked; readonly")).code == name


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    store = SqliteLogStore(tmp_path / "log.db")
    store._here().connection.execute("PRAGMA query_only = ON")
    with pytest.raises(UnavailableError, match=r"^read_only\b"):
        store.append(store.head(), *block_after(store.head(), 1))


def test_a_witness_names_a_full_disk_by_its_code() -> None:
    with pytest.raises(Problem, match=r"^disk_full\b"), database._translated():
        raise error_of(sqlite3.SQLITE_FULL)
    with pytest.raises(Problem, match=r"^witness_store\b"), database._translated():
        raise error_of(sqlite3.SQLITE_ERROR, "disk is full")


def _log(folder: Path) -> Iterator[sqlite3.Connection]:
    store = SqliteLogStore(folder / "log.db")
    yield store._here().connection
    store.close()


def _witness(folder: Path) -> Iterator[sqlite3.Connection]:
    database.create_store(folder, Cosigner(SignerKey("w.example", b"k" * 32)).verifier)
    store = WitnessStore(folder)
    yield store._connection
    store.close()


@pytest.mark.parametrize("opened", [_log, _witness])
def test_every_connection_is_made_safe(
    tmp_path: Path, opened: Callable[[Path], Iterator[sqlite3.Connection]]
) -> None:
    for connection in opened(tmp_path):
        files = [path for path in tmp_path.rglob("*.db*") if path.is_file()]
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        said = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("synchronous", "journal_size_limit", "cell_size_check", "trusted_schema")
        }
        assert said == {
            "synchronous": 2,
            "journal_size_limit": 1 << 26,
            "cell_size_check": 1,
            "trusted_schema": 0,
        }


def test_closing_takes_no_connection_from_under_a_thread(tmp_path: Path) -> None:
    store = SqliteLogStore(tmp_path / "log.db")
    writes, closed = threading.Event(), threading.Event()

    def write() -> None:
        with store._transaction() as connection:
            writes.set()
            assert closed.wait(PATIENCE)
            connection.execute("INSERT INTO meta VALUES ('origin', 'mine')")

    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(write)
        assert writes.wait(PATIENCE)
        store.close()
        closed.set()
        done.result(PATIENCE)
    assert store.origin() == "mine"
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["log.db"]  # all are closed: no log


def test_who_opens_a_log_waits_as_long_as_bringing_it_up_to_date_may_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = []
    monkeypatch.setattr(
        "chain.log.database.take", lambda _handle, _path, *, seconds=0.0: waits.append(seconds)
    )
    SqliteLogStore(tmp_path / "log.db").close()
    assert waits == [LONG_SECONDS]
