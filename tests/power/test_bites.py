"""The harness finds what it is there to find: careless programs fail, careful ones pass."""

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.power.cuts import materialise
from tests.power.disk import Disk
from tests.power.harness import Cut, everywhere, power_cuts
from tests.power.replay import replay
from tests.power.trace import Call
from tests.power.tracing import trace_run

PROGRAMS = "tests.power.programs"
ROUNDS = 6


def _traced(tmp_path: Path, program: str, *arguments: str) -> tuple[list[Call], Disk]:
    data = tmp_path / "data"
    data.mkdir()
    disk = Disk.holding(data)
    module = f"{PROGRAMS}.{program}"
    command = [sys.executable, "-m", module, str(data), str(ROUNDS), *arguments]
    calls = trace_run(tmp_path / "trace", command, {})
    return calls, disk


def _wrong(
    tmp_path: Path, calls: list[Call], disk: Disk, check: Callable[[Path, int], None]
) -> list[str]:
    """Return what was wrong at which cut, over all cuts of a trace."""
    wrong: list[str] = []
    for number, cut in enumerate(power_cuts(calls, disk, where=everywhere, seed=1, torn=3)):
        folder = tmp_path / "states" / str(number)
        materialise(cut.tree, folder)
        try:
            check(folder, _told(cut))
        except (AssertionError, sqlite3.DatabaseError) as problem:
            wrong.append(f"{cut}: {problem}")
    return wrong


def _told(cut: Cut) -> int:
    return int(cut.sent[-1]) if cut.sent else 0


def _check_rows(folder: Path, told: int) -> None:
    """Every row that was told stands there, without gaps, and the file is sound."""
    database = sqlite3.connect(folder / "rows.db")
    try:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        names = database.execute("SELECT name FROM sqlite_master").fetchall()
        rows = database.execute("SELECT n FROM rows ORDER BY n").fetchall() if names else []
    finally:
        database.close()
    assert [n for (n,) in rows] == list(range(1, len(rows) + 1)), "rows with gaps"
    assert len(rows) >= told, f"{told} were acknowledged, {len(rows)} are there"


def _check_current(folder: Path, told: int) -> None:
    """The file holds one whole version, and none older than was told."""
    path = folder / "current"
    if not path.exists():
        assert told == 0, f"version {told} was acknowledged, the file is gone"
        return
    data = path.read_bytes()
    assert len(data) == 2400, f"half a version: {len(data)} bytes"
    assert data == data[:8] * 300, "two versions mixed"
    assert int(data[:8]) >= told, f"version {told} was acknowledged, {data[:8]!r} is there"


@pytest.mark.parametrize(("journal", "synchronous"), [("WAL", "FULL"), ("DELETE", "EXTRA")])
def test_sqlite_with_enough_syncs_keeps_what_it_acknowledged(
    tmp_path: Path, journal: str, synchronous: str
) -> None:
    calls, disk = _traced(tmp_path, "counter", journal, synchronous)
    assert _wrong(tmp_path, calls, disk, _check_rows) == []


@pytest.mark.parametrize(
    ("journal", "synchronous"),
    [
        ("WAL", "NORMAL"),
        ("WAL", "OFF"),
        ("DELETE", "OFF"),
        (
            "DELETE",
            "FULL",
        ),  # the journal's removal is a name, and FULL does not sync the folder then
    ],
)
def test_sqlite_with_too_few_syncs_is_caught(
    tmp_path: Path, journal: str, synchronous: str
) -> None:
    calls, disk = _traced(tmp_path, "counter", journal, synchronous)
    assert any("acknowledged" in line for line in _wrong(tmp_path, calls, disk, _check_rows))


def test_write_aside_and_rename_with_both_syncs_holds(tmp_path: Path) -> None:
    calls, disk = _traced(tmp_path, "publisher", "careful")
    assert _wrong(tmp_path, calls, disk, _check_current) == []


@pytest.mark.parametrize(
    ("how", "finding"),
    [
        ("no-file-sync", "half a version"),
        ("no-folder-sync", "acknowledged"),
        ("in-place", "half a version"),
    ],
)
def test_a_skipped_sync_is_caught(tmp_path: Path, how: str, finding: str) -> None:
    calls, disk = _traced(tmp_path, "publisher", how)
    assert any(finding in line for line in _wrong(tmp_path, calls, disk, _check_current))


@pytest.mark.parametrize(
    ("program", "arguments"),
    [("counter", ("WAL", "FULL")), ("counter", ("DELETE", "EXTRA")), ("publisher", ("careful",))],
)
def test_replaying_everything_gives_the_real_folder(
    tmp_path: Path, program: str, arguments: tuple[str, ...]
) -> None:
    calls, disk = _traced(tmp_path, program, *arguments)
    for _ in replay(calls, disk):
        pass
    real = {
        str(path.relative_to(tmp_path / "data")): path.read_bytes()
        for path in (tmp_path / "data").rglob("*")
    }
    assert disk.visible() == real
