"""The log's store on SQLite: one file, write-ahead log, synced to disk before a write returns."""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from msgspec.structs import astuple
from sqlite_utils import Database

from chain.block import Block, Head, Located, Row, StoredCheckpoint, empty_head
from chain.entry import format_time, parse_time
from chain.errors import (
    ConflictError,
    Problem,
    UnavailableError,
    VerificationError,
)
from chain.hashing import Digest, to_digest
from chain.log.schema import ALREADY_IN_LOG, GUARDS, log_migrations
from chain.log.sqlite import SAFE, Trouble, make_private, trouble
from chain.log.turns import LONG_SECONDS, take
from chain.signing.note import Signature
from chain.tree.merkle import Edge

BUSY_SECONDS: Final = 10.0
_CHUNK: Final = 1024  # rows held in memory while entries are streamed
_TRIGGERS: Final = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
_BLOCK_TYPES: Final = (int, int, int, int, bytes, bytes, bytes, str, int)
_LOCATED_TYPES: Final = (int, bytes, int)
_LOCATE: Final = (
    "SELECT idx, entry, (SELECT size FROM blocks WHERE size > idx ORDER BY size LIMIT 1)"
    " FROM entries WHERE key = ?"
)
_KEY_TYPES: Final = (bytes, type(None))
_STATEMENT: Final = "statement/"  # before its number, in the table of names
_EMPTY_EDGE: Final = Edge().to_bytes()
NO_NODES: Final[Mapping[Digest, bytes]] = {}


class _Opened:
    """A connection, closed when the thread that holds it ends: servers come and go with threads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.process = os.getpid()

    def __del__(self) -> None:
        """Close when nobody holds it; sqlite3 itself waits for the garbage collector."""
        if self.process == os.getpid():
            self.connection.close()
        else:  # after a fork, the parent's connection must be neither used nor closed
            _inherited.append(self.connection)


_inherited: Final[list[sqlite3.Connection]] = []


class SqliteLogStore:
    """A ``chain.log.log.LogStore`` in the file ``path``. Safe for threads and processes at once.

    Every thread has its own connection; a forked child opens new ones.
    """

    def __init__(self, path: Path) -> None:
        """Open ``path``, creating it and bringing its schema up to date."""
        self._path = path
        self._local = threading.local()
        self._migrate()

    def close(self) -> None:
        """Close the connections of all threads; of one that is just used, when it no longer is."""
        self._local = threading.local()

    def bind_origin(self, origin: str) -> None:
        """Name a new log, or check an old one's name; ConflictError ``origin_differs``."""
        if (found := self._bind("origin", origin)) != origin:
            raise ConflictError("origin_differs", f"this log is {found}, not {origin}")

    def origin(self) -> str | None:
        """The log's name, or None while it has none."""
        return self._meta("origin")

    def bind_instance(self, mark: str) -> None:
        """Say whose log this is, once and for all; ConflictError ``instance_differs``."""
        if (found := self._bind("instance", mark)) != mark:
            raise ConflictError("instance_differs", f"this log is of {found}, not of {mark}")

    def instance(self) -> str | None:
        """The mark of the instance whose log this is, or None while it has none."""
        return self._meta("instance")

    def bind_statement(self, number: int, digest: str) -> None:
        """Remember a statement of the log's keys; ConflictError ``statement_differs``."""
        if self._bind(f"{_STATEMENT}{number}", digest) != digest:
            raise ConflictError("statement_differs", f"statement {number} was another one")

    def statements(self) -> dict[int, str]:
        """The digests of the statements that were remembered, by their numbers."""
        query = "SELECT name, value FROM meta WHERE name GLOB ?"
        found = self._all(query, (f"{_STATEMENT}*",))
        return {int(name.removeprefix(_STATEMENT)): str(value) for name, value in found}

    def append(
        self,
        expected: Head,
        rows: Sequence[Row],
        block: Block,
        nodes: Mapping[Digest, bytes] = NO_NODES,
    ) -> None:
        """Add ``rows`` and ``block`` in one transaction, only if ``expected`` is still the head.

        ``nodes`` of the state map go with them; those that are there already stay.

        Durable once it returns. ConflictError ``log_moved``, or ``already_in_log`` when a key
        stands in the log; UnavailableError ``disk_full`` and the like.
        """
        # A crash before COMMIT returns leaves the old head; after it, the whole block.
        with self._transaction() as connection:
            if self.head() != expected:
                raise ConflictError("log_moved", "another writer has moved the log's head")
            connection.executemany(
                "INSERT INTO entries VALUES (?, ?, ?)",
                map(astuple, rows),
            )
            connection.execute(
                "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                _block_values(block),
            )
            connection.executemany("INSERT OR IGNORE INTO state_nodes VALUES (?, ?)", nodes.items())

    def head(self) -> Head:
        """The state after the last block."""
        row = self._one("SELECT * FROM blocks ORDER BY height DESC LIMIT 1")
        return empty_head(_EMPTY_EDGE) if row is None else _to_block(row).head()

    def last_sealed(self) -> int:
        """When the last block was sealed, in unix seconds; 0 before the first."""
        row = self._one("SELECT sealed_at FROM blocks ORDER BY height DESC LIMIT 1")
        return 0 if row is None else int(parse_time(row[0]).timestamp())

    def block(self, height: int) -> Block | None:
        """The block of that height."""
        return self._block("SELECT * FROM blocks WHERE height = ?", height)

    def block_of_size(self, size: int) -> Block | None:
        """The block after which the log had that size."""
        return self._block("SELECT * FROM blocks WHERE size = ?", size)

    def block_of(self, index: int) -> Block | None:
        """The block in which that entry stands, its seal included."""
        return self._block("SELECT * FROM blocks WHERE size > ? ORDER BY size LIMIT 1", index)

    def blocks(self, after: int, limit: int) -> list[Block]:
        """At most ``limit`` blocks of heights above ``after``, in order."""
        query = "SELECT * FROM blocks WHERE height > ? ORDER BY height LIMIT ?"
        return [_to_block(row) for row in self._all(query, (after, limit))]

    def find(self, key: bytes) -> int | None:
        """The index of the entry with that key, by the unique index."""
        row = self._one("SELECT idx FROM entries WHERE key = ?", key)
        return None if row is None else int(row[0])

    def locate(self, key: bytes) -> Located | None:
        """The entry with that key, and where; VerificationError ``store_damaged``."""
        row = self._one(_LOCATE, key)
        if row is None:
            return None
        if tuple(map(type, row)) != _LOCATED_TYPES:
            raise VerificationError("store_damaged", "an entry stands in no block, or is none")
        return Located(*row)

    def entry(self, index: int) -> bytes | None:
        """One entry's bytes."""
        row = self._one("SELECT entry FROM entries WHERE idx = ?", index)
        return None if row is None else _bytes(row[0])

    def state_node(self, digest: Digest) -> bytes | None:
        """The body of the state map's node with this hash."""
        row = self._one("SELECT body FROM state_nodes WHERE hash = ?", digest)
        return None if row is None else _bytes(row[0])

    def rows(self, first: int, end: int) -> Iterator[Row]:
        """Stored rows ``first`` to ``end - 1``, in order, a few at a time; gaps are left out.

        Nothing is held open in between: rows never change, so no snapshot is needed.
        """
        query = (
            "SELECT idx, entry, key FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx LIMIT ?"
        )
        while chunk := self._all(query, (first, end, _CHUNK)):
            for index, entry, key in chunk:
                if type(entry) is not bytes or type(key) not in _KEY_TYPES:
                    raise _not_bytes()
                yield Row(index, entry, key)
            first = chunk[-1][0] + 1

    def add_checkpoint(self, checkpoint: StoredCheckpoint, signed_at: datetime | None) -> None:
        """Store a signed checkpoint, durably; the same one again changes nothing.

        ConflictError ``checkpoint_differs`` for another note of that size.
        """
        # A crash before COMMIT returns leaves it unstored and unpublished: it is signed again.
        with self._transaction() as connection:
            stored = self.checkpoint(checkpoint.size)
            if stored is None:
                moment = None if signed_at is None else format_time(signed_at)
                connection.execute(
                    "INSERT INTO checkpoints VALUES (?, ?, ?)",
                    (checkpoint.size, checkpoint.note, moment),
                )
            elif stored != checkpoint:
                raise ConflictError(
                    "checkpoint_differs", f"size {checkpoint.size} was signed as another note"
                )

    def checkpoint(self, size: int) -> StoredCheckpoint | None:
        """The signed checkpoint of that size."""
        row = self._one("SELECT size, note FROM checkpoints WHERE size = ?", size)
        return None if row is None else _to_checkpoint(row)

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """The largest signed checkpoint."""
        row = self._one("SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1")
        return None if row is None else _to_checkpoint(row)

    def checkpoints(self, after: int, limit: int) -> list[StoredCheckpoint]:
        """At most ``limit`` signed checkpoints of sizes above ``after``, in order."""
        query = "SELECT size, note FROM checkpoints WHERE size > ? ORDER BY size LIMIT ?"
        return [_to_checkpoint(row) for row in self._all(query, (after, limit))]

    def add_signatures(self, size: int, signatures: Iterable[Signature]) -> None:
        """Store signatures over the checkpoint of ``size``, durably, in order.

        A key that has signed it keeps the line it has. ConflictError ``store_refused`` for a
        size that the log has not signed.
        """
        # A crash before COMMIT returns loses them: whoever signed is asked again.
        with self._transaction() as connection:
            for one in signatures:
                connection.execute(
                    "INSERT INTO signatures"
                    " SELECT (SELECT coalesce(max(id), 0) + 1 FROM signatures), ?1, ?2, ?3, ?4"
                    " WHERE NOT EXISTS (SELECT 1 FROM signatures"
                    " WHERE size = ?1 AND name = ?2 AND key_id = ?3)",
                    (size, one.name, one.key_id, one.payload),
                )

    def signatures(self, size: int) -> list[Signature]:
        """The signatures added to the checkpoint of ``size``, in the order of their coming."""
        query = "SELECT name, key_id, payload FROM signatures WHERE size = ? ORDER BY id"
        return [
            Signature(str(name), _bytes(key_id), _bytes(payload))
            for name, key_id, payload in self._all(query, (size,))
        ]

    def signed_sizes(self, least: int, limit: int) -> list[int]:
        """The largest ``limit`` sizes from ``least`` on to which signatures were added."""
        query = "SELECT DISTINCT size FROM signatures WHERE size >= ? ORDER BY size DESC LIMIT ?"
        return [int(row[0]) for row in self._all(query, (least, limit))]

    def signed_size(self, name: str, key_id: bytes) -> int:
        """The largest size to which this key's signature was added, else 0."""
        query = "SELECT max(size) FROM signatures WHERE name = ? AND key_id = ?"
        row = self._one(query, name, key_id)
        return 0 if row is None or row[0] is None else int(row[0])

    def check(self) -> None:
        """Check the file's structure, its indexes and its guards; VerificationError."""
        found = self._all("PRAGMA integrity_check(1)", ())
        if found != [("ok",)]:
            raise VerificationError("store_damaged", f"the database says: {found[0][0]}")
        triggers = {row[0] for row in self._all(_TRIGGERS, ())}
        if missing := sorted(GUARDS - triggers):
            raise VerificationError("store_unguarded", f"triggers are missing: {missing}")

    def _meta(self, name: str) -> str | None:
        row = self._one("SELECT value FROM meta WHERE name = ?", name)
        return None if row is None else str(row[0])

    def _bind(self, name: str, value: str) -> str | None:
        """What stands under ``name``, which is ``value`` if nothing did."""
        if self._meta(name) is None:
            with self._transaction() as connection:
                if self._meta(name) is None:  # somebody may have been first
                    connection.execute("INSERT INTO meta VALUES (?, ?)", (name, value))
        return self._meta(name)

    def _block(self, query: str, value: int) -> Block | None:
        row = self._one(query, value)
        return None if row is None else _to_block(row)

    def _one(self, query: str, *values: int | bytes | str) -> tuple[Any, ...] | None:
        with self._connected() as connection:
            row: tuple[Any, ...] | None = connection.execute(query, values).fetchone()
            return row

    def _all(self, query: str, values: tuple[int | str, ...]) -> list[tuple[Any, ...]]:
        with self._connected() as connection:
            return connection.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction that no other writer can overlap; durable when it ends well."""
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # some errors have already rolled it back
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection; errors of SQLite come out as ours.

        It is held until the end: one that is closed under a thread brings the process down.
        """
        try:
            opened = self._here()
            yield opened.connection
        except sqlite3.Error as error:
            raise _problem(error) from error

    def _here(self) -> _Opened:
        """What this thread has, opened on first use (a fork must not share its parent's)."""
        opened: _Opened | None = getattr(self._local, "opened", None)
        if opened is None or opened.process != os.getpid():
            opened = self._local.opened = _Opened(self._open())
        return opened

    def _open(self) -> sqlite3.Connection:
        # Autocommit: every transaction here begins and ends in words. A connection may be
        # closed by another thread (close()), but is used only by the one that opened it.
        make_private(self._path)
        connection = sqlite3.connect(
            self._path,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA journal_mode = WAL")
        for pragma in SAFE:
            connection.execute(pragma)
        connection.execute("PRAGMA cache_size = -16384")  # 16 MiB
        # Keys are random: most pages a block touches are touched again by the next ones.
        connection.execute("PRAGMA wal_autocheckpoint = 8000")  # pages, 32 MB
        return connection

    def _migrate(self) -> None:
        # One process at a time: switching a new file to WAL does not wait its turn by itself.
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            take(folder, self._path.parent, seconds=LONG_SECONDS)
            with self._connected() as connection:
                log_migrations.apply(Database(connection))
        finally:
            os.close(folder)


def _block_values(block: Block) -> tuple[int | bytes | str, ...]:
    return (
        block.height,
        block.first,
        block.count,
        block.size,
        block.root,
        block.edge,
        block.seal,
        format_time(block.sealed_at),
        block.cursor,
    )


def _to_block(row: tuple[Any, ...]) -> Block:
    # SQLite hands over whatever type a damaged page claims.
    if tuple(map(type, row)) != _BLOCK_TYPES:
        raise VerificationError("store_damaged", f"block {row[0]} is not a block's row")
    height, first, count, size, root, edge, seal, sealed_at, cursor = row
    return Block(
        height=height,
        first=first,
        count=count,
        size=size,
        root=to_digest(root),
        edge=edge,
        seal=to_digest(seal),
        sealed_at=parse_time(sealed_at),
        cursor=cursor,
    )


def _to_checkpoint(row: tuple[Any, ...]) -> StoredCheckpoint:
    return StoredCheckpoint(row[0], _bytes(row[1]))


def _bytes(value: object) -> bytes:
    if type(value) is not bytes:
        raise _not_bytes()
    return value


def _not_bytes() -> VerificationError:
    return VerificationError("store_damaged", "a column of bytes holds something else")


def _problem(error: sqlite3.Error) -> Problem:
    kind = trouble(error)
    if kind is Trouble.REFUSED:
        # Words of ours: what the trigger says, or the index that stands behind it.
        if str(error).endswith((ALREADY_IN_LOG, "entries.key")):
            return ConflictError(ALREADY_IN_LOG, "this stands in the log already")
        return ConflictError("store_refused", f"the database refuses this: {error}")
    if kind is Trouble.DAMAGED:
        return VerificationError("store_damaged", f"the log's database file is damaged: {error}")
    other = ("store_unavailable", f"the log's database: {error}")
    return UnavailableError(*_UNAVAILABLE.get(kind, other))


_UNAVAILABLE: Final = {
    Trouble.FULL: ("disk_full", "the disk is full: nothing was written"),
    Trouble.BUSY: ("database_busy", "the log's database is busy; try again"),
    Trouble.DISK: ("disk_error", "the disk failed to read or write the log's database"),
    Trouble.READ_ONLY: ("read_only", "the log's database cannot be written"),
}
