"""The bench of a till's page runs through, at a hundredth of its length."""

from pathlib import Path

import pytest

from bench.till import SECONDS, till_rush
from tests.outside import need


@pytest.mark.slow
def test_touches_are_measured_while_others_sell(tmp_path: Path) -> None:
    need("chromium", "chromium-browser")
    rows = {row.name: row for row in till_rush(tmp_path, SECONDS / 100, an_hour=20_000)}
    assert rows["a touch, 95 %"].value >= rows["a touch, median"].value > 0
    assert rows["a touch, 95 %"].aim is not None
    assert rows["sales beside"].value >= 1
