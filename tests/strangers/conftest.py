"""What the strangers are given to read."""

from collections.abc import Iterator

import pytest

from tests.strangers.logs import Grown, Web, grown, web


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Grown]:
    """A log at every size, shared by all the processes that run tests; nobody writes in it."""
    base = tmp_path_factory.getbasetemp()
    if base.name.startswith("popen-"):  # of one of several processes: the one above is for all
        base = base.parent
    return grown(base / "strangers")


@pytest.fixture(scope="session")
def served(logs: dict[int, Grown]) -> Iterator[Web]:
    """Our web processes over these logs."""
    with web(logs) as serving:
        yield serving
