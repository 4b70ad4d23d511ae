"""What these tests start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.people.visitors import Bureau
from tests.web.till.counter import Counter


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Counter:
    """A restaurant that was made and closed, to be copied: its people's passwords take long."""
    with Counter(tmp_path_factory.mktemp("counter")) as counter:
        return counter


@pytest.fixture
def counter(opened: Counter, tmp_path: Path) -> Iterator[Counter]:
    """A restaurant that has sold nothing."""
    with opened.copied(tmp_path) as counter:
        yield counter


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    """An instance in which nobody has been invited."""
    with Bureau(tmp_path) as bureau:
        yield bureau
