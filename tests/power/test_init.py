"""Cut the power at every system call of ``fapiao init``: it can be repeated, and keys stay keys."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chain.errors import UnavailableError
from invoice_service.config import Config, load
from invoice_service.services.anchoring.anchor import anchor_pending
from invoice_service.wiring import Instance, init_instance, open_instance
from tests.power.cuts import Lost, after_cut
from tests.power.disk import Disk
from tests.power.harness import Cut, check_cuts, often, power_cuts
from tests.power.replay import replay
from tests.power.trace import Call
from tests.power.tracing import trace_run
from tests.scale import share


def now() -> datetime:
    """As the command that is traced has it: of acts of just now nothing is in the log yet."""
    return datetime.now(UTC)


def _environ(folder: Path) -> dict[str, str]:
    return {
        "FAPIAO_SERVICE_DATA_DIR": str(folder / "main"),
        "FAPIAO_SERVICE_PUBLIC_URL": "http://power.test",
    }


def check_init(folder: Path, cut: Cut) -> None:
    """The folder opens or can be initialised again; then it works, under the keys it shows."""
    config = load(None, _environ(folder))
    instance = _opened(config)
    try:
        assert [one.verifier for one in instance.log_signers()] == [instance.log_key]
        assert instance.promise_signer().verifier == instance.promise_key
        assert instance.store.last_seq() == 0
        anchor_pending(instance.anchoring())
        checkpoint, _ = instance.log.latest_checkpoint()
        assert checkpoint.size == 0
    finally:
        instance.close()


def _opened(config: Config) -> Instance:
    """What is whole opens; of what is not, the error says to run init again, which then works."""
    problem = None
    try:
        return open_instance(config, clock=now)
    except UnavailableError as raised:
        problem = raised
    assert problem.code in {"not_initialised", "init_unfinished"}, problem
    return init_instance(config, clock=now)


def _traced(tmp_path: Path) -> tuple[list[Call], Disk]:
    data = tmp_path / "data"
    data.mkdir()
    disk = Disk.holding(data)
    command = [sys.executable, "-m", "invoice_service.cli", "init"]
    return trace_run(tmp_path / "trace", command, _environ(data)), disk


@pytest.mark.slow
@pytest.mark.scaled
def test_no_power_cut_leaves_a_folder_that_cannot_be_initialised(
    tmp_path: Path, states: Path
) -> None:
    calls, disk = _traced(tmp_path)
    cuts = power_cuts(calls, disk, where=often, seed=6, torn=0)
    assert check_cuts(cuts, states, check_init, 7) > share(100, 15)


def test_what_init_has_shown_survives_the_power_cut_after_it(tmp_path: Path) -> None:
    calls, disk = _traced(tmp_path)
    for _ in replay(calls, disk):
        pass
    left, shown = after_cut(disk, Lost()), disk.visible()
    kept = [name for name in shown if "/keys/" in name or name.endswith("/checkpoint")]
    assert len(kept) == 8  # the folder of statements is one of them
    for name in kept:
        assert left[name] == shown[name]
