"""People and tills, for programs: who may sign in, and which till has which key."""

from invoice_service.api.people.contract import OPERATIONS, WORDS
from invoice_service.api.people.devices import devices_blueprint
from invoice_service.api.people.staff import people_blueprint

__all__ = ["OPERATIONS", "WORDS", "devices_blueprint", "people_blueprint"]
