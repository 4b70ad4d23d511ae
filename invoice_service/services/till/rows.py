"""What a till's page is shown of bills, invoices and shifts: JSON, written in one place."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET

from invoice_service.domain.document import Line
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.money import Fen
from invoice_service.domain.numbering import format_issued_at
from invoice_service.domain.quantity import format_quantity
from invoice_service.domain.returns import Standing
from invoice_service.services.till.ports import Bill, Listed, Part, Shift

Row = dict[str, Any]
_read_buyer: Final = msgspec.json.Decoder(dict[str, str]).decode


class Names(NamedTuple):
    """People's names by their ids."""

    of: Mapping[int, str]

    def by(self, person: int) -> Row:
        """One of them."""
        return {"id": person, "name": self.of.get(person, "")}


def bill_row(bill: Bill, names: Names, sold: Sequence[Part] = ()) -> Row:
    """A bill that is open, or on its way to being settled; then with what is ``sold`` of it."""
    content = msgspec.to_builtins(bill.content)
    row: Row = {
        "id": bill.id,
        "version": bill.version,
        "table": None,
        "lines": [],
        **content,
        "opened_at": format_issued_at(bill.opened_at),
        "by": names.by(bill.person),
        "till": bill.till,
    }
    if bill.state == "settling":
        row["settling"] = True
        row["order_id"] = bill.order_id
        row["parts"] = [{"total": part["total"]} for part in msgspec.json.decode(bill.settlement)]
        row["sold"] = [
            {"part": one.part, "number": one.number, "total_amount": one.total, "hash": one.hash}
            for one in sold
        ]
    return row


def settled_row(said: Mapping[str, Any], names: Names) -> Row:
    """By whom, when and where a bill was settled; of one of before that is not known."""
    if not said.get("at"):
        return {"by": None, "settled_at": None, "till": None}
    when = format_issued_at(said["at"])
    return {"by": names.by(said["by"]), "settled_at": when, "till": said["till"]}


def shift_row(shift: Shift, names: Names) -> Row:
    """A shift; counted and compared once it is closed."""
    row: Row = {
        "id": shift.id,
        "till": shift.till,
        "business_day": shift.business_day,
        "float": shift.change,
        "opened_at": format_issued_at(shift.opened_at),
        "by": names.by(shift.opened_by),
    }
    if shift.closed_at is None:
        return row
    return row | {
        "closed_at": format_issued_at(shift.closed_at),
        "closed_by": names.by(shift.closed_by or 0),
        "expected": shift.expected,
        "counted": shift.counted,
        "difference": difference(shift),
        "note": shift.note,
    }


def difference(shift: Shift) -> dict[str, Fen]:
    """What was counted above what should be there, by kinds that were counted or expected."""
    kinds = sorted({*shift.counted, *shift.expected})
    return {
        kind: shift.counted.get(kind, 0) - shift.expected.get(kind, 0)
        for kind in kinds
        if kind in shift.counted
    }


def invoice_row(listed: Listed, published: int, names: Names) -> Row:
    """A line of the list; ``published`` is the last invoice that the public log has."""
    invoice, sale = listed
    row: Row = {
        "hash": invoice.hash,
        "code": invoice.code,
        "number": invoice.number,
        "type": invoice.type,
        "order_id": invoice.order_id,
        "till": invoice.till,
        "issued_at": format_issued_at(invoice.issued_at),
        "total_amount": invoice.total,
        "left": invoice.left if invoice.type == "blue" else 0,
        "state": state(invoice, published),
        "payments": [] if sale is None else _payments(sale.paid),
        "by": None if sale is None else names.by(sale.person),
    }
    buyer = buyer_of(invoice)
    if name := buyer.get("name"):
        row["buyer_name"] = name
    if buyer.get("kind") == "erased":
        row["buyer_erased"] = True  # what stands as the name is the same in every language
    if invoice.reverses_hash:
        row["reverses"] = invoice.reverses_hash
    return row


def state(invoice: StoredInvoice, published: int) -> str:
    """How it stands, in the till's words."""
    if invoice.type == "red":
        return "red"
    if invoice.reversal is not None:
        return invoice.reversal
    return "anchored" if invoice.seq <= published else "issued"


def buyer_of(invoice: StoredInvoice) -> dict[str, str]:
    """What stands there of the buyer; {} where it cannot be read any more."""
    try:
        return _read_buyer(invoice.buyer)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}


def detail_lines(lines: list[Line], left: list[Standing]) -> list[Row]:
    """What was sold, and what is left of each."""
    standing = {one.number: one for one in left}
    return [
        _detail(number, line, lines[number : number + 1], standing.get(number))
        for number, line in enumerate(lines, 1)
        if line.nature is UNSET
    ]


def _detail(number: int, line: Line, after: list[Line], left: Standing | None) -> Row:
    off = sum(-one.total for one in after if one.nature == "discount")
    row: Row = {
        "number": number,
        "name": line.name,
        "quantity": line.quantity,
        "total": line.total - off,
        "discount": off,
        "tax_rate": line.tax_rate,
    }
    for name in ("unit_price", "unit_price_yuan", "tax_kind"):
        if getattr(line, name) is not UNSET:
            row[name] = getattr(line, name)
    if left is not None:
        row |= {"quantity_left": format_quantity(left.quantity), "left": left.net}
    return row


def _payments(paid: Mapping[str, Fen]) -> list[Row]:
    return [{"kind": kind, "amount": amount} for kind, amount in paid.items()]
