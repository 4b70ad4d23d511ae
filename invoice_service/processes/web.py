"""The web server: forks its processes from one that has everything loaded, and replaces the dead.

``python -m invoice_service.processes.web`` under ``fapiao serve``, which hands it the socket.
"""

import asyncio
import gc
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import msgspec

from chain.errors import Problem
from invoice_service.api import problems
from invoice_service.api.peers import Peers, site_of
from invoice_service.app import (
    create_app,
    crowd_counter,
    feed_counter,
    finish,
    large_bodies,
    shortcut_of,
)
from invoice_service.config import Config, load
from invoice_service.front.answer import write_problem
from invoice_service.front.door import Door, run
from invoice_service.front.limits import Limits
from invoice_service.processes.listening import inherited, listen
from invoice_service.processes.tether import die_with_parent

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

GRACE_SECONDS: Final = 3.0  # for requests that have begun when we are asked to stop
KILL_SECONDS: Final = GRACE_SECONDS + 2.0
RESPAWN_SECONDS: Final = 1.0  # before a process that did not stay is started again
STAYED_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.05
SWITCH_SECONDS: Final = 0.001  # a long computation lets the others in more often
SPARE_FILES: Final = 256  # descriptors beside those of connections
STOPS: Final = frozenset({signal.SIGTERM, signal.SIGINT})
LONG: Final = (b"/file/",)
"""Parts of the paths whose answers take long to make: files of everything on a page."""
LoadApp = Callable[[], "WSGIApplication"]
SIGNALS: Final = STOPS | {signal.SIGCHLD}


def main() -> None:
    """Serve until SIGTERM, in ``web.workers`` processes."""
    named = os.environ.get("FAPIAO_CONFIG")
    config = load(Path(named) if named else None, os.environ)
    listener = inherited(os.environ) or listen(config.web.host, config.web.port)
    _allow_files(config.limits.connections + SPARE_FILES)
    gc.collect()
    gc.freeze()  # what is loaded stays shared with the processes
    Workers(config, listener).keep()


class Workers:
    """The processes. None of the first takes a client before all can."""

    def __init__(
        self, config: Config, listener: socket.socket, load_app: LoadApp = create_app
    ) -> None:
        self._config = config
        self._load_app = load_app
        self._listener = listener
        self._parent = os.getpid()
        self._began: dict[int, float] = {}
        self._loaded = os.pipe()
        self._gate = os.pipe()  # open to read from once we close our end
        self._missing = config.web.workers

    def keep(self) -> None:
        """Start all, replace what ends, stop all when asked to."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        os.set_blocking(self._loaded[0], False)
        for _ in range(self._config.web.workers):
            self._start()
        while True:
            caught = signal.sigtimedwait(SIGNALS, LOOK_SECONDS if self._missing > 0 else 3600.0)
            if caught is not None and caught.si_signo in STOPS:
                break
            if self._missing > 0:
                self._count_loaded()
            if not all(self._replace(pid) for pid in self._ended()):
                break
        self._stop()

    def _start(self) -> None:
        pid = os.fork()
        if pid == 0:
            self._be_worker()
        self._began[pid] = time.monotonic()

    def _be_worker(self) -> NoReturn:
        status = 1
        try:
            if self._missing > 0:
                os.close(self._gate[1])
            die_with_parent(self._parent)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            self._work()
            status = 0
        except BaseException:  # noqa: BLE001 # it must not go on as its parent
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)

    def _work(self) -> None:
        """Be one web process, until SIGTERM."""
        sys.setswitchinterval(SWITCH_SECONDS)
        app, config = self._load_app(), self._config
        write = _writer(config.service.public_url)
        peers = Peers(config.web.trusted_proxies)

        def caller(address: str, forwarded: str) -> str:
            peer = peers.behind(address, forwarded)
            return "" if peers.trusts(peer) else site_of(peer)

        def door() -> Door:
            return Door(
                app,
                limits_of(config),
                write,
                threads=config.web.threads,
                caller=caller,
                count=crowd_counter(app),
                shortcut=shortcut_of(app, asyncio.get_running_loop()),
                note_feeds=feed_counter(app),
            )

        run(door, self._listener, GRACE_SECONDS, self._wait_for_all)
        finish(app)

    def _wait_for_all(self) -> None:
        os.write(self._loaded[1], b"\0")
        os.read(self._gate[0], 1)

    def _count_loaded(self) -> None:
        with suppress(BlockingIOError):
            self._missing -= len(os.read(self._loaded[0], self._missing))
        if self._missing <= 0:
            os.close(self._gate[1])

    def _ended(self) -> list[int]:
        """Processes that have ended by themselves since the last call."""
        return [pid for pid in self._began if os.waitpid(pid, os.WNOHANG)[0]]

    def _replace(self, pid: int) -> bool:
        """Start another one; False when we were asked to stop meanwhile."""
        stayed = time.monotonic() - self._began.pop(pid)
        print(f"web process {pid} has ended; starting another", file=sys.stderr, flush=True)  # noqa: T201
        if stayed < STAYED_SECONDS and signal.sigtimedwait(STOPS, RESPAWN_SECONDS):
            return False
        self._start()
        return True

    def _stop(self) -> None:
        """Ask all to end; kill those that do not."""
        for pid in self._began:
            os.kill(pid, signal.SIGTERM)
        give_up = time.monotonic() + KILL_SECONDS
        while self._began and time.monotonic() < give_up:
            for pid in self._ended():
                del self._began[pid]
            signal.sigtimedwait({signal.SIGCHLD}, LOOK_SECONDS)
        for pid in self._began:
            os.kill(pid, signal.SIGKILL)


def limits_of(config: Config) -> Limits:
    """What the settings allow a client."""
    web, limits = config.web, config.limits
    return Limits(
        head_seconds=web.head_seconds,
        body_seconds=web.body_seconds,
        slowest=web.slowest_upload,
        answer_seconds=web.answer_seconds,
        idle_seconds=web.idle_seconds,
        head_bytes=limits.head_bytes,
        body_bytes=limits.body_bytes,
        large=large_bodies(config),
        long=LONG,
        held_bytes=limits.held_bytes,
        connections=limits.connections,
        peer_connections=limits.peer_connections,
        feeds=limits.feeds,
        peer_feeds=limits.peer_feeds,
    )


def _writer(base: str) -> Callable[[Problem], bytes]:
    """Writes the answer to what is no request: there is no address whose words it could use."""

    def write(problem: Problem) -> bytes:
        status = HTTPStatus(problems.status_of(problem))
        body = msgspec.json.encode(problems.describe(problem, base))
        return write_problem(f"{status.value} {status.phrase}", problems.CONTENT_TYPE, body)

    return write


def _allow_files(wanted: int) -> None:
    """Raise the limit of open files as far as we need, or may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main()
