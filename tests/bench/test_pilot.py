"""A part of the pilot's first year, by the real path, equal to the fen to its rows' sums."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.pilot import INVOICES, PilotError, check_year, pilot_year
from bench.reporting import config_of
from bench.run import Run
from bench.table import Measure
from invoice_service.config import Config
from tests.patience import PATIENCE, wait_until
from tests.storage.shop import tamper

PART = 400


@dataclass(frozen=True)
class Year:
    """The year, and what was measured of it."""

    config: Config
    measures: dict[str, Measure]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Year:
    """A four-hundredth of it."""
    run = Run(tmp_path_factory.mktemp("pilot"), seconds=1.0, size=INVOICES // PART)
    measures = {measure.name: measure for measure in pilot_year(run)}
    return Year(config_of(run.folder / "year"), measures)


@pytest.mark.slow
def test_it_is_the_pilots_year(year: Year) -> None:
    assert year.measures["industries"].value == 113
    assert 3_800 < PART * year.measures["million yuan"].value < 4_000
    (whole,) = (row for name, row in year.measures.items() if name.endswith("of 5,308 merchants"))
    assert "every one anchored" in whole.note
    curve = [row for row in year.measures.values() if row.group == "curve"]
    assert curve
    assert all("MiB" in row.note for row in curve)
    assert all(row.value > 0 for row in curve)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("UPDATE invoices SET total = total + 1, tax = tax + 1 WHERE seq = 700", "report by"),
        ("UPDATE totals SET blue_tax = blue_tax + 1 WHERE height > 0", "report by"),
        ("DELETE FROM invoices WHERE seq = 700", "taken into the log"),
    ],
)
def test_one_fen_or_one_invoice_that_is_wrong_is_seen(
    year: Year, tmp_path: Path, statement: str, complaint: str
) -> None:
    path = year.config.invoices_db
    whole = tmp_path / "whole.db"
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(whole)) as copy:
        source.backup(copy)
    try:
        tamper(path.parent, statement)
        with pytest.raises(PilotError, match=complaint):
            check_year(year.config)
    finally:
        with closing(sqlite3.connect(whole)) as source, closing(sqlite3.connect(path)) as back:
            source.backup(back)


@pytest.mark.slow
def test_ended_in_between_it_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--year", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as bench:
        wait_until(lambda: list(tmp_path.glob("*/year/invoices.db")), "it has begun")
        mark = str(tmp_path).encode()
        assert _of(mark), "nothing is looked for"
        bench.terminate()
        assert bench.wait(PATIENCE) == 128 + signal.SIGTERM
    wait_until(lambda: not _of(mark), "what it had started has ended")
    assert list(tmp_path.iterdir()) == []


def _of(mark: bytes) -> list[Path]:
    """Who was started with this on the command line."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if mark in line.read_bytes():
                found.append(line)
    return found
