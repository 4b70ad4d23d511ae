"""Single issues at a steady pace, whatever the service does: how long each waits from when due.

One loop in a process of its own sends them: what is due goes out on a connection that is free, and
waits where none is. Its wait is counted from when it was due, so a service that stands still for a
second is seen to; ``late`` is how much of it passed before it was sent.
"""

import asyncio
import multiprocessing
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bench.issuing import CountError
from bench.service import BODY, Site
from bench.timing import Rate, percentile, summary

CONNECTIONS: Final = 64
PATIENCE: Final = 60.0
_SOON: Final = 0.2
"""Seconds until the first is due."""

_CREATED: Final = b"HTTP/1.1 201 "
_HEAD_ENDS: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Paced:
    """How long answers took from when they were due; of that, the 99th percentile until sent."""

    answered: Rate
    late: float


def paced_issues(site: Site, rate: float, seconds: float) -> Paced:
    """Issue ``rate`` a second for ``seconds``; CountError unless each is answered 201."""
    queue: multiprocessing.Queue[_Sent] = multiprocessing.Queue()
    process = multiprocessing.Process(target=_work, args=(site, rate, seconds, queue))
    process.start()
    sent = queue.get(timeout=seconds + 2 * PATIENCE)
    process.join()
    if sent.failure:
        raise CountError(sent.failure)
    return Paced(summary(sent.durations, seconds), percentile(sent.late, 0.99))


@dataclass(frozen=True, slots=True)
class _Sent:
    """What became of all of them, in seconds."""

    durations: list[float]
    late: list[float]
    failure: str = ""


def _work(site: Site, rate: float, seconds: float, queue: "multiprocessing.Queue[_Sent]") -> None:
    try:
        sent = asyncio.run(_send_all(site, rate, max(1, int(rate * seconds))))
    except Exception as error:  # noqa: BLE001 # raised again below, in whoever waits for it
        sent = _Sent([], [], repr(error))
    queue.put(sent)


async def _send_all(site: Site, rate: float, count: int) -> _Sent:
    loop = asyncio.get_running_loop()
    address = urlsplit(site.url)
    sender = _Sender(loop, _requests(site, f"{loop.time():.6f}"), rate, count)
    host, port = address.hostname or "", address.port or 0
    for _ in range(CONNECTIONS):
        await loop.create_connection(
            lambda: _Connection(sender.answered, sender.failed), host, port
        )
    sender.start()
    async with asyncio.timeout(count / rate + PATIENCE):
        return await sender.done


def _requests(site: Site, prefix: str) -> Callable[[int], bytes]:
    """Writes the request of each number; they are all as long."""
    before, after = BODY.encode().split(b"ORDER")
    length = len(before) + len(prefix) + 9 + len(after)
    head = (
        f"POST /v1/invoices HTTP/1.1\r\nHost: {urlsplit(site.url).netloc}\r\n"
        f"Authorization: Bearer {site.merchant_key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    )
    start = head.encode() + before + prefix.encode()
    return lambda number: b"%b-%08d%b" % (start, number, after)


class _Connection(asyncio.Protocol):
    """Sends one request at a time."""

    def __init__(
        self,
        answered: Callable[["_Connection", float], None],
        failed: Callable[[str], None],
    ) -> None:
        self._answered = answered
        self._failed = failed
        self._due = 0.0
        self._found = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say that it is free."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._answered(self, 0.0)

    def send(self, due: float, request: bytes) -> None:
        """Send what was due then."""
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Read on; say so when the answer is whole."""
        self._found += data
        head, ends, body = self._found.partition(_HEAD_ENDS)
        if not ends or len(body) < _length(head):
            return
        if not head.startswith(_CREATED):
            self._failed(f"a sale was answered {self._found[:500]!r}")
        self._found = b""
        self._answered(self, self._due)

    def connection_lost(self, _error: Exception | None) -> None:
        """Nobody should end it but we."""
        self._failed("a connection ended")


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise CountError(f"an answer without a length: {head!r}")


class _Sender:
    """Sends each when it is due, as soon as a connection is free."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        request: Callable[[int], bytes],
        rate: float,
        count: int,
    ) -> None:
        self.done: asyncio.Future[_Sent] = loop.create_future()
        self._loop = loop
        self._request = request
        self._rate = rate
        self._count = count
        self._next = 0
        self._begin = 0.0
        self._free: deque[_Connection] = deque()  # in turns, so that none is idle for long
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._sent = _Sent([], [])

    def start(self) -> None:
        """Begin in a moment."""
        self._begin = self._loop.time() + _SOON
        self._loop.call_at(self._begin, self._tick)

    def failed(self, why: str) -> None:
        """End it, unless it has ended."""
        if not self.done.done():
            self.done.set_exception(CountError(why))

    def answered(self, connection: _Connection, due: float) -> None:
        """Note how long that took; the connection is free."""
        self._free.append(connection)
        if due:
            self._sent.durations.append(self._loop.time() - due)
        if len(self._sent.durations) == self._count and not self.done.done():
            self.done.set_result(self._sent)
        self._send()

    def _tick(self) -> None:
        now = self._loop.time()
        while self._next < self._count and (due := self._due(self._next)) <= now:
            self._waiting.append((due, self._request(self._next)))
            self._next += 1
        self._send()
        if self._next < self._count:
            self._loop.call_at(self._due(self._next), self._tick)

    def _due(self, number: int) -> float:
        return self._begin + number / self._rate

    def _send(self) -> None:
        while self._waiting and self._free:
            due, request = self._waiting.popleft()
            self._sent.late.append(self._loop.time() - due)
            self._free.popleft().send(due, request)
