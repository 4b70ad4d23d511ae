"""Answers that are not errors: JSON that nobody keeps a copy of, lines of CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
from flask import Response

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"
OCTETS = "application/octet-stream"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

NO_STORE = "no-store"  # invoice data: the hash in the address opens it, so nobody may keep it

ALWAYS: Final = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),  # the hash in our addresses opens an invoice
]
"""Headers that every answer has."""

_encode = msgspec.json.Encoder().encode


class Answer(NamedTuple):
    """A whole answer that no framework has touched yet; its length is added by who sends it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all_headers(self, *more: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Its own with the length, and ``more``, in the order in which Flask writes them."""
        length = ("Content-Length", str(len(self.body)))
        return [*self.headers, length, *(header for headers in more for header in headers)]

    def response(self) -> Response:
        """The same as Flask has it."""
        return Response(self.body, self.status, self.headers)


def json_bytes(value: object) -> bytes:
    """``value`` as compact JSON, keys in the order in which they were put."""
    return _encode(value)


def json_whole(value: object, status: int = 200, *, cache: str = NO_STORE) -> Answer:
    """``value`` as the answer's body."""
    return Answer(status, [("Content-Type", JSON), ("Cache-Control", cache)], _encode(value))


def json_answer(value: object, status: int = 200, *, cache: str = NO_STORE) -> Response:
    """The same as Flask has it."""
    return json_whole(value, status, cache=cache).response()


def raw_answer(
    body: bytes | Iterable[bytes], kind: str, status: int = 200, *, cache: str = NO_STORE
) -> Response:
    """Ready bytes, or bytes as they come, as the answer's body."""
    return Response(body, status, [("Content-Type", kind), ("Cache-Control", cache)])


def csv_line(fields: Sequence[object]) -> bytes:
    """One line of RFC 4180 CSV, UTF-8; only for fields of our own making."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(fields)
    return text.getvalue().encode()
