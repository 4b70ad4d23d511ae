"""What tills ask of the database is found by an index, however much there is."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from invoice_service.services.till.ports import Sought, Span
from invoice_service.storage.sqlite import SqliteStore
from tests.web.till.counter import Counter

YEAR: Final = Span("2026-01-01", "2026-12-31", 1_767_225_600, 1_798_761_600)
LARGE: Final = (
    *("invoices", "till_sales", "till_payments", "till_bills", "till_events", "acts"),
    *("claim_orders", "claims", "claim_payments", "claim_money", "claims_due"),
)
_TABLES: Final = "SELECT 1 FROM sqlite_schema WHERE name ="
ASKED: Final[dict[str, Callable[[SqliteStore], object]]] = {
    "a year's list": lambda store: store.listed(1, YEAR, 2**62, 100),
    "all of a merchant": lambda store: store.listed(1, None, 2**62, 100),
    "a year's figures": lambda store: store.figures(1, YEAR),
    "a search within a year": lambda store: store.searched(1, YEAR, Sought("x", 1), 2**62, 100),
    "a number": lambda store: store.named(1, "P0001", 100),
    "a number within a year": lambda store: store.named(1, "P0001", 100, YEAR),
    "titles": lambda store: store.titles(1, "x", 10),
    "places": lambda store: store.listed_at(1, [1, 2]),
    "news of a year": lambda store: store.seqs_between(1, 0, 10**6, 200),
    "events of a year": lambda store: store.till_events(1, 0, 200),
    "where news stand": lambda store: (store.newest(), store.oldest_event()),
    "open bills": lambda store: store.open_bills(1),
    "a bill": lambda store: store.bill(1, "x" * 8),
    "shifts of a year": lambda store: store.shifts(1, YEAR.first, YEAR.last, 100),
    "a till's shift": lambda store: store.current_shift(1, "1"),
    "orders of a day": lambda store: store.orders_of_day(1, "2026-11-21", 100),
    "a program's orders of a day": lambda store: store.orders(1, 0, 100, day="2026-11-21"),
    "claims that wait": lambda store: store.begun_claims(50),
    "claims of a merchant that wait": lambda store: store.begun_claims(50, merchant_id=1),
    "begun returns": lambda store: store.begun_returns(1, "x"),
    "people who wait on bills": lambda store: store.forget_buyers(0),
    "what replaces an invoice": lambda store: store.replacements_of(1),
}


@contextmanager
def overheard(connection: sqlite3.Connection) -> Iterator[list[str]]:
    """Every statement that runs meanwhile, with its values."""
    said: list[str] = []
    connection.set_trace_callback(said.append)
    try:
        yield said
    finally:
        connection.set_trace_callback(None)


def plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    """How SQLite goes about it."""
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]


@pytest.mark.parametrize("name", ASKED)
def test_nothing_is_looked_for_row_by_row(counter: Counter, name: str) -> None:
    """SQLite plans by its indexes alone here: so it does the same with a million rows."""
    store = counter.instance.store
    counter.zhang.sell()
    with store.connections.reading() as connection:
        with overheard(connection) as said:
            ASKED[name](store)
        asked = [text for text in said if text.startswith(("SELECT", "UPDATE"))]
        assert asked
        steps = [step for text in asked for step in plan(connection, text)]
    scans = [step for step in steps if step.startswith("SCAN")]
    assert not [step for step in scans if any(f" {table}" in step for table in LARGE)], steps
    assert not connection.execute(
        "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'"
    ).fetchone()
