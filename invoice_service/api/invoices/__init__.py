"""Invoices: issuing, reversing, reading, printing."""

from flask import Blueprint

from invoice_service.api.invoices import issuing, reading, slips
from invoice_service.api.invoices.contract import OPERATIONS, WORDS
from invoice_service.api.parts import Parts

__all__ = ["OPERATIONS", "WORDS", "blueprints"]


def blueprints(parts: Parts) -> tuple[Blueprint, ...]:
    """What writes, what reads, and what is printed."""
    return issuing.blueprint(parts), reading.blueprint(parts), slips.blueprint(parts)
