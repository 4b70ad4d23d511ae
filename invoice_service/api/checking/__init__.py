"""Verdicts for programs."""

from flask import Blueprint

from invoice_service.api.checking import files, papers, verifications
from invoice_service.api.checking.contract import OPERATIONS, WORDS
from invoice_service.api.parts import Parts

__all__ = ["OPERATIONS", "WORDS", "blueprints"]


def blueprints(parts: Parts) -> tuple[Blueprint, ...]:
    """On what codes say, on PDFs, on receipts and credentials."""
    return verifications.blueprint(parts), papers.blueprint(parts), files.blueprint(parts)
