"""Cut the power at every system call of issuing and anchoring: no promise is broken."""

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from chain.audit.audit import audit_log
from chain.signing.checkpoint import open_checkpoint
from tests.power.disk import Disk
from tests.power.harness import Cut, check_cuts, often, power_cuts
from tests.power.programs.careless import EAGER
from tests.power.programs.office import SIGNER, STARTED, Office, found_office
from tests.power.promises import (
    Promised,
    check_anchored,
    check_history,
    check_invoices,
    check_served,
    check_totals,
    stored_leaves,
)
from tests.power.replay import replay
from tests.power.trace import Call
from tests.power.tracing import trace_run
from tests.scale import share

PROGRAM = [sys.executable, "-m", "tests.power.programs.office"]
# Two blocks in one run (max_block is 10), a closing of the day, a block with a red invoice.
STEPS = ("issue:3", "anchor", "issue:11", "anchor", "day", "issue:2", "anchor")


def check_instance(folder: Path, cut: Cut) -> None:
    """Check what was promised, then issue and anchor again, and check it all once more."""
    promised = [_promised(sent) for sent in cut.sent]
    seen = [open_checkpoint(note, SIGNER.verifier) for note in cut.seen]
    office = Office(folder, "after the cut", now=STARTED + timedelta(days=3))
    try:
        check_invoices(office.store, promised)
        check_served(folder / "log", SIGNER.verifier)
        check_history(stored_leaves(office.log_store), seen)
        audit_log(office.log_store, folder / "log", SIGNER.verifier)  # no false alarm either
        office.issue(2)
        office.anchor()
        rows = check_invoices(office.store, promised)
        check_anchored(rows, office.log)
        check_totals(rows, office.store, office.log)
        size = check_served(folder / "log", SIGNER.verifier)
        assert size == office.log.head().size, "not everything sequenced is published"
        check_history(stored_leaves(office.log_store), seen)
        audit_log(office.log_store, folder / "log", SIGNER.verifier)
    finally:
        office.close()


def _promised(sent: bytes) -> Promised:
    _, seq, digest, number = sent.decode().split()
    return Promised(int(seq), digest, number)


def _traced(
    tmp_path: Path, steps: Sequence[str], *, kill_at: int = 0, forget: str = ""
) -> tuple[list[Call], Disk]:
    data = tmp_path / "data"
    found_office(data)
    disk = Disk.holding(data)
    command = [*PROGRAM, str(data), "before", *steps]
    return trace_run(tmp_path / "trace", command, {"FORGET": forget}, kill_at=kill_at), disk


def _path(call: Call) -> str:
    descriptor = call.descriptor()
    return descriptor.path if descriptor is not None else ""


@pytest.mark.slow
@pytest.mark.scaled
def test_no_power_cut_breaks_a_promise(tmp_path: Path, states: Path) -> None:
    calls, disk = _traced(tmp_path, STEPS)
    cuts = power_cuts(calls, disk, where=often, seed=4, torn=1, watch="log/checkpoint")
    assert check_cuts(cuts, states, check_instance, 5) > share(300, 30)


@pytest.mark.slow
@pytest.mark.scaled
def test_no_power_cut_in_a_checkpoint_of_sqlite_breaks_one(tmp_path: Path, states: Path) -> None:
    """Rows on their way from the write-ahead log to the database, and logs begun anew."""
    steps = ("issue:2", "issue:2", "anchor", "issue:2", "anchor")
    calls, disk = _traced(tmp_path, steps, forget=EAGER)
    database = f"{tmp_path}/data/invoices.db"
    moved = [call for call in calls if call.name == "pwrite64" and _path(call) == database]
    assert len(moved) > 20, "SQLite made no checkpoint: this tests nothing"
    cuts = power_cuts(calls, disk, where=often, seed=9, torn=2, watch="log/checkpoint")
    assert check_cuts(cuts, states, check_instance, 5) > share(200, 20)


@pytest.mark.slow
@pytest.mark.scaled
def test_no_power_cut_breaks_one_while_two_issue_and_anchor_at_once(
    tmp_path: Path, states: Path
) -> None:
    data = tmp_path / "data"
    found_office(data)
    disk = Disk.holding(data)
    office = f"{' '.join(PROGRAM)} {data}"
    script = (
        f"{office} one issue:2 anchor issue:3 anchor & first=$!\n"
        f"{office} two issue:3 anchor issue:1 anchor && wait $first"
    )
    calls = trace_run(tmp_path / "trace", ["sh", "-c", script], {})
    cuts = power_cuts(calls, disk, where=often, seed=10, torn=1, watch="log/checkpoint")
    assert check_cuts(cuts, states, check_instance, 5) > share(150, 15)


@pytest.mark.slow
@pytest.mark.scaled
@pytest.mark.parametrize("kill_at", range(4, 34, share(7, 14)))
def test_a_power_cut_after_a_kill_and_a_restart_breaks_none_either(
    tmp_path: Path, states: Path, kill_at: int
) -> None:
    first, disk = _traced(tmp_path, STEPS, kill_at=kill_at)
    command = [*PROGRAM, str(tmp_path / "data"), "again", "day", "issue:2", "anchor"]
    second = trace_run(tmp_path / "again", command, {})
    restarted = second[0].time
    cuts = power_cuts(
        [*first, *second],
        disk,
        where=lambda step: step.call.time >= restarted and often(step),
        seed=kill_at,
        torn=0,
        watch="log/checkpoint",
    )
    assert check_cuts(cuts, states, check_instance, 3) > share(20, 3)


@pytest.mark.parametrize("forgotten", ["file-syncs", "folder-syncs", "database-syncs"])
def test_a_forgotten_sync_is_found(tmp_path: Path, states: Path, forgotten: str) -> None:
    calls, disk = _traced(tmp_path, STEPS[:2], forget=forgotten)
    cuts = power_cuts(calls, disk, where=often, seed=5, torn=0, watch="log/checkpoint")
    with pytest.raises(AssertionError, match="cut after step"):
        check_cuts(cuts, states, check_instance)


def test_the_model_of_the_instance_is_the_real_folder(tmp_path: Path) -> None:
    calls, disk = _traced(tmp_path, STEPS)
    for _ in replay(calls, disk):
        pass
    data = tmp_path / "data"
    real = {
        str(path.relative_to(data)): path.read_bytes() if path.is_file() else None
        for path in data.rglob("*")
        if not path.name.endswith("-shm")
    }
    assert disk.visible() == real
