"""Counting slips: beside the invoices, only ever upwards."""

from pathlib import Path

import pytest

from chain.errors import UnavailableError
from tests.storage.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_counts_begin_at_none_and_are_each_invoices_own(shop: Shop) -> None:
    first, second = shop.issue(shop.draft("A-1")), shop.issue(shop.draft("A-2"))
    assert shop.store.prints(first.seq) == 0
    assert [shop.store.add_print(first.seq, shop.now + n) for n in range(3)] == [1, 2, 3]
    assert (shop.store.prints(first.seq), shop.store.prints(second.seq)) == (3, 0)
    assert shop.rows("SELECT * FROM prints") == [(first.seq, 3, shop.now, shop.now + 2)]


def test_a_clock_that_goes_back_takes_nothing_back(shop: Shop) -> None:
    invoice = shop.issue(shop.draft("A-1"))
    shop.store.add_print(invoice.seq, shop.now)
    assert shop.store.add_print(invoice.seq, shop.now - 60) == 2
    assert shop.rows("SELECT first_at, last_at FROM prints") == [(shop.now, shop.now)]


def test_what_is_no_invoice_has_no_slips(shop: Shop) -> None:
    with pytest.raises(Exception, match="FOREIGN KEY"):
        shop.store.add_print(7, shop.now)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM prints",
        "UPDATE prints SET count = 1",
        "UPDATE prints SET count = count + 2",
        "UPDATE prints SET count = count + 1, first_at = 0",
        "UPDATE prints SET count = count + 1, last_at = 0",
        "INSERT OR REPLACE INTO prints VALUES (1, 1, 0, 0)",
        "INSERT INTO prints VALUES (2, 9, 0, 0)",
    ],
)
def test_the_database_refuses_to_forget(shop: Shop, change: str) -> None:
    for number in (1, 2):
        shop.issue(shop.draft(f"A-{number}"))
    shop.store.add_print(1, shop.now)
    shop.store.add_print(1, shop.now)
    with (
        pytest.raises(UnavailableError, match="frozen"),
        shop.store.connections.writing() as writer,
    ):
        writer.execute(change)
