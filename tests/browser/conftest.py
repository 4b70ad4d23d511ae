"""What these tests start from."""

import pytest

from tests.api.conftest import desk, made
from tests.outside import need

__all__ = ["desk", "made"]


@pytest.fixture(scope="session", autouse=True)
def chromium() -> str:
    """Nothing here goes without the browser."""
    return need("chromium", "chromium-browser")
