"""What the till's page keeps and computes, without a page: each file of cases under Node."""

import subprocess
from pathlib import Path

import pytest

from tests.outside import need
from tests.patience import PATIENCE

CASES = sorted(Path(__file__).with_name("state").glob("*.mjs"))


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_the_tills_state(file: Path) -> None:
    done = subprocess.run(
        [need("node"), "--test", file], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stdout
