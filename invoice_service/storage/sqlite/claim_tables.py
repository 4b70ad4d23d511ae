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


_AT_TILLS: Final = (
    # Money that came into a till for an order before there is an invoice, and went back out of it.
    "CREATE TABLE claim_money (order_seq INTEGER NOT NULL REFERENCES claim_orders (seq),"
    " kind TEXT NOT NULL, returned INTEGER NOT NULL CHECK (returned IN (0, 1)),"
    " amount INTEGER NOT NULL CHECK ((amount < 0) = returned), merchant_id INTEGER NOT NULL,"
    " shift TEXT NOT NULL, person INTEGER NOT NULL REFERENCES people (id), at INTEGER NOT NULL,"
    " PRIMARY KEY (order_seq, kind, returned)) STRICT, WITHOUT ROWID",
    "CREATE INDEX idx_claim_money_shift ON claim_money (merchant_id, shift)",
    "CREATE TRIGGER claim_money_append BEFORE INSERT ON claim_money WHEN EXISTS"
    " (SELECT 1 FROM claim_money WHERE order_seq = NEW.order_seq AND kind = NEW.kind"
    "   AND returned = NEW.returned)"
    " BEGIN SELECT RAISE(ABORT, 'claim_money: rows are only ever appended'); END",
    "CREATE TRIGGER claim_money_no_update BEFORE UPDATE ON claim_money"
    " BEGIN SELECT RAISE(ABORT, 'claim_money: no UPDATE, rows are frozen'); END",
    "CREATE TRIGGER claim_money_no_delete BEFORE DELETE ON claim_money"
    " BEGIN SELECT RAISE(ABORT, 'claim_money: no DELETE, rows are frozen'); END",
    # Orders that wait to issue themselves: a note for who looks, made of what stands elsewhere.
    "CREATE TABLE claims_due (order_seq INTEGER PRIMARY KEY REFERENCES claim_orders (seq),"
    " merchant_id INTEGER NOT NULL) STRICT",
    "CREATE INDEX idx_claims_due_merchant ON claims_due (merchant_id, order_seq)",
    "INSERT INTO claims_due SELECT o.seq, o.merchant_id FROM claim_orders o WHERE o.auto_issue"
    " AND o.cancelled_at IS NULL AND EXISTS (SELECT 1 FROM claim_payments p"
    " WHERE p.order_seq = o.seq AND p.counts) AND (SELECT count(*) FROM claims c"
    " WHERE c.order_seq = o.seq AND c.hash <> '') < json_array_length(o.shares)",
    "CREATE INDEX idx_claims_hash ON claims (hash) WHERE hash <> ''",
    "CREATE INDEX idx_claim_orders_day ON claim_orders (merchant_id, business_day, seq)",
)


def claims_at_tills(db: Database) -> None:
    """What tills keep of orders, and what finds those that wait."""
    for statement in _AT_TILLS:
        db.execute(statement)
