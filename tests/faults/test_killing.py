"""What the shows of kills stand on."""

import signal
from pathlib import Path

import pytest

from tests.faults import killing


def test_a_child_that_stands_still_at_its_first_database_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a third of those do that are forked while other threads open databases."""
    stood, worked = tmp_path / "stood", tmp_path / "worked"

    def stand_still_once() -> None:
        if not stood.exists():
            stood.touch()
            signal.pause()

    monkeypatch.setattr(killing, "FIRST", 0.5)
    monkeypatch.setattr(killing, "open_a_database", stand_still_once)
    assert killing.in_child(lambda: worked.touch(exist_ok=False)) == 0
    assert stood.exists()
    assert worked.exists()
