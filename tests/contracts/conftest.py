"""The stores that contracts are held against."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.storage.shop import Shop


@pytest.fixture(params=[Shop])
def open_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """Open shops over one database; every kind of store is a parameter."""
    opened: list[Shop] = []

    def open_one(**settings: object) -> Shop:
        opened.append(request.param(tmp_path, **settings))
        return opened[-1]

    yield open_one
    for shop in opened:
        shop.store.close()


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    """A shop that has issued nothing."""
    return open_shop()
