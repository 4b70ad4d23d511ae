"""The task: calls the service, and stops for nothing that the next tick may mend."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chain.errors import UnavailableError
from invoice_service.commands.wallet import status_lists_of
from invoice_service.keys.wallet import wallet_keys
from invoice_service.processes.heartbeat import Heartbeat, read_beat
from invoice_service.services.anchoring.anchor import Anchoring
from tests.api.desk import Desk, refusing
from tests.api.orders.test_orders import made
from tests.services.town import Town
from workers import tasks


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """A town whose anchoring the task is given."""
    town = Town(tmp_path)
    town.settle_in()
    _give(monkeypatch, town.anchoring)
    monkeypatch.setattr(tasks, "_heartbeat", lambda: Heartbeat(tmp_path))
    yield town
    town.close()


def _give(monkeypatch: pytest.MonkeyPatch, parts: Anchoring) -> None:
    monkeypatch.setattr(tasks, "_anchoring", lambda: parts)


def test_it_anchors_what_is_pending(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    town.issue(3)
    with caplog.at_level(logging.INFO):
        tasks.anchor_pending()
    assert town.anchored() == [0, 1, 2]
    assert "anchored 3 invoices in 1 blocks; the log has 4 entries" in caplog.text


def test_twice_is_once(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    town.issue(3)
    tasks.anchor_pending()
    head = town.log.head()
    with caplog.at_level(logging.INFO):
        tasks.anchor_pending()
    assert town.log.head() == head
    assert caplog.text == ""


def test_a_starting_worker_does_not_wait_for_the_first_message(town: Town) -> None:
    town.issue(2)
    tasks.at_start()
    assert town.anchored() == [0, 1]


def test_what_cannot_be_done_now_is_one_line_in_the_log(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_: int) -> bytes:
        raise UnavailableError("disk_full", "there is no space left")

    town.issue(1)
    town.anchor()
    town.pass_days(1)
    _give(monkeypatch, replace(town.anchoring, randbytes=full))
    tasks.anchor_pending()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "disk_full" in caplog.text
    _give(monkeypatch, town.anchoring)
    tasks.anchor_pending()
    assert town.log.head().height == 2


def test_each_run_is_a_sign_of_life(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.issue(1)
    tasks.anchor_pending()
    assert (read_beat(town.folder).age, read_beat(town.folder).failing) == (0, "")

    class Full:
        def publish(self, *_: object, **__: object) -> None:
            raise UnavailableError("disk_full", "no space")

        def __getattr__(self, name: str) -> object:
            return getattr(town.log, name)

    _give(monkeypatch, replace(town.anchoring, log=Full()))  # type: ignore[arg-type]
    tasks.anchor_pending()
    assert read_beat(town.folder).failing == "disk_full"


def test_what_is_over_its_time_goes_by_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Desk(tmp_path) as desk:
        monkeypatch.setattr(tasks, "_instance", lambda: desk.instance)
        monkeypatch.setattr(tasks, "_rules", desk.instance.keeping.rules)
        made(desk, expires_in=60)
        with caplog.at_level(logging.INFO):
            tasks.let_go()
            assert caplog.text == ""
            desk.clock.forward(days=91)
            tasks.let_go()
        assert "retention: 1 of order_days went" in caplog.text
        full = refusing(UnavailableError("disk_full", "no space"))
        monkeypatch.setattr(desk.instance.store, "drop_orders", full)
        tasks.let_go()
        assert "disk_full" in caplog.text


def test_wallets_lists_follow_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Desk(tmp_path) as desk:
        instance = desk.instance
        monkeypatch.setattr(tasks, "_instance", lambda: instance)
        monkeypatch.setattr(tasks, "_status_lists", lambda: status_lists_of(instance))
        desk.issue()
        desk.anchor()
        with caplog.at_level(logging.INFO):
            tasks.status_lists()
            assert caplog.text == ""  # nothing is issued to wallets here
            wallet_keys(instance.keys, instance.log_store, instance.randbytes).rotate()
            tasks.status_lists()
        assert "signed 2 status lists" in caplog.text
        full = refusing(UnavailableError("disk_full", "no space"))
        monkeypatch.setattr(tasks, "_status_lists", full)
        tasks.status_lists()
        assert "disk_full" in caplog.text


def test_a_worker_that_hangs_ends_and_says_where_it_stood(tmp_path: Path) -> None:
    """Its supervisor starts another; nobody else would have noticed."""
    program = (
        "import time, workers.tasks as tasks; tasks.HUNG_SECONDS = 1; tasks._alive();"
        " time.sleep(600)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "FAPIAO_SERVICE_DATA_DIR": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 1
    assert b"most recent call first" in ended.stderr
