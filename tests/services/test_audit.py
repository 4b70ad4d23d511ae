"""The audit: clean where nothing was touched, and naming the first thing where something was."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain import canonical
from chain.commitment import parse_password_area
from chain.errors import UnavailableError
from chain.finding import AuditError
from invoice_service.domain.invoice import (
    Prepared,
    StoredInvoice,
    document_digest,
    prepare_red,
)
from invoice_service.domain.lifecycle import Reason
from invoice_service.services.audit import InstanceAudit, audit_instance
from invoice_service.services.close import Closing, totals_document
from invoice_service.services.ports import InvoiceFilter
from tests.services.town import Town

INVOICES = 12
"""Anchored in four blocks over three days; invoice 8 reverses invoice 2. Two more are pending."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an instance that is in order."""
    folder = tmp_path_factory.mktemp("template")
    town = Town(folder)
    town.settle_in()
    blues = town.issue(4)
    town.anchor()
    town.issue(3)
    town.reverse(blues[1])
    town.anchor()
    town.pass_days(1)
    town.issue(3)
    town.anchor()
    town.pass_days(1)
    town.issue(1)
    town.anchor()
    town.issue(2)
    town.close()
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


def _audit(town: Town, progress: Callable[[int, int], None] | None = None) -> InstanceAudit:
    return audit_instance(
        town.log_store,
        town.folder / "log",
        town.signer.verifier,
        town.store,
        town.store.totals,
        progress,
    )


def _tamper(
    town: Town,
    *statements: str,
    values: Sequence[object] = (),
    db: str = "invoices",
    changes: bool = True,
) -> None:
    """Change the database as somebody would who owns the file, and cover the tracks."""
    connection = sqlite3.connect(town.folder / f"{db}.db")
    connection.create_function("flip", 1, _flip)
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement, values)
        assert not changes or connection.execute("SELECT changes()").fetchone() != (0,)
    for _, sql in triggers:
        connection.execute(sql)
    connection.commit()
    connection.close()


def _flip(value: int | str | bytes) -> int | str | bytes:
    """Change one byte of a column's value, in the middle, to another one of its kind."""
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, bytes):
        middle = len(value) // 2
        return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
    middle = len(value) // 2
    return value[:middle] + chr(ord(value[middle]) ^ 1) + value[middle + 1 :]


def _first_wrong(town: Town) -> tuple[str, int | str]:
    with pytest.raises(AuditError) as caught:
        _audit(town)
    return str(caught.value.extra["kind"]), caught.value.extra["place"]


def test_an_instance_in_order_is_clean(town: Town) -> None:
    found = _audit(town)
    assert (found.invoices, found.pending) == (INVOICES + 2, 2)
    assert (found.log.blocks, found.totalled, found.closings) == (4, 4, 2)
    assert found.log.published == town.log.head().size


def test_an_empty_instance_is_clean(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.anchor()
    assert _audit(town).invoices == 0
    town.close()


def test_totals_that_are_behind_are_not_wrong(town: Town) -> None:
    _tamper(
        town,
        "DELETE FROM totals WHERE height > 2",
        "DELETE FROM blocks_totalled WHERE height > 2",
    )
    assert _audit(town).totalled == 2


def test_a_document_whose_closing_was_never_sequenced_is_not_wrong(town: Town) -> None:
    _tamper(
        town,
        "INSERT INTO closings SELECT day, through - 1, salt, document FROM closings",
    )
    _audit(town)


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
    _tamper(town, f"UPDATE invoices SET {column} = flip({column}) WHERE seq = {seq}")
    assert _first_wrong(town) == ("invoice", seq)


@pytest.mark.parametrize("other", [1, 3, 7, 9, "NULL"])
def test_a_red_invoice_that_points_elsewhere(town: Town, other: int | str) -> None:
    _tamper(town, f"UPDATE invoices SET reverses = {other} WHERE seq = 8")
    assert _first_wrong(town) == ("invoice", 8)


@pytest.mark.parametrize("column", ["issued_at", "amount"])
@pytest.mark.parametrize("value", [2**62, -(2**62)])
def test_a_number_beyond_all_bounds(town: Town, column: str, value: int) -> None:
    _tamper(town, f"UPDATE invoices SET {column} = {value} WHERE seq = 3")
    assert _first_wrong(town) == ("invoice", 3)


@pytest.mark.parametrize("length", [0, 16, 47, 49])
def test_salts_of_another_length(town: Town, length: int) -> None:
    _tamper(town, f"UPDATE invoices SET salts = zeroblob({length}) WHERE seq = 3")
    assert _first_wrong(town) == ("invoice", 3)


def test_every_byte_of_a_face(town: Town) -> None:
    """Also those that leave it JSON, or change only its spelling."""
    invoice = town.store.invoice_at(5)
    assert invoice is not None
    for place in range(0, len(invoice.face), 7):
        for bit in (0x01, 0x20):
            face = bytearray(invoice.face)
            face[place] ^= bit
            _tamper(town, "UPDATE invoices SET face = ? WHERE seq = 5", values=[bytes(face)])
            assert _first_wrong(town) == ("invoice", 5)


def test_a_row_that_is_gone(town: Town) -> None:
    _tamper(town, "DELETE FROM invoices WHERE seq = 6")
    assert _first_wrong(town) == ("invoice", 6)


def test_the_last_anchored_row_that_is_gone(town: Town) -> None:
    _tamper(town, f"DELETE FROM invoices WHERE seq >= {INVOICES}")
    index = town.log.head().size - 2
    assert _first_wrong(town) == ("entry", index)


def test_a_merchant_whose_tax_id_was_changed(town: Town) -> None:
    _tamper(town, "UPDATE merchants SET tax_id = flip(tax_id) WHERE id = 2")
    assert _first_wrong(town) == ("invoice", 2)


def _forge(
    town: Town, seq: int, change: Callable[[dict[str, Any]], None], **columns: int | str
) -> None:
    """Change a document, and everything in its row that follows from it."""
    invoice = town.store.invoice_at(seq)
    assert invoice is not None
    face: dict[str, Any] = msgspec.json.decode(invoice.face)
    change(face)
    forged = msgspec.structs.replace(invoice, face=canonical.encode(face))
    digest = document_digest(forged.face, forged.buyer, forged.lines, forged.salts)
    same = ("order_id", "number", "code", "amount", "tax", "total", "type")
    values = {"face": forged.face, "hash": digest, **{name: face[name] for name in same}, **columns}
    _tamper(
        town,
        f"UPDATE invoices SET {', '.join(f'{name} = ?' for name in values)} WHERE seq = {seq}",
        values=list(values.values()),
    )


def test_a_row_forged_as_a_whole_does_not_stand_in_the_log(town: Town) -> None:
    _forge(town, 3, lambda face: face.update(order_id="another"))
    assert _first_wrong(town) == ("entry", 2)


def test_amounts_that_are_not_those_of_the_lines(town: Town) -> None:
    _forge(town, 3, lambda face: face.update(amount=face["amount"] + 1, total=face["total"] + 1))
    assert _first_wrong(town) == ("invoice", 3)


def test_a_total_that_is_not_amount_and_tax(town: Town) -> None:
    _forge(town, 3, lambda face: face.update(total=face["total"] + 1))
    assert _first_wrong(town) == ("invoice", 3)


def test_a_gap_in_the_numbers(town: Town) -> None:
    """Of an invoice that is not in the log yet, so that nothing else is wrong with it."""
    _forge(town, INVOICES + 2, lambda face: face.update(number="00000099"))
    assert _first_wrong(town) == ("invoice", INVOICES + 2)


def test_a_code_of_another_year(town: Town) -> None:
    _forge(town, INVOICES + 2, lambda face: face.update(code="144031909110", number="00000001"))
    assert _first_wrong(town) == ("invoice", INVOICES + 2)


def test_a_document_of_another_form(town: Town) -> None:
    _forge(town, INVOICES + 1, lambda face: face.update(seller="somebody"))
    assert _first_wrong(town) == ("invoice", INVOICES + 1)


SUMS = (
    "blue_count",
    "blue_amount",
    "blue_tax",
    "blue_total",
    "red_count",
    "red_amount",
    "red_tax",
    "red_total",
)


@pytest.mark.parametrize("column", SUMS)
def test_one_byte_of_the_totals(town: Town, column: str) -> None:
    cell = "(SELECT id FROM cells WHERE dimension = 2 AND key = '440304')"
    _tamper(town, f"UPDATE totals SET {column} = flip({column}) WHERE height = 2 AND cell = {cell}")
    assert _first_wrong(town) == ("totals", "district 440304 at block 2")


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("DELETE FROM totals WHERE height = 3 AND cell = 1", "all at block 3"),
        ("UPDATE totals SET height = 9 WHERE height = 3 AND cell = 1", "all at block 3"),
        ("UPDATE cells SET key = flip(key) WHERE key = '6210'", "industry 6210 at block 1"),
        ("UPDATE cells SET dimension = 8 WHERE dimension = 0", "all at block 1"),
        ("UPDATE blocks_totalled SET day = flip(day) WHERE height = 2", "of block 2"),
        ("DELETE FROM blocks_totalled WHERE height = 2", "of block 2"),
        ("INSERT INTO blocks_totalled VALUES (5, '2018-08-12')", "of block 5"),
        ("INSERT INTO totals VALUES (1, 0, 1, 1, 1, 1, 0, 0, 0, 0)", "all at block 4"),
    ],
)
def test_totals_that_no_block_has_made(town: Town, statement: str, place: str) -> None:
    _tamper(town, statement)
    assert _first_wrong(town) == ("totals", place)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE closings SET salt = flip(salt) WHERE day = '2018-08-11'",
        "UPDATE closings SET salt = x'00' WHERE day = '2018-08-11'",
        "UPDATE closings SET document = flip(document) WHERE day = '2018-08-11'",
        "UPDATE closings SET through = through + 1 WHERE day = '2018-08-11'",
        "UPDATE closings SET day = '2018-08-21' WHERE day = '2018-08-11'",
        "DELETE FROM closings WHERE day = '2018-08-11'",
    ],
)
def test_a_closing_that_was_changed(town: Town, statement: str) -> None:
    _tamper(town, statement)
    assert _first_wrong(town) == ("closing", "2018-08-11")


@pytest.mark.parametrize(
    ("statement", "kind", "place"),
    [
        ("UPDATE entries SET entry = flip(entry) WHERE idx = 6", "entry", 6),
        ("UPDATE entries SET entry = flip(entry) WHERE idx = 4", "seal", 1),
        ("UPDATE blocks SET root = flip(root) WHERE height = 3", "block", 3),
        ("UPDATE blocks SET seal = flip(seal) WHERE height = 3", "block", 3),
        ("UPDATE blocks SET cursor = cursor + 1 WHERE height = 3", "block", 3),
        ("UPDATE checkpoints SET note = flip(note) WHERE size = 10", "checkpoint", 10),
    ],
)
def test_one_byte_of_the_log(town: Town, statement: str, kind: str, place: int) -> None:
    _tamper(town, statement, db="log")
    assert _first_wrong(town) == (kind, place)


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000.p/18", "tile/entries/000.p/18"])
def test_one_byte_of_a_published_file(town: Town, name: str) -> None:
    path = town.folder / "log" / name
    data = path.read_bytes()
    path.chmod(0o644)
    changed = _flip(data)
    assert isinstance(changed, bytes)
    path.write_bytes(changed)
    kind, _ = _first_wrong(town)
    assert kind == {"checkpoint": "published", "tile/0/000.p/18": "tile"}.get(name, "bundle")


def test_a_database_that_cannot_be_read_is_not_called_wrong(town: Town) -> None:
    class Away:
        def __getattr__(self, name: str) -> object:
            return getattr(town.store, name)

        def invoices(self, *_: object) -> list[StoredInvoice]:
            raise UnavailableError("database_busy", "the database is busy")

    with pytest.raises(UnavailableError, match="database_busy"):
        audit_instance(
            town.log_store,
            town.folder / "log",
            town.signer.verifier,
            Away(),  # type: ignore[arg-type]
            town.store.totals,
        )


def test_what_is_anchored_meanwhile_does_not_disturb(town: Town) -> None:
    """An instance goes on working while it is audited."""
    worked = False

    class Working:
        def __getattr__(self, name: str) -> object:
            return getattr(town.store, name)

        def invoices(self, wanted: InvoiceFilter, after: int, limit: int) -> list[StoredInvoice]:
            nonlocal worked
            if not worked:
                worked = True
                town.issue(3)
                town.pass_days(1)
                town.anchor()
            return town.store.invoices(wanted, after, limit)

    found = audit_instance(
        town.log_store,
        town.folder / "log",
        town.signer.verifier,
        Working(),  # type: ignore[arg-type]
        town.store.totals,
    )
    assert (found.invoices, found.pending, found.log.blocks) == (INVOICES + 2, 2, 4)
    assert _audit(town).pending == 0


def test_progress_goes_from_nothing_to_all(town: Town) -> None:
    told: list[tuple[int, int]] = []
    _audit(town, lambda done, steps: told.append((done, steps)))
    assert told == sorted(told)
    assert told[-1] == (town.log.head().size + INVOICES + 2,) * 2


def test_a_damaged_index_is_found(town: Town) -> None:
    """Rows are right, but a search through the index would not find one of them."""
    connection = sqlite3.connect(town.folder / "invoices.db")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute(
        "UPDATE sqlite_master SET sql = replace(sql, '\"hash\"', '\"salts\"')"
        " WHERE type = 'index' AND sql LIKE '%\"hash\"%'"
    )
    assert connection.execute("SELECT changes()").fetchone() == (1,)
    connection.commit()
    connection.close()
    again = Town(town.folder)
    assert _first_wrong(again) == ("store", "invoices.db")
    again.close()


def test_a_closing_that_was_wrong_when_it_was_sequenced(town: Town) -> None:
    """The log commits to the document, but the document is not the day's sums."""
    day, through = "2018-08-12", town.log.head().size - 1
    empty = totals_document(day, through, {})
    town.store.totals.keep_closing(Closing(day, through, bytes(16), empty))
    town.pass_days(1)
    town.anchor()
    assert _first_wrong(town) == ("closing", day)


@pytest.mark.parametrize("group", ["face", "buyer", "lines"])
def test_another_spelling_of_a_document(town: Town, group: str) -> None:
    """The digest is right, but a document has one spelling only."""
    seq = INVOICES + 2
    invoice = town.store.invoice_at(seq)
    assert invoice is not None
    spelled = getattr(invoice, group) + b" "
    forged = msgspec.structs.replace(invoice, **{group: spelled})
    digest = document_digest(forged.face, forged.buyer, forged.lines, forged.salts)
    _tamper(
        town,
        f"UPDATE invoices SET {group} = ?, hash = ? WHERE seq = {seq}",
        values=[spelled, digest],
    )
    with pytest.raises(AuditError, match=f"a canonical {group}"):
        _audit(town)


def test_time_that_goes_back(town: Town) -> None:
    _forge(
        town,
        INVOICES + 2,
        lambda face: face.update(issued_at="2018-08-09T12:00:00+08:00"),
        issued_at=int(datetime(2018, 8, 9, 4, tzinfo=UTC).timestamp()),
    )
    assert _first_wrong(town) == ("invoice", INVOICES + 2)


def test_a_code_that_comes_back(town: Town) -> None:
    """Once a new code has begun, the old one's numbers would be given out a second time."""
    _tamper(town, "DROP INDEX idx_invoices_number_code", changes=False)
    new, old = INVOICES + 1, INVOICES + 2
    _forge(town, new, lambda face: face.update(code="144031809210", number="00000001"))
    assert _first_wrong(town) == ("invoice", old)
    _forge(town, old, lambda face: face.update(number="00000001"))
    assert _first_wrong(town) == ("invoice", old)


def _reversal(town: Town, seq: int) -> Prepared:
    blue = town.store.invoice_at(seq)
    assert blue is not None
    return prepare_red(blue, Reason.SALES_RETURN, salts=bytes(48))


def test_a_red_invoice_over_another_amount(town: Town) -> None:
    """In order by itself, but what it takes back is not what the blue one gave."""
    own, other = _reversal(town, 5), town.store.invoice_at(9)
    assert other is not None
    town.hand_in(
        [
            msgspec.structs.replace(
                own,
                face={**own.face, "reverses": other.hash},
                reverses=parse_password_area(other.hash),
            )
        ]
    )
    assert _first_wrong(town) == ("invoice", INVOICES + 3)


def test_a_red_invoice_before_its_blue_one(town: Town) -> None:
    """Both forged as a whole, in the wrong order; numbers and digests are right."""
    blue = town.issue(1)[0]
    red = town.reverse(blue)
    _forge(town, blue.seq, lambda face: face.update(number=red.number), number="x")
    forged = town.store.invoice_at(blue.seq)
    assert forged is not None
    _forge(town, red.seq, lambda face: face.update(number=blue.number, reverses=forged.hash))
    _forge(town, blue.seq, lambda _: None)
    _tamper(
        town,
        f"UPDATE invoices SET seq = 99 WHERE seq = {blue.seq}",
        f"UPDATE invoices SET seq = {blue.seq}, reverses = {red.seq} WHERE seq = {red.seq}",
        f"UPDATE invoices SET seq = {red.seq} WHERE seq = 99",
    )
    with pytest.raises(AuditError, match="an earlier blue one"):
        _audit(town)
