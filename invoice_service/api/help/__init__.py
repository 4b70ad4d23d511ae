"""Reports of wrong slips, and scans that did not fit, for officials."""

from invoice_service.api.help.calls import blueprint
from invoice_service.api.help.contract import OPERATIONS, WORDS

__all__ = ["OPERATIONS", "WORDS", "blueprint"]
