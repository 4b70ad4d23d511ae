"""Folding: what was committed gets into the file itself, and nobody who issues waits for it."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chain.errors import UnavailableError
from tests.storage.shop import FILE, Shop


def in_the_file(folder: Path) -> int:
    """How many invoices the file alone holds, without the log beside it."""
    alone = folder / "alone.db"
    shutil.copyfile(folder / FILE, alone)
    with closing(sqlite3.connect(alone)) as connection:
        return int(connection.execute("SELECT count(*) FROM invoices").fetchone()[0])


def test_what_was_committed_is_in_the_file(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.issue(shop.draft("1"))
    assert in_the_file(tmp_path) == 0
    shop.store.fold()
    assert in_the_file(tmp_path) == 1


def test_no_issue_folds_by_itself_before_there_is_very_much(tmp_path: Path) -> None:
    """A commit that does takes a tenth of a second, and all who issue wait for it."""
    shop = Shop(tmp_path)
    for number in range(700):
        shop.issue(shop.draft(f"{number}"))
    assert (tmp_path / f"{FILE}-wal").stat().st_size > 4_000 * 4096
    assert in_the_file(tmp_path) == 0


def test_who_reads_or_writes_is_not_held_up_and_holds_up_nobody(tmp_path: Path) -> None:
    shop, other = Shop(tmp_path), Shop(tmp_path)
    shop.issue(shop.draft("1"))
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM invoices").fetchone() == (1,)
        with shop.store.connections.writing():
            other.store.fold()
        shop.issue(shop.draft("2"))
        other.store.fold()
        assert reader.execute("SELECT count(*) FROM invoices").fetchone() == (1,)
    other.store.fold()
    assert in_the_file(tmp_path) == 2


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.store.close()
    (tmp_path / FILE).unlink()
    with pytest.raises(UnavailableError, match=r"^database_unavailable\b"):
        shop.store.fold()
