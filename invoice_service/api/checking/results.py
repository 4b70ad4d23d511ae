"""What is answered for each of many slips: the verdict, and whether it stood in the list before."""

import codecs
from collections.abc import Mapping
from typing import Any, Final

from chain.errors import Problem
from invoice_service.api.answers import csv_line, json_bytes
from invoice_service.api.problems import describe
from invoice_service.domain.money import format_yuan
from invoice_service.domain.text import harmless_cell
from invoice_service.domain.verdict import Verification

Result = Verification | Problem

COLUMNS: Final = (
    *("line", "duplicate_of", "hash", "verdict", "seller", "issued_at", "total", "left"),
    *("block", "sealed_at", "reversed_by", "code", "detail"),
)
HEADER: Final = codecs.BOM_UTF8 + csv_line(COLUMNS)


class Results:
    """Writes the results of one list, and remembers on which line each invoice stood first."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._first: dict[str, int] = {}

    def ndjson(self, line: int, result: Result) -> bytes:
        """One JSON object: the line, and the verdict or the problem."""
        if isinstance(result, Problem):
            return json_bytes({"line": line, "problem": describe(result, self._base)}) + b"\n"
        before = self.before(line, result)
        again = {} if before is None else {"duplicate_of": before}
        return json_bytes({"line": line, **again, "verification": result}) + b"\n"

    def csv(self, line: int, result: Result) -> bytes:
        """The row, as a line of CSV."""
        return csv_line([harmless_cell(cell) for cell in self.row(line, result)])

    def row(self, line: int, result: Result) -> list[str]:
        """One row of COLUMNS; amounts in yuan, tax included. ``left`` is of what was taken back."""
        if isinstance(result, Problem):
            blank = [""] * (len(COLUMNS) - 3)
            return [str(line), *blank, result.code, result.detail]
        before = self.before(line, result)
        seller, issued_at, total = _shown(result.face or {})
        block = "" if result.block is None else str(result.block)
        left = "" if result.left is None else format_yuan(result.left)
        return [
            *(str(line), "" if before is None else str(before), result.hash, result.verdict),
            *(seller, issued_at, total, left, block),
            *(result.sealed_at or "", " ".join(result.reversed_by), "", ""),
        ]

    def before(self, line: int, result: Verification) -> int | None:
        """The first line that was about this invoice, if this is not it."""
        first = self._first.setdefault(result.hash, line)
        return None if first == line else first


def _shown(face: Mapping[str, Any]) -> tuple[str, str, str]:
    """Seller, time and amount; all blank where a verdict shows no face."""
    if not face:
        return "", "", ""
    return face["seller"]["name"], face["issued_at"], format_yuan(face["total"])
