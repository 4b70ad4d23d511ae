"""How often an invoice's slip has come out of a printer; beside the invoices, whose rows stay."""

from sqlite_utils import Database

from invoice_service.storage.sqlite.connection import Connections


class Prints:
    """The part of the store that counts slips."""

    connections: Connections

    def prints(self, seq: int) -> int:
        """How many slips of the invoice at ``seq`` are on paper."""
        with self.connections.reading() as connection:
            row = connection.execute(
                "SELECT count FROM prints WHERE invoice = ?", (seq,)
            ).fetchone()
        return int(row[0]) if row else 0

    def add_print(self, seq: int, at: int) -> int:
        """Count one more at ``at`` (unix seconds); returns how many there are now."""
        with self.connections.writing() as connection:
            grown = connection.execute(
                "UPDATE prints SET count = count + 1, last_at = max(last_at, ?) WHERE invoice = ?",
                (at, seq),
            )
            if not grown.rowcount:
                connection.execute("INSERT INTO prints VALUES (?, 1, ?, ?)", (seq, at, at))
            row = connection.execute(
                "SELECT count FROM prints WHERE invoice = ?", (seq,)
            ).fetchone()
        return int(row[0])


def create_prints(db: Database) -> None:
    """The table of counts, which only grow."""
    db.execute(
        "CREATE TABLE prints (invoice INTEGER PRIMARY KEY REFERENCES invoices (seq),"
        " count INTEGER NOT NULL CHECK (count > 0), first_at INTEGER NOT NULL,"
        " last_at INTEGER NOT NULL) STRICT"
    )
    db.execute(
        "CREATE TRIGGER prints_once BEFORE INSERT ON prints WHEN NEW.count IS NOT 1"
        " OR EXISTS (SELECT 1 FROM prints WHERE invoice = NEW.invoice)"
        " BEGIN SELECT RAISE(ABORT, 'prints: a count begins once, rows are frozen'); END"
    )
    db.execute(
        "CREATE TRIGGER prints_grow BEFORE UPDATE ON prints WHEN NEW.count IS NOT OLD.count + 1"
        " OR NEW.last_at < OLD.last_at"
        " OR (NEW.invoice, NEW.first_at) IS NOT (OLD.invoice, OLD.first_at)"
        " BEGIN SELECT RAISE(ABORT, 'prints: counts only grow, rows are frozen'); END"
    )
    db.execute(
        "CREATE TRIGGER prints_no_delete BEFORE DELETE ON prints"
        " BEGIN SELECT RAISE(ABORT, 'prints: no DELETE, rows are frozen'); END"
    )
