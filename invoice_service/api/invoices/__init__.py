"""Invoices: issuing, reversing, reading, printing; erasing the people among their buyers."""

from flask import Blueprint

from invoice_service.api.invoices import (
    contract,
    erasure,
    issuing,
    papers,
    proofs,
    reading,
    slips,
    states,
)
from invoice_service.api.parts import Parts

OPERATIONS = (
    *contract.OPERATIONS,
    *proofs.OPERATIONS,
    *papers.OPERATIONS,
    *states.OPERATIONS,
    *erasure.OPERATIONS,
)
WORDS = {**contract.WORDS, **states.WORDS, **erasure.WORDS}

__all__ = ["OPERATIONS", "WORDS", "blueprints"]


def blueprints(parts: Parts) -> tuple[Blueprint, ...]:
    """What writes, what reads, what is printed, and what erases."""
    return (
        issuing.blueprint(parts),
        reading.blueprint(parts),
        proofs.blueprint(parts),
        states.blueprint(parts),
        slips.blueprint(parts),
        papers.blueprint(parts),
        erasure.blueprint(parts),
    )
