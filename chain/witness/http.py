"""A witness over HTTP: bodies with an end, requests with a deadline, a line for each refusal."""

import contextlib
import io
import json
import re
import socket
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Final

from chain.deadline import Deadline, TimedReader
from chain.entry import format_time
from chain.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    Problem,
    RefusedError,
    UnavailableError,
    VerificationError,
)
from chain.witness.judge import MAX_REQUEST_BYTES, Clock, Witness
from chain.witness.places import Places

PATH: Final = "/add-checkpoint"
SIZE_TYPE: Final = "text/x.tlog.size"

REQUEST_SECONDS: Final = 10.0
"""For a whole request to come in, the wait for the next one on the connection included."""

MAX_CONNECTIONS: Final = 128

QUIET_SECONDS: Final = 60.0
"""Between two lines that say the same of whoever comes: anybody can make as many as he likes."""

LINES: Final = 600
"""Of refusals in such a time, each with what was refused; beyond, of each code one such line."""

_STATUS: Final = {
    MalformedError: HTTPStatus.BAD_REQUEST,
    NotFoundError: HTTPStatus.NOT_FOUND,
    RefusedError: HTTPStatus.FORBIDDEN,
    ConflictError: HTTPStatus.CONFLICT,
    VerificationError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
_TEXT: Final = "text/plain; charset=utf-8"
_LATEST: Final = re.compile(r"/([0-9a-f]{64})/checkpoint")
_PATIENCE: Final = 8 * MAX_REQUEST_BYTES
"""Of a body that is too long, so much is read, so that its sender gets to read the answer."""

_FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class WitnessServer(ThreadingTCPServer):
    """Answers ``POST /add-checkpoint`` for a witness, a thread for each connection."""

    allow_reuse_address = True
    daemon_threads = True  # one that is cut off at the end has answered nobody
    request_queue_size = MAX_CONNECTIONS

    def __init__(
        self,
        address: tuple[str, int],
        witness: Witness,
        clock: Clock,
        *,
        request_seconds: float = REQUEST_SECONDS,
        connections: int = MAX_CONNECTIONS,
    ) -> None:
        """Listen at ``address``; port 0 takes a free one.

        Calls are answered at the root, and below the path in the witness's name, if it has one.
        """
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.witness = witness
        self.prefix = "/" + path if (path := witness.name.partition("/")[2]) else ""
        self.request_seconds = request_seconds
        self._clock = clock
        self.places = Places(connections)
        self._telling = threading.Lock()
        self._told: dict[str, float] = {}
        self._untold: Counter[str] = Counter()
        self._lines, self._lines_since = 0, -QUIET_SECONDS
        super().__init__(address, _Handler)

    @property
    def url(self) -> str:
        """The submission prefix at which this server listens."""
        host, port = self.server_address[:2]
        name = str(host)
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    def refused(self, status: int, code: str, detail: str, **more: str | int) -> None:
        """Write the one line that says what was refused, and why."""
        at = format_time(datetime.fromtimestamp(self._clock(), UTC))
        line = {"at": at, "status": status, "code": code, "detail": detail, **more}
        sys.stderr.write(json.dumps(line) + "\n")  # in ASCII: nobody writes our lines for us
        sys.stderr.flush()

    def tell(self, status: int, code: str, detail: str, *, client: str, **more: str | int) -> None:
        """Write down a refusal; of more than can be read, rarely: strangers can make any number."""
        now = time.monotonic()
        with self._telling:
            if now - self._lines_since >= QUIET_SECONDS:
                self._lines, self._lines_since = 0, now
            self._lines += 1
            many = self._lines > LINES
        if many:
            self.told_rarely(status, code, "as others before it", client)
        else:
            self.refused(status, code, detail, client=client, **more)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as socketserver has it
        """Serve the connection in a thread of its own, if there is a place for one more."""
        room = self.places.take(request, client_address[0])
        if room == "none":
            self._turn_away(request, client_address)
            return
        if room == "made":
            self.told_rarely(0, "gave_way", "who waited longest gave way", client_address[0])
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # there was no thread to be had
            self.handle_error(request, client_address)
            self.places.give(request)
            raise

    def _turn_away(self, request: socket.socket, client_address: tuple[str, int]) -> None:
        self.told_rarely(503, "too_many_connections", "there is no place", client_address[0])
        request.settimeout(0)
        with contextlib.suppress(OSError):  # it need not hear why
            request.send(_FULL)
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as socketserver has it
        """Serve one connection, and give its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.give(request)

    def told_rarely(self, status: int, code: str, detail: str, client: str) -> None:
        """Write such a line at most once a minute, with how many ``times`` it was so since."""
        now = time.monotonic()
        with self._telling:
            self._untold[code] += 1
            if now - self._told.get(code, -QUIET_SECONDS) < QUIET_SECONDS:
                return
            self._told[code] = now
            times = self._untold.pop(code)
        more = {"times": times} if times > 1 else {}
        self.refused(status, code, detail, client=client, **more)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as socketserver has it
        """Say in one line why a connection broke off; its client has got no answer."""
        if not self.places.has(request):
            return  # it had to give way
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            self.told_rarely(0, "connection_lost", repr(error), client_address[0])
        else:
            self.refused(0, "internal", repr(error), client=client_address[0])


class _Handler(BaseHTTPRequestHandler):
    """One connection: requests one after the other, each whole within its time."""

    server: WitnessServer
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.1"  # what cannot be read is answered with a head as well
    server_version = "witness"
    sys_version = ""
    wbufsize = -1  # the head and the body of an answer leave together
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self._deadline = Deadline(self.server.request_seconds)
        self._reader = TimedReader(self.connection, self._deadline)
        self.rfile.close()
        self.rfile = io.BufferedReader(self._reader)

    def handle_one_request(self) -> None:
        self._origin = ""
        self._reader.received = 0
        self.server.places.waits(self.connection)
        self._deadline.restart(self.server.request_seconds)
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Read the head, and where the request ends."""
        return super().parse_request() and self._is_framed()

    def do_POST(self) -> None:
        if not self._is_submission():
            self._refuse(HTTPStatus.NOT_FOUND, "no_such_path", f"requests go to POST {PATH}")
            return
        body = self._body()
        if body is None or not self.server.places.judges(self.connection):
            return
        self._origin = _origin(body)
        try:
            answer = self.server.witness.add_checkpoint(body)
        except ConflictError as conflict:
            size = int(conflict.extra["size"])
            self._refuse(HTTPStatus.CONFLICT, conflict.code, conflict.detail, size=size)
        except Problem as problem:
            self._refuse(_STATUS[type(problem)], problem.code, problem.detail)
        else:
            self._answer(HTTPStatus.OK, _TEXT, answer)

    def do_GET(self) -> None:
        """Serve monitors: what has been cosigned last of a log, with the cosignature."""
        if self._call() == PATH:
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "method", "requests are posted")
            return
        found = _LATEST.fullmatch(self._call())
        try:
            note = self.server.witness.latest(found[1]) if found else None
        except Problem as problem:
            self._refuse(_STATUS[type(problem)], problem.code, problem.detail)
            return
        if note is None:
            self._refuse(HTTPStatus.NOT_FOUND, "not_cosigned", "nothing has been cosigned here")
        else:
            self._answer(HTTPStatus.OK, _TEXT, note.decode())

    do_HEAD = do_GET  # noqa: N815  # the base class finds methods by name

    def handle_expect_100(self) -> bool:
        """Say at once that the body is welcome."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what the base class cannot read, in our form."""
        detail = message or explain or HTTPStatus(code).description
        self._refuse(HTTPStatus(code), "http", detail, close=True)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Only refusals are written down."""

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401  # as the base class has it
        """Write down who was too slow; the end of an idle connection is nothing to tell."""
        if self._reader.received and self.server.places.has(self.connection):
            self.server.told_rarely(0, "too_slow", format % args, self.client_address[0])

    def _call(self) -> str:
        """The path below the witness's prefix: none, or the path in its name."""
        prefix = self.server.prefix
        return self.path.removeprefix(prefix) if self.path.startswith(f"{prefix}/") else self.path

    def _is_framed(self) -> bool:
        """Say where the request ends, or refuse it; a body that nobody reads is read away."""
        hosts = self.headers.get_all("Host", [])
        lengths = self.headers.get_all("Content-Length", [])
        if len(hosts) != 1 and self.request_version == "HTTP/1.1":
            self._refuse_framing(HTTPStatus.BAD_REQUEST, "host", "a request names one host")
            return False
        if self.headers.get("Transfer-Encoding") is not None:
            detail = "a request says its length in advance"
            self._refuse_framing(HTTPStatus.LENGTH_REQUIRED, "length_required", detail)
            return False
        if len(lengths) > 1 or any(not (one.isascii() and one.isdigit()) for one in lengths):
            self._refuse_framing(HTTPStatus.BAD_REQUEST, "length", "the length is a decimal number")
            return False
        # Thousands of digits would not be read as a number.
        self._length = int(lengths[0].lstrip("0")[:20] or "0") if lengths else None
        if self._length and not self._is_submission():
            self._discard(self._length)
            self.close_connection = True  # there may be more of it
        return True

    def _is_submission(self) -> bool:
        return self.command == "POST" and self._call() == PATH

    def _refuse_framing(self, status: HTTPStatus, code: str, detail: str) -> None:
        """Refuse a request of which nobody can tell where the next one begins."""
        self._refuse(status, code, detail, close=True)

    def _body(self) -> bytes | None:
        """Read the body, or refuse it: it says how long it is, and is not too long."""
        length = self._length
        if length is None:
            detail = "a request says its length in advance"
            self._refuse_framing(HTTPStatus.LENGTH_REQUIRED, "length_required", detail)
            return None
        if length > MAX_REQUEST_BYTES:
            self._discard(length)
            detail = f"a request has at most {MAX_REQUEST_BYTES} bytes"
            self._refuse_framing(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", detail)
            return None
        body = self.rfile.read(length)
        if len(body) < length:
            self._refuse_framing(HTTPStatus.BAD_REQUEST, "cut_off", "the request ended early")
            return None
        return body

    def _discard(self, length: int) -> None:
        left = min(length, _PATIENCE)
        while left and (piece := self.rfile.read(min(left, 1 << 16))):
            left -= len(piece)

    def _refuse(
        self, status: HTTPStatus, code: str, detail: str, *, size: int = -1, close: bool = False
    ) -> None:
        more: dict[str, str | int] = {"origin": self._origin} if self._origin else {}
        more |= {"size": size} if size >= 0 else {}
        self._say(status, code, detail, **more)
        self.close_connection |= close
        if size >= 0:
            self._answer(status, SIZE_TYPE, f"{size}\n")
        else:
            self._answer(status, _TEXT, f"{code}: {detail}\n")

    def _answer(self, status: HTTPStatus, content_type: str, body: str) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "POST")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _say(self, status: int, code: str, detail: str, **more: str | int) -> None:
        """Write down what was refused; of who had to give way nothing is left to tell."""
        if self.server.places.has(self.connection):
            self.server.tell(status, code, detail, client=self.client_address[0], **more)


def _origin(body: bytes) -> str:
    """The log a request speaks of, as far as can be told, for the line about its refusal."""
    return body.partition(b"\n\n")[2].partition(b"\n")[0][:200].decode("utf-8", "replace")
