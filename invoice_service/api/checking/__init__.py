"""Verdicts for programs."""

from invoice_service.api.checking.contract import OPERATIONS, WORDS
from invoice_service.api.checking.verifications import blueprint

__all__ = ["OPERATIONS", "WORDS", "blueprint"]
