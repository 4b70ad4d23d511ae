"""``/bureau/trail``: who did what, when and from where, allowed or refused."""

from datetime import date, datetime, time, timedelta
from typing import Final

from flask import Blueprint, Response

from chain.errors import MalformedError
from invoice_service.domain.acts import ACT_TYPES
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.services.people.trail import ActFilter, TrailReader
from invoice_service.web.bureau.navigation import bureau_page
from invoice_service.web.people.gate import Gate

PAGE: Final = 100
_LONGEST: Final = 200


class TrailPage:
    """The acts, a page at a time, in the order in which they were done."""

    def __init__(self, gate: Gate, store: TrailReader) -> None:
        self._gate, self._store = gate, store

    def blueprint(self) -> Blueprint:
        """The route."""
        routes = Blueprint("bureau_trail", __name__, url_prefix="/bureau/trail")
        routes.get("")(self.show)
        return routes

    def show(self) -> Response:
        """Those that fit; MalformedError ``day_invalid``, ``parameter_malformed``."""
        self._gate.official("trail")
        asked = {
            name: self._gate.asked(name).strip()[:_LONGEST]
            for name in ("type", "actor", "subject", "day")
        }
        if asked["type"] and asked["type"] not in ACT_TYPES:
            raise MalformedError("parameter_malformed", "there is no such type", pointer="type")
        since, until = span_of(asked["day"], asked["day"])
        wanted = ActFilter(
            subject=asked["subject"] or None,
            actor=asked["actor"] or None,
            type=asked["type"] or None,
            since=since,
            until=until,
        )
        found = self._store.acts(wanted, self._gate.after(), PAGE)
        return bureau_page(
            self._gate,
            "bureau/trail.html",
            acts=found,
            asked=asked,
            types=ACT_TYPES,
            next=found[-1].seq if len(found) == PAGE else None,
        )


def span_of(first: str, last: str) -> tuple[int | None, int | None]:
    """The seconds from one day of Shenzhen to the end of another; None for a day that is not said.

    MalformedError ``day_invalid``.
    """
    try:
        since = _midnight(date.fromisoformat(first)) if first else None
        until = _midnight(date.fromisoformat(last) + timedelta(days=1)) if last else None
    except (ValueError, OverflowError):
        raise MalformedError(
            "day_invalid", "a day is written like 2018-08-10", pointer="day"
        ) from None
    return since, until


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), SHANGHAI).timestamp())
