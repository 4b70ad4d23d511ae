"""Invoices: issuing, reversing, reading."""

from flask import Blueprint

from invoice_service.api.invoices import issuing, reading
from invoice_service.api.invoices.contract import OPERATIONS, WORDS
from invoice_service.api.parts import Parts

__all__ = ["OPERATIONS", "WORDS", "blueprints"]


def blueprints(parts: Parts) -> tuple[Blueprint, ...]:
    """What writes, and what reads."""
    return issuing.blueprint(parts), reading.blueprint(parts)
