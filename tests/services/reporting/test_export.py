"""Exports: every invoice once, byte for byte as hashed; tables that spreadsheets read safely."""

import csv
import io

import msgspec
import pytest

from chain.commitment import parse_password_area
from chain.errors import UnavailableError
from invoice_service.domain.invoice import document_digest, parse_request, prepare
from invoice_service.services.ports import InvoiceFilter
from invoice_service.services.reporting import export
from invoice_service.services.reporting.export import (
    COLUMNS,
    ExportedInvoice,
    export_csv,
    export_ndjson,
)
from tests.domain.samples import line, order
from tests.services.town import RATES, Town
from tests.storage.shop import tamper

ALL = InvoiceFilter()


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE", 4)


def table(data: bytes) -> list[list[str]]:
    """The CSV as a spreadsheet reads it, without its header."""
    text = data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == list(COLUMNS)
    return rows[1:]


def test_ndjson_holds_what_was_hashed(town: Town) -> None:
    issued = town.issue(10)
    red = town.reverse(issued[3])
    lines = b"".join(export_ndjson(town.store, ALL)).splitlines()
    exported = [msgspec.json.decode(line, type=ExportedInvoice) for line in lines]
    assert [one.seq for one in exported] == list(range(1, 12))
    assert exported[3].reversed_by == (red.hash,)
    for one in exported:
        face, buyer, sold = (bytes(raw) for raw in (one.face, one.buyer, one.lines))
        digest = document_digest(face, buyer, sold, bytes.fromhex(one.salts))
        assert digest == parse_password_area(one.hash)


def test_an_export_goes_on_where_another_ended(town: Town) -> None:
    town.issue(6)
    whole = list(export_ndjson(town.store, ALL))
    assert list(export_ndjson(town.store, ALL, after=4)) == whole[4:]
    assert list(export_ndjson(town.store, ALL, after=6)) == []


def test_csv_in_yuan_with_a_byte_order_mark(town: Town) -> None:
    issued = town.issue(9)
    red = town.reverse(issued[0])
    data = b"".join(export_csv(town.store, ALL))
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\r\n") == 11
    rows = table(data)
    assert [row[1] for row in rows] == [invoice.number for invoice in [*issued, red]]
    assert rows[0][12:] == ["", red.hash, issued[0].hash, "", "", "", ""]
    fen = [round(float(row[10]) * 100) for row in rows]
    assert fen == [invoice.total for invoice in [*issued, red]]


def test_a_discount_has_a_column(town: Town) -> None:
    town.sell(
        order(order_id="plain", lines=[line(name='"nature"')]),
        order(order_id="less", discount=250, lines=[line(discount=100), line()]),
    )
    plain, less = table(b"".join(export_csv(town.store, ALL)))
    assert (plain[12], less[12], less[10]) == ("", "-3.50", "222.50")


def test_what_tells_an_order_apart_has_columns(town: Town) -> None:
    told = {"till": "=1", "business_day": "2018-08-10", "part": 1, "parts": 2, "order_total": 90000}
    first = town.sell(order(order_id="001", **told))[0]
    town.reverse(first)
    anew = town.sell(order(order_id="001", **told, replaces=first.hash))[0]
    rows = table(b"".join(export_csv(town.store, ALL)))
    place = ["'=1", "2018-08-10", "1/2"]
    assert [row[15:] for row in rows] == [[*place, ""], [*place, ""], [*place, first.hash]]
    assert rows[2][14] == anew.hash


def test_one_merchants_invoices(town: Town) -> None:
    town.issue(7)
    rows = table(b"".join(export_csv(town.store, InvoiceFilter(merchant_id=2))))
    assert {row[4] for row in rows} == {town.merchants[1].tax_id}
    assert len(rows) == 2


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1+1", "@SUM(A1)", "＝1+1"])
def test_formulas_are_texts(town: Town, name: str) -> None:
    body = order(order_id=name, buyer={"kind": "individual", "name": name})
    request = parse_request(msgspec.json.encode(body))
    salts = town.random.randbytes(48)
    seller, randbytes = town.merchants[0], town.random.randbytes
    town.hand_in([prepare(request, seller, salts=salts, rates=RATES, new_key=randbytes)])
    (row,) = table(b"".join(export_csv(town.store, ALL)))
    assert (row[6], row[11]) == (f"'{name}", f"'{name}")


def test_a_damaged_row_ends_the_export(town: Town) -> None:
    town.issue(6)
    tamper(town.folder, "UPDATE invoices SET total = 1 WHERE seq = 5")
    lines = export_ndjson(town.store, ALL)
    assert len([next(lines) for _ in range(4)]) == 4
    with pytest.raises(UnavailableError) as caught:
        next(lines)
    assert caught.value.code == "record_damaged"
