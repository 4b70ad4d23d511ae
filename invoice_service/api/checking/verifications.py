"""Verdicts for programs: one by its address, many as NDJSON, CSV or lines of QR texts."""

import csv
from collections.abc import Callable, Iterator
from itertools import chain as joined
from typing import Final

import msgspec
from flask import Blueprint, Response

from chain.errors import MalformedError, Problem
from invoice_service.api.answers import CSV, NDJSON, json_answer, raw_answer
from invoice_service.api.checking.contract import SlipRecord
from invoice_service.api.checking.results import HEADER, Result, Results
from invoice_service.api.incidents import StreamedResults
from invoice_service.api.lists import RecordList
from invoice_service.api.parts import Parts
from invoice_service.api.requests import (
    Said,
    accepts,
    media_type,
    query,
)
from invoice_service.domain.qrtext import FIELDS, QrText, claim_of, parse_qr_text
from invoice_service.domain.reading import read_json
from invoice_service.domain.verdict import Verification
from invoice_service.services.checking.verify import Verifier

Check = Callable[[QrText], Verification]
Record = QrText | Problem

TEXT: Final = "text/plain"
NUMBER_DIGITS: Final = 8


def blueprint(parts: Parts) -> Blueprint:
    """Verdicts on one slip, and on many."""
    check = Verifier(parts.store, parts.log, parts.keys.keys).verify
    config = parts.config
    blueprint = Blueprint("verifications", __name__, url_prefix="/v1/verifications")
    limits = config.limits

    @blueprint.get("")
    def one() -> Response:
        return json_answer(check(asked_for()))

    @blueprint.post("")
    def many() -> Response:
        kind = media_type(NDJSON, CSV, TEXT)
        wanted = accepts(NDJSON, CSV)
        asked = RecordList(limits, header=kind == CSV)
        results = (_checked(check, record) for record in _readers[kind](asked))
        written = Results(config.service.public_url)
        lines = StreamedResults("POST /v1/verifications").all(
            asked.numbers, results, written.csv if wanted == CSV else written.ndjson
        )
        if wanted == CSV:
            answer = raw_answer(joined([HEADER], lines), f"{CSV}; charset=utf-8")
        else:
            answer = raw_answer(lines, NDJSON)
        answer.call_on_close(asked.close)
        return answer

    return blueprint


def asked_for(said: Said | None = None) -> QrText:
    """What the query says of one slip. MalformedError as ``query`` and ``claim_of``."""
    asked = query(*FIELDS, "qr", said=said)
    return claim_of(asked, asked.get("qr"))


def _ndjson(asked: RecordList) -> Iterator[Record]:
    return (_read(_from_json, line) for line in asked.records())


def _texts(asked: RecordList) -> Iterator[Record]:
    return (_read(_from_text, line) for line in asked.records())


def _table(asked: RecordList) -> Iterator[Record]:
    """Rows of a CSV file; its header is read now, so that a file without one is refused whole."""
    names = _cells(asked.names())
    if not set(names) <= {*FIELDS, "qr"} or len(set(names)) < len(names):
        raise MalformedError("not_csv", "name the columns hash,bill_num,total_amount or qr")

    def record(line: bytes) -> QrText:
        cells = _cells(line)
        if len(cells) != len(names):
            raise MalformedError("not_csv", f"a row has {len(names)} cells")
        said = dict(zip(names, cells, strict=True))
        if number := said.get("bill_num"):
            said["bill_num"] = number.zfill(NUMBER_DIGITS)  # spreadsheets drop leading zeros
        return _slip_of(SlipRecord(**said))

    return (_read(record, line) for line in asked.records())


_readers: Final = {NDJSON: _ndjson, CSV: _table, TEXT: _texts}
_decoder: Final = msgspec.json.Decoder(SlipRecord)


def _cells(line: bytes) -> list[str]:
    try:
        rows = list(csv.reader([line.decode("utf-8")], strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise MalformedError("not_csv", "this line is not CSV in UTF-8") from None
    return [cell.strip() for cell in rows[0]]


def _read(reader: Callable[[bytes], QrText], line: bytes) -> Record:
    try:
        return reader(line)
    except MalformedError as problem:
        return problem


def _from_json(line: bytes) -> QrText:
    return _slip_of(read_json(line, _decoder, max_bytes=4096))


def _from_text(line: bytes) -> QrText:
    return parse_qr_text(line.decode("utf-8", "replace"))


def _slip_of(record: SlipRecord) -> QrText:
    fields = (record.hash, record.bill_num, str(record.total_amount))
    said = {name: value for name, value in zip(FIELDS, fields, strict=True) if value}
    return claim_of(said, record.qr or None)


def _checked(check: Check, record: Record) -> Result:
    if isinstance(record, Problem):
        return record
    try:
        return check(record)
    except Problem as problem:
        return problem  # this one record has no verdict; the others go on
