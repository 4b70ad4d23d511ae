"""Verdicts for programs: one by its address, many as NDJSON, CSV or lines of QR texts."""

import csv
from collections.abc import Callable, Iterator
from typing import IO, Final

import msgspec
from flask import Blueprint, Response

from chain.commitment import parse_password_area
from chain.errors import MalformedError, Problem
from invoice_service.api.answers import CSV, NDJSON, csv_line, json_answer, json_bytes, raw_answer
from invoice_service.api.problems import describe
from invoice_service.api.requests import (
    accepts,
    count_lines,
    filled_lines,
    media_type,
    query,
    required,
    spooled_body,
)
from invoice_service.config import Config
from invoice_service.domain.money import parse_amount
from invoice_service.domain.numbering import parse_bill_number
from invoice_service.domain.qrtext import QrText, parse_qr_text
from invoice_service.domain.reading import read_json
from invoice_service.domain.verdict import Verification

Check = Callable[[QrText], Verification]
Result = tuple[int, Verification | Problem]

TEXT: Final = "text/plain"
COLUMNS: Final = ("line", "hash", "verdict", "block", "sealed_at", "reversed_by", "code", "detail")


class SlipRecord(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One slip to check: the three fields of its code, or the code's whole text."""

    hash: str = ""
    bill_num: str = ""
    total_amount: str | int = ""
    qr: str = ""


def verifications_blueprint(config: Config, check: Check) -> Blueprint:
    """``check`` reaches the verdict on one slip."""
    blueprint = Blueprint("verifications", __name__, url_prefix="/v1/verifications")
    limits = config.limits
    base = config.service.public_url

    @blueprint.get("")
    def one() -> Response:
        asked = query("hash", "bill_num", "total_amount", "qr")
        if "qr" in asked:
            return json_answer(check(parse_qr_text(asked["qr"])))
        fields = (required(asked, name) for name in ("hash", "bill_num", "total_amount"))
        return json_answer(check(slip(*fields)))

    @blueprint.post("")
    def many() -> Response:
        kind = media_type(NDJSON, CSV, TEXT)
        wanted = accepts(NDJSON, CSV)
        spool = spooled_body(limits.batch_bytes)
        count_lines(spool, limits.batch_records + (kind == CSV))
        records = _readers[kind](spool)
        results = ((line, _checked(check, record)) for line, record in records)
        if wanted == CSV:
            answer = raw_answer(_as_csv(results), f"{CSV}; charset=utf-8")
        else:
            answer = raw_answer((_as_json(base, *result) for result in results), NDJSON)
        answer.call_on_close(spool.close)
        return answer

    return blueprint


def slip(hash_: str, number: str, total: str) -> QrText:
    """A slip from the three texts of its address; MalformedError for any other spelling."""
    parse_password_area(hash_)
    return QrText(hash=hash_, number=parse_bill_number(number), total=parse_amount(total))


Record = tuple[int, QrText | Problem]


def _ndjson(spool: IO[bytes]) -> Iterator[Record]:
    return ((number, _read(_from_json, line)) for number, line in filled_lines(spool))


def _texts(spool: IO[bytes]) -> Iterator[Record]:
    return ((number, _read(_from_text, line)) for number, line in filled_lines(spool))


def _table(spool: IO[bytes]) -> Iterator[Record]:
    """Rows of a CSV file; its header is read now, so that a file without one is refused whole."""
    rows = filled_lines(spool)
    _, first = next(rows)  # there is one: they have been counted
    names = _cells(first.removeprefix(b"\xef\xbb\xbf"))
    if not set(names) <= {"hash", "bill_num", "total_amount", "qr"} or len(set(names)) < len(names):
        raise MalformedError("not_csv", "name the columns hash,bill_num,total_amount or qr")

    def record(line: bytes) -> QrText:
        cells = _cells(line)
        if len(cells) != len(names):
            raise MalformedError("not_csv", f"a row has {len(names)} cells")
        return _slip_of(SlipRecord(**dict(zip(names, cells, strict=True))))

    return ((number, _read(record, line)) for number, line in rows)


_readers: Final = {NDJSON: _ndjson, CSV: _table, TEXT: _texts}
_decoder: Final = msgspec.json.Decoder(SlipRecord)


def _cells(line: bytes) -> list[str]:
    try:
        rows = list(csv.reader([line.decode("utf-8")], strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise MalformedError("not_csv", "this line is not CSV in UTF-8") from None
    return [cell.strip() for cell in rows[0]]


def _read(reader: Callable[[bytes], QrText], line: bytes) -> QrText | Problem:
    try:
        return reader(line)
    except MalformedError as problem:
        return problem


def _from_json(line: bytes) -> QrText:
    return _slip_of(read_json(line, _decoder, max_bytes=4096))


def _from_text(line: bytes) -> QrText:
    return parse_qr_text(line.decode("utf-8", "replace"))


def _slip_of(record: SlipRecord) -> QrText:
    if record.qr:
        return parse_qr_text(record.qr)
    return slip(record.hash, record.bill_num, str(record.total_amount))


def _checked(check: Check, record: QrText | Problem) -> Verification | Problem:
    if isinstance(record, Problem):
        return record
    try:
        return check(record)
    except Problem as problem:
        return problem  # this one record has no verdict; the others go on


def _as_json(base: str, line: int, result: Verification | Problem) -> bytes:
    if isinstance(result, Problem):
        return json_bytes({"line": line, "problem": describe(result, base)}) + b"\n"
    return json_bytes({"line": line, "verification": result}) + b"\n"


def _as_csv(results: Iterator[Result]) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf" + csv_line(COLUMNS)
    for line, result in results:
        if isinstance(result, Problem):
            yield csv_line([line, "", "", "", "", "", result.code, result.detail])
        else:
            block = "" if result.block is None else result.block
            found = [result.hash, result.verdict, block, result.sealed_at or ""]
            yield csv_line([line, *found, result.reversed_by or "", "", ""])
