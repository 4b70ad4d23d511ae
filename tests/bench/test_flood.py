"""The flood runs through, small: everybody is answered, nothing is lost, memory stays small."""

from pathlib import Path

import pytest

from bench.flood import MOST_MEMORY, SMALL, flood


@pytest.mark.slow
def test_a_flood_keeps_nobody_from_issuing_and_scanning(tmp_path: Path) -> None:
    result = flood(tmp_path, SMALL)
    assert result.failures == []
    assert result.till
    assert result.phone
    assert len(result.acknowledged) == len(result.till) + SMALL.batches * SMALL.records
    assert result.lost == 0
    assert result.lists == [413] * SMALL.lists
    assert 0 < result.memory < MOST_MEMORY
