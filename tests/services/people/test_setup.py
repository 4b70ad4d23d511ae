"""Setting up over a real store: each step once, in order, and begun again where it was cut off."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chain.errors import ConflictError, MalformedError, NotFoundError
from invoice_service.domain.acts import By
from invoice_service.domain.merchant import MerchantRequest, holds_organisation_code
from invoice_service.services.people.person import Whose
from invoice_service.services.people.sessions import Visit
from invoice_service.services.people.setup import Named, Setup, typed_merchant
from invoice_service.services.people.staff import Staff
from tests.services.people.house import PASSWORD, House

ADMINISTRATOR = Named("陈", "admin", PASSWORD)
OWNER = Named("张三", "zhang", PASSWORD)


class Open:
    """A door that is what it was told."""

    def __init__(self) -> None:
        self.code = ""

    def offer(self) -> str:
        self.code = "code"
        return self.code

    def is_open(self) -> bool:
        return bool(self.code)

    def enter(self, code: str) -> str:
        assert code == self.code
        return "token"

    def holds(self, token: str) -> bool:
        return token == "token" and self.is_open()

    def close(self) -> None:
        self.code = ""

    def is_heard(self) -> bool:
        return True

    def wish_address(self, url: str) -> str:
        return self.offer()

    @contextmanager
    def alone(self) -> Iterator[None]:
        yield


@pytest.fixture
def setup(house: House) -> Setup:
    """Of a house that has merchants, and nobody yet."""
    return Setup(house.store, house.staff, Open(), house.random.randbytes)


def by(house: House) -> By:
    return By("setup", house.now, "192.0.2.7")


def test_steps_follow_from_what_is_there(house: House, setup: Setup) -> None:
    assert setup.standing().step == "administrator"
    person = setup.administrator(ADMINISTRATOR, by(house))
    assert (person.login, person.state) == ("admin@bureau", "active")
    assert setup.standing().step == "owner"  # the house has merchants
    owner, key = setup.owner(OWNER, "1", by(house))
    assert owner.merchant_id == house.mine.merchant_id
    assert key
    assert setup.standing().step == "sale"
    signed = house.entrance.by_password(owner.login, PASSWORD, Visit("", ""), "")
    assert signed.level == "full"


def test_a_step_out_of_turn_is_refused(house: House, setup: Setup) -> None:
    for act in (
        lambda: setup.owner(OWNER, "1", by(house)),
        lambda: setup.merchant(request(), by(house)),
    ):
        with pytest.raises(ConflictError) as refused:
            act()
        assert refused.value.code == "setup_elsewhere"
    setup.administrator(ADMINISTRATOR, by(house))
    with pytest.raises(ConflictError):
        setup.administrator(ADMINISTRATOR._replace(local="other"), by(house))
    assert len(house.store.people(None)) == 1


def request() -> MerchantRequest:
    return MerchantRequest(
        tax_id="91440300618810208N", name="深圳旋转餐厅", industry="6210", district="440303"
    )


def test_cut_off_between_invitation_and_password(
    house: House, setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody stays half there: the same form again goes on."""

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Staff, "accept", cut)
        with pytest.raises(KeyboardInterrupt):
            setup.administrator(ADMINISTRATOR, by(house))
    assert setup.standing().step == "administrator"
    assert setup.administrator(ADMINISTRATOR, by(house)).state == "active"
    assert len(house.store.people(None)) == 1


def test_a_weak_password_leaves_nobody(house: House, setup: Setup) -> None:
    with pytest.raises(MalformedError):
        setup.administrator(ADMINISTRATOR._replace(password="short"), by(house))
    assert house.store.people(None) == []


def test_a_bad_till_leaves_no_owner(house: House, setup: Setup) -> None:
    setup.administrator(ADMINISTRATOR, by(house))
    with pytest.raises(MalformedError):
        setup.owner(OWNER, "a\u200bb", by(house))
    assert house.store.people(house.mine.merchant_id) == []


def test_when_it_is_wanted(house: House, setup: Setup) -> None:
    assert not setup.is_wanted()  # merchants were admitted, by programs perhaps
    setup.enter(setup.offer(), by(house))
    assert setup.is_wanted()
    setup.finish(by(house))
    assert not setup.is_wanted()
    for act in (setup.offer, lambda: setup.finish(by(house))):
        with pytest.raises(NotFoundError) as refused:
            act()
        assert refused.value.code == "setup_over"
    assert not setup.door.is_open()
    assert house.acts("setup") == [
        ("setup", "instance", {"step": "entered"}),
        ("setup", "instance", {"step": "finished"}),
    ]


def test_people_who_are_gone_or_invited_do_not_count(house: House, setup: Setup) -> None:
    invited = house.staff.invite(Whose(None), "administrator", "Li", "li", house.by())
    assert setup.standing().administrator is None
    house.staff.accept(invited.token, PASSWORD, Visit("", ""), house.now)
    assert setup.standing().administrator is not None


def test_organisation_codes() -> None:
    """Of companies whose codes are public."""
    for good in ("91440300708461136T", "91330100799655058B", "91440300618810208N"):
        assert holds_organisation_code(good), good
    for bad in ("91440300618810209N", "914403006188102", "", "91440300618810208"[:12]):
        assert not holds_organisation_code(bad), bad


def test_a_tax_id_as_people_type_it() -> None:
    typed = {"tax_id": " 9144 0300 6188 1020 8n ", "name": " 店 "}
    found = typed_merchant(typed, compared=False)
    assert (found.tax_id, found.name) == ("91440300618810208N", "店")
