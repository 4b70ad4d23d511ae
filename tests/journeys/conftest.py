"""What the stories start from."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.service import Service


@pytest.fixture
def service() -> Iterator[Service]:
    """An initialised instance; start it to have its processes. All of them end with the test."""
    service = Service(Path(tempfile.mkdtemp(prefix="fapiao-")))
    try:
        service.init()
        yield service
    finally:
        service.close()
