"""What these tests start from."""

from tests.web.help.conftest import photograph

__all__ = ["photograph"]
