"""Close days (日结): commit in the log to what each Shanghai day of sealing came to.

The first block that is sealed on a later day carries the closing of every day that has ended since
the block before it. So the log alone says which days are closed: all before its last seal's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol, TypeAlias

from chain import canonical
from chain.block import Head
from chain.commitment import SALT_SIZE, closing_digest
from chain.entry import closing_entry
from invoice_service.services.totals import (
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
)

DayCells: TypeAlias = "dict[tuple[str, str, str, str], Sums]"
"""Sums by (merchant's tax id, industry, district, rate)."""


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

    def closing(self, day: str, through: int) -> Closing | None:
        """Return the closing of ``day`` that covers the log up to index ``through``."""
        ...

    def keep_closing(self, closing: Closing) -> Closing:
        """Store a closing durably, unless there is one for its day and index; return the stored."""
        ...


def close_days(
    store: ClosingStore,
    log: SealedBlocks,
    head: Head,
    today: str,
    randbytes: Callable[[int], bytes],
) -> list[bytes]:
    """Return the closing entries for the block that follows ``head`` if it is sealed ``today``.

    What they commit to is on disk when this returns. A worker that then loses the race for the
    head, or dies, leaves a document that the next one uses; should another block of that day have
    come first, it stays without an entry, and the day is closed anew through that block.
    """
    if head.sealed_at is None or sealing_day(head.sealed_at) >= today:
        return []
    catch_up(store, log)
    first = sealing_day(head.sealed_at)
    return [_closing(store, log, head, day, randbytes).entry() for day in days_until(first, today)]


def add_up_day(cells: DayCells, invoice: Taxed) -> None:
    """Add one invoice to its cells; it counts once for each of its rates."""
    at = RED if invoice.red else BLUE
    for rate, amount, tax in invoice.rates:
        key = invoice.merchant, invoice.industry, invoice.district, rate
        add(cells, key, at, amount, tax, amount + tax)


def totals_document(day: str, through: int, cells: DayCells) -> bytes:
    """Return the canonical totals document of a day; money in fen."""
    rows = [
        {
            "merchant": merchant,
            "industry": industry,
            "district": district,
            "rate": rate,
            **figures(sums),
        }
        for (merchant, industry, district, rate), sums in sorted(cells.items())
    ]
    return canonical.encode({"version": 1, "day": day, "through": through, "cells": rows})


def _closing(
    store: ClosingStore,
    log: SealedBlocks,
    head: Head,
    day: str,
    randbytes: Callable[[int], bytes],
) -> Closing:
    through = head.size - 1
    stored = store.closing(day, through)
    if stored is not None:
        return stored
    document = totals_document(day, through, _cells_of(store, log, head, day))
    # A crash before this is stored: nothing has happened. After it: the next worker finds it.
    return store.keep_closing(Closing(day, through, randbytes(SALT_SIZE), document))


def _cells_of(store: ClosingStore, log: SealedBlocks, head: Head, day: str) -> DayCells:
    """Add up the invoices of the blocks sealed on ``day``, none of them above ``head``."""
    begin = store.day_end(_next_day(day, -1))
    cells: DayCells = {}
    if store.day_end(day) > begin:  # else the day has no block
        for invoice in taken(store, cursor_at(log, begin), head.cursor):
            add_up_day(cells, invoice)
    return cells


def days_until(first: str, end: str) -> Iterator[str]:
    """Yield the days from ``first`` on, without ``end``."""
    while first < end:
        yield first
        first = _next_day(first, 1)


def _next_day(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
