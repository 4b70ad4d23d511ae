"""The rows of one order as a request: each field from the column that has it."""

from typing import Any, Final, NamedTuple

import msgspec

from chain.errors import MalformedError, Problem
from invoice_service.documents.order_columns import (
    OF_ITS_ORDER,
    RATES_IN_WORDS,
    buyer_kind,
    check_whole,
    money,
    quantity,
    rate,
)
from invoice_service.domain.money import Fen, parse_yuan

_TEXTS: Final = ("till", "replaces", "drawer", "payee", "reviewer")
_SUMS: Final = {
    "order_discount": "discount",
    "invoice_total": "total",
    "order_total": "order_total",
}
_COUNTS: Final = ("part", "parts")
_BUYER: Final = {
    "buyer_kind": "kind",
    "buyer": "name",
    "buyer_tax_id": "tax_id",
    "buyer_address_phone": "address_phone",
    "buyer_payment_id": "payment_id",
}
_MAY_DIFFER: Final = frozenset({"order_id", "time"})
_NOTHING: Final = frozenset({"", "0", "0.0", "0.00"})
_COLUMNS: Final = {
    **{f"/{field}": name for name, field in _SUMS.items()},
    **{f"/buyer/{field}": name for name, field in _BUYER.items()},
}
_OF_LINES: Final = {"name": "item"}


class Row(NamedTuple):
    """A line of a table and where it stands: what our columns say, and the others."""

    line: int
    cells: dict[str, str]
    more: dict[str, str]
    fault: Problem | None = None

    @property
    def time(self) -> str:
        """When it was sold; "" where that is not said."""
        return self.cells.get("time", "")


def body_of(order_id: str, day: str, rows: list[Row]) -> bytes:
    """The request for one order's rows. MalformedError for what cannot be one."""
    lines = []
    for index, row in enumerate(rows):
        if row.fault is not None:
            raise row.fault
        for name, text in row.cells.items():
            check_whole(name, text, row.line)
        lines.append(_line(row, index))
    said = _said(rows)
    when = rows[0].time
    request: dict[str, Any] = {
        "order_id": order_id,
        "lines": lines,
        "remark": said.get("remark", f"下单时间 {when}" if when else ""),
        **({"business_day": day} if day else {}),
        **{name: said[name] for name in _TEXTS if name in said},
        **{name: _whole(said[name]) for name in _COUNTS if name in said},
    }
    for name, field in _SUMS.items():
        if name in said:
            request[field] = _fen(said[name], rows[0].line, f"/{field}")
    buyer = _buyer(said)
    return msgspec.json.encode(request | ({"buyer": buyer} if buyer else {}))


def column_of(pointer: str) -> tuple[int, str]:
    """(which of the order's lines, from 0; which of our columns) a pointer into its request is
    about; ("") for none.
    """
    parts = pointer.split("/")
    if len(parts) > 2 and parts[1] == "lines" and parts[2].isdigit():
        field = parts[3] if len(parts) > 3 else ""
        return int(parts[2]), _OF_LINES.get(field, field)
    return 0, _COLUMNS.get(pointer, pointer.removeprefix("/"))


def _said(rows: list[Row]) -> dict[str, str]:
    """What is said of the order as a whole: its lines agree, or say nothing."""
    said: dict[str, str] = {}
    where: dict[str, int] = {}
    for row in rows:
        for name in OF_ITS_ORDER & row.cells.keys() - _MAY_DIFFER:
            text = row.cells[name]
            if not text:
                continue
            if said.setdefault(name, text) != text:
                raise MalformedError(
                    "csv_order_differs",
                    f"the {name} of one order is {said[name][:40]!r} in line {where[name]} and"
                    f" {text[:40]!r} in line {row.line}: say it once, or the same in all of its"
                    " lines",
                    pointer=f"/{name}",
                    detail_zh=f"第 {where[name]} 行为“{said[name][:40]}”，"
                    f"第 {row.line} 行为“{text[:40]}”",
                )
            where.setdefault(name, row.line)
    return said


def _buyer(said: dict[str, str]) -> dict[str, str]:
    """Whoever has a tax id is a company, unless it is said otherwise."""
    buyer = {field: said[name] for name, field in _BUYER.items() if name in said}
    if "kind" in buyer:
        buyer["kind"] = buyer_kind(buyer["kind"])
    elif "tax_id" in buyer:
        buyer["kind"] = "company"
    return buyer


def _line(row: Row, index: int) -> dict[str, Any]:
    """A line of the request; an empty cell is no field."""
    given = {name: text for name, text in row.cells.items() if text}
    if given.get("discount_unclear", "") not in _NOTHING:
        raise MalformedError(
            "csv_discount_unclear",
            f"line {row.line}: {given['discount_unclear'][:20]!r} may be yuan that are taken off,"
            " or the share of a price that is left: call the column 优惠金额 or discount, and"
            " write yuan",
            pointer=f"/lines/{index}/discount",
        )
    tax_rate, kind = rate(given.get("tax_rate", ""))
    line: dict[str, Any] = {"name": given.get("item", "")}
    if "quantity" in row.cells:
        line["quantity"] = quantity(row.cells["quantity"])
    if "unit_price" in given or not {"total", "unit_price_yuan"} & given.keys():
        line["unit_price"] = _fen(
            given.get("unit_price", ""), row.line, f"/lines/{index}/unit_price"
        )
    line["tax_rate"] = tax_rate
    for name in ("discount", "total"):
        if name in given:
            line[name] = _fen(given[name], row.line, f"/lines/{index}/{name}")
    if "unit_price_yuan" in given:
        line["unit_price_yuan"] = money(given["unit_price_yuan"])
    if kind or "tax_kind" in given:
        word = given.get("tax_kind", kind)
        line["tax_kind"] = RATES_IN_WORDS.get(word, word)
    return line | {name: given[name] for name in ("spec", "unit") if name in given}


def _fen(price: str, line: int, pointer: str) -> Fen:
    """Yuan to fen; a minus sign is for the service to refuse, with its own code."""
    plain = money(price)
    try:
        return -parse_yuan(plain[1:]) if plain.startswith("-") else parse_yuan(plain)
    except MalformedError as error:
        raise MalformedError(
            error.code,
            f"line {line}: {price[:40]!r} is not yuan with at most two decimals, like 106.60",
            pointer=pointer,
            detail_zh=f"第 {line} 行：“{price[:40]}”不是至多两位小数的金额（元），例如 106.60",
        ) from None


def _whole(text: str) -> int | str:
    """A small whole number; what is none is left for the service to refuse."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else text
