"""What these tests start from."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.web.people.visitors import Bureau


@pytest.fixture(scope="session")
def made_bureau(tmp_path_factory: pytest.TempPathFactory) -> Bureau:
    """One that was made and closed, to be copied."""
    with Bureau(tmp_path_factory.mktemp("bureau")) as made:
        return made


@pytest.fixture
def bureau(made_bureau: Bureau, tmp_path: Path) -> Iterator[Bureau]:
    """An instance in which nobody has reported anything."""
    with made_bureau.copied(tmp_path) as bureau:
        yield bureau


@pytest.fixture(scope="session")
def photograph() -> bytes:
    """A small one."""
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "grey").save(file, "JPEG")
    return file.getvalue()
