"""Totals by any mix of up to three dimensions, as of one block (ADR 0058).

Like ``report``, a function of what is sealed and frozen: the same question at the same block
gives the same bytes for ever. Read from spans, so its cost grows with cells and days.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from heapq import nsmallest
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from chain.errors import MalformedError
from invoice_service.services.anchoring.spans import Ranking
from invoice_service.services.anchoring.totals import BLUE, RED, Blocks, figures, written
from invoice_service.services.reporting.collect import (
    MEASURED,
    Collector,
    Counted,
    DayRange,
    Keys,
    MixStore,
)
from invoice_service.services.reporting.dimensions import OF_DOCUMENTS, PARTS
from invoice_service.services.reporting.periods import (
    Range,
    before,
    bounds,
    period_of,
    range_before,
    year_before,
)
from invoice_service.services.reporting.question import COMPARED, Question
from invoice_service.services.reporting.report import (
    block_of,
    height_of,
    range_of,
    read_day,
)

VERSION: Final = 3

STREAMED: Final = 1_000
"""Rows of an answer that is made as a whole; a longer one is sent while it is made."""

HELD: Final = 200_000
"""Rows that are put in order in memory: those by type and by state, and of ranks few."""

_NOTHING: Final = (0,) * 8
_KINDS: Final[tuple[Literal["blue", "red"], ...]] = ("blue", "red")
_BOTH: Final[tuple[Literal[""], ...]] = ("",)
_SHARES: Final = 10**6
_NAMED_AT_ONCE: Final = 500

_encode: Final = msgspec.json.Encoder(order="deterministic").encode

Sides: TypeAlias = "dict[int, Sequence[int]]"
"""Sums now (0), before (1) and a year before (2), where there are any."""


class Shifted(NamedTuple):
    """The days with which some days are compared: the period before, and a year before."""

    now: tuple[str, str]
    before: tuple[str, str] | None
    year_before: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class MixedReport:
    """A report without its rows, and its rows as they are made, once."""

    head: dict[str, Any]
    rows: Iterator[dict[str, Any]]


def mixed_report(store: MixStore, log: Blocks, question: Question) -> MixedReport:
    """Return the totals that a question asks for; sums are decimal strings of fen.

    Raises MalformedError ``day_invalid``, ``range_invalid``, ``report_too_large`` (more rows to
    be ordered than ``HELD``); NotFoundError ``block_unknown``; UnavailableError ``totals_behind``.
    """
    height = height_of(store, log, question.at_block)
    first, last = range_of(
        log, read_day(question.first, "/from"), read_day(question.last, "/to"), height
    )
    report = _Report(store, log, question, height, first, last)
    return MixedReport(report.head, report.rows())


def report_parts(report: MixedReport) -> Iterator[bytes]:
    """The report's canonical JSON, piece by piece: a piece before its rows, each row, the rest.

    Keys are ours and ASCII, values text and small integers, so that sorted they are canonical.
    """
    members = sorted([*report.head, "rows"])
    at = members.index("rows")
    yield b"{" + _members(report.head, members[:at]) + b',"rows":['
    mark = b""
    for row in report.rows:
        yield mark + _encode(row)
        mark = b","
    yield b"]," + _members(report.head, members[at + 1 :]) + b"}"


def _members(head: Mapping[str, Any], names: Iterable[str]) -> bytes:
    return b",".join(b'"' + name.encode() + b'":' + _encode(head[name]) for name in names)


class _Report:
    """One report while it is made."""

    def __init__(
        self, store: MixStore, log: Blocks, question: Question, height: int, first: str, last: str
    ) -> None:
        self._store, self._question = store, question
        self._collector = Collector(store, log, height, question.filters)
        self._times, self._ranges = self._periods(first, last)
        whole = _shifted(question, (first, last)) if first else Shifted(("", ""), None, None)
        sums = self._whole(whole)
        self._by_rate = self._rated(whole)
        self._measure = MEASURED[question.measure]
        self._of = self._measure(sums.get(0, list(_NOTHING)))
        self._plain = tuple(name for name in question.by if name not in OF_DOCUMENTS)
        self._held: list[tuple[Keys, Sides]] | None = None
        self.head = self._head(block_of(log, height), whole, sums)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows in the order of their keys, or of rank."""
        found = self._sorted() if self._held is None else iter(self._held)
        while some := list(islice(found, _NAMED_AT_ONCE)):
            names = self._merchants(keys for keys, _ in some)
            for keys, sides in some:
                yield self._row(keys, sides, names)

    def _periods(self, first: str, last: str) -> tuple[dict[Keys, Shifted], list[DayRange]]:
        """The periods that have blocks, each with its days and those it is compared with."""
        units, found = self._question.times, {}
        days = [end.day for end in self._collector.days.ends if first <= end.day <= last]
        for times, same in groupby(days, lambda day: tuple(period_of(u, day) for u in units)):
            days_in = _days_of(units, next(same), first, last)
            found[times] = _shifted(self._question, days_in, units[0] if units else "")
        return found, [one for times, shifted in found.items() for one in _ranges(times, shifted)]

    def _whole(self, days: Shifted) -> Sides:
        """What all rows together are, each invoice once but under a rate."""
        sums = self._collector.counted((), _ranges((), days))
        return {side: found for _, side, found in sums}

    def _head(self, block: Mapping[str, Any], days: Shifted, sums: Sides) -> dict[str, Any]:
        question = self._question
        first, last = days.now
        head: dict[str, Any] = {
            "version": VERSION,
            "from": first,
            "to": last,
            "by": question.by,
            "measure": question.measure,
            "compare": question.compare,
            "filters": question.filters,
            "currency": "CNY",
            "block": block,
            "notes": self._notes(sums),
            **_figures(sums.get(0)),
            **self._compared(days, sums),
        }
        if question.top or question.bottom:
            head |= self._ranked(sums)
        return head

    def _compared(self, days: Shifted, sums: Sides) -> dict[str, Any]:
        """The other sides that were asked for, but where the calendar has no such days."""
        return {
            name: {"from": there[0], "to": there[1], **_figures(sums.get(side))}
            for side, (name, there) in enumerate(zip(COMPARED, days[1:], strict=True), start=1)
            if there and name in self._question.compare
        }

    def _ranked(self, sums: Sides) -> dict[str, Any]:
        """Keep the first rows by rank; what the others come to together is said."""
        question = self._question
        number = question.top or question.bottom
        sign = -1 if question.top else 1
        ranking = Ranking(question.measure, number, largest=bool(question.top))
        if set(OF_DOCUMENTS).isdisjoint(question.by):
            rows, found = self._collector.ranked(self._plain, self._ranges, ranking)
            some = [(keys, _sides(same)) for keys, same in groupby(found, key=itemgetter(0))]
        else:
            rows, some = self._ranked_of_documents(ranking)
        if len(some) > HELD:
            raise _too_large()
        self._held = nsmallest(
            number, some, key=lambda row: (sign * self._measure(_now(row[1])), row[0])
        )
        rest = _now(sums if self._by_rate is None else self._by_rate)
        for _, sides in self._held:
            rest = [whole - part for whole, part in zip(rest, _now(sides), strict=True)]
        name = "top" if question.top else "bottom"
        return {name: number, "rest": {"rows": rows - len(self._held), **_figures(rest)}}

    def _rated(self, days: Shifted) -> "Sides | None":
        """What all rows are together where invoices count once for each rate, or None."""
        if {"rate", "tax_kind"}.isdisjoint(self._question.by):
            return None
        ranges = [DayRange(0, (), *days.now)]
        return _sides(self._collector.counted((), ranges, rated=True))

    def _notes(self, sums: Sides) -> list[dict[str, Any]]:
        """Why figures may look wrong: what stands in a report is also read without its papers."""
        notes = []
        question = self._question
        if question.rate:
            notes.append({"code": "filtered_by_rate", **_FILTERED})
        if self._by_rate is not None:
            rated = _now(self._by_rate)
            whole = _now(sums)
            if (rated[0], rated[4]) != (whole[0], whole[4]):
                found = rated[0] + rated[4], whole[0] + whole[4]
                notes.append({"code": "counted_by_rate", **_by_rate(*found)})
        return notes

    def _sorted(self) -> Iterator[tuple[Keys, Sides]]:
        """The rows in the order of their keys, those of nothing left out."""
        if set(OF_DOCUMENTS).isdisjoint(self._question.by):
            counted = self._collector.counted(self._plain, self._ranges)
            rows: Iterator[tuple[Keys, Sides]] = (
                (keys, _sides(same)) for keys, same in groupby(counted, key=itemgetter(0))
            )
        else:
            counted = self._collector.counted(self._plain, self._ranges)
            rows = iter(sorted(self._of_documents(counted, self._moves()).items()))
        return filter(_is_something, rows)

    def _ranked_of_documents(self, ranking: Ranking) -> tuple[int, list[tuple[Keys, Sides]]]:
        """How many rows there are by what invoices are and became; the first by rank, some others.

        What reds changed the state of is looked at as a whole: it may come before any other.
        """
        moves = self._moves()
        changed = {keys for keys, _, _, _ in moves}
        number, found = 0, list[Counted]()
        for kind in _KINDS if "type" in self._question.by else _BOTH:
            also = changed if kind != "red" else frozenset()
            rows, first = self._collector.ranked(
                self._plain, self._ranges, ranking._replace(kind=kind), also
            )
            these = list(first)
            number += rows - len({keys for keys, _, _ in these})
            found += these
        some = [one for one in self._of_documents(found, moves).items() if _is_something(one)]
        return number + len(some), some

    def _moves(self) -> list[tuple[Keys, int, str, list[int]]]:
        if "state" not in self._question.by:
            return []
        return list(self._collector.moves(self._plain, self._ranges))

    def _of_documents(
        self, counted: Iterable[Counted], moves: Iterable[tuple[Keys, int, str, list[int]]]
    ) -> dict[Keys, Sides]:
        """Rows by what invoices are, and what has become of them: a cell's sums taken apart."""
        rows: dict[Keys, Sides] = {}

        def put(keys: Keys, side: int, kind: str, state: str, sums: Sequence[int]) -> None:
            left = iter(keys)
            own = {"type": kind, "state": state}
            place = tuple(own[n] if n in own else next(left) for n in self._question.by)
            sides = rows.setdefault(place, {})
            sides[side] = _plus(sides[side], sums) if side in sides else sums
            if len(rows) > HELD:
                raise _too_large()

        for keys, side, sums in counted:
            if "type" not in self._question.by:
                put(keys, side, "", "valid", sums)
                continue
            if sums[BLUE]:
                put(keys, side, "blue", "valid", (*sums[:4], 0, 0, 0, 0))
            if sums[RED]:
                put(keys, side, "red", "valid", (0, 0, 0, 0, *sums[4:]))
        for keys, side, state, (number, amount, tax) in moves:
            moved = (number, amount, tax, amount + tax, 0, 0, 0, 0)
            put(keys, side, "blue", state, moved)
            put(keys, side, "blue", "valid", [-one for one in moved])
        return rows

    def _merchants(self, rows: Iterable[Keys]) -> Mapping[str, str]:
        if "merchant" not in self._question.by:
            return {}
        at = self._question.by.index("merchant")
        return self._store.names_of(sorted({keys[at] for keys in rows}))

    def _row(self, keys: Keys, sides: Sides, merchants: Mapping[str, str]) -> dict[str, Any]:
        said = dict(zip(self._question.by, keys, strict=True))
        names = {}
        for name, key in said.items():
            if name == "merchant":
                names[name] = {"zh": merchants.get(key, ""), "en": ""}
            elif name in PARTS and (place := PARTS[name].names().get(key)):
                names[name] = {"zh": place.name_zh, "en": place.name_en}
        times = tuple(said[unit] for unit in self._question.times)
        return {
            "keys": said,
            "names": names,
            "share": _ratio(self._measure(_now(sides)), self._of),
            **_figures(sides.get(0)),
            **self._compared(self._times[times], sides),
        }


_FILTERED: Final = {
    "zh": "只统计所选税率：份数是含有该税率的发票，金额只是其中该税率的部分。",
    "en": "Of one rate alone: counts are of invoices that have it,"
    " sums are what they come to at that rate.",
}


def _by_rate(counted: int, invoices: int) -> dict[str, Any]:
    return {
        "counted": counted,
        "invoices": invoices,
        "zh": f"各行份数合计 {counted} 大于发票总数 {invoices}："
        "含多个税率的发票在每个税率中各计一次，金额不重复计算。",
        "en": f"The rows count {counted} together, though there are {invoices} invoices: one with"
        " several rates counts in each of them. No amount counts twice.",
    }


def _days_of(units: Sequence[str], day: str, first: str, last: str) -> tuple[str, str]:
    """The days that all these periods of a day have in common, within a range."""
    for unit in units:
        begin, end = bounds(unit, date.fromisoformat(day))
        first, last = max(first, begin.isoformat()), min(last, end.isoformat())
    return first, last


def _shifted(question: Question, days: tuple[str, str], unit: str = "") -> Shifted:
    """With which days some of a ``unit``, or of a range, are compared, where that is asked."""
    if not question.compare:
        return Shifted(days, None, None)
    span = date.fromisoformat(days[0]), date.fromisoformat(days[1])
    earlier = before(unit, span) if unit else range_before(span)
    return Shifted(days, _told(earlier), _told(year_before(unit or "month", span)))


def _told(days: Range | None) -> tuple[str, str] | None:
    return (days[0].isoformat(), days[1].isoformat()) if days else None


def _ranges(times: Keys, shifted: Shifted) -> list[DayRange]:
    return [DayRange(side, times, *days) for side, days in enumerate(shifted) if days]


def _is_something(row: tuple[Keys, Sides]) -> bool:
    return any(map(any, row[1].values()))


def _sides(counted: Iterable[Counted]) -> Sides:
    return {side: sums for _, side, sums in counted}


def _now(sides: Sides) -> Sequence[int]:
    return sides.get(0, _NOTHING)


def _plus(sums: Sequence[int], more: Sequence[int]) -> list[int]:
    return [old + new for old, new in zip(sums, more, strict=True)]


def _figures(sums: Sequence[int] | None) -> dict[str, Any]:
    return written(figures(sums or _NOTHING))


def _ratio(part: int, whole: int) -> str:
    """A part of the whole as a decimal of six places, rounded half up; "" of nothing."""
    if not whole:
        return ""
    doubled, by = 2 * _SHARES * abs(part) + abs(whole), 2 * abs(whole)
    share = doubled // by
    sign = "-" if share and (part < 0) != (whole < 0) else ""
    return f"{sign}{share // _SHARES}.{share % _SHARES:06}"


def _too_large() -> MalformedError:
    return MalformedError(
        "report_too_large",
        f"more than {HELD:,} rows: ask for fewer days, a filter, or fewer dimensions at once",
        pointer="/by",
    )
