"""Tries to sign in, counted by several processes together."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoice_service.services.people.tries import Allowance
from invoice_service.storage.sqlite.tries import TRIES, SharedCounts

FEW = Allowance(3, 10)
PROCESS = """
import sys
from pathlib import Path
from invoice_service.services.people.tries import Allowance
from invoice_service.storage.sqlite.tries import SharedCounts

counts = SharedCounts(Path(sys.argv[1]))
taken = [counts.take("zhang@1", Allowance(20, 3600)) for _ in range(20)]
print(taken.count(0.0))
"""


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counts(tmp_path: Path, clock: Clock) -> SharedCounts:
    return SharedCounts(tmp_path / TRIES, clock)


def taken(counts: SharedCounts, times: int, name: str = "a") -> list[float]:
    return [counts.take(name, FEW) for _ in range(times)]


def test_so_many_at_once_and_one_more_each_so_many_seconds(
    counts: SharedCounts, clock: Clock
) -> None:
    assert taken(counts, 4) == [0, 0, 0, 10]
    clock.now += 4
    assert taken(counts, 2) == [6, 6]
    clock.now += 6
    assert taken(counts, 2) == [0, 10]
    clock.now += 1000
    assert taken(counts, 4) == [0, 0, 0, 10]


def test_each_name_has_its_own(counts: SharedCounts) -> None:
    taken(counts, 9)
    assert taken(counts, 4, "\ud800") == [0, 0, 0, 10]


def test_eight_processes_together_have_no_more_than_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROCESS, str(tmp_path / TRIES)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    assert sum(int(one.communicate()[0]) for one in started) == 20


def test_a_process_that_was_forked_counts_with_the_others(tmp_path: Path, clock: Clock) -> None:
    counts = SharedCounts(tmp_path / TRIES, clock)
    taken(counts, 2)
    child = os.fork()
    if not child:
        os._exit(taken(counts, 3).count(0.0))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert taken(counts, 1) == [10]


def test_what_was_counted_before_the_machine_started_anew_counts_no_more(
    counts: SharedCounts, clock: Clock
) -> None:
    taken(counts, 9)
    clock.now = 5
    assert taken(counts, 4) == [0, 0, 0, 10]


def test_who_has_all_tries_left_is_forgotten(
    counts: SharedCounts, clock: Clock, tmp_path: Path
) -> None:
    for number in range(100):
        counts.take(str(number), FEW)
    clock.now += 1000
    for _ in range(64):
        counts.take("last", FEW)
    with closing(sqlite3.connect(tmp_path / TRIES)) as file:
        assert file.execute("SELECT count(*) FROM tries").fetchone() == (1,)


@pytest.mark.parametrize("content", [b"no database at all, and long enough to be seen as one" * 99])
def test_a_file_that_cannot_be_used_lets_nobody_try_for_ever(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / TRIES).write_bytes(content)
    for path in (tmp_path / TRIES, tmp_path / "missing" / TRIES):
        counts = SharedCounts(path)
        found = [counts.take("a", Allowance(3, 3600)) for _ in range(5)]
        assert found[:3] == [0, 0, 0]
        assert min(found[3:]) > 0


@given(st.lists(st.integers(0, 25), max_size=30))
def test_it_is_a_bucket_that_fills_again(waits: list[int]) -> None:
    """A bucket of three tokens, one more every ten seconds: the slow way to say it."""
    clock = Clock()
    with TemporaryDirectory() as folder:
        counts = SharedCounts(Path(folder) / TRIES, clock)
        tenths = FEW.burst * FEW.each
        for wait in waits:
            clock.now += wait
            tenths = min(FEW.burst * FEW.each, tenths + wait)
            got = counts.take("a", FEW) == 0
            assert got == (tenths >= FEW.each)
            tenths -= FEW.each * got
