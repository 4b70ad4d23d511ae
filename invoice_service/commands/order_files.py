"""Files of orders into issue requests: NDJSON as it is, tables by the order, the shipped samples.

What cannot become a request is a record all the same, with the reason: one bad order stops no
other.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from chain.errors import MalformedError, Problem
from chain.hashing import sha256, sha256_of_parts
from invoice_service.commands.sales import days_apart, moment
from invoice_service.documents.order_columns import (
    check_whole,
    columns_of,
    money,
    quantity,
    rate,
    time,
)
from invoice_service.documents.tables import TableRow, table_rows
from invoice_service.domain.lists import filled_lines
from invoice_service.domain.money import Fen, parse_yuan

LONGEST_RECORD: Final = 1 << 20  # bytes; the most that any server takes
CATERING_RATE: Final = "0.06"
TABLES: Final = (".csv", ".xlsx")
SAMPLES: Final = ("bills", "year")


class Record(NamedTuple):
    """One order of a file: its place from 1, its request as one JSON text, or why there is none.

    Without a business day the same file again is known by ``key``, its Idempotency-Key.
    """

    number: int
    order_id: str
    body: bytes
    problem: Problem | None = None
    key: str = ""
    more: dict[str, str] = {}  # noqa: RUF012 # never changed
    """What further columns of its file say of it."""

    def sent(self) -> bytes:
        """The request with its key."""
        if not self.key:
            return self.body
        return b'{"idempotency_key":"%s",' % self.key.encode() + self.body[1:]


Source = Callable[[], Iterator[Record]]
"""Reads the same records anew each time it is called."""


def open_orders(path: Path) -> Source:
    """A source for ``path``, by its name's ending: a table (.csv, .xlsx), else NDJSON."""
    read = read_csv if path.suffix.lower() in TABLES else read_ndjson
    return lambda: _keyed(read(path), _file_digest(path))


def open_sample(name: str) -> Source:
    """A source for the shipped sample "year" (21,350 orders) or "bills" (244)."""
    read = read_sample_year if name == "year" else read_sample_bills
    return lambda: _keyed(read(), sha256(name.encode()))


def _file_digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return sha256_of_parts(iter(lambda: file.read(LONGEST_RECORD), b""))


def _keyed(records: Iterable[Record], source: bytes) -> Iterator[Record]:
    """Give a key to what is known by no day: that of its place in this very file."""
    for record in records:
        named = _named(record.body) if record.body.startswith(b"{") else None
        if named is None or named.business_day or named.idempotency_key or not named.order_id:
            yield record
        else:
            place = b"fapiao/v1/file\n%s%d\n%s" % (source, record.number, record.body)
            yield record._replace(key=sha256(place).hex())


def read_ndjson(path: Path) -> Iterator[Record]:
    """One record for each line that is not blank; whether it is a request, the service says."""
    with path.open("rb") as file:
        for number, (_, line) in enumerate(filled_lines(file, LONGEST_RECORD), start=1):
            if len(line) > LONGEST_RECORD:
                problem = MalformedError("body_too_large", "the line is over 1 MiB")
                yield Record(number, "", b"", problem)
            else:
                yield Record(number, _order_id(line), line.strip(b" \t"))


class _Named(msgspec.Struct):
    order_id: str = ""
    business_day: object = None
    idempotency_key: object = None


def _named(line: bytes) -> _Named | None:
    try:
        return msgspec.json.decode(line, type=_Named)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None  # the service's refusal says what is wrong with it


def _order_id(line: bytes) -> str:
    named = _named(line)
    return "" if named is None else named.order_id


class Row(NamedTuple):
    """A line of a table and where it stands: what our columns say, and the others."""

    line: int
    cells: dict[str, str]
    more: dict[str, str]
    fault: Problem | None = None


def read_csv(path: Path) -> Iterator[Record]:
    """One record for each order of a table: CSV or a workbook.

    Its lines stand together; a number on two days is two orders. Raises MalformedError for the
    whole file: not_utf8, csv_malformed, not_xlsx, body_too_large, csv_header_unknown,
    csv_order_scattered.
    """
    _check_together(path)
    for number, sale in enumerate(_sales(path), start=1):
        problem, body = sale.problem, b""
        if problem is None:
            try:
                body = _body(sale)
            except MalformedError as error:
                problem = error
        yield Record(number, sale.order_id, body, problem, more=_more(sale.rows))


class _Sale(NamedTuple):
    """The rows of one order; ``day`` is "" where they say none."""

    order_id: str
    day: str
    rows: list[Row]
    problem: Problem | None = None


def _sales(path: Path) -> Iterator[_Sale]:
    for order_id, group in groupby(_rows(path), key=lambda row: row.cells["order_id"]):
        rows = list(group)
        try:
            days = days_apart(order_id, [row.line for row in rows], [_time(row) for row in rows])
        except MalformedError as problem:
            yield _Sale(order_id, "", rows, problem)
            continue
        for day, pairs in groupby(zip(days, rows, strict=True), key=itemgetter(0)):
            yield _Sale(order_id, day, [row for _, row in pairs])


def _time(row: Row) -> str:
    return row.cells.get("time", "")


def _check_together(path: Path) -> None:
    """Refuse a file in which an order's lines are apart: half of it would become an invoice."""
    seen: dict[tuple[str, str], int] = {}
    for sale in _sales(path):
        first = sale.rows[0]
        days = {moment(_time(row)).day for row in sale.rows} if sale.problem else {sale.day}
        for day in days:
            if (sale.order_id, day) in seen:
                raise MalformedError(
                    "csv_order_scattered",
                    f"order {sale.order_id!r} stands in line {seen[sale.order_id, day]}, and after"
                    f" other orders again in line {first.line}: put the lines of one sale"
                    " together, and give another sale a number of its own",
                )
            seen[sale.order_id, day] = first.line


def _rows(path: Path) -> Iterator[Row]:
    """The lines below the header."""
    rows = table_rows(path)
    columns = columns_of(next(rows, TableRow(0, [])).cells)
    for line, cells in rows:
        fault = None
        if len(cells) < columns.width or any(cells[columns.width :]):
            fault = _row_fault(line, cells, columns.width)
        filled = cells + [""] * columns.width
        ours = {name: filled[place] for name, place in columns.ours.items()}
        if "time" in ours:
            ours["time"] = time(ours["time"])
        yield Row(line, ours, {n: filled[place] for n, place in columns.others.items()}, fault)


def _row_fault(line: int, cells: list[str], count: int) -> Problem:
    return MalformedError("csv_row_malformed", f"line {line} has {len(cells)} fields, not {count}")


def _more(rows: list[Row]) -> dict[str, str]:
    """What the columns say that are not ours: once, where all of the order's rows say the same."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        for name, text in row.more.items():
            found.setdefault(name, {}).update({text: None} if text else {})
    return {name: " | ".join(texts) for name, texts in found.items() if texts}


def _body(sale: _Sale) -> bytes:
    """The request for one order's rows; the time of the order is its remark."""
    lines = []
    for index, row in enumerate(sale.rows):
        if row.fault is not None:
            raise row.fault
        for name, text in row.cells.items():
            check_whole(name, text, row.line)
        lines.append(_line(row, index))
    return _request(sale.order_id, lines, _time(sale.rows[0]), sale.day)


def _line(row: Row, index: int) -> dict[str, object]:
    """A line of the request; an empty cell is no field."""
    given = {name: text for name, text in row.cells.items() if text}
    tax_rate, kind = rate(given.get("tax_rate", ""))
    line: dict[str, object] = {"name": given.get("item", "")}
    if "quantity" in row.cells:
        line["quantity"] = quantity(row.cells["quantity"])
    if "unit_price" in given or not {"total", "unit_price_yuan"} & given.keys():
        line["unit_price"] = _fen(given.get("unit_price", ""), row.line, index)
    line["tax_rate"] = tax_rate
    for name in ("discount", "total"):
        if name in given:
            line[name] = _fen(given[name], row.line, index, name)
    if "unit_price_yuan" in given:
        line["unit_price_yuan"] = money(given["unit_price_yuan"])
    if kind or "tax_kind" in given:
        line["tax_kind"] = given.get("tax_kind", kind)
    return line


def _fen(price: str, line: int, index: int, name: str = "unit_price") -> Fen:
    """Yuan to fen; a minus sign is for the service to refuse, with its own code."""
    plain = money(price)
    try:
        return -parse_yuan(plain[1:]) if plain.startswith("-") else parse_yuan(plain)
    except MalformedError as error:
        raise MalformedError(
            error.code,
            f"line {line}: {price[:40]!r} is not yuan with at most two decimals, like 106.60",
            pointer=f"/lines/{index}/{name}",
        ) from None


def _request(order_id: str, lines: list[dict[str, object]], time: str, day: str = "") -> bytes:
    request = {"order_id": order_id, "lines": lines, "remark": f"下单时间 {time}" if time else ""}
    return msgspec.json.encode(request | ({"business_day": day} if day else {}))


def read_sample_year() -> Iterator[Record]:
    """A restaurant's year: each row of the sample is one thing sold, its price with tax in yuan."""
    orders = groupby(_sample_rows("restaurant_year.csv"), key=lambda row: row["id"])
    for number, (order_id, group) in enumerate(orders, start=1):
        rows = list(group)
        lines: list[dict[str, object]] = [
            {
                "name": f"*餐饮服务*{row['name']}",
                "spec": row["size"],
                "unit_price": parse_yuan(row["price"]),
                "tax_rate": CATERING_RATE,
            }
            for row in rows
        ]
        day = rows[0]["date"]
        yield Record(number, order_id, _request(order_id, lines, f"{day} {rows[0]['time']}", day))


def read_sample_bills() -> Iterator[Record]:
    """One waiter's bills; a bill is one line, the meal."""
    for number, row in enumerate(_sample_rows("restaurant_bills.csv"), start=1):
        order_id = f"bill-{number:04}"
        line = {
            "name": "*餐饮服务*餐费",
            "unit_price": parse_yuan(row["total_bill"]),
            "tax_rate": CATERING_RATE,
        }
        yield Record(number, order_id, _request(order_id, [line], f"{row['day']} {row['time']}"))


def _sample_rows(name: str) -> Iterable[dict[str, str]]:
    text = files("invoice_service").joinpath("data", "sample", name).read_text(encoding="utf-8")
    return csv.DictReader(io.StringIO(text))
