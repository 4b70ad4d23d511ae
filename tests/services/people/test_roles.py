"""What roles of officials may do, by keys and as people; those from before are administrators."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chain.errors import RefusedError
from chain.hashing import sha256
from invoice_service.services.people.admit import create_key
from invoice_service.services.people.person import MERCHANTS, PERSON_ROLES, Whose
from invoice_service.services.people.ports import KeyTerms
from invoice_service.services.people.roles import OFFICIALS, POWERS, Power, has_power, with_power
from invoice_service.services.people.sign_in import Principal, require_official, sign_in
from invoice_service.services.people.staff import may_manage
from invoice_service.services.people.trail import ActFilter
from invoice_service.storage.sqlite import SqliteStore, update_store
from tests.domain.samples import BY, NOON
from tests.services.people.house import House
from tests.storage.fresh import fresh_store

ACTING = {power for power, granted in POWERS.items() if granted.scope == "manage"} - {"staff"}
"""Powers that change something."""


def test_a_viewer_sees_figures_and_an_auditor_changes_nothing() -> None:
    assert {power for power in POWERS if has_power("viewer", power)} == {"totals", "lists"}
    assert not {power for power in ACTING if has_power("auditor", power)}
    assert all(has_power("administrator", power) for power in POWERS)
    assert {p for p in POWERS if not has_power("auditor", p)} == ACTING
    assert not any(has_power(role, power) for role in MERCHANTS for power in POWERS)


def test_only_administrators_touch_people_registers_and_keys() -> None:
    for power in ("people", "admit", "keys", "erase"):
        assert with_power(power) == ("administrator",)


def principal_of(house: House, terms: KeyTerms) -> Principal:
    """Whoever shows a key with those terms."""
    _, text = create_key(
        house.store, "official", None, "", by=BY, randbytes=random.randbytes, terms=terms
    )
    return sign_in(house.store, text, NOON)


@pytest.mark.parametrize("role", OFFICIALS)
@pytest.mark.parametrize("scope", ["read", "manage"])
def test_a_key_does_what_its_role_and_its_scopes_allow(house: House, role: str, scope: str) -> None:
    terms = KeyTerms(office=role, scopes=(scope,))  # type: ignore[arg-type]
    principal = principal_of(house, terms)
    for power, granted in POWERS.items():
        may = role in granted.roles and scope == granted.scope
        assert principal.has(power) == may, power
        if may:
            require_official(principal, power)
            continue
        code = "scope_required" if role in granted.roles else "role_required"
        with pytest.raises(RefusedError, match=code):
            require_official(principal, power)


def test_a_key_does_no_more_than_whoever_holds_it(house: House) -> None:
    he = house.person("he", "examiner")
    principal = principal_of(house, KeyTerms(person=he.id))
    assert principal.has("suspend")
    assert not principal.has("people")
    with pytest.raises(RefusedError, match="role_required"):
        require_official(principal, "people")
    less = principal_of(house, KeyTerms(person=he.id, office="viewer"))
    assert not less.has("suspend")


def test_nobody_but_administrators_gives_roles(house: House) -> None:
    for role in OFFICIALS:
        person = house.person(role, role)
        given = {one for one in PERSON_ROLES if may_manage(person, one)}
        assert given == (set(PERSON_ROLES) if role == "administrator" else set())
    house.staff.change_role(house.person("x", "viewer"), "examiner", house.by())


def test_a_change_of_role_is_an_act_and_signs_out(house: House) -> None:
    he = house.person("he", "viewer")
    token = house.sign_in(he)
    house.staff.change_role(he, "auditor", house.by())
    assert house.desk.sessions.visitor(token) is None
    act = house.store.acts(ActFilter(type="role"), 0, 1000)[-1].act
    assert (act.type, act.subject, act.before, act.after) == (
        *("role", f"person:{he.id}"),
        *({"role": "viewer"}, {"role": "auditor"}),
    )


def test_who_was_here_before_roles_is_an_administrator(tmp_path: Path) -> None:
    path = tmp_path / "invoices.db"
    fresh_store(path)
    with closing(sqlite3.connect(path)) as old:
        old.executescript(
            "DROP INDEX idx_people_subject;"
            "ALTER TABLE people DROP COLUMN suspended_at;"
            "ALTER TABLE people DROP COLUMN subject;"
            "ALTER TABLE api_keys DROP COLUMN office;"
            "ALTER TABLE api_keys DROP COLUMN person_id;"
            "DELETE FROM _sqlite_migrations WHERE name = 'roles_of_officials';"
            "INSERT INTO people (id, handle, login, name, role, password, totp_step, created_at)"
            " VALUES (1, x'00', 'chen@bureau', 'Chen', 'administrator', 'x', 0, 1);"
        )
        old.execute(
            "INSERT INTO api_keys (id, digest, role, label, created_at) VALUES (1, ?, ?, '', 1)",
            (sha256(b"k"), "official"),
        )
        old.commit()
    update_store(path)
    with closing(SqliteStore(path)) as store:
        person, key = store.person(1), store.key(sha256(b"k"))
        assert person is not None
        assert (person.role, person.state) == ("administrator", "active")
        assert key is not None
        shown = Principal(role=key.role, merchant_id=None, key_id=1, office=key.terms.office)
        every: list[Power] = list(POWERS)
        assert all(shown.has(power) for power in every)
        assert store.people(Whose(None).merchant_id) == [person]
