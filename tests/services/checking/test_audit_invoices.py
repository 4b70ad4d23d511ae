"""The audit of invoices: each byte of a row, and rows that were forged as a whole."""

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain import canonical
from chain.audit.finding import AuditError
from chain.commitment import parse_password_area
from invoice_service.domain.invoice import Prepared, document_digest
from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.red import prepare_red
from invoice_service.domain.request import ReversalRequest
from tests.domain.samples import line, order
from tests.services.tampering import INVOICES, fill, first_wrong, forge, tamper
from tests.services.town import TEN_FEN, Town


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an instance that is in order."""
    folder = tmp_path_factory.mktemp("template")
    fill(folder)
    return folder


@pytest.fixture
def town(template: Path, tmp_path: Path) -> Iterator[Town]:
    """A copy of it, to be tampered with."""
    folder = tmp_path / "town"
    shutil.copytree(template, folder)
    town = Town(folder)
    town.now = town.log.block(4).sealed_at
    yield town
    town.close()


COLUMNS = (
    "merchant_id",
    "type",
    "code",
    "number",
    "hash",
    "issued_at",
    "order_id",
    "industry",
    "district",
    "amount",
    "tax",
    "total",
    "rates",
    "face",
    "buyer",
    "lines",
    "salts",
)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("seq", [1, 6, INVOICES, INVOICES + 2])
def test_one_byte_of_an_invoice(town: Town, column: str, seq: int) -> None:
    tamper(town, f"UPDATE invoices SET {column} = flip({column}) WHERE seq = {seq}")
    assert first_wrong(town) == ("invoice", seq)


@pytest.mark.parametrize("other", [1, 3, 7, 9, "NULL"])
def test_a_red_invoice_that_points_elsewhere(town: Town, other: int | str) -> None:
    tamper(town, f"UPDATE invoices SET reverses = {other} WHERE seq = 8")
    assert first_wrong(town) == ("invoice", 8)


@pytest.mark.parametrize("column", ["issued_at", "amount"])
@pytest.mark.parametrize("value", [2**62, -(2**62)])
def test_a_number_beyond_all_bounds(town: Town, column: str, value: int) -> None:
    tamper(town, f"UPDATE invoices SET {column} = {value} WHERE seq = 3")
    assert first_wrong(town) == ("invoice", 3)


@pytest.mark.parametrize("length", [0, 16, 47, 49])
def test_salts_of_another_length(town: Town, length: int) -> None:
    tamper(town, f"UPDATE invoices SET salts = zeroblob({length}) WHERE seq = 3")
    assert first_wrong(town) == ("invoice", 3)


def test_every_byte_of_a_face(town: Town) -> None:
    """Also those that leave it JSON, or change only its spelling."""
    invoice = town.store.invoice_at(5)
    assert invoice is not None
    for place in range(0, len(invoice.face), 7):
        for bit in (0x01, 0x20):
            face = bytearray(invoice.face)
            face[place] ^= bit
            whole = "UPDATE invoices SET face = ?, form = NULL WHERE seq = 5"
            tamper(town, whole, values=[bytes(face)])
            assert first_wrong(town) == ("invoice", 5)


def test_every_byte_of_a_form(town: Town) -> None:
    """Gaps included: one that has another name, or stands elsewhere."""
    with sqlite3.connect(town.folder / "invoices.db") as connection:
        query = "SELECT text FROM forms JOIN invoices ON form = id WHERE seq = 1"
        (form,) = connection.execute(query).fetchone()
    connection.close()
    for place in range(0, len(form), 5):
        for bit in (0x01, 0x20):
            bent = bytearray(form)
            bent[place] ^= bit
            tamper(town, "UPDATE forms SET text = ? WHERE id = 1", values=[bytes(bent)])
            assert first_wrong(town) == ("invoice", 1)


@pytest.mark.parametrize(
    "change",
    [
        "form = NULL",  # neither form nor face
        "form = 99",  # a form that is not there
        "form = (SELECT max(id) FROM forms)",  # another merchant's
        "face = x'7b7d'",  # a face beside the form
        "form = NULL, face = x'00'",
        "issued_at = 1000000000000",  # a year that no date has
    ],
)
def test_a_face_that_cannot_be_told(town: Town, change: str) -> None:
    tamper(town, f"UPDATE invoices SET {change} WHERE seq = 5")
    assert first_wrong(town) == ("invoice", 5)


def test_a_form_that_is_gone(town: Town) -> None:
    tamper(town, "DELETE FROM forms")
    assert first_wrong(town) == ("invoice", 1)


def test_a_row_that_is_gone(town: Town) -> None:
    tamper(town, "DELETE FROM invoices WHERE seq = 6")
    assert first_wrong(town) == ("invoice", 6)


def test_the_last_anchored_row_that_is_gone(town: Town) -> None:
    tamper(town, f"DELETE FROM invoices WHERE seq >= {INVOICES}")
    index = town.log.head().size - 2
    assert first_wrong(town) == ("entry", index)


def test_a_merchant_whose_tax_id_was_changed(town: Town) -> None:
    tamper(town, "UPDATE merchants SET tax_id = flip(tax_id) WHERE id = 2")
    assert first_wrong(town) == ("invoice", 2)


def test_a_merchant_whose_name_was_changed(town: Town) -> None:
    tamper(town, "UPDATE merchants SET name = name || '二' WHERE id = 2")
    assert first_wrong(town) == ("invoice", 2)


def test_a_merchant_that_is_gone(town: Town) -> None:
    tamper(town, "DELETE FROM merchants WHERE id = 3")
    assert first_wrong(town) == ("invoice", 3)


def test_a_quota_of_which_less_is_used_than_was_issued(town: Town) -> None:
    tamper(town, "UPDATE merchants SET used = used - 1 WHERE id = 2")
    assert first_wrong(town) == ("merchant", 2)


def test_a_row_forged_as_a_whole_does_not_stand_in_the_log(town: Town) -> None:
    forge(town, 3, lambda face: face.update(order_id="another"))
    assert first_wrong(town) == ("entry", 2)


def test_amounts_that_are_not_those_of_the_lines(town: Town) -> None:
    forge(town, 3, lambda face: face.update(amount=face["amount"] + 1, total=face["total"] + 1))
    assert first_wrong(town) == ("invoice", 3)


def _one_fen_elsewhere(lines: bytes) -> bytes:
    """Their sums stay: one fen of tax goes from the last line to the first."""
    found: list[dict[str, Any]] = msgspec.json.decode(lines)
    for place, fen in ((0, 1), (-1, -1)):
        found[place]["tax"] += fen
        found[place]["amount"] -= fen
    return canonical.encode(found)


def test_lines_that_do_not_follow_from_themselves(town: Town) -> None:
    """In order as a whole: a sum over lines finds nothing."""
    (sold,) = town.sell(order(discount=7, lines=[line(), line(discount=1000)]))
    town.audit()
    stored = town.store.invoice_at(sold.seq)
    assert stored is not None
    forge(town, sold.seq, lambda _: None, lines=_one_fen_elsewhere(stored.lines))
    with pytest.raises(AuditError, match="a line 1 that follows"):
        town.audit()


def test_a_total_that_is_not_amount_and_tax(town: Town) -> None:
    forge(town, 3, lambda face: face.update(total=face["total"] + 1))
    assert first_wrong(town) == ("invoice", 3)


def test_a_gap_in_the_numbers(town: Town) -> None:
    """Of an invoice that is not in the log yet, so that nothing else is wrong with it."""
    forge(town, INVOICES + 2, lambda face: face.update(number="00000099"))
    assert first_wrong(town) == ("invoice", INVOICES + 2)


def test_a_code_of_another_year(town: Town) -> None:
    forge(town, INVOICES + 2, lambda face: face.update(code="144031909110", number="00000001"))
    assert first_wrong(town) == ("invoice", INVOICES + 2)


def test_a_document_of_another_form(town: Town) -> None:
    forge(town, INVOICES + 1, lambda face: face.update(seller="somebody"))
    assert first_wrong(town) == ("invoice", INVOICES + 1)


@pytest.mark.parametrize("group", ["face", "buyer", "lines"])
def test_another_spelling_of_a_document(town: Town, group: str) -> None:
    """The digest is right, but a document has one spelling only."""
    seq = INVOICES + 2
    invoice = town.store.invoice_at(seq)
    assert invoice is not None
    spelled = getattr(invoice, group) + b" "
    forged = msgspec.structs.replace(invoice, **{group: spelled})
    digest = document_digest(forged.face, forged.buyer, forged.lines, forged.salts)
    whole = ", form = NULL" if group == "face" else ""
    tamper(
        town,
        f"UPDATE invoices SET {group} = ?, hash = ?{whole} WHERE seq = {seq}",
        values=[spelled, digest],
    )
    with pytest.raises(AuditError, match=f"a canonical {group}"):
        town.audit()


def test_time_that_goes_back(town: Town) -> None:
    forge(
        town,
        INVOICES + 2,
        lambda face: face.update(issued_at="2018-08-09T12:00:00+08:00"),
        issued_at=int(datetime(2018, 8, 9, 4, tzinfo=UTC).timestamp()),
    )
    assert first_wrong(town) == ("invoice", INVOICES + 2)


def test_a_code_that_comes_back(town: Town) -> None:
    """Once a new code has begun, the old one's numbers would be given out a second time."""
    tamper(town, "DROP INDEX idx_invoices_number_code", changes=False)
    new, old = INVOICES + 1, INVOICES + 2
    forge(town, new, lambda face: face.update(code="144031809210", number="00000001"))
    assert first_wrong(town) == ("invoice", old)
    forge(town, old, lambda face: face.update(number="00000001"))
    assert first_wrong(town) == ("invoice", old)


def _reversal(town: Town, seq: int) -> Prepared:
    blue = town.store.invoice_at(seq)
    assert blue is not None
    return prepare_red(blue, ReversalRequest(reason=Reason.SALES_RETURN), salts=bytes(48))


def test_a_red_invoice_over_another_amount(town: Town) -> None:
    """In order by itself, but what it takes back is not what the blue one gave."""
    own, blue, other = _reversal(town, 5), town.store.invoice_at(5), town.store.invoice_at(9)
    assert blue is not None
    assert other is not None
    town.hand_in(
        [
            msgspec.structs.replace(
                own,
                form=own.form.replace(blue.hash.encode(), other.hash.encode()),
                reverses=parse_password_area(other.hash),
            )
        ]
    )
    assert first_wrong(town) == ("invoice", INVOICES + 3)


def test_a_red_invoice_over_a_part_that_was_not_left(town: Town) -> None:
    """Forged as a whole, numbers and sums right: but its tax is not that of what it takes."""
    blue = town.sell(order(lines=[line(unit_price=2800, quantity="3")]))[0]
    red = town.reverse(blue, TEN_FEN)
    town.audit()
    lines = msgspec.json.decode(town.store.returns_of(blue.seq)[0].lines)
    lines[0] |= {"amount": lines[0]["amount"] - 1, "tax": lines[0]["tax"] + 1}
    forge(
        town,
        red.seq,
        lambda face: face.update(amount=red.amount - 1, tax=red.tax + 1),
        lines=canonical.encode(lines),
        rates=f'[["0.06",{red.amount - 1},{red.tax + 1}]]',
    )
    with pytest.raises(AuditError, match="take from what is left"):
        town.audit()


def test_a_red_invoice_before_its_blue_one(town: Town) -> None:
    """Both forged as a whole, in the wrong order; numbers and digests are right."""
    blue = town.issue(1)[0]
    red = town.reverse(blue)
    forge(town, blue.seq, lambda face: face.update(number=red.number), number="x")
    forged = town.store.invoice_at(blue.seq)
    assert forged is not None
    forge(town, red.seq, lambda face: face.update(number=blue.number, reverses=forged.hash))
    forge(town, blue.seq, lambda _: None)
    tamper(
        town,
        f"UPDATE invoices SET seq = 99 WHERE seq = {blue.seq}",
        f"UPDATE invoices SET seq = {blue.seq}, reverses = {red.seq} WHERE seq = {red.seq}",
        f"UPDATE invoices SET seq = {red.seq} WHERE seq = 99",
    )
    with pytest.raises(AuditError, match="an earlier blue one"):
        town.audit()


DAY = "2018-08-12"
BILL = {"business_day": DAY, "till": "1", "parts": 3, "order_total": 30000}


@pytest.fixture
def bill(town: Town) -> Town:
    """Pending: 15 and 17 are parts of a bill, 16 takes 15 back, 18 stands in its place."""
    (first,) = town.sell(order(order_id="001", part=1, **BILL))
    town.reverse(first)
    town.sell(
        order(order_id="001", part=2, **BILL),
        order(order_id="001", part=1, replaces=first.hash, remark="corrected", **BILL),
    )
    town.audit()
    return town


@pytest.mark.parametrize(
    ("seq", "change"),
    [
        (17, {"parts": 2}),
        (17, {"order_total": 30001}),
        (17, {"replaces": "01" + "0" * 64}),
        (18, {"replaces": "01" + "0" * 64}),
        (18, {"replaces": ""}),
    ],
)
def test_a_part_that_says_otherwise_than_the_first(
    bill: Town, seq: int, change: dict[str, object]
) -> None:
    forge(bill, seq, lambda face: face.update(change))
    assert first_wrong(bill) == ("invoice", seq)


def test_parts_that_come_to_more_than_their_bill(bill: Town) -> None:
    less = {"order_total": 22599}
    for seq in (15, 17, 18):
        forge(bill, seq, lambda face: face.update(less))
    red, first = bill.store.invoice_at(16), bill.store.invoice_at(15)
    assert red is not None
    assert first is not None
    forge(bill, 16, lambda face: face.update(less, reverses=first.hash))
    forge(bill, 18, lambda face: face.update(replaces=first.hash))
    with pytest.raises(AuditError, match="an order of 22599 fen at most"):
        bill.audit()
    assert first_wrong(bill) == ("invoice", 18)


@pytest.mark.parametrize("change", ["till = '2'", "business_day = '2018-08-13'", "part = 3"])
@pytest.mark.parametrize("seq", [15, 16, 18])
def test_a_column_that_says_another_order(bill: Town, seq: int, change: str) -> None:
    tamper(bill, f"UPDATE invoices SET {change} WHERE seq = {seq}")
    assert first_wrong(bill) == ("invoice", seq)


def test_a_column_that_says_an_order_of_which_the_face_says_nothing(town: Town) -> None:
    for change in ("till = '1'", "business_day = '2018-08-10'", "part = 1"):
        name = change.partition(" ")[0]
        (was,) = _column(town, name)
        tamper(town, f"UPDATE invoices SET {change} WHERE seq = 3")
        assert first_wrong(town) == ("invoice", 3)
        tamper(town, f"UPDATE invoices SET {name} = ? WHERE seq = 3", values=[was])
    town.audit()


def _column(town: Town, name: str) -> tuple[object, ...]:
    with town.store.connections.reading() as connection:
        found: tuple[object, ...] = connection.execute(
            f"SELECT {name} FROM invoices WHERE seq = 3"  # our own name
        ).fetchone()
    return found
