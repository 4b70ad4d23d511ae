"""Tables of ``invoices.db``, as migrations; what was issued is guarded by triggers."""

from sqlite_utils import Database, Migrations

from invoice_service.services.people.refusals import KEPT_SECONDS
from invoice_service.storage.packs import create_packs
from invoice_service.storage.spans import create_spans
from invoice_service.storage.sqlite.admission_tables import (
    create_admission,
    let_compete,
    let_take_back,
    name_papers,
)
from invoice_service.storage.sqlite.bureau import create_bureau
from invoice_service.storage.sqlite.buyers import create_buyer_keys
from invoice_service.storage.sqlite.claim_tables import claims_at_tills, create_claims
from invoice_service.storage.sqlite.connection import vacuum
from invoice_service.storage.sqlite.first_owner import first_owners
from invoice_service.storage.sqlite.logged import create_logged
from invoice_service.storage.sqlite.mails import create_mails, letters_end
from invoice_service.storage.sqlite.money import create_money
from invoice_service.storage.sqlite.offers import create_offers
from invoice_service.storage.sqlite.people_tables import create_people, officials
from invoice_service.storage.sqlite.prepaid_tables import create_prepaid
from invoice_service.storage.sqlite.prints import create_prints
from invoice_service.storage.sqlite.proposals import create_proposals
from invoice_service.storage.sqlite.retention import create_retention
from invoice_service.storage.sqlite.till.buyers import create_till_buyers
from invoice_service.storage.sqlite.till.tables import create_till, create_undone
from invoice_service.storage.totals import create_tables, widen_sums

migrations = Migrations("invoices")


@migrations()
def merchants_and_keys(db: Database) -> None:
    """Who may call, and who may issue how much."""
    db.table("merchants").create(
        {
            "id": int,
            "tax_id": str,
            "name": str,
            "industry": str,
            "district": str,
            "address_phone": str,
            "bank_account": str,
            "drawer": str,
            "payee": str,
            "reviewer": str,
            "quota": int,  # blue invoices allowed in all; null for no limit
            "used": int,  # blue invoices issued, counted in the issuing transaction
            "status": str,
            "created_at": int,
        },
        pk="id",
        not_null={"tax_id", "name", "industry", "district", "used", "status", "created_at"},
        strict=True,
    ).create_index(["tax_id"], unique=True)
    db.table("api_keys").create(
        {
            "id": int,
            "digest": bytes,  # SHA-256 of the key; the key itself is nowhere
            "role": str,
            "merchant_id": int,  # null for an official
            "label": str,
            "created_at": int,
            "revoked_at": int,  # null while the key is good
        },
        pk="id",
        not_null={"digest", "role", "label", "created_at"},
        foreign_keys=[("merchant_id", "merchants", "id")],
        strict=True,
    ).create_index(["digest"], unique=True)


@migrations()
def invoices(db: Database) -> None:
    """Issued invoices. ``seq`` is dense from 1 and is the queue of what waits for the log."""
    columns = {
        "seq": int,
        "merchant_id": int,
        "key_id": int,  # 0: issued at the console, without a key
        "type": str,
        "code": str,
        "number": str,
        "hash": bytes,
        "issued_at": int,  # unix seconds, never less than the row before
        "order_id": str,
        "attempt": int,
        "request_digest": bytes,
        "industry": str,
        "district": str,
        "amount": int,
        "tax": int,
        "total": int,
        "rates": str,  # JSON: [[rate, amount, tax], …]
        "face": bytes,  # the canonical bytes that were hashed, like buyer and lines
        "buyer": bytes,
        "lines": bytes,
        "salts": bytes,
        "reverses": int,  # seq of the blue invoice that a red one reverses
    }
    table = db.table("invoices").create(
        columns,
        pk="seq",
        not_null=columns.keys() - {"seq", "reverses"},
        foreign_keys=[("merchant_id", "merchants", "id"), ("reverses", "invoices", "seq")],
        strict=True,
    )
    table.create_index(["hash"], unique=True)
    table.create_index(["number", "code"], unique=True)
    table.create_index(["merchant_id", "seq"])
    db.execute(
        "CREATE UNIQUE INDEX idx_invoices_order ON invoices (order_id, merchant_id, attempt)"
        " WHERE type = 'blue'"
    )
    db.execute(
        "CREATE UNIQUE INDEX idx_invoices_reverses ON invoices (reverses)"
        " WHERE reverses IS NOT NULL"
    )
    db.table("idempotency").create(
        {"merchant_id": int, "key": str, "request_digest": bytes, "seq": int},
        pk=("merchant_id", "key"),
        not_null={"request_digest", "seq"},
        foreign_keys=[("seq", "invoices", "seq")],
        strict=True,
    )
    # A plain INSERT OR REPLACE deletes without firing delete triggers, so it is refused here.
    db.execute(
        "CREATE TRIGGER invoices_append BEFORE INSERT ON invoices WHEN"
        " NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM invoices)"
        " OR EXISTS (SELECT 1 FROM invoices WHERE hash = NEW.hash)"
        " OR EXISTS (SELECT 1 FROM invoices WHERE number = NEW.number AND code = NEW.code)"
        " OR EXISTS (SELECT 1 FROM invoices WHERE order_id = NEW.order_id"
        "    AND merchant_id = NEW.merchant_id AND attempt = NEW.attempt"
        "    AND type = 'blue' AND NEW.type = 'blue')"
        " OR EXISTS (SELECT 1 FROM invoices WHERE reverses = NEW.reverses)"
        " BEGIN SELECT RAISE(ABORT, 'invoices are only ever appended'); END"
    )
    db.execute(
        "CREATE TRIGGER idempotency_append BEFORE INSERT ON idempotency WHEN EXISTS"
        " (SELECT 1 FROM idempotency WHERE merchant_id = NEW.merchant_id AND key = NEW.key)"
        " BEGIN SELECT RAISE(ABORT, 'idempotency keys are only ever appended'); END"
    )
    for name in ("invoices", "idempotency"):
        for change in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER {name}_no_{change.lower()} BEFORE {change} ON {name}"
                f" BEGIN SELECT RAISE(ABORT, '{name}: no {change}, rows are frozen'); END"
            )


@migrations()
def totals(db: Database) -> None:
    """Cumulative totals by block, and the daily closings."""
    create_tables(db)


_TRAIL = (
    "CREATE TABLE acts (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, at INTEGER NOT NULL,"
    " actor TEXT NOT NULL, origin TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL,"
    " outcome TEXT NOT NULL, code TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,"
    " reason TEXT NOT NULL) STRICT",
    "CREATE INDEX idx_acts_subject ON acts (subject, seq)",
    "CREATE INDEX idx_acts_actor ON acts (actor, seq)",
    "CREATE TRIGGER acts_append BEFORE INSERT ON acts WHEN"
    " NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM acts)"
    " BEGIN SELECT RAISE(ABORT, 'acts are only ever appended'); END",
    "CREATE TRIGGER acts_no_update BEFORE UPDATE ON acts"
    " BEGIN SELECT RAISE(ABORT, 'acts: no UPDATE, rows are frozen'); END",
    "CREATE TRIGGER acts_no_delete BEFORE DELETE ON acts"
    " BEGIN SELECT RAISE(ABORT, 'acts: no DELETE, rows are frozen'); END",
    "CREATE TABLE refusals (id INTEGER PRIMARY KEY, hour INTEGER NOT NULL, code TEXT NOT NULL,"
    " who TEXT NOT NULL, origin TEXT NOT NULL, count INTEGER NOT NULL CHECK (count > 0),"
    " first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,"
    " UNIQUE (hour, code, who, origin)) STRICT",
    "CREATE TRIGGER refusals_append BEFORE INSERT ON refusals WHEN EXISTS"
    " (SELECT 1 FROM refusals WHERE id = NEW.id OR (hour = NEW.hour AND code = NEW.code"
    "   AND who = NEW.who AND origin = NEW.origin))"
    " BEGIN SELECT RAISE(ABORT, 'refusals are only ever appended'); END",
    "CREATE TRIGGER refusals_grow BEFORE UPDATE ON refusals WHEN NEW.count <= OLD.count"
    " OR NEW.first_at > OLD.first_at OR NEW.last_at < OLD.last_at"
    " OR (NEW.id, NEW.hour, NEW.code, NEW.who, NEW.origin)"
    "   IS NOT (OLD.id, OLD.hour, OLD.code, OLD.who, OLD.origin)"
    " BEGIN SELECT RAISE(ABORT, 'refusals: counts only grow, rows are frozen'); END",
    "CREATE TRIGGER refusals_keep BEFORE DELETE ON refusals WHEN"  # noqa: S608 # constant
    f" OLD.hour >= (SELECT max(hour) FROM refusals) - {KEPT_SECONDS}"
    " BEGIN SELECT RAISE(ABORT, 'refusals: no DELETE within six months, rows are frozen'); END",
)


@migrations()
def trail(db: Database) -> None:
    """Who did what, one row an act; and how often callers were refused, one row an hour."""
    for statement in _TRAIL:
        db.execute(statement)


@migrations()
def totals_of_any_size(db: Database) -> None:
    """Room for sums beyond 64 bits."""
    widen_sums(db)


@migrations()
def whose(db: Database) -> None:
    """The mark of the instance whose invoices these are: one row, written once."""
    db.table("instance").create({"id": int, "mark": str}, pk="id", not_null={"mark"}, strict=True)
    db.execute(
        "CREATE TRIGGER instance_once BEFORE INSERT ON instance WHEN"
        " NEW.id IS NOT 1 OR EXISTS (SELECT 1 FROM instance)"
        " BEGIN SELECT RAISE(ABORT, 'whose invoices these are is fixed'); END"
    )
    for change in ("UPDATE", "DELETE"):
        db.execute(
            f"CREATE TRIGGER instance_no_{change.lower()} BEFORE {change} ON instance"
            " BEGIN SELECT RAISE(ABORT, 'whose invoices these are is fixed'); END"
        )


@migrations()
def clock_noted(db: Database) -> None:
    """What the clock said last, beside how long the machine had run: one row."""
    columns = {"id": int, "boot": str, "ran": int, "at": int, "leapt": int}
    table = db.table("clock_noted")
    table.create(columns, pk="id", not_null=columns.keys() - {"id"}, strict=True)


@migrations()
def people(db: Database) -> None:
    """Who may sign in, with what; who is signed in where."""
    create_people(db)


@migrations()
def terms_of_keys(db: Database) -> None:
    """What a key is good for and until when, whose till it is, and when it was used last."""
    table = db.table("api_keys")
    table.add_column("scopes", str)  # words with a space between; null for all of the role
    table.add_column("expires_at", int)  # null for never
    table.add_column("till", str, not_null_default="")
    table.add_column("used_at", int)  # to within minutes; null for never


@migrations()
def slips_printed(db: Database) -> None:
    """How many slips of an invoice are on paper."""
    create_prints(db)


@migrations()
def forms(db: Database) -> None:
    """What many faces have in common, once; a row that names a form has no face of its own."""
    db.table("forms").create(
        {"id": int, "text": bytes}, pk="id", not_null={"text"}, strict=True
    ).create_index(["text"], unique=True)
    db.execute("ALTER TABLE invoices ADD COLUMN form INTEGER REFERENCES forms(id)")
    db.execute(
        "CREATE TRIGGER forms_append BEFORE INSERT ON forms WHEN EXISTS"
        " (SELECT 1 FROM forms WHERE id = NEW.id OR text = NEW.text)"
        " BEGIN SELECT RAISE(ABORT, 'forms are only ever appended'); END"
    )
    for change in ("UPDATE", "DELETE"):
        db.execute(
            f"CREATE TRIGGER forms_no_{change.lower()} BEFORE {change} ON forms"
            f" BEGIN SELECT RAISE(ABORT, 'forms: no {change}, rows are frozen'); END"
        )


_ORDER_COLUMNS = (
    "till TEXT NOT NULL DEFAULT ''",  # "" and 0: not told, as in orders that have only a number
    "business_day TEXT NOT NULL DEFAULT ''",
    "part INTEGER NOT NULL DEFAULT 0",
    "keyed INTEGER NOT NULL DEFAULT 0",  # 1: it was asked for with an Idempotency-Key
)
_ORDER = "order_id, merchant_id, till, business_day, part, attempt"


@migrations()
def orders_by_day(db: Database) -> None:
    """An order is known by its till and business day, too, and may be invoiced in parts."""
    for column in _ORDER_COLUMNS:
        db.execute(f"ALTER TABLE invoices ADD COLUMN {column}")
    db.execute("DROP INDEX idx_invoices_order")
    db.execute(f"CREATE UNIQUE INDEX idx_invoices_order ON invoices ({_ORDER}) WHERE type = 'blue'")
    same = " AND ".join(f"{name} = NEW.{name}" for name in _ORDER.split(", "))
    db.execute(
        "CREATE TRIGGER orders_append BEFORE INSERT ON invoices WHEN NEW.type = 'blue' AND EXISTS"  # noqa: S608 # our own names
        f" (SELECT 1 FROM invoices WHERE {same} AND type = 'blue')"
        " BEGIN SELECT RAISE(ABORT, 'invoices are only ever appended'); END"
    )
    guard_rows(db, " OR EXISTS (SELECT 1 FROM invoices WHERE reverses = NEW.reverses)")


def guard_rows(db: Database, more: str = "") -> None:
    """Let rows only be appended; orders and returns have triggers of their own."""
    db.execute("DROP TRIGGER invoices_append")
    db.execute(
        "CREATE TRIGGER invoices_append BEFORE INSERT ON invoices WHEN"  # noqa: S608 # constant
        " NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM invoices)"
        " OR EXISTS (SELECT 1 FROM invoices WHERE hash = NEW.hash)"
        " OR EXISTS (SELECT 1 FROM invoices WHERE number = NEW.number AND code = NEW.code)"
        f"{more} BEGIN SELECT RAISE(ABORT, 'invoices are only ever appended'); END"
    )


_RETURNED_TOO_MUCH = (
    "(SELECT b.type = 'blue' AND b.total + NEW.total + (SELECT coalesce(sum(r.total), 0)"
    " FROM invoices r WHERE r.reverses = NEW.reverses) >= 0"
    " FROM invoices b WHERE b.seq = NEW.reverses) IS NOT 1"
)


@migrations()
def several_returns(db: Database) -> None:
    """One invoice may be taken back by several; all of them never take more than it was."""
    db.execute("DROP INDEX idx_invoices_reverses")
    db.execute(
        "CREATE INDEX idx_invoices_reverses ON invoices (reverses) WHERE reverses IS NOT NULL"
    )
    guard_rows(db)
    db.execute(
        "CREATE TRIGGER returns_within BEFORE INSERT ON invoices WHEN NEW.reverses IS NOT NULL"
        f" AND {_RETURNED_TOO_MUCH}"
        " BEGIN SELECT RAISE(ABORT, 'no more is taken back than was sold'); END"
    )


@migrations()
def tills(db: Database) -> None:
    """What tills keep beside invoices: lists, bills, payments, returns, shifts, events."""
    create_till(db)


@migrations()
def buyers_apart(db: Database) -> None:
    """A key for each person among the buyers, so that they can be erased."""
    create_buyer_keys(db)


@migrations(transactional=False)
def buyers_washed(db: Database) -> None:
    """Leave nothing in the file of people who were stored without a key."""
    if db.execute("SELECT 1 FROM buyer_keys LIMIT 1").fetchone():
        vacuum(db.conn)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


@migrations()
def till_buyers(db: Database) -> None:
    """People on open bills are sealed, and can be forgotten."""
    create_till_buyers(db)


@migrations(transactional=False)
def till_buyers_washed(db: Database) -> None:
    """Leave nothing in the file of people who stood on bills in plain text."""
    if db.execute("SELECT 1 FROM till_buyer_keys LIMIT 1").fetchone():
        vacuum(db.conn)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


@migrations()
def claims(db: Database) -> None:
    """Orders whose invoices customers claim, and what was paid for them."""
    create_claims(db)


@migrations()
def retention(db: Database) -> None:
    """Erasures reach what lies beside the store, and stay done; browsers may be forgotten."""
    create_retention(db)


@migrations()
def till_undone(db: Database) -> None:
    """Bills in parts whose rest was not sold: their orders are closed."""
    create_undone(db)


@migrations()
def mails(db: Database) -> None:
    """Letters with invoices, and the keys of their addresses."""
    create_mails(db)


@migrations()
def claims_of_tills(db: Database) -> None:
    """What was paid at a till for an order; orders that wait are found."""
    claims_at_tills(db)


@migrations()
def wallet_offers(db: Database) -> None:
    """Offers of invoices to wallets."""
    create_offers(db)


@migrations()
def prepaid(db: Database) -> None:
    """Prepaid accounts, and the ledger of what became of them."""
    create_prepaid(db)


@migrations()
def acts_for_the_log(db: Database) -> None:
    """What the log commits to of acts, from here on."""
    create_logged(db)


@migrations()
def roles_of_officials(db: Database) -> None:
    """Officials have roles, may be suspended, and may be known by a provider of sign-ins."""
    officials(db)


@migrations()
def money_quotas(db: Database) -> None:
    """Quotas as money, and what was issued of them."""
    create_money(db)


@migrations()
def admission(db: Database) -> None:
    """Applications, and requests for more quota."""
    create_admission(db)


@migrations()
def spans(db: Database) -> None:
    """What days, months and years came to, by every mix."""
    create_spans(db)


@migrations()
def two_persons(db: Database) -> None:
    """What one official proposes, and another confirms; who looked at what is found."""
    create_proposals(db)
    db.execute("CREATE INDEX idx_acts_lookups ON acts (at) WHERE type = 'lookup'")


@migrations()
def mails_end(db: Database) -> None:
    """Letters that were sent or given up may be forgotten."""
    letters_end(db)


@migrations()
def bureau_views(db: Database) -> None:
    """Questions that officials keep under a name."""
    create_bureau(db)


@migrations()
def accounts_of_admitted(db: Database) -> None:
    """Whoever was admitted is offered the merchant's first account."""
    first_owners(db)


@migrations()
def applications_compete(db: Database) -> None:
    """Whoever applies with a stranger's tax id is in nobody's way."""
    let_compete(db)


@migrations()
def papers_named(db: Database) -> None:
    """Pages of papers are known by their bytes."""
    name_papers(db)


@migrations()
def spans_in_columns(db: Database) -> None:
    """Spans' cells in columns, for rankings; the worker packs what is there."""
    create_packs(db)


@migrations()
def requests_taken_back(db: Database) -> None:
    """A merchant takes back what it asked for."""
    let_take_back(db)


@migrations()
def columns_checked(db: Database) -> None:
    """Columns with check sums. The worker packs all anew, from rows: a sum that was made of old
    ones now would vouch for whatever has changed in them.
    """
    db.execute("DROP TABLE span_packs")
    create_packs(db)
