"""The ledger of prepaid accounts is held by the database itself, whoever opens the file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from invoice_service.domain.invoice import Issued
from invoice_service.services.prepaid.ports import Prepaid, Said
from tests.storage.shop import FILE, Shop

HELD = 1_000
LATER = 86_400


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with an account that has paid an invoice, of which a part came back; another
    invoice that nobody paid; and an account that has ended."""
    folder = tmp_path_factory.mktemp("ledger")
    shop = Shop(folder)
    for number in (1, 2):
        account = Prepaid(
            id=f"{number:032}",
            merchant_id=shop.merchant.id,
            wallet="bank",
            terms="午餐",
            opened_at=shop.now,
            expires_at=shop.now + LATER,
            sealed=b"%d" % number,
            mark=b"%d" % number,
        )
        shop.store.open_prepaid(account, HELD * 100, Said("bank", f"open-{number}", b"x"))
    paid = shop.issue(shop.draft("A-1", prepaid=f"{1:032}"))
    shop.issue(shop.red(paid))
    shop.issue(shop.draft("A-2"))
    again = shop.issue(shop.draft("A-3", prepaid=f"{1:032}"))
    assert isinstance(again, Issued)
    shop.store.ask_back(2, shop.now)
    shop.store.close()
    return folder / FILE


@pytest.fixture
def stranger(made: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a copy, as any program opens one: recursive triggers off."""
    copy = tmp_path / FILE
    copy.write_bytes(made.read_bytes())
    with closing(sqlite3.connect(copy)) as connection:
        yield connection


NEXT = "(SELECT max(seq) + 1 FROM prepaid_events)"
AT = "(SELECT max(at) FROM prepaid_events)"
COLUMNS = (
    "INSERT INTO prepaid_events (seq, account, kind, debit, credit, amount, at, invoice, red,"
    " wallet, request_id, asked, reason) SELECT"
)
PAID, UNPAID, AGAIN, RED = (f"(SELECT hash FROM invoices WHERE seq = {n})" for n in (1, 3, 4, 2))
TOTAL = "(SELECT total FROM invoices WHERE seq = 3)"


def event(
    account: int, kind: str, move: str, amount: str, invoice: str = "NULL", red: str = "NULL"
) -> str:
    """A statement that adds an event; wallets' own have a number."""
    said = "'n'" if kind in ("open", "refund", "refuse") else "''"
    return (
        f"{COLUMNS} {NEXT}, {account}, '{kind}', {move}, {amount}, {AT}, {invoice}, {red},"
        f" 'bank', {said}, x'', ''"
    )


RELEASE, BACK = "'held', 'released'", "'released', 'held'"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM prepaid_events",
        "UPDATE prepaid_events SET amount = amount + 1",
        "DELETE FROM prepaid_asks",
        "UPDATE prepaid_asks SET at = 0",
        "DELETE FROM prepaid_accounts",
        "UPDATE prepaid_accounts SET expires_at = expires_at + 1",
        "UPDATE prepaid_accounts SET merchant_id = 2",
        "INSERT OR REPLACE INTO prepaid_asks VALUES (2, 0)",
        "INSERT OR REPLACE INTO prepaid_accounts SELECT * FROM prepaid_accounts",
        "INSERT OR REPLACE INTO prepaid_events SELECT * FROM prepaid_events WHERE seq = 1",
        # one amount, out of one book into another that the kind names
        event(1, "open", "'held', 'released'", "1"),
        event(1, "refund", "'released', 'paid_back'", "1"),
        event(1, "refund", "'held', 'paid_back'", "0"),
        event(1, "gift", "'paid_in', 'held'", "1"),
        # what is not there leaves nothing
        event(1, "refund", "'held', 'paid_back'", "1000000"),
        # a release is of an invoice, once, all of it, of the merchant, in time
        event(1, "release", RELEASE, TOTAL),
        event(1, "release", RELEASE, f"{TOTAL} - 1", UNPAID),
        event(1, "release", RELEASE, TOTAL, AGAIN),
        event(2, "release", RELEASE, TOTAL, UNPAID),
        event(1, "release", RELEASE, TOTAL, RED),
        event(1, "release", RELEASE, TOTAL, "zeroblob(32)"),
        event(1, "release", RELEASE, TOTAL, UNPAID).replace(AT, f"{AT} + {LATER}"),
        # what comes back was released, and is what a red invoice takes back, once
        event(1, "return", BACK, TOTAL, PAID, RED),
        event(1, "return", BACK, TOTAL, AGAIN, RED),
        event(1, "return", BACK, "1", AGAIN),
        event(1, "refuse", BACK, f"{TOTAL} + 1", AGAIN),
        event(1, "refuse", BACK, "1", UNPAID),
        # a wallet's number is its own
        event(1, "refund", "'held', 'paid_back'", "1").replace("'n'", "'open-2'"),
        event(1, "refund", "'held', 'paid_back'", "1").replace("'n'", "''"),
    ],
)
def test_the_database_refuses(stranger: sqlite3.Connection, statement: str) -> None:
    before = stranger.execute("SELECT * FROM prepaid_events").fetchall()
    with pytest.raises(sqlite3.IntegrityError):
        stranger.execute(statement)
    assert stranger.execute("SELECT * FROM prepaid_events").fetchall() == before


@pytest.mark.parametrize(
    "statement",
    [
        event(1, "release", RELEASE, TOTAL, UNPAID),
        event(1, "refuse", BACK, TOTAL, AGAIN),
        event(1, "refund", "'held', 'paid_back'", "1"),
        event(2, "refund", "'held', 'paid_back'", str(HELD * 100)),
        "UPDATE prepaid_accounts SET sealed = x'00', mark = x'00' WHERE seq = 1",
    ],
)
def test_and_what_is_right_it_takes(stranger: sqlite3.Connection, statement: str) -> None:
    assert stranger.execute(statement).rowcount == 1


def test_the_entries_of_every_event_come_to_nothing(stranger: sqlite3.Connection) -> None:
    rows = stranger.execute(
        "SELECT count(*), sum(amount) FROM prepaid_entries GROUP BY event"
    ).fetchall()
    assert len(rows) == 5
    assert set(rows) == {(2, 0)}
