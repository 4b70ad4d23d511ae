"""What was issued is frozen by the database itself, whoever opens the file."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from chain.errors import UnavailableError
from chain.hashing import sha256
from invoice_service.services.anchoring.close import Closing
from invoice_service.services.anchoring.spans import Cell, Moved, Span
from invoice_service.services.anchoring.totals import BlockTotals, Dimension
from invoice_service.services.people.trail import ActFilter
from invoice_service.storage.sqlite import SqliteStore, create_store, update_store
from tests.domain.samples import BY
from tests.storage.shop import FILE, Shop, request

OLD = 184 * 86_400
FROZEN = (
    *("invoices", "idempotency", "cells", "totals", "blocks_totalled", "closings", "acts"),
    "logged_acts",
    *("spans", "span_keys", "span_cells", "span_moves", "span_packs"),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with a row in every table."""
    shop = Shop(tmp_path)
    blue = shop.issue(shop.draft("A-1", idempotency_key="k"))
    shop.issue(shop.red(blue))
    cells = {(Dimension.ALL, ""): [1, 2, 3, 4, 5, 6, 7, 8]}
    shop.store.totals.append(0, [BlockTotals(1, "2018-08-10", cells)])
    shop.store.add_key(sha256(b"a"), "official", None, "", BY)
    shop.store.totals.keep_closing(Closing("2018-08-10", 1, bytes(16), b"{}"))
    cell = Cell("A", "1", "6210", "440303")
    moves = {Moved(rated=False, day="2018-08-10", cell=cell, state="part"): [1, 2, 3]}
    sums = {(8, cell): [1, 2, 3, 5, 0, 0, 0, 0]}
    shop.store.totals.keep([Span("day", "2018-08-10", 1, 1, sums, moves)])
    shop.store.totals.pack(1)
    shop.store.close()
    return tmp_path / FILE


@pytest.fixture
def stranger(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection as any program opens one: recursive triggers off."""
    with closing(sqlite3.connect(file)) as connection:
        yield connection


@pytest.mark.parametrize("table", FROZEN)
def test_update_and_delete_are_refused(stranger: sqlite3.Connection, table: str) -> None:
    before = stranger.execute(f"SELECT * FROM {table}").fetchall()
    assert before
    columns = [row[1] for row in stranger.execute(f"PRAGMA table_info({table})")]
    for column in columns:
        with pytest.raises(sqlite3.IntegrityError, match="frozen"):
            stranger.execute(f"UPDATE {table} SET {column} = {column}")
    with pytest.raises(sqlite3.IntegrityError, match="frozen"):
        stranger.execute(f"DELETE FROM {table}")
    assert stranger.execute(f"SELECT * FROM {table}").fetchall() == before


@pytest.mark.parametrize("table", FROZEN)
def test_replacing_a_row_is_refused(stranger: sqlite3.Connection, table: str) -> None:
    before = stranger.execute(f"SELECT * FROM {table}").fetchall()
    places = ", ".join("?" * len(before[0]))
    for verb in ("INSERT OR REPLACE", "INSERT OR IGNORE", "REPLACE", "INSERT"):
        with pytest.raises(sqlite3.IntegrityError, match=r"appended|taken back"):
            stranger.execute(f"{verb} INTO {table} VALUES ({places})", before[-1])
    assert stranger.execute(f"SELECT * FROM {table}").fetchall() == before


@pytest.mark.parametrize(
    "kept",
    [
        "hash",
        "code, number",
        "order_id, merchant_id, till, business_day, part, attempt, type",
        "reverses",
    ],
)
def test_a_new_row_replaces_none_that_shares_a_unique_value(
    stranger: sqlite3.Connection, kept: str
) -> None:
    """INSERT OR REPLACE deletes whatever stands in the way of a unique index, seq or not."""
    Database(stranger).execute("PRAGMA recursive_triggers = OFF")
    columns = [row[1] for row in stranger.execute("PRAGMA table_info(invoices)")]
    fresh = {
        "hash": "randomblob(32)",
        "code": "'144031909110'",
        "order_id": "'B-1'",
        "reverses": "NULL",
    }
    values = [
        column if column in kept.split(", ") else fresh.get(column, column) for column in columns
    ]
    values[columns.index("seq")] = "(SELECT max(seq) + 1 FROM invoices)"
    seq = 2 if kept == "reverses" else 1
    with pytest.raises(sqlite3.IntegrityError, match=r"appended|taken back"):
        stranger.execute(
            f"INSERT OR REPLACE INTO invoices SELECT {', '.join(values)}"
            f" FROM invoices WHERE seq = {seq}"
        )
    assert stranger.execute("SELECT count(*) FROM invoices").fetchone() == (2,)


@pytest.mark.parametrize("other", ["till", "business_day", "part", "attempt"])
def test_an_order_is_there_once_for_each_till_day_part_and_attempt(
    stranger: sqlite3.Connection, other: str
) -> None:
    """The index alone says so, without a trigger."""
    names = [
        row[0] for row in stranger.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    ]
    for name in names:
        stranger.execute(f"DROP TRIGGER {name}")
    columns = [row[1] for row in stranger.execute("PRAGMA table_info(invoices)")]
    fresh = {"seq": "9", "hash": "randomblob(32)", "number": "'00000009'"}
    select = ", ".join(fresh.get(column, column) for column in columns)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        stranger.execute(f"INSERT INTO invoices SELECT {select} FROM invoices WHERE seq = 1")
    fresh[other] = "7"
    select = ", ".join(fresh.get(column, column) for column in columns)
    stranger.execute(f"INSERT INTO invoices SELECT {select} FROM invoices WHERE seq = 1")


@pytest.mark.parametrize("seq", ["0", "2", "4", "NULL", "-1"])
def test_seq_is_dense(stranger: sqlite3.Connection, seq: str) -> None:
    columns = [row[1] for row in stranger.execute("PRAGMA table_info(invoices)")]
    fresh = {"seq": seq, "hash": "randomblob(32)", "number": "'00000009'", "order_id": "'B-1'"}
    values = ", ".join(fresh.get(column, column) for column in columns)
    with pytest.raises(sqlite3.IntegrityError, match="appended"):
        stranger.execute(f"INSERT INTO invoices SELECT {values} FROM invoices WHERE seq = 1")


def test_creating_again_keeps_everything(file: Path, stranger: sqlite3.Connection) -> None:
    before = stranger.execute("SELECT * FROM sqlite_schema ORDER BY name").fetchall()
    create_store(file)
    assert stranger.execute("SELECT * FROM sqlite_schema ORDER BY name").fetchall() == before
    assert stranger.execute("SELECT count(*) FROM invoices").fetchone() == (2,)


class TestRefusals:
    """Counts may grow, and go once they are old; nothing else."""

    @pytest.fixture
    def counted(self, file: Path, stranger: sqlite3.Connection) -> sqlite3.Connection:
        """Counts of an old hour and of a new one."""
        for hour in (0, OLD):
            stranger.execute(
                "INSERT INTO refusals (hour, code, who, origin, count, first_at, last_at)"
                " VALUES (?, 'key_unknown', 'unknown', '192.0.2.1', 5, 10, 20)",
                (hour,),
            )
        stranger.commit()
        return stranger

    @pytest.mark.parametrize(
        "change",
        ["count = 4", "count = 5", "count = 6, first_at = 11", "count = 6, last_at = 19"]
        + [f"count = 6, {column} = {column} || '1'" for column in ("code", "who", "origin")]
        + ["count = 6, hour = hour + 1", "count = 6, id = id + 10"],
    )
    def test_what_is_not_growth_is_refused(self, counted: sqlite3.Connection, change: str) -> None:
        with pytest.raises(sqlite3.IntegrityError, match="frozen"):
            counted.execute(f"UPDATE refusals SET {change}")
        counted.execute("UPDATE refusals SET count = 6, first_at = 9, last_at = 21")

    def test_only_what_is_old_may_go(self, counted: sqlite3.Connection) -> None:
        for hour in (0, OLD):
            with pytest.raises(sqlite3.IntegrityError, match="frozen"):
                counted.execute("DELETE FROM refusals WHERE hour = ?", (hour,))
        counted.execute("UPDATE refusals SET count = 6")
        counted.execute(
            "INSERT INTO refusals SELECT 3, hour + 1, code, who, origin, 1, 1, 1"
            f" FROM refusals WHERE hour = {OLD}"
        )
        assert counted.execute("DELETE FROM refusals WHERE hour = 0").rowcount == 1

    def test_replacing_a_row_is_refused(self, counted: sqlite3.Connection) -> None:
        same = "hour, code, who, origin, 9, 1, 30 FROM refusals WHERE hour = 0"
        for number in ("1", "7"):
            with pytest.raises(sqlite3.IntegrityError, match="appended"):
                counted.execute(f"INSERT OR REPLACE INTO refusals SELECT {number}, {same}")


def test_a_change_whose_act_cannot_be_written_does_not_happen(
    file: Path, stranger: sqlite3.Connection
) -> None:
    stranger.execute(
        "CREATE TRIGGER no_more BEFORE INSERT ON acts BEGIN SELECT RAISE(ABORT, 'no more'); END"
    )
    stranger.commit()
    store = SqliteStore(file)
    key = store.keys(None)
    before = store.accounts(0, 10)
    changes: list[Callable[[], object]] = [
        lambda: store.add_merchant(request(1), BY),
        lambda: store.set_status(1, "suspended", BY),
        lambda: store.set_quota(1, 3, BY),
        lambda: store.add_key(sha256(b"b"), "official", None, "", BY),
        lambda: store.revoke_key(1, BY),
    ]
    for change in changes:
        with pytest.raises(UnavailableError):
            change()
    assert (store.accounts(0, 10), store.keys(None)) == (before, key)
    store.close()


def without_trail(file: Path) -> list[tuple[object, ...]]:
    """Take the file back to the release before the trail; gives its merchants."""
    with closing(sqlite3.connect(file)) as old:
        for table in ("logged_acts", "logged_from", "acts", "refusals"):
            old.execute(f"DROP TABLE {table}")
        old.execute("DELETE FROM _sqlite_migrations WHERE name IN ('trail', 'acts_for_the_log')")
        old.commit()
        return old.execute("SELECT * FROM merchants").fetchall()


def test_an_older_releases_file_is_brought_up_to_date(
    file: Path, stranger: sqlite3.Connection
) -> None:
    merchants = without_trail(file)
    update_store(file)
    update_store(file)
    assert stranger.execute("SELECT * FROM merchants").fetchall() == merchants
    store = SqliteStore(file)
    store.set_status(1, "suspended", BY)
    assert [found.act.type for found in store.acts(ActFilter(), 0, 9)] == ["suspension"]
    store.close()


def test_several_may_bring_it_up_to_date_at_once(file: Path) -> None:
    without_trail(file)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(update_store, [file] * 8))
    assert SqliteStore(file).last_act().seq == 0


@pytest.mark.parametrize("content", [None, b"", b"x" * 5000])
def test_what_is_no_store_of_ours_is_left_as_it_is(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "other" / FILE
    path.parent.mkdir()
    if content is not None:
        path.write_bytes(content)
    update_store(path)
    assert (path.read_bytes() if path.exists() else None) == content
