"""HTTP as a log needs it to ask witnesses: one POST, over before a moment, answers cut to size."""

import http.client
import io
import os
import socket
import ssl
import threading
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Self, cast
from urllib.parse import urlsplit

from chain.deadline import Deadline, TimedReader
from chain.errors import MalformedError, UnavailableError

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where to post to: the parts of ``url``."""

    url: str
    tls: bool
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, prefix: str, call: str) -> Self:
        """Read a witness's submission prefix; MalformedError ``witness_url``."""
        try:
            parts = urlsplit(prefix)
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            raise _bad_url() from None
        plain = prefix.isascii() and prefix.isprintable() and " " not in prefix
        extra = parts.query or parts.fragment or parts.username is not None
        if not plain or extra or not port or not parts.hostname or parts.scheme not in _PORTS:
            raise _bad_url()
        path = f"{parts.path.rstrip('/')}/{call}"
        return cls(prefix, parts.scheme == "https", parts.hostname, port, path)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; ``body`` is one byte longer than was allowed if there was more."""

    status: int
    media_type: str
    body: bytes


class Poster:
    """Posts, and keeps connections for the next time. Safe for threads and after a fork."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """Trust the machine's certificate authorities, or what ``tls`` says."""
        self._tls = tls
        self._lock = threading.Lock()
        self._idle: dict[Address, list[Connection]] = {}
        self._process = os.getpid()

    def close(self) -> None:
        """Close the connections that wait for a next time."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for connection in (one for waiting in idle.values() for one in waiting):
            connection.close()

    def post(self, address: Address, body: bytes, deadline: Deadline, limit: int) -> Reply:
        """Send ``body``, and return what is answered, at most ``limit + 1`` bytes of it.

        Redirections are not followed. Raises UnavailableError: ``witness_slow`` at the deadline,
        ``witness_unreachable``.
        """
        try:
            kept = self._take(address)
            if kept is not None:
                try:
                    return self._talk(kept, body, deadline, limit)
                except (ConnectionError, http.client.BadStatusLine):
                    deadline.left()  # it was closed meanwhile: once more, if there is time
            tls = self._context() if address.tls else None
            return self._talk(Connection(address, tls, deadline), body, deadline, limit)
        except TimeoutError:
            raise UnavailableError("witness_slow", "it has not answered in time") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise UnavailableError("witness_unreachable", f"no answer: {reason}") from error

    def _talk(self, connection: "Connection", body: bytes, deadline: Deadline, limit: int) -> Reply:
        connection.deadline = deadline
        usable = False
        try:
            headers = {"Content-Type": "text/plain; charset=utf-8"}
            connection.request("POST", connection.address.path, body, headers)
            with closing(connection.getresponse()) as response:
                content = response.read(limit + 1)
                usable = response.isclosed() and not response.will_close
                return Reply(response.status, response.headers.get("Content-Type", ""), content)
        finally:
            if usable:
                self._keep(connection)
            else:
                connection.close()

    def _take(self, address: Address) -> "Connection | None":
        with self._lock:
            if self._process != os.getpid():  # a fork must not share its parent's connections
                self._process, self._idle = os.getpid(), {}
            waiting = self._idle.get(address)
            return waiting.pop() if waiting else None

    def _keep(self, connection: "Connection") -> None:
        with self._lock:
            self._idle.setdefault(connection.address, []).append(connection)

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = ssl.create_default_context()
            return self._tls


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
        place = (self.address.host, self.address.port)
        raw = socket.create_connection(place, self.deadline.left())
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            raw = self._tls.wrap_socket(raw, server_hostname=self.address.host)
        self.sock = cast("socket.socket", _TimedSocket(raw, self))


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


def _bad_url() -> MalformedError:
    return MalformedError(
        "witness_url", "a witness's URL is http or https, a host, perhaps a port and a path"
    )
