"""Totals: what blocks added, caught up from the log whatever happened before."""

import sqlite3
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import ConflictError, UnavailableError, VerificationError
from invoice_service.services.anchoring import totals
from invoice_service.services.anchoring.totals import BlockTotals, Dimension, Taxed, catch_up
from invoice_service.storage.totals import _joined, _split
from tests.services.town import Town

NOTHING = [0] * 8


def _sums(town: Town, dimension: Dimension, key: str, height: int) -> list[int]:
    return town.store.totals.sums_at(dimension, key, height)


def test_a_cell_holds_blue_and_red_sums_since_the_beginning(town: Town) -> None:
    first = town.issue(1, merchant=0)[0]
    town.anchor()
    second = town.issue(1, merchant=0)[0]
    red = town.reverse(first)
    town.anchor()
    blue = [first.amount + second.amount, first.tax + second.tax, first.total + second.total]
    tax_id = town.merchants[0].tax_id
    assert _sums(town, Dimension.MERCHANT, tax_id, 1) == [
        *(1, first.amount, first.tax, first.total),
        *(0, 0, 0, 0),
    ]
    assert _sums(town, Dimension.MERCHANT, tax_id, 2) == [
        *(2, *blue),
        *(1, red.amount, red.tax, red.total),
    ]
    assert red.total == -first.total


def test_every_dimension_adds_up_to_the_whole(town: Town) -> None:
    issued = town.issue(30)
    town.reverse(issued[3])
    town.anchor()
    whole = _sums(town, Dimension.ALL, "", 1)
    assert whole[0] == 30
    assert whole[3] == sum(one.total for one in issued)
    for dimension in (Dimension.INDUSTRY, Dimension.DISTRICT, Dimension.MERCHANT, Dimension.RATE):
        rows = town.store.totals.between(dimension, 0, 1)
        added = [sum(row[i] for row in rows) for i in range(1, 9)]
        if dimension is Dimension.RATE:  # several rates in one invoice: counted in each
            assert added[0] >= whole[0]
            added[0], added[4] = whole[0], whole[4]
        assert added == whole


def test_a_block_writes_only_the_cells_that_it_changes(town: Town) -> None:
    town.issue(2, merchant=0)
    town.anchor()
    town.issue(1, merchant=1)
    town.anchor()
    own, other = (town.merchants[n].tax_id for n in (0, 1))
    assert town.store.totals.row(Dimension.MERCHANT, own, 2) is None
    assert town.store.totals.row(Dimension.MERCHANT, other, 1) is None
    assert town.store.totals.row(Dimension.MERCHANT, other, 2) is not None


def test_closings_are_entries_but_not_invoices(town: Town) -> None:
    town.issue(1)
    town.anchor()
    town.pass_days(1)
    town.anchor()
    assert town.log.block(2).count == 1
    assert town.store.totals.last_height() == 2
    assert _sums(town, Dimension.ALL, "", 2)[0] == 1


_NAMES = st.sampled_from(["a", "b"])
_FEN = st.integers(-(10**14), 10**14)
_TAXED = st.builds(
    Taxed,
    seq=st.integers(1, 9),
    red=st.booleans() | st.integers(0, 1),  # as a database has it
    merchant=_NAMES,
    industry=_NAMES,
    district=_NAMES,
    amount=_FEN,
    tax=_FEN,
    total=_FEN,
    rates=st.lists(st.tuples(_NAMES, _FEN, _FEN), max_size=3),
)


@given(st.lists(_TAXED, max_size=12))
def test_counting_all_is_counting_one_by_one(invoices: list[Taxed]) -> None:
    cells: totals.Cells = {}
    for invoice in invoices:
        totals.count(cells, invoice)
    assert totals.count_all(invoices) == cells


def _forget(town: Town, height: int) -> None:
    """Take back what was added up from ``height`` on, as if a kill had come before it."""
    connection = sqlite3.connect(town.folder / "invoices.db")
    connection.execute("DROP TRIGGER totals_no_delete")
    connection.execute("DROP TRIGGER blocks_totalled_no_delete")
    connection.execute("DELETE FROM totals WHERE height >= ?", (height,))
    connection.execute("DELETE FROM blocks_totalled WHERE height >= ?", (height,))
    connection.commit()
    connection.close()


def _dump(town: Town) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(town.folder / "invoices.db")
    rows = connection.execute("SELECT * FROM totals ORDER BY cell, height").fetchall()
    connection.close()
    return rows


@pytest.mark.parametrize("kept", range(5))
def test_what_a_kill_has_left_out_is_caught_up(town: Town, kept: int) -> None:
    for number in range(1, 5):
        town.issue(number)
        town.anchor()
    before = _dump(town)
    _forget(town, kept + 1)
    assert catch_up(town.store.totals, town.log) == 4 - kept
    assert _dump(town) == before
    assert catch_up(town.store.totals, town.log) == 0


def test_many_blocks_are_caught_up_a_few_at_a_time(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 6):
        town.issue(number)
        town.anchor()
    before = _dump(town)
    _forget(town, 1)
    monkeypatch.setattr(totals, "_INVOICES_AT_ONCE", 3)
    monkeypatch.setattr(totals, "_ROWS_AT_ONCE", 2)
    assert catch_up(town.store.totals, town.log) == 5
    assert _dump(town) == before


def test_a_worker_that_was_slower_adds_nothing_twice(town: Town) -> None:
    town.issue(3)
    town.anchor()
    before = _dump(town)
    _forget(town, 1)

    class Slow:
        """The tables as a worker meets them whom another overtakes once."""

        overtaken = False

        def __getattr__(self, name: str) -> object:
            return getattr(town.store.totals, name)

        def append(self, last_height: int, blocks: Sequence[BlockTotals]) -> None:
            if not self.overtaken:
                self.overtaken = True
                catch_up(town.store.totals, town.log)
            town.store.totals.append(last_height, blocks)

    assert catch_up(Slow(), town.log) == 0  # type: ignore[arg-type]
    assert _dump(town) == before


def test_totals_of_a_block_are_stored_once(town: Town) -> None:
    town.issue(1)
    town.anchor()
    with pytest.raises(ConflictError, match="totals_moved"):
        town.store.totals.append(0, [BlockTotals(1, "2018-08-10", {})])


def test_invoices_that_the_log_took_and_nobody_stores_are_named(town: Town) -> None:
    town.issue(4)
    town.anchor()
    _forget(town, 1)

    class Gap:
        def __getattr__(self, name: str) -> object:
            return getattr(town.store.totals, name)

        def taxed(self, after: int, limit: int) -> list[Taxed]:
            return [row for row in town.store.totals.taxed(after, limit) if row.seq != 3]

    with pytest.raises(VerificationError, match="invoices_missing") as caught:
        catch_up(Gap(), town.log)  # type: ignore[arg-type]
    assert caught.value.extra == {"seq": 3}
    assert town.store.totals.last_height() == 0


@pytest.mark.parametrize("table", ["cells", "totals", "blocks_totalled", "closings"])
def test_the_database_refuses_to_change_what_stands(town: Town, table: str) -> None:
    town.issue(1)
    town.anchor()
    town.pass_days(1)
    town.anchor()
    connection = sqlite3.connect(town.folder / "invoices.db")
    connection.execute("PRAGMA recursive_triggers = OFF")
    column = {"cells": "key", "closings": "salt"}.get(table, "height")
    columns = ", ".join(name[1] for name in connection.execute(f"PRAGMA table_info({table})"))
    for change in (
        f"UPDATE {table} SET {column} = {column}",
        f"DELETE FROM {table}",
        f"INSERT OR REPLACE INTO {table} ({columns}) SELECT {columns} FROM {table} LIMIT 1",
    ):
        with pytest.raises(sqlite3.IntegrityError, match=r"frozen|appended"):
            connection.execute(change)
    connection.close()


def test_a_damaged_rate_is_an_error_not_a_zero(town: Town) -> None:
    town.issue(1)
    connection = sqlite3.connect(town.folder / "invoices.db")
    connection.execute("DROP TRIGGER invoices_no_update")
    connection.execute("""UPDATE invoices SET rates = '[["0.06", "x", 1]]'""")
    connection.commit()
    connection.close()
    with pytest.raises(UnavailableError, match="record_damaged"):
        town.store.totals.taxed(0, 1)


@given(st.lists(st.lists(st.integers(-(10**9), 10**9), min_size=8, max_size=8), max_size=6))
def test_net_is_gross_and_reversed_together(rows: list[list[int]]) -> None:
    added = [sum(row[i] for row in rows) for i in range(8)]
    whole = totals.figures(added)
    assert whole["net"]["total"] == whole["gross"]["total"] + whole["reversed"]["total"]
    assert whole["net"]["count"] == whole["gross"]["count"] - whole["reversed"]["count"]
    for side in ("gross", "reversed", "net"):
        for name in ("count", "amount", "tax", "total"):
            parts = sum(totals.figures(row)[side][name] for row in rows)
            assert whole[side][name] == parts


HUGE = 10**13 * 1_000_000
"""What a million invoices of the largest amount come to: beyond 64 bits."""


def test_sums_beyond_64_bits_are_kept_to_the_fen(town: Town) -> None:
    cells = {(Dimension.ALL, ""): [10**6, HUGE - 7, 7, HUGE, 5, 1 - HUGE, -1, -HUGE]}
    store = town.store.totals
    for height in range(1, 4):
        store.append(height - 1, [BlockTotals(height, f"2018-08-1{height}", cells)])
    added = cells[Dimension.ALL, ""]
    for height in range(1, 4):
        sums = [number * height for number in added]
        assert store.sums_at(Dimension.ALL, "", height) == sums
        assert store.row(Dimension.ALL, "", height) == sums
    assert store.between(Dimension.ALL, 1, 3) == [("", *(2 * number for number in added))]
    assert store.between(Dimension.ALL, 0, 1) == [("", *added)]


@given(st.lists(st.integers(-(2**80), 2**80), min_size=8, max_size=8))
def test_any_sum_is_read_back_as_it_was(numbers: list[int]) -> None:
    numbers[0], numbers[4] = numbers[0] % 2**53, numbers[4] % 2**53  # these two only count
    row = _split(numbers)
    assert all(-(2**63) <= number < 2**63 for number in row)
    assert _joined(row) == numbers
    if all(-(2**63) <= number < 2**63 for number in numbers):
        assert row == [*numbers, *[0] * 6]  # as rows were before there were more columns
