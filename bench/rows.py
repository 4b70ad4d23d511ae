"""The rows of the table: which figures of a run they show, and what is beside them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.run import Run
from bench.table import Limit, Measure, figure
from invoice_service.services.reporting.report import BY


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of ``Samples`` by its name, divided by that of ``below`` if given, times ``scale``.

    ``limits`` are the names of steps and of the figures that bound them, in the same unit.
    """

    group: str
    name: str
    value: str
    unit: str
    below: str = ""
    aim: float | None = None
    less_is_better: bool = False
    limits: tuple[tuple[str, str], ...] = ()
    scale: float = 1.0


def measures(run: Run, rows: Iterable[Row]) -> Iterator[Measure]:
    """Give the rows that the run has figures for: medians over its rounds."""
    for row in rows:
        median = run.samples.median(row.value, row.below)
        if median is None:
            continue
        bounds = [(step, run.samples.median(name)) for step, name in row.limits]
        yield Measure(
            row.group,
            row.name,
            median * row.scale,
            row.unit,
            aim=row.aim,
            less_is_better=row.less_is_better,
            limits=[Limit(step, bound * row.scale) for step, bound in bounds if bound is not None],
            note="; ".join(filter(None, (run.notes.get(row.value, ""), _rounds(run, row)))),
        )


def _rounds(run: Run, row: Row) -> str:
    """What each round has found, where there was more than one."""
    values = run.samples.values(row.value, row.below)
    if len(values) < 2:
        return ""
    return "rounds: " + ", ".join(figure(value * row.scale) for value in values)


_EMPTY = ("empty Flask request", "empty")
_ROWS = ("SQLite insert, batches", "insert_batch")
_SIGN = ("Ed25519 signature", "sign")

RATIOS = (
    Row("ratios", "single issues ÷ empty Flask requests", "single", "", "empty", 0.35),
    Row(
        *("ratios", "processor time of a single issue, in empty Flask requests"),
        *("single.cpu", "", "empty.cpu"),
        aim=3.0,
        less_is_better=True,
    ),
    Row("ratios", "batch with promises ÷ batch without", "batch", "", "plain", 0.95),
    Row("ratios", "batch ÷ SQLite rows inserted in batches", "batch", "", "insert_batch", 0.15),
    Row("ratios", "verifications ÷ empty Flask requests", "verified", "", "empty", 0.55),
    Row(
        *("ratios", "replay of a year ÷ the same rows inserted raw"),
        *("replay", "", "raw"),
        aim=7.0,
        less_is_better=True,
    ),
    Row(
        *("ratios", "a proof file checked offline ÷ one Ed25519 check"),
        *("proof", "", "verify"),
        aim=2.3,
        less_is_better=True,
    ),
    Row(
        *("ratios", "processor time of an anchored entry ÷ that of a plain log"),
        *("anchored.cpu", "", "plainlog.cpu"),
        aim=2.5,  # 1.3 times tessera's: docs/performance.md
        less_is_better=True,
    ),
    Row(
        *("ratios", "p99 of a single issue at half of the top rate"),
        *("paced.p99", "ms"),
        aim=20.0,
        less_is_better=True,
        scale=1e3,
    ),
)
"""What counts on a shared machine: two figures of one round, the one in terms of the other."""

ISSUING = (
    Row(
        *("issuing", "durable single issues over HTTP", "single", "/s"),
        aim=2_500,
        limits=(
            *(_EMPTY, ("fdatasync of a page", "fdatasync")),
            *(("SQLite insert + commit", "insert_commit"), _SIGN),
        ),
    ),
    *(
        Row(
            *("issuing", f"single issue, {name}", f"single.{name}", "ms"),
            less_is_better=True,
            limits=(("empty Flask request", f"empty.{name}"),),
            scale=1e3,
        )
        for name in ("p50", "p99")
    ),
    Row(
        *("issuing", "processor time of a single issue", "single.cpu", "µs"),
        less_is_better=True,
        limits=(("empty Flask request", "empty.cpu"),),
        scale=1e6,
    ),
    Row(
        *("issuing", "batch issues over HTTP", "batch", "/s"),
        aim=10_000,
        limits=(_ROWS, _SIGN),
    ),
    Row(
        *("issuing", "batch issues, answers without promises", "plain", "/s"),
        aim=10_000,
        limits=(_ROWS,),
    ),
    *(
        Row(
            *("issuing", f"single issue beside batches of another merchant, {name}"),
            *(f"till.{name}", "ms"),
            aim=100 if name == "p99" else None,
            less_is_better=True,
            limits=(("single issues alone", f"single.{name}"),),
            scale=1e3,
        )
        for name in ("p50", "p99")
    ),
    Row("issuing", "issues in one process, no HTTP", "bulk.issued", "/s", limits=(_ROWS,)),
)

ANCHORING = (
    *(
        Row(
            *("anchoring", f"issued to published, {name}", f"delay.{name}", "s"),
            less_is_better=True,
            limits=(("anchor.interval", "interval"),),
        )
        for name in ("p50", "p99")
    ),
    Row(
        *("anchoring", "entries anchored", "anchored", "/s"),
        aim=25_000,
        limits=(("SHA-256 of an entry", "sha256"), _ROWS),
    ),
    Row(
        *("anchoring", "processor time of an anchored entry", "anchored.cpu", "µs"),
        less_is_better=True,
        limits=(("a plain log", "plainlog.cpu"),),
        scale=1e6,
    ),
    *(
        Row(
            *("anchoring", f"signed to published under a policy{name}", value, "ms"),
            less_is_better=True,
            limits=(("synced page", "fdatasync.p50"),),
            scale=1e3,
        )
        for name, value in (("", "cosigned"), (", one of three silent", "cosigned.silent"))
    ),
)

VERIFYING = (
    Row(
        *("verifying", "verifications over HTTP", "verified", "/s"),
        aim=3_000,
        limits=(_EMPTY,),
    ),
    *(
        Row(
            *("verifying", name, value, "ms"),
            less_is_better=True,
            limits=(("Ed25519 check", "verify"),),
            scale=1e3,
        )
        for name, value in (
            ("check of a proof file, offline", "proof"),
            ("check of a proof file in a browser", "browser"),
        )
    ),
    Row("verifying", "proof file built", "proof.build", "ms", less_is_better=True, scale=1e3),
)

REPORTS = (
    Row(
        *("reports", "replay of a year, for a million invoices", "replay", "s"),
        aim=180,
        less_is_better=True,
        limits=(("the same rows inserted raw", "raw"),),
        scale=1e6,
    ),
    *(
        Row(
            *("reports", f"totals of the year by {by}", f"totals.{by}", "ms"),
            aim=50,
            less_is_better=True,
            scale=1e3,
        )
        for by in BY
    ),
)

TREE = (
    Row(
        *("tree", "entries appended", "tree.append", "/s"),
        limits=(("pymerkle", "pymerkle.append"), ("hashing alone", "tree.raw")),
    ),
    *(
        Row(
            *("tree", f"entries {name}", f"tree.{value}", "/s"),
            limits=(("pymerkle", f"pymerkle.{value}"),),
        )
        for name, value in (("proved", "prove"), ("checked", "check"))
    ),
)

DISK = tuple(
    Row("disk", f"bytes an invoice in {name}", f"bytes.{name}", "B", less_is_better=True)
    for name in ("invoices.db", "log.db", "tiles", "all")
)

ALL = (*RATIOS, *ISSUING, *ANCHORING, *VERIFYING, *REPORTS, *TREE, *DISK)
"""The whole table but for the processes' memory."""
