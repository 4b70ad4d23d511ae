"""Merchants and their keys."""

from invoice_service.api.merchants.contract import OPERATIONS, WORDS
from invoice_service.api.merchants.register import blueprint

__all__ = ["OPERATIONS", "WORDS", "blueprint"]
