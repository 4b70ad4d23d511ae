"""What the services' tests start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town whose merchants are admitted and have issued nothing."""
    town = Town(tmp_path)
    town.settle_in()
    yield town
    town.close()
