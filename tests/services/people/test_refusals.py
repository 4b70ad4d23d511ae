"""Counting at the door: bounded in memory, in lines and in writes, and never lost on a bad day."""

import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from chain.errors import UnavailableError
from invoice_service.domain.acts import UNKNOWN, Act, By
from invoice_service.services.people.refusals import (
    HOUR,
    LINES_AN_HOUR,
    MOST_WAITING,
    OTHERS,
    Door,
    Refusals,
    earns_a_row,
)
from tests.domain.samples import NOON
from tests.storage.shop import Shop

NEVER = 1e6
"""Seconds that no test waits: writes come only when asked for."""


class Book:
    """A store that adds up what it is given, and can be away."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[int, str, str, str]] = Counter()
        self.given: list[Refusals] = []
        self.lines: list[Act] = []
        self.away = False

    def count_refusals(self, counts: Sequence[Refusals]) -> None:
        self._there()
        self.given += counts
        for one in counts:
            self.counts[one.hour, one.code, one.who, one.origin] += one.count

    def record(self, act: Act) -> int:
        self._there()
        self.lines.append(act)
        return len(self.lines)

    def _there(self) -> None:
        if self.away:
            raise UnavailableError("database_busy", "the database is busy; try again")


class QuietDoor(Door):
    """A door whose timer never rings, and keeps no process waiting."""

    def _arm(self, *, again: bool = False) -> None:
        self.armed = getattr(self, "armed", 0) + 1


@pytest.fixture
def book() -> Book:
    """Nothing counted yet."""
    return Book()


@pytest.fixture
def door(book: Book) -> QuietDoor:
    """A door that writes when it is told to."""
    return QuietDoor(book, pause=NEVER)


def stranger(door: Door, address: str = "192.0.2.1", at: int = NOON) -> None:
    """Somebody without a key is refused."""
    door.refuse("key_unknown", None, address, "POST /v1/invoices", at)


def keyed(door: Door, code: str = "role_required", key: int = 7, at: int = NOON) -> None:
    """The holder of a key is refused."""
    by = By(f"key:{key}", at, "192.0.2.1")
    door.refuse(code, by, by.origin, "PUT /v1/merchants/<merchant>/quota", at)


def test_strangers_are_counted_by_hour_and_address_and_have_no_line(door: Door, book: Book) -> None:
    for address in ("192.0.2.1", "192.0.2.1", "2001:db8::/64", "2001:db8::/64", UNKNOWN):
        stranger(door, address)
    stranger(door, at=NOON + HOUR - 1)
    stranger(door, at=NOON + HOUR)
    assert not book.counts
    door.flush()
    assert book.counts == {
        (NOON, "key_unknown", UNKNOWN, "192.0.2.1"): 3,
        (NOON, "key_unknown", UNKNOWN, "2001:db8::/64"): 2,
        (NOON, "key_unknown", UNKNOWN, UNKNOWN): 1,
        (NOON + HOUR, "key_unknown", UNKNOWN, "192.0.2.1"): 1,
    }
    assert book.lines == []


def test_what_was_written_is_not_written_again(door: Door, book: Book) -> None:
    stranger(door)
    door.flush()
    door.flush()
    stranger(door)
    door.flush()
    assert [one.count for one in book.given] == [1, 1]
    assert [one.seen for one in book.given] == [1, 2]


@pytest.mark.parametrize("code", ["role_required", "key_revoked"])
def test_a_key_that_is_known_has_a_line_each_until_there_are_many(
    door: Door, book: Book, code: str
) -> None:
    for _ in range(LINES_AN_HOUR + 30):
        keyed(door, code)
    keyed(door, code, key=8)
    assert len(book.lines) == LINES_AN_HOUR + 1
    first = book.lines[0]
    assert (first.type, first.outcome, first.code) == ("access", "refused", code)
    assert (first.actor, first.origin, first.at) == ("key:7", "192.0.2.1", NOON)
    assert first.subject == "call:PUT /v1/merchants/<merchant>/quota"
    keyed(door, code, at=NOON + HOUR)
    assert len(book.lines) == LINES_AN_HOUR + 2
    door.flush()
    assert book.counts[NOON, code, "key:7", "192.0.2.1"] == LINES_AN_HOUR + 30


def test_a_merchants_business_is_counted_by_its_key_without_lines(door: Door, book: Book) -> None:
    for _ in range(3):
        keyed(door, "quota_exhausted")
    door.flush()
    assert book.lines == []
    assert book.counts == {(NOON, "quota_exhausted", "key:7", "192.0.2.1"): 3}


def test_memory_is_bounded_and_no_count_is_lost(door: QuietDoor, book: Book) -> None:
    total = 3 * MOST_WAITING
    for number in range(total):
        stranger(door, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(door._waiting) <= MOST_WAITING + 1
    assert len(door._seen) <= MOST_WAITING
    door.flush()
    assert sum(book.counts.values()) == total
    assert book.counts[NOON, "key_unknown", UNKNOWN, OTHERS] > 0


def test_one_that_insists_is_noticed_in_any_crowd(door: Door, book: Book) -> None:
    for number in range(3 * MOST_WAITING):
        stranger(door, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        stranger(door, "192.0.2.99")
        if number % 1000 == 0:
            door.flush()
    door.flush()
    seen = max(one.seen for one in book.given if one.origin == "192.0.2.99")
    assert seen > MOST_WAITING


def test_while_the_database_is_away_counts_wait_and_callers_are_still_refused(
    door: QuietDoor, book: Book
) -> None:
    book.away = True
    stranger(door)
    keyed(door)
    door.flush()
    stranger(door, at=NOON + 5)
    book.away = False
    door.flush()
    assert book.counts[NOON, "key_unknown", UNKNOWN, "192.0.2.1"] == 2
    assert book.counts[NOON, "role_required", "key:7", "192.0.2.1"] == 1
    assert (book.given[0].first_at, book.given[0].last_at) == (NOON, NOON + 5)


def test_one_that_is_closed_writes_once_more_and_tries_never_again(book: Book) -> None:
    """Else each that is left keeps a thread, which tries for ever."""
    others = set(threading.enumerate())
    door = Door(book, pause=NEVER)
    stranger(door)
    (timer,) = set(threading.enumerate()) - others
    book.away = True
    door.close()
    timer.join()
    stranger(door, at=NOON + 5)
    assert set(threading.enumerate()) <= others
    book.away = False
    door.close()
    assert book.counts[NOON, "key_unknown", UNKNOWN, "192.0.2.1"] == 2


@pytest.mark.parametrize(
    ("rows", "seen", "earned"),
    [
        (0, 1, True),
        (63, 1, True),
        (64, 9, False),
        (64, 10, True),
        (128, 99, False),
        (128, 100, True),
        (319, 9_999, False),
        (319, 10_000, True),
        (320, 10**12, False),
    ],
)
def test_more_rows_cost_ever_more(rows: int, seen: int, earned: bool) -> None:
    assert earns_a_row(rows, seen) is earned


PROGRAM = """
import os, signal, sys
from pathlib import Path
from invoice_service.services.people.refusals import Door
from invoice_service.storage.sqlite import SqliteStore
door = Door(SqliteStore(Path(sys.argv[1])), pause=float(sys.argv[2]))
for _ in range(5):
    door.refuse("key_unknown", None, "192.0.2.1", "GET /", 1_533_873_600)
if sys.argv[3] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("end", "kept"), [("by itself", 5), ("killed", 0)])
def test_a_process_that_ends_has_written_and_one_that_is_killed_loses_a_moment(
    tmp_path: Path, end: str, kept: int
) -> None:
    shop = Shop(tmp_path)
    file = str(shop.store.connections.path)
    pause = "0.2" if end == "by itself" else "60"
    done = subprocess.run([sys.executable, "-c", PROGRAM, file, pause, end], check=False)
    assert done.returncode == (0 if kept else -signal.SIGKILL)
    assert shop.store.refusals_counted() == kept
