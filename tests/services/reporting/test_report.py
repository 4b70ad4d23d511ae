"""The totals report: equal to adding up invoices one by one, and the same bytes for ever."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from chain import canonical
from chain.block import Block
from chain.errors import MalformedError, NotFoundError, UnavailableError
from chain.hashing import EMPTY_ROOT, ZERO
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.services.anchoring.totals import sealing_day
from invoice_service.services.reporting.report import BY, report_bytes, totals_report
from tests.scale import share
from tests.services.town import NOON, Town

SIDES = ("gross", "reversed", "net")
NOTHING = {"count": 0, "amount": 0, "tax": 0, "total": 0}


def _report(
    town: Town,
    first: str | None = None,
    last: str | None = None,
    *,
    by: str = "day",
    at: int | None = None,
) -> dict[str, Any]:
    return totals_report(town.store.totals, town.log, first, last, by, at)


def _read(written: bytes) -> Any:  # noqa: ANN401 # any JSON
    """A report's bytes read back, fen as numbers again: each stands there as a decimal string."""
    report = msgspec.json.decode(written)
    for row in (report, *report["rows"]):
        for side in SIDES:
            fen = {name: row[side][name] for name in ("amount", "tax", "total")}
            assert all(isinstance(text, str) for text in fen.values())
            row[side] |= {name: int(text) for name, text in fen.items()}
    return report


def _history(town: Town) -> None:
    """Issue, reverse and seal over five days, several blocks a day; the last has only closings."""
    town.tills = ["", "1", "2"]
    for number in range(11):
        issued = town.issue(1 + number % 4)
        if number % 3 == 1:
            town.reverse(issued[0])
        town.anchor()
        town.pass_days(0.45)
    town.pass_days(1)
    town.anchor()


def _taken(town: Town, height: int) -> Iterator[tuple[str, StoredInvoice]]:
    """Every invoice up to a block, with the day on which it was sealed."""
    cursor = 0
    for block in town.log.blocks(0, height):
        for seq in range(cursor + 1, block.cursor + 1):
            invoice = town.store.invoice_at(seq)
            assert invoice is not None
            yield sealing_day(block.sealed_at), invoice
        cursor = block.cursor


def _parts(by: str, day: str, invoice: StoredInvoice) -> list[tuple[str, int, int]]:
    """(key, amount, tax) of each cell that an invoice belongs to, from its document alone."""
    face = canonical.decode_canonical(invoice.face)
    lines = canonical.decode_canonical(invoice.lines)
    assert isinstance(face, dict)
    assert isinstance(lines, list)
    if by == "rate":
        rates: dict[str, list[int]] = {}
        for line in lines:
            assert isinstance(line, dict)
            sums = rates.setdefault(str(line["tax_rate"]), [0, 0])
            sums[0] += int(str(line["amount"]))
            sums[1] += int(str(line["tax"]))
        return [(rate, amount, tax) for rate, (amount, tax) in rates.items()]
    seller = face["seller"]
    assert isinstance(seller, dict)
    if by == "till":
        return [(str(face["till"]), invoice.amount, invoice.tax)] if "till" in face else []
    key = {"day": day, "merchant": seller["tax_id"]}.get(by) or face[by]
    return [(str(key), invoice.amount, invoice.tax)]


def _slow_rows(
    town: Town, by: str, first: str, last: str, height: int
) -> dict[str, dict[str, dict[str, int]]]:
    """The report's rows, added up invoice by invoice."""
    rows: dict[str, dict[str, dict[str, int]]] = {}
    for day, invoice in _taken(town, height):
        if not first <= day <= last:
            continue
        for key, amount, tax in _parts(by, day, invoice):
            row = rows.setdefault(key, {side: dict(NOTHING) for side in SIDES})
            red = invoice.type == "red"
            for side in ("reversed" if red else "gross", "net"):
                row[side]["count"] += -1 if red and side == "net" else 1
                row[side]["amount"] += amount
                row[side]["tax"] += tax
                row[side]["total"] += amount + tax
    return rows


@pytest.mark.parametrize("by", BY)
def test_a_report_equals_adding_up_the_documents(town: Town, by: str) -> None:
    _history(town)
    days = ("2018-08-09", "2018-08-10", "2018-08-12", "2018-08-14", "2018-08-20")
    head = town.log.head().height
    for height in (0, 1, 3, head - 1, head):
        for first in days:
            for last in days:
                if first > last:
                    continue
                report = _report(town, first, last, by=by, at=height)
                rows = {row[by]: {side: row[side] for side in SIDES} for row in report["rows"]}
                assert rows == _slow_rows(town, by, first, last, height)


@pytest.mark.parametrize("by", ["day", "industry", "district", "merchant"])
def test_rows_add_up_to_the_whole(town: Town, by: str) -> None:
    _history(town)
    report = _report(town, by=by)
    for side in SIDES:
        for name in NOTHING:
            assert sum(row[side][name] for row in report["rows"]) == report[side][name]
    assert report["gross"]["count"] == 26
    assert report["reversed"]["count"] == 4
    assert report["reversed"]["total"] < 0


@pytest.mark.parametrize("by", BY)
def test_the_same_block_gives_the_same_bytes_after_more_blocks(town: Town, by: str) -> None:
    _history(town)
    height = town.log.head().height
    before = report_bytes(_report(town, by=by))
    assert before == canonical.encode(canonical.decode(before))
    assert _read(before) == _report(town, by=by)
    _history(town)
    town.pass_days(30)
    town.anchor()
    assert report_bytes(_report(town, by=by, at=height)) == before
    assert report_bytes(_report(town, by=by)) != before


def test_a_till_is_its_merchants(town: Town) -> None:
    town.tills = ["1"]
    issued = town.issue(6)
    town.reverse(issued[0])
    town.anchor()
    rows = _report(town, by="till")["rows"]
    assert [(row["merchant"], row["till"]) for row in rows] == [
        (merchant.tax_id, "1") for merchant in sorted(town.merchants, key=lambda one: one.tax_id)
    ]
    assert sum(row["net"]["total"] for row in rows) == sum(one.total for one in issued[1:])


def test_a_report_names_its_block(town: Town) -> None:
    town.issue(2)
    town.anchor()
    block = town.log.block(1)
    assert _report(town)["block"] == {
        "height": 1,
        "seal": block.seal.hex(),
        "sealed_at": "2018-08-10T04:00:00Z",
        "size": 3,
        "root": block.root.hex(),
    }


def test_industries_and_districts_come_with_their_names(town: Town) -> None:
    town.issue(3)
    town.anchor()
    industries = {row["industry"]: row for row in _report(town, by="industry")["rows"]}
    assert industries["6210"]["name_zh"] == "正餐服务"
    districts = {row["district"]: row for row in _report(town, by="district")["rows"]}
    assert (districts["440305"]["name_zh"], districts["440305"]["name_en"]) == ("南山区", "Nanshan")
    assert "name_zh" not in _report(town, by="merchant")["rows"][0]


def test_a_day_is_the_day_of_sealing(town: Town) -> None:
    """Issued on one side of midnight and sealed on the other: counted where it was sealed."""
    town.issue(1)
    town.pass_days(1)
    town.anchor()
    assert [row["day"] for row in _report(town)["rows"]] == ["2018-08-11"]


def test_days_that_are_left_out_are_those_of_the_log(town: Town) -> None:
    _history(town)
    report = _report(town)
    assert (report["from"], report["to"]) == ("2018-08-10", "2018-08-16")
    early = _report(town, at=1)
    assert (early["from"], early["to"]) == ("2018-08-10", "2018-08-10")
    before = _report(town, None, "2018-08-01")
    assert (before["from"], before["to"], before["rows"]) == ("2018-08-01", "2018-08-01", [])
    after = _report(town, "2019-01-01")
    assert (after["from"], after["to"], after["net"]) == ("2019-01-01", "2019-01-01", NOTHING)


@pytest.mark.parametrize("by", BY)
def test_an_empty_log_has_an_empty_report(town: Town, by: str) -> None:
    report = _report(town, by=by)
    assert report["block"] == {
        "height": 0,
        "seal": ZERO.hex(),
        "sealed_at": "",
        "size": 0,
        "root": EMPTY_ROOT.hex(),
    }
    assert report["rows"] == []
    assert all(report[side] == NOTHING for side in SIDES)
    assert _read(report_bytes(report)) == report
    _report(town, "2018-01-01", "2018-12-31", by=by, at=0)


@pytest.mark.parametrize(
    ("first", "last", "by", "at", "code", "pointer"),
    [
        ("2018-8-10", None, "day", None, "day_invalid", "/from"),
        ("2018-02-30", None, "day", None, "day_invalid", "/from"),
        ("20180810", None, "day", None, "day_invalid", "/from"),
        ("２０１８-08-10", None, "day", None, "day_invalid", "/from"),
        ("", None, "day", None, "day_invalid", "/from"),
        ("0001-01-01", None, "day", None, "day_invalid", "/from"),
        (None, "2018-13-01", "day", None, "day_invalid", "/to"),
        (None, "2018-08-10\n", "day", None, "day_invalid", "/to"),
        ("2018-08-11", "2018-08-10", "day", None, "range_invalid", "/from"),
        (None, None, "city", None, "by_unknown", "/by"),
        (None, None, "", None, "by_unknown", "/by"),
        (None, None, "day", 2, "block_unknown", "/at_block"),
        (None, None, "day", -1, "block_unknown", "/at_block"),
        (None, None, "day", 10**15, "block_unknown", "/at_block"),
    ],
)
def test_bad_questions_are_refused_by_name(
    town: Town,
    first: str | None,
    last: str | None,
    by: str,
    at: int | None,
    code: str,
    pointer: str,
) -> None:
    town.issue(1)
    town.anchor()
    with pytest.raises((MalformedError, NotFoundError)) as caught:
        _report(town, first, last, by=by, at=at)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


def test_a_block_that_is_not_added_up_yet_is_not_an_unknown_one(town: Town) -> None:
    town.issue(1)
    town.anchor()
    head = town.log.head()
    draft = b'{"anchor":"%s","kind":"invoice"}' % (b"ab" * 32)
    town.log.sequence(head, [draft], sealed_at=NOON, cursor=head.cursor)
    with pytest.raises(UnavailableError, match="totals_behind"):
        _report(town, at=2)
    assert _report(town)["block"]["height"] == 1


BLOCKS, INVOICES, MERCHANTS = share(20_000, 4_000), share(1_000_000, 200_000), 2_000


class _Sealed:
    """The log of a year with a block every 26 minutes."""

    def block(self, height: int) -> Block:
        sealed_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=26 * height)
        each = INVOICES // BLOCKS
        size, cursor = height * (each + 1), height * each
        return Block(height, size - each - 1, each, size, ZERO, b"", ZERO, sealed_at, cursor)


def _fill(path: Path) -> None:
    """Write the rows that a year with a million invoices leaves in the totals."""
    random = Random(1)
    keys = [(0, ""), *((1, f"{n:03}") for n in range(113)), *((2, f"44030{n}") for n in range(9))]
    keys += [*((3, f"0.{n:02}") for n in range(7)), *((4, f"{n:018}") for n in range(MERCHANTS))]
    keys += [(5, f"{n:018}/{n % 3}") for n in range(100)]
    by_dimension = [[i for i, (d, _) in enumerate(keys, 1) if d == dim] for dim in range(6)]
    counts = dict.fromkeys(range(1, len(keys) + 1), 0)
    rows = []
    for height in range(1, BLOCKS + 1):
        touched = {random.choice(ids) for ids in by_dimension for _ in range(INVOICES // BLOCKS)}
        for cell in touched:
            counts[cell] = count = counts[cell] + 1
            rows.append((cell, height, count, count * 9434, count * 566, count * 10000, 0, 0, 0, 0))
    days = [
        (height, sealing_day(_Sealed().block(height).sealed_at)) for height in range(1, BLOCKS + 1)
    ]
    connection = sqlite3.connect(path)
    for table in ("cells", "totals", "blocks_totalled"):
        connection.execute(f"DROP TRIGGER {table}_append")  # for speed: they look up every row
    cells = [(i, *key) for i, key in enumerate(keys, 1)]
    connection.executemany("INSERT INTO cells VALUES (?, ?, ?)", cells)
    connection.executemany("INSERT INTO blocks_totalled VALUES (?, ?)", days)
    rows.sort()
    zeros = ", 0" * 6
    connection.executemany(f"INSERT INTO totals VALUES (?{', ?' * 9}{zeros})", rows)
    connection.commit()
    connection.close()


@pytest.mark.slow
@pytest.mark.scaled
def test_a_report_over_a_million_invoices_seeks_and_does_not_sum(town: Town) -> None:
    """Counted in steps of SQLite's machine; ``make bench`` measures the milliseconds."""
    _fill(town.folder / "invoices.db")
    for by in BY:
        for first, last in ((None, None), ("2026-03-01", "2026-09-30")):
            steps = _Steps()
            with town.store.connections.reading() as connection:
                connection.set_progress_handler(steps, 100)
                report = totals_report(town.store.totals, _Sealed(), first, last, by)
                connection.set_progress_handler(None, 0)
            assert report["rows"]
            rows = len(report["rows"])
            assert steps.hundreds * 100 < 200 * rows + 20_000, by


class _Steps:
    """Counts hundreds of steps."""

    def __init__(self) -> None:
        self.hundreds = 0

    def __call__(self) -> int:
        self.hundreds += 1
        return 0
