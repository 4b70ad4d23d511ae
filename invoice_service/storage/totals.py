"""The SQL of totals and closings in ``invoices.db``: rows that are only ever added (ADR 0005).

A row of ``totals`` holds what a cell has come to since the beginning, as of a block that
changed it. So the totals between two blocks are the difference of two rows, and cost two
index seeks a cell, however many invoices there are.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from sqlite_utils import Database

from chain.errors import ConflictError, UnavailableError, VerificationError
from invoice_service.services.anchoring.close import Closing
from invoice_service.services.anchoring.totals import BlockTotals, Cells, Dimension, Sums, Taxed
from invoice_service.storage.spans import Sessions, SqliteSpans

_TABLES: Final = (
    # A cell has a short number, so that the rows of ``totals`` are small and found fast.
    "CREATE TABLE cells (id INTEGER PRIMARY KEY, dimension INTEGER NOT NULL, key TEXT NOT NULL,"
    " UNIQUE (dimension, key)) STRICT",
    "CREATE TABLE totals (cell INTEGER NOT NULL REFERENCES cells, height INTEGER NOT NULL,"
    " blue_count INTEGER NOT NULL, blue_amount INTEGER NOT NULL,"
    " blue_tax INTEGER NOT NULL, blue_total INTEGER NOT NULL,"
    " red_count INTEGER NOT NULL, red_amount INTEGER NOT NULL,"
    " red_tax INTEGER NOT NULL, red_total INTEGER NOT NULL,"
    " PRIMARY KEY (cell, height)) STRICT, WITHOUT ROWID",
    "CREATE TABLE blocks_totalled (height INTEGER PRIMARY KEY, day TEXT NOT NULL) STRICT",
    "CREATE INDEX blocks_totalled_day ON blocks_totalled (day)",
    "CREATE TABLE closings (day TEXT NOT NULL, through INTEGER NOT NULL,"
    " salt BLOB NOT NULL, document BLOB NOT NULL, PRIMARY KEY (day, through)) STRICT",
)

_KEYS: Final = {
    "cells": "id = NEW.id OR (dimension = NEW.dimension AND key = NEW.key)",
    "totals": "cell = NEW.cell AND height = NEW.height",
    "blocks_totalled": "height = NEW.height",
    "closings": "day = NEW.day AND through = NEW.through",
}
"""What a second row may not share with a first, per table."""

_WIDE: Final = ("blue_amount", "blue_tax", "blue_total", "red_amount", "red_tax", "red_total")
"""Sums of fen: what 64 bits have no room for stands in a second column, ``NAME_high``."""

_COLUMNS: Final = (
    *("blue_count", "blue_amount", "blue_tax", "blue_total"),
    *("red_count", "red_amount", "red_tax", "red_total"),
    *(f"{name}_high" for name in _WIDE),
)
_SUMS: Final = ", ".join(_COLUMNS)
_ZEROS: Final = (0,) * 8
_LIMIT: Final = 1 << 63
_WIDE_AT: Final = (1, 2, 3, 5, 6, 7)  # where they stand among the eight sums

_AS_OF: Final = f"""
SELECT key, {_SUMS}
FROM cells JOIN totals ON cell = id AND height =
    (SELECT height FROM totals WHERE cell = id AND height <= :height ORDER BY height DESC LIMIT 1)
WHERE dimension = :dimension ORDER BY key
"""  # noqa: S608 # only our own column names are put in
_NARROW: Final = (0,) * len(_WIDE)
_NARROW_END: Final = 1 + len(_ZEROS)

# Goes from day to day by index seeks: there may be 86,400 blocks in each.
_DAY_ENDS: Final = """
WITH RECURSIVE days (day) AS (
    SELECT min(day) FROM blocks_totalled WHERE day >= :first
    UNION ALL
    SELECT (SELECT min(day) FROM blocks_totalled WHERE day > days.day) FROM days
    WHERE days.day < (SELECT day FROM blocks_totalled WHERE height = :height)
)
SELECT day, min(:height, (SELECT max(height) FROM blocks_totalled WHERE day = days.day))
FROM days WHERE day <= (SELECT day FROM blocks_totalled WHERE height = :height)
"""

_TAXED: Final = """
SELECT seq, type = 'red', tax_id, invoices.industry, invoices.district, amount, tax, total, rates,
    invoices.till
FROM invoices JOIN merchants ON merchants.id = merchant_id
WHERE seq > ? ORDER BY seq LIMIT ?
"""

_read_rates: Final = msgspec.json.Decoder(list[tuple[str, int, int]]).decode


def create_tables(db: Database) -> None:
    """Create the four tables, and let the database refuse to change what stands in them."""
    for statement in _TABLES:
        db.execute(statement)
    for table, same in _KEYS.items():
        # INSERT OR REPLACE deletes without firing delete triggers, so it is refused here.
        exists = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 # constants above
        db.execute(
            f"CREATE TRIGGER {table}_append BEFORE INSERT ON {table} WHEN {exists}"
            f" BEGIN SELECT RAISE(ABORT, '{table} are only ever appended'); END"
        )
        for change in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} are frozen: no {change}'); END"
            )


def widen_sums(db: Database) -> None:
    """Give every sum of fen a column for what is beyond 64 bits; rows that stand have 0 there."""
    for name in _WIDE:
        db.execute(f"ALTER TABLE totals ADD COLUMN {name}_high INTEGER NOT NULL DEFAULT 0")


class SqliteTotals(SqliteSpans):
    """Totals by block and by span, and the days' closings.

    Every method may raise UnavailableError.
    """

    def __init__(self, sessions: Sessions) -> None:
        """Use the store's own connections; ``create_tables`` has been called once."""
        super().__init__(sessions)

    def taxed(self, after: int, limit: int) -> list[Taxed]:
        """Return up to ``limit`` invoices above ``after``, lowest first."""
        with self._sessions.reading() as connection:
            rows = connection.execute(_TAXED, (after, limit)).fetchall()
        try:
            return [Taxed._make((*row[:-2], _read_rates(row[-2]), row[-1])) for row in rows]
        except msgspec.MsgspecError:
            return [_taxed(row) for row in rows]  # names the one that is damaged

    def last_height(self) -> int:
        """Return the last block whose totals are stored; 0 when there is none."""
        with self._sessions.reading() as connection:
            return _last_height(connection)

    def append(self, last_height: int, blocks: Sequence[BlockTotals]) -> None:
        """Store the totals of the blocks that follow ``last_height``, in one durable transaction.

        Raises ConflictError ``totals_moved`` when ``last_height`` is no longer the last.
        """
        with self._sessions.writing() as connection:
            if _last_height(connection) != last_height:
                raise ConflictError("totals_moved", "another worker has stored these totals")
            running = _Running(connection)
            for block in blocks:
                connection.execute(
                    "INSERT INTO blocks_totalled VALUES (?, ?)", (block.height, block.day)
                )
                running.add(block)

    def day_end(self, day: str) -> int:
        """Return the last block sealed on ``day`` or before; 0 for none."""
        with self._sessions.reading() as connection:
            row = connection.execute(
                "SELECT height FROM blocks_totalled WHERE day <= ?"
                " ORDER BY day DESC, height DESC LIMIT 1",
                (day,),
            ).fetchone()
            return int(row[0]) if row else 0

    def day_ends(self, first: str, height: int) -> list[tuple[str, int]]:
        """Return the days from ``first`` on that have blocks, each with its last.

        Blocks above ``height`` do not count.
        """
        with self._sessions.reading() as connection:
            return connection.execute(_DAY_ENDS, {"first": first, "height": height}).fetchall()

    def between(self, dimension: Dimension, low: int, high: int) -> list[tuple[Any, ...]]:
        """Return (key, then the eight sums) of what blocks ``low`` + 1 to ``high`` added.

        In order of the keys; a cell that has not changed may be there, with zeros.
        """
        now = self._as_of(dimension, high)
        if not low:
            return now
        before = {key: sums for key, *sums in self._as_of(dimension, low)}
        return [
            (key, *(new - old for new, old in zip(sums, before.get(key, _ZEROS), strict=True)))
            for key, *sums in now
        ]

    def sums_at(self, dimension: Dimension, key: str, height: int) -> Sums:
        """Return what a cell had come to as of a block; zeros when it did not exist yet."""
        with self._sessions.reading() as connection:
            return _sums_at(connection, _cell(connection, dimension, key), height)

    def row(self, dimension: Dimension, key: str, height: int) -> Sums | None:
        """Return the row that a block wrote for a cell, for the audit."""
        with self._sessions.reading() as connection:
            found = connection.execute(
                f"SELECT {_SUMS} FROM totals WHERE height = ? AND cell ="  # noqa: S608 # constant
                " (SELECT id FROM cells WHERE dimension = ? AND key = ?)",
                (height, int(dimension), key),
            ).fetchone()
            return _joined(found) if found else None

    def row_counts(self, height: int) -> dict[tuple[int, str], int]:
        """Return how many rows each cell has up to a block, for the audit; cells without have 0."""
        with self._sessions.reading() as connection:
            rows = connection.execute(
                "SELECT dimension, key, count(height) FROM cells"
                " LEFT JOIN totals ON cell = id AND height <= ? GROUP BY id",
                (height,),
            ).fetchall()
        return {(dimension, key): number for dimension, key, number in rows}

    def check(self) -> None:
        """Check the database's own structure; VerificationError ``store_damaged``."""
        with self._sessions.reading() as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise VerificationError("store_damaged", f"invoices.db: {found}")

    def days(self, after: int, limit: int) -> list[tuple[int, str]]:
        """Return (height, day) of up to ``limit`` blocks above ``after``, for the audit."""
        with self._sessions.reading() as connection:
            return connection.execute(
                "SELECT height, day FROM blocks_totalled WHERE height > ? ORDER BY height LIMIT ?",
                (after, limit),
            ).fetchall()

    def keep_closing(self, closing: Closing) -> Closing:
        """Store a day's closing durably, unless there is one for ``day`` and ``through``.

        Returns the one that is stored then.
        """
        with self._sessions.writing() as connection:
            found = _closing(connection, closing.day, closing.through)
            if found is None:
                connection.execute(
                    "INSERT INTO closings VALUES (?, ?, ?, ?)",
                    (closing.day, closing.through, closing.salt, closing.document),
                )
            return found or closing

    def closing(self, day: str, through: int) -> Closing | None:
        """Return the closing of ``day`` that covers the log up to index ``through``."""
        with self._sessions.reading() as connection:
            return _closing(connection, day, through)

    def _as_of(self, dimension: Dimension, height: int) -> list[tuple[Any, ...]]:
        """The cells of a dimension in order of their keys, each with what it had come to.

        What stands as of a block never changes, so two of these need no common transaction.
        """
        with self._sessions.reading() as connection:
            rows = connection.execute(_AS_OF, {"dimension": int(dimension), "height": height})
            return [
                row[:_NARROW_END] if row[_NARROW_END:] == _NARROW else (row[0], *_joined(row[1:]))
                for row in rows
            ]


class _Running:
    """The cells' sums as they grow within one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cells: dict[tuple[Dimension, str], tuple[int, Sums]] = {}

    def add(self, block: BlockTotals) -> None:
        """Write a row for every cell that ``block`` touches."""
        self._connection.executemany(
            f"INSERT INTO totals (cell, height, {_SUMS}) VALUES (?, ?{', ?' * len(_COLUMNS)})",  # noqa: S608 # constants
            self._rows(block.height, block.cells),
        )

    def _rows(self, height: int, cells: Cells) -> Iterator[tuple[int, ...]]:
        for name, added in cells.items():
            cell, before = self._cells.get(name) or self._load(*name, height)
            sums = [old + new for old, new in zip(before, added, strict=True)]
            self._cells[name] = cell, sums
            yield cell, height, *_split(sums)

    def _load(self, dimension: Dimension, key: str, height: int) -> tuple[int, Sums]:
        cell = _cell(self._connection, dimension, key)
        if cell is None:
            cell = self._connection.execute(
                "INSERT INTO cells (dimension, key) VALUES (?, ?) RETURNING id",
                (int(dimension), key),
            ).fetchone()[0]
        return cell, _sums_at(self._connection, cell, height)


def _split(sums: Sums) -> list[int]:
    """The eight sums as a row's columns; one that 64 bits have room for stands there as it is."""
    low, high = list(sums), []
    for at in _WIDE_AT:
        fits = -_LIMIT <= sums[at] < _LIMIT
        above, below = (0, sums[at]) if fits else divmod(sums[at], _LIMIT)
        low[at] = below
        high.append(above)
    return low + high


def _joined(row: Sequence[int]) -> Sums:
    """The eight sums of a row's columns."""
    sums = list(row[:8])
    for at, above in zip(_WIDE_AT, row[8:], strict=True):
        sums[at] += above * _LIMIT
    return sums


def _taxed(row: tuple[Any, ...]) -> Taxed:
    try:
        return Taxed._make((*row[:-2], _read_rates(row[-2]), row[-1]))
    except msgspec.MsgspecError as error:
        raise UnavailableError(
            "record_damaged", f"the row of invoice {row[0]} is damaged: {error}"
        ) from error


def _last_height(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT max(height) FROM blocks_totalled").fetchone()
    return int(row[0] or 0)


def _cell(connection: sqlite3.Connection, dimension: Dimension, key: str) -> int | None:
    row = connection.execute(
        "SELECT id FROM cells WHERE dimension = ? AND key = ?", (int(dimension), key)
    ).fetchone()
    return int(row[0]) if row else None


def _sums_at(connection: sqlite3.Connection, cell: int | None, height: int) -> Sums:
    row = connection.execute(
        f"SELECT {_SUMS} FROM totals WHERE cell = ? AND height <= ?"  # noqa: S608 # constant
        " ORDER BY height DESC LIMIT 1",
        (cell, height),
    ).fetchone()
    return _joined(row) if row else [0] * 8


def _closing(connection: sqlite3.Connection, day: str, through: int) -> Closing | None:
    row = connection.execute(
        "SELECT day, through, salt, document FROM closings WHERE day = ? AND through = ?",
        (day, through),
    ).fetchone()
    return Closing(*row) if row else None
