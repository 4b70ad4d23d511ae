"""The pages of setting up are those that are listed, and the manual names them."""

from pathlib import Path

from invoice_service.web.setup.contract import PAGES
from tests.api.routes import all_routes
from tests.web.setup.empty import Empty

MANUAL = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_routes_are_those_that_are_listed(empty: Empty) -> None:
    found = {route for route in all_routes(empty.app) if route[1].startswith("/setup")}
    assert found == {(page.method, page.path) for page in PAGES}


def test_the_manual_names_them() -> None:
    for page in PAGES:
        assert f"`{page.path}`" in MANUAL, page.path
