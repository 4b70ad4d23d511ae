"""Every call by every role: the table in docs/api.md, the list of calls and the service agree."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from invoice_service.services.people.roles import OFFICIALS, OfficialRole
from invoice_service.web.people.contract import EVERYBODY
from invoice_service.web.till.contract import CALLS, Call
from tests.api.desk import UNKNOWN
from tests.web.till.counter import Counter, Till

API_PAGE = Path(__file__).parents[3] / "docs" / "api.md"
ROLES = ("nobody", *EVERYBODY)
VALUES = {
    "hash": UNKNOWN,
    "till": "9",
    "bill": "12345678",
    "shift": "12345678",
    "order": "0" * 32,
    "account": "0" * 32,
}
OUTSIDE = ("sign_in_needed", "role_required", "second_factor_needed")
CHANGES = [call for call in CALLS if call.method != "get"]


def rows() -> Iterator[str]:
    """The table's lines."""
    yield f"| call | {' | '.join(ROLES)} |"
    yield f"|---{'|---' * len(ROLES)}|"
    for call in CALLS:
        marks = ["yes" if role in call.who else "" for role in ROLES]
        yield f"| `{call.method.upper()} {call.path}` | {' | '.join(marks)} |"


def test_the_table_is_what_the_calls_say() -> None:
    text = "\n".join(rows())
    assert text in API_PAGE.read_text(encoding="utf-8"), text


@pytest.fixture(scope="module")
def everybody(
    opened: Counter, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Till]]:
    """A browser for each role."""
    with opened.copied(tmp_path_factory.mktemp("roles")) as counter:
        nobody = Till(counter.browser(), counter.people["zhang"])
        yield {
            "nobody": nobody,
            "owner": counter.zhang,
            "cashier": counter.li,
            **{role: official(counter, role) for role in OFFICIALS},
        }


def official(counter: Counter, role: OfficialRole) -> Till:
    """A browser of somebody of the bureau."""
    counter.people[role] = counter.person(role, role)
    return counter.new_till(role)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
@pytest.mark.parametrize("role", ROLES)
def test_only_those_are_let_in(everybody: dict[str, Till], call: Call, role: str) -> None:
    path = call.path.format_map(VALUES).removeprefix("/till/")
    answer = everybody[role].send(call.method.upper(), path)
    code = (answer.get_json(silent=True) or {}).get("code", "")
    assert (code in OUTSIDE) == (role not in call.who), (answer.status_code, code)
    answer.close()


@pytest.mark.parametrize("call", CHANGES, ids=lambda call: f"{call.method} {call.path}")
@pytest.mark.parametrize("headers", [{"X-Form": "0" * 64}, {"Sec-Fetch-Site": "cross-site"}])
def test_no_other_site_can_change_anything(
    everybody: dict[str, Till], call: Call, headers: dict[str, str]
) -> None:
    path = call.path.format_map(VALUES).removeprefix("/till/")
    sent = {"till": "1", "id": "12345678", "float": 0, "counted": {}}
    names = {"/till/here": ["till"], "/till/shifts": ["id", "till"]}.get(call.path, ["counted"])
    body = {name: sent[name] for name in names}
    query = "?version=1" if call.method == "delete" and "bills" in path else ""
    answer = everybody["owner"].send(call.method.upper(), path + query, body, **headers)
    assert answer.get_json()["code"] == "form_stale", answer.text
