"""Totals by every mix, over HTTP: how long an official's program waits for a report.

Over a simulated year of a city: each dimension and each pair of them, whole where that
is up to 1,000 rows, else the first hundred by what was sold. That they are right to the fen is
shown by tests/journeys/test_city_totals.py.
"""

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from itertools import combinations, cycle
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlencode

import urllib3

from bench.issuing import CountError
from bench.reporting import ReplayError, config_of, replaying
from bench.service import NO_LIMIT, RATES, Site, served
from bench.table import Measure
from bench.timing import percentile
from bench.web import free_port
from invoice_service.config import load
from invoice_service.services.people.admit import create_key
from invoice_service.services.reporting.question import DIMENSIONS
from invoice_service.wiring import open_instance

MERCHANTS: Final = 5_308
ROWS: Final = 1_000
FIRST: Final = 100
AIM_MS: Final = 50.0
REPEATS: Final = 5
ASKED: Final = 100
"""How often the mixes of a kind are asked at least: of fewer there are no 95 %."""

Mix: TypeAlias = tuple[dict[str, str], list[float]]
"""What is asked, and the milliseconds that each answer took."""


def reports(
    folder: Path, invoices: int, merchants: int = MERCHANTS, repeats: int = REPEATS
) -> list[Measure]:
    """Every mix over a year of ``invoices``; ReplayError when it could not be made."""
    site = _site(folder, invoices, merchants)
    kinds: dict[str, list[Mix]] = {"up to 1,000 rows": [], **{name: [] for name in _LARGER}}
    firsts: list[float] = []
    with served(site):
        for by in _mixes():
            words = {"by": ",".join(by), "version": "3", "measure": "net"}
            kind = "up to 1,000 rows"
            if _ask(site, words)[1] > ROWS:
                words["top"] = str(FIRST)
                kind = _larger(by)
                firsts.append(_ask(site, words)[0])
            kinds[kind].append((words, [_ask(site, words)[0] for _ in range(repeats)]))
        for mixes in kinds.values():
            for words, times in cycle(mixes):
                if sum(len(asked) for _, asked in mixes) >= ASKED * repeats // REPEATS:
                    break
                times.append(_ask(site, words)[0])
    found = [row for kind, mixes in kinds.items() for row in _rows(kind, mixes)]
    first = max(firsts, default=0.0)
    found.append(Measure("reports", "a process's first ranking, loading numpy", first, "ms"))
    return found


_LARGER: Final = ("the first 100 by one dimension", "the first 100 by two dimensions")


def _rows(kind: str, mixes: Sequence[Mix]) -> Iterator[Measure]:
    times = [took for _, asked in mixes for took in asked]
    slowest = (
        max((percentile(asked, 0.5), words["by"]) for words, asked in mixes) if mixes else None
    )
    note = (
        f"{len(mixes)} mixes, asked {len(times)} times; slowest by {slowest[1]}"
        if slowest
        else "none"
    )
    yield Measure("reports", f"{kind}, median", percentile(times, 0.5), "ms", note=note)
    yield Measure(
        *("reports", f"{kind}, 95 %", percentile(times, 0.95), "ms"),
        aim=AIM_MS,
        less_is_better=True,
    )


def _larger(by: tuple[str, ...]) -> str:
    return _LARGER[len(by) - 1]


def _mixes() -> Iterator[tuple[str, ...]]:
    yield from ((name,) for name in DIMENSIONS)
    yield from combinations(DIMENSIONS, 2)


def _site(folder: Path, invoices: int, merchants: int) -> Site:
    place = folder / "year"
    command = [*replaying(place, invoices), "--merchants", str(merchants)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ReplayError(done.stderr)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environ = {
        "FAPIAO_SERVICE_DATA_DIR": str(place),
        "FAPIAO_SERVICE_PUBLIC_URL": url,
        "FAPIAO_LOG_ORIGIN": config_of(place).log_origin,
        "FAPIAO_WEB_PORT": str(port),
        **{f"FAPIAO_RATE_{name}": str(NO_LIMIT) for name in RATES},
    }
    config = load(None, environ)
    instance = open_instance(config)
    try:
        by, randbytes = instance.operator(), instance.randbytes
        _, key = create_key(instance.store, "official", None, "bench", by=by, randbytes=randbytes)
    finally:
        instance.close()
    return Site(config, environ, url, 0, "", key)


def _ask(site: Site, words: dict[str, str]) -> tuple[float, int]:
    """Milliseconds until all of a report is there, and its rows."""
    url = f"{site.url}/v1/reports/totals?{urlencode(words)}"
    before = time.perf_counter()
    answer = urllib3.request("GET", url, headers={"Authorization": f"Bearer {site.official_key}"})
    took = 1000 * (time.perf_counter() - before)
    if answer.status != 200:
        raise CountError(f"{url} was answered {answer.status}: {answer.data[:200]!r}")
    return took, len(json.loads(answer.data)["rows"])
