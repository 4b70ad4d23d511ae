"""Issuing over HTTP: one by one, in batches, and how long an invoice waits for the log."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import urllib3

from bench.load import Plan, run
from bench.processes import Process, cpu_spent, tree
from bench.service import BODY, Site, issued_count, settled
from bench.timing import Rate, summary, wait_until
from chain.commitment import anchor, parse_password_area
from invoice_service.domain.qrtext import scan_url
from invoice_service.wiring import open_instance

BATCH = 5_000
PACE = 50.0  # invoices a second while the wait for the log is measured


class CountError(Exception):
    """The service stored another number of invoices than it acknowledged."""


@dataclass(frozen=True, slots=True)
class Singles:
    """Single issues, the processes after them, and processor seconds by kind of process."""

    rate: Rate
    processes: list[Process]
    cpu: dict[str, float]


def single_issues(site: Site, folder: Path, seconds: float) -> Singles:
    """Issue singly as fast as it goes; every acknowledged invoice must be stored."""
    plan = Plan(f"{site.url}/v1/invoices", site.merchant_key, BODY, prefix="warm")
    run(plan, min(2.0, seconds), folder)
    before, earlier = issued_count(site), tree()
    rate = run(Plan(plan.url, plan.key, BODY, prefix="single"), seconds, folder)
    processes = tree()
    stored = issued_count(site) - before
    # wrk drops the requests under way when its time is over, so a few more may be stored.
    if stored < rate.count:
        raise CountError(f"{rate.count} acknowledged, {stored} stored")
    wait_until(lambda: settled(site), 60, "anchoring after the rush")
    return Singles(rate, processes, cpu_spent(earlier, processes))


def batch_rate(site: Site, seconds: float, *, clients: int, records: int, minimal: bool) -> float:
    """Issue in batches of ``records`` from ``clients`` at once; return invoices a second.

    ``minimal`` asks for answers without promises (``Prefer: return=minimal``).
    """
    headers = {"Authorization": f"Bearer {site.merchant_key}"}
    headers |= {"Content-Type": "application/x-ndjson"}
    headers |= {"Prefer": "return=minimal"} if minimal else {}
    stored: list[tuple[float, float, int]] = []
    end = time.perf_counter() + seconds
    prefix = "minimal" if minimal else "batch"

    def client(number: int) -> None:
        pool = urllib3.PoolManager()
        for turn in count():
            if (start := time.perf_counter()) >= end:
                return
            _send_batch(pool, site, headers, f"{prefix}-{number}-{turn}", records)
            stored.append((start, time.perf_counter(), records))

    together(clients, client)
    began, ended = min(turn[0] for turn in stored), max(turn[1] for turn in stored)
    wait_until(lambda: settled(site), 60, "anchoring after the batches")
    return sum(turn[2] for turn in stored) / (ended - began)


def send_batches(site: Site, count: int, prefix: str, records: int) -> None:
    """Send ``count`` batches of ``records`` at once; CountError unless all are issued."""
    headers = {"Authorization": f"Bearer {site.merchant_key}"}
    headers |= {"Content-Type": "application/x-ndjson"}
    pool = urllib3.PoolManager(maxsize=count)
    together(count, lambda number: _send_batch(pool, site, headers, f"{prefix}-{number}", records))


def _send_batch(
    pool: urllib3.PoolManager, site: Site, headers: dict[str, str], name: str, records: int
) -> None:
    answer = pool.request(
        "POST",
        f"{site.url}/v1/invoices/batch",
        body=_batch(name, records),
        headers=headers,
        timeout=600,
    )
    created = answer.data.count(b'"status":201')
    if answer.status != 200 or created != records:
        raise CountError(f"{created} of {records} issued: {answer.data[:300]!r}")


def _batch(prefix: str, records: int) -> bytes:
    head, tail = BODY.split("ORDER")
    return "".join(f"{head}{prefix}-{n}{tail}\n" for n in range(records)).encode()


def together(clients: int, client: Callable[[int], None]) -> None:
    """Run ``client`` with each number below ``clients`` at once; raise the first that fails."""
    failures: list[Exception] = []

    def guarded(number: int) -> None:
        try:
            client(number)
        except Exception as error:  # noqa: BLE001 # raised again below, in the caller's thread
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@dataclass
class _Watch:
    """Notes when each size of the log was first published, by asking again and again."""

    url: str
    seen: list[tuple[float, int]]
    stop: threading.Event

    def run(self) -> None:
        pool = urllib3.PoolManager()
        while not self.stop.is_set():
            answer = pool.request("GET", f"{self.url}/log/checkpoint")
            now, size = time.perf_counter(), int(answer.data.split(b"\n")[1])
            if not self.seen or self.seen[-1][1] != size:
                self.seen.append((now, size))
            self.stop.wait(0.02)

    def published(self, size: int) -> float:
        """Return when the log was first seen with at least ``size`` entries."""
        return next(moment for moment, seen in self.seen if seen >= size)


def anchoring_delay(site: Site, seconds: float) -> Rate:
    """Issue at a steady pace; return how long from an answer until its checkpoint is public."""
    watch = _Watch(site.url, [], threading.Event())
    watcher = threading.Thread(target=watch.run)
    watcher.start()
    try:
        answered = list(_steady(site, seconds))
        wait_until(lambda: settled(site), 60, "anchoring")
        time.sleep(0.5)  # until the last checkpoint has been seen
    finally:
        watch.stop.set()
        watcher.join()
    instance = open_instance(site.config)
    delays = []
    for moment, hash_ in answered:
        index = instance.log.find(anchor(parse_password_area(hash_)))
        if index is None:
            raise CountError(f"{hash_} is not in the log")
        delays.append(watch.published(instance.log.block_of(index).size) - moment)
    instance.close()
    return summary(delays, seconds)


def _steady(site: Site, seconds: float) -> Iterator[tuple[float, str]]:
    """Issue ``PACE`` a second; yield when each was answered and its password area."""
    pool = urllib3.PoolManager()
    headers = {"Authorization": f"Bearer {site.merchant_key}", "Content-Type": "application/json"}
    start = time.perf_counter()
    for number in range(int(seconds * PACE)):
        time.sleep(max(0.0, start + number / PACE - time.perf_counter()))
        body = BODY.replace("ORDER", f"steady-{number}").encode()
        answer = pool.request("POST", f"{site.url}/v1/invoices", body=body, headers=headers)
        if answer.status != 201:
            raise CountError(answer.data.decode())
        yield time.perf_counter(), answer.json()["hash"]


def scan_paths(site: Site, wanted: int) -> list[str]:
    """Return the addresses that verify ``wanted`` issued invoices, from anywhere among them.

    In random order, as scans come: one after the other would find what the last one has read.
    """
    instance = open_instance(site.config)
    last = instance.store.last_seq()
    paths = []
    for seq in range(1, last + 1, max(1, last // wanted)):
        invoice = instance.store.invoice_at(seq)
        assert invoice is not None
        query = scan_url("", invoice.hash, invoice.number, invoice.total).partition("?")[2]
        paths.append(f"/v1/verifications?{query}")
    instance.close()
    random.Random(5).shuffle(paths)
    return paths


def verification_rate(site: Site, folder: Path, seconds: float) -> Rate:
    """Verify invoices of the site over HTTP, another one each time."""
    return run(Plan(site.url, paths=scan_paths(site, 5_000)), seconds, folder)
