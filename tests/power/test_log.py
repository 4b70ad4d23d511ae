"""Cut the power at every system call of the log's writes: nothing published is ever unsaid."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import rmtree

import pytest

from chain.checkpoint import Checkpoint, open_checkpoint
from chain.hashing import Digest, leaf_hash
from chain.merkle_slow import slow_root
from chain.store.sqlite import SqliteLogStore
from chain.tiles import TileFolder
from tests.power.cuts import materialise
from tests.power.disk import Disk
from tests.power.harness import Cut, everywhere, power_cuts
from tests.power.programs.sequencer import SIGNER, add_block, open_log
from tests.power.replay import replay
from tests.power.trace import Call
from tests.power.tracing import trace_run

PROGRAM = [sys.executable, "-m", "tests.power.programs.sequencer"]
# The first block ends inside a tile, the second goes over a tile's end, the third ends on one:
# 3 + 1, 252 + 1 = 257, 254 + 1 = 512.
SIZES = ("3", "252", "254", "2")


def check_log(folder: Path, cut: Cut) -> None:
    """Check what a reader finds after the cut, then go on, and check that nothing was unsaid."""
    seen = [open_checkpoint(note, SIGNER.verifier) for note in cut.seen]
    log, store, tiles = open_log(folder)
    try:
        height = max((_told(sent, b"height") for sent in cut.sent), default=0)
        size = max((_told(sent, b"published") for sent in cut.sent), default=0)
        assert log.head().height >= height, "a sequenced block is gone"
        assert (published := _published(folder)) >= size, f"published {size}, found {published}"
        _check_tiles(folder, tiles)
        _agree(_leaves(store), seen)
        add_block(log, "after the cut", 5)
        after = log.publish(SIGNER)
        _check_tiles(folder, tiles)
        _agree(_leaves(store), [*seen, after])
    finally:
        store.close()


def _told(sent: bytes, word: bytes) -> int:
    found, _, number = sent.partition(b" ")
    return int(number) if found == word else 0


def _leaves(store: SqliteLogStore) -> list[Digest]:
    return [leaf_hash(row.entry) for row in store.rows(0, store.head().size)]


def _agree(leaves: Sequence[Digest], checkpoints: Sequence[Checkpoint]) -> None:
    """The log, as it stands, continues every checkpoint: no fork."""
    for checkpoint in checkpoints:
        assert checkpoint.size <= len(leaves), f"a log of {checkpoint.size} has been published"
        root = slow_root(leaves[: checkpoint.size])
        assert root == checkpoint.root, f"another history of size {checkpoint.size}"


def _published(folder: Path) -> int:
    path = folder / "log" / "checkpoint"
    return open_checkpoint(path.read_bytes(), SIGNER.verifier).size if path.exists() else 0


def _check_tiles(folder: Path, tiles: TileFolder) -> None:
    """Whoever fetches the published checkpoint can fetch everything below it."""
    path = folder / "log" / "checkpoint"
    if not path.exists():
        return
    checkpoint = open_checkpoint(path.read_bytes(), SIGNER.verifier)
    leaves = [leaf_hash(entry) for entry in tiles.entries(0, checkpoint.size)]
    assert slow_root(leaves) == checkpoint.root, "the bundles are not those of the checkpoint"
    for n in range(-(-checkpoint.size // 256)):
        part = leaves[n * 256 : (n + 1) * 256]
        assert tiles.read_hashes(0, n, len(part)) == part, f"tile {n} is not that of the bundle"


def _check_all(tmp_path: Path, cuts: Iterator[Cut]) -> int:
    """Check every state; AssertionError naming the cut whose state breaks a promise."""
    checked = 0
    for checked, cut in enumerate(cuts, start=1):
        folder = tmp_path / "states" / str(checked)
        materialise(cut.tree, folder)
        try:
            check_log(folder, cut)
        except Exception as problem:
            raise AssertionError(f"{cut}: {problem}") from problem
        rmtree(folder)
    return checked


def _traced(
    tmp_path: Path, *sizes: str, kill_at: int = 0, forget: str = ""
) -> tuple[list[Call], Disk]:
    data = tmp_path / "data"
    data.mkdir()
    log, store, _ = open_log(data)
    log.publish(SIGNER)
    store.close()
    disk = Disk.holding(data)
    command = [*PROGRAM, str(data), "before", *sizes]
    calls = trace_run(tmp_path / "trace", command, {"FORGET": forget}, kill_at=kill_at)
    return calls, disk


@pytest.mark.slow
def test_no_power_cut_forks_the_log_or_loses_a_block(tmp_path: Path) -> None:
    calls, disk = _traced(tmp_path, *SIZES)
    cuts = power_cuts(calls, disk, where=everywhere, seed=2, torn=2, watch="log/checkpoint")
    assert _check_all(tmp_path, cuts) > 300


@pytest.mark.slow
@pytest.mark.parametrize("kill_at", range(3, 40, 6))
def test_a_power_cut_after_a_kill_and_a_restart_does_no_harm_either(
    tmp_path: Path, kill_at: int
) -> None:
    """The second process finds what the first had written and not synced, and builds on it."""
    first, disk = _traced(tmp_path, "3", "252", kill_at=kill_at)
    second = trace_run(tmp_path / "again", [*PROGRAM, str(tmp_path / "data"), "again", "4"], {})
    restarted = second[0].time
    cuts = power_cuts(
        [*first, *second],
        disk,
        where=lambda step: step.call.time >= restarted,
        seed=kill_at,
        torn=0,
        watch="log/checkpoint",
    )
    assert _check_all(tmp_path, cuts) > 20


@pytest.mark.parametrize("forgotten", ["file-syncs", "folder-syncs", "database-syncs"])
def test_a_forgotten_sync_is_found(tmp_path: Path, forgotten: str) -> None:
    """The same checks fail when the log's own code does not sync what it must."""
    calls, disk = _traced(tmp_path, "3", "252", forget=forgotten)
    cuts = power_cuts(calls, disk, where=everywhere, seed=3, torn=0, watch="log/checkpoint")
    with pytest.raises(AssertionError, match="cut after step"):
        _check_all(tmp_path, cuts)


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
