"""What a page of the bureau shows, to be taken along: tables as CSV, JSON and a workbook.

One description of tables for all of them. The same content gives the same bytes: none of these
says when it was made, or for whom; a manifest does (``documents.manifest``). CSV and JSON are made
row by row. In JSON money is a decimal string of fen and a time is UTC, as in all our answers; in
what people open, money is yuan and a time is Shenzhen's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from chain.entry import format_time
from chain.errors import MalformedError
from chain.hashing import sha256_of_parts
from invoice_service.documents.spreadsheet import BOM, NO_TIME, YUAN_FORMAT, packed, yuan
from invoice_service.documents.workbook import (
    READ_OF_ANYBODY,
    SHARE_FORMAT,
    SHEET_ROWS,
    Cell,
    cell_of,
    csv_line,
    kept,
    said_of_block,
    set_widths,
    text_cell,
    writable,
    write_cover,
)
from invoice_service.domain.numbering import shanghai_time
from invoice_service.domain.text import harmless_cell, visible

if TYPE_CHECKING:
    from openpyxl import Workbook

VERSION: Final = 1

Kind = Literal["text", "word", "count", "fen", "share", "time", "shown", "data"]
"""What a column holds: somebody's text or an id; a word of ours, which people read by ``words``; a
whole number; fen; a part of one, as a decimal; unix seconds. What is only ``shown`` is a text that
programs make from ``data``, which is in JSON alone.
"""

Value: TypeAlias = "str | int | Mapping[str, Any] | None"
Row: TypeAlias = Sequence[Value]

Basis = Literal["chain", "proofs", "trail", "record"]
"""From what a doubter can make a table again: from documents and the log, as of a block; row by
row, each with its proof; from the trail, to which the log is bound; from nothing but what the
service has kept.
"""

_BASES: Final[dict[Basis, dict[str, str]]] = {
    "chain": {
        "zh": "该表可由发票原文与公开日志重算，并逐步证明到签名的根。",
        "en": "This table can be made again from documents and the public log, up to its signed"
        " root.",
    },
    "proofs": {
        "zh": "每张发票都可凭其证明文件逐张向公开日志核验；刚开具或刚红冲的，随后才进入日志。",
        "en": "Each invoice has a proof against the public log; what was issued or taken back just"
        " now enters it a little later.",
    },
    "trail": {
        "zh": "该表出自操作记录：各条操作以摘要相连，并在数分钟内由公开日志的条目绑定；"
        "其中的决定在日志中另有条目。名称与文字说明只是本服务自己的记录。",
        "en": "This table is of the trail: its acts are chained by digests, which entries of the"
        " log bind within minutes; decisions have entries of their own. Names and words beside"
        " them are the service's own record.",
    },
    "record": {
        "zh": "该表只是本服务自己的记录，不能由日志重算。",
        "en": "This table is the service's own record alone; nothing in the log can make it again.",
    },
}


class Column(NamedTuple):
    """A column: its name for programs, its title for people, what it holds."""

    name: str
    title: str
    kind: Kind = "text"
    words: Mapping[str, str] = MappingProxyType({})


class Table(NamedTuple):
    """A table; ``rows`` reads them anew each time."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Callable[[], Iterable[Row]]
    basis: Basis


class Taken(NamedTuple):
    """What is taken along: of which page, what was asked, its tables.

    ``at`` says on what they stand and stay the same, where there is such a thing: ``block``, or the
    ``trail`` up to an act. ``most`` is how many rows there may be where they are never changed and
    can be read again for each file; 0 where they have to be read at once for all.
    """

    what: str
    title: str
    query: Mapping[str, str]
    tables: tuple[Table, ...]
    at: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    most: int = 0


def taken_csv(table: Table) -> Iterator[bytes]:
    """Yield RFC 4180 lines in UTF-8 with BOM: a header, the rows; as Excel reads them.

    Texts of digits have a tab before them, and no text is a formula.
    """
    columns = [column for column in table.columns if column.kind != "data"]
    yield BOM.encode() + csv_line([column.title for column in columns])
    for row in table.rows():
        yield csv_line([_in_csv(*one) for one in _shown(table.columns, row)])


def taken_json(taken: Taken) -> Iterator[bytes]:
    """Yield JSON piece by piece, keys in order: ``at``, ``query``, ``tables`` by name, ``what``."""
    yield (
        b'{"at":'
        + _written(dict(taken.at))
        + b',"query":'
        + _written(dict(taken.query))
        + b',"tables":{'
    )
    for at, table in enumerate(sorted(taken.tables, key=lambda one: one.name)):
        begin = _written(table.name) + b':{"basis":' + _written(table.basis) + b',"rows":['
        yield b"," * (at > 0) + begin
        mark = b""
        for row in table.rows():
            yield mark + _written(_as_data(table.columns, row))
            mark = b","
        yield b"]}"
    yield b'},"version":%d,"what":' % VERSION + _written(taken.what) + b"}"


def taken_workbook(taken: Taken) -> bytes:
    """Write a workbook (.xlsx): a cover, and a sheet for each table.

    MalformedError ``report_too_large``.
    """
    from openpyxl import Workbook

    held, left = [], SHEET_ROWS
    for table in taken.tables:
        rows = list(islice(table.rows(), left + 1))
        left -= len(rows)
        if left < 0:
            raise MalformedError("report_too_large", f"a workbook has {SHEET_ROWS:,} rows: use CSV")
        held.append(table._replace(rows=partial(iter, rows)))
    book = Workbook(write_only=True)
    write_cover(book.create_sheet("说明 about"), _cover(taken._replace(tables=tuple(held))))
    for table in held:
        _sheet(book, table)
    book.properties.created = book.properties.modified = NO_TIME
    return packed(book)


def notes_of(bases: Iterable[Basis]) -> list[dict[str, str]]:
    """What can be made again of tables of these kinds, and what cannot."""
    return [{"code": basis, **_BASES[basis]} for basis in dict.fromkeys(bases)]


def _cover(taken: Taken) -> list[tuple[str, str]]:
    """What it is, what was asked, on what it stands, what can be made again, the JSON's digest."""
    trail = taken.at.get("trail")
    return [
        ("内容 what", taken.title),
        *((f"查询 query {name}", value) for name, value in taken.query.items() if value),
        *(said_of_block(taken.at["block"]) if "block" in taken.at else ()),
        *(
            (("操作记录条数 acts", str(trail["acts"])), ("操作记录摘要 hash", trail["hash"]))
            if trail
            else ()
        ),
        *((f"行数 rows {one.title}", f"{sum(1 for _ in one.rows())}") for one in taken.tables),
        ("JSON 文件的 SHA-256 of the same as JSON", sha256_of_parts(taken_json(taken)).hex()),
        *(
            (f"说明 note {one.title}", f"{_BASES[one.basis]['zh']} {_BASES[one.basis]['en']}")
            for one in taken.tables
        ),
    ]


def _sheet(book: "Workbook", table: Table) -> None:
    sheet = book.create_sheet(table.title)
    titles: list[Cell] = [one.title for one in table.columns if one.kind != "data"]
    lines = [[_in_workbook(*one) for one in _shown(table.columns, row)] for row in table.rows()]
    set_widths(sheet, [titles, *lines])
    sheet.freeze_panes = "B2"
    sheet.append([text_cell(sheet, str(title), bold=True) for title in titles])
    formats = [
        SHARE_FORMAT if one.kind == "share" else YUAN_FORMAT
        for one in table.columns
        if one.kind != "data"
    ]
    for line in lines:
        sheet.append([cell_of(sheet, *one) for one in zip(line, formats, strict=True)])


def _shown(columns: Sequence[Column], row: Row) -> Iterator[tuple[Column, Value]]:
    """What people are shown of a row."""
    return (one for one in zip(columns, row, strict=True) if one[0].kind != "data")


def _in_csv(column: Column, value: Value) -> Cell:
    if column.kind == "time" and isinstance(value, int):
        return shanghai_time(value).isoformat()
    return kept(_plain(column, value), READ_OF_ANYBODY)


def _in_workbook(column: Column, value: Value) -> Cell:
    if column.kind == "time" and isinstance(value, int):
        return shanghai_time(value).replace(tzinfo=None)
    cell = _plain(column, value)
    return harmless_cell(cell) if isinstance(cell, str) else cell


def _plain(column: Column, value: Value) -> Cell:
    if value is None:
        return ""
    if isinstance(value, int):
        return yuan(value) if column.kind == "fen" else value
    text = writable(visible(str(value)))  # nothing turns the rest of its line round
    if column.kind == "share" and text:
        return Decimal(text)
    return column.words.get(text, text) if column.kind == "word" else text


def _as_data(columns: Sequence[Column], row: Row) -> dict[str, Any]:
    found = zip(columns, row, strict=True)
    return {column.name: _datum(column, value) for column, value in found if column.kind != "shown"}


def _datum(column: Column, value: Value) -> Value:
    if column.kind == "time" and isinstance(value, int):
        return format_time(datetime.fromtimestamp(value, UTC))
    if column.kind == "fen" and value is not None:
        return str(value)
    return value


_written: Final = msgspec.json.Encoder(order="deterministic").encode
