"""Files of orders into issue requests: NDJSON as it is, CSV by the order, and the shipped samples.

What cannot become a request is a record all the same, with the reason: one bad order stops no
other.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from chain.errors import MalformedError, Problem
from invoice_service.domain.lists import filled_lines
from invoice_service.domain.money import Fen, parse_yuan

CSV_HEADER: Final = ["order_id", "time", "item", "quantity", "unit_price", "tax_rate"]
CSV_MORE: Final = ("discount", "total", "unit_price_yuan", "tax_kind")
"""Columns that may follow, in any order; a line has one of the two prices and ``total``."""

LONGEST_RECORD: Final = 1 << 20  # bytes; the most that any server takes
CATERING_RATE: Final = "0.06"
SAMPLES: Final = ("bills", "year")

_DATE: Final = re.compile(r"\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})", re.ASCII)
_DESTROYED: Final = re.compile(r"\d(\.\d+)?E\+\d+", re.ASCII)


class Record(NamedTuple):
    """One order of a file: its place from 1, its request as one JSON text, or why there is none."""

    number: int
    order_id: str
    body: bytes
    problem: Problem | None = None


Source = Callable[[], Iterator[Record]]
"""Reads the same records anew each time it is called."""


def open_orders(path: Path) -> Source:
    """A source for ``path``, by its name's ending: .csv, else NDJSON."""
    if path.suffix.lower() == ".csv":
        return lambda: read_csv(path)
    return lambda: read_ndjson(path)


def open_sample(name: str) -> Source:
    """A source for the shipped sample "year" (21,350 orders) or "bills" (244)."""
    return read_sample_year if name == "year" else read_sample_bills


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


def _order_id(line: bytes) -> str:
    try:
        return msgspec.json.decode(line, type=_Named).order_id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""  # the service's refusal says what is wrong with it


class Row(NamedTuple):
    """A line of a CSV file and where it stands."""

    line: int
    fields: list[str]
    columns: list[str] = CSV_HEADER


def read_csv(path: Path) -> Iterator[Record]:
    """One record for each order; its lines stand together.

    Raises MalformedError for the whole file: not_utf8, csv_malformed, csv_header_unknown,
    csv_order_scattered.
    """
    _check_together(path)
    orders = groupby(_rows(path), key=lambda row: row.fields[0])
    for number, (order_id, rows) in enumerate(orders, start=1):
        try:
            yield Record(number, order_id, _body(order_id, list(rows)))
        except MalformedError as problem:
            yield Record(number, order_id, b"", problem)


def _check_together(path: Path) -> None:
    """Refuse a file in which an order's lines are apart: half of it would become an invoice."""
    seen: dict[str, int] = {}
    for order_id, rows in groupby(_rows(path), key=lambda row: row.fields[0]):
        first = next(rows)
        if order_id in seen:
            raise MalformedError(
                "csv_order_scattered",
                f"order {order_id!r} stands in line {seen[order_id]}, and after other orders again"
                f" in line {first.line}: put the lines of one sale together, and give another sale"
                " a number of its own",
            )
        seen[order_id] = first.line


def _rows(path: Path) -> Iterator[Row]:
    """The lines below the header. A byte order mark, as Excel writes it, is no part of it."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = next(reader, [])
            _check_header(header)
            for fields in reader:
                if fields:
                    yield Row(reader.line_num, fields, header)
        except UnicodeDecodeError as error:
            raise MalformedError(
                "not_utf8", f"{path.name} is not UTF-8; save it as CSV UTF-8 ({error.reason})"
            ) from None
        except csv.Error as error:
            raise MalformedError(
                "csv_malformed", f"{path.name}, line {reader.line_num}: {error}"
            ) from None


def _check_header(header: list[str]) -> None:
    known, more = header[: len(CSV_HEADER)], header[len(CSV_HEADER) :]
    if known != CSV_HEADER or not set(more) <= set(CSV_MORE) or len(set(more)) < len(more):
        raise MalformedError(
            "csv_header_unknown",
            f"the first line must be {','.join(CSV_HEADER)}; behind it may stand"
            f" {', '.join(CSV_MORE)}",
        )


def _body(order_id: str, rows: list[Row]) -> bytes:
    """The request for one order's rows; the time of the order is its remark."""
    lines = []
    for index, row in enumerate(rows):
        if len(row.fields) != len(row.columns):
            raise MalformedError(
                "csv_row_malformed",
                f"line {row.line} has {len(row.fields)} fields, not {len(row.columns)}",
            )
        lines.append(_line(row, index))
    _check_one_sale(order_id, rows)
    return _request(order_id, lines, rows[0].fields[1])


def _line(row: Row, index: int) -> dict[str, object]:
    """A line of the request; an empty cell of the further columns is no field."""
    _, _, item, quantity, price, rate = row.fields[: len(CSV_HEADER)]
    more = zip(row.columns[len(CSV_HEADER) :], row.fields[len(CSV_HEADER) :], strict=True)
    given = {name: text for name, text in more if text}
    line: dict[str, object] = {"name": item, "quantity": quantity}
    if price or not {"total", "unit_price_yuan"} & given.keys():
        line["unit_price"] = _fen(price, row.line, index)
    line["tax_rate"] = rate
    for name, text in given.items():
        is_fen = name in ("discount", "total")
        line[name] = _fen(text, row.line, index, name) if is_fen else text
    return line


def _check_one_sale(order_id: str, rows: list[Row]) -> None:
    """Tills begin at 1 each morning: what stands under one number on two days is two sales."""
    days = {_day(row.fields[1]): row.line for row in rows}
    if len(days) > 1:
        raise MalformedError(
            "csv_order_two_days",
            f"order {order_id!r} has lines of {' and '.join(map(repr, days))}: give each sale a"
            " number of its own",
            pointer="/order_id",
        )
    if _DESTROYED.fullmatch(order_id):
        raise MalformedError(
            "csv_number_destroyed",
            f"a spreadsheet wrote the order's number as {order_id}, and its digits are lost: export"
            " that column as text",
            pointer="/order_id",
        )


def _day(time: str) -> str:
    """The day of a time as files write it, in one spelling where it begins with the year."""
    found = _DATE.match(time)
    if found:
        return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}"
    return time.strip().partition(" ")[0]


def _fen(price: str, line: int, index: int, name: str = "unit_price") -> Fen:
    """Yuan to fen; a minus sign is for the service to refuse, with its own code."""
    try:
        return -parse_yuan(price[1:]) if price.startswith("-") else parse_yuan(price)
    except MalformedError as error:
        raise MalformedError(
            error.code,
            f"line {line}: {price[:40]!r} is not yuan with at most two decimals, like 106.60",
            pointer=f"/lines/{index}/{name}",
        ) from None


def _request(order_id: str, lines: list[dict[str, object]], time: str) -> bytes:
    request = {"order_id": order_id, "lines": lines, "remark": f"下单时间 {time}" if time else ""}
    return msgspec.json.encode(request)


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
        time = f"{rows[0]['date']} {rows[0]['time']}"
        yield Record(number, order_id, _request(order_id, lines, time))


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
