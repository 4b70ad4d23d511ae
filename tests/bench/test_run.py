"""``python -m bench`` runs through, small: every stage, on the real processes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.rows import Row, measures
from bench.run import LOG_LINES, Run
from tests.browser.chrome import program
from tests.patience import NEVER

AIMED = {
    "single issues ÷ empty Flask requests": 0.35,
    "processor time of a single issue, in empty Flask requests": 3.0,
    "batch with promises ÷ batch without": 0.95,
    "batch ÷ SQLite rows inserted in batches": 0.15,
    "verifications ÷ empty Flask requests": 0.55,
    "replay of a year ÷ the same rows inserted raw": 7.0,
    "a proof file checked offline ÷ one Ed25519 check": 2.3,
    "p99 of a single issue at half of the top rate": 20.0,
    "durable single issues over HTTP": 2_500,
    "batch issues over HTTP": 10_000,
    "entries anchored": 25_000,
    "verifications over HTTP": 3_000,
    "processor time of an anchored entry ÷ that of a plain log": 2.5,
}


@pytest.mark.slow
def test_a_small_run_measures_everything_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--json", "--seconds", "0.2", "--size", "1000"]
    done = subprocess.run(
        [*command, "--rounds", "1", "--dir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=NEVER,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["failures"] == []
    rows = {row["name"]: row for row in found["measures"]}
    for name, aim in AIMED.items():
        assert rows[name]["aim"] == aim
        assert rows[name]["value"] > 0
    reports = [row for name, row in rows.items() if name.startswith("totals of the year")]
    assert [row["aim"] for row in reports] == [50] * 6
    assert {row["group"] for row in rows.values()} >= {"tree", "disk", "memory", "anchoring"}
    if program() is not None:
        assert rows["check of a proof file in a browser"]["value"] > 0
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that has measured nothing."""
    return Run(tmp_path, seconds=1.0, size=1_000)


def test_a_step_that_fails_is_named_with_its_log_and_the_next_one_counts(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "web.log").write_text("".join(f"line {n}\n" for n in range(100)))
    (tmp_path / "worker.log").write_text("")
    with run.step("one", tmp_path):
        raise TimeoutError("the service: not within 60 seconds")
    with run.step("two"):
        run.samples.add("two", 2.0)
    (failure,) = run.failures
    assert (failure.step, list(failure.logs)) == ("one", ["web.log"])
    assert failure.error.startswith("TimeoutError: the service: not within 60 seconds (test_run.py")
    assert failure.logs["web.log"].splitlines() == [f"line {n}" for n in range(100)][-LOG_LINES:]
    assert run.samples.median("two") == 2.0


def test_a_ratio_is_made_in_each_round_and_the_median_is_shown(run: Run) -> None:
    for number, (top, bottom) in enumerate([(10, 100), (40, 100), (50, 200)]):
        run.samples.round = number
        run.samples.add("top", top)
        run.samples.add("bottom", bottom)
    run.samples.round = 3
    run.samples.add("top", 99)  # what it is divided by has failed in this round
    (row,) = measures(run, [Row("ratios", "a ratio", "top", "", "bottom", 0.3)])
    assert (row.value, row.met) == (0.25, False)
    assert row.note == "rounds: 0.1, 0.4, 0.25"


def test_what_was_not_measured_has_no_row_and_bounds_nothing(run: Run) -> None:
    run.samples.add("there", 2.0)
    limits = (("gone", "gone"), ("here", "there"))
    rows = [Row("g", "gone", "gone", ""), Row("g", "there", "there", "ms", limits=limits, scale=3)]
    (row,) = measures(run, rows)
    assert (row.value, [limit.step for limit in row.limits]) == (6.0, ["here"])
