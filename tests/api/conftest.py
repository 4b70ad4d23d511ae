"""What the tests of the front doors start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.desk import Desk


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """One that was made and closed, to be copied."""
    with Desk(tmp_path_factory.mktemp("made")) as made:
        return made


@pytest.fixture
def desk(made: Desk, tmp_path: Path) -> Iterator[Desk]:
    """An instance in which nothing has been issued."""
    with made.copied(tmp_path) as desk:
        yield desk
