"""Workers in several processes at once, while customers keep coming."""

import multiprocessing
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from tests.faults.order import check_in_order
from tests.patience import PATIENCE
from tests.services.town import YEARS, Town

_Context = multiprocessing.get_context("spawn")


def _work(folder: Path, seed: int, stop: Event, days: float) -> None:
    """Anchor without a pause until told to stop, through days that pass quickly."""
    town = Town(folder, seed=seed, max_block=7, acts=True)
    while not stop.is_set():
        town.pass_days(days)
        town.anchor()
    town.close()


def _issue(folder: Path, seed: int, count: int) -> None:
    """Issue in small batches, and reverse now and then, by a clock that stands."""
    town = Town(folder, seed=seed, max_backwards=YEARS, acts=True)
    for number in range(count):
        issued = town.issue(1 + number % 5)
        if number % 10 == 0:
            town.reverse(issued[0])
    town.close()


@pytest.mark.slow
def test_three_workers_at_once_anchor_everything_once(tmp_path: Path) -> None:
    """Their clocks differ: one is a little behind, and days end while they race."""
    town = Town(tmp_path, acts=True)
    town.settle_in()
    stop = _Context.Event()
    workers = [
        _Context.Process(target=_work, args=(tmp_path, 10 + n, stop, 0.01 + n / 1000))
        for n in range(3)
    ]
    issuers = [_Context.Process(target=_issue, args=(tmp_path, 20 + n, 60)) for n in range(2)]
    for process in (*workers, *issuers):
        process.start()
    try:
        for process in issuers:
            process.join(PATIENCE)
            assert process.exitcode == 0
        stop.set()
        for process in workers:
            process.join(PATIENCE)
            assert process.exitcode == 0, "a worker stumbled over the others"
    finally:
        for process in (*workers, *issuers):
            process.kill()  # or they would go on for ever
    town.now = town.log.block(town.log.head().height).sealed_at
    town.anchor()
    check_in_order(town)
    assert town.log.head().cursor == 2 * (60 * 3 + 6)
    town.close()


@pytest.mark.slow
def test_workers_killed_at_random_while_others_go_on(tmp_path: Path) -> None:
    town = Town(tmp_path, acts=True)
    town.settle_in()
    stop = _Context.Event()
    issuer = _Context.Process(target=_issue, args=(tmp_path, 20, 80))
    issuer.start()
    killed = 0
    while issuer.is_alive() and killed < 12:
        worker = _Context.Process(target=_work, args=(tmp_path, killed, stop, 0.01))
        other = _Context.Process(target=_work, args=(tmp_path, 100 + killed, stop, 0.01))
        worker.start()
        other.start()
        time.sleep(0.8 + 0.037 * killed)
        for process in (worker, other):
            process.kill()
            process.join(PATIENCE)
            assert process.exitcode == -9, "it ended by itself"
            killed += 1
    issuer.join(PATIENCE)
    assert issuer.exitcode == 0
    height = town.log.head().height
    town.now = town.log.block(height).sealed_at if height else town.now
    town.anchor()
    check_in_order(town)
    assert killed >= 2
    town.close()


def test_two_workers_in_turn_see_each_others_blocks(tmp_path: Path) -> None:
    """Each has opened the databases before the other wrote: nothing is kept in memory."""
    first = Town(tmp_path, seed=1, acts=True)
    first.settle_in()
    second = Town(tmp_path, seed=2, acts=True)
    for number in range(6):
        first.issue(2)
        (first, second)[number % 2].anchor()
    check_in_order(first)
    check_in_order(second)
    assert first.log.head().height == 6
    first.close()
    second.close()
