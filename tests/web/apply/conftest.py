"""What these tests start from."""

from tests.web.help.conftest import bureau, made_bureau, photograph

__all__ = ["bureau", "made_bureau", "photograph"]
