"""Tables of the till. What was sold and paid is only appended; the rest changes until it is done.

A bill holds what a buyer said of themselves, so of a settled one only the outcome is kept: the
buyer stands in the invoice, and nowhere else. Until then, people are sealed (``buyers``).
"""

from typing import Final

from sqlite_utils import Database

_STATEMENTS: Final = (
    "CREATE TABLE till_lists (merchant_id INTEGER NOT NULL REFERENCES merchants (id),"
    " kind TEXT NOT NULL, version INTEGER NOT NULL, items TEXT NOT NULL,"
    " PRIMARY KEY (merchant_id, kind)) STRICT, WITHOUT ROWID",
    "CREATE TABLE till_bills (merchant_id INTEGER NOT NULL REFERENCES merchants (id),"
    " id TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL"
    " CHECK (state IN ('open', 'settling', 'settled', 'dropped')), content TEXT NOT NULL,"
    " opened_at INTEGER NOT NULL, person INTEGER NOT NULL, till TEXT NOT NULL,"
    " order_id TEXT NOT NULL DEFAULT '', business_day TEXT NOT NULL DEFAULT '',"
    " shift TEXT NOT NULL DEFAULT '', settlement BLOB NOT NULL DEFAULT x'',"
    " asked BLOB NOT NULL DEFAULT x'', PRIMARY KEY (merchant_id, id)) STRICT",
    "CREATE INDEX idx_till_bills_open ON till_bills (merchant_id, opened_at)"
    " WHERE state IN ('open', 'settling')",
    "CREATE UNIQUE INDEX idx_till_bills_order"
    " ON till_bills (merchant_id, till, business_day, order_id) WHERE order_id <> ''",
    "CREATE TABLE till_numbers (merchant_id INTEGER NOT NULL, till TEXT NOT NULL,"
    " business_day TEXT NOT NULL, last INTEGER NOT NULL,"
    " PRIMARY KEY (merchant_id, till, business_day)) STRICT, WITHOUT ROWID",
    "CREATE TABLE till_sales (invoice INTEGER PRIMARY KEY REFERENCES invoices (seq),"
    " merchant_id INTEGER NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('sale', 'return')),"
    " request TEXT NOT NULL, till TEXT NOT NULL, business_day TEXT NOT NULL, shift TEXT NOT NULL,"
    " person INTEGER NOT NULL REFERENCES people (id), at INTEGER NOT NULL) STRICT",
    "CREATE INDEX idx_till_sales_shift ON till_sales (merchant_id, shift)",
    "CREATE TABLE till_payments (invoice INTEGER NOT NULL REFERENCES till_sales (invoice),"
    " kind TEXT NOT NULL, amount INTEGER NOT NULL,"
    " PRIMARY KEY (invoice, kind)) STRICT, WITHOUT ROWID",
    "CREATE TABLE till_returns (merchant_id INTEGER NOT NULL, id TEXT NOT NULL,"
    " invoice INTEGER NOT NULL REFERENCES invoices (seq), content BLOB NOT NULL,"
    " shift TEXT NOT NULL, person INTEGER NOT NULL, till TEXT NOT NULL,"
    " business_day TEXT NOT NULL, red INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (merchant_id, id)) STRICT",
    "CREATE INDEX idx_till_returns_begun ON till_returns (merchant_id, shift) WHERE red = 0",
    "CREATE TABLE till_shifts (merchant_id INTEGER NOT NULL REFERENCES merchants (id),"
    " id TEXT NOT NULL, till TEXT NOT NULL, business_day TEXT NOT NULL, change INTEGER NOT NULL,"
    " opened_at INTEGER NOT NULL, opened_by INTEGER NOT NULL, closed_at INTEGER,"
    " closed_by INTEGER, counted TEXT NOT NULL DEFAULT '{}', expected TEXT NOT NULL DEFAULT '{}',"
    " note TEXT NOT NULL DEFAULT '', PRIMARY KEY (merchant_id, id)) STRICT",
    "CREATE UNIQUE INDEX idx_till_shifts_open ON till_shifts (merchant_id, till)"
    " WHERE closed_at IS NULL",
    "CREATE INDEX idx_till_shifts_day ON till_shifts (merchant_id, business_day)",
    "CREATE TRIGGER till_shifts_closed BEFORE UPDATE ON till_shifts WHEN OLD.closed_at IS NOT NULL"
    " BEGIN SELECT RAISE(ABORT, 'till_shifts: what is closed is frozen'); END",
    "CREATE TABLE till_events (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " merchant_id INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL) STRICT",
    "CREATE INDEX idx_till_events ON till_events (merchant_id, seq)",
    "ALTER TABLE sessions ADD COLUMN till TEXT NOT NULL DEFAULT ''",
    # Costs an invoice without a business day nothing: a day's list must not read all of a merchant.
    "CREATE INDEX idx_invoices_day ON invoices (merchant_id, business_day)"
    " WHERE business_day <> ''",
)
_APPENDED: Final = {
    "till_sales": "invoice = NEW.invoice",
    "till_payments": "invoice = NEW.invoice AND kind = NEW.kind",
}


_UNDONE: Final = (
    # Of these orders no further part is issued.
    "CREATE TABLE till_undone (merchant_id INTEGER NOT NULL, till TEXT NOT NULL,"
    " business_day TEXT NOT NULL, order_id TEXT NOT NULL, bill TEXT NOT NULL,"
    " version INTEGER NOT NULL, person INTEGER NOT NULL REFERENCES people (id),"
    " at INTEGER NOT NULL, PRIMARY KEY (merchant_id, till, business_day, order_id))"
    " STRICT, WITHOUT ROWID",
    "CREATE UNIQUE INDEX idx_till_undone_bill ON till_undone (merchant_id, bill, version)",
    *(
        f"CREATE TRIGGER till_undone_no_{change.lower()} BEFORE {change} ON till_undone"
        f" BEGIN SELECT RAISE(ABORT, 'till_undone: no {change}, rows are frozen'); END"
        for change in ("UPDATE", "DELETE")
    ),
)


def create_undone(db: Database) -> None:
    """Orders of which some parts are sold, and whose rest went back to its bill."""
    for statement in _UNDONE:
        db.execute(statement)


def create_till(db: Database) -> None:
    """Make them, empty."""
    for statement in _STATEMENTS:
        db.execute(statement)
    for table, same in _APPENDED.items():
        db.execute(
            f"CREATE TRIGGER {table}_append BEFORE INSERT ON {table} WHEN EXISTS"  # noqa: S608 # our own names
            f" (SELECT 1 FROM {table} WHERE {same})"
            f" BEGIN SELECT RAISE(ABORT, '{table}: rows are only ever appended'); END"
        )
        for change in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table}: no {change}, rows are frozen'); END"
            )
    db.execute(
        "CREATE TRIGGER till_shifts_no_delete BEFORE DELETE ON till_shifts"
        " BEGIN SELECT RAISE(ABORT, 'till_shifts: no DELETE, rows are frozen'); END"
    )
