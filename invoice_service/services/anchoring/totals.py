"""Totals kept up to date as blocks are sealed: cumulative sums per cell and block (ADR 0005).

Which invoices a block took is written in the log: those after the cursor of the block before,
up to its own. So whatever was missed, by a kill or by another worker, is caught up from there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final, NamedTuple, Protocol, TypeAlias, TypeVar

from chain.block import Block
from chain.errors import ConflictError, VerificationError
from invoice_service.domain.numbering import SHANGHAI

BLUE: Final = 0
RED: Final = 4
"""Where in ``Sums`` the four numbers of blue invoices begin, and those of red ones."""

Sums: TypeAlias = list[int]
"""Eight integers: count, amount, tax and total (fen) of blue invoices, then of red ones."""

_BLOCKS_AT_ONCE = 64
_ROWS_AT_ONCE = 1_000
_INVOICES_AT_ONCE = 20_000  # bounds what a kill can cost, and how long the database is read at once


class Dimension(IntEnum):
    """By what the totals are kept; the numbers stand in the database."""

    ALL = 0
    INDUSTRY = 1
    DISTRICT = 2
    RATE = 3
    MERCHANT = 4
    TILL = 5


class Taxed(NamedTuple):
    """What totals need of an invoice; amounts in fen, ``rates`` as (rate name, amount, tax).

    ``till`` is "" where the order names none.
    """

    seq: int
    red: bool
    merchant: str
    industry: str
    district: str
    amount: int
    tax: int
    total: int
    rates: Sequence[tuple[str, int, int]]
    till: str = ""


_Key = TypeVar("_Key")
Cells: TypeAlias = "dict[tuple[Dimension, str], Sums]"


@dataclass(frozen=True, slots=True)
class BlockTotals:
    """What one block adds to each cell that it touches; ``day`` is the Shanghai date of sealing."""

    height: int
    day: str
    cells: Cells


class TaxedStore(Protocol):
    """Where invoices are read for adding them up."""

    def taxed(self, after: int, limit: int) -> Sequence[Taxed]:
        """Return up to ``limit`` invoices above ``after``, lowest first."""
        ...


class TotalsStore(TaxedStore, Protocol):
    """What keeping totals needs of a database."""

    def last_height(self) -> int:
        """Return the last block whose totals are stored; 0 when there is none."""
        ...

    def append(self, last_height: int, blocks: Sequence[BlockTotals]) -> None:
        """Store the totals of the blocks that follow ``last_height``, in one durable transaction.

        Raises ConflictError ``totals_moved`` when ``last_height`` is no longer the last.
        """
        ...


class Blocks(Protocol):
    """Blocks of the log, one by one."""

    def block(self, height: int) -> Block:
        """Return one block; NotFoundError when there is none."""
        ...


class SealedBlocks(Blocks, Protocol):
    """What keeping totals needs of the log."""

    def blocks(self, after: int, limit: int) -> Sequence[Block]:
        """Return up to ``limit`` blocks higher than ``after``, lowest first."""
        ...


def catch_up(totals: TotalsStore, log: SealedBlocks) -> int:
    """Store the totals of all sealed blocks that have none yet; return how many there were.

    Raises VerificationError ``invoices_missing`` when a block took invoices that are not stored.
    """
    done = 0
    while True:
        last = totals.last_height()
        blocks = _next_blocks(log, last)
        if not blocks:
            return done
        added = list(add_up(totals, blocks, cursor_at(log, last)))
        try:
            # A crash before this commits loses nothing: the same sums are made again.
            totals.append(last, added)
        except ConflictError:
            continue  # another worker has stored them meanwhile
        done += len(blocks)


def cursor_at(log: Blocks, height: int) -> int:
    """Return the last invoice that is in a block up to ``height``; 0 for none."""
    return log.block(height).cursor if height else 0


def add_up(totals: TotalsStore, blocks: Sequence[Block], cursor: int) -> Iterator[BlockTotals]:
    """Yield what each of these consecutive blocks adds; ``cursor`` is where the first begins."""
    for block in blocks:
        cells = count_all(taken(totals, cursor, block.cursor))
        cursor = block.cursor
        yield BlockTotals(block.height, sealing_day(block.sealed_at), cells)


def taken(totals: TaxedStore, after: int, through: int) -> Iterator[Taxed]:
    """Yield invoices ``after`` + 1 to ``through``; VerificationError when one is not stored."""
    seq = after + 1
    while seq <= through:
        rows = totals.taxed(seq - 1, min(through - seq + 1, _ROWS_AT_ONCE))
        if not rows:
            raise _missing(seq)
        for row in rows:
            if row.seq != seq:
                raise _missing(seq)
            yield row
            seq += 1


def sealing_day(sealed_at: datetime) -> str:
    """Return the Shanghai date of a block sealed at this time."""
    return sealed_at.astimezone(SHANGHAI).date().isoformat()


def written(found: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int | str]]:
    """Return figures as documents hold them: fen as decimal strings, so no sum is too large."""
    return {
        side: {name: n if name == "count" else str(n) for name, n in numbers.items()}
        for side, numbers in found.items()
    }


def figures(sums: Sequence[int]) -> dict[str, dict[str, int]]:
    """Return the eight sums as reports and closings name them; reversed amounts are negative."""
    count, amount, tax, total, red_count, red_amount, red_tax, red_total = sums
    return {
        "gross": {"count": count, "amount": amount, "tax": tax, "total": total},
        "reversed": {
            "count": red_count,
            "amount": red_amount,
            "tax": red_tax,
            "total": red_total,
        },
        "net": {
            "count": count - red_count,
            "amount": amount + red_amount,
            "tax": tax + red_tax,
            "total": total + red_total,
        },
    }


def till_key(merchant: str, till: str) -> str:
    """A till's cell: its merchant's tax id, which has no slash, and its name."""
    return f"{merchant}/{till}"


def count(cells: Cells, invoice: Taxed) -> None:
    """Add one invoice to every cell that it belongs to.

    An invoice with several rates counts once in each of them; in the others once.
    """
    at = RED if invoice.red else BLUE
    amount, tax, total = invoice.amount, invoice.tax, invoice.total
    add(cells, (Dimension.ALL, ""), at, amount, tax, total)
    add(cells, (Dimension.INDUSTRY, invoice.industry), at, amount, tax, total)
    add(cells, (Dimension.DISTRICT, invoice.district), at, amount, tax, total)
    add(cells, (Dimension.MERCHANT, invoice.merchant), at, amount, tax, total)
    if invoice.till:
        key = Dimension.TILL, till_key(invoice.merchant, invoice.till)
        add(cells, key, at, amount, tax, total)
    for rate, rate_amount, rate_tax in invoice.rates:
        add(cells, (Dimension.RATE, rate), at, rate_amount, rate_tax, rate_amount + rate_tax)


def count_all(invoices: Iterable[Taxed]) -> Cells:
    """Count invoices into new cells, as ``count`` does one by one, at less cost.

    First by what they have in common, of which there are few; then those sums into the cells.
    """
    alike: dict[tuple[str, str, str, str, bool], list[int]] = {}
    rated: dict[tuple[str, bool], list[int]] = {}
    for _, red, merchant, industry, district, amount, tax, total, rates, till in invoices:
        sums = alike.setdefault((merchant, till, industry, district, red), [0, 0, 0, 0])
        sums[0] += 1
        sums[1] += amount
        sums[2] += tax
        sums[3] += total
        for rate, rate_amount, rate_tax in rates:
            sums = rated.setdefault((rate, red), [0, 0, 0, 0])
            sums[0] += 1
            sums[1] += rate_amount
            sums[2] += rate_tax
            sums[3] += rate_amount + rate_tax
    cells: Cells = {}
    for (merchant, till, industry, district, red), (number, *fen) in alike.items():
        at = RED if red else BLUE
        add(cells, (Dimension.ALL, ""), at, *fen, number=number)
        add(cells, (Dimension.INDUSTRY, industry), at, *fen, number=number)
        add(cells, (Dimension.DISTRICT, district), at, *fen, number=number)
        add(cells, (Dimension.MERCHANT, merchant), at, *fen, number=number)
        if till:
            add(cells, (Dimension.TILL, till_key(merchant, till)), at, *fen, number=number)
    for (rate, red), (number, *fen) in rated.items():
        add(cells, (Dimension.RATE, rate), RED if red else BLUE, *fen, number=number)
    return cells


def add(
    cells: dict[_Key, Sums],
    key: _Key,
    at: int,
    amount: int,
    tax: int,
    total: int,
    *,
    number: int = 1,
) -> None:
    """Count ``number`` more blue or red (``at``) documents with these fen in the cell ``key``."""
    sums = cells.get(key)
    if sums is None:
        sums = cells[key] = [0] * 8
    sums[at] += number
    sums[at + 1] += amount
    sums[at + 2] += tax
    sums[at + 3] += total


def _next_blocks(log: SealedBlocks, last: int) -> Sequence[Block]:
    """Return the blocks for one transaction: at least one, and not too many invoices."""
    blocks = log.blocks(last, _BLOCKS_AT_ONCE)
    begin = cursor_at(log, last) if blocks else 0
    few = [block for block in blocks if block.cursor - begin <= _INVOICES_AT_ONCE]
    return few or blocks[:1]


def _missing(seq: int) -> VerificationError:
    return VerificationError(
        "invoices_missing", f"the log has taken invoice {seq}, but it is not stored", seq=seq
    )
