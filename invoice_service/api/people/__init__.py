"""People and tills, for programs: who may sign in, and which till has which key."""

from invoice_service.api.people import contract, proposals
from invoice_service.api.people.devices import devices_blueprint
from invoice_service.api.people.proposals import proposals_blueprint
from invoice_service.api.people.staff import people_blueprint

__all__ = ["OPERATIONS", "WORDS", "devices_blueprint", "people_blueprint", "proposals_blueprint"]

OPERATIONS = (*contract.OPERATIONS, *proposals.OPERATIONS)
WORDS = {**contract.WORDS, **proposals.WORDS}
