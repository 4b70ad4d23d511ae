"""A real Celery worker and beat over a folder that is deleted, flooded and fed rubbish."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from invoice_service.config import load
from invoice_service.domain.request import Buyer
from invoice_service.services.claims.ports import Whole
from invoice_service.wiring import Instance, init_instance, open_instance
from tests.api.desk import MEAL
from tests.faults.killing import killed_at
from tests.faults.order import check_in_order
from tests.patience import wait_until
from tests.services.town import ORIGIN, Town
from workers.app import ANCHOR_PENDING, QUEUE, make_app
from workers.schedule import WAITING

_CELERY = [sys.executable, "-P", "-m", "celery", "--app", "workers.app", "--quiet"]
PROGRAMS = {"worker": ["worker", "--include", "workers.tasks"], "beat": ["beat"]}


class Bureau:
    """An instance whose worker and beat run as processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            **os.environ,
            "FAPIAO_SERVICE_DATA_DIR": str(folder / "data"),
            "FAPIAO_LOG_ORIGIN": ORIGIN,
            "FAPIAO_ANCHOR_INTERVAL": "0.2",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        self.config = load(None, self.environ)
        self.broker = self.config.broker_dir
        instance = init_instance(self.config)
        signer = instance.log_signers()[0]
        instance.close()
        self.town = Town(self.config.data_dir, acts=True)
        self.town.signer = signer
        self.town.now = datetime.now(UTC)
        self.town.settle_in()
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, program: str) -> "subprocess.Popen[bytes]":
        """Start ``worker`` or ``beat``; what it says goes to a file."""
        with (self.folder / f"{program}.log").open("ab") as output:
            process = subprocess.Popen(
                [*_CELERY, *PROGRAMS[program], "--loglevel", "INFO"],
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._running.append(process)
        return process

    def said(self, program: str) -> str:
        """Return what a program has written so far."""
        return (self.folder / f"{program}.log").read_text()

    def issue(self, count: int, *, messages: int = 0) -> None:
        """Issue, then send so many messages, and wait until the worker has anchored all there is.

        A message that is sent before may be done with before there is anything to anchor.
        """
        self.town.now = datetime.now(UTC)
        self.town.issue(count)
        _send(self, messages)
        self.wait_for("anchoring", self._all_anchored)

    def wait_for(self, what: str, done: Callable[[], bool]) -> None:
        """Wait until something is so; fail when it takes too long."""
        wait_until(done, lambda: f"{what}: {self.said('worker')}")

    def stop(self) -> None:
        """Kill what runs and close what is open."""
        for process in self._running:
            process.kill()
            process.wait()
        self.town.close()

    def messages(self) -> list[Path]:
        """Return the messages that wait."""
        return list(self.broker.glob(f"*.{QUEUE}.msg"))

    def _all_anchored(self) -> bool:
        head = self.town.log.head()
        published = self.town.log.latest_checkpoint()[0].size
        return head.cursor == self.town.store.last_seq() and published == head.size


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    """An instance with nothing running yet."""
    bureau = Bureau(tmp_path)
    yield bureau
    bureau.stop()


def _check(bureau: Bureau) -> None:
    """Check that all is in order once the worker has done what it was doing."""
    bureau.wait_for(
        "totals", lambda: bureau.town.store.totals.last_height() == bureau.town.log.head().height
    )
    check_in_order(bureau.town)


@pytest.mark.slow
def test_a_broker_folder_deleted_again_and_again(bureau: Bureau) -> None:
    worker, beat = bureau.start("worker"), bureau.start("beat")
    bureau.issue(3)
    for _ in range(4):
        shutil.rmtree(bureau.broker, ignore_errors=True)
        bureau.issue(2)
    bureau.broker.rename(bureau.folder / "moved away")
    bureau.issue(1)
    assert worker.poll() is None
    assert beat.poll() is None
    assert "Unrecoverable" not in bureau.said("worker")
    _check(bureau)


@pytest.mark.slow
def test_killed_worker_and_beat_leave_a_short_queue_and_are_made_up_for(bureau: Bureau) -> None:
    worker, beat = bureau.start("worker"), bureau.start("beat")
    bureau.issue(3)
    for process in (worker, beat):
        process.kill()
        process.wait()
    shutil.rmtree(bureau.broker, ignore_errors=True)
    bureau.town.issue(4)
    beat = bureau.start("beat")
    bureau.wait_for("a full queue", lambda: len(bureau.messages()) == WAITING)
    time.sleep(1.5)
    assert len(bureau.messages()) == WAITING
    beat.kill()
    beat.wait()
    shutil.rmtree(bureau.broker)
    bureau.start("worker")  # without a message: it looks for work when it starts
    bureau.issue(1)
    _check(bureau)


def _send(bureau: Bureau, count: int) -> None:
    """Send the task as an operator would, by Celery."""
    app: Any = make_app(bureau.config)
    for _ in range(count):
        app.send_task(ANCHOR_PENDING)


@pytest.mark.slow
def test_messages_delivered_twice_and_rubbish_between_them(bureau: Bureau) -> None:
    _send(bureau, 1)
    (message,) = bureau.messages()
    whole = message.read_bytes()
    headers = json.loads(whole)["headers"]
    for number in range(5):
        (bureau.broker / f"0{number}_again.{QUEUE}.msg").write_bytes(whole)
    bent = [
        b"",
        whole[: len(whole) // 2],
        _bent(whole, "headers", {**headers, "task": "os.system"}),
        _bent(whole, "headers", {**headers, "eta": "yesterday"}),
        _bent(whole, "headers", {**headers, "expires": "never"}),
        _bent(whole, "headers", {}),
        _bent(whole, "content-type", "application/x-python-serialize"),
        _bent(whole, "body", "e30="),  # {}
        _bent(whole, "body", "e30"),
        _bent(whole, "body", "W1sxLCAyXSwgeyJhIjogMX0sIHt9XQ=="),  # [[1, 2], {"a": 1}, {}]
    ]
    for number, data in enumerate(bent):
        (bureau.broker / f"1{number}_bent.{QUEUE}.msg").write_bytes(data)
    bureau.town.issue(5)
    worker = bureau.start("worker")
    bureau.wait_for("an empty queue", lambda: not bureau.messages())
    bureau.issue(0)
    assert bureau.town.log.head().height == 1
    bureau.issue(2, messages=1)
    assert worker.poll() is None
    _check(bureau)


def _bent(whole: bytes, part: str, value: object) -> bytes:
    return json.dumps({**json.loads(whole), part: value}).encode()


@pytest.mark.slow
def test_a_message_that_ends_a_worker_ends_one_worker(bureau: Bureau) -> None:
    """Celery puts back what a worker had taken when it ended; here nobody meets it again."""
    _send(bureau, 1)
    (message,) = bureau.messages()
    whole = message.read_bytes()
    headers = {**json.loads(whole)["headers"], "timelimit": "poison"}
    message.write_bytes(_bent(whole, "headers", headers))
    bureau.town.issue(2)
    first = bureau.start("worker")
    bureau.wait_for("its end", lambda: first.poll() is not None)
    second = bureau.start("worker")
    bureau.issue(0)
    bureau.issue(1, messages=1)
    bureau.wait_for("an empty queue", lambda: bureau.messages() == [])
    assert second.poll() is None
    _check(bureau)


@pytest.mark.slow
def test_sent_by_hand_without_beat(bureau: Bureau) -> None:
    bureau.start("worker")
    bureau.wait_for("the worker", lambda: "ready" in bureau.said("worker"))
    bureau.issue(2, messages=1)
    _check(bureau)


@pytest.mark.slow
def test_a_claim_whose_process_died_is_finished_without_anybody(bureau: Bureau) -> None:
    """One that was killed as soon as the claim was on disk; nobody ever asks for it again."""
    instance = open_instance(bureau.config)
    body = {"order_id": "K1", "lines": [MEAL]}
    whole = instance.claims.make(bureau.town.merchants[0].id, msgspec.json.encode(body)).whole
    token = instance.claims.links.url(whole.order).rpartition("/")[2]
    instance.close()

    def claim(opened: Instance) -> object:
        return opened.claims.claim(token, "a" * 32, Buyer(name="张三"))

    opening = partial(open_instance, bureau.config)
    assert killed_at(1, kept=True, prepare=opening, work=claim)
    (begun,) = _order(bureau, whole).claims
    assert not begun.hash
    bureau.start("worker")
    bureau.start("beat")
    bureau.wait_for("the claim", lambda: _order(bureau, whole).issued > 0)
    bureau.issue(1)
    _check(bureau)


def _order(bureau: Bureau, whole: Whole) -> Whole:
    found = bureau.town.store.order(whole.order.id, None)
    assert found is not None
    return found
