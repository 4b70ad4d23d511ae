"""Where the states after each cut are laid out for the real code to open."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_IN_MEMORY = Path("/dev/shm")


@pytest.fixture
def states(tmp_path: Path) -> Iterator[Path]:
    """Give a folder in memory where there is one: thousands of states, each synced, are read."""
    if not os.access(_IN_MEMORY, os.W_OK):
        yield tmp_path / "states"
        return
    with tempfile.TemporaryDirectory(prefix="fapiao-power-", dir=_IN_MEMORY) as folder:
        yield Path(folder)
