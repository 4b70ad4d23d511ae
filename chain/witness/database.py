"""What a witness remembers, in one folder: a SQLite file, and beside it the last note of each log.

The database decides. The notes are a second copy of the same, each with the witness's own
cosignature: should an older database be put back, they say how far the witness had come, and
it goes on from there instead of signing a second history. Put back both, and nothing can.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlite_utils import Database, Migrations

from chain.durable import fsync_dir, make_folder, write_file
from chain.errors import ConflictError, NotFoundError, Problem, UnavailableError
from chain.hashing import sha256, to_digest
from chain.log.sqlite import SAFE, Trouble, make_private, trouble
from chain.signing.checkpoint import Checkpoint
from chain.signing.note import VerifierKey, open_note, parse_note
from chain.witness.judge import Inconsistent, Seen, read_checkpoint

DATABASE: Final = "witness.db"
NOTES: Final = "cosigned"
KEPT_PER_LOG: Final = 100
"""Inconsistent checkpoints that are kept of each log and kind; one is enough to convict."""

BUSY_SECONDS: Final = 10.0

witness_migrations: Final = Migrations("witness")

_TABLES: Final = """
CREATE TABLE meta (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT;
CREATE TABLE seen (
    origin TEXT PRIMARY KEY NOT NULL,
    size INTEGER NOT NULL CHECK (size >= 0),
    root BLOB NOT NULL CHECK (length(root) = 32),
    time INTEGER NOT NULL CHECK (time >= 0),
    note BLOB NOT NULL
) STRICT;
CREATE TABLE inconsistent (
    number INTEGER PRIMARY KEY,
    origin TEXT NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL CHECK (length(root) = 32),
    code TEXT NOT NULL,
    note BLOB NOT NULL,
    UNIQUE (origin, size, root)
) STRICT;
"""

# INSERT OR REPLACE deletes without asking the delete triggers: the insert trigger refuses it.
_GUARDS: Final = {
    "seen_forward": """BEFORE UPDATE ON seen BEGIN
        SELECT RAISE(ABORT, 'a witness never goes back') WHERE NEW.origin <> OLD.origin
            OR NEW.size < OLD.size OR NEW.time < OLD.time
            OR (NEW.size = OLD.size AND NEW.root <> OLD.root); END""",
    "seen_once": """BEFORE INSERT ON seen BEGIN
        SELECT RAISE(ABORT, 'a witness never starts again')
            WHERE EXISTS (SELECT 1 FROM seen WHERE origin = NEW.origin); END""",
    "seen_kept": """BEFORE DELETE ON seen BEGIN
        SELECT RAISE(ABORT, 'a witness never forgets'); END""",
    "meta_once": """BEFORE INSERT ON meta BEGIN
        SELECT RAISE(ABORT, 'the witness''s key is fixed')
            WHERE EXISTS (SELECT 1 FROM meta WHERE name = NEW.name); END""",
    "meta_fixed": """BEFORE UPDATE ON meta BEGIN
        SELECT RAISE(ABORT, 'the witness''s key is fixed'); END""",
    "meta_kept": """BEFORE DELETE ON meta BEGIN
        SELECT RAISE(ABORT, 'the witness''s key is fixed'); END""",
}

_KEEP: Final = """
INSERT OR IGNORE INTO inconsistent (origin, size, root, code, note)
    SELECT ?, ?, ?, ?, ? WHERE (
        SELECT count(*) FROM inconsistent
            WHERE origin = ? AND (code = 'root_differs') = (? = 'root_differs')
    ) < ?
"""


@witness_migrations()
def create_witness(db: Database) -> None:
    """Version 1: what was seen of each log, what was refused, and what guards them."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    for name, body in _GUARDS.items():
        db.execute(f"CREATE TRIGGER {name} {body}")


def create_store(folder: Path, verifier: VerifierKey) -> None:
    """Make the empty memory of a new witness, durably; ConflictError ``witness_exists``.

    Only ``init`` does this: a witness that starts without its memory would cosign anything.
    """
    if (folder / DATABASE).exists():
        raise ConflictError("witness_exists", f"there is a witness in {folder} already")
    make_folder(folder / NOTES)
    with _translated():
        make_private(folder / DATABASE)
        connection = _connect(folder / DATABASE, "rw")
        try:
            witness_migrations.apply(Database(connection))
            connection.execute("INSERT INTO meta VALUES ('verifier', ?)", (verifier.text(),))
        finally:
            connection.close()
    fsync_dir(folder)


class WitnessStore:
    """A ``judge.SeenStore`` in ``folder``. Safe for threads; one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Open what ``create_store`` made; NotFoundError ``witness_missing``."""
        if not (folder / DATABASE).is_file():
            raise NotFoundError("witness_missing", f"there is no witness in {folder}")
        self._folder = folder
        self._turn = threading.Lock()
        self._claim: int | None = None
        with _translated():
            self._connection = _connect(folder / DATABASE, "rw")
            self._check_guards()

    def close(self) -> None:
        """Close the database, and let another process have the folder."""
        with self._turn:
            self._connection.close()
            if self._claim is not None:
                os.close(self._claim)
                self._claim = None

    def claim(self, verifier: VerifierKey) -> list[Seen]:
        """Become the one process that cosigns from this folder; return what had been lost.

        That is what the notes know and an older database, put back, did not: it is there
        again when this returns. Raises UnavailableError: ``witness_running``,
        ``witness_key_differs``, ``witness_damaged``.
        """
        self._claim = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)  # freed when its holder dies
        except OSError:
            raise UnavailableError(
                "witness_running", f"another process cosigns from {self._folder}"
            ) from None
        with _translated():
            row = self._connection.execute("SELECT value FROM meta WHERE name = 'verifier'")
            if row.fetchone() != (verifier.text(),):
                raise UnavailableError("witness_key_differs", "this memory is of another key")
        return self._recover(verifier)

    def update(self, origin: str, change: Callable[[Seen | None], Seen]) -> Seen:
        """Replace what was seen of a log by what ``change`` makes of it; see ``SeenStore``."""
        with self._turn:
            with self._transaction():
                before = self._seen(origin)
                seen = change(before)
                # A crash before COMMIT returns leaves the old state, and nothing was answered.
                self._write(before, seen)
            # A crash before this returns leaves the note behind the database. That is only the
            # second copy, and nothing was answered: whoever asks again is cosigned again.
            path = self._note_path(sha256(origin.encode()).hex())
            write_file(path, seen.note.to_bytes())
            return seen

    def keep(self, inconsistent: Inconsistent) -> None:
        """Keep a checkpoint that did not fit, once, up to ``KEPT_PER_LOG`` of its kind."""
        new, code = inconsistent.checkpoint, inconsistent.code
        values = (new.origin, new.size, new.root, code, inconsistent.note.to_bytes())
        with self._turn, self._transaction():
            self._connection.execute(_KEEP, (*values, new.origin, code, KEPT_PER_LOG))

    def noted(self, origin_hash: str) -> bytes | None:
        """The note cosigned last of the log whose name has this SHA-256, in lower-case hex."""
        try:
            return self._note_path(origin_hash).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _damaged(f"the note {origin_hash}: {error}") from error

    def seen(self) -> list[Seen]:
        """What was seen of every log, by its name."""
        with self._turn, _translated():
            rows = self._connection.execute("SELECT * FROM seen ORDER BY origin").fetchall()
        return [_to_seen(row) for row in rows]

    def inconsistent(self) -> list[Inconsistent]:
        """Everything that ``keep`` kept, the oldest first."""
        query = "SELECT origin, size, root, code, note FROM inconsistent ORDER BY number"
        with self._turn, _translated():
            rows = self._connection.execute(query).fetchall()
        return [_to_inconsistent(row) for row in rows]

    def _seen(self, origin: str) -> Seen | None:
        row = self._connection.execute("SELECT * FROM seen WHERE origin = ?", (origin,)).fetchone()
        return None if row is None else _to_seen(row)

    def _write(self, before: Seen | None, seen: Seen) -> None:
        new = seen.checkpoint
        values = (new.size, new.root, seen.time, seen.note.to_bytes(), new.origin)
        if before is None:
            query = "INSERT INTO seen (size, root, time, note, origin) VALUES (?, ?, ?, ?, ?)"
        else:
            query = "UPDATE seen SET size = ?, root = ?, time = ?, note = ? WHERE origin = ?"
        self._connection.execute(query, values)

    def _recover(self, verifier: VerifierKey) -> list[Seen]:
        """Bring the database up to the notes, where it is behind them."""
        lost: list[Seen] = []
        for path in sorted((self._folder / NOTES).glob("*.note")):
            noted = _read_noted(path, verifier)
            origin = noted.checkpoint.origin
            with self._turn, self._transaction():
                found = self._seen(origin)
                if _is_behind(found, noted):
                    self._write(found, noted)
                    lost.append(noted)
        return lost

    def _check_guards(self) -> None:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        found = {name for (name,) in self._connection.execute(query)}
        if missing := sorted(_GUARDS.keys() - found):
            raise UnavailableError("witness_damaged", f"triggers are missing: {missing}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """A write transaction that no other writer can overlap; durable when it ends well."""
        with _translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # some errors have already rolled it back
                    self._connection.execute("ROLLBACK")
                raise

    def _note_path(self, origin_hash: str) -> Path:
        return self._folder / NOTES / f"{origin_hash}.note"


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # Autocommit: every transaction here begins and ends in words. One connection for all
    # threads, which take turns by the store's lock.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA journal_mode = WAL")
    for pragma in SAFE:
        connection.execute(pragma)
    return connection


def _is_behind(found: Seen | None, noted: Seen) -> bool:
    """Tell whether the database has forgotten what the note says; refuse what cannot be."""
    if found is None:
        return True
    old, new = found.checkpoint, noted.checkpoint
    if old.size == new.size and old.root != new.root:
        raise _damaged(f"of {old.origin} at size {old.size}, database and note differ")
    return (old.size, found.time) < (new.size, noted.time)


def _read_noted(path: Path, verifier: VerifierKey) -> Seen:
    """Read back a note that this witness has cosigned."""
    try:
        note = parse_note(path.read_bytes())
        (own,) = open_note(note.to_bytes(), [verifier]).signatures
        time = own.timestamp or 0  # never None: it has been checked as a cosignature
        return Seen(read_checkpoint(note.text), time, note)
    except (OSError, Problem) as error:
        raise _damaged(f"the note {path.name}: {error}") from error


def _to_seen(row: tuple[Any, ...]) -> Seen:
    try:
        origin, size, root, time, note = row
        return Seen(Checkpoint(origin, size, to_digest(root)), time, parse_note(note))
    except Problem as error:
        raise _damaged(f"what was seen of {row[0]}: {error}") from error


def _to_inconsistent(row: tuple[Any, ...]) -> Inconsistent:
    origin, size, root, code, note = row
    return Inconsistent(Checkpoint(origin, size, to_digest(root)), code, parse_note(note))


def _damaged(why: str) -> UnavailableError:
    return UnavailableError("witness_damaged", f"the witness's memory is damaged: {why}")


@contextmanager
def _translated() -> Iterator[None]:
    """Whatever is wrong with the database, the witness cannot answer now."""
    try:
        yield
    except sqlite3.Error as error:
        full = trouble(error) is Trouble.FULL
        raise UnavailableError(
            "disk_full" if full else "witness_store", f"the witness's database: {error}"
        ) from error
