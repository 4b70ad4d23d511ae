"""The bench of the bureau's overview runs through, at a hundredth of its length and pace."""

from pathlib import Path

import pytest

from bench.city import A_SECOND, SECONDS, overview


@pytest.mark.slow
def test_the_overview_is_measured_while_others_sell(tmp_path: Path) -> None:
    rows = {row.name: row for row in overview(tmp_path, SECONDS / 30, A_SECOND / 100)}
    assert rows["the overview, 95 %"].value >= rows["the overview, median"].value > 0
    assert rows["the overview, 95 %"].aim is not None
    assert rows["an invoice meanwhile, p99"].value > 0
