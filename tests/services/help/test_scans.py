"""Scans that did not fit: counted in bounds, written together, never lost but with the process."""

from collections.abc import Sequence
from threading import Timer

import msgspec
import pytest

from chain.errors import UnavailableError
from invoice_service.domain.verdict import Verdict, Verification
from invoice_service.services.help.ports import OTHERS, UNKNOWN, Counted, Scans
from invoice_service.services.help.scans import MOST_WAITING, ScanCounts
from tests.api.desk import START
from tests.patience import NEVER

NOON = int(START.timestamp()) - 1800  # in Shenzhen
DAY = 86_400


class Sums:
    """Where counts are written; out of order while ``fails``."""

    def __init__(self) -> None:
        self.written: list[Counted] = []
        self.fails = False

    def count_scans(self, counted: Sequence[Counted]) -> None:
        if self.fails:
            raise UnavailableError("disk_full", "no space")
        self.written += counted

    def scans(self, first: str, last: str, limit: int, merchant: int | None = None) -> list[Scans]:
        return []

    def scans_of(self, hash_: str, first: str, last: str) -> int:
        return 0


class House:
    """A counter over such a store, whose clock can be set."""

    def __init__(self) -> None:
        self.sums, self.now = Sums(), NOON
        self.issued = {"a": 7, "b": 8}
        self.asked: list[str] = []
        self.counts = ScanCounts(self.sums, self.whose, lambda: self.now, pause=NEVER)

    def whose(self, hash_: str) -> int | None:
        self.asked.append(hash_)
        return self.issued.get(hash_)

    def scan(self, hash_: str, verdict: Verdict = Verdict.MISMATCH) -> None:
        self.counts.note(Verification(verdict=verdict, hash=hash_))

    def written(self) -> set[tuple[object, ...]]:
        self.counts.flush()
        return {msgspec.structs.astuple(one) for one in self.sums.written}


def test_they_are_added_up_by_invoice_and_day() -> None:
    house = House()
    for hash_ in "aab":
        house.scan(hash_)
    house.now += DAY
    house.scan("a")
    assert house.asked == []  # whose invoice it is, is no matter of the check
    assert house.written() == {
        ("2026-11-21", "a", 7, 2),
        ("2026-11-21", "b", 8, 1),
        ("2026-11-22", "a", 7, 1),
    }
    house.counts.flush()
    assert len(house.sums.written) == 3


def test_a_day_begins_at_midnight_in_shenzhen() -> None:
    house = House()
    house.now = NOON + 12 * 3600 - 1
    house.scan("a")
    house.now += 1
    house.scan("a")
    assert {day for day, *_ in house.written()} == {"2026-11-21", "2026-11-22"}


def test_what_nobody_has_issued_shares_one_sum() -> None:
    house = House()
    for number in range(3 * MOST_WAITING):
        house.scan(f"made up {number}", Verdict.UNKNOWN)
    house.scan("gone meanwhile")
    assert house.written() == {
        ("2026-11-21", UNKNOWN, 0, 3 * MOST_WAITING),
        ("2026-11-21", UNKNOWN, 0, 1),
    }


def test_a_process_remembers_a_bounded_number_of_names() -> None:
    house = House()
    house.issued = {str(number): 7 for number in range(MOST_WAITING + 5)}
    for hash_ in house.issued:
        house.scan(hash_)
    house.scan("0")
    written = house.written()
    assert len(written) == MOST_WAITING + 1
    assert ("2026-11-21", OTHERS, 0, 5) in written
    assert ("2026-11-21", "0", 7, 2) in written


def test_what_cannot_be_written_waits() -> None:
    house = House()
    house.sums.fails = True
    house.scan("a")
    assert house.written() == set()
    house.sums.fails = False
    house.scan("a")
    assert house.written() == {("2026-11-21", "a", 7, 2)}


def test_one_timer_writes_for_many_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Timer] = []
    monkeypatch.setattr(Timer, "start", lambda timer: begun.append(timer))
    house = House()
    for _ in range(100):
        house.scan("a")
    assert len(begun) == 1
    assert begun[0].daemon
    begun[0].function()
    house.scan("a")
    assert len(begun) == 2
    assert house.sums.written == [Counted("2026-11-21", "a", 7, 100)]
