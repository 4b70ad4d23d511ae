"""For those who run the service."""

from invoice_service.api.operations.contract import OPERATIONS, WORDS
from invoice_service.api.operations.probes import blueprint

__all__ = ["OPERATIONS", "WORDS", "blueprint"]
