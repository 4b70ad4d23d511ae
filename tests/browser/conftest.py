"""What these tests start from: one browser for all, and pages that have seen nothing yet."""

from collections.abc import Iterator

import pytest

from tests.api.conftest import desk, made
from tests.browser.chrome import Chrome, Pipe, page, running
from tests.outside import need

__all__ = ["desk", "made"]


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """Nothing here goes without the browser."""
    need("chromium", "chromium-browser")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipe]:
    """The browser, which is slow to start, and started once."""
    with running(tmp_path_factory.mktemp("profile")) as pipe:
        yield pipe


@pytest.fixture(scope="module")
def chrome(chromium: Pipe) -> Iterator[Chrome]:
    """A page for all tests of a file."""
    with page(chromium) as chrome:
        yield chrome
