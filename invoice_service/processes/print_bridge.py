"""From a page to a printer in the same shop: a small server on this machine, for one printer.

A browser opens no socket, and most receipt printers listen on TCP port 9100. Whoever reaches this
server could print, so it listens on this machine alone, serves only pages of the origins that it
was started for, and sends to the one address that it was started with: a page chooses nothing.
"""

import ipaddress
import re
import socket
import threading
from collections.abc import Collection
from contextlib import suppress
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Final, NamedTuple, cast

import msgspec

from chain.deadline import Deadline
from chain.errors import MalformedError, NotFoundError, Problem, RefusedError, UnavailableError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATH: Final = "/print"
PORT: Final = 9100
MAX_BYTES: Final = 1 << 20
"""Of a job; a slip of 2,000 lines has a fifth of it."""
SECONDS: Final = 30.0
"""For a job: a printer that is full of paper still takes it in as slowly as it prints."""
SETTLE_SECONDS: Final = 1.0
"""After the last byte, for a printer to say that it broke off; most say nothing."""

_AHEAD: Final = 4096
"""Bytes that may wait here for the printer: what it has not taken is not called printed."""
_OCTETS: Final = "application/octet-stream"
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_ORIGIN: Final = re.compile(
    r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?|https?://\[[0-9a-f:]+\](?::\d+)?"
)
_STATUS: Final = {
    MalformedError: HTTPStatus.BAD_REQUEST,
    NotFoundError: HTTPStatus.NOT_FOUND,
    RefusedError: HTTPStatus.FORBIDDEN,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
_BY_CODE: Final = {
    "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "printer_slow": HTTPStatus.GATEWAY_TIMEOUT,
    "printer_broke_off": HTTPStatus.BAD_GATEWAY,
    "request_timeout": HTTPStatus.REQUEST_TIMEOUT,
    "unsupported_media_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}


class Place(NamedTuple):
    """Where a printer listens."""

    host: str
    port: int


def parse_place(text: str) -> Place:
    """``192.168.1.50``, ``192.168.1.50:9100``, ``[fd00::7]:9100``: no name, whose look-up may hang.

    Raises MalformedError ``printer_address``.
    """
    match = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::(\d{1,5}))?|([^:]+)(?::(\d{1,5}))?", text)
    host = (match[1] or match[3]) if match else ""
    port = int((match[2] or match[4] or PORT) if match else 0)
    with suppress(ValueError):
        if 0 < port < 1 << 16:
            return Place(str(ipaddress.ip_address(host)), port)
    raise MalformedError(
        "printer_address", f"{text!r} is not like 192.168.1.50 or 192.168.1.50:9100"
    )


def parse_origin(text: str) -> str:
    """A page's origin as browsers send it; MalformedError ``origin_malformed``."""
    origin = text.rstrip("/").lower()
    if not _ORIGIN.fullmatch(origin):
        raise MalformedError("origin_malformed", f"{text!r} is not like https://fapiao.example.cn")
    return origin


class NetworkPrinter:
    """One printer on the network; one job at a time."""

    def __init__(
        self, place: Place, seconds: float = SECONDS, settle: float = SETTLE_SECONDS
    ) -> None:
        self.place = place
        self._seconds = seconds
        self._settle = settle
        self._turn = threading.Lock()

    def send(self, job: bytes) -> None:
        """Send a job; returns once the printer has all of it.

        Raises UnavailableError: printer_busy, printer_away, printer_slow, printer_broke_off.
        """
        deadline = Deadline(self._seconds)
        if not self._turn.acquire(timeout=self._seconds):
            raise UnavailableError("printer_busy", "another slip is being printed; try again")
        try:
            with self._reach(deadline) as line:
                self._hand_over(line, job, deadline)
        finally:
            self._turn.release()

    def _reach(self, deadline: Deadline) -> socket.socket:
        try:
            return socket.create_connection(self.place, deadline.left())
        except OSError as error:
            raise UnavailableError(
                "printer_away",
                f"nothing answers at {self.place.host}:{self.place.port} ({error}): is the printer"
                " on, and on this network?",
            ) from None

    def _hand_over(self, line: socket.socket, job: bytes, deadline: Deadline) -> None:
        try:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _AHEAD)
            line.settimeout(deadline.left())
            line.sendall(job)
            line.shutdown(socket.SHUT_WR)
        except TimeoutError:
            raise UnavailableError(
                "printer_slow", f"not taken within {self._seconds:g} seconds: paper, lid, queue?"
            ) from None
        except OSError as error:
            raise _broken(error) from None
        self._listen(line)

    def _listen(self, line: socket.socket) -> None:
        """Hear the printer out: what it says means nothing here, that it breaks off does.

        Some tell of their state for as long as one listens.
        """
        deadline = Deadline(self._settle)
        try:
            heard = b"."
            while heard:
                line.settimeout(deadline.left())
                heard = line.recv(4096)
        except TimeoutError:
            return
        except OSError as error:
            raise _broken(error) from None


def _broken(error: OSError) -> UnavailableError:
    return UnavailableError(
        "printer_broke_off", f"the printer broke off ({error}): look at what is on the paper"
    )


class Bridge:
    """The WSGI application between pages and the printer."""

    def __init__(self, printer: NetworkPrinter, origins: Collection[str]) -> None:
        self._printer = printer
        self._origins = frozenset(origins)

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> list[bytes]:
        """Answer one request; a page that we do not serve learns only that."""
        origin = environ.get("HTTP_ORIGIN", "")
        allowed = origin in self._origins
        headers = _shared(origin) if allowed else []
        try:
            if not allowed:
                raise RefusedError("origin_not_allowed", "this bridge serves other pages")
            if not _is_here(environ.get("HTTP_HOST", "")):  # a name that leads here is not ours
                raise RefusedError("host_invalid", "ask for 127.0.0.1")
            status, body = self._answer(environ, headers)
        except Problem as problem:
            status = _BY_CODE.get(problem.code) or _STATUS[type(problem)]
            body = msgspec.json.encode({"code": problem.code, "detail": problem.detail})
        if status is not HTTPStatus.NO_CONTENT:
            headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start(f"{status.value} {status.phrase}", headers)
        return [body]

    def _answer(
        self, environ: "WSGIEnvironment", headers: list[tuple[str, str]]
    ) -> tuple[HTTPStatus, bytes]:
        refused = cast("Problem | None", environ.get("fapiao.problem"))
        if refused is not None:
            raise refused
        if environ["PATH_INFO"] != PATH:
            raise NotFoundError("no_such_address", f"slips go to POST {PATH}")
        if environ["REQUEST_METHOD"] == "OPTIONS":
            headers += _preflight(environ)
            return HTTPStatus.NO_CONTENT, b""
        if environ["REQUEST_METHOD"] != "POST":
            headers.append(("Allow", "OPTIONS, POST"))
            raise MalformedError("method_not_allowed", f"slips go to POST {PATH}")
        if environ.get("CONTENT_TYPE") != _OCTETS:  # which no page sends without asking first
            raise MalformedError("unsupported_media_type", f"send {_OCTETS}")
        job = cast("IO[bytes]", environ["wsgi.input"]).read()
        if not job:
            raise MalformedError("empty_body", "there is nothing to print")
        self._printer.send(job)
        return HTTPStatus.OK, msgspec.json.encode({"sent": len(job)})


def _is_here(host: str) -> bool:
    return re.sub(r":[0-9]+\Z", "", host) in _LOCAL


def _shared(origin: str) -> list[tuple[str, str]]:
    return [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]


def _preflight(environ: "WSGIEnvironment") -> list[tuple[str, str]]:
    """What a browser asks before it lets a page post here."""
    told = [
        ("Access-Control-Allow-Methods", "POST"),
        ("Access-Control-Allow-Headers", "Content-Type"),
        ("Access-Control-Max-Age", "600"),
    ]
    if environ.get("HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK") == "true":
        told.append(("Access-Control-Allow-Private-Network", "true"))
    return told
