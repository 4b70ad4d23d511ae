"""Tables of prepaid accounts: the database itself lets no event be changed, nor a sum be wrong.

An account holds nothing of a person. Its events are a ledger: each takes one amount out of one book
and puts it into another, so that its sides are equal; the view has both sides of each.
"""

from typing import Final

from sqlite_utils import Database

from invoice_service.domain.prepaid import MOVES

_MOVES: Final = " OR ".join(
    f"(kind = '{kind}' AND debit = '{debit}' AND credit = '{credit}')"
    for kind, (debit, credit) in MOVES.items()
)
_EVENTS: Final = (
    "CREATE TABLE prepaid_events (seq INTEGER PRIMARY KEY,"
    " account INTEGER NOT NULL REFERENCES prepaid_accounts (seq), kind TEXT NOT NULL,"
    " debit TEXT NOT NULL, credit TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0),"
    " at INTEGER NOT NULL, invoice BLOB REFERENCES invoices (hash),"
    " red BLOB REFERENCES invoices (hash), wallet TEXT NOT NULL, request_id TEXT NOT NULL,"
    f" asked BLOB NOT NULL, reason TEXT NOT NULL, CHECK ({_MOVES}),"
    " CHECK ((kind IN ('release', 'return', 'refuse')) = (invoice IS NOT NULL)),"
    " CHECK ((kind = 'return') = (red IS NOT NULL)),"
    " CHECK ((kind IN ('open', 'refund', 'refuse')) = (request_id <> ''))) STRICT"
)


def _left(book: str, more: str = "") -> str:
    """What stands in a book of the new event's account."""
    return (
        f"(SELECT coalesce(sum(CASE credit WHEN '{book}' THEN amount ELSE -amount END), 0)"  # noqa: S608 # our own names
        f" FROM prepaid_events WHERE account = NEW.account AND '{book}' IN (debit, credit){more})"
    )


_RULES: Final = {
    "append": (
        "NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM prepaid_events)"
        " OR EXISTS (SELECT 1 FROM prepaid_events WHERE invoice = NEW.invoice AND kind = NEW.kind"
        " AND kind IN ('release', 'refuse'))"
        " OR EXISTS (SELECT 1 FROM prepaid_events WHERE red = NEW.red)"
        " OR EXISTS (SELECT 1 FROM prepaid_events WHERE request_id = NEW.request_id"
        " AND wallet = NEW.wallet AND request_id <> '')",
        "events are only ever appended, each once",
    ),
    "held": (
        f"NEW.debit = 'held' AND NEW.amount > {_left('held')}",
        "no more leaves than is held",
    ),
    "released": (
        "NEW.debit = 'released' AND NEW.amount >"
        f" {_left('released', ' AND invoice = NEW.invoice')}",
        "no more comes back than was released for the invoice",
    ),
    "release": (
        "NEW.kind = 'release' AND NOT EXISTS (SELECT 1 FROM invoices i"
        " JOIN prepaid_accounts a ON a.seq = NEW.account WHERE i.hash = NEW.invoice"
        " AND i.type = 'blue' AND i.total = NEW.amount AND i.merchant_id = a.merchant_id"
        " AND NEW.at < a.expires_at"
        " AND NOT EXISTS (SELECT 1 FROM prepaid_asks WHERE account = NEW.account)"
        " AND NOT EXISTS (SELECT 1 FROM prepaid_events WHERE account = NEW.account"
        " AND kind = 'refund'))",
        "what is released is what an invoice of the merchant comes to, in time",
    ),
    "return": (
        "NEW.kind = 'return' AND NOT EXISTS (SELECT 1 FROM invoices b"
        " JOIN invoices r ON r.reverses = b.seq WHERE b.hash = NEW.invoice AND r.hash = NEW.red"
        " AND r.total = -NEW.amount)",
        "what comes back is what a red invoice takes back",
    ),
}
"""When an event is refused, and in what words."""

_STATEMENTS: Final = (
    "CREATE TABLE prepaid_accounts (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " merchant_id INTEGER NOT NULL REFERENCES merchants (id), wallet TEXT NOT NULL,"
    " terms TEXT NOT NULL, opened_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
    " sealed BLOB NOT NULL, mark BLOB NOT NULL UNIQUE) STRICT",
    "CREATE INDEX idx_prepaid_accounts_merchant ON prepaid_accounts (merchant_id, seq)",
    "CREATE TRIGGER prepaid_accounts_append BEFORE INSERT ON prepaid_accounts WHEN EXISTS"
    " (SELECT 1 FROM prepaid_accounts WHERE seq = NEW.seq OR id = NEW.id OR mark = NEW.mark)"
    " BEGIN SELECT RAISE(ABORT, 'prepaid_accounts are only ever appended'); END",
    "CREATE TRIGGER prepaid_accounts_fixed BEFORE UPDATE OF seq, id, merchant_id, wallet, terms,"
    " opened_at, expires_at ON prepaid_accounts"
    " BEGIN SELECT RAISE(ABORT, 'prepaid_accounts: only links are sealed anew'); END",
    "CREATE TRIGGER prepaid_accounts_no_delete BEFORE DELETE ON prepaid_accounts"
    " BEGIN SELECT RAISE(ABORT, 'prepaid_accounts: no DELETE, rows are frozen'); END",
    "CREATE TABLE prepaid_asks (account INTEGER PRIMARY KEY REFERENCES prepaid_accounts (seq),"
    " at INTEGER NOT NULL) STRICT",
    "CREATE TRIGGER prepaid_asks_once BEFORE INSERT ON prepaid_asks WHEN EXISTS"
    " (SELECT 1 FROM prepaid_asks WHERE account = NEW.account)"
    " BEGIN SELECT RAISE(ABORT, 'prepaid_asks: once is enough'); END",
    _EVENTS,
    "CREATE INDEX idx_prepaid_events_account ON prepaid_events (account, seq)",
    "CREATE INDEX idx_prepaid_events_invoice ON prepaid_events (invoice) WHERE invoice IS NOT NULL",
    "CREATE INDEX idx_prepaid_events_red ON prepaid_events (red) WHERE red IS NOT NULL",
    "CREATE UNIQUE INDEX idx_prepaid_events_said ON prepaid_events (wallet, request_id)"
    " WHERE request_id <> ''",
    "CREATE VIEW prepaid_entries AS SELECT seq AS event, account, debit AS book, -amount AS amount"
    " FROM prepaid_events UNION ALL SELECT seq, account, credit, amount FROM prepaid_events",
)


def create_prepaid(db: Database) -> None:
    """Make them, empty."""
    for statement in _STATEMENTS:
        db.execute(statement)
    for name, (when, words) in _RULES.items():
        db.execute(
            f"CREATE TRIGGER prepaid_events_{name} BEFORE INSERT ON prepaid_events WHEN {when}"
            f" BEGIN SELECT RAISE(ABORT, 'prepaid_events: {words}'); END"
        )
    for table in ("prepaid_events", "prepaid_asks"):
        for change in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table}: no {change}, rows are frozen'); END"
            )
