"""Closings: one for every Shanghai day, made once, over exactly the invoices sealed that day."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chain import canonical
from chain.commitment import closing_digest
from chain.entry import ClosingEntry, closing_key, parse_entry
from chain.errors import ConflictError, MalformedError
from invoice_service.domain.invoice import Prepared, parse_request, prepare
from invoice_service.services.anchoring import close
from invoice_service.services.anchoring.anchor import anchor_pending, invoice_entry
from invoice_service.services.anchoring.close import (
    CLOSINGS_A_BLOCK,
    CellKey,
    close_days,
    totals_document,
)
from invoice_service.services.anchoring.totals import sealing_day
from invoice_service.services.reporting.report import totals_report
from tests.domain.samples import line, order
from tests.services.town import NOON, RATES, Town

FIRST_DAY = "2018-08-10"


def _closings(town: Town) -> list[ClosingEntry]:
    entries = [parse_entry(town.log.entry(i)) for i in range(town.log.head().size)]
    return [entry for entry in entries if isinstance(entry, ClosingEntry)]


def _document(town: Town, entry: ClosingEntry) -> dict[str, object]:
    """The stored document, after checking that the entry commits to it."""
    closing = town.store.totals.closing(entry.day, entry.through)
    assert closing is not None
    assert closing_digest(closing.salt, closing.document).hex() == entry.totals
    document = canonical.decode_canonical(closing.document)
    assert isinstance(document, dict)
    return dict(document)


def _sum_of(rows: object, side: str, name: str) -> int:
    assert isinstance(rows, list)
    return sum(int(row[side][name]) for row in rows)


def test_the_first_block_of_a_new_day_closes_the_old_one(town: Town) -> None:
    town.issue(3)
    town.anchor()
    assert _closings(town) == []
    town.pass_days(1)
    town.issue(2)
    town.anchor()
    (closing,) = _closings(town)
    assert (closing.day, closing.through) == (FIRST_DAY, 3)
    assert town.log.find(closing_key(FIRST_DAY)) == 4
    assert town.log.block(2).count == 3
    assert town.anchored() == [0, 1, 2, 5, 6]


def test_a_day_is_closed_without_new_invoices_too(town: Town) -> None:
    town.issue(1)
    town.anchor()
    town.pass_days(1)
    assert town.anchor().blocks == 1
    assert [closing.day for closing in _closings(town)] == [FIRST_DAY]
    assert town.anchor().blocks == 0


def test_a_log_without_blocks_has_no_days_to_close(town: Town) -> None:
    town.pass_days(100)
    assert town.anchor().blocks == 0


def test_every_day_is_closed_also_those_without_blocks(town: Town) -> None:
    town.issue(2)
    town.anchor()
    town.pass_days(5)
    town.anchor()
    closings = _closings(town)
    first = date.fromisoformat(FIRST_DAY)
    days = [(first + timedelta(days=n)).isoformat() for n in range(5)]
    assert [closing.day for closing in closings] == days
    assert {closing.through for closing in closings} == {2}
    documents = [_document(town, closing) for closing in closings]
    assert documents[0]["cells"] != []
    assert all(document["cells"] == [] for document in documents[1:])


def test_kinds_of_rate_0_have_cells_of_their_own(town: Town) -> None:
    """In the day's document and in the report by rate; a discount is in its line's."""
    exempt, untaxed = (
        {"tax_rate": "0", "tax_kind": "exempt"},
        {"tax_rate": "0", "tax_kind": "untaxed"},
    )
    lines = [line(**exempt, discount=300), line(**untaxed), line(tax_rate="0"), line()]
    (sold,) = town.sell(order(lines=lines))
    town.anchor()
    town.reverse(sold)
    town.anchor()
    town.pass_days(1)
    town.anchor()
    expected = [("0", None, 11300), ("0", "exempt", 11000), ("0", "untaxed", 11300)]
    (closing,) = _closings(town)
    cells = _document(town, closing)["cells"]
    assert isinstance(cells, list)
    report = totals_report(town.store.totals, town.log, FIRST_DAY, FIRST_DAY, by="rate")
    for rows in (cells, report["rows"]):
        found = [(row["rate"], row.get("tax_kind"), int(row["gross"]["total"])) for row in rows]
        assert found == [*expected, ("0.06", None, 11300)]
        assert all(row["gross"]["count"] == row["reversed"]["count"] == 1 for row in rows)
        assert _sum_of(rows, "net", "total") == 0
    town.audit()


def test_the_day_turns_at_midnight_in_shanghai(town: Town) -> None:
    town.issue(1)
    town.anchor()
    town.now = datetime(2018, 8, 10, 15, 59, 59, tzinfo=UTC)
    assert town.anchor().blocks == 0
    town.now += timedelta(seconds=1)
    assert town.anchor().blocks == 1


def test_a_closing_holds_that_days_blocks_and_no_other(town: Town) -> None:
    """Three days with several blocks each: every closing agrees with the report of its day."""
    for _ in range(3):
        for _ in range(2):
            issued = town.issue(7)
            town.reverse(issued[2])
            town.anchor()
            town.pass_days(0.2)
        town.pass_days(0.6)
    town.anchor()
    closings = _closings(town)
    assert len(closings) == 3
    for closing in closings:
        document = _document(town, closing)
        assert document["day"] == closing.day
        assert document["through"] == closing.through
        report = totals_report(town.store.totals, town.log, closing.day, closing.day, by="merchant")
        assert report["gross"]["count"] == 14
        for side in ("gross", "reversed", "net"):
            for name in ("amount", "tax", "total"):
                assert _sum_of(document["cells"], side, name) == report[side][name]
        by_rate = totals_report(town.store.totals, town.log, closing.day, closing.day, "rate")
        for row in by_rate["rows"]:
            cells = document["cells"]
            assert isinstance(cells, list)
            mine = [cell for cell in cells if cell["rate"] == row["rate"]]
            for side in ("gross", "reversed", "net"):
                for name in ("count", "amount", "tax", "total"):
                    assert _sum_of(mine, side, name) == row[side][name]


def test_the_cells_are_sorted_and_each_stands_once(town: Town) -> None:
    town.issue(30)
    town.anchor()
    town.pass_days(1)
    town.anchor()
    cells = _document(town, _closings(town)[0])["cells"]
    assert isinstance(cells, list)
    keys = [(c["merchant"], c["industry"], c["district"], c["rate"]) for c in cells]
    assert keys == sorted(set(keys))
    assert {key[0] for key in keys} == {merchant.tax_id for merchant in town.merchants}


def test_a_clock_set_back_closes_no_day_twice(town: Town) -> None:
    town.issue(1)
    town.anchor()
    town.pass_days(1)
    town.anchor()
    town.now = NOON
    town.store.issue([], lambda: 0)
    town.anchor()
    town.pass_days(1)
    town.anchor()
    assert [closing.day for closing in _closings(town)] == [FIRST_DAY]


def test_a_document_is_on_disk_before_its_entry_is_sequenced(town: Town) -> None:
    town.issue(1)
    town.anchor()
    town.pass_days(1)
    head = town.log.head()
    close_days(town.store.totals, town.log, head, "2018-08-11", bytes)
    again = Town(town.folder, seed=2)
    assert again.store.totals.closing(FIRST_DAY, 1) is not None
    again.close()


def test_a_killed_workers_document_is_used_by_the_next(town: Town) -> None:
    town.issue(1)
    town.anchor()
    town.pass_days(1)
    close_days(town.store.totals, town.log, town.log.head(), "2018-08-11", lambda n: b"k" * n)
    town.anchor()
    closing = _closings(town)[0]
    stored = town.store.totals.closing(closing.day, closing.through)
    assert stored is not None
    assert stored.salt == b"k" * 16
    _document(town, closing)


def test_a_day_is_added_up_even_where_the_totals_are_behind(town: Town) -> None:
    """Another worker has sealed a block and not come to its totals yet, when midnight strikes."""
    town.issue(1)
    town.anchor()
    town.pass_days(1)
    town.issue(2)
    head = town.log.head()
    drafts = close_days(town.store.totals, town.log, head, "2018-08-11", bytes)
    drafts += [invoice_entry(row) for row in town.store.invoices_after(1, 2)]
    town.log.sequence(head, drafts, sealed_at=town.now, cursor=3)
    town.pass_days(1)
    head = town.log.head()
    (entry,) = close_days(town.store.totals, town.log, head, "2018-08-12", bytes)
    closing = parse_entry(entry)
    assert isinstance(closing, ClosingEntry)
    whole = totals_report(town.store.totals, town.log, "2018-08-11", "2018-08-11")
    cells = _document(town, closing)["cells"]
    assert whole["gross"]["count"] == 2
    assert _sum_of(cells, "gross", "total") == whole["gross"]["total"]


def test_two_workers_at_midnight_store_one_document(town: Town) -> None:
    """Both make a document; the second is given the first one's."""
    town.issue(1)
    town.anchor()

    head = town.log.head()
    first = close_days(town.store.totals, town.log, head, "2018-08-11", lambda n: b"1" * n)
    second = close_days(town.store.totals, town.log, head, "2018-08-11", lambda n: b"2" * n)
    assert first == second


def test_a_block_that_slipped_in_before_midnight_is_in_the_closing(town: Town) -> None:
    """A worker read its clock before midnight and sealed after another had made the document."""
    town.issue(1)
    town.anchor()
    old_head = town.log.head()
    stale = close_days(town.store.totals, town.log, old_head, "2018-08-11", bytes)
    town.issue(1)
    town.anchor()
    town.pass_days(1)
    with pytest.raises(ConflictError, match="log_moved"):
        town.log.sequence(old_head, stale, sealed_at=town.now, cursor=old_head.cursor)
    town.anchor()
    (closing,) = _closings(town)
    assert closing.through == 3
    cells = _document(town, closing)["cells"]
    assert isinstance(cells, list)
    whole = totals_report(town.store.totals, town.log)
    assert sum(int(cell["gross"]["total"]) for cell in cells) == whole["gross"]["total"]


def test_a_day_is_closed_in_the_block_that_holds_the_new_days_invoices(town: Town) -> None:
    """The log alone says which days are closed: all before its last seal's, each exactly once."""
    for step in (0, 0.3, 0.5, 2, 0.1, 1, 0, 3.5):
        town.pass_days(step)
        town.issue(1)
        town.anchor()
    days = [closing.day for closing in _closings(town)]
    sealed = sealing_day(town.log.block(town.log.head().height).sealed_at)
    first = date.fromisoformat(FIRST_DAY)
    count = (date.fromisoformat(sealed) - first).days
    assert days == [(first + timedelta(days=n)).isoformat() for n in range(count)]


def test_the_salt_is_fresh_for_every_closing(town: Town) -> None:
    town.issue(1)
    town.anchor()
    town.pass_days(3)
    town.anchor()
    salts = set()
    for closing in _closings(town):
        stored = town.store.totals.closing(closing.day, closing.through)
        assert stored is not None
        salts.add(stored.salt)
    assert len(salts) == 3


def test_the_same_day_in_any_blocks_gives_the_same_cells(town: Town) -> None:
    town.issue(12)
    anchor_pending(replace(town.anchoring, max_block=5))
    town.pass_days(1)
    town.anchor()
    folder = town.folder / "other"
    folder.mkdir()
    other = Town(folder)
    other.settle_in()
    other.issue(12)
    other.anchor()
    other.pass_days(1)
    other.anchor()
    assert (town.log.head().height, other.log.head().height) == (4, 2)
    cells = [_document(each, _closings(each)[0])["cells"] for each in (town, other)]
    assert cells[0] == cells[1]
    other.close()


def test_a_closing_of_the_first_version_is_what_it_was(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logs that were begun before have such documents, and go on with the newer ones."""
    with monkeypatch.context() as older:
        older.setattr(
            close,
            "totals_document",
            lambda day, through, cells: totals_document(day, through, cells, 1),
        )
        town.issue(3)
        town.anchor()
        town.pass_days(1)
        town.issue(2)
        town.anchor()
    town.pass_days(1)
    town.anchor()
    assert [_document(town, one)["version"] for one in _closings(town)] == [1, 2]
    assert town.audit().closings == 2


def test_days_that_are_closed_late_are_counted_until_then(town: Town) -> None:
    town.issue(3)
    town.anchor()
    town.pass_days(CLOSINGS_A_BLOCK + 2)
    town.anchor()
    found = town.audit()
    assert (found.closings, found.unclosed) == (CLOSINGS_A_BLOCK, 2)
    town.issue(2)
    town.anchor()
    found = town.audit()
    assert (found.closings, found.unclosed) == (CLOSINGS_A_BLOCK + 2, 0)


LARGEST = 10**13  # fen on one invoice


def _largest(town: Town, number: int) -> Prepared:
    """An order of the largest amount there is, of one merchant."""
    lines = [{"name": "*不动产*楼", "unit_price": LARGEST, "tax_rate": "0.13"}]
    body = msgspec.json.encode({"order_id": f"L-{number}", "lines": lines})
    salts = town.random.randbytes(48)
    return prepare(parse_request(body), town.merchants[0], salts=salts, rates=RATES)


def test_a_day_comes_to_more_than_every_json_reader_keeps_exactly(town: Town) -> None:
    """One cell above 2^53 fen: closed like any other, and no invoice of anybody waits for it."""
    town.hand_in([_largest(town, number) for number in range(901)])
    town.anchor()
    town.pass_days(1)
    town.issue(1, merchant=1)
    done = town.anchor()
    assert (done.invoices, done.left) == (1, ())
    (cell,) = _cells(town)
    amount, tax = 901 * 8_849_557_522_124, 901 * 1_150_442_477_876
    assert cell["net"] == {
        "count": 901,
        "amount": str(amount),
        "tax": str(tax),
        "total": str(901 * LARGEST),
    }
    assert 901 * LARGEST > canonical.MAX_INTEGER
    assert town.audit().closings == 1


def _cells(town: Town) -> list[dict[str, Any]]:
    cells = _document(town, _closings(town)[0])["cells"]
    assert isinstance(cells, list)
    return cells


def test_what_no_cell_has_is_left_out_of_it(town: Town) -> None:
    town.issue(1)
    town.anchor()
    town.pass_days(1)
    town.anchor()
    names = ["district", "gross", "industry", "merchant", "net", "rate", "reversed"]
    assert all(sorted(cell) == names for cell in _cells(town))
    key = CellKey("M", "till 1", "6210", "440303", "0", "exempt")
    (row,) = msgspec.json.decode(totals_document(FIRST_DAY, 1, {key: [0] * 8}))["cells"]
    assert (row["till"], row["tax_kind"]) == ("till 1", "exempt")


@pytest.mark.parametrize("error", [OverflowError("int too large"), MalformedError("x", "y")])
def test_a_closing_that_fails_stops_no_invoice(
    town: Town, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """It is said in the run's answer and tried again; the days are closed late, and in order."""
    town.issue(1)
    town.anchor()

    def fail(*_: object) -> bytes:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(close, "totals_document", fail)
        for _ in range(3):
            town.pass_days(1)
            town.issue(2)
            done = town.anchor()
            assert (done.blocks, done.invoices, done.published) == (1, 2, done.size)
            assert len(done.left) == 1
        assert _closings(town) == []
        assert town.audit().unclosed == 3
    assert town.anchor().left == ()
    days = [f"2018-08-{day}" for day in (10, 11, 12)]
    assert [(one.day, one.through) for one in _closings(town)] == [
        (day, town.log.block(height).size - 1) for height, day in enumerate(days, 1)
    ]
    for closing in _closings(town):
        whole = totals_report(town.store.totals, town.log, closing.day, closing.day)
        cells = _document(town, closing)["cells"]
        assert _sum_of(cells, "net", "total") == whole["net"]["total"]
    found = town.audit()
    assert (found.closings, found.unclosed) == (3, 0)


def test_totals_that_fail_stop_no_invoice(town: Town) -> None:
    town.issue(1)

    class Broken:
        def __getattr__(self, name: str) -> object:
            return getattr(town.store.totals, name)

        def append(self, *_: object) -> None:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")

    done = anchor_pending(replace(town.anchoring, totals=Broken()))  # type: ignore[arg-type]
    assert (done.invoices, done.published) == (1, 2)
    assert [problem.code for problem in done.left] == ["internal_error"]
    assert town.anchor().left == ()
    assert town.store.totals.last_height() == 1


def test_a_block_closes_few_days(town: Town) -> None:
    """However far a clock ran ahead, its block is not filled with days."""
    town.issue(1)
    town.anchor()
    town.pass_days(100)
    town.issue(1)
    town.anchor()
    assert town.log.block(2).count == CLOSINGS_A_BLOCK + 1
    while town.anchor().blocks:
        pass
    assert len(_closings(town)) == 100
    assert town.audit().closings == 100
