"""``/bureau/lookups``: who of the bureau looked at what, when, and with which purpose."""

from collections.abc import Callable, Iterator
from typing import Final

from flask import Blueprint, Response

from chain.errors import MalformedError
from invoice_service.documents.looked import looked_csv
from invoice_service.domain.numbering import shanghai_time
from invoice_service.services.people.lookups import Looked, LookupFilter, LookupStore
from invoice_service.services.people.person import Person
from invoice_service.web.bureau.navigation import bureau_page
from invoice_service.web.bureau.trail import link_to, span_of
from invoice_service.web.people.gate import Gate

PAGE: Final = 100
_SUMMED: Final = 1_000  # counts by official and purpose that are looked through
_TOLD: Final = 10
_AT_ONCE: Final = 2_000
_LONGEST_DAY: Final = 10  # characters


class LookupsPage:
    """Administrators and auditors see it; that they look here is no look-up."""

    def __init__(self, gate: Gate, store: LookupStore, clock: Callable[[], int]) -> None:
        """``clock`` gives unix seconds."""
        self._gate, self._store, self._clock = gate, store, clock

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("bureau_lookups", __name__, url_prefix="/bureau/lookups")
        routes.get("")(self.show)
        routes.get("/file")(self.file)
        return routes

    def show(self) -> Response:
        """Those of some days, the newest first; of today where no day is said.

        MalformedError ``day_invalid``, ``parameter_malformed``.
        """
        self._gate.official("trail")
        asked, wanted = self._asked()
        people = self._people()
        found = self._store.looked(wanted, self._before(), PAGE)
        counts = [
            one
            for one in self._store.lookups(wanted.since, wanted.until, _SUMMED)
            if wanted.person in (None, one.person)
        ]
        return bureau_page(
            self._gate,
            "bureau/lookups.html",
            asked=asked,
            people=people.values(),
            names={number: one.name for number, one in people.items()},
            counts=counts[:_TOLD],
            found=[(one, link_to(one.subject)) for one in found],
            next=found[-1].seq if len(found) == PAGE else None,
        )

    def file(self) -> Response:
        """All of them as CSV, made while it is sent."""
        self._gate.official("trail")
        asked, wanted = self._asked()
        names = {number: one.name for number, one in self._people().items()}
        lines = looked_csv(self._all(wanted), names)
        answer = Response(lines, content_type="text/csv; charset=utf-8")
        name = "-".join(["lookups", *(day for day in (asked["from"], asked["to"]) if day)])
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _asked(self) -> tuple[dict[str, str], LookupFilter]:
        """What the address asks; days that are left out are today's."""
        names = ("person", "from", "to")
        asked = {name: self._gate.asked(name).strip()[:_LONGEST_DAY] for name in names}
        if not asked["from"] and not asked["to"]:
            asked["from"] = asked["to"] = shanghai_time(self._clock()).date().isoformat()
        since, until = span_of(asked["from"], asked["to"])
        return asked, LookupFilter(_number(asked["person"], "person"), since, until)

    def _before(self) -> int | None:
        text = self._gate.asked("before")
        return _number(text[: _LONGEST_DAY + 6], "before")

    def _people(self) -> dict[int, Person]:
        return {one.id: one for one in self._gate.door.desk.staff.store.people(None)}

    def _all(self, wanted: LookupFilter) -> Iterator[Looked]:
        before: int | None = None
        while found := self._store.looked(wanted, before, _AT_ONCE):
            yield from found
            before = found[-1].seq


def _number(text: str, name: str) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) < 16:  # as elsewhere
        return int(text)
    raise MalformedError("parameter_malformed", f"{name} is a number", pointer=name)
