"""Every call by every role: the table in docs/api.md, the description and the service agree."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from invoice_service.app import doors
from invoice_service.config import load
from invoice_service.openapi.operation import Operation
from tests.api.desk import UNKNOWN, Desk

API_PAGE = Path(__file__).parents[2] / "docs" / "api.md"
OPERATIONS = doors(load(None, {})).operations
ROLES = ("nobody", "merchant", "official")
LETS_IN = {
    "": ROLES,
    "optional": ROLES,
    "any": ("merchant", "official"),
    "merchant": ("merchant",),
    "official": ("official",),
}
VALUES = {"hash": UNKNOWN, "merchant": "999", "key": "999", "tile": "0/000", "number": "1"}


def rows() -> Iterator[str]:
    """The table's lines, from what the calls say of themselves."""
    yield "| call | nobody | merchant | official |"
    yield "|---|---|---|---|"
    for operation in OPERATIONS:
        marks = ["yes" if role in LETS_IN[operation.key] else "" for role in ROLES]
        path = operation.path.replace("{merchant}", "{id}")
        yield f"| `{operation.method.upper()} {path}` | {' | '.join(marks)} |"


def test_the_table_is_what_the_calls_say() -> None:
    text = "\n".join(rows())
    assert text in API_PAGE.read_text(encoding="utf-8"), text


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Desk(tmp_path_factory.mktemp("desk")) as desk:
        yield desk


def turned_away(desk: Desk, operation: Operation, headers: dict[str, str]) -> Any:  # noqa: ANN401
    """The code with which a caller is refused for who it is; None where it is let in."""
    path = operation.path.format_map({**VALUES, "height": "1"})
    answer = desk.client.open(path, method=operation.method.upper(), headers=headers)
    return answer.get_json()["code"] if answer.status_code in (401, 403) else None


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_only_those_are_let_in(desk: Desk, operation: Operation) -> None:
    sent = {"nobody": {}, "merchant": desk.auth(), "official": desk.official()}
    for role in ROLES:
        found = turned_away(desk, operation, sent[role])
        if role in LETS_IN[operation.key]:
            assert found is None, role
        else:
            assert found == ("key_missing" if role == "nobody" else "role_required"), role
