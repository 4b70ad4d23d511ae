"""Running a WSGI application in a thread, and writing what it answers as HTTP/1.1."""

import time
from collections.abc import Callable, Iterable, Iterator
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

from invoice_service.front.feeds import Feed
from invoice_service.front.incoming import Incoming

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import WSGIApplication

PIECE: Final = 65_536  # bytes that are handed over at once
CHUNKED_END: Final = b"0\r\n\r\n"
WITHOUT_BODY: Final = ("1", "204", "304")


class Line(Protocol):
    """Where an answer goes. Called from the thread that makes it."""

    @property
    def lost(self) -> bool:
        """Whether nobody is there any more."""

    def send(self, data: bytes, *, last: bool = False, keep: bool = False) -> None:
        """Hand ``data`` over; never waits. After the ``last`` the line is kept, or closed."""

    def hold(self, feed: Feed, framing: "Framing", owner: str) -> None:
        """Answer with a feed, which stays open; the line is its from now on."""


class Started:
    """``start_response``: what the application says before its first byte."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.early: list[bytes] = []

    def __call__(
        self, status: str, headers: list[tuple[str, str]], _error: "OptExcInfo | None" = None, /
    ) -> Callable[[bytes], object]:
        self.status, self.headers = status, headers
        return self.early.append

    def value(self, name: str) -> str | None:
        """One header's value; the name in lower case."""
        return next((value for known, value in self.headers if known.lower() == name), None)


def respond(
    app: "WSGIApplication",
    incoming: Incoming,
    environ: dict[str, object],
    line: Line,
    *,
    keep: bool,
) -> None:
    """Let ``app`` answer and send that; stops asking it for more when nobody is there."""
    started = Started()
    parts = app(environ, started)
    try:
        if isinstance(parts, Feed):
            line.hold(parts, Framing(started, incoming, keep=False), incoming.owner)
        else:
            _send(started, parts, incoming, line, keep=keep)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()


def _send(
    started: Started, parts: Iterable[bytes], incoming: Incoming, line: Line, *, keep: bool
) -> None:
    pieces = _pieces(started, parts)
    first = next(pieces, b"")
    framing = Framing(started, incoming, keep=keep)
    waiting = framing.head() + framing.wrap(first)
    if framing.streams:
        line.send(waiting)
        waiting = b""
    for piece in pieces:
        if line.lost:
            return
        line.send(waiting + framing.wrap(piece))
        waiting = b""
    line.send(waiting + framing.end(), last=True, keep=framing.keep)


def _pieces(started: Started, parts: Iterable[bytes]) -> Iterator[bytes]:
    """The body in pieces: large ones where its length is known, else each as it comes."""
    gathered = bytearray()
    for part in parts:
        gathered += b"".join(started.early) + part
        started.early.clear()
        if gathered and (len(gathered) >= PIECE or started.value("content-length") is None):
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


class Framing:
    """How an answer shows its end: by its length, in chunks, or by closing."""

    def __init__(self, started: Started, incoming: Incoming, *, keep: bool) -> None:
        declared = started.value("content-length")
        code = started.status[:3]
        self._started = started
        self._old = incoming.version != "1.1"
        self._bare = incoming.method == "HEAD" or code.startswith(WITHOUT_BODY)
        self._chunked = not (self._bare or self._old or declared is not None)
        self._left = int(declared) if declared is not None and not self._bare else None
        framed = self._bare or self._chunked or declared is not None
        self.keep = keep and framed
        self.streams = declared is None and not self._bare
        """Whether it goes out as it comes."""

    def head(self) -> bytes:
        headers = self._started.headers
        if self._chunked:
            headers = [*headers, ("Transfer-Encoding", "chunked")]
        dated = self._started.value("date") is not None  # of a file the application has said it
        return _head(self._started.status, headers, old=self._old, keep=self.keep, dated=dated)

    def wrap(self, piece: bytes) -> bytes:
        if self._bare or not piece:
            return b""
        if self._left is not None:
            self._left -= len(piece)
        return b"%x\r\n%b\r\n" % (len(piece), piece) if self._chunked else piece

    def end(self) -> bytes:
        """What stands after the last piece; an answer that is not as long as it said ends all."""
        if self._left:
            self.keep = False
        return CHUNKED_END if self._chunked else b""


def write_whole(
    status: int, headers: list[tuple[str, str]], body: bytes, *, old: bool, keep: bool
) -> bytes:
    """A whole answer with a body, whose ``headers`` say its length; ``old`` is for HTTP/1.0."""
    line = f"{status} {HTTPStatus(status).phrase.upper()}"
    return _head(line, headers, old=old, keep=keep) + body


def _head(
    status: str, headers: list[tuple[str, str]], *, old: bool, keep: bool, dated: bool = False
) -> bytes:
    """The status line and all headers; ``dated`` if they have the Date."""
    lines = [f"HTTP/1.1 {status}"]
    if not dated:
        lines.append(f"Date: {_date(int(time.time()))}")
    lines += [f"{name}: {value}" for name, value in headers]
    if not keep:
        lines.append("Connection: close")
    elif old:
        lines.append("Connection: keep-alive")
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1")


_dates: dict[int, str] = {}


def _date(second: int) -> str:
    """The Date header; written once a second."""
    text = _dates.get(second)
    if text is None:
        text = formatdate(second, usegmt=True)
        _dates.clear()
        _dates[second] = text
    return text


def write_problem(status: str, kind: str, body: bytes) -> bytes:
    """A whole answer that closes the connection, without an application."""
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    return _head(status, headers, old=False, keep=False) + body
