"""``python -m bench``: measure this machine and the service on it, print one table.

Writes nothing outside a temporary folder, which it removes. Takes some minutes. A step that fails
is named at the end, with the logs that explain it; exit status 1 then.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import city
from bench.browser import browser_check
from bench.lighthouse import lighthouse_scores
from bench.limits import append_rate
from bench.machine import describe
from bench.mixes import MERCHANTS, reports
from bench.pilot import INVOICES, pilot_year
from bench.processes import machine_cpu, own_cpu
from bench.rounds import measure_round
from bench.rows import ALL, measures
from bench.run import Run
from bench.scan import scan_page
from bench.table import Measure, Result, print_table, to_json
from bench.till import AN_HOUR, SECONDS, till_rush
from bench.tree import our_tree, pymerkle_tree, sample_entries
from bench.witnesses import cosigned

TREE_SIZE = 50_000
SIZE = 500_000
ROUNDS = 3


def main() -> None:
    """Read the command line, measure, print the result."""
    arguments = _arguments()
    # Ended like this, too, it leaves neither its folder nor what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    measure = _pilot if arguments.year else _till if arguments.till else _everything
    measure = _city if arguments.city else _reports if arguments.reports else measure
    measure = _scan if arguments.scan else _lighthouse if arguments.lighthouse else measure
    with tempfile.TemporaryDirectory(prefix="fapiao-bench-", dir=arguments.dir) as name:
        size = arguments.size or (INVOICES if arguments.year else SIZE)
        run = Run(Path(name), arguments.seconds, size, arguments.rounds)
        result = _measured(run, measure)
    if arguments.json:
        print(to_json(result))
    else:
        print_table(result)
    sys.exit(1 if result.failures else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--year",
        action="store_true",
        help=f"only the pilot's first year, {INVOICES:,} invoices, checked to the fen",
    )
    parser.add_argument(
        "--till",
        action="store_true",
        help="only a till's page: how long a touch takes while a script sells, ten minutes",
    )
    parser.add_argument(
        "--city",
        action="store_true",
        help=f"only the bureau's overview, beside {city.A_SECOND:.0f} invoices a second",
    )
    parser.add_argument(
        "--reports",
        action="store_true",
        help=f"only totals by every mix over HTTP, of a year of {MERCHANTS:,} merchants",
    )
    parser.add_argument(
        "--scan",
        action="store_true",
        help="only the scan page on a slow phone: until the verdict, until the phone's check",
    )
    parser.add_argument(
        "--lighthouse",
        action="store_true",
        help="only what Lighthouse says of pages; fetched with npm when it is not there",
    )
    parser.add_argument("--size", type=int, help=f"invoices of a simulated year (else {SIZE:,})")
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="how often each step is measured (median)"
    )
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each measurement")
    parser.add_argument("--dir", help="make the temporary folder in here (another disk)")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    return parser.parse_args()


def _measured(run: Run, measure: Callable[[Run], list[Measure]]) -> Result:
    """Measure, and see what other programs took meanwhile."""
    others = machine_cpu() - own_cpu()
    machine = describe(run.folder)
    found = measure(run)
    elapsed = time.perf_counter() - run.started
    busy = (machine_cpu() - own_cpu() - others) / elapsed / machine.cores
    return Result(machine, found, elapsed, busy, run.failures)


def _everything(run: Run) -> list[Measure]:
    for number in range(run.rounds):
        run.samples.round = number
        measure_round(run)
    _once(run)
    return [*measures(run, ALL), *_memory(run)]


def _once(run: Run) -> None:
    """What is measured once: it is compared with nothing else."""
    run.samples.round = 0
    with run.step("a proof file in a browser"):
        _browser(run)
    with run.step("cosignatures of three witnesses"):
        found = cosigned(run.place("witnesses"))
        run.samples.add("cosigned", found.all_three)
        run.samples.add("cosigned.silent", found.one_silent)
        note = f"median of {found.rounds}; two of three on loopback must cosign"
        run.notes |= {"cosigned": note, "cosigned.silent": note}
    with run.step("the tree, and pymerkle"):
        _tree(run)


def _browser(run: Run) -> None:
    seen = None if run.proved is None else browser_check(run.proved, run.place("browser"))
    if seen is None:
        return
    steps = ", ".join(f"{name} {seconds * 1e6:.0f}" for name, seconds in seen.steps.items())
    run.samples.add("browser", seen.verify.p50)
    run.notes["browser"] = f"the first one {seen.first * 1e3:.0f} ms; µs: {steps}"


def _tree(run: Run) -> None:
    """The tree beside pymerkle's, over the same entries."""
    size, seconds = min(TREE_SIZE, 10 * run.size), min(1.0, run.seconds)
    entries = sample_entries(size)
    ours = our_tree(run.place("tree"), entries, seconds)
    theirs = pymerkle_tree(run.place("pymerkle"), entries, seconds)
    for step in ("append", "prove", "check"):
        run.samples.add(f"tree.{step}", getattr(ours, step))
        run.samples.add(f"pymerkle.{step}", getattr(theirs, step))
    run.samples.add("tree.raw", append_rate(size, entries))


def _memory(run: Run) -> Iterator[Measure]:
    for process in run.memory:
        note = f"RSS {process.rss:.0f} MiB"
        yield Measure("memory", f"{process.name}, PSS", process.pss, "MiB", note=note)


def _pilot(run: Run) -> list[Measure]:
    with run.step(f"the pilot's first year: {run.size:,} invoices"):
        return list(pilot_year(run))
    return []


def _till(run: Run) -> list[Measure]:
    with run.step(f"touches at a till beside {AN_HOUR} sales an hour"):
        return till_rush(run.place("till"), SECONDS, AN_HOUR)
    return []


def _city(run: Run) -> list[Measure]:
    with run.step(f"the overview beside {city.A_SECOND:.0f} invoices a second"):
        return city.overview(run.place("city"), city.SECONDS)
    return []


def _reports(run: Run) -> list[Measure]:
    with run.step(f"totals by every mix, over {run.size:,} invoices"):
        return reports(run.place("reports"), run.size)
    return []


def _scan(run: Run) -> list[Measure]:
    with run.step("scans by a slow phone"):
        return scan_page(run.place("scan"))
    return []


def _lighthouse(run: Run) -> list[Measure]:
    with run.step("Lighthouse on customers' pages"):
        return lighthouse_scores(run)
    return []


if __name__ == "__main__":
    main()
