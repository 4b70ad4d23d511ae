"""What tests of witnesses, and of those who ask them, begin with."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.witness.desk import Desk
from tests.witness.room import Room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A room without anybody."""
    with ExitStack() as stack:
        yield Room(tmp_path, stack)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Three witnesses that work."""
    with ExitStack() as stack:
        desk = Desk(tmp_path, stack)
        for number in (1, 2, 3):
            desk.witness(number)
        yield desk
