"""The SQL of spans in ``invoices.db``: what days, months and years came to, by every mix.

Rows are only ever added (ADR 0058). A sum of fen stands in two columns, its lowest 40 bits and
what is above, so that millions of rows are added up in SQL without leaving 64 bits; what red
invoices took back stands there above zero. A total is amount and tax, and has no column.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from sqlite_utils import Database

from chain.errors import UnavailableError
from invoice_service.services.anchoring.spans import (
    FINEST,
    Asked,
    Cell,
    Cells,
    Head,
    Moved,
    Moves,
    Ranked,
    Ranking,
    Returned,
    Span,
    add_cells,
    state_of,
    sums_of,
)
from invoice_service.services.anchoring.totals import Sums, Taxed
from invoice_service.storage.packs import (
    COLUMNS,
    INSERT,
    ROWS,
    Pack,
    astray,
    packed,
    unpacked,
    waiting,
)

if TYPE_CHECKING:
    from invoice_service.storage.ranking import KeyTexts

_TABLES: Final = (
    "CREATE TABLE spans (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,"
    " height INTEGER NOT NULL, cursor INTEGER NOT NULL, UNIQUE (kind, name, height)) STRICT",
    "CREATE INDEX spans_height ON spans (height) WHERE kind <> 'part'",
    "CREATE TABLE span_keys (id INTEGER PRIMARY KEY, cube INTEGER NOT NULL,"
    " merchant TEXT NOT NULL, till TEXT NOT NULL, industry TEXT NOT NULL, district TEXT NOT NULL,"
    " rate TEXT NOT NULL, UNIQUE (cube, merchant, till, industry, district, rate)) STRICT",
    "CREATE TABLE span_cells (span INTEGER NOT NULL, cube INTEGER NOT NULL, cell INTEGER NOT NULL,"
    " blue_count INTEGER NOT NULL, blue_amount INTEGER NOT NULL, blue_tax INTEGER NOT NULL,"
    " red_count INTEGER NOT NULL, red_amount INTEGER NOT NULL, red_tax INTEGER NOT NULL,"
    " blue_amount_high INTEGER NOT NULL, blue_tax_high INTEGER NOT NULL,"
    " red_amount_high INTEGER NOT NULL, red_tax_high INTEGER NOT NULL,"
    " PRIMARY KEY (span, cube, cell)) STRICT, WITHOUT ROWID",
    "CREATE TABLE span_moves (span INTEGER NOT NULL, day TEXT NOT NULL, cell INTEGER NOT NULL,"
    " state TEXT NOT NULL, count INTEGER NOT NULL, amount INTEGER NOT NULL,"
    " tax INTEGER NOT NULL, amount_high INTEGER NOT NULL, tax_high INTEGER NOT NULL,"
    " PRIMARY KEY (span, day, cell, state)) STRICT, WITHOUT ROWID",
)

_KEYS: Final = {
    "spans": "id = NEW.id OR (kind = NEW.kind AND name = NEW.name AND height = NEW.height)",
    "span_keys": "id = NEW.id OR (cube = NEW.cube AND merchant = NEW.merchant AND till = NEW.till"
    " AND industry = NEW.industry AND district = NEW.district AND rate = NEW.rate)",
    "span_cells": "span = NEW.span AND cube = NEW.cube AND cell = NEW.cell",
    "span_moves": "span = NEW.span AND day = NEW.day AND cell = NEW.cell AND state = NEW.state",
}
"""What a second row may not share with a first, per table."""

_BITS: Final = 40
_LOW: Final = (1 << _BITS) - 1
_COLUMNS: Final = (
    *COLUMNS,
    *("blue_amount_high", "blue_tax_high", "red_amount_high", "red_tax_high"),
)
SUMS: Final = ", ".join(f"sum({name})" for name in _COLUMNS)
"""What ``sums_of`` reads, in SQL."""

_MEASURED: Final = {
    "net": tuple(
        f"c.blue_amount{part} + c.blue_tax{part} - c.red_amount{part} - c.red_tax{part}"
        for part in ("", "_high")
    ),
    "count": ("c.blue_count", "0"),
    "amount": ("c.blue_amount", "c.blue_amount_high"),
    "tax": ("c.blue_tax", "c.blue_tax_high"),
    "total": ("c.blue_amount + c.blue_tax", "c.blue_amount_high + c.blue_tax_high"),
    "reversed": ("c.red_amount + c.red_tax", "c.red_amount_high + c.red_tax_high"),
}
"""The lower and the higher part of what rows are ranked by, in SQL."""

_CARRIED: Final = tuple(
    f"sum({name})"
    if name.endswith("_count")
    else f"sum({name}) + (sum({name.removesuffix('_high')}) >> {_BITS})"
    if name.endswith("_high")
    else f"sum({name}) & {_LOW}"
    for name in _COLUMNS
)
_ADDED_UP: Final = (
    f"INSERT INTO span_cells SELECT ?, cube, cell, {', '.join(_CARRIED)} FROM json_each(?)"  # noqa: S608 # constants
    " CROSS JOIN span_cells ON span = value GROUP BY cube, cell"
)
"""A span's cells from those of others; what no longer fits into a lower part goes higher."""

_NUMBERED: Final = ("span_cells", "span_moves", "span_packs")
_NUMBER: Final = ", ".join(
    f"coalesce((SELECT max({of}) FROM {table}), 0)"  # noqa: S608 # constants
    for table, of in {"spans": "id", **dict.fromkeys(_NUMBERED, "span")}.items()
)
"""The last numbers of spans, and of what is left of any."""

_PLACE: Final = "merchant, till, industry, district, rate"

_RETURNED: Final = """
SELECT b.seq, r.total, b.total, (SELECT coalesce(sum(e.total), 0) FROM invoices e
    WHERE e.reverses = b.seq AND e.seq < r.seq), tax_id, b.industry, b.district, b.amount, b.tax,
    b.rates, b.till
FROM invoices r JOIN invoices b ON b.seq = r.reverses JOIN merchants ON merchants.id = b.merchant_id
WHERE r.seq = ?
"""

_read_rates: Final = msgspec.json.Decoder(list[tuple[str, int, int]]).decode


class Sessions(Protocol):
    """Connections to ``invoices.db``, as the store opens them."""

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """Give this thread's connection; SQLite's errors come out as UnavailableError."""
        ...

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Give it inside one transaction, durable once it is left."""
        ...


def create_spans(db: Database) -> None:
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


class SqliteSpans:
    """Spans, in the same file as the totals by block."""

    def __init__(self, sessions: Sessions) -> None:
        """Use the store's own connections; ``create_spans`` has been called once."""
        self._sessions = sessions
        self._texts: KeyTexts | None = None
        self._packed_after = 0

    def returned(self, seq: int) -> Returned:
        """Return what the red invoice at ``seq`` did; UnavailableError ``record_damaged``."""
        with self._sessions.reading() as connection:
            row = connection.execute(_RETURNED, (seq,)).fetchone()
        try:
            blue, taken, total, before, merchant, industry, district, amount, tax, rates, till = row
            taxed = Taxed(
                *(blue, False, merchant, industry, district, amount, tax, total),
                _read_rates(rates),
                till,
            )
        except (TypeError, msgspec.MsgspecError) as error:
            raise UnavailableError(
                "record_damaged", f"what invoice {seq} takes back is damaged: {error}"
            ) from error
        after = state_of(total, -(before + taken))
        return Returned(blue, state_of(total, -before), after or "part", taxed)

    def spans(self, height: int) -> list[Head]:
        """Return the days, months and years that end with a block up to ``height``, in order."""
        with self._sessions.reading() as connection:
            rows = connection.execute(
                "SELECT id, kind, name, height, cursor FROM spans WHERE kind <> 'part'"
                " AND height <= ? ORDER BY height, length(name) DESC",
                (height,),
            ).fetchall()
        return [Head._make(row) for row in rows]

    def parts(self) -> list[Head]:
        """Return the parts of days, in order, for the audit."""
        with self._sessions.reading() as connection:
            rows = connection.execute(
                "SELECT id, kind, name, height, cursor FROM spans WHERE kind = 'part'"
                " ORDER BY height"
            ).fetchall()
        return [Head._make(row) for row in rows]

    def last_part(self, day: str, height: int) -> Head | None:
        """Return the longest part of a day that ends with a block up to ``height``."""
        with self._sessions.reading() as connection:
            row = connection.execute(
                "SELECT id, kind, name, height, cursor FROM spans WHERE kind = 'part'"
                " AND name = ? AND height <= ? ORDER BY height DESC LIMIT 1",
                (day, height),
            ).fetchone()
        return Head._make(row) if row else None

    def cells_of(self, ids: Sequence[int], cubes: Sequence[int]) -> Cells:
        """Return the cells of some mixes in some spans, added up."""
        query = (
            f"SELECT c.cube, {_PLACE}, {SUMS} FROM json_each(?) s CROSS JOIN json_each(?) q"  # noqa: S608 # constants
            " CROSS JOIN span_cells c ON c.span = s.value AND c.cube = q.value"
            " CROSS JOIN span_keys k ON k.id = c.cell GROUP BY c.cube, c.cell"
        )
        with self._sessions.reading() as connection:
            rows = connection.execute(query, (json.dumps(list(ids)), json.dumps(list(cubes))))
            return {(row[0], Cell._make(row[1:6])): sums_of(row[6:]) for row in rows}

    def moves_of(self, id_: int) -> Moves:
        """Return what a span moved from state to state."""
        return dict(self.moved([id_], "", "9999-12-31"))

    def moved(self, ids: Sequence[int], first: str, last: str) -> list[tuple[Moved, list[int]]]:
        """Return what some spans moved of the invoices of some days."""
        query = (
            "SELECT day, state, count, amount, tax, amount_high, tax_high,"  # noqa: S608 # constants
            f" {_PLACE} FROM json_each(?) s CROSS JOIN span_moves m ON m.span = s.value"
            " AND m.day BETWEEN ? AND ? CROSS JOIN span_keys k ON k.id = m.cell"
        )
        with self._sessions.reading() as connection:
            rows = connection.execute(query, (json.dumps(list(ids)), first, last)).fetchall()
        return [
            (
                Moved(bool(cell[-1]), day, Cell._make(cell), state),
                [count, amount + (amount_high << 40), tax + (tax_high << 40)],
            )
            for day, state, count, amount, tax, amount_high, tax_high, *cell in rows
        ]

    def mixed(self, asked: Asked) -> Iterator[tuple[Any, ...]]:
        """Yield (keys…, side, what ``sums_of`` reads), in the order of keys and sides."""
        keys = "".join(f"{key}, " for key in asked.keys)
        tables, values = _tables(asked)
        query = (
            f"{tables} SELECT {keys}side, {SUMS} {_joined(asked)} WHERE {_conditions(asked)}"
            f" GROUP BY {keys}side ORDER BY {keys}side"
        )
        with self._sessions.reading() as connection:
            yield from connection.execute(query, (*values, *_conditioned(asked)))

    def ranked(self, asked: Asked, ranking: Ranking) -> tuple[int, list[tuple[str, ...]]]:
        """Return how many rows ``mixed`` has, sides aside, and the keys of the first by a measure.

        Ordered by the measure of side 0, then by keys. Cells are added up before their keys are
        looked at, in two columns where ``mixed`` has ten.
        """
        low, high = _MEASURED[ranking.measure]
        periods = "".join(f", {name}" for name in _periods(asked))
        tables, values = _tables(asked)
        names = [f"k{at}" for at in range(len(asked.keys))]
        keys = ", ".join(f"{key} AS {name}" for key, name in zip(asked.keys, names, strict=True))
        order = "DESC" if ranking.largest else "ASC"
        query = (
            f"{tables}, g AS MATERIALIZED (SELECT c.cell AS cell{periods},"  # noqa: S608 # our own expressions
            f" sum({low}) FILTER (WHERE side = 0) AS low,"
            f" sum({high}) FILTER (WHERE side = 0) AS high {_joined(asked, keys=bool(asked.where))}"
            f" WHERE {_conditions(asked)} GROUP BY c.cell{periods}),"
            f" r AS MATERIALIZED (SELECT {keys}, coalesce(sum(low), 0) AS low,"
            " coalesce(sum(high), 0) AS high FROM g CROSS JOIN span_keys k ON k.id = g.cell"
            f" GROUP BY {', '.join(names)})"
            f" SELECT (SELECT count(*) FROM r), {', '.join(names)} FROM r"
            f" ORDER BY high + (low >> {_BITS}) {order}, low & {_LOW} {order}, {', '.join(names)}"
            " LIMIT ?"
        )
        with self._sessions.reading() as connection:
            rows = connection.execute(
                query, (*values, *_conditioned(asked), ranking.number)
            ).fetchall()
        return rows[0][0] if rows else 0, [row[1:] for row in rows]

    def ranked_in_columns(
        self,
        asked: Asked,
        ranking: Ranking,
        also: Collection[tuple[str, ...]],
        beside: Mapping[tuple[str, ...], int],
    ) -> Ranked | None:
        """Return the first rows by a measure, and those of the keys ``also``, with all sides.

        ``beside`` are measures of side 0 of invoices that no span has. None where sums are too
        large for columns, or where these are damaged: ``ranked`` knows.
        """
        # Loaded with the first ranking: it takes a tenth of a second and some 20 MB.
        from invoice_service.storage.ranking import KeyTexts, NotPackedError, Packs

        if self._texts is None:
            self._texts = KeyTexts()
        with self._sessions.reading() as connection:
            try:
                return Packs(connection, self._texts, asked, ranking).ranked(also, beside)
            except NotPackedError:
                return None

    def packed_of(self, id_: int) -> tuple[set[int], Cells, set[int]]:
        """Return which mixes of a span are in columns, their cells, and which have other columns
        than their check sums say, for the audit.
        """
        names = ", ".join(COLUMNS)
        cells: Cells = {}
        changed = set()
        with self._sessions.reading() as connection:
            rows = connection.execute(
                f"SELECT cube, checks, cells, {names} FROM span_packs"  # noqa: S608 # constants
                " WHERE span = ? AND cells NOTNULL",
                (id_,),
            ).fetchall()
            for cube, checks, numbers, *columns in rows:
                pack = Pack(id_, cube, numbers, tuple(columns))
                if checks != pack.checks():
                    changed.add(cube)
                found = unpacked(pack)
                ids = json.dumps([cell for cell, *_ in found])
                keys = connection.execute(
                    f"SELECT k.id, {_PLACE} FROM json_each(?) CROSS JOIN span_keys k"  # noqa: S608 # constants
                    " ON k.id = value AND cube = ?",
                    (ids, cube),
                )
                places = {row[0]: Cell._make(row[1:]) for row in keys}
                for cell, *sums in found:
                    place = places.get(cell, Cell(f"key {cell}"))
                    add_cells(cells, {(cube, place): sums_of((*sums, 0, 0, 0, 0))})
        return {row[0] for row in rows}, cells, changed

    def packs_astray(self) -> list[tuple[int, int]]:
        """Return which packs are of a span or of a mix that is not there: the numbers of both."""
        with self._sessions.reading() as connection:
            return astray(connection)

    def names_of(self, merchants: Iterable[str]) -> dict[str, str]:
        """Return the names of merchants by their tax ids."""
        with self._sessions.reading() as connection:
            return dict(
                connection.execute(
                    "SELECT tax_id, name FROM json_each(?) JOIN merchants ON tax_id = value",
                    (json.dumps(list(merchants)),),
                ).fetchall()
            )

    def keep(self, spans: Sequence[Span]) -> None:
        """Store spans in one durable transaction; those that are stored already are left."""
        with self._sessions.writing() as connection:
            for span in spans:
                _keep(connection, span)

    def keep_sum(self, span: Span, ids: Sequence[int]) -> None:
        """Store a span as the sum of others' cells, in one durable transaction."""
        with self._sessions.writing() as connection:
            id_ = _begin(connection, span)
            if id_ is not None:
                connection.execute(_ADDED_UP, (id_, json.dumps(list(ids))))

    def pack(self, cells: int) -> None:
        """Store spans' cells in columns as well, the oldest first, until there are so many.

        A crash anywhere leaves some for the next run, which finds what is missing.
        """
        packs: list[Pack] = []
        with self._sessions.reading() as connection:
            ids, after = waiting(connection, self._packed_after)
            for id_ in ids:
                some = list(packed(id_, connection.execute(f"{ROWS} GROUP BY cube", (id_,))))
                packs += some
                cells -= sum(len(one.cells or b"") for one in some) // 4
                if cells <= 0:
                    break
        if packs:  # made outside of the transaction, for which issuing waits
            with self._sessions.writing() as connection:
                connection.executemany(INSERT, [one.row() for one in packs])
        self._packed_after = after


def _tables(asked: Asked) -> tuple[str, list[str]]:
    """The spans that are asked about as ``w``, and the keys of cells as ``k`` where some are."""
    named = "".join(
        f", json_extract(value, '$[{at}]') AS {name}"
        for at, name in enumerate(_periods(asked), start=2)
    )
    tables = (
        "WITH w AS MATERIALIZED (SELECT json_extract(value, '$[0]') AS span,"  # noqa: S608 # our own names
        f" json_extract(value, '$[1]') AS side{named} FROM json_each(?))"
    )
    if asked.chosen is None:
        return tables, [json.dumps(asked.spans)]
    keys = [key for key in asked.keys if key not in _periods(asked)]
    parts = ", ".join(f"json_extract(value, '$[{at}]')" for at in range(len(keys)))
    tables += (
        f", chosen AS MATERIALIZED (SELECT * FROM span_keys k WHERE cube = {asked.cube:d}"  # noqa: S608 # our own expressions
        f" AND ({', '.join(keys)}) IN (SELECT {parts} FROM json_each(?)))"
    )
    return tables, [json.dumps(asked.spans), json.dumps(asked.chosen)]


def _periods(asked: Asked) -> list[str]:
    """The names of the keys that spans bring."""
    return [f"t{at}" for at in range(len(asked.spans[0]) - 2 if asked.spans else 0)]


def _joined(asked: Asked, *, keys: bool = True) -> str:
    """The cells of the spans, with their ``keys``: found by these where few are asked for."""
    cells = f"CROSS JOIN span_cells c ON c.span = w.span AND c.cube = {asked.cube:d}"
    if asked.chosen is not None:
        return f"FROM w CROSS JOIN chosen k {cells} AND c.cell = k.id"
    if any(condition.startswith("k.merchant =") for condition, _ in asked.where):
        return f"FROM w CROSS JOIN span_keys k ON k.cube = {asked.cube:d} {cells} AND c.cell = k.id"
    return f"FROM w {cells}" + (" CROSS JOIN span_keys k ON k.id = c.cell" if keys else "")


def _conditions(asked: Asked) -> str:
    return " AND ".join(condition for condition, _ in asked.where) or "1"


def _conditioned(asked: Asked) -> list[str]:
    return [value for _, value in asked.where]


def _begin(connection: sqlite3.Connection, span: Span) -> int | None:
    """Keep a span without its cells; None where another worker has made the same.

    It has a number of its own, too, where the last span has gone and its cells have stayed.
    """
    found = connection.execute(
        f"INSERT INTO spans SELECT 1 + max({_NUMBER}), ?1, ?2, ?3, ?4 WHERE NOT EXISTS"  # noqa: S608 # constants
        " (SELECT 1 FROM spans WHERE kind = ?1 AND name = ?2 AND height = ?3) RETURNING id",
        (span.kind, span.name, span.height, span.cursor),
    ).fetchone()
    return int(found[0]) if found else None


def _keep(connection: sqlite3.Connection, span: Span) -> None:
    id_ = _begin(connection, span)
    if id_ is None:
        return
    rows = [
        (id_, cube, _key(connection, cube, cell), *_split(sums))
        for (cube, cell), sums in span.cells.items()
    ]
    rows.sort()
    connection.executemany(
        f"INSERT INTO span_cells VALUES (?, ?, ?{', ?' * len(_COLUMNS)})",  # noqa: S608 # constant
        rows,
    )
    moves = [
        (id_, moved.day, _key(connection, FINEST[moved.rated], moved.cell), moved.state, *fen)
        for moved, sums in span.moves.items()
        if any(sums)
        for fen in [(sums[0], *_low(sums[1:]), *_high(sums[1:]))]
    ]
    connection.executemany("INSERT INTO span_moves VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", moves)


def _key(connection: sqlite3.Connection, cube: int, cell: Cell) -> int:
    row = connection.execute(
        "SELECT id FROM span_keys WHERE cube = ? AND merchant = ? AND till = ? AND industry = ?"
        " AND district = ? AND rate = ?",
        (cube, *cell),
    ).fetchone()
    if row is None:
        row = connection.execute(
            f"INSERT INTO span_keys (cube, {_PLACE}) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",  # noqa: S608 # constant
            (cube, *cell),
        ).fetchone()
    return int(row[0])


def _split(sums: Sums) -> list[int]:
    count, amount, tax, _, reds, red_amount, red_tax, _ = sums
    fen = amount, tax, -red_amount, -red_tax
    low = _low(fen)
    return [count, *low[:2], reds, *low[2:], *_high(fen)]


def _low(fen: Iterable[int]) -> list[int]:
    return [number & _LOW for number in fen]


def _high(fen: Iterable[int]) -> list[int]:
    return [number >> 40 for number in fen]
