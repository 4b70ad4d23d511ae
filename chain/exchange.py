"""HTTP as a log needs it: one exchange with one server, over before a moment, nothing believed.

Who asks keeps the ``Connection`` for the next exchange, or closes it. Everything here ends at the
deadline: looking the name up, connecting, TLS, sending, reading.
"""

import http.client
import io
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias, cast
from urllib.parse import urlsplit

from chain.deadline import Deadline, TimedReader
from chain.errors import MalformedError

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where to ask: the parts of ``url``; ``path`` leads to the call."""

    url: str
    tls: bool
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, prefix: str, call: str, code: str) -> Self:
        """Read the prefix of a server's calls; MalformedError ``code`` for what is none."""
        try:
            parts = urlsplit(prefix)
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            raise _bad_url(code) from None
        plain = prefix.isascii() and prefix.isprintable() and " " not in prefix
        extra = parts.query or parts.fragment or parts.username is not None
        if not plain or extra or not port or not parts.hostname or parts.scheme not in _PORTS:
            raise _bad_url(code)
        path = f"{parts.path.rstrip('/')}/{call}"
        return cls(prefix, parts.scheme == "https", parts.hostname, port, path)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; ``body`` is one byte longer than was allowed if there was more."""

    status: int
    media_type: str
    coding: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; redirections are never followed."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None = None


class Connection(http.client.HTTPConnection):
    """A connection whose exchanges each have a deadline."""

    def __init__(self, address: Address, tls: ssl.SSLContext | None, deadline: Deadline) -> None:
        super().__init__(address.host, address.port)
        self.default_port = _PORTS["http"] if tls is None else _PORTS["https"]
        self.address = address
        self.deadline = deadline
        self._tls = tls

    def connect(self) -> None:
        """Connect, and have all reading and writing end at the deadline of the moment."""
        raw = _reach(self.address, self.deadline)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            raw.settimeout(self.deadline.left())
            raw = self._tls.wrap_socket(raw, server_hostname=self.address.host)
        self.sock = cast("socket.socket", _TimedSocket(raw, self))

    def ask(self, question: Question, deadline: Deadline, limit: int) -> "Answered":
        """Ask, and return at most ``limit + 1`` bytes of the answer; errors as ``exchange``."""
        self.deadline = deadline
        usable = False
        try:
            self.request(question.method, question.path, question.body, question.headers)
            with closing(self.getresponse()) as response:
                content = response.read(limit + 1)
                usable = response.isclosed() and not response.will_close
                told = response.headers
                media, coding = told.get("Content-Type", ""), told.get("Content-Encoding", "")
                reply = Reply(response.status, media, coding, content)
                return reply, self if usable else None
        finally:
            if not usable:
                self.close()


Answered: TypeAlias = tuple[Reply, Connection | None]
"""What came back, and the connection if it can be used again; else it is closed."""


def exchange(
    kept: Connection | None,
    fresh: Callable[[], Connection],
    question: Question,
    deadline: Deadline,
    limit: int,
) -> Answered:
    """Ask over the connection that was kept, or over a fresh one where it was closed meanwhile.

    Returns at most ``limit + 1`` bytes of an answer. Raises TimeoutError at the deadline;
    OSError, HTTPException, and ValueError for what is no answer.
    """
    if kept is not None:
        try:
            return kept.ask(question, deadline, limit)
        except (ConnectionError, http.client.BadStatusLine):
            deadline.left()  # once more, if there is time
    return fresh().ask(question, deadline, limit)


class _TimedSocket:
    """The part of a socket that ``http.client`` uses."""

    def __init__(self, raw: socket.socket, connection: Connection) -> None:
        self._raw = raw
        self._connection = connection

    def sendall(self, data: bytes) -> None:
        self._raw.settimeout(self._connection.deadline.left())
        self._raw.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(TimedReader(self._raw, self._connection.deadline))

    def close(self) -> None:
        self._raw.close()


_Place: TypeAlias = tuple[socket.AddressFamily, Any]


def _reach(address: Address, deadline: Deadline) -> socket.socket:
    """Connect to the first of the places behind the name that can be reached."""
    last: OSError | None = None
    for family, place in _NAMES.places(address.host, address.port, deadline):
        raw = socket.socket(family, socket.SOCK_STREAM)
        try:
            raw.settimeout(deadline.left())
            raw.connect(place)
        except TimeoutError:
            raw.close()
            raise
        except OSError as error:
            raw.close()
            last = error
        else:
            return raw
    raise last or OSError("the name has no address")


class _Names:
    """Looks names up, which the system lets take as long as it likes.

    Each name is looked up by a thread of its own, which all share who wait for it: a resolver
    that hangs holds up nobody beyond his deadline, and one thread a name.
    """

    def __init__(self) -> None:
        self.forget_all()
        os.register_at_fork(after_in_child=self.forget_all)  # the threads stay with the parent

    def forget_all(self) -> None:
        """Begin anew."""
        self._lock = threading.Lock()
        self._asked: dict[tuple[str, int], Future[list[_Place]]] = {}

    def places(self, host: str, port: int, deadline: Deadline) -> list[_Place]:
        """The places behind a name; TimeoutError at the deadline, OSError for an unknown name."""
        if _is_number(host):  # there is nobody to ask
            return _look_up(host, port)
        try:
            return self._ask(host, port).result(deadline.left())
        except FutureTimeoutError:
            raise TimeoutError(f"{host} was not found in time") from None

    def _ask(self, host: str, port: int) -> Future[list[_Place]]:
        with self._lock:
            asked = self._asked.get((host, port))
            if asked is None:
                asked = self._asked[host, port] = Future()
                arguments = (host, port, asked)
                threading.Thread(target=self._answer, args=arguments, daemon=True).start()
            return asked

    def _answer(self, host: str, port: int, asked: Future[list[_Place]]) -> None:
        try:
            found = _look_up(host, port)
        except (OSError, UnicodeError) as error:  # a label too long for any name is no OSError
            self._forget(host, port)
            asked.set_exception(OSError(f"{host} is not known: {error}"))
        else:
            self._forget(host, port)
            asked.set_result(found)

    def _forget(self, host: str, port: int) -> None:
        with self._lock:
            del self._asked[host, port]


_NAMES: Final = _Names()


def _look_up(host: str, port: int) -> list[_Place]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, place) for family, _, _, _, place in found]


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _bad_url(code: str) -> MalformedError:
    return MalformedError(code, "such a URL is http or https, a host, perhaps a port and a path")
