"""``/bureau/trail``: who did what, when and from where, allowed or refused."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from flask import Blueprint, Response, url_for

from chain.errors import MalformedError
from chain.hashing import ZERO
from invoice_service.documents.bureau_tables import TITLES
from invoice_service.documents.taken import Taken
from invoice_service.domain.acts import ACT_TYPES, Recorded
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.services.people.person import BUREAU, parse_login
from invoice_service.services.people.trail import NEWEST, ActFilter, TrailReader
from invoice_service.web.bureau.acts import FIELDS, NAMES, acts_table, changes, of_whom, worded
from invoice_service.web.bureau.navigation import bureau_page
from invoice_service.web.bureau.taking import Taking, files, place_up_to
from invoice_service.web.bureau.words import OUTCOMES
from invoice_service.web.people.gate import Gate

PAGE: Final = 100
_LONGEST: Final = 200
_AT_ONCE: Final = 1_000  # acts that are read together for a file


class TrailPage:
    """The acts, a page at a time, the newest first; all of them as files."""

    def __init__(self, gate: Gate, store: TrailReader, taking: Taking) -> None:
        self._gate, self._store, self._taking = gate, store, taking
        self._people = gate.door.desk.staff.store

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("bureau_trail", __name__, url_prefix="/bureau/trail")
        routes.get("")(self.show)
        routes.get("/file/<kind>")(self.file)
        return routes

    def show(self) -> Response:
        """Those that fit; MalformedError ``day_invalid``, ``parameter_malformed``."""
        self._gate.official("trail")
        asked, wanted = self._asked()
        found = self._store.newest_acts(wanted, self._gate.after() or NEWEST, PAGE)
        up_to = {"up_to": str(head_of(self._store)["acts"])}
        return bureau_page(
            self._gate,
            "bureau/trail.html",
            acts=found,
            names=self._store.called(of_whom(found)),
            asked=asked,
            types=NAMES,
            link_to=link_to,
            changes=changes,
            fields=FIELDS,
            worded=worded,
            outcomes=OUTCOMES,
            files=files("bureau_trail.file", asked | up_to),
            next=found[-1].seq if len(found) == PAGE else None,
        )

    def file(self, kind: str) -> Response:
        """All that fit, up to an act: what is appended meanwhile is not in it."""
        visitor = self._gate.official("trail")
        asked, wanted = self._asked()
        head = head_of(self._store, self._gate.asked("up_to"))
        last = head["acts"]

        def acts() -> Iterator[Recorded]:
            before = last + 1
            while found := self._store.newest_acts(wanted, before, _AT_ONCE):
                yield from found
                before = found[-1].seq

        taken = Taken(
            what="trail",
            title=TITLES["trail"],
            query={**asked, "up_to": str(last)},
            tables=(acts_table("acts", acts, self._store.called),),
            at={"trail": head},
            most=last,
        )
        return self._taking.answer(kind, visitor, taken, f"trail-to-act-{last}")

    def _asked(self) -> tuple[dict[str, str], ActFilter]:
        """What the address asks; MalformedError as ``show``."""
        asked = {
            name: self._gate.asked(name).strip()[:_LONGEST]
            for name in ("type", "actor", "subject", "day")
        }
        if asked["type"] and asked["type"] not in ACT_TYPES:
            raise MalformedError("parameter_malformed", "there is no such type", pointer="type")
        since, until = span_of(asked["day"], asked["day"])
        return asked, ActFilter(
            subject=asked["subject"] or None,
            actor=self._actor(asked["actor"]),
            type=asked["type"] or None,
            since=since,
            until=until,
        )

    def _actor(self, text: str) -> str | None:
        """Whom a sign-in name means, as the trail has it; what is none is looked for as it is."""
        login = parse_login(text)
        tries = () if not login or ":" in login else (login, f"{login}@{BUREAU}")
        for one in tries:
            if (found := self._people.person_by_login(one)) is not None:
                return f"person:{found.id}"
        return text or None


def head_of(store: TrailReader, asked: str = "") -> dict[str, Any]:
    """What the trail came to with its newest act, or with the one that is asked for: ``acts`` and
    ``hash``, as acts of the type ``trail`` say it. MalformedError ``parameter_malformed``.
    """
    newest = store.newest_acts(ActFilter(), NEWEST, 1)
    last = place_up_to(asked, newest[0].seq if newest else 0)
    found = store.newest_acts(ActFilter(), last + 1, 1)
    return {"acts": last, "hash": (found[0].hash if found else ZERO).hex()}


def link_to(subject: str) -> str:
    """Where what an act was about is shown, as far as a page has it by that name; else "".

    A URL of our own.
    """
    kind, _, number = subject.partition(":")
    if kind == "merchant" and number.isdecimal():
        return url_for("bureau_merchants.one", merchant=number)
    return url_for("admission_desk.one", application=number) if kind == "application" else ""


def span_of(first: str, last: str) -> tuple[int | None, int | None]:
    """The seconds from one day of Shenzhen to the end of another; None for a day that is not said.

    MalformedError ``day_invalid``.
    """
    try:
        since = _midnight(_day(first)) if first else None
        until = _midnight(_day(last) + timedelta(days=1)) if last else None
    except (ValueError, OverflowError):
        raise MalformedError(
            "day_invalid", "a day is written like 2018-08-10", pointer="day"
        ) from None
    return since, until


def _day(text: str) -> date:
    found = date.fromisoformat(text)
    if found.isoformat() != text:  # 20261130 and 2026-W48-1, too, are days
        raise ValueError(text)
    return found


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), SHANGHAI).timestamp())
