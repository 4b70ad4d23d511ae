"""A simulated year of a city: how fast it is issued, and how long its reports take."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.timing import Rate, summary
from invoice_service.config import Config, load
from invoice_service.services.reporting.report import BY, report_bytes, totals_report
from invoice_service.wiring import open_instance

REPEATS = 5


class ReplayError(Exception):
    """``fapiao replay`` failed; what it said is the message."""


@dataclass(frozen=True, slots=True)
class Year:
    """``fapiao replay``: how long it took, all in; its reports by what they are broken down."""

    config: Config
    invoices: int
    seconds: float
    blocks: int
    reports: dict[str, Rate]


def year(folder: Path, invoices: int) -> Year:
    """Replay a year with ``invoices`` in a process of its own, then make every report of it."""
    place = folder / "year"
    done = subprocess.run(
        [*replaying(place, invoices), "--merchants", str(merchants_of(invoices))],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ReplayError(done.stderr)
    result = json.loads(done.stdout)
    config = config_of(place)
    blocks, reports = time_reports(config)
    return Year(config, result["invoices"], result["seconds"], blocks, reports)


def merchants_of(invoices: int) -> int:
    """Return how many merchants a year has: 5,000 for a million invoices, and never under 100."""
    return max(100, invoices // 200)


def replaying(place: Path, invoices: int) -> list[str]:
    """Return the command that fills a new instance at ``place``."""
    command = [sys.executable, "-m", "invoice_service.cli", "replay", "--json"]
    return [*command, "--invoices", str(invoices), "--dir", str(place)]


def config_of(place: Path) -> Config:
    """Return the settings of the instance at ``place``."""
    return load(None, {"FAPIAO_SERVICE_DATA_DIR": str(place)})


def time_reports(config: Config) -> tuple[int, dict[str, Rate]]:
    """Time the report over the whole year, encoded as it is sent, once warm and once cold."""
    reports = {}
    blocks = 0
    for by in BY:
        instance = open_instance(config)  # a new connection: nothing in its cache
        durations = []
        for _ in range(REPEATS):
            before = time.perf_counter()
            report_bytes(totals_report(instance.store.totals, instance.log, None, None, by, None))
            durations.append(time.perf_counter() - before)
        blocks = instance.log.head().height
        instance.close()
        reports[by] = summary(durations, sum(durations))
    return blocks, reports
