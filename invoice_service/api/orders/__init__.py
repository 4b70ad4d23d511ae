"""Orders whose invoices customers claim, for tills; and notices of payment services."""

from flask import Blueprint

from invoice_service.api.orders import contract
from invoice_service.api.orders.calls import OrderCalls
from invoice_service.api.orders.notices import notices_blueprint
from invoice_service.api.parts import Parts

OPERATIONS = contract.OPERATIONS
WORDS = contract.WORDS

__all__ = ["OPERATIONS", "WORDS", "blueprints"]


def blueprints(parts: Parts) -> tuple[Blueprint, ...]:
    """What tills call, and what payment services do."""
    return OrderCalls(parts).blueprint(), notices_blueprint(parts)
