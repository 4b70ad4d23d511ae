"""What these tests start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.people.house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house without people."""
    house = House(tmp_path)
    yield house
    house.store.close()
