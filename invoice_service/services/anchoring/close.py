"""Close days (日结): commit in the log to what each Shanghai day of sealing came to.

Days are closed in their order, each by an entry in a block that is sealed on a later day: the
first one, unless that failed or there were too many at once. The log alone says which are closed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from chain import canonical
from chain.block import Head
from chain.commitment import SALT_SIZE, closing_digest
from chain.entry import closing_entry, closing_key
from invoice_service.domain.tax import split_rate_name
from invoice_service.services.anchoring.totals import (
    BLUE,
    RED,
    SealedBlocks,
    Sums,
    Taxed,
    TotalsStore,
    add,
    catch_up,
    cursor_at,
    figures,
    sealing_day,
    taken,
    written,
)

CLOSINGS_A_BLOCK: Final = 7
"""Days that one block closes at most: a clock that ran ahead must not fill a block with days."""

VERSION: Final = 2
"""Of the documents that are written now; those of version 1 stay what their entries commit to."""


class CellKey(NamedTuple):
    """What a cell of a day is about, in the order of sorting; what is not given is empty."""

    merchant: str
    till: str
    industry: str
    district: str
    rate: str
    tax_kind: str


DayCells: TypeAlias = "dict[CellKey, Sums]"


@dataclass(frozen=True, slots=True)
class Closing:
    """A day's totals document (canonical bytes), up to log index ``through``, and its salt."""

    day: str
    through: int
    salt: bytes
    document: bytes

    def entry(self) -> bytes:
        """Return the log entry that commits to it."""
        commitment = closing_digest(self.salt, self.document)
        return closing_entry(self.day, self.through, commitment)


class ClosingStore(TotalsStore, Protocol):
    """What closing days needs of a database."""

    def day_end(self, day: str) -> int:
        """Return the last block sealed on ``day`` or before; 0 for none."""
        ...

    def keep_closing(self, closing: Closing) -> Closing:
        """Store a closing durably, unless there is one for its day and index; return the stored."""
        ...


class ClosingLog(SealedBlocks, Protocol):
    """What closing days needs of the log."""

    def find(self, key: bytes) -> int | None:
        """Return the index of the entry with this key."""
        ...


def close_days(
    store: ClosingStore,
    log: ClosingLog,
    head: Head,
    today: str,
    randbytes: Callable[[int], bytes],
) -> list[bytes]:
    """Return the closing entries for the block that follows ``head`` if it is sealed ``today``.

    What they commit to is on disk when this returns. A worker that then loses the race for the
    head, or dies, leaves a document that the next one uses; should another block of that day have
    come first, it stays without an entry, and the day is closed anew through that block.
    """
    days = list(islice(open_days(log, head, today), CLOSINGS_A_BLOCK))
    if days:
        # Blocks that another worker has just sealed may not be in the totals yet.
        catch_up(store, log)
    return [_closing(store, log, day, randbytes).entry() for day in days]


def open_days(log: ClosingLog, head: Head, today: str) -> Iterator[str]:
    """Return the days before ``today`` that no entry closes, the oldest first.

    Not before the log's first seal, and also those before its last: a clock may have been set back.
    """
    if head.sealed_at is None:
        return iter(())
    today = max(today, sealing_day(head.sealed_at))
    first, day = sealing_day(log.block(1).sealed_at), next_day(today, -1)
    # Days are closed in their order: before one that is closed, all are.
    while day >= first and log.find(closing_key(day)) is None:
        day = next_day(day, -1)
    return days_until(next_day(day, 1), today) if day >= first else days_until(first, today)


def add_up_day(cells: DayCells, invoice: Taxed) -> None:
    """Add one invoice to its cells; it counts once for each of its rates and kinds of tax."""
    at = RED if invoice.red else BLUE
    for name, amount, tax in invoice.rates:
        rate, kind = split_rate_name(name)
        place = invoice.merchant, invoice.till, invoice.industry, invoice.district
        key = CellKey(*place, rate, kind)
        add(cells, key, at, amount, tax, amount + tax)


def totals_document(day: str, through: int, cells: DayCells, version: int = VERSION) -> bytes:
    """Return the canonical totals document of a day; money in fen.

    Version 1 has numbers for sums, and so none above 2^53 - 1: MalformedError ``not_canonical``.
    """
    rows = [_row(key, sums, version) for key, sums in sorted(cells.items())]
    return canonical.encode({"version": version, "day": day, "through": through, "cells": rows})


def _row(key: CellKey, sums: Sums, version: int) -> dict[str, Any]:
    names = {name: value for name, value in key._asdict().items() if value}
    found = figures(sums)
    return {**names, **(found if version == 1 else written(found))}


def _closing(
    store: ClosingStore, log: SealedBlocks, day: str, randbytes: Callable[[int], bytes]
) -> Closing:
    cells: DayCells = {}
    begin, end = store.day_end(next_day(day, -1)), store.day_end(day)
    for invoice in taken(store, cursor_at(log, begin), cursor_at(log, end)):
        add_up_day(cells, invoice)
    through = log.block(end).size - 1
    document = totals_document(day, through, cells)
    # A crash before this is stored: nothing has happened. After it: the next worker is given it.
    return store.keep_closing(Closing(day, through, randbytes(SALT_SIZE), document))


def days_until(first: str, end: str) -> Iterator[str]:
    """Yield the days from ``first`` on, without ``end``."""
    while first < end:
        yield first
        first = next_day(first, 1)


def next_day(day: str, days: int) -> str:
    """Return the date so many days on."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
