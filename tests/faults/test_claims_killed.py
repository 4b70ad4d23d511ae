"""kill -9 at every write of a claim, a payment, a closing: the worker finishes it once."""

from collections.abc import Callable
from itertools import count
from typing import Any, Final

import msgspec
import pytest

from invoice_service.config import Config
from invoice_service.domain.request import Buyer
from invoice_service.services.anchoring.anchor import anchor_pending
from invoice_service.services.claims.desk import GRACE
from invoice_service.services.claims.notices import Paid, note
from invoice_service.services.claims.ports import Whole
from invoice_service.wiring import Instance, open_instance
from tests.api.desk import MEAL, Clock, Desk
from tests.faults.killing import killed_at

MINE: Final = "a" * 32
PERSON: Final = "欧阳小明"

Work = Callable[[Instance, Whole], object]


def claim(instance: Instance, whole: Whole) -> object:
    token = instance.claims.links.url(whole.order).rpartition("/")[2]
    return instance.claims.claim(token, MINE, Buyer(name=PERSON))


def pay(instance: Instance, whole: Whole) -> object:
    order = whole.order
    return note(instance.claims, Paid("wechat", f"p-{order.id}", order.id, order.total))


def close(instance: Instance, whole: Whole) -> object:
    return instance.claims.issue_rest(whole.order.merchant_id, whole.order.id)


STORIES: Final[dict[str, tuple[dict[str, object], Work]]] = {
    "claiming": ({}, claim),
    "paid, and issued by itself": ({"parts": 2, "auto_issue": True}, pay),
    "closing the rest": ({"parts": 2}, close),
}


class House:
    """One instance for all kills; whoever works in it opens and closes it."""

    def __init__(self, config: Config) -> None:
        self.config, self.clock, self.numbers = config, Clock(), count(1)

    def opened(self) -> Instance:
        return open_instance(self.config, clock=self.clock)

    def order(self, **more: object) -> Whole:
        """A new one; nothing stays open, for a child must inherit no database."""
        instance = self.opened()
        try:
            body = {"order_id": f"K{next(self.numbers)}", "lines": [MEAL], **more}
            return instance.claims.make(1, msgspec.json.encode(body)).whole
        finally:
            instance.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    with Desk(tmp_path_factory.mktemp("house")) as desk:
        return House(desk.config)


def invoices(instance: Instance, whole: Whole) -> list[tuple[Any, ...]]:
    with instance.store.connections.reading() as connection:
        return connection.execute(
            "SELECT '01' || lower(hex(hash)), part FROM invoices WHERE order_id = ? ORDER BY part",
            (whole.order.order_id,),
        ).fetchall()


def after(house: House, whole: Whole, story: str) -> bool:
    """The worker looks, nobody else: what was begun is finished, and once; whether there was."""
    instance = house.opened()
    try:
        before = instance.store.order(whole.order.id, None)
        assert before is not None
        anchor_pending(instance.anchoring())  # or the log is behind, and nothing is issued
        house.clock.forward(seconds=GRACE)
        assert instance.claims.finish_begun() == 0
        found = instance.store.order(whole.order.id, None)
        assert found is not None
        issued = invoices(instance, whole)
        assert [one.hash for one in found.claims] == [hash_ for hash_, _ in issued]
        assert all(one.hash and not one.buyer for one in found.claims)
        assert len(found.claims) >= len(before.claims)
        assert not instance.store.begun_claims(9)
        if story == "claiming" and found.claims:
            own = instance.claims.own(found, MINE)
            assert own is not None
            assert own.hash == issued[0][0]
        if found.paid_at is not None and found.order.auto_issue:
            assert found.issued == len(found.order.shares)
        STORIES[story][1](instance, found)  # the same press again changes nothing
        assert invoices(instance, whole)[: len(issued)] == issued
        assert len(invoices(instance, whole)) == len(found.order.shares)
        return bool(before.claims) or before.paid_at is not None
    finally:
        instance.close()


@pytest.mark.slow
@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
@pytest.mark.parametrize("story", STORIES)
def test_a_kill_at_any_write_is_made_up_for_by_the_worker(
    house: House, story: str, kept: bool
) -> None:
    more, work = STORIES[story]
    kills = begun = 0
    for number in count(1):
        whole = house.order(**more)

        def dies(instance: Instance, whole: Whole = whole) -> object:
            return work(instance, whole)

        if not killed_at(number, kept=kept, prepare=house.opened, work=dies):
            break
        kills += 1
        begun += after(house, whole, story)
    assert kills >= 3, "the process did not come to its writes"
    assert begun, "no kill left anything to finish"


def test_what_is_refused_again_and_again_keeps_nobody_waiting(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoice_service.services.claims.desk.AT_ONCE", 2)
    instance = house.opened()
    try:
        store, by = instance.store, instance.operator()
        stuck = [house.order(auto_issue=True) for _ in range(3)]
        other = house.order(auto_issue=True)
        store.set_status(1, "suspended", by)
        for whole in (*stuck, other):
            pay(instance, whole)
        assert instance.claims.finish_begun() > 0
        store.set_status(1, "active", by)
        place = instance.claims.finish_begun()
        while place:  # once round
            place = instance.claims.finish_begun(place)
        assert all(len(invoices(instance, whole)) == 1 for whole in (*stuck, other))
    finally:
        instance.close()
