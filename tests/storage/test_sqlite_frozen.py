"""What was issued is frozen by the database itself, whoever opens the file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from invoice_service.services.anchoring.close import Closing
from invoice_service.services.anchoring.totals import BlockTotals, Dimension
from invoice_service.storage.sqlite import create_store
from tests.storage.shop import FILE, Shop

FROZEN = ("invoices", "idempotency", "cells", "totals", "blocks_totalled", "closings")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with a row in every table."""
    shop = Shop(tmp_path)
    blue = shop.issue(shop.draft("A-1", idempotency_key="k"))
    shop.issue(shop.red(blue))
    cells = {(Dimension.ALL, ""): [1, 2, 3, 4, 5, 6, 7, 8]}
    shop.store.totals.append(0, [BlockTotals(1, "2018-08-10", cells)])
    shop.store.totals.keep_closing(Closing("2018-08-10", 1, bytes(16), b"{}"))
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
        with pytest.raises(sqlite3.IntegrityError, match="appended"):
            stranger.execute(f"{verb} INTO {table} VALUES ({places})", before[-1])
    assert stranger.execute(f"SELECT * FROM {table}").fetchall() == before


@pytest.mark.parametrize(
    "kept", ["hash", "code, number", "order_id, merchant_id, attempt, type", "reverses"]
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
    with pytest.raises(sqlite3.IntegrityError, match="appended"):
        stranger.execute(
            f"INSERT OR REPLACE INTO invoices SELECT {', '.join(values)}"
            f" FROM invoices WHERE seq = {seq}"
        )
    assert stranger.execute("SELECT count(*) FROM invoices").fetchone() == (2,)


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
