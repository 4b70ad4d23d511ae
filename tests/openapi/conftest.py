"""What the tests of the description start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An instance in which nothing has been issued."""
    with Desk(tmp_path) as desk:
        yield desk
