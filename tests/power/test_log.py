"""Cut the power at every system call of the log's writes: nothing published is ever unsaid."""

import sys
from pathlib import Path

import pytest

from chain.audit.audit import audit_log
from chain.signing.checkpoint import open_checkpoint
from tests.power.disk import Disk
from tests.power.harness import Cut, check_cuts, often, power_cuts
from tests.power.programs.sequencer import SIGNER, add_block, open_log
from tests.power.promises import check_history, check_served, stored_leaves
from tests.power.replay import replay
from tests.power.trace import Call
from tests.power.tracing import trace_run
from tests.scale import share

PROGRAM = [sys.executable, "-m", "tests.power.programs.sequencer"]
# The first block ends inside a tile, the second goes over a tile's end, the third ends on one:
# 3 + 1, 252 + 1 = 257, 254 + 1 = 512.
SIZES = ("3", "252", "254")


def check_log(folder: Path, cut: Cut) -> None:
    """Check what a reader finds after the cut, then go on, and check that nothing was unsaid."""
    seen = [open_checkpoint(note, SIGNER.verifier) for note in cut.seen]
    log, store = open_log(folder)
    try:
        height = max((_told(sent, b"height") for sent in cut.sent), default=0)
        size = max((_told(sent, b"published") for sent in cut.sent), default=0)
        assert log.head().height >= height, "a sequenced block is gone"
        served = check_served(folder / "log", SIGNER.verifier)
        assert served >= size, f"size {size} was published, {served} is found"
        check_history(stored_leaves(store), seen)
        audit_log(store, folder / "log", SIGNER.verifier)  # a cut is no reason for an alarm
        add_block(log, "after the cut", 5)
        after = log.publish(SIGNER)
        assert check_served(folder / "log", SIGNER.verifier) == after.size
        check_history(stored_leaves(store), [*seen, after])
        audit_log(store, folder / "log", SIGNER.verifier)
    finally:
        store.close()


def _told(sent: bytes, word: bytes) -> int:
    found, _, number = sent.partition(b" ")
    return int(number) if found == word else 0


def _traced(
    tmp_path: Path, *sizes: str, kill_at: int = 0, forget: str = ""
) -> tuple[list[Call], Disk]:
    data = tmp_path / "data"
    data.mkdir()
    log, store = open_log(data)
    log.publish(SIGNER)
    store.close()
    disk = Disk.holding(data)
    command = [*PROGRAM, str(data), "before", *sizes]
    calls = trace_run(tmp_path / "trace", command, {"FORGET": forget}, kill_at=kill_at)
    return calls, disk


@pytest.mark.slow
@pytest.mark.scaled
def test_no_power_cut_forks_the_log_or_loses_a_block(tmp_path: Path, states: Path) -> None:
    calls, disk = _traced(tmp_path, *SIZES)
    cuts = power_cuts(calls, disk, where=often, seed=2, torn=1, watch="log/checkpoint")
    assert check_cuts(cuts, states, check_log, 5) > share(300, 30)


@pytest.mark.slow
@pytest.mark.scaled
@pytest.mark.parametrize("kill_at", range(3, 40, share(6, 12)))
def test_a_power_cut_after_a_kill_and_a_restart_does_no_harm_either(
    tmp_path: Path, states: Path, kill_at: int
) -> None:
    """The second process finds what the first had written and not synced, and builds on it."""
    first, disk = _traced(tmp_path, "3", "252", kill_at=kill_at)
    second = trace_run(tmp_path / "again", [*PROGRAM, str(tmp_path / "data"), "again", "4"], {})
    restarted = second[0].time
    cuts = power_cuts(
        [*first, *second],
        disk,
        where=lambda step: step.call.time >= restarted and often(step),
        seed=kill_at,
        torn=0,
        watch="log/checkpoint",
    )
    assert check_cuts(cuts, states, check_log, 3) > share(20, 3)


@pytest.mark.parametrize("forgotten", ["file-syncs", "folder-syncs", "database-syncs"])
def test_a_forgotten_sync_is_found(tmp_path: Path, states: Path, forgotten: str) -> None:
    """The same checks fail when the log's own code does not sync what it must."""
    calls, disk = _traced(tmp_path, "3", "252", forget=forgotten)
    cuts = power_cuts(calls, disk, where=often, seed=3, torn=0, watch="log/checkpoint")
    with pytest.raises(AssertionError, match="cut after step"):
        check_cuts(cuts, states, check_log)


@pytest.mark.parametrize("kill_at", [0, 9, 10, 11, 12, 13])
def test_the_model_of_the_log_is_the_real_folder(tmp_path: Path, kill_at: int) -> None:
    first, disk = _traced(tmp_path, "3", "300", kill_at=kill_at)
    second = trace_run(tmp_path / "again", [*PROGRAM, str(tmp_path / "data"), "again", "4"], {})
    for _ in replay([*first, *second], disk):
        pass
    data = tmp_path / "data"
    real = {
        str(path.relative_to(data)): path.read_bytes() if path.is_file() else None
        for path in data.rglob("*")
        if not path.name.endswith("-shm")  # rebuilt from the WAL by whoever opens first
    }
    assert disk.visible() == real
