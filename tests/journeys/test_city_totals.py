"""Every mix of two dimensions over a simulated year, held against DuckDB over the source rows."""

import csv
import itertools
import json
import sqlite3
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from invoice_service.commands.replay import run_plan
from invoice_service.config import load
from invoice_service.replay.produce import Plan
from invoice_service.services.anchoring.totals import sealing_day
from invoice_service.services.reporting.mix import mixed_report, report_parts
from invoice_service.services.reporting.question import DIMENSIONS, ask
from invoice_service.wiring import Instance, open_instance
from tests.scale import share

if TYPE_CHECKING:
    import duckdb

PLAN = Plan(
    invoices=share(1_000_000, 3_000),
    merchants=share(5_308, 200),
    seed=4,
    days=share(365, 60),
    first_day=date(2025, 12, 1),
)
"""A usual run has two months, with a year's end between them."""

KEYS = {
    "day": "strftime(day, '%Y-%m-%d')",
    "week": "printf('%04d-W%02d', isoyear(day), week(day))",
    "month": "strftime(day, '%Y-%m')",
    "quarter": "printf('%04d-Q%d', year(day), quarter(day))",
    "year": "strftime(day, '%Y')",
    "section": "section",
    "division": "industry[1:2]",
    "group": "industry[1:3]",
    "class": "industry",
    "industry": "industry",
    "district": "district",
    "merchant": "merchant",
    "till": "till",
    "rate": "rate",
    "tax_kind": "kind",
    "type": "type",
    "state": "state",
}
SIDES = ("gross", "reversed", "net")
MEASURES = ("count", "amount", "tax", "total")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """The instance after its year."""
    folder = tmp_path_factory.mktemp("city")
    config = load(None, {"FAPIAO_SERVICE_DATA_DIR": str(folder / "main")})
    outcome = run_plan(config, PLAN)
    assert outcome.invoices == PLAN.invoices
    assert outcome.reversals
    instance = open_instance(config)
    yield instance
    instance.close()


@pytest.fixture(scope="module")
def source(city: Instance, tmp_path_factory: pytest.TempPathFactory) -> "duckdb.DuckDBPyConnection":
    """The rows as they were issued, with the day of their block: no sum of ours."""
    folder = tmp_path_factory.mktemp("source")
    _write_rows(city, folder)
    import duckdb

    industries = files("invoice_service").joinpath("data", "gbt4754-2017.csv")
    database = duckdb.connect()
    database.execute(
        f"""
        CREATE TABLE parts AS SELECT * FROM read_csv('{folder / "parts.csv"}', all_varchar = false,
            types = {{'merchant': 'VARCHAR', 'till': 'VARCHAR', 'industry': 'VARCHAR',
            'district': 'VARCHAR', 'rate': 'VARCHAR', 'kind': 'VARCHAR', 'day': 'DATE'}},
            nullstr = '-');
        CREATE TABLE divisions AS SELECT code, parent FROM read_csv('{industries}',
            all_varchar = true) WHERE level = 'division';
        CREATE TABLE returned AS SELECT reverses AS seq, sum(amount + tax) AS fen FROM parts
            WHERE type = 'red' GROUP BY reverses;
        CREATE TABLE totals AS SELECT seq, sum(amount + tax) AS fen FROM parts GROUP BY seq;
        CREATE VIEW rows AS SELECT parts.*, parent AS section, CASE
            WHEN returned.fen IS NULL THEN 'valid' WHEN returned.fen + totals.fen = 0 THEN 'full'
            ELSE 'part' END AS state
        FROM parts JOIN divisions ON code = industry[1:2] JOIN totals USING (seq)
            LEFT JOIN returned USING (seq);
        """
    )
    return database


def _write_rows(city: Instance, folder: Path) -> None:
    """One line for each rate of an invoice."""
    reading = sqlite3.connect(city.config.invoices_db)
    rows = reading.execute(
        "SELECT seq, type, tax_id, invoices.till, invoices.industry, invoices.district, rates,"
        " reverses FROM invoices JOIN merchants ON merchants.id = merchant_id ORDER BY seq"
    )
    header = [
        "seq",
        "type",
        "merchant",
        "till",
        "industry",
        "district",
        "reverses",
        "rate",
        "kind",
        "amount",
        "tax",
        "day",
    ]
    with (folder / "parts.csv").open("w", newline="") as file:
        write = csv.writer(file)
        write.writerow(header)
        blocks = iter(city.log.blocks(0, 10**6))
        block = next(blocks)
        for seq, *said, rates, reverses in rows:
            while block.cursor < seq:
                block = next(blocks)
            day = sealing_day(block.sealed_at)
            for name, amount, tax in json.loads(rates):
                rate, _, kind = name.partition(" ")
                write.writerow([seq, *said, reverses or "-", rate, kind, amount, tax, day])
    reading.close()


def _expected(
    source: "duckdb.DuckDBPyConnection", by: tuple[str, ...]
) -> Iterator[tuple[Any, ...]]:
    """Keys and the eight sums, in the order of keys."""
    keys = ", ".join(f"coalesce({KEYS[name]}, '') AS k{at}" for at, name in enumerate(by))
    groups = ", ".join(f"k{at}" for at in range(len(by)))
    # One with several rates counts in each of them, where rows are by rates.
    rated = not {"rate", "tax_kind"}.isdisjoint(by)
    number = "count(*)" if rated else "count(DISTINCT seq)"
    sums = ", ".join(
        f"coalesce({what} FILTER (type = '{type_}'), 0)::HUGEINT"
        for type_ in ("blue", "red")
        for what in (number, "sum(amount)", "sum(tax)", "sum(amount + tax)")
    )
    found = source.execute(
        f"SELECT {groups}, {sums} FROM (SELECT *, {keys} FROM rows)"
        f" GROUP BY {groups} ORDER BY {groups}"
    )
    while some := found.fetchmany(10_000):
        yield from some


def _reported(city: Instance, by: tuple[str, ...], **words: str) -> Iterator[tuple[Any, ...]]:
    report = mixed_report(city.store.totals, city.log, ask({"by": ",".join(by), **words}))
    for row in report.rows:
        sums = (int(row[side][name]) for side in SIDES[:2] for name in MEASURES)
        yield *row["keys"].values(), *sums


def _same(found: Iterator[tuple[Any, ...]], expected: Iterator[tuple[Any, ...]]) -> int:
    rows = 0
    for one, other in itertools.zip_longest(found, expected):
        assert one == other
        rows += 1
    return rows


MIXES = [*((name,) for name in DIMENSIONS), *itertools.combinations(DIMENSIONS, 2)]


@pytest.mark.slow
@pytest.mark.scaled
def test_every_mix_of_two_dimensions_is_that_of_the_source(
    city: Instance, source: "duckdb.DuckDBPyConnection"
) -> None:
    states = source.execute("SELECT DISTINCT state FROM rows ORDER BY state").fetchall()
    assert states == [("full",), ("part",), ("valid",)]
    rows = 0
    for mix in MIXES:
        by = ask({"by": ",".join(mix)}).by
        rows += _same(_reported(city, by, measure="net"), _expected(source, by))
    assert rows > len(MIXES) * 3


@pytest.mark.slow
@pytest.mark.scaled
@pytest.mark.parametrize("by", [("merchant",), ("month", "class", "district"), ("state", "rate")])
def test_the_bytes_of_a_report_say_the_same(
    city: Instance, source: "duckdb.DuckDBPyConnection", by: tuple[str, ...]
) -> None:
    """And each row's net is what is left, each whole what all documents come to."""
    made = mixed_report(city.store.totals, city.log, ask({"by": ",".join(by), "measure": "net"}))
    report = msgspec.json.decode(b"".join(report_parts(made)))
    for row, (*_, number, amount, tax, total, reds, red_amount, red_tax, red_total) in zip(
        report["rows"], _expected(source, by), strict=True
    ):
        net = (number - reds, amount + red_amount, tax + red_tax, total + red_total)
        assert tuple(int(row["net"][name]) for name in MEASURES) == net
    (whole,) = source.execute(
        "SELECT count(DISTINCT seq) FILTER (type = 'blue'), sum(amount + tax) FROM rows"
    ).fetchall()
    assert (report["gross"]["count"], int(report["net"]["total"])) == whole
