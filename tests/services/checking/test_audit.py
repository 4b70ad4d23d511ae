"""The audit: clean where nothing was touched, and naming the first thing where something was."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.errors import UnavailableError
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.services.anchoring.close import Closing, totals_document
from invoice_service.services.checking.audit import audit_instance
from invoice_service.services.ports import InvoiceFilter
from tests.services.tampering import INVOICES, fill, first_wrong, flip, tamper
from tests.services.town import Town


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


def test_an_instance_in_order_is_clean(town: Town) -> None:
    found = town.audit()
    assert (found.invoices, found.pending) == (INVOICES + 2, 2)
    assert (found.log.blocks, found.totalled, found.closings) == (4, 4, 2)
    assert found.log.published == town.log.head().size


def test_an_empty_instance_is_clean(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.anchor()
    assert town.audit().invoices == 0
    town.close()


def test_totals_that_are_behind_are_not_wrong(town: Town) -> None:
    tamper(
        town,
        "DELETE FROM totals WHERE height > 2",
        "DELETE FROM blocks_totalled WHERE height > 2",
    )
    assert town.audit().totalled == 2


def test_a_document_whose_closing_was_never_sequenced_is_not_wrong(town: Town) -> None:
    tamper(
        town,
        "INSERT INTO closings SELECT day, through - 1, salt, document FROM closings",
    )
    town.audit()


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
    tamper(town, f"UPDATE totals SET {column} = flip({column}) WHERE height = 2 AND cell = {cell}")
    assert first_wrong(town) == ("totals", "district 440304 at block 2")


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
        (
            "INSERT INTO totals SELECT 1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0",
            "all at block 4",
        ),
    ],
)
def test_totals_that_no_block_has_made(town: Town, statement: str, place: str) -> None:
    tamper(town, statement)
    assert first_wrong(town) == ("totals", place)


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
    tamper(town, statement)
    assert first_wrong(town) == ("closing", "2018-08-11")


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
    tamper(town, statement, db="log")
    assert first_wrong(town) == (kind, place)


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000.p/18", "tile/entries/000.p/18"])
def test_one_byte_of_a_published_file(town: Town, name: str) -> None:
    path = town.folder / "log" / name
    data = path.read_bytes()
    path.chmod(0o644)
    changed = flip(data)
    assert isinstance(changed, bytes)
    path.write_bytes(changed)
    kind, _ = first_wrong(town)
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
            town.store,
            town.store,
            town.store,
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
        town.store,
        town.store,
        town.store,
    )
    assert (found.invoices, found.pending, found.log.blocks) == (INVOICES + 2, 2, 4)
    assert town.audit().pending == 0


def test_progress_goes_from_nothing_to_all(town: Town) -> None:
    told: list[tuple[int, int]] = []
    town.audit(lambda done, steps: told.append((done, steps)))
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
    assert first_wrong(again) == ("store", "invoices.db")
    again.close()


def test_a_closing_that_was_wrong_when_it_was_sequenced(town: Town) -> None:
    """The log commits to the document, but the document is not the day's sums."""
    day, through = "2018-08-12", town.log.head().size - 1
    empty = totals_document(day, through, {})
    town.store.totals.keep_closing(Closing(day, through, bytes(16), empty))
    town.pass_days(1)
    town.anchor()
    assert first_wrong(town) == ("closing", day)
