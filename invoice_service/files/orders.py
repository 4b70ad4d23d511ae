"""Files of orders into issue requests: NDJSON as it is, tables by the order.

What cannot become a request is a record all the same, with the reason: one bad order stops no
other.
"""

from collections.abc import Iterator
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple

from chain.errors import MalformedError, Problem
from invoice_service.documents.order_columns import OF_ITS_ORDER, Columns, columns_of, time
from invoice_service.documents.tables import TableRow, table_rows
from invoice_service.domain.reading import without_mark
from invoice_service.files.days import days_apart, moment
from invoice_service.files.record import Record, Source, file_digest, keyed, read_ndjson
from invoice_service.files.rows import Row, body_of

TABLES: Final = (".csv", ".xlsx")
LISTS: Final = (".ndjson", ".jsonl", ".json")
_BEGINNING: Final = 4_096
_ABOVE: Final = 10
"""Rows in which a table's header is looked for: above it there may be its title."""

_FILLED: Final = OF_ITS_ORDER | {"item", "spec", "unit", "tax_rate", "tax_kind"}
"""What holds of every line that a merged cell spans; a price or a quantity would be counted
several times."""


def open_orders(path: Path, name: str = "") -> Source:
    """A source for ``path``, which is called ``name``: a table, or NDJSON.

    Its records have keys where nothing else tells them from others.
    """
    read = read_table if is_table(path, name or path.name) else read_ndjson
    return lambda: keyed(read(path), file_digest(path))


def is_table(path: Path, name: str) -> bool:
    """Whether a file of this name is a table: by its ending, else by how it begins."""
    ending = Path(name).suffix.lower()
    if ending in TABLES or ending in LISTS:
        return ending in TABLES
    with path.open("rb") as file:
        beginning = without_mark(file.read(_BEGINNING)).lstrip()
    return bool(beginning) and not beginning.startswith(b"{")


def read_table(path: Path) -> Iterator[Record]:
    """One record for each order of a table: CSV or a workbook.

    Its lines stand together; a number on two days is two orders. Raises MalformedError for the
    whole file, wherever it finds that: csv_header_unknown, csv_order_scattered, and as
    ``table_rows`` does. So whoever issues has read all of it before.
    """
    seen: dict[tuple[str, str, str, str], int] = {}
    for number, sale in enumerate(_sales(path), start=1):
        _check_together(sale, seen)
        problem, body = sale.problem, b""
        if problem is None:
            try:
                body = body_of(sale.order_id, sale.day, sale.rows)
            except MalformedError as error:
                problem = error
        yield Record(
            number,
            sale.order_id,
            body,
            problem,
            more=_more(sale.rows),
            till=sale.till,
            day=sale.day,
            part=int(sale.part) if sale.part in ("1", "2", "3", "4", "5") else 0,
            lines=tuple(row.line for row in sale.rows),
        )


def header_of(path: Path) -> Columns:
    """Which columns a table has; MalformedError as ``read_table``."""
    return _headed(table_rows(path))


class _Sale(NamedTuple):
    """The rows of one order; ``day`` is "" where they say none."""

    order_id: str
    till: str
    part: str
    day: str
    rows: list[Row]
    problem: Problem | None = None


def _sales(path: Path) -> Iterator[_Sale]:
    for (order_id, till, part, day), group in groupby(_rows(path), key=_place):
        rows = list(group)
        if not order_id:
            yield _Sale(order_id, till, part, day, rows, _unnamed(rows[0].line))
        elif day:
            yield _Sale(order_id, till, part, moment(day).day or day, rows)
        else:
            yield from _by_days(order_id, till, part, rows)


def _by_days(order_id: str, till: str, part: str, rows: list[Row]) -> Iterator[_Sale]:
    try:
        days = days_apart(order_id, [row.line for row in rows], [row.time for row in rows])
    except MalformedError as problem:
        yield _Sale(order_id, till, part, "", rows, problem)
        return
    for day, pairs in groupby(zip(days, rows, strict=True), key=itemgetter(0)):
        yield _Sale(order_id, till, part, day, [row for _, row in pairs])


def _place(row: Row) -> tuple[str, str, str, str]:
    cells = row.cells
    return (
        cells["order_id"],
        cells.get("till", ""),
        cells.get("part", ""),
        cells.get("business_day", ""),
    )


def _unnamed(line: int) -> MalformedError:
    return MalformedError(
        "csv_order_missing",
        f"line {line} has no order's number: if it belongs to the order above, write that number"
        " there, too",
        pointer="/order_id",
    )


def _check_together(sale: _Sale, seen: dict[tuple[str, str, str, str], int]) -> None:
    """Refuse a file in which an order's lines are apart: half of it would become an invoice."""
    if not sale.order_id:
        return
    first = sale.rows[0]
    undone = sale.problem and not sale.day
    for day in {moment(row.time).day for row in sale.rows} if undone else {sale.day}:
        place = (sale.order_id, sale.till, sale.part, day)
        if place in seen:
            raise MalformedError(
                "csv_order_scattered",
                f"order {sale.order_id!r} stands in line {seen[place]}, and after"
                f" other orders again in line {first.line}: put the lines of one sale"
                " together, and give another sale a number of its own",
                detail_zh=f"订单 {sale.order_id} 见于第 {seen[place]} 行和第 {first.line} 行",
            )
        seen[place] = first.line


def _rows(path: Path) -> Iterator[Row]:
    """The lines below the header."""
    rows = table_rows(path)
    columns = _headed(rows)
    above: dict[str, str] = {}
    for row in rows:
        fault = None
        if len(row.cells) < columns.width or any(row.cells[columns.width :]):
            fault = _row_fault(row.line, row.cells, columns.width)
        filled = row.cells + [""] * columns.width
        ours = {name: filled[place] for name, place in columns.ours.items()}
        if row.merged:
            fault = _fill(ours, above, row, columns) or fault
        for name in {"time", "business_day"} & ours.keys():
            ours[name] = time(ours[name])
        above = ours
        others = {name: filled[place] for name, place in columns.others.items()}
        yield Row(row.line, ours, others, fault)


def _fill(
    ours: dict[str, str], above: dict[str, str], row: TableRow, columns: Columns
) -> Problem | None:
    """Give the cells of a merged one what it says; the fault of one that cannot be several."""
    for name, place in columns.ours.items():
        if place not in row.merged:
            continue
        if name not in _FILLED:
            return MalformedError(
                "csv_cell_merged",
                f"line {row.line}: the cell of {columns.called[name]} is merged with the one above:"
                " whether it counts once or for each line, nobody can tell",
                detail_zh=f"第 {row.line} 行：“{columns.called[name]}”与上一行合并",
            )
        ours[name] = above.get(name, "")
    return None


def _headed(rows: Iterator[TableRow]) -> Columns:
    """The columns that the header names; the rows stand behind it then."""
    problem: MalformedError | None = None
    for row in islice(rows, _ABOVE):
        try:
            return columns_of(row.cells)
        except MalformedError as error:
            problem = problem or error
    if problem is not None:
        raise problem
    return columns_of([])


def _row_fault(line: int, cells: list[str], count: int) -> Problem:
    return MalformedError(
        "csv_row_malformed",
        f"line {line} has {len(cells)} fields, not {count}",
        detail_zh=f"第 {line} 行有 {len(cells)} 个单元格，应为 {count} 个",
    )


def _more(rows: list[Row]) -> dict[str, str]:
    """What the columns say that are not ours: once, where all of the order's rows say the same."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        for name, text in row.more.items():
            found.setdefault(name, {}).update({text: None} if text else {})
    return {name: " | ".join(texts) for name, texts in found.items() if texts}
