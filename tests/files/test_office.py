"""Files that are worked on: left in the middle, by one at a time, forgotten after a while."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.commitment import parse_password_area
from chain.errors import ConflictError, NotFoundError, Problem, UnavailableError
from invoice_service.domain.acts import By
from invoice_service.domain.tax import TaxRates
from invoice_service.files.kept import KEPT_SECONDS, Shelf
from invoice_service.files.office import Office, Tools
from invoice_service.files.results import Result, read_results
from invoice_service.files.turns import Job, Turns
from invoice_service.services.issuing.issue import IssuingDesk
from invoice_service.services.issuing.standing import Standings
from invoice_service.services.people.trail import ActFilter
from tests.api.desk import Desk
from tests.files.days import day_file
from tests.patience import PATIENCE


class Hand(Turns):
    """Does nothing by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[Job] = []

    def add(self, job: Job) -> None:
        self.jobs.append(job)

    def all(self) -> None:
        """Do all that there is to do."""
        while self.jobs:
            for _ in self.jobs.pop(0):
                pass


class House:
    """One instance, and processes that work on its files."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.merchant_id = desk.restaurant.merchant.id
        store = desk.instance.store
        self.tools = Tools(
            folder=desk.config.files_dir,
            desk=IssuingDesk(
                merchants=store,
                issuer=desk.instance.issuer,
                rates=TaxRates(desk.config.tax.rates),
                randbytes=desk.instance.randbytes,
            ),
            foreseer=store,
            standings=Standings(store, desk.instance.log.taken),
            acts=store,
            may=lambda *_: True,
            public=lambda error: error if isinstance(error, Problem) else Problem("x", "y"),
            clock=lambda: int(desk.clock().timestamp()),
        )

    def process(self) -> tuple[Office, Hand]:
        """Another one, whose work is done by hand."""
        office, hand = Office(self.tools), Hand()
        office.turns = hand
        return office, hand

    def by(self) -> By:
        """Somebody, now."""
        return By("person:1", self.tools.clock())

    def send(self, office: Office, text: str, name: str = "day.csv") -> str:
        """A file."""
        stream = io.BytesIO(text.encode())
        return office.receive(self.merchant_id, name, stream, self.by(), 1)

    def stage(self, id_: str) -> str:
        """How far it is, with nobody attending to it."""
        return Shelf(self.tools.folder, self.merchant_id).find(id_).state().stage


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An instance."""
    with Desk(tmp_path) as desk:
        yield House(desk)


@pytest.mark.parametrize("before", [1, 2, 3])
def test_what_a_process_left_in_the_middle_another_finishes(house: House, before: int) -> None:
    first, hand = house.process()
    id_ = house.send(first, day_file(250))
    next(hand.jobs[0])
    hand.jobs[0].close()  # it ended while it read
    assert house.stage(id_) == "reading"
    second, other = house.process()
    second.find(house.merchant_id, id_)
    other.all()
    assert house.stage(id_) == "ready"
    second.issue(house.merchant_id, id_, house.by(), 1)
    job = other.jobs.pop()
    for _ in range(before):
        next(job)
    job.close()
    assert house.stage(id_) == "issuing"
    third, last = house.process()
    third.all(house.merchant_id)
    last.all()
    assert house.stage(id_) == "done"
    assert house.desk.count() == 250
    kept = third.find(house.merchant_id, id_)
    results = list(read_results(kept.results()))
    assert len({one.hash for one in results}) == len(results) == 250
    assert (kept.state().issued, kept.state().orders) == (
        250 - before * 100 if before < 3 else 0,
        250,
    )


def test_a_merchants_files_are_worked_on_by_one_at_a_time(house: House) -> None:
    one, hand = house.process()
    other, idle = house.process()
    first = house.send(one, day_file(5), "a.csv")
    second = house.send(other, day_file(5, "2026-11-19"), "b.csv")
    other.find(house.merchant_id, first)
    assert (len(hand.jobs), len(idle.jobs)) == (1, 0)
    with pytest.raises(ConflictError) as caught:
        other.issue(house.merchant_id, first, house.by(), 1)
    assert caught.value.code == "file_not_ready"
    hand.all()
    other.find(house.merchant_id, second)  # its turn has come
    with pytest.raises(ConflictError) as caught:
        one.issue(house.merchant_id, first, house.by(), 1)
    assert caught.value.code == "file_busy"
    idle.all()
    one.issue(house.merchant_id, first, house.by(), 1)
    other.issue(house.merchant_id, first, house.by(), 1)  # both tabs, both processes
    assert (len(hand.jobs), len(idle.jobs)) == (1, 0)
    hand.all()
    assert house.desk.count() == 5


def test_a_file_is_sent_again_while_it_is_worked_on(house: House) -> None:
    office, hand = house.process()
    id_ = house.send(office, day_file(250))
    next(hand.jobs[0])
    assert house.send(office, day_file(250)) == id_
    assert len(hand.jobs) == 1
    hand.all()
    assert office.find(house.merchant_id, id_).preview().new == 250


def test_it_is_forgotten_after_a_while_and_the_results_stay(house: House) -> None:
    office, hand = house.process()
    id_ = house.send(office, day_file(3))
    hand.all()
    office.issue(house.merchant_id, id_, house.by(), 1)
    hand.all()
    path = office.find(house.merchant_id, id_).results()
    now = house.by().at
    shelf = Shelf(house.desk.config.files_dir, house.merchant_id)
    shelf.forget(now + KEPT_SECONDS)
    assert house.stage(id_) == "done"
    shelf.forget(now + KEPT_SECONDS + 1)
    with pytest.raises(NotFoundError):
        shelf.find(id_)
    assert path.is_file()


def test_a_buyer_is_forgotten_in_what_the_table_said_beside_its_orders(house: House) -> None:
    """In columns that are not ours; and orders that have to be sent again go."""
    office, hand = house.process()
    head, *rows = day_file(3).splitlines()
    table = "\n".join([f"{head},会员", *(f"{row},欧阳娜娜{n}" for n, row in enumerate(rows))])
    id_ = house.send(office, table)
    hand.all()
    office.issue(house.merchant_id, id_, house.by(), 1)
    hand.all()
    path = office.find(house.merchant_id, id_).results()
    first, *others = read_results(path)
    assert first.columns == {"会员": "欧阳娜娜0"}
    waiting = house.send(office, f"{table}\n")
    hand.all()
    shelf = Shelf(house.desk.config.files_dir, house.merchant_id)
    handle = shelf.lock()
    assert not shelf.forget_buyer(first.hash, first.order_id)  # somebody works on it
    assert handle is not None
    os.close(handle)
    assert shelf.forget_buyer(first.hash, first.order_id)
    assert "欧阳娜娜0".encode() not in path.read_bytes()
    assert [one.hash for one in read_results(path)] == [first.hash, *(one.hash for one in others)]
    assert [one.columns for one in read_results(path)][1:] == [one.columns for one in others]
    with pytest.raises(NotFoundError):
        shelf.find(waiting)
    assert Shelf(house.desk.config.files_dir, 99).forget_buyer(first.hash, "x")


def test_a_file_that_is_sent_again_brings_nobody_back_who_was_erased(house: House) -> None:
    """Repeated or refused, a row of an erased guest says nothing of her in columns not ours."""
    office, hand = house.process()
    head, *rows = day_file(3).splitlines()
    guests = (f"{row},个人,欧阳娜娜,会员{n}" for n, row in enumerate(rows))
    table = "\n".join([f"{head},购买方类型,购买方,会员", *guests])

    def issue(text: str) -> list[Result]:
        id_ = house.send(office, text)
        hand.all()
        office.issue(house.merchant_id, id_, house.by(), 1)
        hand.all()
        return list(read_results(office.find(house.merchant_id, id_).results()))

    first = issue(table)[0]
    digest = parse_password_area(first.hash)
    house.desk.instance.keeping.erase_buyer(digest, house.merchant_id, house.by())
    again = issue(f"{table}\n\n")
    assert [one.columns for one in again if one.hash == first.hash] == [{}]
    other = issue(table.replace(",1,", ",2,"))
    told = [one for one in other if one.status == "refused"]
    assert (told[0].first, told[0].columns) == (first.hash, {})
    assert [one.columns["会员"] for one in told[1:]] == ["会员1", "会员2"]


def test_a_name_that_was_used_for_very_much_is_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, hand = house.process()
    id_ = house.send(office, day_file(3))
    hand.all()
    office.issue(house.merchant_id, id_, house.by(), 1)
    hand.all()
    monkeypatch.setattr("invoice_service.files.kept.RESULTS_BYTES", 10)
    again = house.send(office, day_file(4))
    hand.all()
    with pytest.raises(ConflictError) as caught:
        office.issue(house.merchant_id, again, house.by(), 1)
    assert caught.value.code == "file_results_full"
    other = house.send(office, day_file(4), "other.csv")
    hand.all()
    office.issue(house.merchant_id, other, house.by(), 1)
    hand.all()
    assert house.stage(other) == "done"


def test_more_orders_than_are_taken(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("invoice_service.files.office.MOST_ORDERS", 150)
    office, hand = house.process()
    id_ = house.send(office, day_file(151))
    hand.all()
    state = office.find(house.merchant_id, id_).state()
    assert (state.stage, state.code) == ("refused", "file_too_many_orders")


def test_the_thread_does_it_by_itself(house: House) -> None:
    office = Office(house.tools)
    id_ = house.send(office, day_file(3))
    assert office.turns.idle(PATIENCE)
    assert house.stage(id_) == "ready"


def test_two_processes_that_begin_at_one_moment_begin_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one has it done between the look and the lock."""
    one, hand = house.process()
    other, idle = house.process()
    id_ = house.send(one, day_file(5))
    hand.all()
    lock = Shelf.lock

    def late(shelf: Shelf) -> int | None:
        monkeypatch.setattr(Shelf, "lock", lock)
        one.issue(house.merchant_id, id_, house.by(), 1)
        hand.all()
        return lock(shelf)

    monkeypatch.setattr(Shelf, "lock", late)
    other.issue(house.merchant_id, id_, house.by(), 1)
    idle.all()
    assert (house.stage(id_), house.desk.count()) == ("done", 5)
    acts = house.desk.instance.store.acts(ActFilter(type="orders_file"), 0, 10)
    assert [one.act.outcome for one in acts] == ["begun", "done"]


def test_no_merchant_keeps_more_than_there_is_room_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoice_service.files.kept.MOST_KEPT", 3)
    office, hand = house.process()
    sent = []
    for day in range(1, 6):
        house.desk.clock.forward(seconds=1)
        sent.append(house.send(office, day_file(2, f"2026-11-0{day}"), f"{day}.csv"))
        hand.all()
    assert [kept.id for kept in office.all(house.merchant_id)] == sent[:1:-1]
    office.issue(house.merchant_id, sent[-1], house.by(), 1)
    hand.all()
    monkeypatch.setattr("invoice_service.files.kept.ALL_RESULTS_BYTES", 10)
    with pytest.raises(ConflictError) as caught:
        office.issue(house.merchant_id, sent[-2], house.by(), 1)
    assert caught.value.code == "files_full"


def test_one_table_at_a_time_is_made_by_a_process(house: House) -> None:
    office, hand = house.process()
    id_ = house.send(office, day_file(2))
    hand.all()
    with office.table(house.merchant_id, id_, "zh", str) as rows:
        assert len(rows) == 1
        with (
            pytest.raises(UnavailableError) as caught,
            office.table(house.merchant_id, id_, "zh", str),
        ):
            pass
        assert caught.value.code == "too_busy"
    with office.table(house.merchant_id, id_, "zh", str) as rows:
        assert rows[0][0] == "行"
