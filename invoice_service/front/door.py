"""Takes connections from a listening socket, watches them, and hands requests to threads."""

import asyncio
import logging
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from chain.errors import Problem, UnavailableError
from invoice_service.front.answer import respond
from invoice_service.front.connection import Connection
from invoice_service.front.crowd import Crowd, Why
from invoice_service.front.feeds import Feeds
from invoice_service.front.incoming import Incoming
from invoice_service.front.limits import Limits, Purse
from invoice_service.front.threads import HEAVY_BYTES, Load, Threads, tell

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SWEEP_SECONDS: Final = 0.5
PAUSE_SECONDS: Final = 0.2  # in which no connection is taken when files have run out
SHORT_AT_ONCE: Final = 64
"""Requests of one owner that are answered on the loop before everybody else is looked at."""
UNREAD: Final = 65_536  # bytes that somebody who is turned away may have sent already
Write = Callable[[Problem], bytes]
Caller = Callable[[str, str], str]


class Shortcut(Protocol):
    """Answers some requests on the loop itself, quickly and without waiting for anything."""

    def take(self, line: Connection, incoming: Incoming, usual: Callable[[], None]) -> bool:
        """Whether it will answer by ``line.reply``, or call ``usual`` for the application to."""
        ...


log = logging.getLogger(__name__)


def _plain(address: str, _forwarded: str) -> str:
    return address


class Door:
    """One process's share of the service's connections."""

    def __init__(
        self,
        app: "WSGIApplication",
        limits: Limits,
        write: Write,
        *,
        threads: int,
        caller: Caller = _plain,
        count: Callable[[Why], None] | None = None,
        shortcut: Shortcut | None = None,
        note_feeds: Callable[[int], None] | None = None,
    ) -> None:
        """``caller`` says whose connection or request one from an address is, as House has it.

        "" is nobody's, and not counted: a proxy's connections are its clients'. ``count`` is called
        whenever somebody is turned away, ``note_feeds`` with how many feeds are open.
        """
        self.limits = limits
        self.purse = Purse(limits.held_bytes)
        self.crowd = Crowd(count)
        self.stopping = False
        self.write = write
        self._caller = caller
        self._app = app
        self._loop = asyncio.get_running_loop()
        self._threads = Threads(threads, self._loop)
        self._shortcut = shortcut
        self.feeds = Feeds(
            limits,
            self.crowd,
            self._threads.submit,
            partial(tell, self._loop),
            note_feeds,
        )
        self._connections: set[Connection] = set()
        self._peers: Counter[str] = Counter()
        self._short: Counter[str] = Counter()

    async def serve(self, listener: socket.socket, stop: asyncio.Event, grace: float) -> None:
        """Take connections until ``stop``; then finish what has begun, at most for ``grace``."""
        listener.setblocking(False)  # noqa: FBT003 # the function takes no keyword
        accepting = self._loop.create_task(self._accept_all(listener))
        while not stop.is_set():
            self._sweep()
            await _until(stop, SWEEP_SECONDS)
        accepting.cancel()
        self.stopping = True
        self.feeds.end()
        give_up = time.monotonic() + grace
        while self._connections and time.monotonic() < give_up:
            for connection in [*self._connections]:
                connection.retire()
            self._sweep()
            await asyncio.sleep(0.02)

    def owner(self, address: str, forwarded: str = "") -> str:
        """See House."""
        return self._caller(address, forwarded)

    def opened(self, connection: Connection) -> None:
        """See House."""
        self._connections.add(connection)
        if connection.owner:
            self._peers[connection.owner] += 1

    def closed(self, connection: Connection) -> None:
        """See House."""
        self._connections.discard(connection)
        self.feeds.drop(connection)
        self._peers -= Counter([connection.owner])  # forgets whom it has none of

    def answer(self, connection: Connection, incoming: Incoming) -> None:
        """See House."""
        usual = partial(self._in_thread, connection, incoming)
        if not self._takes_shortcut(connection, incoming, usual):
            usual()

    def _takes_shortcut(
        self, connection: Connection, incoming: Incoming, usual: Callable[[], None]
    ) -> bool:
        if self._shortcut is None or not self._is_quick(incoming.owner):
            return False
        try:
            return self._shortcut.take(connection, incoming, usual)
        except Exception:
            log.exception("a shortcut was not taken")
            return False

    def _is_quick(self, owner: str) -> bool:
        """Whether one more of this owner's keeps nobody waiting; else threads take it, in turns."""
        if not self._short:
            self._loop.call_soon(self._short.clear)  # all others have been looked at by then
        self._short[owner] += 1
        return self._short[owner] <= SHORT_AT_ONCE

    def _in_thread(self, connection: Connection, incoming: Incoming) -> None:
        job = partial(self._run, connection, incoming)
        self._threads.submit(job, load=self._load(incoming), whose=incoming.owner)

    def _load(self, incoming: Incoming) -> Load:
        if self.limits.is_long(incoming.path()):
            return "long"
        size = incoming.body.size
        small = size <= HEAVY_BYTES or self.limits.is_small(incoming.limit, size)
        return "" if small else "heavy"

    def _run(self, connection: Connection, incoming: Incoming) -> None:
        """One request, in a thread."""
        try:
            if connection.gone and self.limits.is_long(incoming.path()):
                connection.drop()  # who gave up and asks again would wait for both
            elif not connection.lost or not incoming.problem:
                environ = incoming.environ(connection.peer, connection.here)
                keep = incoming.keep and not self.stopping
                respond(self._app, incoming, environ, connection, keep=keep)
        except Exception:
            log.exception("a request was not answered")
            connection.fail()
        finally:
            if incoming.held:
                tell(self._loop, partial(connection.release, incoming))

    async def _accept_all(self, listener: socket.socket) -> None:
        """Take one connection after the other; the next one may be another process's."""
        while True:
            try:
                sock, peer = await self._loop.sock_accept(listener)
            except ConnectionError:
                continue  # it has gone already
            except OSError as error:  # files or memory have run out: not for long, we hope
                log.warning("no connection can be taken: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if self._has_many(peer[0]):
                self._turn_away(sock, "address_full")
            elif not self._has_room():
                self._turn_away(sock, "connections_full")
            else:
                await self._take(sock, peer)

    async def _take(self, sock: socket.socket, peer: tuple[str, int]) -> None:
        try:
            here = sock.getsockname()[:2]
            make = partial(Connection, self, peer[:2], here)
            await self._loop.connect_accepted_socket(make, sock)
        except OSError as error:
            sock.close()
            log.warning("a connection could not be taken: %s", error)

    def _turn_away(self, sock: socket.socket, why: Why) -> None:
        self.crowd.note(why)
        problem = UnavailableError("too_many_connections", "too many connections of this address")
        with sock:
            sock.setblocking(False)  # noqa: FBT003 # the function takes no keyword
            try:
                sock.send(self.write(problem))
                sock.shutdown(socket.SHUT_WR)
                sock.recv(UNREAD)  # what is not read would break that off
            except OSError:
                return

    def _has_many(self, peer: str) -> bool:
        return self._peers[self._caller(peer, "")] >= self.limits.peer_connections

    def _has_room(self) -> bool:
        """Where all places are taken, who has waited longest with nothing to answer gives way."""
        if len(self._connections) < self.limits.connections:
            return True
        waiting = [connection for connection in self._connections if not connection.busy]
        idle = [connection for connection in waiting if connection.idle] or waiting
        if idle:
            self.crowd.note("connections_full")
            min(idle, key=lambda connection: connection.waits_since).evict()
        return bool(idle)

    def _sweep(self) -> None:
        now = time.monotonic()
        for connection in [*self._connections]:
            connection.sweep(now)
        self.feeds.sweep(now)


async def _until(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


def run(
    make: Callable[[], Door], listener: socket.socket, grace: float, ready: Callable[[], None]
) -> None:
    """Serve in this process until SIGTERM or SIGINT. ``ready`` is called before the first client.

    ``make`` is called with a running loop.
    """

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, stop.set)
        door = make()
        await asyncio.to_thread(ready)
        await door.serve(listener, stop, grace)

    asyncio.run(main())
