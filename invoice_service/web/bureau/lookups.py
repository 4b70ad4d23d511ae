"""``/bureau/lookups``: who of the bureau looked at what, when, and with which purpose."""

from collections.abc import Callable, Iterator
from typing import Final

from flask import Blueprint, Response

from chain.errors import MalformedError
from invoice_service.documents.bureau_tables import LOOKUPS, TITLES, table
from invoice_service.documents.taken import Row, Taken
from invoice_service.domain.numbering import shanghai_time
from invoice_service.services.people.lookups import LookupFilter, LookupStore
from invoice_service.services.people.person import Person
from invoice_service.services.people.trail import TrailReader
from invoice_service.web.bureau.navigation import bureau_page
from invoice_service.web.bureau.taking import Taking, files
from invoice_service.web.bureau.trail import head_of, link_to, span_of
from invoice_service.web.bureau.words import LOOKED_AT, in_both
from invoice_service.web.people.gate import Gate

PAGE: Final = 100
_SUMMED: Final = 1_000  # counts by official and purpose that are looked through
_TOLD: Final = 10
_AT_ONCE: Final = 2_000


class LookupsPage:
    """Administrators and auditors see it; that they look here is no look-up."""

    def __init__(
        self,
        gate: Gate,
        store: LookupStore,
        trail: TrailReader,
        taking: Taking,
        clock: Callable[[], int],
    ) -> None:
        """``clock`` gives unix seconds."""
        self._gate, self._store, self._trail = gate, store, trail
        self._taking, self._clock = taking, clock

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("bureau_lookups", __name__, url_prefix="/bureau/lookups")
        routes.get("")(self.show)
        routes.get("/file/<kind>")(self.file)
        return routes

    def show(self) -> Response:
        """Those of some days, the newest first; of today where no day is said.

        MalformedError ``day_invalid``, ``parameter_malformed``.
        """
        self._gate.official("trail")
        asked, wanted = self._asked()
        people = self._people()
        found = self._store.looked(wanted, self._before(), PAGE)
        up_to = {"up_to": str(head_of(self._trail)["acts"])}
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
            files=files("bureau_lookups.file", asked | up_to),
            next=found[-1].seq if len(found) == PAGE else None,
        )

    def file(self, kind: str) -> Response:
        """All of them, up to an act of the trail."""
        visitor = self._gate.official("trail")
        asked, wanted = self._asked()
        head = head_of(self._trail, self._gate.asked("up_to"))
        names = {number: one.name for number, one in self._people().items()}

        def rows() -> Iterator[Row]:
            before = head["acts"] + 1
            while found := self._store.looked(wanted, before, _AT_ONCE):
                for one in found:
                    name = "" if one.person is None else names.get(one.person, "")
                    who = one.at, name, one.actor, one.origin
                    yield (*who, one.what, one.subject, one.purpose, one.seq)
                before = found[-1].seq

        words = {"what": in_both(LOOKED_AT)}
        taken = Taken(
            what="lookups",
            title=TITLES["lookups"],
            query={**asked, "up_to": str(head["acts"])},
            tables=(table("lookups", LOOKUPS, words, rows, "trail"),),
            at={"trail": head},
            most=head["acts"],
        )
        days = (asked[name] for name in ("from", "to") if asked[name])
        return self._taking.answer(kind, visitor, taken, "-".join(["lookups", *days]))

    def _asked(self) -> tuple[dict[str, str], LookupFilter]:
        """What the address asks; days that are left out are today's."""
        names = ("person", "from", "to")
        asked = {name: self._gate.asked(name).strip() for name in names}
        if not asked["from"] and not asked["to"]:
            asked["from"] = asked["to"] = shanghai_time(self._clock()).date().isoformat()
        since, until = span_of(asked["from"], asked["to"])
        return asked, LookupFilter(_number(asked["person"], "person"), since, until)

    def _before(self) -> int | None:
        return _number(self._gate.asked("before"), "before")

    def _people(self) -> dict[int, Person]:
        return {one.id: one for one in self._gate.door.desk.staff.store.people(None)}


def _number(text: str, name: str) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) < 16:  # as elsewhere
        return int(text)
    raise MalformedError("parameter_malformed", f"{name} is a number", pointer=name)
