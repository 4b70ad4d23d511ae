"""What these tests start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.setup.empty import Empty


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Empty]:
    """An instance in which there is nobody and nothing."""
    with Empty(tmp_path) as empty:
        yield empty
