"""The customer's page of a prepaid account: what is held, and what each meal took."""

from invoice_service.web.prepaid.contract import OPERATIONS, WORDS
from invoice_service.web.prepaid.pages import blueprint

__all__ = ["OPERATIONS", "WORDS", "blueprint"]
