"""Requests that a store of before has kept go on, and can be taken back."""

import sqlite3
from contextlib import closing
from pathlib import Path

from invoice_service.domain.quota import Quotas
from invoice_service.storage.sqlite import SqliteStore, update_store
from invoice_service.storage.sqlite.admission_tables import create_admission
from tests.domain.samples import BY
from tests.storage.fresh import fresh_store
from tests.storage.shop import request

BEFORE = "state IN ('open', 'granted', 'refused')"


def test_requests_of_before_are_kept_and_numbers_go_on(tmp_path: Path) -> None:
    path = tmp_path / "invoices.db"
    fresh_store(path)
    with closing(SqliteStore(path)) as store:
        merchant = store.add_merchant(request(), BY).merchant.id
    scratch = sqlite3.connect(":memory:")
    create_admission(scratch)  # type: ignore[arg-type] # it only executes
    (made,) = scratch.execute("SELECT sql FROM sqlite_master WHERE name = 'quota_requests'")
    indexes = scratch.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = 'quota_requests' AND type = 'index'"
    )
    with closing(sqlite3.connect(path)) as old:
        assert BEFORE in made[0]
        old.execute("DROP TABLE quota_requests")
        for (statement,) in (made, *indexes):
            old.execute(statement)
        old.executemany(
            "INSERT INTO quota_requests VALUES (?, ?, ?, 'quota', 1, ?, 5, NULL, NULL, 'x', ?, ?)",
            [(3, 2, merchant, "refused", "no", 2), (7, 1, merchant, "open", "", None)],
        )
        rows = old.execute("SELECT * FROM quota_requests").fetchall()
        old.execute("DELETE FROM _sqlite_migrations WHERE name = 'requests_taken_back'")
        old.commit()
    update_store(path)
    with closing(SqliteStore(path)) as store, closing(sqlite3.connect(path)) as now:
        assert now.execute("SELECT * FROM quota_requests").fetchall() == rows
        assert store.withdraw_quota_request(7, merchant, BY).state == "withdrawn"
        made_new = store.add_quota_request(merchant, "quota", Quotas(quota=9), "y", BY)
        assert made_new.id == 8
