"""Counters of several processes: they add up, and never go down."""

import multiprocessing
import os
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from invoice_service.api.operations.counts import Counts

NAMES = ("a", "b")


def bump(folder: Path, times: int) -> None:
    counts = Counts(folder, NAMES)
    for _ in range(times):
        counts.add([(counts.place("b"), 1)])


def test_processes_add_up_also_once_they_have_ended(tmp_path: Path) -> None:
    mine = Counts(tmp_path, NAMES)
    mine.add([(mine.place("a"), 5)])
    spawn = multiprocessing.get_context("spawn")
    others = [spawn.Process(target=bump, args=(tmp_path, 1000)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert mine.read() == {"a": 5, "b": 2000}


def test_a_new_process_takes_over_an_ended_ones_file(tmp_path: Path) -> None:
    for _ in range(3):
        process = multiprocessing.get_context("spawn").Process(target=bump, args=(tmp_path, 10))
        process.start()
        process.join()
    assert len(list(tmp_path.iterdir())) == 1
    assert Counts(tmp_path, NAMES).read() == {"a": 0, "b": 30}


def open_in_turns(folder: Path, rounds: int, barrier: Barrier) -> None:
    """Open the counters of each round at the same moment as the others do."""
    kept = []
    for number in range(rounds):
        barrier.wait()
        counts = Counts(folder / str(number), NAMES)
        counts.add([(counts.place("a"), 1)])
        kept.append(counts)
    barrier.wait()


def test_processes_that_open_at_once_each_keep_a_file_and_no_count_is_lost(tmp_path: Path) -> None:
    together, rounds = 8, 50
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(together)
    processes = [
        spawn.Process(target=open_in_turns, args=(tmp_path, rounds, barrier))
        for _ in range(together)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * together
    for number in range(rounds):
        files = list((tmp_path / str(number)).glob("*.counts"))
        assert len(files) == together, number
        assert Counts(tmp_path / str(number), NAMES).read() == {"a": together, "b": 0}


def test_of_what_each_puts_the_largest_is_found(tmp_path: Path) -> None:
    one, other = Counts(tmp_path, NAMES), Counts(tmp_path, NAMES)
    for counts, number in ((one, 7), (one, 5), (other, 2)):
        counts.put(counts.place("b"), number)
    assert one.most() == other.most() == {"a": 0, "b": 5}


def test_a_file_that_goes_while_it_is_looked_at_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone.counts"
    monkeypatch.setattr(Path, "glob", lambda *_: iter([gone]))
    counts = Counts(tmp_path, NAMES)
    monkeypatch.undo()
    counts.add([(counts.place("a"), 1)])
    assert len(list(tmp_path.glob("*.counts"))) == 1
    assert Counts(tmp_path, NAMES).read() == {"a": 1, "b": 0}


def test_another_releases_counters_are_cleared_away(tmp_path: Path) -> None:
    bump(tmp_path, 3)
    (tmp_path / "cut.counts").write_bytes(b"short")
    counts = Counts(tmp_path, ("a", "b", "c"))
    counts.add([(counts.place("c"), 1)])
    assert counts.read() == {"a": 0, "b": 0, "c": 1}


def test_without_a_place_to_keep_them_counters_are_the_processs_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    counts = Counts(tmp_path, NAMES)
    counts.add([(counts.place("a"), 2)])
    assert counts.read() == {"a": 2, "b": 0}
