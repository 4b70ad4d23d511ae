"""Every page by every role: the table in docs/api.md, the list of pages and the service agree."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from invoice_service.services.people.roles import OFFICIALS
from invoice_service.web import bureau, people
from invoice_service.web.people.contract import ANYBODY, EVERYBODY, Page
from invoice_service.web.till.contract import CALLS
from tests.api.routes import all_routes
from tests.web.people.visitors import Browser, Bureau, code_in

API_PAGE = Path(__file__).parents[3] / "docs" / "api.md"
PAGES = (*people.PAGES, *bureau.PAGES)
ROLES = ("nobody", *EVERYBODY)
VALUES = {
    "order": "0" * 32,
    "file": "0" * 32,
    "form": "csv",
    "hash": "x",
    "invitation": "x",
    "passkey": "999",
    "session": "999",
    "person": "999",
    "report": "999",
    "proposal": "999",
    "picture": "1",
    "application": "999",
    "paper": "1",
    "request": "999",
    "kind": "csv",
    "view": "999",
    "merchant": "999",
    "tax_id": "x",
}
OUTSIDE = ("sign_in_needed", "role_required", "second_factor_needed")


def is_let_in(role: str, page: Page) -> bool:
    """Whether a page is for that role."""
    return page.who == ANYBODY or role in page.who


def rows() -> Iterator[str]:
    """The table's lines."""
    yield f"| page | {' | '.join(ROLES)} |"
    yield f"|---{'|---' * len(ROLES)}|"
    for page in PAGES:
        marks = ["yes" if is_let_in(role, page) else "" for role in ROLES]
        yield f"| `{page.method.upper()} {page.path}` | {' | '.join(marks)} |"


def test_the_table_is_what_the_pages_say() -> None:
    text = "\n".join(rows())
    assert text in API_PAGE.read_text(encoding="utf-8"), text


@pytest.fixture(scope="module")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Browser]]:
    """A browser for each role."""
    with Bureau(tmp_path_factory.mktemp("bureau")) as bureau:
        yield {
            "nobody": bureau.browser(),
            "owner": bureau.signed_in(bureau.person("zhang")),
            "cashier": bureau.signed_in(bureau.person("li", "cashier")),
            **{role: bureau.strong(bureau.person(role, role)) for role in OFFICIALS},
        }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.method} {page.path}")
@pytest.mark.parametrize("role", ROLES)
def test_only_those_are_let_in(browsers: dict[str, Browser], page: Page, role: str) -> None:
    """A form comes without its token, so it changes nothing: who may send it is told that."""
    path = page.path.format_map(VALUES)
    browser = browsers[role]
    answer = browser.get(path) if page.method == "get" else browser.post(path)
    sent_away = answer.headers.get("Location", "").startswith("/sign-in?to=")
    turned_away = sent_away or code_in(answer) in OUTSIDE
    assert turned_away == (not is_let_in(role, page)), (answer.status_code, code_in(answer))


def test_every_page_is_there_and_no_other(browsers: dict[str, Browser]) -> None:
    app = browsers["nobody"].client.application
    rooms = (
        "/sign-in",
        "/sign-out",
        "/invitation",
        "/account",
        "/people",
        "/till",
        "/reports",
        "/bureau",
    )
    found = {route for route in all_routes(app) if route[1].startswith(rooms)}
    assert found == {(one.method, one.path) for one in (*PAGES, *CALLS)}
