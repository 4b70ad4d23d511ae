"""Inviting, letting in again, roles and leaving: one use, in time, and all of it in the trail."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chain.errors import ConflictError, MalformedError, NotFoundError, RefusedError
from invoice_service.services.checking.audit_trail import audit_trail
from invoice_service.services.people.person import Whose
from tests.services.people.house import (
    INVITATION_SECONDS,
    OTHER_PASSWORD,
    PASSWORD,
    SITE,
    VISIT,
    House,
)


def test_an_invitation_is_used_once(house: House) -> None:
    invited = house.staff.invite(house.mine, "owner", "张三", "zhang", house.by())
    assert invited.person.login == f"zhang@{house.mine.merchant_id}"
    assert invited.person.state == "invited"
    person = house.staff.accept(invited.token, PASSWORD, VISIT, house.now)
    assert person.state == "active"
    for attempt in (PASSWORD, OTHER_PASSWORD):
        with pytest.raises(NotFoundError, match="invitation_unknown"):
            house.staff.accept(invited.token, attempt, VISIT, house.now)
    house.sign_in(person)


def test_of_two_who_accept_at_once_one_does(house: House) -> None:
    invited = house.staff.invite(house.mine, "owner", "张三", "zhang", house.by())

    def accept(number: int) -> bool:
        try:
            house.staff.accept(invited.token, f"{PASSWORD} {number}", VISIT, house.now)
        except NotFoundError:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(accept, range(4))) == 1


def test_used_old_void_and_made_up_invitations_look_the_same(house: House) -> None:
    old = house.staff.invite(house.mine, "owner", "a", "a", house.by())
    void = house.staff.invite(house.mine, "owner", "b", "b", house.by())
    house.staff.invite_again(void.person, house.by())
    used = house.staff.invite(house.mine, "owner", "c", "c", house.by())
    house.staff.accept(used.token, PASSWORD, VISIT, house.now)
    gone = house.staff.invite(house.mine, "owner", "d", "d", house.by())
    house.staff.remove(gone.person, house.by())
    house.now += INVITATION_SECONDS
    said = set()
    for token in (old.token, void.token, used.token, gone.token, "made up", ""):
        with pytest.raises(NotFoundError) as caught:
            house.staff.accept(token, PASSWORD, VISIT, house.now)
        said.add(str(caught.value))
    assert len(said) == 1


def test_an_invitation_is_good_until_its_last_second(house: House) -> None:
    invited = house.staff.invite(house.mine, "cashier", "a", "a", house.by())
    house.now += INVITATION_SECONDS - 1
    assert house.staff.accept(invited.token, PASSWORD, VISIT, house.now).state == "active"


def test_of_an_invitation_only_a_digest_is_kept(house: House) -> None:
    invited = house.staff.invite(house.mine, "owner", "张三", "zhang", house.by())
    house.store.close()
    for file in house.shop.folder.glob("invoices.db*"):
        assert invited.token.encode() not in file.read_bytes()


def test_names_are_free_within_each_merchant(house: House) -> None:
    for whose in (house.mine, house.other):
        house.staff.invite(whose, "owner", "张三", "Zhang", house.by())
    with pytest.raises(ConflictError, match="login_taken"):
        house.staff.invite(house.mine, "cashier", "another", "ｚHANG", house.by())
    assert house.acts("person")[-1][1] == f"merchant:{house.mine.merchant_id}"


@pytest.mark.parametrize("local", ["", "a b", "a@b", "-a", "x" * 33, "a\nb", "\u200b"])
def test_a_sign_in_name_that_cannot_be(house: House, local: str) -> None:
    with pytest.raises(MalformedError) as caught:
        house.staff.invite(house.mine, "owner", "张三", local, house.by())
    assert caught.value.code == "login_invalid"


def test_roles_belong_to_a_merchant_or_to_the_bureau(house: House) -> None:
    with pytest.raises(MalformedError, match="role_of_another"):
        house.staff.invite(house.mine, "administrator", "a", "a", house.by())
    with pytest.raises(MalformedError, match="role_of_another"):
        house.staff.invite(Whose(None), "cashier", "a", "a", house.by())
    person = house.person("zhang")
    with pytest.raises(MalformedError, match="role_of_another"):
        house.staff.change_role(person, "administrator", house.by())


def test_another_role_signs_out(house: House) -> None:
    person = house.person("zhang", "cashier")
    token = house.sign_in(person)
    house.staff.change_role(person, "owner", house.by())
    assert house.desk.sessions.visitor(token) is None
    assert house.visitor(house.sign_in(person)).person.role == "owner"


def test_a_new_invitation_voids_all_that_let_somebody_in(house: House) -> None:
    person = house.person("zhang", "cashier")
    token = house.sign_in(person)
    house.staff.change_pin(person, "271828", VISIT, house.now)
    _, codes = house.with_totp(person)
    invited = house.staff.invite_again(person, house.by())
    assert house.desk.sessions.visitor(token) is None
    with pytest.raises(RefusedError, match="sign_in_refused"):
        house.sign_in(person)
    again = house.staff.accept(invited.token, OTHER_PASSWORD, VISIT, house.now)
    signed = house.entrance.by_password(again.login, OTHER_PASSWORD, VISIT, SITE)
    assert signed.level == "full", "the second factor went, too"
    found = house.store.person(person.id)
    assert found is not None
    assert (found.pin, found.totp) == (None, None)
    assert house.store.recovery_left(person.id) == 0
    assert len(codes) == 10


def test_who_was_removed_is_out_for_ever(house: House) -> None:
    person = house.person("zhang", "cashier")
    token = house.sign_in(person)
    house.staff.remove(person, house.by())
    assert house.desk.sessions.visitor(token) is None
    with pytest.raises(RefusedError, match="sign_in_refused"):
        house.sign_in(person)
    removed = house.store.person(person.id)
    assert removed is not None
    with pytest.raises(RefusedError, match="person_removed"):
        house.staff.invite_again(removed, house.by())


def test_the_last_administrator_stays(house: House) -> None:
    first = house.person("first", "administrator")
    house.staff.invite(Whose(None), "administrator", "x", "x", house.by())
    with pytest.raises(ConflictError, match="last_administrator"):
        house.staff.remove(first, house.by())
    house.person("second", "administrator")
    house.staff.remove(first, house.by())
    assert house.acts("role")[-1][2].keys() == {"role", "removed_at"}


def test_who_is_let_in_at_the_bureau_and_ended_is_for_the_log(house: House) -> None:
    first, second = (house.person(name, "administrator") for name in ("a", "b"))
    house.person("zhang", "cashier")
    house.staff.remove(second, house.by())
    told = [(one.type, one.subject) for one in house.store.logged_acts(0, 99)]
    assert told[-3:] == [("role", f"person:{one.id}") for one in (first, second, second)]


def test_somebody_of_another_merchant_is_not_there(house: House) -> None:
    theirs = house.person("zhang", whose=house.other)
    said = set()
    for person_id in (theirs.id, 999):
        with pytest.raises(NotFoundError) as caught:
            house.staff.of(house.mine, person_id)
        said.add(str(caught.value))
    assert len(said) == 1


@pytest.mark.parametrize(
    "weak",
    [
        "short",
        "eleven more",
        "eleven     more",  # blanks count once
        "aaaaaaaaaaaa",
        "abcdefghijkl",
        "ZhangZhangZhang",
        "zhang@1zhang@1",
        "Password1234",  # of those that are used most
        "1q2w3e4r5t6y",
        "seven ducks " * 11,
    ],
)
def test_weak_passwords(house: House, weak: str) -> None:
    invited = house.staff.invite(house.mine, "owner", "Zhang", "zhang", house.by())
    with pytest.raises(MalformedError, match="password_weak"):
        house.staff.accept(invited.token, weak, VISIT, house.now)
    house.staff.accept(invited.token, PASSWORD, VISIT, house.now)


@pytest.mark.parametrize(
    "pin", ["12345", "123456", "654321", "111111", "121212", "27182a", "271828182"]
)
def test_weak_pins(house: House, pin: str) -> None:
    person = house.person("zhang")
    with pytest.raises(MalformedError, match="pin_invalid"):
        house.staff.change_pin(person, pin, VISIT, house.now)


def test_the_trail_tells_all_of_it_and_the_audit_holds_rows_to_it(house: House) -> None:
    person = house.person("zhang", "cashier")
    house.staff.change_role(person, "owner", house.by())
    house.sign_in(person)
    house.staff.remove(person, house.by())
    subject = f"person:{person.id}"
    told = house.acts("person")
    assert [(actor, after.get("role")) for actor, _, after in told] == [
        ("machine:root", "cashier"),
        ("machine:root", "owner"),
    ]
    assert house.acts("role") == [("machine:root", subject, {**told[0][2], "role": "owner"})]
    assert house.acts("credential") == [(subject, subject, {"kind": "password", "state": "set"})]
    assert [act[:2] for act in house.acts("sign_in")] == [(subject, subject)]
    assert len(house.acts("invitation")) == 1
    audit_trail(house.store)
    for change in ("role = 'administrator'", "merchant_id = 2", "removed_at = NULL"):
        with house.store.connections.writing() as connection:
            connection.execute(f"UPDATE people SET {change}")
        with pytest.raises(Exception, match="person"):
            audit_trail(house.store)
        with house.store.connections.writing() as connection:
            connection.execute(
                "UPDATE people SET role = 'owner', merchant_id = 1, removed_at = ?", (house.now,)
            )
    audit_trail(house.store)
