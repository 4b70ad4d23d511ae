"""Where an official may go: the rooms of the bureau, in the order in which they are shown."""

from typing import Any, Final, NamedTuple

from flask import Response

from chain.errors import Problem
from invoice_service.services.people.roles import Power
from invoice_service.services.people.sessions import Visitor
from invoice_service.web.ground.catalogs import N_
from invoice_service.web.people.gate import Gate


class Room(NamedTuple):
    """The page that begins a room, for who has the power."""

    endpoint: str
    name: str
    power: Power


ROOMS: Final = (
    Room("bureau_totals.show", N_("Totals"), "totals"),
    Room("bureau_merchants.all", N_("Merchants"), "lists"),
    Room("admission_desk.all", N_("Applications"), "applications"),
    Room("quota_desk.queue", N_("Requests for quota"), "applications"),
    Room("reports_page.all", N_("Reports of slips"), "reports"),
    Room("bureau_trail.show", N_("The trail"), "trail"),
    Room("bureau_lookups.show", N_("Look-ups"), "trail"),
    Room("bureau_people.show", N_("People of the bureau"), "staff"),
)


def rooms_of(visitor: Visitor) -> list[Room]:
    """Those that somebody may enter; the frame of all pages of officials shows them."""
    return [room for room in ROOMS if visitor.has(room.power)]


def bureau_page(
    gate: Gate,
    template: str,
    problem: Problem | None = None,
    **values: Any,  # noqa: ANN401 # whatever a template shows
) -> Response:
    """A page with the bureau's frame around it, and what was wrong, if anything."""
    if problem is None:
        return gate.page(template, **values)
    return gate.again(template, problem, **values)
