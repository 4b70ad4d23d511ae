"""Load over HTTP: wrk where it is installed, else clients of our own in several processes.

Both share the machine's cores with what they measure; wrk takes far less of them.
"""

import http.client
import json
import multiprocessing
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from bench.timing import Rate, summary

CONNECTIONS = 24
PROCESSES = 2
_SCRIPT = Path(__file__).with_name("load.lua")


class LoadError(Exception):
    """The service refused or broke requests that should have been answered."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask for: a POST of ``body`` (ORDER becomes a fresh number), or GETs of ``paths``."""

    url: str
    key: str = ""
    body: str = ""
    paths: Sequence[str] = field(default=("/",))
    prefix: str = "bench"


@dataclass(slots=True)
class _Tally:
    durations: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def client_name() -> str:
    """Name the load generator that ``run`` uses here."""
    return "wrk" if shutil.which("wrk") else "bundled client"


def run(plan: Plan, seconds: float, folder: Path, *, connections: int = CONNECTIONS) -> Rate:
    """Ask as fast as answers come; raises LoadError unless every answer was 2xx."""
    if shutil.which("wrk"):
        return _run_wrk(plan, seconds, folder, connections)
    return _run_own(plan, seconds, connections)


def _run_wrk(plan: Plan, seconds: float, folder: Path, connections: int) -> Rate:
    body = "-"
    if plan.body:
        body = str(folder / "body.json")
        Path(body).write_text(plan.body, encoding="utf-8")
    paths = folder / "paths.txt"
    paths.write_text("\n".join(plan.paths), encoding="utf-8")
    threads = min(PROCESSES, connections)
    duration = f"-d{max(1, round(seconds))}s"  # it counts whole ones
    options = [f"-t{threads}", f"-c{connections}", duration, "--timeout", "20s"]
    arguments = [body, str(paths), plan.prefix, plan.key or "-"]
    done = subprocess.run(
        ["wrk", *options, "-s", str(_SCRIPT), plan.url, "--", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(done.stdout.splitlines()[-1])
    if result["errors"] or result["refused"]:
        raise LoadError(f"{result['refused']} refused, {result['errors']} broken at {plan.url}")
    return Rate(
        per_second=result["requests"] / result["seconds"],
        p50=result["p50"],
        p99=result["p99"],
        count=result["requests"],
    )


def _run_own(plan: Plan, seconds: float, connections: int) -> Rate:
    share = max(1, connections // PROCESSES)
    queue: multiprocessing.Queue[_Tally] = multiprocessing.Queue()
    workers = [
        multiprocessing.Process(target=_work, args=(plan, seconds, share, number, queue))
        for number in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    tallies = [queue.get(timeout=seconds + 60) for _ in workers]
    for worker in workers:
        worker.join()
    if failures := [failure for tally in tallies for failure in tally.failures]:
        raise LoadError(f"{len(failures)} refused or broken at {plan.url}: {failures[0]}")
    return summary([d for tally in tallies for d in tally.durations], seconds)


def _work(
    plan: Plan, seconds: float, share: int, number: int, queue: "multiprocessing.Queue[_Tally]"
) -> None:
    tallies = [_Tally() for _ in range(share)]
    end = time.perf_counter() + seconds
    threads = [
        threading.Thread(target=_ask, args=(plan, end, f"{plan.prefix}-{number}-{place}", tally))
        for place, tally in enumerate(tallies)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    joined = _Tally()
    for tally in tallies:
        joined.durations += tally.durations
        joined.failures += tally.failures
    queue.put(joined)


def _ask(plan: Plan, end: float, prefix: str, tally: _Tally) -> None:
    address = urlsplit(plan.url)
    assert address.hostname is not None
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    ask = _asker(plan, connection, address.path or "/", prefix)
    try:
        while (before := time.perf_counter()) < end:
            status = ask()
            tally.durations.append(time.perf_counter() - before)
            if status >= 300:
                tally.failures.append(f"status {status}")
    except OSError as error:
        tally.failures.append(str(error))
    finally:
        connection.close()


def _asker(
    plan: Plan, connection: http.client.HTTPConnection, path: str, prefix: str
) -> Callable[[], int]:
    headers = {"Content-Type": "application/json"}
    if plan.key:
        headers["Authorization"] = f"Bearer {plan.key}"
    numbers = count(1)

    def ask() -> int:
        number = next(numbers)
        if plan.body:
            body = plan.body.replace("ORDER", f"{prefix}-{number}").encode()
            connection.request("POST", path, body, headers)
        else:
            line = plan.paths[(hash(prefix) + number) % len(plan.paths)]
            connection.request("GET", line, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    return ask
