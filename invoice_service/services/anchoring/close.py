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
    days = [] if head.sealed_at is None else list(days_until(sealing_day(head.sealed_at), today))
    if days:
        # Blocks that another worker has just sealed may not be in the totals yet.
        catch_up(store, log)
    return [_closing(store, log, head, day, randbytes).entry() for day in days]


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
    cells: DayCells = {}
    begin = store.day_end(_next_day(day, -1))
    for invoice in taken(store, cursor_at(log, begin), head.cursor):
        add_up_day(cells, invoice)
    through = head.size - 1
    document = totals_document(day, through, cells)
    # A crash before this is stored: nothing has happened. After it: the next worker is given it.
    return store.keep_closing(Closing(day, through, randbytes(SALT_SIZE), document))


def days_until(first: str, end: str) -> Iterator[str]:
    """Yield the days from ``first`` on, without ``end``."""
    while first < end:
        yield first
        first = _next_day(first, 1)


def _next_day(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
