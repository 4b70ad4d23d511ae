"""Logs of many sizes, made once by our own code, and our own web processes before each."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

from chain.signing.checkpoint import Checkpoint
from chain.signing.note import VerifierKey, parse_note
from invoice_service.processes.supervise import free_port
from tests.api.desk import MEAL, NDJSON, Desk
from tests.chain.books import drafts_from
from tests.patience import PATIENCE, wait_until

ROOT = Path(__file__).parents[2]
BLOCK = 10_000

SIZES = (0, 2, 255, 257, 65_536, 70_000)
"""One log as it grew: empty, its first block (an entry and a seal), a bundle less one, a bundle
and one, exactly full tiles of two levels, and the size that tlog-tiles itself gives as example."""
EVEN = 256
"""Another log, of one bundle: none of ours goes from 255 to 256, for every block has a seal."""


@dataclass(frozen=True)
class Grown:
    """A log of some size: ``data`` is its instance's folder, ``folder`` what ``/log/`` serves."""

    size: int
    data: Path

    @property
    def folder(self) -> Path:
        return self.data / "log"

    @property
    def key(self) -> VerifierKey:
        return VerifierKey.parse((self.data / "keys" / "log.vkey").read_text().strip())

    @property
    def note(self) -> Path:
        return self.folder / "checkpoint"

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint.parse(parse_note(self.note.read_bytes()).text)

    @property
    def root(self) -> str:
        """In base64, as checkpoints have it."""
        return self.checkpoint.to_text().splitlines()[2]


def grown(base: Path) -> dict[int, Grown]:
    """The logs below ``base``, made by whichever process comes first."""
    base.mkdir(exist_ok=True)
    with (base / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (base / "made").exists():
            _grow(base)
            _even(base)
            (base / "made").touch()
    return {size: Grown(size, base / str(size)) for size in (*SIZES, EVEN)}


def _grow(base: Path) -> None:
    """Invoices and a reversal through our front door; made-up anchors where 70,000 are needed."""
    with Desk(base / "growing") as desk:
        _keep(desk, base)
        first = desk.issue("first")
        desk.anchor()
        _keep(desk, base)
        _issue(desk, 251)
        desk.reverse(first)
        desk.anchor()
        _keep(desk, base)
        desk.issue("last")
        desk.anchor()
        _keep(desk, base)
        for size in SIZES[4:]:
            _fill(desk, size)
            _keep(desk, base)


def _even(base: Path) -> None:
    with Desk(base / "even") as desk:
        _issue(desk, EVEN - 1)
        desk.anchor()
        _keep(desk, base)


def _issue(desk: Desk, count: int) -> None:
    orders = [{"order_id": f"N{n}", "lines": [MEAL]} for n in range(count)]
    body = b"".join(json.dumps(order).encode() + b"\n" for order in orders)
    headers = {"Content-Type": NDJSON, "Prefer": "return=minimal"}
    desk.post("/v1/invoices/batch", body, headers).get_data()


def _fill(desk: Desk, size: int) -> None:
    """Sequence and publish blocks of entries that nobody issued, until the log has ``size``."""
    log = desk.instance.log
    while (head := log.head()).size < size:
        count = min(BLOCK, size - head.size - 1)
        drafts = drafts_from(head.size, count)
        log.sequence(head, drafts, sealed_at=desk.clock(), cursor=head.cursor)
        desk.anchor()


def _keep(desk: Desk, base: Path) -> None:
    """Copy the whole instance as it is at this size."""
    size = desk.instance.log.latest_checkpoint()[0].size
    shutil.copytree(desk.config.data_dir, base / str(size))


@dataclass
class Web:
    """Our web processes, one for each log that has been asked for."""

    logs: dict[int, Grown]
    urls: dict[int, str] = field(default_factory=dict)
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def serve(self, *sizes: int) -> None:
        """Start what is not there yet, all at once, and wait until every one answers."""
        started = [size for size in sizes if size not in self.urls]
        for size in started:
            self.urls[size] = self._start(self.logs[size])
        for size in started:
            _wait(self.urls[size])

    def url(self, size: int) -> str:
        """Where the log of that size is, without a final slash."""
        self.serve(size)
        return self.urls[size]

    def _start(self, log: Grown) -> str:
        port = free_port("127.0.0.1")
        while (url := f"http://127.0.0.1:{port}/log") in self.urls.values():
            port = free_port("127.0.0.1")  # given out twice before the first has bound it
        others = {name: text for name, text in os.environ.items() if not name.startswith("FAPIAO_")}
        environ = {
            **others,
            "FAPIAO_SERVICE_DATA_DIR": str(log.data),
            "FAPIAO_SERVICE_PUBLIC_URL": "https://fapiao.test",
            "FAPIAO_WEB_PORT": str(port),
            "FAPIAO_WEB_WORKERS": "1",
        }
        command = [sys.executable, "-m", "invoice_service.processes.web"]
        with (log.data / f"web-{port}.log").open("wb") as output:
            server = subprocess.Popen(command, env=environ, stdout=output, stderr=output, cwd=ROOT)
        self.running.append(server)
        return url

    def stop(self) -> None:
        """End all of them."""
        for server in self.running:
            server.terminate()
        for server in self.running:
            server.wait(timeout=PATIENCE)


@contextmanager
def web(logs: dict[int, Grown]) -> Iterator[Web]:
    """Nothing runs until it is asked for; nothing is left at the end."""
    serving = Web(logs)
    try:
        yield serving
    finally:
        serving.stop()


def _wait(url: str) -> None:
    def answers() -> bool:
        with suppress(urllib3.exceptions.HTTPError):
            answer = urllib3.request("GET", f"{url}/checkpoint", timeout=PATIENCE, retries=False)
            return answer.status == 200
        return False

    wait_until(answers, f"{url} answers")
