"""SQLite as an invoice store wants it: one connection a thread, synced commits, named errors."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

from sqlite_utils import Database

from chain.errors import UnavailableError
from chain.log.sqlite import SAFE, Trouble, trouble
from invoice_service.domain.likeness import folded
from invoice_service.storage.sqlite.turnstile import Turnstile

BUSY_SECONDS = 5.0
"""How long a writer waits for the others before it gives up with ``database_busy``."""

TO_WASH = "INSERT OR IGNORE INTO unwashed VALUES (-1 - abs(random() % 4611686018427387904))"
"""In the transaction that takes out what concerns people: the log of it is to be emptied."""

_PAUSE = 0.0001  # seconds; a transaction takes a few of them

# Readers meet a lock only while a file is recovered after a crash.
_READERS_WAIT = "PRAGMA busy_timeout = 5000"
_WRITERS_DO_NOT = "PRAGMA busy_timeout = 0"
_READERS_MOMENT = "PRAGMA busy_timeout = 100"

_PRAGMAS = (
    *SAFE,
    _READERS_WAIT,
    # Pages, 64 MB: only where nobody calls ``fold`` has a commit to do all of that.
    "PRAGMA wal_autocheckpoint = 16000",
    "PRAGMA cache_size = -16384",
    "PRAGMA foreign_keys = ON",
    # What is destroyed leaves nothing behind in the pages.
    "PRAGMA secure_delete = ON",
    # What a savepoint keeps would go to a file after 64 KiB; no query here sorts much.
    "PRAGMA temp_store = MEMORY",
)

_BUSY = ("database_busy", "the database is busy; try again")
_CODES = {
    Trouble.BUSY: _BUSY,
    Trouble.FULL: ("disk_full", "there is no space left to store anything"),
    Trouble.DAMAGED: ("database_damaged", "the database file is damaged"),
}


class Connections:
    """The connections to one database file: one for each thread, opened when first used.

    A process that was forked opens its own; a connection never crosses a fork.
    """

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._mine = threading.local()

    @property
    def database(self) -> Database:
        """This thread's connection, for use within ``reading`` or ``writing``.

        UnavailableError when the file is missing or unreadable.
        """
        return self._session().database

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give this thread's connection; what SQLite raises comes out as UnavailableError."""
        session = self._session()  # held until the end: whoever closes all closes it then
        try:
            yield session.database.conn
        except sqlite3.Error as error:
            raise unavailable(error) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is on disk when the block is left, or none of it happened.

        A failing COMMIT is answered like any other failure. Whether the rows are there after
        the next start is then open, as after a power cut: whoever asks again is told.
        """
        session = self._session()
        with self.reading() as connection:
            session.begin(time.monotonic() + self._busy_seconds)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                _roll_back(connection)
                raise

    def empty_log(self) -> None:
        """Put all of the write-ahead log into the database, and leave nothing of it.

        After a power cut its end may be back until something else is committed. Raises
        UnavailableError ``database_busy`` when a reader needs it for too long.
        """
        give_up = time.monotonic() + self._busy_seconds
        with self.reading() as connection:
            while not _is_emptied(connection):
                if time.monotonic() > give_up:
                    raise UnavailableError(*_BUSY)
                time.sleep(_PAUSE)

    def fold(self) -> None:
        """Put into the file what the write-ahead log holds, while others read and write.

        Who calls this now and then spares a writer from doing so within its commit.
        """
        with self.reading() as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def rewrite(self) -> None:
        """Write the whole file anew, without what pages keep in their free room.

        Whoever writes meanwhile waits, or is told ``database_busy``; so is this.
        """
        with self.reading() as connection:
            vacuum(connection)
        self.empty_log()

    def close(self) -> None:
        """Close the connections of all threads; of one that is just used, when it no longer is.

        A connection that is closed under a thread that reads brings the process down.
        """
        self._mine = threading.local()

    def _session(self) -> "_Session":
        session: _Session | None = getattr(self._mine, "session", None)
        if session is None or session.pid != os.getpid():
            session = self._mine.session = _Session(self.path)
        return session


class _Session:
    """One thread's connection and its place in the queue of writers."""

    def __init__(self, path: Path) -> None:
        self.pid = os.getpid()
        self.database = _open(path)
        try:
            self._turnstile = Turnstile(path.with_name(f"{path.name}-turn"))
        except UnavailableError:
            self.database.close()
            raise
        self._closed = False
        _sessions.add(self)

    def __del__(self) -> None:
        """Close when nobody holds it: with its thread (they come and go), or with all."""
        if getattr(self, "_closed", True):
            return
        if self.pid == os.getpid():
            self.close()
        else:  # after a fork, the parent's connection must be neither used nor closed
            _inherited.append(self.database)

    def begin(self, give_up: float) -> None:
        """Begin a write transaction; ``database_busy`` when that takes until ``give_up``.

        SQLite's own waiting is a lottery with sleeps of up to 100 ms, which a thread that
        has just committed wins again and again. So writers queue at a turnstile, which is held
        only while waiting to begin, and at which nobody waits longer than until ``give_up``: a
        writer that stands still, there or in a transaction, makes the others fail, not hang.
        """
        if not self._turnstile.enter(give_up):
            raise UnavailableError(*_BUSY)
        try:
            _begin(self.database.conn, give_up)
        finally:
            self._turnstile.leave()

    def close(self) -> None:
        """Close both, unless they belong to the process that this one was forked from."""
        if self.pid == os.getpid() and not self._closed:
            self._closed = True
            _sessions.discard(self)
            self.database.close()
            self._turnstile.close()

    def leave_queue(self) -> None:
        """Let go of the parent's place after a fork: its lock must not outlive it here."""
        self._turnstile.leave_behind()


def _leave_queues() -> None:
    for session in _sessions:
        session.leave_queue()
    _sessions.clear()


_sessions: WeakSet[_Session] = WeakSet()
_inherited: list[Database] = []
os.register_at_fork(after_in_child=_leave_queues)


def _open(path: Path) -> Database:
    # mode=rw: a missing file is an error, never an empty database.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            database = Database(connection)  # turns recursive triggers on
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            # Names are searched as ``folded`` has them, in SQL as elsewhere.
            connection.create_function("folded", 1, _folded, deterministic=True)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise unavailable(error) from error
    return database


def _folded(text: object) -> str | None:
    return folded(text) if isinstance(text, str) else None


def _begin(connection: sqlite3.Connection, give_up: float) -> None:
    connection.execute(_WRITERS_DO_NOT)
    try:
        while not _has_begun(connection):
            if time.monotonic() > give_up:
                raise UnavailableError(*_BUSY)
            time.sleep(_PAUSE)
    finally:
        connection.execute(_READERS_WAIT)


def vacuum(connection: sqlite3.Connection) -> None:
    """Write the database anew, by way of a file: it need not fit into memory."""
    connection.execute("PRAGMA temp_store = FILE")
    try:
        connection.execute("VACUUM")
    finally:
        connection.execute("PRAGMA temp_store = MEMORY")


def _is_emptied(connection: sqlite3.Connection) -> bool:
    """Try for so long that nobody who writes has to wait for much longer than usual."""
    connection.execute(_READERS_MOMENT)
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(_READERS_WAIT)
    return not busy


def _has_begun(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if trouble(error) is not Trouble.BUSY:
            raise
        return False
    return True


def unavailable(error: sqlite3.Error) -> UnavailableError:
    """The error of ours that stands for SQLite's."""
    other = ("database_unavailable", f"the database cannot be used: {error}")
    return UnavailableError(*_CODES.get(trouble(error), other))


def _roll_back(connection: sqlite3.Connection) -> None:
    # SQLite has already rolled back by itself after some errors (disk full, input/output).
    if connection.in_transaction:
        connection.execute("ROLLBACK")
