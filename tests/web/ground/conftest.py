"""What these tests start from."""

from tests.api.conftest import desk

__all__ = ["desk"]
