"""All rooms of the programs' front door: their routes, and what they say of their calls.

``operations`` is not among the routes: it is given what counts the answers of all.
"""

from typing import Final

from flask import Blueprint

from invoice_service.api import (
    acts,
    admission,
    checking,
    invoices,
    log,
    lookups,
    merchants,
    operations,
    orders,
    people,
    prepaid,
    problems,
    reports,
    trail,
    wallet,
)
from invoice_service.api import help as help_room
from invoice_service.api.parts import Parts

OPERATIONS: Final = (
    *invoices.OPERATIONS,
    *checking.OPERATIONS,
    *reports.OPERATIONS,
    *help_room.OPERATIONS,
    *merchants.OPERATIONS,
    *admission.OPERATIONS,
    *people.OPERATIONS,
    *orders.OPERATIONS,
    *wallet.OPERATIONS,
    *prepaid.OPERATIONS,
    *trail.OPERATIONS,
    *lookups.OPERATIONS,
    *acts.OPERATIONS,
    *log.OPERATIONS,
    *operations.OPERATIONS,
)

WORDS: Final = {
    **problems.WORDS,
    **invoices.WORDS,
    **checking.WORDS,
    **merchants.WORDS,
    **admission.WORDS,
    **people.WORDS,
    **orders.WORDS,
    **help_room.WORDS,
    **wallet.WORDS,
    **prepaid.WORDS,
    **log.WORDS,
    **trail.WORDS,
    **lookups.WORDS,
    **acts.WORDS,
    **operations.WORDS,
}


def blueprints(parts: Parts) -> tuple[Blueprint, ...]:
    """The routes over an instance."""
    return (
        *invoices.blueprints(parts),
        *checking.blueprints(parts),
        merchants.blueprint(parts),
        *admission.blueprints(parts),
        people.people_blueprint(parts),
        people.devices_blueprint(parts),
        people.proposals_blueprint(parts),
        *orders.blueprints(parts),
        *wallet.blueprints(parts),
        prepaid.PrepaidCalls(parts).blueprint(),
        reports.blueprint(parts),
        help_room.blueprint(parts),
        trail.blueprint(parts),
        lookups.blueprint(parts),
        acts.blueprint(parts),
        log.blueprint(parts),
    )
