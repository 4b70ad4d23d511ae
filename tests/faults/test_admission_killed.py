"""kill -9 at every write of admission: a step is taken with its act, or not at all."""

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Final

import msgspec
import pytest

from invoice_service.config import Config
from invoice_service.domain.acts import By
from invoice_service.domain.application import ApplicationRequest, Finding
from invoice_service.domain.quota import Quotas
from invoice_service.replay.city import build_city
from invoice_service.services.admission.ports import Application, Decision
from invoice_service.services.checking.audit_papers import audit_papers
from invoice_service.services.checking.audit_trail import audit_trail
from invoice_service.wiring import Instance, open_instance
from tests.api.desk import OTHER_TAX_ID, Clock, Desk
from tests.faults.killing import killed_at

Work = Callable[[Instance, str], object]
BY: Final = By("key:1", 1_795_000_000)
ASKED: Final = ApplicationRequest(
    tax_id=OTHER_TAX_ID, name="海岸咖啡馆", industry="6220", district="440305", contact="x"
)


class House:
    """One instance for all kills; whoever works in it opens and closes it."""

    def __init__(self, config: Config) -> None:
        self.config, self.clock, self.numbers = config, Clock(), count(1)

    def opened(self) -> Instance:
        return open_instance(self.config, clock=self.clock)

    def receipt(self) -> str:
        """Of an application that is new each time."""
        instance = self.opened()
        try:
            nonce = f"{next(self.numbers):048x}"
            return instance.admission.applications.receipt(nonce, ASKED, [])
        finally:
            instance.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    with Desk(tmp_path_factory.mktemp("house"), FAPIAO_ADMISSION_NOTICE_DAYS="0") as desk:
        return House(desk.config)


def apply(instance: Instance, receipt: str) -> Application:
    desk = instance.admission.applications
    return desk.look(receipt) if desk.is_known(receipt) else desk.apply(receipt, ASKED, [b"page"])


def flip(work: Work, receipt: str, instance: Instance) -> object:
    return work(instance, receipt)


def all_of_it(instance: Instance, receipt: str) -> Application:
    """From where it stands to its withdrawal; whoever was killed in between goes on."""
    found, bench = apply(instance, receipt), instance.admission.bench
    steps: dict[str, Callable[[Application], Decision]] = {
        "received": lambda one: Decision(step="notice", version=one.version),
        "notice": lambda one: Decision(
            step="examine", version=one.version, finding=Finding("low", "A")
        ),
        "examined": lambda one: Decision(step="refuse", version=one.version, reason="again"),
    }
    while found.state in steps:
        found = bench.decide(found.id, steps[found.state](found), BY)
    return found


def ask(instance: Instance, _: str) -> object:
    """More quota, asked and granted."""
    desk = instance.admission.quotas
    waiting = desk.store.quota_requests(1, "open", 0, 9)
    made = waiting[0] if waiting else desk.ask(1, "quota", Quotas(month_quota=9), "x", BY)
    return desk.answer(made.id, made.version, Quotas(month_quota=9), "", BY)


@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
@pytest.mark.parametrize("work", [all_of_it, ask], ids=["application", "quota"])
def test_what_was_cut_off_stands_as_the_trail_says_and_is_gone_on_with(
    house: House, work: Work, kept: bool
) -> None:
    for number in count(1):
        receipt = house.receipt()
        through = partial(flip, work, receipt)
        killed = killed_at(number, kept=kept, prepare=house.opened, work=through)
        instance = house.opened()
        try:
            audit_trail(instance.store)
            work(instance, receipt)
            audit_trail(instance.store)
            assert instance.store.application_counts()["received"] == 0
        finally:
            instance.close()
        if not killed:
            assert number > 2
            return


def let_in(instance: Instance, receipt: str, rival: str, asked: ApplicationRequest) -> None:
    """From two applications with one tax id to the owner's invitation; again: the rest of it."""
    desks = instance.admission
    for one in (rival, receipt):
        if not desks.applications.is_known(one):
            desks.applications.apply(one, asked, [one.encode()])
    found, bench = desks.applications.look(receipt), desks.bench
    steps: dict[str, dict[str, object]] = {
        "received": {"step": "notice"},
        "notice": {"step": "examine", "finding": Finding("low", "A")},
        "examined": {"step": "admit", "batch": "1"},
    }
    while found.state in steps:
        decision = Decision(version=found.version, **steps[found.state])  # type: ignore[arg-type]
        found = bench.decide(found.id, decision, BY)
    desks.owners.invite(receipt, found, "Wang", "wang", "")


@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
def test_who_is_admitted_gets_in_once_and_the_others_are_refused_with_it(
    house: House, kept: bool
) -> None:
    shops = iter(build_city(7 + kept, 40).shops)
    for number in count(1):
        receipt, rival = house.receipt(), house.receipt()
        asked = msgspec.structs.replace(ASKED, tax_id=next(shops).request.tax_id)
        work = partial(let_in, receipt=receipt, rival=rival, asked=asked)
        killed = killed_at(number, kept=kept, prepare=house.opened, work=work)
        instance = house.opened()
        try:
            desks, store = instance.admission, instance.store
            if desks.applications.is_known(receipt):
                before = desks.applications.look(receipt)
                refused = desks.applications.look(rival).state == "refused"
                assert (before.state == "admitted") == refused
                assert (before.state == "admitted") == (
                    store.account_by_tax_id(asked.tax_id) is not None
                )
            audit_trail(store)
            work(instance)
            found = desks.applications.look(receipt)
            assert desks.owners.look(found).state == "invited"
            assert desks.applications.look(rival).state == "refused"
            assert [one.role for one in store.people(found.merchant_id)] == ["owner"]
            made = desks.owners.invitation(receipt, found)
            assert made is not None
            assert instance.people.staff.invited(made.token, instance.people.clock()).name == "Wang"
            audit_trail(store)
            audit_papers(store, instance.admission_store.papers)
        finally:
            instance.close()
        if not killed:
            assert number > 5
            return
