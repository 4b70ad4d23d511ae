"""The rows of a year, inserted raw: what SQLite does when nothing else is asked of it."""

import sqlite3
import time
from pathlib import Path

BATCH = 1_000


def raw_rate(invoices_db: Path, folder: Path) -> float:
    """Insert all rows of ``invoices_db`` into a bare table, and return how many a second.

    A thousand in a durable transaction; a key in order of writing and one in the random order of
    hashes; no other index, no trigger, no rule. Reading the rows is not counted.
    """
    source = sqlite3.connect(f"{invoices_db.absolute().as_uri()}?mode=ro", uri=True)
    target = sqlite3.connect(folder / "raw.db", isolation_level=None)
    try:
        target.execute("PRAGMA journal_mode = WAL")
        target.execute("PRAGMA synchronous = FULL")
        rows = source.execute("SELECT * FROM invoices ORDER BY seq")
        names = [column[0] for column in rows.description]
        target.execute(f"CREATE TABLE invoices (seq INTEGER PRIMARY KEY, {', '.join(names[1:])})")
        target.execute("CREATE UNIQUE INDEX hashes ON invoices (hash)")
        return _insert(rows, target, f"INSERT INTO invoices VALUES (?{', ?' * (len(names) - 1)})")
    finally:
        source.close()
        target.close()


def _insert(rows: sqlite3.Cursor, target: sqlite3.Connection, statement: str) -> float:
    count, spent = 0, 0.0
    while batch := rows.fetchmany(BATCH):
        before = time.perf_counter()
        target.execute("BEGIN IMMEDIATE")
        target.executemany(statement, batch)
        target.execute("COMMIT")
        spent += time.perf_counter() - before
        count += len(batch)
    return count / spent
