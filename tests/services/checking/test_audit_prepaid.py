"""The audit of prepaid accounts names what somebody changed who owns the file."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.commitment import parse_password_area
from invoice_service.domain.prepaid import Sums
from invoice_service.services.prepaid.ports import Prepaid, Said
from tests.services.tampering import first_wrong, tamper
from tests.services.town import TEN_FEN, Town

NAME = "0" * 32


def dish(number: str, price: int = 100, **more: str) -> dict[str, object]:
    line = {"name": "*餐饮服务*餐费", "unit_price": price, "tax_rate": "0.06"}
    return {"order_id": number, "lines": [line], **more}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account of 1,000 fen that has paid three meals of 100: of one 10 came back, one was
    refused, of one nothing came back; 50 were paid back. A fourth meal was paid otherwise."""
    folder = tmp_path_factory.mktemp("ledger")
    town = Town(folder)
    town.settle_in()
    now = int(town.now.timestamp())
    account = Prepaid(
        id=NAME,
        merchant_id=1,
        wallet="bank",
        terms="午餐",
        opened_at=now,
        expires_at=now + 10,
        sealed=b"",
        mark=b"",
    )
    town.store.open_prepaid(account, 1_000, Said("bank", "1", b""))
    first, second, _ = town.sell(*(dish(f"P{n}", prepaid=NAME) for n in range(3)))
    town.sell(dish("C1"))
    town.reverse(first, TEN_FEN)
    refused = parse_password_area(second.hash)
    town.store.refuse_release(1, refused, Said("bank", "2", b""), now)
    town.store.refund_prepaid(1, 50, Said("bank", "3", b""), now)
    town.anchor()
    town.close()
    return folder


@pytest.fixture
def town(template: Path, tmp_path: Path) -> Iterator[Town]:
    folder = tmp_path / "town"
    shutil.copytree(template, folder)
    town = Town(folder)
    yield town
    town.close()


def test_an_account_in_order_adds_up(town: Town) -> None:
    found = town.audit().prepaid
    assert (found.accounts, found.events) == (1, 7)
    assert found.sums == Sums(1_000, 760, 190, 50)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE prepaid_events SET amount = amount + 1 WHERE kind = 'release'",
        "UPDATE prepaid_events SET amount = amount - 1 WHERE kind = 'return'",
        "UPDATE prepaid_events SET amount = amount - 1 WHERE kind = 'refuse'",
        "UPDATE prepaid_events SET amount = 5000 WHERE kind = 'refund'",
        "UPDATE prepaid_events SET amount = 100 WHERE kind = 'open'",
        "DELETE FROM prepaid_events WHERE kind = 'return'",
        "DELETE FROM prepaid_events WHERE kind = 'open'",
        "DELETE FROM prepaid_events",
        "UPDATE prepaid_events SET invoice = (SELECT hash FROM invoices WHERE seq = 1)"
        " WHERE kind = 'release' AND seq = 3",
        "UPDATE prepaid_events SET invoice = (SELECT hash FROM invoices WHERE seq = 5)"
        " WHERE kind = 'release' AND seq = 3",
        "UPDATE prepaid_events SET at = at + 10 WHERE kind = 'release'",
        "UPDATE prepaid_accounts SET merchant_id = 2",
        "UPDATE prepaid_events SET seq = seq + 10 WHERE kind = 'release' AND seq = 4",
        "INSERT INTO prepaid_events SELECT 9, account, kind, debit, credit, amount, at, invoice,"
        " red, wallet, request_id, asked, reason FROM prepaid_events WHERE kind = 'return'",
    ],
)
def test_whatever_is_changed_is_named(town: Town, change: str) -> None:
    tamper(town, change)
    assert first_wrong(town)[0] == "prepaid"


def test_what_the_database_adds_up_is_held_against_it(town: Town) -> None:
    """A view that lies, or an index that misses a row."""
    tamper(
        town,
        "DROP VIEW prepaid_entries",
        "CREATE VIEW prepaid_entries AS SELECT 'held' AS book, 1 AS amount",
        changes=False,
    )
    assert first_wrong(town) == ("prepaid", "all accounts")
