"""The result file of ``fapiao issue``: a line for every record, and the memory of what is done."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from chain.durable import write_file


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one record; ``request`` is the digest of what was asked, in hex."""

    record: int
    order_id: str
    status: Literal["issued", "replayed", "refused"]
    request: str
    hash: str = ""
    invoice_code: str = ""
    number: str = ""
    total: int = 0
    code: str = ""
    detail: str = ""
    pointer: str = ""


class ResultFile:
    """Appends results while they come, and orders them at the end.

    Written without sync: what a power cut takes from it is asked again, and the service answers
    a repeated order with its first invoice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._results = _load(path)

    def done(self, record: int, request: str) -> Result | None:
        """The invoice of this record, if just this request has got one."""
        result = self._results.get(record)
        if result is None or result.status == "refused" or result.request != request:
            return None
        return result

    def newest(self, count: int) -> list[Result]:
        """The invoices written last, the oldest of them first."""
        invoices = [result for result in self._results.values() if result.status != "refused"]
        return invoices[-count:]

    def forget(self) -> None:
        """Drop everything: the file speaks of another instance."""
        self._results.clear()
        self.path.write_bytes(b"")

    def add(self, results: Iterable[Result]) -> None:
        """Append what a batch answered; a kill here loses at most the answers, never an invoice."""
        new = {result.record: result for result in results}
        with self.path.open("ab") as file:
            file.write(_encode_lines(new.values()))
            file.flush()
        self._results |= new

    def finish(self, records: int) -> None:
        """Write the file anew: records 1 to ``records`` in order, one line each."""
        ordered = [self._results[n] for n in range(1, records + 1) if n in self._results]
        write_file(self.path, _encode_lines(ordered))


def _encode_lines(results: Iterable[Result]) -> bytes:
    return b"".join(msgspec.json.encode(result) + b"\n" for result in results)


def _load(path: Path) -> dict[int, Result]:
    """Results by record, the last line for each; a line that a kill cut short leaves the file."""
    if not path.exists():
        return {}
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
    found: dict[int, Result] = {}
    for line in data[:whole].splitlines():
        try:
            result = _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue  # torn by a power cut: the record is asked again
        found.pop(result.record, None)  # so that the order is that of writing
        found[result.record] = result
    return found


_decoder = msgspec.json.Decoder(Result)
