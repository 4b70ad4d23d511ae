"""What a page shows, as files: one way for all pages of the bureau (``documents.taken``).

A page's route ``…/file/<kind>`` lets in whom the page lets in and describes its tables; here they
are made, named and sent. Kinds are ``xlsx``, ``json``, ``csv`` (of several tables
``months.csv``), ``manifest``, and ``zip``: all of them, of one reading.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from flask import Response, url_for

from chain.entry import format_time
from chain.errors import MalformedError, NotFoundError
from invoice_service.documents.manifest import Asked, package, parts_of, taken_manifest
from invoice_service.documents.taken import Taken
from invoice_service.services.anchoring.totals import Blocks
from invoice_service.services.people.sessions import Visitor
from invoice_service.services.reporting.report import block_of
from invoice_service.web.people.gate import Gate

TYPES: Final = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "manifest": "application/json",
    "zip": "application/zip",
}
_AT_ONCE: Final = 1 << 16  # bytes that are sent together
_DIGITS: Final = 16
_UNNAMED: Final = re.compile(r"[^0-9A-Za-z.-]+")


class Heights(Protocol):
    """Which block the totals have come to."""

    def last_height(self) -> int:
        """0 for none."""
        ...


class Files(NamedTuple):
    """Where a page's files are, by kind; ``tables`` are the CSV files of several, by their names
    for people, in the catalogues' English.
    """

    kinds: Mapping[str, str]
    tables: Sequence[tuple[str, str]] = ()


class Taking:
    """Makes files for who is let in; the caller has seen to that."""

    def __init__(self, gate: Gate, totals: Heights, log: Blocks) -> None:
        self._gate, self._totals, self._log = gate, totals, log

    def answer(self, kind: str, visitor: Visitor, taken: Taken, stem: str) -> Response:
        """The file; NotFoundError ``no_such_address``, MalformedError ``report_too_large``."""
        name = f"{stem}.{kind}"
        if kind == "manifest":
            block = block_of(self._log, self._totals.last_height())
            said = taken_manifest(taken, self.asked(visitor), block)
            return sent((said,), "manifest", f"{name}.json")
        if kind == "zip":
            block = block_of(self._log, self._totals.last_height())
            return sent(package(taken, self.asked(visitor), block, stem), "zip", name)
        for part in parts_of(taken):
            if part.ending == kind:
                return sent(part.made(), kind.rpartition(".")[2], name)
        raise NotFoundError("no_such_address", "there is no such file")

    def asked(self, visitor: Visitor) -> Asked:
        """Who takes something along now, as a manifest says it."""
        by, person = self._gate.by(visitor), visitor.person
        at = format_time(datetime.fromtimestamp(by.at, UTC))
        return Asked(by.actor, person.name, person.role, at)


def files(
    endpoint: str, asked: Mapping[str, str], tables: Mapping[str, str] = MappingProxyType({})
) -> Files:
    """The links to a page's files: one for each kind, or each table's CSV."""
    said: dict[str, Any] = {name: one for name, one in asked.items() if one}

    def link(kind: str) -> str:
        return url_for(endpoint, kind=kind, **said)

    alone = () if tables else ("csv",)
    kinds = {kind: link(kind) for kind in ("xlsx", *alone, "json", "zip", "manifest")}
    return Files(kinds, [(name, link(f"{table}.csv")) for table, name in tables.items()])


def sent(parts: Iterable[bytes], kind: str, name: str) -> Response:
    """A file to be kept under that name, made while it is sent; what is wrong at once, is told.

    Of a name letters, digits, points and dashes are left.
    """
    body = _gathered(parts)
    first = next(body, b"")
    answer = Response(chain((first,), body), content_type=TYPES[kind])
    answer.headers["Content-Disposition"] = f'attachment; filename="{_UNNAMED.sub("-", name)}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def place_up_to(asked: str, newest: int) -> int:
    """Up to which act or invoice a file goes: as asked, or to the newest.

    MalformedError ``parameter_malformed``, also for one that there is not yet: the same address
    would give another file once there is.
    """
    if not asked:
        return newest
    if asked.isascii() and asked.isdecimal() and len(asked) < _DIGITS:
        last = int(asked)
        if last <= newest and asked == str(last):
            return last
    raise MalformedError(
        "parameter_malformed", f"up_to is a whole number, {newest} at most", pointer="up_to"
    )


def _gathered(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in larger pieces: each costs an answer some work."""
    held: list[bytes] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= _AT_ONCE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
