"""One order of a file as it will be asked for, and how the same file is known again."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from chain.errors import MalformedError, Problem
from chain.hashing import sha256, sha256_of_parts
from invoice_service.domain.lists import filled_lines

LONGEST_RECORD: Final = 1 << 20  # bytes; the most that any server takes


class Record(NamedTuple):
    """One order of a file: its place from 1, its request as one JSON text, or why there is none.

    Without a business day the same file again is known by ``key``, its Idempotency-Key.
    """

    number: int
    order_id: str
    body: bytes
    problem: Problem | None = None
    key: str = ""
    more: dict[str, str] = {}  # noqa: RUF012 # never changed
    """What further columns of its file say of it."""
    till: str = ""
    day: str = ""
    part: int = 0
    lines: tuple[int, ...] = ()
    """Where its lines stand in the file, from 1."""

    def sent(self) -> bytes:
        """The request with its key."""
        if not self.key:
            return self.body
        return b'{"idempotency_key":"%s",' % self.key.encode() + self.body[1:]


Source = Callable[[], Iterator[Record]]
"""Reads the same records anew each time it is called."""


def file_digest(path: Path) -> bytes:
    """The digest of a file's bytes."""
    with path.open("rb") as file:
        return sha256_of_parts(iter(lambda: file.read(LONGEST_RECORD), b""))


def keyed(records: Iterable[Record], source: bytes) -> Iterator[Record]:
    """Give a key to what is known by no day: that of its place in this very file."""
    for record in records:
        named = _named(record.body) if record.body.startswith(b"{") else None
        if named is None or named.business_day or named.idempotency_key or not named.order_id:
            yield record
        else:
            place = b"fapiao/v1/file\n%s%d\n%s" % (source, record.number, record.body)
            yield record._replace(key=sha256(place).hex())


def read_ndjson(path: Path) -> Iterator[Record]:
    """One record for each line that is not blank; whether it is a request, the service says."""
    with path.open("rb") as file:
        lines = filled_lines(file, LONGEST_RECORD)
        for number, (line, text) in enumerate(lines, start=1):
            if len(text) > LONGEST_RECORD:
                problem = MalformedError("body_too_large", "the line is over 1 MiB")
                yield Record(number, "", b"", problem, lines=(line,))
                continue
            named = _named(text) or _Named()
            yield Record(
                number,
                named.order_id,
                text.strip(b" \t"),
                till=_text(named.till),
                day=_text(named.business_day),
                part=named.part if isinstance(named.part, int) else 0,
                lines=(line,),
            )


class _Named(msgspec.Struct):
    order_id: str = ""
    business_day: object = None
    till: object = None
    part: object = None
    idempotency_key: object = None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _named(line: bytes) -> _Named | None:
    try:
        return msgspec.json.decode(line, type=_Named)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None  # the service's refusal says what is wrong with it
