"""Witness processes as their operators run them: started, stopped, killed, held, asked."""

import atexit
import http.client
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chain.signing.cosignature import open_cosignatures
from chain.signing.note import COSIGNATURE_V1, Signature, VerifierKey, parse_note
from chain.witness.judge import Request
from chain.witness.server import PUBLIC_FILE, init
from tests.chain.histories import History
from tests.patience import PATIENCE

SERVER = ("-m", "chain.witness.server")


@dataclass(frozen=True)
class Reply:
    """An answer over HTTP."""

    status: int
    media_type: str
    body: bytes

    @property
    def cosigned(self) -> bool:
        """Whether there is anything in it that looks like a signature."""
        return "\u2014".encode() in self.body


class WitnessProcess:
    """A witness in ``folder``; made with the keys of ``logs`` if it is not there yet."""

    def __init__(self, folder: Path, *logs: History, name: str = "witness.example/w1") -> None:
        self.folder = folder
        if not folder.exists():
            init(folder, name, [key.text() for log in logs for key in log.keys])
        self.key = VerifierKey.parse((folder / PUBLIC_FILE).read_text().strip())
        assert self.key.kind == COSIGNATURE_V1
        self.errors = folder.with_name(f"{folder.name}.stderr")
        self.url = ""
        self.process: subprocess.Popen[bytes] | None = None

    def start(
        self,
        program: Sequence[str] = SERVER,
        *,
        environ: Mapping[str, str] | None = None,
        before: Callable[[], None] | None = None,
        told: list[str] | None = None,
    ) -> "WitnessProcess":
        """Start it, and wait until it listens; on the port it had, unless that was never."""
        port = int(self.url.rpartition(":")[2] or 0)
        with self.errors.open("a") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *program, "serve", str(self.folder), "--port", str(port)],
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
                env={**os.environ, **(environ or {})},
                preexec_fn=before,
            )
        atexit.register(self.process.kill)  # whatever becomes of the test
        while " at http" not in (line := self._line()):
            assert line, f"it did not start: {self.errors.read_text()}"
            if told is not None:
                told.append(line)
        self.url = line.split()[-1]
        return self

    def _line(self) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        said = b""
        while not said.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
            assert ready, "it says nothing"
            byte = self.process.stdout.read(1)
            if not byte:
                break
            said += byte
        return said.decode()

    def send(self, number: int) -> None:
        """Send it a signal: SIGSTOP holds it, SIGCONT lets it go on."""
        assert self.process is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """Kill -9, and wait until it is gone."""
        self.end(signal.SIGKILL)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop, wait until it is gone, and return its exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.send_signal(signal.SIGCONT)
        status = self.process.wait(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return status

    def connect(self) -> http.client.HTTPConnection:
        """A connection to it."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return http.client.HTTPConnection(host, int(port), timeout=PATIENCE)

    def post(self, body: bytes, path: str = "/add-checkpoint") -> Reply:
        """Post on a new connection."""
        connection = self.connect()
        try:
            return talk(connection, body, path)
        finally:
            connection.close()

    def get(self, path: str) -> Reply:
        """Read as a monitor does."""
        connection = self.connect()
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return Reply(response.status, response.headers["Content-Type"], response.read())
        finally:
            connection.close()

    def cosignature(self, body: bytes) -> Signature:
        """Ask for a cosignature, and check the one that comes."""
        reply = self.post(body)
        assert reply.status == 200, reply
        text = parse_note(Request.parse(body).note).text
        return open_cosignatures(text, reply.body, [self.key])[self.key]

    def refusals(self) -> list[dict[str, Any]]:
        """What it has written down of what it refused."""
        lines = self.errors.read_text("ascii").splitlines()
        return [json.loads(line) for line in lines]


def talk(
    connection: http.client.HTTPConnection, body: bytes, path: str = "/add-checkpoint"
) -> Reply:
    """Post on a connection that is kept."""
    connection.request("POST", path, body)
    response = connection.getresponse()
    return Reply(response.status, response.headers.get("Content-Type", ""), response.read())
