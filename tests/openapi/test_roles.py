"""Every call by every role: the table in docs/api.md, the description and the service agree."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from invoice_service.app import doors
from invoice_service.config import load
from invoice_service.openapi.operation import Operation
from invoice_service.services.people.ports import OF_A_TILL, SCOPES, KeyTerms, Role
from invoice_service.services.people.roles import OFFICIALS, POWERS
from tests.api.desk import UNKNOWN, Desk

API_PAGE = Path(__file__).parents[2] / "docs" / "api.md"
OPERATIONS = doors(load(None, {})).operations
ROLES = ("nobody", "till", "merchant", *OFFICIALS)
"""Who calls: without a key, with a till's, with one that may do all of its role's; officials."""

LETS_IN = {
    "": ROLES,
    "optional": ROLES,
    "any": ("till", "merchant", *OFFICIALS),
    "merchant": ("till", "merchant"),
    "official": OFFICIALS,
}
VALUES = {
    "form": "csv",
    "person": "999",
    "report": "999",
    "application": "999",
    "paper": "1",
    "request": "999",
    "proposal": "999",
    "picture": "1",
    "device": "999",
    "hash": UNKNOWN,
    "merchant": "999",
    "key": "999",
    "tile": "0/000",
    "number": "1",
    "index": "0",
    "day": "2026-11-21",
    "order": "0" * 32,
    "account": "0" * 32,
    "token": "A" * 24,
    "commitment": "0" * 64,
}


def is_let_in(role: str, operation: Operation) -> bool:
    """Whether a call is for that role; a till's key is not for all that its merchant may do."""
    if role == "till" and operation.scope not in ("", *OF_A_TILL):
        return False
    if role in OFFICIALS and operation.power:
        return role in POWERS[operation.power].roles
    return role in LETS_IN[operation.key]


def rows() -> Iterator[str]:
    """The table's lines, from what the calls say of themselves."""
    yield f"| call | {' | '.join(ROLES)} |"
    yield f"|---{'|---' * len(ROLES)}|"
    for operation in OPERATIONS:
        marks = ["yes" if is_let_in(role, operation) else "" for role in ROLES]
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
    whole = desk.new_key(desk.restaurant.merchant.id, KeyTerms(scopes=SCOPES["merchant"]))
    sent: dict[str, dict[str, str]] = {
        "nobody": {},
        "till": desk.auth(),
        "merchant": desk.auth(whole),
        **{role: desk.auth(desk.new_key(None, KeyTerms(office=role))) for role in OFFICIALS},
    }
    for role in ROLES:
        found = turned_away(desk, operation, sent[role])
        if is_let_in(role, operation):
            assert found is None, role
        elif role == "till" and operation.key in ("merchant", "any"):
            assert found == "scope_required"
        else:
            assert found == ("key_missing" if role == "nobody" else "role_required"), role


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.scope], ids=lambda operation: operation.name
)
def test_a_key_for_something_else_is_told_so(desk: Desk, operation: Operation) -> None:
    owner = None if operation.key == "official" else desk.restaurant.merchant.id
    role: Role = "merchant" if owner else "official"
    others = tuple(scope for scope in SCOPES[role] if scope != operation.scope)
    headers = desk.auth(desk.new_key(owner, KeyTerms(scopes=others)))
    assert turned_away(desk, operation, headers) == "scope_required"


def test_every_call_that_takes_a_key_says_what_it_must_be_for() -> None:
    for operation in OPERATIONS:
        needs = operation.key in ("merchant", "official", "any")
        assert bool(operation.scope) == needs, operation.name


def test_every_call_of_officials_says_what_power_it_takes() -> None:
    for operation in OPERATIONS:
        assert bool(operation.power) == (operation.key in ("official", "any")), operation.name
        if operation.power:
            assert POWERS[operation.power].scope == operation.scope, operation.name


def test_the_powers_are_as_the_page_has_them() -> None:
    lines = [f"| power | {' | '.join(OFFICIALS)} | scope | |", "|---|---|---|---|---|---|---|"]
    for name, granted in POWERS.items():
        marks = " | ".join("yes" if role in granted.roles else "" for role in OFFICIALS)
        lines.append(f"| `{name}` | {marks} | `{granted.scope}` | {granted.means} |")
    text = "\n".join(lines)
    assert text in API_PAGE.read_text(encoding="utf-8"), text
