"""What these tests start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.people.visitors import Bureau


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    """An instance in which nobody has been invited."""
    with Bureau(tmp_path) as bureau:
        yield bureau
