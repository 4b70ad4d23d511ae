"""Reading a request strictly: query, headers, body. What is not understood is refused."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

from flask import request
from werkzeug.routing import BaseConverter, Map
from werkzeug.wsgi import get_input_stream

from chain.errors import MalformedError
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.domain.request import check_idempotency_key

MAX_QUERY_FIELDS = 20
MAX_WAIT = 30  # seconds; proxies in front give up at 60
SPOOL_BYTES = 1 << 20  # a larger batch waits on disk, not in memory
CHUNK = 1 << 16
WHOLE = "fapiao.whole"
"""In ``environ``: the input is all there, in a file that whoever reads it may close."""

_WHOLE = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_PREFERENCE = re.compile(r'(\w+)\s*=\s*("?)([\w-]+)\2', re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_PARAMETER = re.compile(
    r""";[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^";]*)"""
)
"""RFC 9110 section 5.6.6, with blanks around "=" passed over; a ";" may end the list."""

_UTF8 = frozenset({"utf-8", "utf8", "us-ascii"})


class AnyBut(BaseConverter):
    """A part of an address that is not one of these words, which are addresses of their own.

    Else a method that such an address does not have would be looked for at ours.
    """

    def __init__(self, url_map: Map, *words: str) -> None:
        super().__init__(url_map)
        self.regex = f"(?!(?:{'|'.join(map(re.escape, words))})(?:/|$))[^/]+"


class Preferences(NamedTuple):
    """What ``Prefer`` (RFC 7240) asks for and we understand; the rest is ignored, as it says."""

    wait: int = 0  # seconds
    minimal: bool = False


Chosen = TypeVar("Chosen")
Said = Mapping[str, Any]
"""What a request says, by PEP 3333 names; where none is given, the request under way is meant."""


def query(*allowed: str, said: Said | None = None) -> dict[str, str]:
    """The query's parameters, each known and at most once. MalformedError otherwise."""
    text: str = (request.environ if said is None else said).get("QUERY_STRING", "")
    return _once(_pairs(text.encode("latin-1"), allowed))


def choices(
    name: str, allowed: frozenset[str], *others: str
) -> tuple[frozenset[str], dict[str, str]]:
    """All values of the one parameter that may repeat, and the others, each at most once.

    MalformedError as ``query``, and ``parameter_malformed`` for a value that is not allowed.
    """
    pairs = _pairs(request.query_string, (name, *others))
    found = frozenset(value for key, value in pairs if key == name)
    if not found <= allowed:
        raise MalformedError(
            "parameter_malformed", f"{name} is one of {', '.join(sorted(allowed))}", pointer=name
        )
    return found, _once([pair for pair in pairs if pair[0] != name])


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedError("duplicate_parameter", "a parameter stands twice in the query")
    return found


def _pairs(raw: bytes, allowed: tuple[str, ...]) -> list[tuple[str, str]]:
    if not raw:
        return []
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_QUERY_FIELDS,
        )
    except ValueError:  # UnicodeError is one
        raise MalformedError("query_malformed", "the query is not name=value&name=value") from None
    for name, _ in pairs:
        if name not in allowed:
            known = ", ".join(allowed) or "none"
            raise MalformedError(
                "unknown_parameter", f"parameters known here: {known}", pointer=name[:64]
            )
    return pairs


def required(parameters: dict[str, str], name: str) -> str:
    """A parameter that must be there. MalformedError ``missing_parameter``."""
    try:
        return parameters[name]
    except KeyError:
        raise MalformedError(
            "missing_parameter", f"the parameter {name} is missing", pointer=name
        ) from None


def whole_number(
    parameters: dict[str, str], name: str, default: int, most: int, *, least: int = 1
) -> int:
    """A parameter in plain digits, one spelling. MalformedError ``parameter_malformed``."""
    text = parameters.get(name)
    if text is None:
        return default
    if _WHOLE.fullmatch(text) and least <= int(text) <= most:
        return int(text)
    raise MalformedError(
        "parameter_malformed", f"{name} is a whole number from {least} to {most}", pointer=name
    )


def one_of(parameters: dict[str, str], name: str, allowed: Mapping[str, Chosen]) -> Chosen:
    """What a parameter's word stands for; the first without it. ``parameter_malformed``."""
    word = parameters.get(name, next(iter(allowed)))
    if word in allowed:
        return allowed[word]
    raise MalformedError(
        "parameter_malformed", f"{name} is one of {', '.join(allowed)}", pointer=name
    )


def shanghai_midnight(parameters: dict[str, str], name: str, *, days: int = 0) -> int | None:
    """The unix second at which a day begins, ``days`` later. MalformedError ``day_invalid``."""
    text = parameters.get(name)
    if text is None:
        return None
    try:
        if not _DAY.fullmatch(text):
            raise ValueError(text)
        day = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI) + timedelta(days=days)
        return int(day.timestamp())
    except (ValueError, OverflowError):
        raise MalformedError(
            "day_invalid", "a day is written like 2018-08-10", pointer=name
        ) from None


def shanghai_days(parameters: dict[str, str]) -> tuple[int | None, int | None]:
    """Unix seconds from where ``from`` begins to where ``to`` ends; None for what is not said.

    MalformedError ``day_invalid``, ``range_invalid``: of no day at all nothing is found, which
    would look as if nothing had been there.
    """
    since, until = (
        shanghai_midnight(parameters, "from"),
        shanghai_midnight(parameters, "to", days=1),
    )
    if since is not None and until is not None and since >= until:
        raise MalformedError("range_invalid", "from is after to", pointer="from")
    return since, until


def idempotency_key(said: Said | None = None) -> str:
    """The header, or "" without it. MalformedError ``idempotency_key_invalid``."""
    value: str | None = (request.environ if said is None else said).get("HTTP_IDEMPOTENCY_KEY")
    return "" if value is None else check_idempotency_key(value)


def preferences(said: Said | None = None) -> Preferences:
    """``Prefer: wait=N, return=minimal``, quoted or not (RFC 7240); more than MAX_WAIT is that."""
    value: str | None = (request.environ if said is None else said).get("HTTP_PREFER")
    if not value:
        return Preferences()
    wait, minimal = 0, False
    for part in value.replace(";", ",").split(","):
        match = _PREFERENCE.fullmatch(part.strip().lower())
        name, wanted = (match[1], match[3]) if match else ("", "")
        if name == "wait" and wanted.isdecimal():
            wait = min(int(f"0{wanted.lstrip('0')[:4]}"), MAX_WAIT)
        minimal = minimal or (name, wanted) == ("return", "minimal")
    return Preferences(wait, minimal)


def media_type(*allowed: str, said: Said | None = None) -> str:
    """The body's type, one of ``allowed``, UTF-8 and not compressed. MalformedError otherwise."""
    environ = request.environ if said is None else said
    declared: str = environ.get("CONTENT_TYPE", "")
    kind = declared.partition(";")[0].strip().lower()
    if kind not in allowed:
        raise MalformedError("unsupported_media_type", f"send {' or '.join(allowed)}")
    if not _charsets(declared) <= _UTF8:
        raise MalformedError("unsupported_media_type", "send UTF-8")
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise MalformedError("unsupported_encoding", "send the body uncompressed")
    return kind


def _charsets(declared: str) -> set[str]:
    """Every charset that is named, also where one is named twice: werkzeug keeps the last."""
    return {
        value.strip().strip('"').lower()
        for name, value in _PARAMETER.findall(declared)
        if name.lower() == "charset"
    }


def body(limit: int) -> bytes:
    """The whole body. MalformedError ``body_too_large`` above ``limit`` bytes, ``empty_body``."""
    data = _stream(limit).read(limit + 1)
    if len(data) > limit:
        raise _too_large(limit)
    if not data:
        raise MalformedError("empty_body", "the body is empty")
    return data


def body_if_any(limit: int, kind: str) -> bytes:
    """The whole body, which is of that media type; b"" where none is sent.

    MalformedError as ``body`` and ``media_type``, but for ``empty_body``.
    """
    data = _stream(limit).read(limit + 1)
    if len(data) > limit:
        raise _too_large(limit)
    if data:
        media_type(kind)
    return data


def _stream(limit: int) -> IO[bytes]:
    """What there is to read; one that says it is too large is refused unread."""
    environ = request.environ
    declared: str = environ.get("CONTENT_LENGTH") or "0"
    if not declared.isdecimal() or int(declared) > limit:
        raise _too_large(limit)
    return get_input_stream(environ)


def new_spool() -> IO[bytes]:
    """A file for what is large; closed with the answer."""
    return SpooledTemporaryFile(SPOOL_BYTES)


def spooled_body(limit: int) -> IO[bytes]:
    """As ``body``, in a file of its own: nothing is issued before the whole batch has arrived.

    Reading first also keeps a client that writes all before it reads from waiting for ever. Our own
    server has done so, and its file is taken as it is.
    """
    stream = _stream(limit)
    if WHOLE in request.environ:
        return stream
    spool = new_spool()
    size = 0
    while data := stream.read(CHUNK):
        size += len(data)
        if size > limit:
            spool.close()
            raise _too_large(limit)
        spool.write(data)
    spool.seek(0)
    return spool


def accepts(*offered: str) -> str:
    """The first of ``offered`` that ``Accept`` likes best. MalformedError ``not_acceptable``."""
    chosen: str | None = request.accept_mimetypes.best_match(offered)
    if chosen is None and request.environ.get("HTTP_ACCEPT"):
        raise MalformedError("not_acceptable", f"can be had as {', '.join(offered)}")
    return chosen or offered[0]


def _too_large(limit: int) -> MalformedError:
    return MalformedError("body_too_large", f"at most {limit} bytes", limit=limit)
