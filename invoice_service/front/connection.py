"""One client's connection: requests in, answers out, in order, each within its time.

All of it runs in the loop's thread. Only whole requests go to the application; one that cannot
become whole goes there with its problem, so that the answer is in the words of its address.
"""

import asyncio
import socket
import time
from collections import deque
from functools import partial
from math import inf
from typing import Final, Protocol, cast

import httptools

from chain.errors import MalformedError, Problem, UnavailableError
from invoice_service.front.answer import Framing, write_whole
from invoice_service.front.crowd import Crowd
from invoice_service.front.feeds import Feed, Feeds
from invoice_service.front.incoming import Incoming, check_head, head_too_large, too_large
from invoice_service.front.limits import Limits, Purse
from invoice_service.front.outbox import Outbox
from invoice_service.front.threads import tell

PIECE: Final = 65_536
PIPELINE: Final = 32  # requests that wait on one connection; what comes behind is not read
DRAIN_BYTES: Final = 67_108_864  # read away after a refusal, so that its answer can be taken
DRAIN_SECONDS: Final = 15.0
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
FEED_BYTES: Final = 65_536  # that the kernel keeps for the client of a feed
FEED_DEAD_MS: Final = 60_000  # after which a client that acknowledges nothing has gone
CHUNK_ROOM: Final = 65_536  # bytes of sizes, extensions and trailers that any body may have


class _Enough(Exception):  # noqa: N818 # nothing is wrong: the parser can be stopped in no other way
    """What comes behind is not to be parsed."""


class House(Protocol):
    """What a connection belongs to."""

    limits: Limits
    purse: Purse
    crowd: Crowd
    feeds: Feeds
    stopping: bool

    def owner(self, address: str, forwarded: str = "") -> str:
        """Whose connections, or requests, those from an address are; "" for nobody's.

        ``forwarded`` is a request's X-Forwarded-For; a proxy's connections are nobody's.
        """

    def opened(self, connection: "Connection") -> None:
        """It has begun."""

    def closed(self, connection: "Connection") -> None:
        """It has ended."""

    def answer(self, connection: "Connection", incoming: Incoming) -> None:
        """Have the application answer in a thread."""

    def write(self, problem: Problem) -> bytes:
        """The answer to what is no request."""


class Connection(asyncio.Protocol):
    """Reads and writes; ``lost`` once the client has gone."""

    def __init__(self, house: House, peer: tuple[str, int], here: tuple[str, int]) -> None:
        self.peer, self.here = peer, here
        self.owner = house.owner(peer[0])
        """Whose it is, for what each may have: "" for nobody's."""
        self.lost = False
        self.busy = False
        """Whether a request is being answered."""
        self.waits_since = time.monotonic()
        self._house = house
        self._limits = house.limits
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._incoming: Incoming | None = None
        self._whole: deque[Incoming] = deque()
        self._current: Incoming | None = None  # that is being answered
        self._outbox = Outbox()
        self._deaf = False  # nothing more is understood
        self._ended = False  # the client has said that it sends no more
        self._refused = False  # there may be something on its way to us
        self._closing = False  # once everything is written
        self._said = False  # part of the answer has gone
        self._framing: Framing | None = None  # of a feed that is open
        self._paused = False
        self._raw = 0
        self._drained = 0
        self._read_until = inf
        self._write_until = inf

    @property
    def idle(self) -> bool:
        """Whether nothing is under way: no request that is answered, and none whose head came."""
        return not self.busy and (self._incoming is None or not self._incoming.head_done)

    # -- what the transport says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)
        self._patience(self._limits.head_seconds)
        self._house.opened(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        self.lost = self._deaf = True
        self._read_until = self._write_until = inf
        for incoming in [*self._whole, *([self._incoming] if self._incoming else [])]:
            self.release(incoming)
        self._whole.clear()
        self._incoming = None
        self._house.purse.give(self._outbox.clear(), self.owner)
        self._house.closed(self)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            self._drain(len(data))
            return
        while data and not self._deaf:
            self._raw += len(data)
            data = self._parse(data)
        self._bound_overhead()

    def _parse(self, data: bytes) -> bytes:
        """Let the parser have it; what is to be parsed after that is returned."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return self._without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, _Enough):
                raise  # a fault of ours
        except httptools.HttpParserError as error:
            self._refuse(MalformedError("bad_request", f"not HTTP/1.1: {error}"))
        return b""

    def eof_received(self) -> bool:
        """The client sends no more; it may still read."""
        self._ended = True
        if self._incoming is not None:
            self._refuse(MalformedError("request_incomplete", "the connection's input ended early"))
        self._deaf = True
        # Of a feed's client nothing else can be told: it has gone.
        return (self.busy and self._framing is None) or self._paused

    def pause_writing(self) -> None:
        self._paused = True
        self._write_until = time.monotonic() + self._limits.answer_seconds

    def resume_writing(self) -> None:
        self._paused, self._write_until = False, inf
        while not self._paused and (piece := self._outbox.take(PIECE)):
            self._transport.write(piece)
        if self._outbox.exhausted():
            self._house.purse.give(self._outbox.clear(), self.owner)
            if self._closing and not self._paused:
                self._close()

    # -- what the parser says

    def on_message_begin(self) -> None:
        if not self._deaf:
            self._incoming = Incoming()
            self._raw = 0
            self._patience(self._limits.head_seconds)

    def on_url(self, url: bytes) -> None:
        if self._incoming is not None:
            self._incoming.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        incoming = self._incoming
        if incoming is not None and not incoming.head_done:  # else it is a trailer
            incoming.add_header(name, value)
            problem = head_too_large(incoming, self._limits.head_bytes)
            if problem is not None:
                self._refuse(problem)
                raise _Enough

    def on_headers_complete(self) -> None:
        incoming = self._incoming
        if incoming is None:
            return
        incoming.head_done = True
        incoming.method = self._parser.get_method().decode("ascii")
        incoming.version = self._parser.get_http_version()
        incoming.owner = self.owner or self._sender(incoming)
        incoming.limit = self._limits.body_of(incoming.path().decode("latin-1"))
        problem = check_head(incoming)
        if problem is None and not self._hold_more(incoming, incoming.head_bytes, small=True):
            problem = _too_busy()
        if problem is not None:
            self._refuse(problem)
        elif not self._parser.should_upgrade():  # else it is read once more
            self._patience(self._limits.body_seconds)
            self._let_go_on()

    def _let_go_on(self) -> None:
        """Tell a client that asks before it sends a body; behind others, once it is its turn."""
        incoming = self._incoming
        if self.busy or self._whole or incoming is None or not incoming.head_done:
            return
        if incoming.awaits_continue():
            self._put(CONTINUE)

    def on_body(self, body: bytes) -> None:
        incoming = self._incoming
        if incoming is None:
            return
        size = incoming.body.size + len(body)
        small = self._limits.is_small(incoming.limit, size)
        if size > incoming.limit:
            self._refuse(too_large(incoming.limit))
        elif not self._hold_more(incoming, len(body), small=small):
            self._refuse(_too_busy())
        elif not incoming.body.add(body):
            self._house.crowd.note("bodies_full")
            self._refuse(UnavailableError("disk_full", "there is no space left to keep the body"))
        else:
            # What came fast earns no long silence: nobody is quiet for longer than at the start.
            earned = self._read_until + len(body) / self._limits.slowest
            self._read_until = min(earned, time.monotonic() + self._limits.body_seconds)

    def _hold_more(self, incoming: Incoming, size: int, *, small: bool) -> bool:
        """Whether there is room for so many more bytes of it."""
        if not self._house.purse.take(size, incoming.owner, small=small):
            self._house.crowd.note("bodies_full")
            return False
        incoming.held += size
        return True

    def _sender(self, incoming: Incoming) -> str:
        """Whose request it is that a proxy hands on."""
        forwarded = b",".join(incoming.values(b"x-forwarded-for")).decode("latin-1")
        return self._house.owner(self.peer[0], forwarded)

    def on_message_complete(self) -> None:
        incoming = self._incoming
        if incoming is None or self._parser.should_upgrade():
            return
        many = len(self._whole) >= PIPELINE
        self._refused = self._refused or many
        incoming.keep = self._parser.should_keep_alive() and not many
        self._deaf = not incoming.keep
        self._take()

    # -- from one to the next

    def _take(self) -> None:
        """The request that was being read is all there, or will never be."""
        if self._incoming is not None:
            self._whole.append(self._incoming)
        self._incoming = None
        self._read_until = inf
        self._next()

    def _next(self) -> None:
        if self.busy or not self._whole:
            self._let_go_on()
            return
        incoming = self._whole.popleft()
        self.busy, self._said, self._current = True, False, incoming
        if incoming.head_done:
            self._house.answer(self, incoming)
        else:
            self.receive(self._house.write(incoming.problem or _nothing()), last=True)

    def _refuse(self, problem: Problem) -> None:
        """Answer what was being read with ``problem``, and understand nothing that follows."""
        if self._deaf:
            return
        self._deaf = self._refused = True
        incoming = self._incoming = self._incoming or Incoming()
        self.release(incoming)
        incoming.problem, incoming.keep = problem, False
        self._take()

    def _without_upgrade(self, rest: bytes) -> bytes:
        """We speak nothing but HTTP/1.1: the same head is read again without ``Upgrade``."""
        incoming, self._incoming = self._incoming, None
        self._parser = httptools.HttpRequestParser(self)
        if incoming is None or self._deaf:
            return b""
        self.release(incoming)
        lines = [b"%b %b HTTP/1.1" % (incoming.method.encode(), incoming.target)]
        lines += [b"%b: %b" % line for line in incoming.headers if line[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"\r\n"]) + rest

    def _bound_overhead(self) -> None:
        """A head, or what stands around a body's bytes, has an end."""
        incoming = self._incoming
        if incoming is None:
            return
        if not incoming.head_done and self._raw > self._limits.head_bytes + PIECE:
            self._refuse(MalformedError("head_too_large", "the head has no end"))
        elif incoming.head_done and self._raw > CHUNK_ROOM + 16 * incoming.body.size + (1 << 18):
            self._refuse(MalformedError("bad_request", "the body's framing is larger than it"))

    # -- answers

    def send(self, data: bytes, *, last: bool = False, keep: bool = False) -> None:
        """As ``receive``, from another thread."""
        tell(self._loop, partial(self.receive, data, last=last, keep=keep))

    @property
    def gone(self) -> bool:
        """Whether the client says no more; a browser that still waits does not say so."""
        return self.lost or self._ended

    def drop(self) -> None:
        """Nobody waits for the answer; from another thread."""
        tell(self._loop, self._transport.abort)

    def fail(self) -> None:
        """The application broke down; from another thread."""
        tell(self._loop, self._break_off)

    def receive(self, data: bytes, *, last: bool = False, keep: bool = False) -> None:
        """A part of the current request's answer."""
        if self.lost:
            return
        self._said = True
        if last and self._current is not None:
            # First: whoever has the answer may count on the room that its request took.
            self.release(self._current)
            self._current = None
        self._put(data)
        if last:
            self._answered(keep=keep and not self._house.stopping)

    def reply(
        self, status: int, headers: list[tuple[str, str]], body: bytes, incoming: Incoming
    ) -> None:
        """The whole answer to the current request, from the loop's thread."""
        self.release(incoming)
        if not self.lost:
            keep = incoming.keep and not self._house.stopping
            old = incoming.version != "1.1"
            data = write_whole(status, headers, body, old=old, keep=keep)
            self.receive(data, last=True, keep=keep)

    def hold(self, feed: Feed, framing: Framing, owner: str) -> None:
        """Answer with a feed; from another thread."""
        tell(self._loop, partial(self._hold, feed, framing, owner))

    def _hold(self, feed: Feed, framing: Framing, owner: str) -> None:
        if self.lost or self._ended:
            self._transport.abort()
            return
        problem = self._house.feeds.refuses(owner)
        if problem is not None:
            self.receive(self._house.write(problem), last=True)
            return
        self._framing, self._said = framing, True
        self._notice_the_dead()
        self._house.feeds.add(self, feed, owner)
        self._put(framing.head() + framing.wrap(feed.beginning))

    @property
    def behind(self) -> bool:
        """Whether the client has not taken what it was sent."""
        return self._paused

    def feed(self, data: bytes) -> None:
        """More of a feed."""
        if self._framing is not None and not self.lost:
            self._put(self._framing.wrap(data))

    def end_feed(self, data: bytes) -> None:
        """The last of a feed."""
        framing, self._framing = self._framing, None
        if framing is not None:
            self.receive(framing.wrap(data) + framing.end(), last=True)

    def _notice_the_dead(self) -> None:
        """Have the kernel give up a client that takes nothing, and hold little for a slow one."""
        sock: socket.socket | None = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, FEED_BYTES)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, FEED_DEAD_MS)

    def release(self, incoming: Incoming) -> None:
        """Its body is needed no longer."""
        incoming.body.close()
        self._house.purse.give(incoming.held, incoming.owner)
        incoming.held = 0

    def _put(self, data: bytes) -> None:
        if not self._paused:
            self._transport.write(data)
        elif not self._keep(data):
            self._house.crowd.note("answers_full")
            self._transport.abort()

    def _keep(self, data: bytes) -> bool:
        """Whether there is room for what the client does not take now."""
        if not self._house.purse.take(len(data), self.owner, small=False):
            return False
        kept = self._outbox.put(data)
        if not kept:
            self._house.purse.give(len(data), self.owner)
        return kept

    def _break_off(self) -> None:
        if self._said or self.lost:
            self._transport.abort()
        else:
            self.receive(self._house.write(Problem("internal_error", "")), last=True)

    def _answered(self, *, keep: bool) -> None:
        self.busy = False
        self.waits_since = time.monotonic()
        if not keep or (self._deaf and not self._whole):
            self._closing = self._deaf = True
            if not self._paused:
                self._close()
            return
        if self._incoming is None:
            self._patience(self._limits.idle_seconds)
        self._next()

    def _close(self) -> None:
        """All is written. What may be on its way to us is read first, or it would break that."""
        if self._ended or not self._refused:
            self._transport.close()
        elif self._transport.can_write_eof():
            self._transport.write_eof()
            self._patience(DRAIN_SECONDS)

    def _drain(self, size: int) -> None:
        self._drained += size
        if self._drained > DRAIN_BYTES:
            self._transport.abort()

    # -- time

    def sweep(self, now: float) -> None:
        """End what has taken too long."""
        if now > self._write_until:
            self._transport.abort()
        elif now > self._read_until:
            self._late()

    def retire(self) -> None:
        """The server stops: close unless a request is being read or answered."""
        if not self.busy and self._incoming is None and not self._paused:
            self._transport.close()

    def evict(self) -> None:
        """Make room for others."""
        self._transport.abort()

    def _late(self) -> None:
        self._read_until = inf
        if self._incoming is not None:
            self._refuse(MalformedError("request_timeout", "the request did not arrive in time"))
        elif self._closing:
            self._transport.abort()
        elif not self.busy:
            self._transport.close()

    def _patience(self, seconds: float) -> None:
        self._read_until = time.monotonic() + seconds


def _too_busy() -> Problem:
    return UnavailableError("too_busy", "too many large requests are on their way")


def _nothing() -> Problem:
    return MalformedError("bad_request", "this is no request")
