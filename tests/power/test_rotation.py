"""Cut the power at every system call of a rotation: publishing goes on, and it can be repeated.

The answer to a theft, which writes to the database too, is killed in ``tests/test_rotation.py``.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chain.signing.checkpoint import open_checkpoint
from chain.signing.statement import KeyStatement, follow
from invoice_service.config import Config, load
from invoice_service.keys.rotation import Rotation
from invoice_service.services.anchoring.anchor import anchor_pending
from invoice_service.wiring import Instance, init_instance, open_instance
from tests.chain.books import drafts_from
from tests.power.disk import Disk
from tests.power.harness import Cut, check_cuts, often, power_cuts
from tests.power.tracing import trace_run

pytestmark = pytest.mark.slow

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def _environ(folder: Path) -> dict[str, str]:
    return {
        "FAPIAO_SERVICE_DATA_DIR": str(folder / "main"),
        "FAPIAO_SERVICE_PUBLIC_URL": "http://power.test",
    }


def _config(folder: Path) -> Config:
    return load(None, _environ(folder))


def _grow(instance: Instance) -> None:
    head = instance.log.head()
    instance.log.sequence(head, drafts_from(head.size, 2), sealed_at=NOW, cursor=0)
    anchor_pending(instance.anchoring())


def _holds(instance: Instance) -> KeyStatement:
    """Whoever knows the first key follows the statements, and believes what is published."""
    notes = instance.keys.notes()
    first = KeyStatement.parse(notes[0]).keys.signing[0]
    _, published = instance.log.latest_checkpoint()
    open_checkpoint(published, follow([first], notes))
    return KeyStatement.parse(notes[-1])


def checking(command: Callable[[Rotation], KeyStatement]) -> Callable[[Path, Cut], None]:
    """What must hold of a folder after a cut: before anything is done, and once it is repeated."""

    def check(folder: Path, cut: Cut) -> None:
        instance = open_instance(_config(folder), clock=lambda: NOW)
        try:
            said = _holds(instance)
            _grow(instance)
            signers = [one.verifier for one in instance.log_signers()]
            assert signers == list(said.keys.signing)
            _holds(instance)
            done = command(instance.rotation())
            assert command(instance.rotation()) == done
            instance.check_keys()
            _grow(instance)
            assert _holds(instance) == done
        finally:
            instance.close()

    return check


def _cut_often(
    data: Path,
    tmp_path: Path,
    states: Path,
    arguments: list[str],
    check: Callable[[Path, Cut], None],
) -> int:
    disk = Disk.holding(data)
    command = [sys.executable, "-m", "invoice_service.cli", "keys", "rotate-log", *arguments]
    calls = trace_run(tmp_path / "trace", command, _environ(data))
    cuts = power_cuts(calls, disk, where=often, seed=7, torn=0)
    return check_cuts(cuts, states, check)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An instance with a block."""
    folder = tmp_path / "data"
    folder.mkdir()
    instance = init_instance(_config(folder), clock=lambda: NOW)
    _grow(instance)
    instance.close()
    return folder


def test_the_start_of_an_overlap(data: Path, tmp_path: Path, states: Path) -> None:
    assert _cut_often(data, tmp_path, states, [], checking(lambda one: one.start())) > 10


def test_the_end_of_an_overlap(data: Path, tmp_path: Path, states: Path) -> None:
    instance = open_instance(_config(data), clock=lambda: NOW)
    instance.rotation().start()
    _grow(instance)
    instance.close()
    check = checking(lambda one: one.finish())
    assert _cut_often(data, tmp_path, states, ["--finish"], check) > 10
