"""What has changed for those who watch a till: looked at for all of them in one pass.

A cursor is three places: the last event, the last invoice, and how far the public log had come.
While none of them has moved for anybody, a pass is two reads, however many watch.
"""

import re
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from invoice_service.services.people.sessions import Sessions, Visitor
from invoice_service.services.people.trail import Head
from invoice_service.services.ports import Account
from invoice_service.services.till.bills import Bills
from invoice_service.services.till.books import Books
from invoice_service.services.till.lists import Lists
from invoice_service.services.till.ports import Event, EventStore
from invoice_service.services.till.rows import Names
from invoice_service.services.till.shifts import Shifts

MOST_NEWS: Final = 200
"""Changes of one kind in one pass; who has missed more loads everything anew."""

LOOK_AGAIN: Final = 30.0
"""Seconds after which sessions are looked at though nobody acted: they end by time, too."""

_CURSOR: Final = re.compile(r"([0-9]{1,15})-([0-9]{1,15})-([0-9]{1,15})", re.ASCII)


class Cursor(NamedTuple):
    """Up to where somebody has seen everything."""

    event: int
    invoice: int
    anchored: int

    def __str__(self) -> str:
        return "-".join(map(str, self))


class News(NamedTuple):
    """One thing to be told, by its kind; ``data`` becomes JSON."""

    kind: str
    data: Any


@dataclass(slots=True)
class Watching:
    """Somebody who watches: ``token`` is the session's, ``ended`` once nobody may any more."""

    merchant_id: int
    token: str
    cursor: Cursor
    role: str
    cashier: int | None
    stale: bool = False
    ended: bool = False


class Store(EventStore, Protocol):
    """What watching needs of a store."""

    def account(self, merchant_id: int) -> Account | None:
        """One merchant."""
        ...

    def last_act(self) -> Head:
        """The newest act of the trail."""
        ...


class Shown(NamedTuple):
    """Where what is told comes from."""

    bills: Bills
    books: Books
    lists: Lists
    shifts: Shifts


class Watch:
    """For all who watch in this process; one pass at a time."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        shown: Shown,
        published: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._shown = shown
        self._published = published
        self._monotonic = monotonic
        self._last_act = -1
        self._look_at = 0.0

    def cursor(self) -> Cursor:
        """Where everything is now; whoever reads the rest after this misses nothing."""
        invoice, event = self._store.newest()
        return Cursor(event, invoice, self._published())

    def begin(self, visitor: Visitor, merchant_id: int, token: str, after: str) -> Watching:
        """Watch from ``after`` on; where that cannot be, from now, and ``stale``."""
        now = self.cursor()
        seen = self._seen(after, now) if after else now
        cashier = None if visitor.cashier is None else visitor.cashier.id
        return Watching(
            merchant_id=merchant_id,
            token=token,
            cursor=seen or now,
            role=visitor.person.role,
            cashier=cashier,
            stale=seen is None,
        )

    def look(self, watching: Sequence[Watching]) -> list[list[News]]:
        """What is new for each; their cursors move on, and some may have ended."""
        told: list[list[News]] = [[] for _ in watching]
        if self._is_time():
            for one, news in zip(watching, told, strict=True):
                self._check(one, news)
        now = self.cursor()
        groups: dict[tuple[int, Cursor], list[int]] = defaultdict(list)
        for place, one in enumerate(watching):
            if one.stale:
                told[place].append(News("stale", {}))
                one.stale, one.cursor = False, now
            elif one.cursor != now:
                groups[one.merchant_id, one.cursor].append(place)
        for (merchant_id, cursor), places in groups.items():
            news = self._news(merchant_id, cursor, now)
            for place in places:
                told[place] += news
                watching[place].cursor = now
        return told

    def quota(self, merchant_id: int) -> dict[str, int | None]:
        """How much a merchant may still issue."""
        account = self._store.account(merchant_id)
        if account is None or account.merchant.quota is None:
            return {"limit": None, "used": account.used if account else 0, "left": None}
        limit = account.merchant.quota
        return {"limit": limit, "used": account.used, "left": max(0, limit - account.used)}

    def _seen(self, after: str, now: Cursor) -> Cursor | None:
        found = _CURSOR.fullmatch(after)
        if found is None:
            return None
        seen = Cursor(*map(int, found.groups()))
        known = all(old <= new for old, new in zip(seen, now, strict=True))
        kept = seen.event == now.event or seen.event + 1 >= self._store.oldest_event()
        return seen if known and kept else None

    def _is_time(self) -> bool:
        """Whether sessions may have changed: whatever ends one is an act, or takes time."""
        act, now = self._store.last_act().seq, self._monotonic()
        if act == self._last_act and now < self._look_at:
            return False
        self._last_act, self._look_at = act, now + LOOK_AGAIN
        return True

    def _check(self, one: Watching, news: list[News]) -> None:
        visitor = self._sessions.still(one.token)
        same = (
            visitor is not None
            and visitor.whole
            and visitor.person.role == one.role
            and visitor.person.merchant_id == one.merchant_id
        )
        if visitor is None or not same:
            one.ended = True
            news.append(News("bye", {"why": "signed_out"}))
            return
        cashier = visitor.cashier
        if (cashier.id if cashier else None) != one.cashier:
            one.cashier = cashier.id if cashier else None
            said = None if cashier is None else {"id": cashier.id, "name": cashier.name}
            news.append(News("cashier", said))

    def _news(self, merchant_id: int, seen: Cursor, now: Cursor) -> list[News]:
        limit = MOST_NEWS + 1
        events = self._store.till_events(merchant_id, seen.event, limit)
        added = self._store.seqs_between(merchant_id, seen.invoice, now.invoice, limit)
        anchored = self._store.seqs_between(merchant_id, seen.anchored, now.anchored, limit)
        if max(len(events), len(added), len(anchored)) > MOST_NEWS:
            return [News("stale", {})]
        if not (events or added or anchored):
            return []
        names = self._shown.books.names(merchant_id)
        news = self._of_invoices(merchant_id, sorted({*added, *anchored}), names)
        if added:
            news.append(News("quota", self.quota(merchant_id)))
        for kind, subject in dict.fromkeys((event.kind, event.subject) for event in events):
            news.append(self._of_event(merchant_id, Event(0, kind, subject), names))
        return news

    def _of_invoices(self, merchant_id: int, seqs: list[int], names: Names) -> list[News]:
        """Their lines, and those of the blue ones that red ones among them are over."""
        books = self._shown.books
        rows = books.rows_at(merchant_id, seqs, names)
        there = {row["hash"] for row in rows}
        blue = {row["reverses"] for row in rows if "reverses" in row} - there
        more = [books.own(merchant_id, hash_).seq for hash_ in blue]
        rows += books.rows_at(merchant_id, sorted(more), names) if more else []
        return [News("invoice", row) for row in rows]

    def _of_event(self, merchant_id: int, event: Event, names: Names) -> News:
        if event.kind == "menu":
            return News("menu", self._shown.lists.versions(merchant_id))
        if event.kind == "shift":
            return News("shift", self._shown.shifts.one(merchant_id, event.subject))
        if event.kind == "order":
            return News("order", self._store.order_news(event.subject))
        bill = self._shown.bills.one(merchant_id, event.subject)
        if bill is None or bill.state in ("settled", "dropped"):
            return News("bill", {"id": event.subject, "gone": True})
        return News("bill", self._shown.bills.row(bill, names))
