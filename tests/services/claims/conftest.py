"""What tests of claims start from."""

from tests.api.conftest import desk, made

__all__ = ["desk", "made"]
