"""What these tests start from."""

from tests.api.conftest import desk, made

__all__ = ["desk", "made"]
