"""``python -m bench``: measure this machine and the service on it, print one table.

Writes nothing outside a temporary folder, which it removes. Takes some minutes.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.anchoring import Bulk, bulk
from bench.beside import BATCHES, till_beside_batches
from bench.browser import browser_check
from bench.checking import Checks, checks
from bench.empty import empty_rate
from bench.issuing import (
    BATCH,
    Singles,
    anchoring_delay,
    batch_rate,
    single_issues,
    verification_rate,
)
from bench.limits import Limits, append_rate, measure_limits
from bench.load import client_name
from bench.machine import describe
from bench.plainlog import plain_log
from bench.processes import Process, machine_cpu, own_cpu
from bench.reporting import Year, year
from bench.service import make_site, served
from bench.table import Limit, Measure, print_table, to_json
from bench.timing import Rate
from bench.tree import TreeSpeed, our_tree, pymerkle_tree, sample_entries
from bench.witnesses import cosigned

TREE_SIZE = 50_000
LARGEST = 1_000_000
YEAR_SECONDS = 110.0
GROUPS = ("issuing", "anchoring", "verifying", "reports", "tree", "disk", "memory")
"""The parts of the table, in their order."""


@dataclass
class Run:
    """One run: where it works, how long each stage measures, and what has been found so far."""

    folder: Path
    seconds: float
    size: int | None
    started: float = field(default_factory=time.perf_counter)
    measures: list[Measure] = field(default_factory=list)

    def place(self, name: str) -> Path:
        """Return a new folder for one stage."""
        folder = self.folder / name
        folder.mkdir()
        return folder

    def say(self, what: str) -> None:
        """Tell a person who waits what is being measured."""
        elapsed = time.perf_counter() - self.started
        print(f"[{elapsed:5.0f} s] {what}", file=sys.stderr, flush=True)


def main() -> None:
    """Read the command line, run every stage, print the result."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="fapiao-bench-", dir=arguments.dir) as name:
        run = Run(Path(name), arguments.seconds, arguments.size)
        others = machine_cpu() - own_cpu()
        machine = describe(run.folder)
        run.say("the machine itself")
        limits = measure_limits(run.place("limits"), min(1.0, run.seconds))
        for stage in (_issuing, _bulk, _witnessed, _tree, _year):
            run.measures += stage(run, limits)
        run.measures.sort(key=lambda measure: GROUPS.index(measure.group))
        elapsed = time.perf_counter() - run.started
        busy = (machine_cpu() - own_cpu() - others) / elapsed / machine.cores
    if arguments.json:
        print(to_json(machine, run.measures, elapsed, busy))
    else:
        print_table(machine, run.measures, elapsed, busy)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--size",
        type=int,
        help=f"invoices of the simulated year (else {LARGEST:,}, or {YEAR_SECONDS:.0f} s of them)",
    )
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each measurement")
    parser.add_argument("--dir", help="make the temporary folder in here (another disk)")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    return parser.parse_args()


def _issuing(run: Run, limits: Limits) -> Iterator[Measure]:
    """The service as it runs: its processes, HTTP, a worker that anchors meanwhile."""
    site = make_site(run.place("site"))
    web, work = site.config.web, run.place("load")
    run.say(f"empty requests on {web.workers} web processes of {web.threads} threads")
    empty = empty_rate(work, run.seconds, web.workers, web.threads)
    with served(site):
        run.say("single issues over HTTP")
        single = single_issues(site, work, run.seconds)
        run.say("from issued to anchored")
        delay = anchoring_delay(site, run.seconds)
        run.say("batches over HTTP")
        batch = batch_rate(site, run.seconds, clients=3, minimal=False)
        plain = batch_rate(site, run.seconds, clients=3, minimal=True)
        run.say("a till beside batches")
        records = min(BATCH, int(run.seconds * 1_000))
        till = till_beside_batches(site, records)
        run.say("verifications over HTTP")
        verified = verification_rate(site, work, run.seconds)
    yield from _single(single.rate, empty, limits)
    yield from _cpu(single)
    yield from _batches(batch, plain, limits)
    yield from _beside(till, single.rate, records)
    yield from _delay(delay, site.config.anchor.interval)
    yield Measure(
        "verifying",
        "verifications over HTTP",
        verified.per_second,
        "/s",
        aim=3_000,
        limits=(Limit("empty Flask request", empty.per_second),),
        note=f"p50 {verified.p50 * 1e3:.1f} ms, p99 {verified.p99 * 1e3:.1f} ms",
    )
    yield Measure(
        "verifying",
        "verifications ÷ empty Flask requests",
        verified.per_second / empty.per_second,
        "times",
        aim=0.55,
    )
    yield from _memory(single.processes)


def _single(single: Rate, empty: Rate, limits: Limits) -> Iterator[Measure]:
    yield Measure(
        "issuing",
        "durable single issues over HTTP",
        single.per_second,
        "/s",
        aim=2_500,
        limits=(
            Limit("empty Flask request", empty.per_second),
            Limit("fdatasync of a page", limits.fdatasync.per_second),
            Limit("SQLite insert + commit", limits.insert_commit),
            Limit("Ed25519 signature", limits.sign),
        ),
        note=f"{client_name()}, with the worker anchoring; an invoice, its promise, its answer",
    )
    for name, share, alone in (("p50", single.p50, empty.p50), ("p99", single.p99, empty.p99)):
        yield Measure(
            "issuing",
            f"single issue, {name}",
            share * 1e3,
            "ms",
            less_is_better=True,
            limits=(Limit("empty Flask request", alone * 1e3),),
        )


def _batches(batch: float, plain: float, limits: Limits) -> Iterator[Measure]:
    rows = Limit("SQLite insert, batches", limits.insert_batch)
    yield Measure(
        "issuing",
        "batch issues over HTTP",
        batch,
        "/s",
        aim=10_000,
        limits=(rows, Limit("Ed25519 signature", limits.sign)),
        note="every invoice with its own promise",
    )
    yield Measure(
        "issuing",
        "batch issues, answers without promises",
        plain,
        "/s",
        aim=10_000,
        limits=(rows,),
        note="Prefer: return=minimal",
    )


def _beside(till: Rate, alone: Rate, records: int) -> Iterator[Measure]:
    for name, seconds, without in (
        ("p50", till.p50, alone.p50),
        ("p99", till.p99, alone.p99),
    ):
        yield Measure(
            "issuing",
            f"single issue beside batches of another merchant, {name}",
            seconds * 1e3,
            "ms",
            aim=100 if name == "p99" else None,
            less_is_better=True,
            limits=(Limit("single issues alone", without * 1e3),),
            note=f"{BATCHES} batches of {records:,} at once; {till.count} sales",
        )


def _delay(delay: Rate, interval: float) -> Iterator[Measure]:
    for name, seconds in (("p50", delay.p50), ("p99", delay.p99)):
        yield Measure(
            "anchoring",
            f"issued to published, {name}",
            seconds,
            "s",
            less_is_better=True,
            limits=(Limit("anchor.interval", interval),),
        )


def _cpu(single: Singles) -> Iterator[Measure]:
    shares = {name: spent / single.rate.count * 1e6 for name, spent in single.cpu.items()}
    parts = ", ".join(f"{name} {share:.0f}" for name, share in shares.items() if share >= 1)
    yield Measure(
        "issuing",
        "processor time of a single issue",
        sum(shares.values()),
        "µs",
        less_is_better=True,
        note=f"{parts}; the load generator not counted",
    )


def _memory(processes: Sequence[Process]) -> Iterator[Measure]:
    for process in processes:
        note = f"RSS {process.rss:.0f} MiB"
        yield Measure("memory", f"{process.name}, PSS", process.pss, "MiB", note=note)


def _bulk(run: Run, limits: Limits) -> Iterator[Measure]:
    """One process without the web: store, log, proofs."""
    site = make_site(run.place("bulk"))
    run.say("issuing and anchoring in bulk, one process")
    found = bulk(site, int(run.seconds * 5_000))
    if run.size is None:
        # A replay issues about as fast as this: preparing and storing are two processes there,
        # and the one that stores also anchors.
        run.size = min(LARGEST, max(1_000, int(round(found.issued * YEAR_SECONDS, -4))))
    run.say("proof files")
    proved = checks(site)
    run.say("a proof file in a browser")
    seen = browser_check(site, run.place("browser"))
    yield from _bulk_measures(found, limits)
    run.say("a plain log")
    yield _beside_plain_log(found, plain_log(run.place("plain"), found.count))
    yield from _proof_measures(proved, limits)
    if seen is not None:
        steps = ", ".join(f"{name} {seconds * 1e6:.0f}" for name, seconds in seen.steps.items())
        yield Measure(
            "verifying",
            "check of a proof file in a browser",
            seen.verify.p50 * 1e3,
            "ms",
            less_is_better=True,
            limits=(Limit("Ed25519 check here", 1e3 / limits.verify),),
            note=f"the first one {seen.first * 1e3:.0f} ms; µs: {steps}",
        )


def _bulk_measures(found: Bulk, limits: Limits) -> Iterator[Measure]:
    yield Measure(
        "issuing",
        "issues in one process, no HTTP",
        found.issued,
        "/s",
        limits=(Limit("SQLite insert, batches", limits.insert_batch),),
    )
    yield Measure(
        "anchoring",
        "entries anchored",
        found.anchored,
        "/s",
        aim=25_000,
        limits=(
            Limit("SHA-256 of an entry", limits.sha256),
            Limit("SQLite insert, batches", limits.insert_batch),
        ),
        note=f"{found.count:,} invoices: sequenced, in tiles, read back, signed, totalled",
    )
    for name, size in found.bytes_each.items():
        yield Measure("disk", f"bytes an invoice in {name}", size, "B", less_is_better=True)


def _beside_plain_log(found: Bulk, plain: float) -> Measure:
    return Measure(
        "anchoring",
        "processor time of an entry ÷ that of a plain log",
        found.anchor_cpu / plain,
        "times",
        aim=2.5,  # 1.3 times tessera's: docs/performance.md
        less_is_better=True,
        note=f"{found.anchor_cpu * 1e6:.0f} µs, and {plain * 1e6:.0f} µs",
    )


def _proof_measures(found: Checks, limits: Limits) -> Iterator[Measure]:
    steps = ", ".join(f"{name} {seconds * 1e6:.0f}" for name, seconds in found.steps.items())
    yield Measure(
        "verifying",
        "check of a proof file, offline",
        found.verify.p50 * 1e3,
        "ms",
        less_is_better=True,
        limits=(Limit("Ed25519 check", 1e3 / limits.verify),),
        note=f"{found.proof_bytes:,.0f} bytes; µs: {steps}",
    )
    yield Measure(
        "verifying",
        "check of a proof file ÷ one Ed25519 check",
        found.verify.p50 * limits.verify,
        "times",
        aim=2.3,
        less_is_better=True,
    )
    yield Measure("verifying", "proof file built", found.build.p50 * 1e3, "ms", less_is_better=True)


def _witnessed(run: Run, limits: Limits) -> Iterator[Measure]:
    """Publishing under a policy."""
    run.say("cosignatures of three witnesses")
    found = cosigned(run.place("witnesses"))
    for name, seconds in (("", found.all_three), (", one of three silent", found.one_silent)):
        yield Measure(
            "anchoring",
            f"signed to published under a policy{name}",
            seconds * 1e3,
            "ms",
            less_is_better=True,
            limits=(Limit("synced page", limits.fdatasync.p50 * 1e3),),
            note=f"median of {found.rounds}; two of three on loopback must cosign",
        )


def _tree(run: Run, _limits: Limits) -> Iterator[Measure]:
    """The tree beside pymerkle's, over the same entries."""
    run.say("the tree, and pymerkle")
    entries = sample_entries(TREE_SIZE)
    ours = our_tree(run.place("tree"), entries, 1.0)
    theirs = pymerkle_tree(run.place("pymerkle"), entries, 1.0)
    raw = append_rate(TREE_SIZE, entries)
    pairs: list[tuple[str, Callable[[TreeSpeed], float]]] = [
        ("appended", lambda speed: speed.append),
        ("proved", lambda speed: speed.prove),
        ("checked", lambda speed: speed.check),
    ]
    for name, speed in pairs:
        bounds = [Limit("pymerkle", speed(theirs))]
        if name == "appended":
            bounds.append(Limit("hashing alone", raw))
        yield Measure("tree", f"entries {name}", speed(ours), "/s", limits=bounds)


def _year(run: Run, limits: Limits) -> Iterator[Measure]:
    """A city's year and its reports."""
    size = run.size or LARGEST
    run.say(f"a simulated year of {size:,} invoices, and its reports")
    found = year(run.folder, size)
    million = found.seconds * 1e6 / found.invoices
    yield Measure(
        "reports",
        f"replay of {found.invoices:,} invoices",
        found.seconds,
        "s",
        aim=180 if found.invoices >= 1_000_000 else None,
        less_is_better=True,
        limits=(Limit("SQLite insert, batches", found.invoices / limits.insert_batch),),
        note=f"at this rate a million take {million:.0f} s (aim 180)",
    )
    for by, rate in found.reports.items():
        yield _report(by, rate, found)


def _report(by: str, rate: Rate, found: Year) -> Measure:
    return Measure(
        "reports",
        f"totals of the year by {by}",
        rate.p99 * 1e3,
        "ms",
        aim=50,
        less_is_better=True,
        note=f"slowest of {rate.count}; {found.invoices:,} invoices in {found.blocks:,} blocks",
    )


if __name__ == "__main__":
    main()
