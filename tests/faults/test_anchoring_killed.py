"""kill -9 at every write of anchoring, with the write kept and with it lost."""

import shutil
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from invoice_service.domain.acts import By
from tests.faults.killing import killed_at
from tests.faults.order import check_in_order
from tests.scale import every
from tests.services.town import Town


def _first_block(town: Town) -> None:
    town.issue(3)


def _over_a_tiles_end_and_midnight(town: Town) -> None:
    """The next block fills a tile, starts another, and closes two days."""
    town.issue(249)
    town.anchor()
    town.issue(8)
    town.pass_days(2)


def _several_blocks_at_once(town: Town) -> None:
    """More is pending than one block takes, as after a night without a worker."""
    blues = town.issue(7)
    town.anchor()
    town.reverse(blues[3])
    town.issue(8)


def _acts_alone(town: Town) -> None:
    """Nothing was issued; the merchants' admissions wait, and a quota."""
    town.store.set_quota(1, 7, By("key:7", int(town.now.timestamp())))


def _acts_among_invoices(town: Town) -> None:
    """What was decided meanwhile goes with the next invoices, and a day that has ended."""
    town.issue(3)
    town.anchor()
    town.pass_days(1)
    _acts_alone(town)
    town.issue(5)


HISTORIES = [
    _first_block,
    _several_blocks_at_once,
    _over_a_tiles_end_and_midnight,
    _acts_alone,
    _acts_among_invoices,
]


def _copy(before: Town, folder: Path) -> Town:
    """Open what stands in ``folder`` with another worker's randomness, at the same time."""
    town = Town(folder, seed=7, max_block=4, acts=True)
    town.now = before.now
    return town


@pytest.mark.slow
@pytest.mark.scaled
@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
@pytest.mark.parametrize("history", HISTORIES)
def test_a_kill_at_any_write_loses_and_doubles_nothing(
    tmp_path: Path, history: Callable[[Town], None], kept: bool
) -> None:
    """Right after the kill nothing is wrong, only undone; the next worker does the rest."""
    (tmp_path / "before").mkdir()
    before = Town(tmp_path / "before", max_block=300, acts=True)
    before.settle_in()
    history(before)
    for number in every(3, count(1 + kept)):
        folder = tmp_path / f"kill-{number}"
        shutil.copytree(before.folder, folder)
        opening = partial(_copy, before, folder)
        if not killed_at(number, kept=kept, prepare=opening, work=Town.anchor):
            break
        after = opening()
        after.audit()
        after.anchor()
        check_in_order(after)
        after.close()
        shutil.rmtree(folder)
    assert number > 20, "the process did not come to its writes"
    before.close()


@pytest.mark.slow
def test_a_worker_killed_again_and_again_still_arrives(tmp_path: Path) -> None:
    """One folder, one kill after another, each a write later than the last one's progress."""
    town = Town(tmp_path, max_block=300, acts=True)
    town.settle_in()
    _over_a_tiles_end_and_midnight(town)
    kills = 0
    opening = partial(_copy, town, tmp_path)
    while killed_at(1 + kills, kept=bool(kills % 2), prepare=opening, work=Town.anchor):
        kills += 1
    town.anchor()
    check_in_order(town)
    assert kills > 10
    town.close()
