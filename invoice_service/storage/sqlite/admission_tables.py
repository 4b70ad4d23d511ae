"""Tables of admission: applications with what was said of them, and requests for more quota."""

from typing import Final

from sqlite_utils import Database

from invoice_service.domain.application import CREDITS, OPEN, RISKS, STATES, WARNINGS
from invoice_service.services.admission.ports import KINDS, REQUEST_STATES


def _listed(words: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


def _among(column: str, words: tuple[str, ...]) -> str:
    return f"CHECK ({column} IN {_listed(words)})"


OPEN_SQL: Final = _listed(OPEN)
_ANSWERED: Final = ("open", "granted", "refused")
"""How a request could stand before merchants took one back."""


def _requests(states: tuple[str, ...]) -> tuple[str, ...]:
    """The table of requests with its indexes."""
    return (
        "CREATE TABLE quota_requests (id INTEGER PRIMARY KEY AUTOINCREMENT,"
        " version INTEGER NOT NULL, merchant_id INTEGER NOT NULL REFERENCES merchants (id),"
        f" kind TEXT NOT NULL {_among('kind', KINDS)}, at INTEGER NOT NULL,"
        f" state TEXT NOT NULL {_among('state', states)}, quota INTEGER,"
        " month_quota INTEGER, invoice_limit INTEGER, reason TEXT NOT NULL,"
        " answer TEXT NOT NULL DEFAULT '', answered_at INTEGER) STRICT",
        "CREATE UNIQUE INDEX idx_quota_requests_open ON quota_requests (merchant_id, kind)"
        " WHERE state = 'open'",
        "CREATE INDEX idx_quota_requests_state ON quota_requests (state, id)",
    )


_TABLES: Final = (
    # Numbers are never given out twice: acts name applications by them.
    "CREATE TABLE applications (id INTEGER PRIMARY KEY AUTOINCREMENT, receipt BLOB NOT NULL UNIQUE,"
    f" version INTEGER NOT NULL, state TEXT NOT NULL {_among('state', STATES)},"
    " at INTEGER NOT NULL, changed_at INTEGER NOT NULL, tax_id TEXT NOT NULL, name TEXT NOT NULL,"
    " industry TEXT NOT NULL, district TEXT NOT NULL, address_phone TEXT NOT NULL,"
    " contact TEXT NOT NULL, message TEXT NOT NULL, notice_until INTEGER,"
    f" risk TEXT {_among('risk', RISKS)}, credit TEXT {_among('credit', CREDITS)},"
    f" warning TEXT NOT NULL DEFAULT '' {_among('warning', WARNINGS)},"
    " batch TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '',"
    " merchant_id INTEGER REFERENCES merchants (id),"
    " CHECK ((state = 'admitted') = (merchant_id IS NOT NULL))) STRICT",
    "CREATE INDEX idx_applications_state ON applications (state, id)",
    f"CREATE UNIQUE INDEX idx_applications_open ON applications (tax_id) WHERE state IN {OPEN_SQL}",
    "CREATE TABLE application_comments (id INTEGER PRIMARY KEY,"
    " application INTEGER NOT NULL REFERENCES applications (id), at INTEGER NOT NULL,"
    f" whose TEXT NOT NULL {_among('whose', ('applicant', 'official', 'public'))},"
    " text TEXT NOT NULL) STRICT",
    "CREATE INDEX idx_application_comments ON application_comments (application, id)",
    "CREATE TABLE application_papers (application INTEGER NOT NULL REFERENCES applications (id),"
    " number INTEGER NOT NULL, at INTEGER NOT NULL, bytes INTEGER NOT NULL, name TEXT NOT NULL,"
    " PRIMARY KEY (application, number)) STRICT, WITHOUT ROWID",
    *_requests(_ANSWERED),
)


def let_compete(db: Database) -> None:
    """Several open applications may have one tax id."""
    db.execute("DROP INDEX idx_applications_open")
    db.execute("CREATE INDEX idx_applications_tax_id ON applications (tax_id, state)")


def name_papers(db: Database) -> None:
    """Each page has the SHA-256 of its bytes; null for those from before."""
    db.execute("ALTER TABLE application_papers ADD COLUMN digest BLOB")


def let_take_back(db: Database) -> None:
    """Merchants take back what they asked for. SQLite changes no CHECK: the table is made anew."""
    db.execute("ALTER TABLE quota_requests RENAME TO quota_requests_before")
    for name in ("open", "state"):
        db.execute(f"DROP INDEX idx_quota_requests_{name}")
    for statement in _requests(REQUEST_STATES):
        db.execute(statement)
    db.execute("INSERT INTO quota_requests SELECT * FROM quota_requests_before ORDER BY id")
    db.execute("DROP TABLE quota_requests_before")


def create_admission(db: Database) -> None:
    """Make them."""
    for statement in _TABLES:
        db.execute(statement)
