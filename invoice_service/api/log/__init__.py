"""The public log."""

from invoice_service.api.log.contract import OPERATIONS, WORDS
from invoice_service.api.log.public import blueprint

__all__ = ["OPERATIONS", "WORDS", "blueprint"]
