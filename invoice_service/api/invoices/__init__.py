"""Invoices: issuing, reversing, reading, printing."""

from flask import Blueprint

from invoice_service.api.invoices import contract, issuing, reading, slips, states
from invoice_service.api.parts import Parts

OPERATIONS = (*contract.OPERATIONS, *states.OPERATIONS)
WORDS = {**contract.WORDS, **states.WORDS}

__all__ = ["OPERATIONS", "WORDS", "blueprints"]


def blueprints(parts: Parts) -> tuple[Blueprint, ...]:
    """What writes, what reads, and what is printed."""
    return (
        issuing.blueprint(parts),
        reading.blueprint(parts),
        states.blueprint(parts),
        slips.blueprint(parts),
    )
