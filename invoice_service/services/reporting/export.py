"""Exporting invoices: whole documents as NDJSON, faces as a table; read a page at a time."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from invoice_service.domain.document import read_lines
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.money import format_yuan
from invoice_service.domain.text import harmless_cell
from invoice_service.services.ports import InvoiceFilter, InvoiceReader
from invoice_service.services.records import checked_face

PAGE = 500

BOM: Final = "\ufeff"
"""Without it Excel reads UTF-8 as the machine's old code page."""

COLUMNS: Final = (
    "代码 code",
    "号码 number",
    "类型 type",
    "开票时间 issued_at",
    "销售方税号 seller_tax_id",
    "销售方 seller",
    "购买方 buyer",
    "购买方税号 buyer_tax_id",
    "金额 amount",
    "税额 tax",
    "价税合计 total",
    "订单 order_id",
    "折扣 discount",
    "红冲 reversed_by",
    "密码区 hash",
    "收银台 till",
    "营业日 business_day",
    "分单 part",
    "替换 replaces",
)
AMOUNTS: Final = frozenset({8, 9, 10, 12})
"""The columns that hold yuan; all others are texts, also where they are made of digits."""

_TEXTS: Final = frozenset({5, 6, 11, 15})  # as people wrote them


class ExportedInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the NDJSON export: the three groups as they were hashed, and their salts.

    A buyer who was erased is ``{"digest": …}``, the commitment, and the salt's bytes are zeros.
    """

    seq: int
    hash: str
    face: msgspec.Raw
    buyer: msgspec.Raw
    lines: msgspec.Raw
    salts: str
    reversed_by: tuple[str, ...]


def read_all(
    reader: InvoiceReader, wanted: InvoiceFilter, after: int = 0
) -> Iterator[StoredInvoice]:
    """Every matching invoice in order, ``PAGE`` at a time, each believed only when checked."""
    while page := reader.invoices(wanted, after, PAGE):
        yield from page
        after = page[-1].seq


def export_ndjson(reader: InvoiceReader, wanted: InvoiceFilter, after: int = 0) -> Iterator[bytes]:
    """One JSON line an invoice; UnavailableError ``record_damaged`` at the first bad row."""
    for invoice in read_all(reader, wanted, after):
        checked_face(invoice)
        yield msgspec.json.encode(_exported(invoice)) + b"\n"


def export_csv(reader: InvoiceReader, wanted: InvoiceFilter, after: int = 0) -> Iterator[bytes]:
    """RFC 4180 with a byte order mark, a header, and amounts in yuan: for spreadsheets."""
    yield BOM.encode() + _csv_line(COLUMNS)
    for cells in export_rows(reader, wanted, after):
        yield _csv_line(
            [harmless_cell(cell) if n in _TEXTS else cell for n, cell in enumerate(cells)]
        )


def export_rows(
    reader: InvoiceReader, wanted: InvoiceFilter, after: int = 0
) -> Iterator[tuple[str, ...]]:
    """A row of texts below ``COLUMNS`` for each invoice, amounts in yuan; errors as NDJSON."""
    for invoice in read_all(reader, wanted, after):
        yield _cells(invoice, checked_face(invoice))


def _exported(invoice: StoredInvoice) -> ExportedInvoice:
    return ExportedInvoice(
        seq=invoice.seq,
        hash=invoice.hash,
        face=msgspec.Raw(invoice.face),
        buyer=msgspec.Raw(_buyer(invoice)),
        lines=msgspec.Raw(invoice.lines),
        salts=invoice.salts.hex(),
        reversed_by=invoice.reversed_by,
    )


def _buyer(invoice: StoredInvoice) -> bytes:
    if not invoice.erased:
        return invoice.buyer
    return msgspec.json.encode({"digest": invoice.erased.hex()})


def _cells(invoice: StoredInvoice, face: dict[str, Any]) -> tuple[str, ...]:
    buyer = msgspec.json.decode(invoice.buyer)
    return (
        face["code"],
        face["number"],
        face["type"],
        face["issued_at"],
        face["seller"]["tax_id"],
        face["seller"]["name"],
        buyer["name"],
        buyer["tax_id"],
        format_yuan(invoice.amount),
        format_yuan(invoice.tax),
        format_yuan(invoice.total),
        face["order_id"],
        _discount(invoice.lines),
        " ".join(invoice.reversed_by),
        invoice.hash,
        invoice.till,
        invoice.business_day,
        f"{face['part']}/{face['parts']}" if invoice.part else "",
        face.get("replaces", ""),
    )


def _discount(lines: bytes) -> str:
    """What its discount lines come to, below 0 on a blue invoice; "" where it has none."""
    if b'"nature"' not in lines:
        return ""
    discounts = [line.total for line in read_lines(lines) if line.nature == "discount"]
    return format_yuan(sum(discounts)) if discounts else ""


def _csv_line(cells: Sequence[str]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode()
