"""What these tests start from."""

from collections.abc import Iterator

import pytest

from tests.api.desk import Desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An instance for all tests of a file."""
    with Desk(tmp_path_factory.mktemp("desk")) as desk:
        yield desk
