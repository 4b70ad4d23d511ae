"""One request as it comes in: head, body, and what is wrong with them (RFC 9112)."""

import io
import re
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO, Final
from urllib.parse import unquote_to_bytes

from chain.errors import MalformedError, Problem

IN_MEMORY: Final = 131_072  # bytes of a body; the rest of a larger one waits on disk
LONGEST_TARGET: Final = 8_192
MOST_LINES: Final = 200
"""Of a head: short ones take many times their bytes."""
HOST: Final = re.compile(
    rb"(?![^:[]{256})((?:[\w~%-]{1,63}\.)*[\w~%-]{1,63}\.?|\[[0-9A-Fa-f:]{2,39}(?:\.\d{1,3}){0,3}\])?"
    rb"(:[0-9]{0,5})?",
    re.ASCII,
)
"""Names as RFC 1035 bounds them: what is none would be a fault of ours further in."""
ABSOLUTE: Final = re.compile(rb"https?://([^/?#]*)", re.ASCII | re.IGNORECASE)

Header = tuple[bytes, bytes]


class Body:
    """What has come of a body so far."""

    def __init__(self) -> None:
        self.size = 0
        self._near = bytearray()
        self._file: IO[bytes] | None = None

    def add(self, data: bytes) -> bool:
        """Keep ``data``, too; False when the disk has no room for it."""
        self.size += len(data)
        if self.size <= IN_MEMORY:
            self._near += data
            return True
        try:
            if self._file is None:
                self._file = TemporaryFile()  # noqa: SIM115 # closed by `close`
                self._file.write(self._near)
                self._near = bytearray()
            self._file.write(data)
            self._file.flush()  # else the last of it would be written, or not, when it is read
        except OSError:
            return False
        return True

    def whole(self) -> IO[bytes]:
        """All of it, from its beginning; seekable."""
        if self._file is None:
            return io.BytesIO(self._near)
        self._file.seek(0)
        return self._file

    def near(self) -> bytes:
        """The same as bytes; only what is in memory."""
        return bytes(self._near)

    def close(self) -> None:
        """Let go of it: nothing has come."""
        if self._file is not None:
            with suppress(OSError):  # nobody needs what could not be written
                self._file.close()
        self.size, self._near, self._file = 0, bytearray(), None


class Incoming:
    """A request; ``problem`` says why it must not be acted upon."""

    def __init__(self) -> None:
        self.method = ""
        self.target = b""
        self.version = ""
        self.headers: list[Header] = []
        self.head_bytes = 0
        self.head_done = False
        self.body = Body()
        self.owner = ""
        """Whose it is, for what each may have: "" for nobody's."""
        self.held = 0
        self.limit = 0
        self.keep = False
        self.problem: Problem | None = None
        self.noted: dict[str, object] = {}
        """What whoever looked at it first leaves for the application, in its ``environ``."""

    def add_header(self, name: bytes, value: bytes) -> None:
        """One line of the head; its name in lower case."""
        self.head_bytes += len(name) + len(value) + 4
        self.headers.append((name.lower(), value))

    def values(self, name: bytes) -> list[bytes]:
        """What the header's lines say."""
        return [value for known, value in self.headers if known == name]

    def path(self) -> bytes:
        """The target's path, as it was sent."""
        return self._origin_form().partition(b"?")[0]

    def awaits_continue(self) -> bool:
        """Whether the client asks before it sends the body."""
        asked = any(value.lower() == b"100-continue" for value in self.values(b"expect"))
        return asked and self.version == "1.1"

    def variables(self) -> dict[str, str]:
        """The head's lines alone, as ``environ`` names them."""
        return _variables(self.headers)

    def environ(self, peer: tuple[str, int], here: tuple[str, int]) -> dict[str, object]:
        """PEP 3333, with the whole body at hand; ``fapiao.problem`` if it must be refused."""
        _, _, query = self._origin_form().partition(b"?")
        environ: dict[str, object] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(self.path()).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "SERVER_NAME": here[0],
            "SERVER_PORT": str(here[1]),
            "SERVER_PROTOCOL": f"HTTP/{self.version}",
            "REMOTE_ADDR": peer[0],
            "REMOTE_PORT": str(peer[1]),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": self.body.whole(),
            "wsgi.input_terminated": True,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "RAW_URI": self._origin_form().decode("latin-1"),  # what PATH_INFO no longer tells
            "fapiao.whole": True,  # the input is a file of its own that can be sought in
            "fapiao.problem": self.problem,
        }
        environ.update(_variables(self.headers))
        environ.update(self.noted)
        if absolute := ABSOLUTE.match(self.target):
            environ["HTTP_HOST"] = absolute[1].decode("latin-1")  # RFC 9112 section 3.2.2
        if not HOST.fullmatch(str(environ.get("HTTP_HOST", "")).encode("latin-1")):
            del environ["HTTP_HOST"]  # whoever says so to people has to find its way by another
        if self.body.size or self.values(b"content-length"):
            environ["CONTENT_LENGTH"] = str(self.body.size)
        return environ

    def _origin_form(self) -> bytes:
        absolute = ABSOLUTE.match(self.target)
        if not absolute:
            return self.target
        rest = self.target[absolute.end() :]
        return rest if rest.startswith(b"/") else b"/" + rest  # RFC 3986 section 6.2.3


def _variables(headers: list[Header]) -> dict[str, str]:
    """HTTP_ variables; lines of one name joined. A name with "_" could pass for another's."""
    found: dict[str, str] = {}
    for name, value in headers:
        if b"_" in name or name in (b"content-length", b"transfer-encoding"):
            continue
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        text = value.decode("latin-1").strip(" \t")
        if key in found:
            text = f"{found[key]}{'; ' if key == 'HTTP_COOKIE' else ', '}{text}"
        found[key] = text
    return found


def check_head(incoming: Incoming) -> Problem | None:
    """What is wrong with a head that could be parsed.

    1. one of the two versions; 2. a target that is a path of ours; 3. one Host, well formed;
    4. a body framed in one way, uncompressed, and not too large. That the head is of bounded size
    was seen as it came (``head_too_large``).
    """
    if incoming.version not in ("1.0", "1.1"):
        return MalformedError("bad_request", "this is not HTTP/1.1")
    return (
        _check_target(incoming)
        or _check_host(incoming)
        or _check_size(incoming)
        or _check_framing(incoming)
    )


def _check_target(incoming: Incoming) -> Problem | None:
    if len(incoming.target) > LONGEST_TARGET:
        return MalformedError("address_too_long", f"at most {LONGEST_TARGET} bytes")
    path = incoming.path()
    if incoming.method == "OPTIONS" and path == b"*":
        return None
    if incoming.method == "CONNECT":  # whose target is a host, however it is spelled
        return MalformedError("bad_request", "this is no proxy")
    if not path.startswith(b"/") or b"#" in incoming.target:
        return MalformedError("bad_request", "the request's target is not a path")
    return None


def _check_host(incoming: Incoming) -> Problem | None:
    """RFC 9112 section 3.2: exactly one; HTTP/1.0 may lack it.

    An address in full names one, too, and no user (RFC 9110 sections 4.2.1 and 4.2.4).
    """
    hosts = incoming.values(b"host")
    whole = ABSOLUTE.match(incoming.target)
    named = HOST.fullmatch(whole[1]) if whole else None
    if whole and not (named and named[1]):
        return MalformedError("host_invalid", "an address in full names a host, and no user")
    if len(hosts) == 1 and HOST.fullmatch(hosts[0]):
        return None
    if not hosts and incoming.version == "1.0":
        return None
    return MalformedError("host_invalid", "send one Host header with a name or an address")


def _check_size(incoming: Incoming) -> Problem | None:
    sizes = incoming.values(b"content-length")
    if sizes and int(sizes[0]) > incoming.limit:
        return too_large(incoming.limit)
    return None


def _check_framing(incoming: Incoming) -> Problem | None:
    codings = incoming.values(b"transfer-encoding")
    if not codings:
        return None
    if incoming.version == "1.0":  # RFC 9112 section 6.1: its framing is faulty
        return MalformedError("bad_request", "HTTP/1.0 has no Transfer-Encoding")
    if len(codings) > 1 or codings[0].strip().lower() != b"chunked":
        return MalformedError("unsupported_encoding", "the one transfer coding here is chunked")
    return None


def head_too_large(incoming: Incoming, most: int) -> Problem | None:
    """What is wrong with a head of which so much has come; of its bytes there are ``most``."""
    if incoming.head_bytes <= most and len(incoming.headers) <= MOST_LINES:
        return None
    detail = f"at most {most} bytes of headers, in {MOST_LINES} lines"
    return MalformedError("head_too_large", detail)


def too_large(limit: int) -> Problem:
    """A body above what its address takes."""
    return MalformedError("body_too_large", f"at most {limit} bytes", limit=limit)
