"""The server over a small application, in a thread; and clients that speak in raw bytes."""

import asyncio
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from chain.errors import Problem
from invoice_service.front.answer import write_problem
from invoice_service.front.crowd import Why
from invoice_service.front.door import Caller, Door, Shortcut
from invoice_service.front.limits import Limits
from invoice_service.processes.listening import listen
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Place = tuple[str, int]
LIMITS = Limits()
HOLDS = Limits(held_bytes=100_000, body_bytes=30_000, large={"/list": 90_000})


def nobody(_address: str, _forwarded: str) -> str:
    """As of a proxy's connections."""
    return ""


def by_address(address: str, _forwarded: str) -> str:
    """As where there is no proxy."""
    return address


def by_forwarded(_address: str, forwarded: str) -> str:
    """As behind a proxy."""
    return forwarded


class Acts:
    """An application that notes what it is asked, and answers with the size of the body.

    ``hold`` is waited for before each answer; a problem is answered by its code.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.refused: list[str] = []
        self.environs: list[WSGIEnvironment] = []
        self.hold = threading.Event()
        self.hold.set()

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> list[bytes]:
        problem = cast("Problem | None", environ["fapiao.problem"])
        self.environs.append(environ)
        if problem is not None:
            self.refused.append(problem.code)
            start("400 Bad Request", [("Content-Length", str(len(problem.code)))])
            return [problem.code.encode()]
        self.seen.append(environ["PATH_INFO"])
        body = cast("IO[bytes]", environ["wsgi.input"]).read()
        self.hold.wait(PATIENCE)
        answer = f"{environ['PATH_INFO']} {len(body)}".encode()
        start("200 OK", [("Content-Length", str(len(answer)))])
        return [answer]


@contextmanager
def stage(
    app: "WSGIApplication",
    limits: Limits = LIMITS,
    threads: int = 4,
    caller: Caller = lambda address, _forwarded: address,
    count: Callable[[Why], None] | None = None,
    shortcut: Callable[[asyncio.AbstractEventLoop], Shortcut] | None = None,
) -> Iterator[Place]:
    """Where the server listens; it is stopped at the end. ``shortcut`` is made for its loop."""
    listener = listen("127.0.0.1", 0)
    begun = threading.Event()
    stops: list[Callable[[], object]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        stops.append(lambda: loop.call_soon_threadsafe(stop.set))
        door = Door(
            app,
            limits,
            _write,
            threads=threads,
            caller=caller,
            count=count,
            shortcut=shortcut(loop) if shortcut else None,
        )
        begun.set()
        await door.serve(listener, stop, 1.0)

    server = threading.Thread(target=asyncio.run, args=(serve(),))
    server.start()
    begun.wait(PATIENCE)
    try:
        yield listener.getsockname()[:2]
    finally:
        stops[0]()
        server.join(PATIENCE)
        listener.close()
    assert not server.is_alive()


def _write(problem: Problem) -> bytes:
    return write_problem("400 Bad Request", "text/plain", problem.code.encode())


class Client:
    """A connection, byte by byte."""

    def __init__(self, place: Place, source: str = "") -> None:
        local = (source, 0) if source else None
        self.line = socket.create_connection(place, timeout=PATIENCE, source_address=local)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.line.close()

    def say(self, *parts: bytes) -> "Client":
        """Send these bytes."""
        self.line.sendall(b"".join(parts))
        return self

    def half_close(self) -> "Client":
        """Say that no more comes."""
        self.line.shutdown(socket.SHUT_WR)
        return self

    def reset(self) -> None:
        """Break the connection off."""
        self.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.line.close()

    def rest(self) -> bytes:
        """All that comes until the server closes; b"" too when it breaks off."""
        answer = bytearray()  # bytes would be copied for each part that comes
        with suppress(ConnectionError):
            while data := self.line.recv(65536):
                answer += data
        return bytes(answer)

    def answer(self) -> bytes:
        """One answer with a length."""
        head = b""
        while b"\r\n\r\n" not in head:
            data = self.line.recv(1)
            assert data, f"the connection ended after {head!r}"
            head += data
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = b""
        while len(body) < length:
            body += self.line.recv(length - len(body))
        return head + body

    def is_open(self, seconds: float) -> bool:
        """Whether the server still has it open after a while of silence."""
        self.line.settimeout(seconds)
        try:
            return self.line.recv(1) != b""
        except TimeoutError:
            return True
        finally:
            self.line.settimeout(PATIENCE)


def full_disk(*_: object) -> IO[bytes]:
    """A file where there is no room."""
    return Path("/dev/full").open("r+b")


def get(path: str = "/", *more: bytes) -> bytes:
    """A request without a body."""
    return b"\r\n".join([f"GET {path} HTTP/1.1".encode(), b"Host: x", *more, b"", b""])


def post(body: bytes, path: str = "/", *more: bytes, length: int | None = None) -> bytes:
    """A request with a body, framed by length."""
    size = len(body) if length is None else length
    lines = [f"POST {path} HTTP/1.1".encode(), b"Host: x", b"Content-Length: %d" % size, *more]
    return b"\r\n".join([*lines, b"", body])


def chunked(*chunks: bytes, path: str = "/", end: bytes = b"0\r\n\r\n") -> bytes:
    """A request with a body, framed in chunks."""
    head = [f"POST {path} HTTP/1.1".encode(), b"Host: x", b"Transfer-Encoding: chunked", b"", b""]
    return b"\r\n".join(head) + b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in chunks) + end


def status(answer: bytes) -> int:
    """The status of the first answer."""
    return int(answer.split(b" ", 2)[1])


def body_of(answer: bytes) -> bytes:
    """What follows the first head."""
    return answer.partition(b"\r\n\r\n")[2]


def json_of(answer: bytes) -> dict[str, object]:
    """The same, as JSON."""
    found: dict[str, object] = json.loads(body_of(answer))
    return found


def soon(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold, in the end."""
    give_up = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < give_up:
        time.sleep(0.01)
    return holds()


def is_full(place: Place, more: int, *headers: bytes, path: str = "/list") -> bool:
    """Whether a body of so many bytes finds no room now."""
    with Client(place) as client:
        return body_of(client.say(post(b"x" * more, path, *headers)).answer()) == b"too_busy"
