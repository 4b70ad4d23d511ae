"""A round: every step whose figures are compared, one after the other, with fresh processes."""

import shutil
from pathlib import Path

from bench.anchoring import bulk
from bench.beside import BATCHES, till_beside_batches
from bench.checking import checks
from bench.empty import empty_rate
from bench.issuing import (
    BATCH,
    anchoring_delay,
    batch_rate,
    single_issues,
    verification_rate,
)
from bench.limits import measure_limits
from bench.load import client_name
from bench.pace import paced_issues
from bench.plainlog import plain_log
from bench.raw import raw_rate
from bench.reporting import merchants_of, year
from bench.run import Run
from bench.service import Site, logs, make_site, served
from bench.timing import Rate

CLIENTS = 3
"""Who send batches at once."""


def measure_round(run: Run) -> None:
    """Measure the machine, the service as it runs, and its parts without HTTP."""
    number = run.samples.round
    with run.step(f"round {number + 1}: the machine itself"):
        _limits(run, run.place(f"limits{number}"))
    work = run.place(f"load{number}")
    with run.step("the service"):
        site = make_site(run.place(f"site{number}"))
        _empty(run, site, work)
        with run.step("its processes", logs(site)), served(site):
            _served(run, site, work)
    with run.step("issuing and anchoring in bulk, one process"):
        _bulk(run, make_site(run.place(f"bulk{number}")))
    with run.step(f"a simulated year of {run.size:,} invoices, its reports, its rows inserted raw"):
        folder = run.place(f"year{number}")
        _year(run, folder)
        shutil.rmtree(folder)


def _limits(run: Run, folder: Path) -> None:
    found = measure_limits(folder, min(1.0, run.seconds))
    _rate(run, "fdatasync", found.fdatasync)
    for name in ("sha256", "sign", "insert_commit", "insert_batch"):
        run.samples.add(name, getattr(found, name))
    run.samples.add("verify", 1 / found.verify)


def _rate(run: Run, name: str, found: Rate) -> None:
    run.samples.add(name, found.per_second)
    run.samples.add(f"{name}.p50", found.p50)
    run.samples.add(f"{name}.p99", found.p99)


def _empty(run: Run, site: Site, work: Path) -> None:
    web = site.config.web
    with run.step(f"empty requests on {web.workers} web processes of {web.threads} threads"):
        empty = empty_rate(work, run.seconds, web.workers, web.threads)
        _rate(run, "empty", empty.rate)
        run.samples.add("empty.cpu", empty.cpu)


def _served(run: Run, site: Site, work: Path) -> None:
    """The service as it runs: its processes, HTTP, a worker that anchors meanwhile."""
    _single(run, site, work)
    with run.step("batches over HTTP", logs(site)):
        run.samples.add("batch", _batches(run, site, minimal=False))
        run.notes["batch"] = "every invoice with its own promise"
    with run.step("batches over HTTP, answers without promises", logs(site)):
        run.samples.add("plain", _batches(run, site, minimal=True))
        run.notes["plain"] = "Prefer: return=minimal"
    with run.step("verifications over HTTP", logs(site)):
        verified = verification_rate(site, work, run.seconds)
        _rate(run, "verified", verified)
        run.notes["verified"] = f"p50 {verified.p50 * 1e3:.1f} ms, p99 {verified.p99 * 1e3:.1f} ms"
    if run.samples.round == 0:
        _once(run, site)


def _batches(run: Run, site: Site, *, minimal: bool) -> float:
    return batch_rate(site, run.seconds, clients=CLIENTS, records=_records(run), minimal=minimal)


def _records(run: Run) -> int:
    """How many orders a batch has: fewer in a run that is only to go through."""
    return min(BATCH, int(run.seconds * 1_000))


def _single(run: Run, site: Site, work: Path) -> None:
    with run.step("single issues over HTTP", logs(site)):
        single = single_issues(site, work, run.seconds)
        _rate(run, "single", single.rate)
        run.notes["single"] = f"{client_name()}, the worker anchoring; each with its promise"
        run.samples.add("single.cpu", sum(single.cpu.values()) / single.rate.count)
        shares = {name: spent / single.rate.count * 1e6 for name, spent in single.cpu.items()}
        parts = ", ".join(f"{name} {share:.0f}" for name, share in shares.items() if share >= 1)
        run.notes["single.cpu"] = f"{parts}; the load generator not counted"
        run.memory = run.memory or single.processes
        with run.step("single issues at half of that rate", logs(site)):
            paced = paced_issues(site, single.rate.per_second / 2, run.seconds)
            _rate(run, "paced", paced.answered)
            run.notes["paced.p99"] = (
                f"{paced.answered.count / run.seconds:,.0f}/s, from when it was due; p50"
                f" {paced.answered.p50 * 1e3:.1f} ms; 99 % were sent {paced.late * 1e3:.1f} ms"
                " late at most"
            )


def _once(run: Run, site: Site) -> None:
    with run.step("from issued to anchored", logs(site)):
        _rate(run, "delay", anchoring_delay(site, run.seconds))
        run.samples.add("interval", site.config.anchor.interval)
    with run.step("a till beside batches", logs(site)):
        records = _records(run)
        till = till_beside_batches(site, records)
        _rate(run, "till", till)
        note = f"{BATCHES} batches of {records:,} at once; {till.count} sales"
        run.notes |= {"till.p50": note, "till.p99": note}


def _bulk(run: Run, site: Site) -> None:
    """One process without the web: store, log, proofs."""
    found = bulk(site, int(run.seconds * 5_000))
    run.samples.add("bulk.issued", found.issued)
    run.samples.add("anchored", found.anchored)
    run.samples.add("anchored.cpu", found.anchor_cpu)
    plain = plain_log(run.place(f"plain{run.samples.round}"), found.count)
    run.samples.add("plainlog.cpu", plain)
    run.notes["anchored"] = (
        f"{found.count:,} invoices: sequenced, in tiles, read back, signed, totalled"
    )
    for name, size in found.bytes_each.items():
        run.samples.add(f"bytes.{name}", size)
    run.samples.add("bytes.all", sum(found.bytes_each.values()))
    with run.step("proof files"):
        proved = checks(site)
        run.samples.add("proof", proved.verify.p50)
        run.samples.add("proof.build", proved.build.p50)
        steps = ", ".join(f"{name} {took * 1e6:.0f}" for name, took in proved.steps.items())
        run.notes["proof"] = f"{proved.proof_bytes:,.0f} bytes; µs: {steps}"
    run.proved = site


def _year(run: Run, folder: Path) -> None:
    """A city's year, and its rows inserted raw."""
    found = year(folder, run.size)
    run.samples.add("replay", found.seconds / found.invoices)
    run.samples.add("raw", 1 / raw_rate(found.config.invoices_db, folder))
    for by, rate in found.reports.items():
        run.samples.add(f"totals.{by}", rate.p99)
        run.notes[f"totals.{by}"] = (
            f"slowest of {rate.count}; {found.invoices:,} invoices in {found.blocks:,} blocks"
        )
    merchants = merchants_of(found.invoices)
    run.notes["replay"] = f"{found.invoices:,} invoices of {merchants:,} merchants"
