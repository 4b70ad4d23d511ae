"""What is gravest takes two persons, from the second administrator on."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chain.errors import ConflictError, MalformedError, NotFoundError, Problem, RefusedError
from chain.hashing import sha256
from invoice_service.domain.acts import By, Said
from invoice_service.services.checking.audit_trail import audit_trail
from invoice_service.services.people.person import Person, Whose
from invoice_service.services.people.proposals import Actor, NewLink, Proposals
from invoice_service.services.people.trail import ActFilter
from tests.services.people.house import PASSWORD, VISIT, House


def actor(house: House, person: Person, by: str = "") -> Actor:
    """Somebody in person, or by a key of theirs."""
    return Actor(By(by or f"person:{person.id}", house.now), person.id)


@pytest.fixture
def two(house: House) -> tuple[Actor, Actor]:
    """Two administrators."""
    first, second = (house.person(name, "administrator") for name in ("first", "second"))
    return actor(house, first), actor(house, second)


def test_the_rule_begins_with_the_second_who_has_come_in(house: House) -> None:
    proposals = house.desk.proposals
    house.person("first", "administrator")
    house.person("he", "examiner")
    proposals.alone()
    invited = house.staff.invite(Whose(None), "administrator", "b", "b", house.by())
    proposals.alone()
    second = house.staff.accept(invited.token, PASSWORD, VISIT, house.now)
    with pytest.raises(ConflictError, match="two_needed"):
        proposals.alone()
    house.staff.suspend(second, house.by())
    with pytest.raises(ConflictError, match="two_needed"):  # or one would suspend the other first
        proposals.alone()


def test_the_settings_may_leave_it_to_one(house: House, two: tuple[Actor, Actor]) -> None:
    off = Proposals(house.store, lambda: house.now, house.random.randbytes, 60, 60, two=False)
    off.alone()


def test_one_proposes_and_another_confirms(house: House, two: tuple[Actor, Actor]) -> None:
    first, second = two
    he = house.person("he", "viewer")
    token = house.sign_in(he)
    made = house.desk.proposals.propose(
        "role", f"person:{he.id}", {"role": "examiner"}, "covers for Li", first
    )
    assert house.fresh(he).role == "viewer"
    done = house.desk.proposals.confirm(made.id, second)
    assert (done.proposal.state, done.proposal.decided_by) == ("confirmed", second.by.actor)
    assert house.fresh(he).role == "examiner"
    assert house.desk.sessions.visitor(token) is None
    found = house.store.acts(ActFilter(type="proposal"), 0, 9)
    assert [(one.act.actor, one.act.after["state"]) for one in found] == [
        (first.by.actor, "open"),
        (second.by.actor, "confirmed"),
    ]
    assert found[0].act.reason == "covers for Li"
    changed = house.store.acts(ActFilter(type="role"), 0, 9)[-1].act
    assert (changed.actor, changed.after) == (second.by.actor, {"role": "examiner"})
    audit_trail(house.store)


def test_never_the_same_person_nor_by_a_key(house: House, two: tuple[Actor, Actor]) -> None:
    first, _ = two
    he = house.person("he", "viewer")
    made = house.desk.proposals.propose("removal", f"person:{he.id}", {}, "", first)
    own_key = Actor(By("key:7", house.now), first.person_id)
    nobodys = Actor(By("key:8", house.now), None)
    for who, code in (
        (first, "same_person"),
        (own_key, "same_person"),
        (nobodys, "holder_unknown"),
    ):
        with pytest.raises(RefusedError, match=code):
            house.desk.proposals.confirm(made.id, who)
    with pytest.raises(RefusedError, match="holder_unknown"):
        house.desk.proposals.propose("removal", f"person:{he.id}", {}, "", nobodys)
    assert house.fresh(he).state == "active"


def test_nobody_proposes_about_their_own_place(house: House, two: tuple[Actor, Actor]) -> None:
    first, _ = two
    with pytest.raises(RefusedError, match="role_required"):
        house.desk.proposals.propose(
            "role", f"person:{first.person_id}", {"role": "viewer"}, "", first
        )


def test_a_proposal_ends_once(house: House, two: tuple[Actor, Actor]) -> None:
    first, second = two
    he = house.person("he", "viewer")

    def proposed(role: str) -> int:
        now = actor(house, person_of(house, first))
        made = house.desk.proposals.propose("role", f"person:{he.id}", {"role": role}, "", now)
        return made.id

    withdrawn, late = proposed("auditor"), proposed("examiner")
    assert house.desk.proposals.withdraw(withdrawn, first).state == "withdrawn"
    house.now += 604_800
    assert house.desk.proposals.one(late).seen(house.now) == "expired"
    for number in (withdrawn, late):
        with pytest.raises(ConflictError, match="proposal_over"):
            house.desk.proposals.confirm(number, actor(house, person_of(house, second)))
        with pytest.raises(ConflictError, match="proposal_over"):
            house.desk.proposals.withdraw(number, actor(house, person_of(house, first)))
    assert house.fresh(he).role == "viewer"
    assert proposed("examiner") != late  # the same may be proposed anew
    with pytest.raises(ConflictError, match="proposal_open"):
        proposed("examiner")


def person_of(house: House, who: Actor) -> Person:
    """The person behind an actor."""
    found = house.store.person(who.person_id or 0)
    assert found is not None
    return found


def test_of_many_who_confirm_at_once_one_does(house: House, two: tuple[Actor, Actor]) -> None:
    first, second = two
    third = actor(house, house.person("third", "administrator"))
    said = {"name": "New", "login": "new", "role": "administrator"}
    number = house.desk.proposals.propose("invitation", "bureau", dict(said), "", first).id

    def confirm(who: Actor) -> str:
        try:
            return house.desk.proposals.confirm(number, who).token
        except ConflictError as problem:
            return "" if problem.code == "proposal_over" else problem.code

    with ThreadPoolExecutor(8) as pool:
        tokens = [token for token in pool.map(confirm, [second, third] * 4) if token]
    assert len(tokens) == 1
    person = house.staff.accept(tokens[0], PASSWORD, VISIT, house.now)
    assert (person.role, person.login) == ("administrator", "new@bureau")


def test_who_is_out_has_proposed_nothing(house: House, two: tuple[Actor, Actor]) -> None:
    first, second = two
    he = house.person("he", "viewer")
    number = house.desk.proposals.propose(
        "role", f"person:{he.id}", {"role": "administrator"}, "", first
    ).id
    house.staff.suspend(person_of(house, first), house.by())
    with pytest.raises(ConflictError, match="proposal_over"):
        house.desk.proposals.confirm(number, second)


def test_who_was_let_go_on_the_way_to_the_database_decides_nothing(
    house: House, two: tuple[Actor, Actor]
) -> None:
    """Access was looked at before; that another official acts in between costs a millisecond."""
    first, second = two
    third = house.person("third", "administrator")
    said: Said = {"name": "New", "login": "new", "role": "viewer"}
    number = house.desk.proposals.propose("invitation", "bureau", said, "", first).id
    link = NewLink(b"h" * 64, sha256(b"link"), house.now + 60)
    house.staff.suspend(third, house.by())
    with pytest.raises(RefusedError, match="role_required"):
        house.desk.proposals.confirm(number, actor(house, third))
    house.staff.change_role(person_of(house, first), "viewer", house.by())
    assert not house.store.confirm(number, link, second.by, second.person_id or 0)
    assert house.desk.proposals.one(number).state == "open"
    assert house.store.person_by_login("new@bureau") is None


def test_what_cannot_be_done_leaves_the_proposal_open(
    house: House, two: tuple[Actor, Actor]
) -> None:
    first, second = two
    said = {"name": "New", "login": "taken", "role": "viewer"}
    number = house.desk.proposals.propose("invitation", "bureau", dict(said), "", first).id
    house.person("taken", "auditor")
    with pytest.raises(ConflictError, match="login_taken"):
        house.desk.proposals.confirm(number, second)
    assert house.desk.proposals.one(number).state == "open"


def test_a_merchant_is_revoked_by_two_and_for_good(house: House, two: tuple[Actor, Actor]) -> None:
    first, second = two
    mine = house.mine.merchant_id or 0
    number = house.desk.proposals.propose("revocation", f"merchant:{mine}", {}, "fraud", first).id
    house.desk.proposals.confirm(number, second)
    account = house.store.account(mine)
    assert account is not None
    assert account.merchant.status == "revoked"
    with pytest.raises(ConflictError, match="merchant_revoked"):
        house.store.set_status(mine, "active", house.by())
    audit_trail(house.store)


@pytest.mark.parametrize(
    ("kind", "subject", "said", "kind_of_error", "code"),
    [
        ("role", "person:999", {"role": "viewer"}, NotFoundError, "person_unknown"),
        ("role", "person:3", {"role": "owner"}, MalformedError, "role_of_another"),
        ("role", "person:3", {"role": "viewer"}, ConflictError, "role_same"),
        ("role", "person:4", {"role": "viewer"}, NotFoundError, "person_unknown"),
        ("revocation", "merchant:999", {}, NotFoundError, "merchant_unknown"),
        ("invitation", "bureau", {"name": "", "login": "a"}, MalformedError, "text_empty"),
        ("invitation", "bureau", {"name": "a", "login": "a b"}, MalformedError, "login_invalid"),
        ("invitation", "bureau", {"name": "a", "login": "a"}, MalformedError, "role_of_another"),
        (
            *("invitation", "bureau", {"name": "a", "login": "HE", "role": "viewer"}),
            *(ConflictError, "login_taken"),
        ),
    ],
)
def test_what_could_never_be_done_is_refused_at_once(
    house: House,
    two: tuple[Actor, Actor],
    kind: str,
    subject: str,
    said: dict[str, int | str],
    kind_of_error: type[Problem],
    code: str,
) -> None:
    house.person("he", "viewer")
    house.person("zhang")  # a merchant's
    with pytest.raises(kind_of_error, match=code):
        house.desk.proposals.propose(kind, subject, said, "", two[0])  # type: ignore[arg-type]


def test_what_has_come_about_otherwise_is_not_done_again(
    house: House, two: tuple[Actor, Actor]
) -> None:
    """The role was given, or the merchant revoked, since it was proposed."""
    first, second = two
    he, mine = house.person("he", "viewer"), house.mine.merchant_id or 0
    propose = house.desk.proposals.propose
    role = propose("role", f"person:{he.id}", {"role": "examiner"}, "", first).id
    revocation = propose("revocation", f"merchant:{mine}", {}, "", first).id
    house.store.set_role(he.id, "examiner", house.by())
    house.store.set_status(mine, "revoked", house.by())
    acts = house.store.last_act().seq
    for number, code in ((role, "role_same"), (revocation, "merchant_revoked")):
        with pytest.raises(ConflictError, match=code):
            house.desk.proposals.confirm(number, second)
        assert house.desk.proposals.withdraw(number, second).state == "withdrawn"
    told = house.store.acts(ActFilter(), acts, 9)
    assert [one.act.outcome for one in told] == ["refused", "done"] * 2
    with pytest.raises(ConflictError, match="merchant_revoked"):
        propose("revocation", f"merchant:{mine}", {}, "", first)


def test_what_waits_is_found_behind_any_number_of_others(
    house: House, two: tuple[Actor, Actor]
) -> None:
    first, second = two
    mine = f"merchant:{house.mine.merchant_id}"
    made = house.desk.proposals.propose("revocation", mine, {}, "", first).id
    said = {"role": "viewer", "name": "N"}
    others = [
        house.desk.proposals.propose("invitation", "bureau", {**said, "login": f"n{n}"}, "", first)
        for n in range(60)
    ]
    store = house.store
    assert [one.id for one in store.open_proposals(house.now, mine)] == [made]
    assert len(store.open_proposals(house.now)) == 61
    house.desk.proposals.withdraw(others[0].id, second)
    assert len(store.open_proposals(house.now)) == 60
    assert store.open_proposals(house.now + 604_800) == []


def test_rows_are_frozen(house: House, two: tuple[Actor, Actor]) -> None:
    first, second = two
    he = house.person("he", "viewer")
    number = house.desk.proposals.propose("removal", f"person:{he.id}", {}, "", first).id
    for change in (
        "UPDATE proposals SET person_id = 2",
        "UPDATE proposals SET expires_at = expires_at + 1",
        "DELETE FROM proposals",
    ):
        with pytest.raises(Exception, match="frozen"), house.store.connections.writing() as db:
            db.execute(change)
    house.desk.proposals.confirm(number, second)
    with pytest.raises(Exception, match="frozen"), house.store.connections.writing() as db:
        db.execute("UPDATE proposals SET state = 'open'")
