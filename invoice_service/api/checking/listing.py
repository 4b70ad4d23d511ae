"""Lists of slips: NDJSON, CSV, a workbook or QR texts, and what each of their slips came to."""

import csv
from collections.abc import Callable, Collection, Iterator
from typing import IO, Final, TypeVar

import msgspec

from chain.errors import MalformedError, Problem
from invoice_service.api.answers import CSV, NDJSON, XLSX
from invoice_service.api.checking.contract import SlipRecord
from invoice_service.api.checking.results import Result
from invoice_service.api.checking.workbook import csv_of
from invoice_service.api.incidents import StreamedResults
from invoice_service.api.lists import RecordList
from invoice_service.config import Limits
from invoice_service.domain.qrtext import FIELDS, QrText, claim_of, parse_qr_text
from invoice_service.domain.reading import read_json
from invoice_service.domain.verdict import Verification

Check = Callable[[QrText], Verification]
Record = QrText | Problem
Written = TypeVar("Written")

TEXT: Final = "text/plain"
NUMBER_DIGITS: Final = 8


class List:
    """A list of slips that is being checked; closed when its results have been read."""

    def __init__(self, asked: RecordList, results: Iterator[Result]) -> None:
        self._asked, self._results = asked, results

    def each(self, where: str, write: Callable[[int, Result], Written]) -> Iterator[Written]:
        """What ``write`` makes of each slip's line and result; ``where`` is the call's route."""
        return StreamedResults(where).all(self._asked.numbers, self._results, write)

    def said(self, numbers: Collection[int]) -> dict[int, bytes]:
        """What was sent in these lines, once ``each`` is through."""
        return self._asked.said(numbers)

    def close(self) -> None:
        """Let the list go."""
        self._asked.close()


class Lists:
    """Checks lists of slips."""

    def __init__(self, check: Check, limits: Limits) -> None:
        self._check, self._limits = check, limits

    def open(self, kind: str, body: IO[bytes]) -> List:
        """Begin to check ``body``, a list of this media type; it is closed with the list.

        Raises MalformedError: ``not_csv``, ``not_xlsx``, ``empty_body``, ``too_many_records``,
        ``body_too_large``; RefusedError ``rate_limited``. Nothing of such a list is checked.
        """
        limits = self._limits
        if kind == XLSX:
            with body as workbook:
                body = csv_of(workbook, limits)
        asked = RecordList(limits, header=kind in (CSV, XLSX), lines=body)
        try:
            records = _readers[kind](asked)
        except Problem:
            asked.close()
            raise
        return List(asked, (_checked(self._check, record) for record in records))


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


_readers: Final = {NDJSON: _ndjson, CSV: _table, TEXT: _texts, XLSX: _table}
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
