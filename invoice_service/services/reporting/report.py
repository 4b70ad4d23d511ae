"""The totals report: what the log's blocks came to, for a range of days, as of one block.

It is a function of what is sealed and frozen, and reads no clock: the same days at the same
block give the same bytes for ever. A day is the Shanghai date of sealing, as in the closings.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from chain.entry import format_time
from chain.errors import MalformedError, NotFoundError, UnavailableError
from chain.hashing import EMPTY_ROOT, ZERO
from invoice_service.domain.merchant import Place, districts, industries
from invoice_service.domain.tax import split_rate_name
from invoice_service.services.anchoring.totals import (
    Blocks,
    Dimension,
    Sums,
    figures,
    sealing_day,
)

BY: Final = ("day", "industry", "district", "rate", "merchant", "till")
"""What a report can be broken down by."""

SIDES: Final = ("gross", "reversed", "net")
"""The figures of a row, and of the whole."""

Row: TypeAlias = "tuple[Any, ...]"
"""A key, then the eight sums."""

_DIMENSIONS: Final = {
    "industry": Dimension.INDUSTRY,
    "district": Dimension.DISTRICT,
    "rate": Dimension.RATE,
    "merchant": Dimension.MERCHANT,
    "till": Dimension.TILL,
}
_NAMES: Final[dict[str, Callable[[], Mapping[str, Place]]]] = {
    "industry": industries,
    "district": districts,
}
_FIRST_DAY: Final = "0002-01-01"  # the calendar of Python begins a year before
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class _Side(msgspec.Struct, gc=False):
    """One side's figures as they are written, in the order of canonical JSON."""

    amount: str
    count: int
    tax: str
    total: str


_write: Final = msgspec.json.Encoder(order="deterministic").encode  # sorts what has no order


def report_bytes(report: Mapping[str, Any]) -> bytes:
    """Return the report's canonical JSON; sums are decimal strings of fen, so none is too large.

    Its keys are ours and ASCII, its values text and small integers, so sorting alone makes the
    bytes canonical; ``canonical.encode``, which looks at every value, is the oracle in tests.
    """
    return _write(_written({**report, "rows": [_written(row) for row in report["rows"]]}))


def _written(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "gross": _side(row["gross"]),
        "net": _side(row["net"]),
        "reversed": _side(row["reversed"]),
    }


def _side(found: Mapping[str, int]) -> _Side:
    return _Side(str(found["amount"]), found["count"], str(found["tax"]), str(found["total"]))


class Totalled(Protocol):
    """How far the totals have come."""

    def last_height(self) -> int:
        """Return the last block whose totals are stored; 0 when there is none."""
        ...


class ReportStore(Totalled, Protocol):
    """What a report needs of a database."""

    def day_end(self, day: str) -> int:
        """Return the last block sealed on ``day`` or before; 0 for none."""
        ...

    def day_ends(self, first: str, height: int) -> Sequence[tuple[str, int]]:
        """Return the days from ``first`` on that have blocks, each with its last.

        Blocks above ``height`` do not count.
        """
        ...

    def between(self, dimension: Dimension, low: int, high: int) -> Sequence[Row]:
        """Return the rows of what blocks ``low`` + 1 to ``high`` added, in order of keys."""
        ...

    def sums_at(self, dimension: Dimension, key: str, height: int) -> Sums:
        """Return what a cell had come to as of a block."""
        ...


def totals_report(
    store: ReportStore,
    log: Blocks,
    first: str | None = None,
    last: str | None = None,
    by: str = "day",
    at_block: int | None = None,
) -> dict[str, Any]:
    """Return the totals of the days from ``first`` to ``last``, both included, as of a block.

    Without them: from the first block's day, to that of the block; without ``at_block`` the
    newest block there are totals of. Raises MalformedError ``day_invalid``, ``range_invalid``,
    ``by_unknown``; NotFoundError ``block_unknown``; UnavailableError ``totals_behind``.
    """
    if by not in BY:
        raise MalformedError("by_unknown", f"a report is by {', '.join(BY)}", pointer="/by")
    height = height_of(store, log, at_block)
    first, last = range_of(log, read_day(first, "/from"), read_day(last, "/to"), height)
    low = min(store.day_end(_before(first)), height) if first else 0
    high = min(store.day_end(last), height)
    rows = _by_day(store, first, low, high) if by == "day" else _by_key(store, by, low, high)
    sums = _minus(_all_at(store, high), _all_at(store, low))
    return {
        "version": 2,
        "from": first,
        "to": last,
        "by": by,
        "currency": "CNY",
        "block": block_of(log, height),
        "rows": list(rows),
        **figures(sums),
    }


def height_of(store: Totalled, log: Blocks, at_block: int | None) -> int:
    """Return the block that a report stands on; raises as ``totals_report``."""
    last = store.last_height()
    if at_block is None or 0 <= at_block <= last:
        return last if at_block is None else at_block
    try:
        log.block(at_block)
    except NotFoundError:
        raise NotFoundError(
            "block_unknown", f"there is no block {at_block}", pointer="/at_block"
        ) from None
    raise UnavailableError("totals_behind", f"block {at_block} is not in the totals yet")


def read_day(text: str | None, pointer: str) -> str:
    """Return the day that ``text`` names; "" for none. MalformedError ``day_invalid``."""
    if text is None:
        return ""
    try:
        if not _DAY.fullmatch(text) or text < _FIRST_DAY:
            raise ValueError(text)
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise MalformedError(
            "day_invalid", "a day is written like 2018-08-10", pointer=pointer
        ) from None


def range_of(log: Blocks, first: str, last: str, height: int) -> tuple[str, str]:
    """Put the days of the first block and of the report's in the place of those left out.

    MalformedError ``range_invalid``.
    """
    if last and first > last:
        raise MalformedError("range_invalid", f"{first} is after {last}", pointer="/from")
    oldest, newest = _sealed_on(log, min(height, 1)), _sealed_on(log, height)
    return first or (min(oldest, last) if last else oldest), last or max(first, newest)


def _sealed_on(log: Blocks, height: int) -> str:
    return sealing_day(log.block(height).sealed_at) if height else ""


def _before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def _by_day(store: ReportStore, first: str, low: int, high: int) -> Iterator[dict[str, Any]]:
    """Yield the days that have invoices in the blocks ``low`` + 1 to ``high``."""
    before = _all_at(store, low)
    for day, end in store.day_ends(first, high):
        now = _all_at(store, end)
        added = _minus(now, before)
        before = now
        if any(added):
            yield {"day": day, **figures(added)}


def _by_key(store: ReportStore, by: str, low: int, high: int) -> Iterator[dict[str, Any]]:
    """Yield the cells of one dimension that have invoices in the blocks."""
    names = _NAMES.get(by, dict)()
    for key, *sums in store.between(_DIMENSIONS[by], low, high):
        if any(sums):
            yield {**_key(by, key), **_named(names, key), **figures(sums)}


def _key(by: str, key: str) -> dict[str, str]:
    """What a row is about: of a rate that has kinds the two apart, of a till whose it is, too."""
    if by == "till":
        merchant, _, till = key.partition("/")
        return {"merchant": merchant, "till": till}
    rate, kind = split_rate_name(key) if by == "rate" else ("", "")
    return {"rate": rate, "tax_kind": kind} if kind else {by: key}


def _named(names: Mapping[str, Place], key: str) -> dict[str, str]:
    place = names.get(key)
    return {"name_zh": place.name_zh, "name_en": place.name_en} if place else {}


def _all_at(store: ReportStore, height: int) -> Sums:
    return store.sums_at(Dimension.ALL, "", height)


def _minus(after: Sums, before: Sums) -> Sums:
    return [new - old for new, old in zip(after, before, strict=True)]


def block_of(log: Blocks, height: int) -> dict[str, int | str]:
    """Return the block that the report stands on; block 0 is the empty log."""
    if not height:
        return {
            "height": 0,
            "seal": ZERO.hex(),
            "sealed_at": "",
            "size": 0,
            "root": EMPTY_ROOT.hex(),
        }
    block = log.block(height)
    return {
        "height": height,
        "seal": block.seal.hex(),
        "sealed_at": format_time(block.sealed_at),
        "size": block.size,
        "root": block.root.hex(),
    }
