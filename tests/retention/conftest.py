"""What the tests of the description start from."""

from tests.api.conftest import desk, made

__all__ = ["desk", "made"]
