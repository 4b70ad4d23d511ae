"""``python -m bench`` runs through, small: every stage, on the real processes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.chrome import program
from tests.patience import NEVER

AIMED = {
    "durable single issues over HTTP": 2_500,
    "batch issues over HTTP": 10_000,
    "entries anchored": 25_000,
    "verifications over HTTP": 3_000,
    "processor time of an entry ÷ that of a plain log": 2.5,
    "check of a proof file ÷ one Ed25519 check": 2.3,
    "verifications ÷ empty Flask requests": 0.55,
}


@pytest.mark.slow
def test_a_small_run_measures_everything_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--json", "--seconds", "1", "--size", "1000"]
    done = subprocess.run(
        [*command, "--dir", str(tmp_path)], capture_output=True, text=True, timeout=NEVER
    )
    assert done.returncode == 0, done.stderr
    measures = {row["name"]: row for row in json.loads(done.stdout)["measures"]}
    for name, aim in AIMED.items():
        assert measures[name]["aim"] == aim
        assert measures[name]["value"] > 0
    reports = [row for name, row in measures.items() if name.startswith("totals of the year")]
    assert [row["aim"] for row in reports] == [50] * 5
    assert {row["group"] for row in measures.values()} >= {"tree", "disk", "memory", "anchoring"}
    if program() is not None:
        assert measures["check of a proof file in a browser"]["value"] > 0
    assert list(tmp_path.iterdir()) == []
