"""Passkeys: for this site, of a person who was verified, each answer once."""

import json
from pathlib import Path

import pytest

from chain.errors import NotFoundError, RefusedError
from invoice_service.services.people.passkeys import CHALLENGE_SECONDS, Asked, Place, place_of
from invoice_service.services.people.person import Person
from invoice_service.services.people.tries import NAME, NETWORK
from tests.services.people.authenticator import PRESENT, Authenticator
from tests.services.people.house import SITE, URL, VISIT, House


def asked(found: Asked | None) -> Asked:
    """What a browser is asked, which must be something."""
    assert found is not None
    return found


def give(house: House, person: Person, name: bytes = b"a passkey") -> Authenticator:
    """Give somebody a passkey."""
    device = Authenticator(name, URL)
    question = asked(house.desk.passkeys.ask_new(person))
    house.desk.passkeys.add(person, question.sealed, device.make(question.options), "phone", VISIT)
    return device


def test_a_passkey_signs_in_alone(house: House) -> None:
    person = house.person("zhang")
    device = give(house, person)
    question = asked(house.desk.passkeys.ask())
    signed = house.entrance.by_passkey(question.sealed, device.show(question.options), VISIT, SITE)
    visitor = house.visitor(signed.token)
    assert (visitor.person.id, visitor.session.level) == (person.id, "strong")
    (kept,) = house.store.passkeys(person.id)
    assert (kept.label, kept.used_at) == ("phone", house.now)
    assert [act[2] for act in house.acts("credential")][1:] == [{"kind": "passkey", "state": "set"}]


def test_rubbish_from_elsewhere_keeps_no_passkey_out(house: House) -> None:
    """However many networks send it; one alone is slowed down."""
    device = give(house, house.person("zhang"))

    def sent(site: str) -> str:
        with pytest.raises(RefusedError) as caught:
            house.entrance.by_passkey("rubbish", "{}", VISIT, site)
        return caught.value.code

    assert {sent(f"10.0.{n}.1") for n in range(NAME.burst + 1)} == {"passkey_refused"}
    question = asked(house.desk.passkeys.ask())
    house.entrance.by_passkey(question.sealed, device.show(question.options), VISIT, SITE)
    codes = [sent("10.1.1.1") for _ in range(NETWORK.burst + 1)]
    assert codes == ["passkey_refused"] * NETWORK.burst + ["sign_in_limited"]


def test_with_a_passkey_a_password_is_half(house: House) -> None:
    person = house.person("zhang")
    give(house, person)
    assert not house.visitor(house.sign_in(person)).whole


def test_an_answer_counts_once_and_in_time(house: House) -> None:
    device = give(house, house.person("zhang"))
    question = asked(house.desk.passkeys.ask())
    answer = device.show(question.options)
    house.now += CHALLENGE_SECONDS - 1
    house.desk.passkeys.check(question.sealed, answer)
    with pytest.raises(RefusedError, match="given before"):
        house.desk.passkeys.check(question.sealed, answer)
    late = asked(house.desk.passkeys.ask())
    house.now += CHALLENGE_SECONDS
    with pytest.raises(RefusedError, match="too long"):
        house.desk.passkeys.check(late.sealed, device.show(late.options))


def test_a_count_that_goes_back_is_a_copy_of_the_device(house: House) -> None:
    device = give(house, house.person("zhang"))
    for count, good in ((5, True), (5, False), (4, False), (6, True)):
        device.count = count
        question = asked(house.desk.passkeys.ask())
        answer = device.show(question.options)
        if good:
            house.desk.passkeys.check(question.sealed, answer)
        else:
            with pytest.raises(RefusedError, match="passkey_refused"):
                house.desk.passkeys.check(question.sealed, answer)


def test_a_challenge_is_ours_and_of_its_purpose(house: House) -> None:
    person, other = house.person("zhang"), house.person("li")
    device = give(house, person)
    mine = asked(house.desk.passkeys.ask_new(person))
    for sealed in ("", "x", "ÿ", mine.sealed, mine.sealed[:-4]):
        question = asked(house.desk.passkeys.ask())
        with pytest.raises(RefusedError, match="not asked by us"):
            house.desk.passkeys.check(sealed, device.show(question.options))
    with pytest.raises(RefusedError, match="not asked by us"):
        house.desk.passkeys.add(other, mine.sealed, device.make(mine.options), "", VISIT)


def test_whose_device_does_not_verify_its_person_is_refused(house: House) -> None:
    person = house.person("zhang")
    device = give(house, person)
    device.flags = PRESENT
    question = asked(house.desk.passkeys.ask())
    with pytest.raises(RefusedError, match="passkey_refused"):
        house.desk.passkeys.check(question.sealed, device.show(question.options))
    another = Authenticator(b"b", URL)
    another.flags = PRESENT
    new = asked(house.desk.passkeys.ask_new(person))
    with pytest.raises(RefusedError, match="passkey_refused"):
        house.desk.passkeys.add(person, new.sealed, another.make(new.options), "", VISIT)


def test_an_answer_for_another_site_is_refused(house: House) -> None:
    device = give(house, house.person("zhang"))
    device.origin = "https://fapiao.test.example"
    question = asked(house.desk.passkeys.ask())
    with pytest.raises(RefusedError, match="passkey_refused"):
        house.desk.passkeys.check(question.sealed, device.show(question.options))


def test_an_answer_that_was_changed_is_refused(house: House) -> None:
    device = give(house, house.person("zhang"))
    question = asked(house.desk.passkeys.ask())
    answer = json.loads(device.show(question.options))
    for name, value in answer["response"].items():
        for other in ("", value[:-4] + "BBBB", value[3:], 7, None):
            bent = {**answer, "response": {**answer["response"], name: other}}
            with pytest.raises(RefusedError, match="passkey_refused"):
                house.desk.passkeys.check(question.sealed, json.dumps(bent))
    for name in ("id", "rawId", "type", "response"):
        for other in ("", "x", 7, None, {}):
            with pytest.raises(RefusedError, match="passkey_refused"):
                house.desk.passkeys.check(question.sealed, json.dumps({**answer, name: other}))
    for text in ("", "[]", "{", "{}", "7", "x" * 30_000):
        with pytest.raises(RefusedError, match="passkey_refused"):
            house.desk.passkeys.check(question.sealed, text)
    house.desk.passkeys.check(question.sealed, json.dumps(answer))


def test_a_passkey_of_nobody_and_of_somebody_gone_look_the_same(house: House) -> None:
    person = house.person("zhang")
    device = give(house, person)
    stranger = Authenticator(b"stranger", URL)
    said = set()
    for each in (stranger, device):
        question = asked(house.desk.passkeys.ask())
        if each is device:
            house.staff.remove(person, house.by())
        with pytest.raises(RefusedError) as caught:
            house.desk.passkeys.check(question.sealed, each.show(question.options))
        said.add(str(caught.value))
    assert len(said) == 1


def test_a_passkey_is_one_persons(house: House) -> None:
    first, second = house.person("zhang"), house.person("li")
    give(house, first, b"same")
    with pytest.raises(RefusedError, match="known already"):
        give(house, second, b"same")
    (kept,) = house.store.passkeys(first.id)
    with pytest.raises(NotFoundError, match="passkey_unknown"):
        house.desk.passkeys.remove(second, kept.id, VISIT)
    house.desk.passkeys.remove(first, kept.id, VISIT)
    assert house.store.passkeys(first.id) == []
    assert not house.entrance.has_second(first)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://fapiao.test", Place("fapiao.test", "https://fapiao.test")),
        ("https://fapiao.test:8443/tax", Place("fapiao.test", "https://fapiao.test:8443")),
        ("http://localhost:8000", Place("localhost", "http://localhost:8000")),
        ("http://127.0.0.1:8000", None),
        ("http://[::1]:8000", None),
    ],
)
def test_a_site_of_numbers_has_no_passkeys(url: str, place: Place | None) -> None:
    assert place_of(url) == place


def test_without_a_name_nobody_is_asked(tmp_path: Path) -> None:
    house = House(tmp_path, "http://127.0.0.1:8000")
    assert house.desk.passkeys.ask() is None
    assert house.desk.passkeys.ask_new(house.person("zhang")) is None
    with pytest.raises(RefusedError, match="passkey_refused"):
        house.desk.passkeys.check("", "{}")
    house.store.close()
