"""Tries to sign in, counted by all web processes of a machine together.

In a file of its own among what runs: nobody who issues waits for it, no backup has it, and a crash
of the machine may lose it. What cannot be counted there, a process counts by itself.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from chain.hashing import sha256
from chain.log.sqlite import make_private
from invoice_service.services.people.tries import Allowance, OwnCounts

TRIES: Final = "tries.db"
"""Its name in the folder of what runs."""

_LONGEST: Final = 86_400_000
"""Milliseconds; whatever is said of a later time was said before the machine started anew."""

_CLEAN_EVERY: Final = 64
_OPENING: Final = (
    "PRAGMA busy_timeout = 1000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = OFF",
    "PRAGMA max_page_count = 4096",  # 16 MiB
    "CREATE TABLE IF NOT EXISTS tries (name BLOB PRIMARY KEY, until INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID",
)
# A name has used up all until ``until`` (ms), less what it may use at once: GCRA, as in throttled.
_BEGUN: Final = "CASE WHEN until > :now + :span THEN :now ELSE max(until, :now) END + :each"
_TAKE: Final = (
    "INSERT INTO tries VALUES (:name, :now + :each) ON CONFLICT (name)"  # noqa: S608 # constant
    f" DO UPDATE SET until = {_BEGUN} WHERE {_BEGUN} <= :now + :span RETURNING until"
)

_log = structlog.get_logger()


class SharedCounts:
    """Safe for threads, for processes, and after a fork."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds, the same to all processes; the file is made when first used."""
        self._path = path
        self._clock = clock
        self._guard = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._taken = 0
        self._own = OwnCounts()

    def take(self, name: str, allowed: Allowance) -> float:
        """Use one up, and answer 0; or the seconds until there is one again."""
        with self._guard:
            try:
                return self._take(sha256(name.encode("utf-8", "surrogatepass")), allowed)
            except (sqlite3.Error, OSError) as error:
                _log.warning("tries.counted_alone", error=str(error))
                self._connection = None
        return self._own.take(name, allowed)

    def _take(self, name: bytes, allowed: Allowance) -> float:
        connection, now = self._open(), int(self._clock() * 1000)
        each = allowed.each * 1000
        values = {"name": name, "now": now, "each": each, "span": allowed.burst * each}
        self._clean(connection, now)
        # A row that is not read to its end would keep the file locked.
        if connection.execute(_TAKE, values).fetchall():
            return 0.0
        query = "SELECT until FROM tries WHERE name = ?"
        until = int(connection.execute(query, (name,)).fetchall()[0][0])
        return max(1, until + each - allowed.burst * each - now) / 1000

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._pid != os.getpid():
            make_private(self._path)
            opened = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            try:
                for statement in _OPENING:
                    opened.execute(statement).fetchall()
            except sqlite3.Error:
                opened.close()
                raise
            self._connection, self._pid = opened, os.getpid()
        return self._connection

    def _clean(self, connection: sqlite3.Connection, now: int) -> None:
        """Forget whoever has all tries left, now and then."""
        self._taken += 1
        if self._taken % _CLEAN_EVERY == 1:
            old = "DELETE FROM tries WHERE until <= ?1 OR until > ?1 + ?2"
            connection.execute(old, (now, _LONGEST)).fetchall()
