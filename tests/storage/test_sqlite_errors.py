"""A database that cannot be used says so, with its code, and nothing is half stored."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from chain.errors import UnavailableError
from invoice_service.services.ports import InvoiceFilter
from invoice_service.storage.sqlite import SqliteStore, create_store
from invoice_service.storage.sqlite import connection as connection_module
from invoice_service.storage.sqlite import turnstile as turnstile_module
from tests.patience import PATIENCE
from tests.storage.shop import FILE, Shop, codes, locked, tamper


def code_of(caught: pytest.ExceptionInfo[UnavailableError]) -> str:
    """The code that was raised."""
    return caught.value.code


def test_a_locked_database_is_busy_and_soon_usable_again(tmp_path: Path) -> None:
    shop = Shop(tmp_path, busy_seconds=0.2)
    draft = shop.draft("A-1")
    with locked(tmp_path):
        started = time.monotonic()
        with pytest.raises(UnavailableError) as caught:
            shop.hand_in(draft)
        assert time.monotonic() - started >= 0.2
        assert shop.store.last_seq() == 0  # reading goes on
    assert code_of(caught) == "database_busy"
    assert codes(shop.hand_in(draft)) == ["issued"]


class SlowClock:
    """Stands in for ``time``: it moves only with those who sleep, and with them only once ``many``
    have asked for the time of day.
    """

    def __init__(self, many: int) -> None:
        self.now = 0.0
        self._many = many
        self._asked: set[int] = set()
        self._guard = threading.Condition()

    def monotonic(self) -> float:
        with self._guard:
            self._asked.add(threading.get_ident())
            self._guard.notify_all()
            return self.now

    def sleep(self, seconds: float) -> None:
        with self._guard:
            self._guard.wait_for(lambda: len(self._asked) >= self._many, PATIENCE)
            self.now += seconds


def test_many_who_wait_for_a_locked_database_all_give_up_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They queue, but none waits for the waiting of those before it."""
    shop = Shop(tmp_path, busy_seconds=0.5)
    drafts = [shop.draft(f"A-{i}") for i in range(8)]
    clock = SlowClock(len(drafts))
    here = threading.Barrier(len(drafts))  # else who gives up early makes another's attempt

    def attempt(number: int) -> str:
        here.wait(PATIENCE)
        with pytest.raises(UnavailableError) as caught:
            shop.hand_in(drafts[number])
        return code_of(caught)

    with locked(tmp_path), ThreadPoolExecutor(8) as pool:
        for module in (connection_module, turnstile_module):
            monkeypatch.setattr(module, "time", clock)
        outcomes = list(pool.map(attempt, range(8)))
    assert set(outcomes) == {"database_busy"}
    assert clock.now == pytest.approx(0.5, abs=0.01)


def test_a_full_disk_stores_nothing_and_names_itself(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.issue(shop.draft("A-1"))
    with shop.store.connections.reading() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
    batch = [shop.draft(f"B-{i}") for i in range(50)]
    with pytest.raises(UnavailableError) as caught:
        shop.hand_in(*batch)
    assert code_of(caught) == "disk_full"
    assert shop.store.last_seq() == 1
    account = shop.store.account(1)
    assert account is not None
    assert account.used == 1
    with shop.store.connections.reading() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    assert codes(shop.hand_in(*batch)) == ["issued"] * 50
    assert shop.store.last_seq() == 51


def test_a_read_only_database_is_unavailable(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    with shop.store.connections.reading() as connection:
        connection.execute("PRAGMA query_only = ON")
    with pytest.raises(UnavailableError) as caught:
        shop.hand_in(shop.draft("A-1"))
    assert code_of(caught) == "database_unavailable"
    assert shop.store.last_seq() == 0


def test_a_missing_file_is_never_an_empty_database(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / FILE)
    with pytest.raises(UnavailableError) as caught:
        store.last_seq()
    assert code_of(caught) == "database_unavailable"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        create_store(tmp_path / "nowhere" / FILE)
    assert code_of(caught) == "database_unavailable"


def test_a_damaged_file_is_never_an_empty_database(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.hand_in(*(shop.draft(f"A-{i}") for i in range(20)))
    shop.store.close()
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:4096] + os.urandom(path.stat().st_size - 4096))
    with pytest.raises(UnavailableError) as caught:
        SqliteStore(path).invoices(InvoiceFilter(), 0, 10)
    assert code_of(caught) == "database_damaged"


@pytest.mark.parametrize("change", ["hash = x'00'", "rates = 'none'", "type = 'green'"])
def test_a_row_that_cannot_be_ours_is_named(tmp_path: Path, change: str) -> None:
    shop = Shop(tmp_path)
    shop.issue(shop.draft("A-1"))
    tamper(tmp_path, f"UPDATE invoices SET {change}")
    with pytest.raises(UnavailableError) as caught:
        shop.store.invoices(InvoiceFilter(), 0, 10)
    assert code_of(caught) == "record_damaged"


def test_a_row_without_a_whole_digest_is_not_handed_to_the_log(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.issue(shop.draft("A-1"))
    tamper(tmp_path, "UPDATE invoices SET hash = x'0011'")
    with pytest.raises(UnavailableError) as caught:
        shop.store.invoices_after(0, 10)
    assert code_of(caught) == "record_damaged"


def test_a_gap_in_the_rows_is_found_when_searching_by_time(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.hand_in(*(shop.draft(f"A-{i}") for i in range(8)))
    tamper(tmp_path, "DELETE FROM invoices WHERE seq = 4")
    with pytest.raises(UnavailableError) as caught:
        shop.store.invoices(InvoiceFilter(since=shop.now), 0, 10)
    assert code_of(caught) == "record_damaged"


def test_what_the_database_refuses_of_one_record_leaves_the_others(tmp_path: Path) -> None:
    """A unique index that our own checks know nothing of."""
    shop = Shop(tmp_path)
    tamper(tmp_path, "CREATE UNIQUE INDEX extra ON invoices (total)")
    answers = shop.hand_in(
        shop.draft("A-1"),
        shop.draft("A-2"),
        shop.draft("A-3", lines=[{"name": "x", "unit_price": 7, "tax_rate": "0"}]),
    )
    assert codes(answers) == ["issued", "database_refused", "issued"]
    assert shop.rows("SELECT seq, number, order_id FROM invoices") == [
        (1, "00000001", "A-1"),
        (2, "00000002", "A-3"),
    ]


def test_a_record_that_nothing_foresaw_leaves_the_others(tmp_path: Path) -> None:
    """No number has room for it: Python's own error, not one of SQLite's."""
    shop = Shop(tmp_path, quota=2)
    odd = msgspec.structs.replace(shop.draft("A-2"), total=1 << 70)
    answers = shop.hand_in(shop.draft("A-1"), odd, shop.draft("A-3"))
    assert codes(answers) == ["issued", "internal_error", "issued"]
    assert shop.rows("SELECT seq, number, order_id FROM invoices") == [
        (1, "00000001", "A-1"),
        (2, "00000002", "A-3"),
    ]


def test_a_record_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    """Its invoice was written, its key was refused: both are undone, and the number with them."""
    shop = Shop(tmp_path)
    tamper(
        tmp_path,
        "CREATE TRIGGER no_key BEFORE INSERT ON idempotency BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    answers = shop.hand_in(
        shop.draft("A-1", idempotency_key="k"), shop.draft("A-2"), shop.draft("A-1")
    )
    assert codes(answers) == ["database_refused", "issued", "issued"]
    assert shop.rows("SELECT seq, number, order_id FROM invoices") == [
        (1, "00000001", "A-2"),
        (2, "00000002", "A-1"),
    ]


def test_an_interrupted_transaction_is_rolled_back(tmp_path: Path) -> None:
    shop = Shop(tmp_path)

    def clock() -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.store.issue([shop.draft("A-1")], clock)
    assert codes(shop.hand_in(shop.draft("A-2"))) == ["issued"]


def test_every_connection_syncs_its_commits(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    seen: list[object] = []

    def look() -> None:
        with shop.store.connections.reading() as connection:
            seen.append(connection.execute("PRAGMA synchronous").fetchone())
            seen.append(connection.execute("PRAGMA journal_mode").fetchone())
            seen.append(connection.execute("PRAGMA cell_size_check").fetchone())
            seen.append(connection.execute("PRAGMA trusted_schema").fetchone())

    look()
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [(2,), ("wal",), (1,), (0,)] * 2


def test_the_files_are_the_owners_alone(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.issue(shop.draft("A-1"))
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys([FILE, f"{FILE}-wal", f"{FILE}-shm", f"{FILE}-turn"], 0o600)
