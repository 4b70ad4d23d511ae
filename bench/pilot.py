"""The pilot's first year through the real path, and what it came to: ``python -m bench --year``.

Five million nine hundred thousand invoices of 5,308 merchants in 113 industries, for 3.9 billion
yuan. Every one must be anchored, and every report equal to the fen to sums that SQLite makes of
the invoices' rows, which has nothing to do with the totals that the reports read.
"""

import json
import random
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.processes import Spent, own_cpu, tree
from bench.raw import raw_rate
from bench.reporting import ReplayError, config_of, replaying, time_reports
from bench.run import Run
from bench.table import Limit, Measure
from chain.commitment import anchor, parse_password_area
from chain.proof.file import parse_proof
from chain.proof.verify import verify_proof
from invoice_service.config import Config
from invoice_service.services.checking.prove import build
from invoice_service.services.reporting.report import totals_report
from invoice_service.wiring import Instance, open_instance

INVOICES = 5_910_000
MERCHANTS = 5_308
INDUSTRIES = 113
FIRST_DAY = "2018-08-10"
AIM_SECONDS = 900

POINTS = (10_000, 30_000, 100_000, 300_000, 1_000_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000)
"""Sizes at which the curves are read; and at the end."""

LOOK_SECONDS = 0.5
PROOFS = 1_000
"""How many proof files are built and checked at the end, of invoices over the whole year."""


class PilotError(Exception):
    """The year is not what it must be; the message says where."""


@dataclass(frozen=True, slots=True)
class Point:
    """What was seen ``seconds`` after the start, of all processes together.

    Processor seconds so far, invoices stored, memory (MiB, PSS).
    """

    seconds: float
    cpu: float
    invoices: int
    memory: float


@dataclass(frozen=True, slots=True)
class Checked:
    """A year that is what it must be; ``figures`` is how many were compared, ``total`` in fen."""

    invoices: int
    industries: int
    total: int
    blocks: int
    figures: int


def pilot_year(run: Run) -> Iterator[Measure]:
    """Replay it, check it, and give what was found; PilotError unless all of it holds."""
    place = run.folder / "year"
    spent = own_cpu()
    result, points = _replayed(place, run.size)
    spent = own_cpu() - spent
    config = config_of(place)
    run.say("its reports beside sums of its rows, and some of its proof files")
    checked = check_year(config)
    _same("invoices", checked.invoices, result["invoices"] + result["reversals"])
    _same("net total", checked.total, result["net_total"])
    run.say("how long its reports take, and its rows inserted raw")
    _, reports = time_reports(config)
    raw = raw_rate(config.invoices_db, run.folder)
    yield Measure(
        "the year",
        f"{checked.invoices:,} invoices of {MERCHANTS:,} merchants",
        result["seconds"],
        "s",
        aim=AIM_SECONDS if run.size == INVOICES else None,
        less_is_better=True,
        limits=(Limit("the same rows inserted raw", checked.invoices / raw),),
        note=f"every one anchored, in {checked.blocks:,} blocks;"
        f" {checked.figures:,} figures equal to the fen",
    )
    yield Measure(
        *("the year", "processor time of all of it", spent, "s"),
        less_is_better=True,
        note=f"{spent * 1e6 / checked.invoices:.0f} µs an invoice, in three processes",
    )
    yield Measure("the year", "industries", checked.industries, "")
    million = checked.total / 1e8
    yield Measure("the year", "million yuan", million, "", note="reversed ones taken off")
    yield from _curves(points)
    for by, rate in reports.items():
        yield Measure(
            *("reports", f"totals of the year by {by}", rate.p99 * 1e3, "ms", 50),
            less_is_better=True,
            note=f"slowest of {rate.count}",
        )
    yield from _bytes(config, checked.invoices)


def check_year(config: Config) -> Checked:
    """Check the year at rest: everything anchored, every report right; PilotError if not."""
    facts = _facts(config.invoices_db)
    with closing(open_instance(config)) as instance:
        _check_size(facts, instance)
        figures = _check_reports(config.invoices_db, instance)
        _check_proofs(instance)
        blocks = instance.log.head().height
    return Checked(facts["invoices"], facts["industries"], facts["total"], blocks, figures)


def _replayed(place: Path, size: int) -> tuple[dict[str, int], list[Point]]:
    """Replay the year in a process of its own, and watch it grow."""
    options = ["--merchants", str(MERCHANTS), "--from", FIRST_DAY]
    errors = place.with_suffix(".err")
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            [*replaying(place, size), *options], stdout=subprocess.PIPE, stderr=stderr
        )
    try:
        points = list(_watched(process, config_of(place).invoices_db))
        output = process.stdout.read() if process.stdout else b""
        failed = process.wait()
    finally:
        process.terminate()  # of no effect on one that has ended
        process.wait()
    if failed:
        raise ReplayError(errors.read_text(encoding="utf-8", errors="replace"))
    return json.loads(output), points


def _watched(process: "subprocess.Popen[bytes]", invoices_db: Path) -> Iterator[Point]:
    """Look at it now and then until it ends."""
    began = time.perf_counter()
    spent = Spent()
    while process.poll() is None:
        processes = tree()
        yield Point(
            time.perf_counter() - began,
            spent.seen(processes),
            _stored(invoices_db),
            sum(one.pss for one in processes),
        )
        time.sleep(LOOK_SECONDS)


def _stored(invoices_db: Path) -> int:
    """How many invoices are stored; 0 while there is no database."""
    try:
        uri = f"{invoices_db.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            row = connection.execute("SELECT max(seq) FROM invoices").fetchone()
    except sqlite3.Error:
        return 0
    return int(row[0] or 0)


def _curves(points: list[Point]) -> Iterator[Measure]:
    """Time an invoice and memory, stretch by stretch."""
    end = points[-1]  # what is anchored after the last is issued counts, too
    before = next(point for point in points if point.invoices)
    looks = (next((p for p in points if p.invoices >= size), end) for size in POINTS)
    for here in [*(look for look in looks if look.invoices < end.invoices), end]:
        made = here.invoices - before.invoices
        if made <= 0:
            continue  # too few for one look between the two sizes
        yield Measure(
            *("curve", f"processor time, {before.invoices:,} to {here.invoices:,} invoices"),
            *((here.cpu - before.cpu) * 1e6 / made, "µs each"),
            less_is_better=True,
            note=f"{(here.seconds - before.seconds) * 1e6 / made:.0f} µs by the clock;"
            f" {here.memory:.0f} MiB",
        )
        before = here


_FACTS = """
SELECT (SELECT count(*) FROM invoices), (SELECT sum(total) FROM invoices),
    (SELECT count(*) FROM closings), (SELECT count(*) FROM logged_acts),
    count(*), count(DISTINCT industry)
FROM merchants
"""


def _facts(invoices_db: Path) -> dict[str, int]:
    """What stands in the rows."""
    with closing(sqlite3.connect(invoices_db)) as connection:
        facts = connection.execute(_FACTS).fetchone()
    names = ("invoices", "total", "closings", "acts", "merchants", "industries")
    return dict(zip(names, facts, strict=True))


def _check_size(facts: dict[str, int], instance: Instance) -> None:
    """All of them are there, and in the log, each once: an entry of the log has a name of its own.

    Besides them, it has closings, acts (each merchant's admission) and the blocks' seals.
    """
    head = instance.log.head()
    beside = facts["closings"] + facts["acts"] + head.height
    published = instance.log.latest_checkpoint()[0].size
    _same("taken into the log", head.cursor, facts["invoices"])
    _same("entries of the log", head.size - beside, facts["invoices"])
    _same("published entries", published, head.size)
    _same("merchants", facts["merchants"], MERCHANTS)
    _same("industries", facts["industries"], INDUSTRIES)


_KEYS = {
    "day": "date(issued_at + 28800, 'unixepoch')",
    "industry": "industry",
    "district": "district",
    "merchant": "(SELECT tax_id FROM merchants WHERE id = merchant_id)",
    "rate": "json_extract(value, '$[0]')",
}
_OF_RATE = ("json_extract(value, '$[1]')", "json_extract(value, '$[2]')")


def _check_reports(invoices_db: Path, instance: Instance) -> int:
    """Compare every figure of every report with a sum of rows; return how many there were."""
    compared = 0
    with closing(sqlite3.connect(invoices_db)) as connection:
        for by in _KEYS:  # the pilot knows no tills
            report = totals_report(instance.store.totals, instance.log, by=by)
            expected = dict(_sums(connection, by))
            found = {row[by]: _eight(row) for row in report["rows"]}
            _same(f"report by {by}: keys", sorted(found), sorted(expected))
            for key, sums in found.items():
                _same(f"report by {by}: {key}", sums, expected[key])
            if by != "rate":  # an invoice with two rates counts once in each
                whole = [sum(column) for column in zip(*expected.values(), strict=True)]
                _same(f"report by {by}: the whole", _eight(report), whole)
            compared += 8 * (len(found) + 1)
    return compared


def _sums(connection: sqlite3.Connection, by: str) -> Iterator[tuple[str, list[int]]]:
    """Add up the rows by ``by``: count, amount, tax, total of blue ones, then of red ones."""
    amount, tax = _OF_RATE if by == "rate" else ("amount", "tax")
    source = "invoices, json_each(rates)" if by == "rate" else "invoices"
    sums = ", ".join(
        f"sum(iif(invoices.type = '{kind}', {what}, 0))"
        for kind in ("blue", "red")
        for what in ("1", amount, tax, f"{amount} + {tax}")
    )
    query = f"SELECT {_KEYS[by]} AS k, {sums} FROM {source} GROUP BY k"
    for key, *found in connection.execute(query):
        yield key, found


def _eight(row: dict[str, dict[str, int]]) -> list[int]:
    names = ("count", "amount", "tax", "total")
    return [row[side][name] for side in ("gross", "reversed") for name in names]


def _check_proofs(instance: Instance) -> None:
    """Build and check proof files of invoices from the first to the last."""
    last = instance.store.last_seq()
    chosen = random.Random(1).sample(range(2, last), min(PROOFS, last - 2))
    for seq in sorted([1, last, *chosen]):
        invoice = instance.store.invoice_at(seq)
        if invoice is None:
            raise PilotError(f"invoice {seq} is not stored")
        digest = parse_password_area(invoice.hash)
        proof = parse_proof(build(instance.store, instance.log, digest))
        verify_proof(proof, instance.log_key)
        _same(f"proof of invoice {seq}", proof.document, digest)
        _same(f"anchor of invoice {seq}", instance.log.find(anchor(digest)), proof.placed.index)


def _bytes(config: Config, invoices: int) -> Iterator[Measure]:
    tiles = sum(path.stat().st_size for path in config.log_dir.rglob("*") if path.is_file())
    sizes = {
        "invoices.db": config.invoices_db.stat().st_size,
        "log.db": config.log_db.stat().st_size,
        "tiles": tiles,
    }
    for name, size in (*sizes.items(), ("all", sum(sizes.values()))):
        yield Measure(
            *("disk", f"bytes an invoice in {name}", size / invoices, "B"), less_is_better=True
        )


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise PilotError(f"{what}: {found}, but it must be {expected}")
