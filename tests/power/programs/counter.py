"""Insert rows into SQLite one transaction at a time, and tell a socket after each.

Usage: counter FOLDER COUNT JOURNAL_MODE SYNCHRONOUS
"""

import socket
import sqlite3
import sys
from pathlib import Path


def main(folder: str, count: str, journal: str, synchronous: str) -> None:
    """Commit ``count`` rows under ``folder``; the socket hears a number once it is committed."""
    told, _listener = socket.socketpair()
    database = sqlite3.connect(Path(folder) / "rows.db", isolation_level=None)
    database.execute(f"PRAGMA journal_mode={journal}")
    database.execute(f"PRAGMA synchronous={synchronous}")
    database.execute("CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY, filler TEXT)")
    for n in range(1, int(count) + 1):
        database.execute("INSERT INTO rows VALUES (?, ?)", (n, "x" * 700))
        told.send(b"%d" % n)
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
