"""Rows that go in the end, and what is known of those who were erased (ADR 0047)."""

from collections.abc import Collection
from typing import Final

from sqlite_utils import Database

from invoice_service.domain.persons import GONE
from invoice_service.retention.ports import Due
from invoice_service.storage.sqlite.connection import Connections

WAITS: Final = "INSERT OR IGNORE INTO erased_waiting VALUES (?)"

_CLAIMERS: Final = "hash <> '' AND secret <> x''"
_UNCLAIMED: Final = (
    "NOT EXISTS (SELECT 1 FROM claims c WHERE c.order_seq = o.seq)"
    " AND NOT EXISTS (SELECT 1 FROM claim_payments p WHERE p.order_seq = o.seq)"
)
_ENDED: Final = "coalesce(o.cancelled_at, o.expires_at)"
_PEOPLE: Final = (
    "FROM buyer_keys k JOIN invoices i ON i.seq = k.invoice"
    " WHERE k.invoice > ?1 AND i.reverses IS NULL AND k.key <> ?2"
)
_GROUP: Final = "substr(i.buyer, 2, 32)"
_TABLES: Final = (
    "CREATE TABLE erased_waiting (invoice INTEGER PRIMARY KEY) STRICT",
    "CREATE TABLE erased_list (id INTEGER PRIMARY KEY CHECK (id = 1), mark BLOB NOT NULL) STRICT",
    "CREATE INDEX idx_claims_secret ON claims (at) WHERE hash <> '' AND secret <> x''",
    "DROP TRIGGER claims_done",
    "CREATE TRIGGER claims_done BEFORE UPDATE ON claims WHEN OLD.hash <> '' AND"
    " (NEW.secret IS NOT x'' OR NEW.order_seq IS NOT OLD.order_seq OR NEW.part IS NOT OLD.part"
    " OR NEW.at IS NOT OLD.at OR NEW.buyer IS NOT OLD.buyer OR NEW.hash IS NOT OLD.hash"
    " OR NEW.number IS NOT OLD.number)"
    " BEGIN SELECT RAISE(ABORT, 'claims: what has its invoice is frozen; only its browser may be"
    " forgotten'); END",
)


class RetentionRows:
    """The part of the store that lets things go."""

    connections: Connections

    def claimers_due(self, before: int) -> Due:
        """Browsers that are still known by what they claimed."""
        return self._due(f"SELECT sum(at < ?), min(at) FROM claims WHERE {_CLAIMERS}", before)  # noqa: S608 # our own texts

    def forget_claimers(self, before: int, most: int) -> int:
        """Know them no longer; returns how many."""
        with self.connections.writing() as connection:
            return connection.execute(
                "UPDATE claims SET secret = x'' WHERE (order_seq, part) IN (SELECT order_seq, part"  # noqa: S608 # our own texts
                f" FROM claims WHERE {_CLAIMERS} AND at < ? ORDER BY at LIMIT ?)",
                (before, most),
            ).rowcount

    def orders_due(self, before: int) -> Due:
        """Orders that nobody claimed or paid, and nobody can any more."""
        return self._due(
            f"SELECT sum({_ENDED} < ?), min({_ENDED}) FROM claim_orders o WHERE {_UNCLAIMED}",  # noqa: S608 # our own texts
            before,
        )

    def drop_orders(self, before: int, most: int) -> int:
        """Delete them; returns how many."""
        with self.connections.writing() as connection:
            return connection.execute(
                "DELETE FROM claim_orders WHERE seq IN (SELECT o.seq FROM claim_orders o"  # noqa: S608 # our own texts
                f" WHERE {_ENDED} < ? AND {_UNCLAIMED} LIMIT ?)",
                (before, most),
            ).rowcount

    def people_due(self, before: int) -> Due:
        """Sales to people of whom something is stored."""
        with self.connections.reading() as connection:
            count, oldest = connection.execute(
                f"SELECT sum(i.issued_at < ?3), min(i.issued_at) {_PEOPLE}", (0, GONE, before)
            ).fetchone()
        return Due(count or 0, oldest)

    def people_before(self, before: int, after: int, most: int) -> list[tuple[int, bytes]]:
        """(Place, digest) of such sales above the place ``after``, in order."""
        with self.connections.reading() as connection:
            return connection.execute(
                f"SELECT i.seq, i.hash {_PEOPLE} AND i.issued_at < ?3 ORDER BY k.invoice LIMIT ?4",
                (after, GONE, before, most),
            ).fetchall()

    def waiting_erasures(self) -> list[int]:
        """Places of blue invoices whose erasure has not reached everything beside the store."""
        with self.connections.reading() as connection:
            rows = connection.execute("SELECT invoice FROM erased_waiting ORDER BY invoice")
            return [row[0] for row in rows]

    def erasure_reached_all(self, seq: int) -> None:
        """It has."""
        with self.connections.writing() as connection:
            connection.execute("DELETE FROM erased_waiting WHERE invoice = ?", (seq,))

    def erased_groups(self) -> list[bytes]:
        """The commitments of all groups that were erased."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"SELECT {_GROUP} FROM buyer_keys k JOIN invoices i ON i.seq = k.invoice"  # noqa: S608 # our own texts
                " WHERE k.key = ?",
                (GONE,),
            )
            return [row[0] for row in rows]

    def people_in(self, groups: Collection[bytes]) -> list[bytes]:
        """The digests of documents whose groups are among these, and are not erased here."""
        if not groups:
            return []
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"SELECT {_GROUP}, i.hash FROM buyer_keys k"  # noqa: S608 # our own texts
                " JOIN invoices i ON i.seq = k.invoice WHERE k.key <> ?",
                (GONE,),
            )
            return [digest for group, digest in rows if group in groups]

    def erased_mark(self) -> bytes | None:
        """The mark of the list with which the store agrees; None when it never did."""
        with self.connections.reading() as connection:
            row = connection.execute("SELECT mark FROM erased_list").fetchone()
        return None if row is None else bytes(row[0])

    def note_erased_mark(self, mark: bytes) -> None:
        """It agrees with that one."""
        with self.connections.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO erased_list VALUES (1, ?)", (mark,))

    def _due(self, query: str, before: int) -> Due:
        with self.connections.reading() as connection:
            count, oldest = connection.execute(query, (before,)).fetchone()
        return Due(count or 0, oldest)


def create_retention(db: Database) -> None:
    """The tables, and leave to forget who claimed."""
    for statement in _TABLES:
        db.execute(statement)
