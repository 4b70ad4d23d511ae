"""kill -9 at every write of admission: a step is taken with its act, or not at all."""

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Final

import pytest

from invoice_service.config import Config
from invoice_service.domain.acts import By
from invoice_service.domain.application import ApplicationRequest, Finding
from invoice_service.domain.quota import Quotas
from invoice_service.services.admission.ports import Application, Decision
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
