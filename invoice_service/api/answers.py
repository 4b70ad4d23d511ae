"""Answers that are not errors: JSON without a copy kept anywhere, lists as CSV for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec
from flask import Response

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

NO_STORE = "no-store"  # invoice data: the hash in the address opens it, so nobody may keep it

_encode = msgspec.json.Encoder().encode


def json_bytes(value: object) -> bytes:
    """``value`` as compact JSON, keys in the order in which they were put."""
    return _encode(value)


def json_answer(value: object, status: int = 200, *, cache: str = NO_STORE) -> Response:
    """``value`` as the answer's body."""
    return raw_answer(_encode(value), JSON, status, cache=cache)


def raw_answer(
    body: bytes | Iterable[bytes], kind: str, status: int = 200, *, cache: str = NO_STORE
) -> Response:
    """Ready bytes, or bytes as they come, as the answer's body."""
    return Response(body, status, [("Content-Type", kind), ("Cache-Control", cache)])


def csv_line(fields: Sequence[object]) -> bytes:
    """One line of RFC 4180 CSV, UTF-8."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([safe_cell(field) for field in fields])
    return text.getvalue().encode()


def safe_cell(value: object) -> object:
    """Texts that a spreadsheet would run as a formula get a leading apostrophe."""
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return value
