"""The bench of totals by every mix runs through, over a small year."""

from pathlib import Path

import pytest

from bench.mixes import reports


@pytest.mark.slow
def test_every_mix_is_asked_over_http(tmp_path: Path) -> None:
    rows = {row.name: row for row in reports(tmp_path, 600, merchants=30, repeats=1)}
    assert rows["up to 1,000 rows, 95 %"].value >= rows["up to 1,000 rows, median"].value > 0
    assert rows["up to 1,000 rows, 95 %"].aim is not None
