"""However long the input is, a parser is done soon, in memory that is known beforehand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.parsers import PARSERS

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.scaled
def test_far_too_long_inputs_are_refused_in_little_time_and_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.huge"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, list[str]] = json.loads(done.stdout)
    assert found.keys() == {parser.name for parser in PARSERS}
    for parser in PARSERS:
        assert set(found[parser.name]) <= {*parser.codes, "ok"}, parser.name
    assert {"proof_too_long"} <= set(found["proof"])
    assert {"tlog_proof_too_long"} <= set(found["tlog-proof"])
    assert {"body_too_large"} <= set(found["issue request"])
