"""Tables of orders that customers claim. What was claimed and paid is never taken back.

An order holds nothing of a person. A claim holds its buyer from when it is begun until it has its
invoice, in which the buyer stands from then on.
"""

from typing import Final

from sqlite_utils import Database

_STATEMENTS: Final = (
    "CREATE TABLE claim_orders (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " merchant_id INTEGER NOT NULL REFERENCES merchants (id), till TEXT NOT NULL,"
    " business_day TEXT NOT NULL, order_id TEXT NOT NULL, total INTEGER NOT NULL,"
    " shares TEXT NOT NULL, content BLOB NOT NULL, asked BLOB NOT NULL, sealed BLOB NOT NULL,"
    " mark BLOB NOT NULL UNIQUE, auto_issue INTEGER NOT NULL, after_payment INTEGER NOT NULL,"
    " created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, cancelled_at INTEGER) STRICT",
    "CREATE UNIQUE INDEX idx_claim_orders_order"
    " ON claim_orders (merchant_id, till, business_day, order_id) WHERE cancelled_at IS NULL",
    "CREATE INDEX idx_claim_orders_merchant ON claim_orders (merchant_id, seq)",
    "CREATE TABLE claims (order_seq INTEGER NOT NULL REFERENCES claim_orders (seq),"
    " part INTEGER NOT NULL, secret BLOB NOT NULL, at INTEGER NOT NULL, buyer BLOB NOT NULL,"
    " hash TEXT NOT NULL DEFAULT '', number TEXT NOT NULL DEFAULT '',"
    " PRIMARY KEY (order_seq, part)) STRICT, WITHOUT ROWID",
    "CREATE INDEX idx_claims_begun ON claims (order_seq) WHERE hash = ''",
    "CREATE TRIGGER claims_done BEFORE UPDATE ON claims WHEN OLD.hash <> ''"
    " BEGIN SELECT RAISE(ABORT, 'claims: what has its invoice is frozen'); END",
    "CREATE TRIGGER claims_keep BEFORE DELETE ON claims WHEN OLD.hash <> ''"
    " BEGIN SELECT RAISE(ABORT, 'claims: no DELETE, what has its invoice is frozen'); END",
    "CREATE TABLE claim_payments (by TEXT NOT NULL CHECK (by IN ('till', 'wechat', 'alipay')),"
    " reference TEXT NOT NULL, order_seq INTEGER NOT NULL REFERENCES claim_orders (seq),"
    " amount INTEGER NOT NULL, at INTEGER NOT NULL, counts INTEGER NOT NULL,"
    " PRIMARY KEY (by, reference)) STRICT, WITHOUT ROWID",
    "CREATE INDEX idx_claim_payments_order ON claim_payments (order_seq)",
    "CREATE TRIGGER claim_payments_no_update BEFORE UPDATE ON claim_payments"
    " BEGIN SELECT RAISE(ABORT, 'claim_payments: no UPDATE, rows are frozen'); END",
    "CREATE TRIGGER claim_payments_no_delete BEFORE DELETE ON claim_payments"
    " BEGIN SELECT RAISE(ABORT, 'claim_payments: no DELETE, rows are frozen'); END",
)


def create_claims(db: Database) -> None:
    """Make them, empty."""
    for statement in _STATEMENTS:
        db.execute(statement)
