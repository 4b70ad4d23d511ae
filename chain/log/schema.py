"""The tables of ``log.db`` and the triggers by which the database itself keeps the promises.

Rows are only ever added, each table grows at its end, and a key stands in the log once.
``INSERT OR REPLACE`` deletes without asking the delete triggers, so the insert triggers
refuse whatever would replace a row.
"""

from collections.abc import Iterator
from typing import Final

from sqlite_utils import Database, Migrations

log_migrations: Final = Migrations("log")

ALREADY_IN_LOG: Final = "already_in_log"
"""What the trigger says that refuses a second entry with one key."""

_TABLES = """
CREATE TABLE meta (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT;
CREATE TABLE entries (
    idx INTEGER PRIMARY KEY,
    entry BLOB NOT NULL,
    key BLOB
) STRICT;
CREATE UNIQUE INDEX entries_key ON entries (key) WHERE key IS NOT NULL;
CREATE TABLE blocks (
    height INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    size INTEGER NOT NULL UNIQUE CHECK (size = first + count + 1),
    root BLOB NOT NULL CHECK (length(root) = 32),
    edge BLOB NOT NULL,
    seal BLOB NOT NULL CHECK (length(seal) = 32),
    sealed_at TEXT NOT NULL,
    cursor INTEGER NOT NULL
) STRICT;
CREATE TABLE checkpoints (
    size INTEGER PRIMARY KEY,
    note BLOB NOT NULL,
    signed_at TEXT
) STRICT;
CREATE TABLE state_nodes (
    hash BLOB PRIMARY KEY NOT NULL CHECK (length(hash) = 32),
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
"""

_GROWTH = """
CREATE TRIGGER entries_grow BEFORE INSERT ON entries BEGIN
    SELECT RAISE(ABORT, 'entries are added at the end')
        WHERE NEW.idx <> (SELECT coalesce(max(idx), -1) + 1 FROM entries);
    SELECT RAISE(ABORT, 'already_in_log')
        WHERE EXISTS (SELECT 1 FROM entries WHERE key = NEW.key);
END;
CREATE TRIGGER blocks_grow BEFORE INSERT ON blocks BEGIN
    SELECT RAISE(ABORT, 'blocks are added at the end')
        WHERE NEW.height <> (SELECT coalesce(max(height), 0) + 1 FROM blocks)
           OR NEW.first <> (SELECT coalesce(max(size), 0) FROM blocks)
           OR NEW.cursor < (SELECT cursor FROM blocks WHERE height = NEW.height - 1)
           OR NEW.sealed_at < (SELECT sealed_at FROM blocks WHERE height = NEW.height - 1);
    SELECT RAISE(ABORT, 'a block ends with the last entry')
        WHERE NEW.size <> (SELECT coalesce(max(idx), -1) + 1 FROM entries);
END;
CREATE TRIGGER checkpoints_grow BEFORE INSERT ON checkpoints BEGIN
    SELECT RAISE(ABORT, 'a checkpoint signs the end of a block, the last one last')
        WHERE NEW.size <= (SELECT coalesce(max(size), -1) FROM checkpoints)
           OR (NEW.size <> 0 AND NOT EXISTS (SELECT 1 FROM blocks WHERE size = NEW.size));
END;
CREATE TRIGGER meta_grow BEFORE INSERT ON meta BEGIN
    SELECT RAISE(ABORT, 'the log''s name is fixed')
        WHERE EXISTS (SELECT 1 FROM meta WHERE name = NEW.name);
END;
CREATE TRIGGER state_nodes_grow BEFORE INSERT ON state_nodes BEGIN
    SELECT RAISE(ABORT, 'a node of the state map never changes')
        WHERE EXISTS (SELECT 1 FROM state_nodes WHERE hash = NEW.hash AND body <> NEW.body);
END;
"""

_SIGNATURES: Final = (
    """
CREATE TABLE signatures (
    id INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    name TEXT NOT NULL,
    key_id BLOB NOT NULL CHECK (length(key_id) = 4),
    payload BLOB NOT NULL,
    UNIQUE (size, name, key_id)
) STRICT""",
    "CREATE INDEX signatures_by ON signatures (name, key_id, size)",
    """
CREATE TRIGGER signatures_grow BEFORE INSERT ON signatures BEGIN
    SELECT RAISE(ABORT, 'signatures are added at the end')
        WHERE NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM signatures);
    SELECT RAISE(ABORT, 'only a checkpoint that the log has signed is signed by others')
        WHERE NOT EXISTS (SELECT 1 FROM checkpoints WHERE size = NEW.size);
    SELECT RAISE(ABORT, 'this key has signed that checkpoint')
        WHERE EXISTS (
            SELECT 1 FROM signatures
                WHERE size = NEW.size AND name = NEW.name AND key_id = NEW.key_id
        );
END""",
)

_FIRST_TABLES: Final = ("meta", "entries", "blocks", "checkpoints", "state_nodes")
FROZEN_TABLES: Final = (*_FIRST_TABLES, "signatures")
GUARDS: Final = frozenset(
    f"{table}_{what}" for table in FROZEN_TABLES for what in ("grow", "no_update", "no_delete")
)


@log_migrations()
def create_log(db: Database) -> None:
    """Version 1: entries, blocks, checkpoints, states, the log's name, and what guards them."""
    for statement in _statements():
        db.execute(statement)


@log_migrations()
def add_signatures(db: Database) -> None:
    """Version 2: signatures that came after the log's own, most of them by witnesses."""
    for statement in (*_SIGNATURES, *_frozen("signatures")):
        db.execute(statement)


def _statements() -> Iterator[str]:
    """The statements one by one: sqlite3's own script runner would commit in between."""
    yield from (part for part in _TABLES.split(";\n") if part.strip())
    yield from (part + "END" for part in _GROWTH.split("END;\n") if part.strip())
    for table in _FIRST_TABLES:
        yield from _frozen(table)


def _frozen(table: str) -> Iterator[str]:
    """The triggers that refuse to change or remove a row."""
    for verb in ("UPDATE", "DELETE"):
        yield (
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table}: rows are only ever added'); END"
        )
