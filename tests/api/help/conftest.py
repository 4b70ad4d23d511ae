"""What these tests start from."""

from tests.api.conftest import desk, made
from tests.web.help.conftest import photograph

__all__ = ["desk", "made", "photograph"]
