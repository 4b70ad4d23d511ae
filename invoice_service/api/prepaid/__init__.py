"""Prepaid accounts, for wallets that hold the money and merchants whose meals it pays."""

from invoice_service.api.prepaid import contract
from invoice_service.api.prepaid.calls import PrepaidCalls
from invoice_service.api.prepaid.contract import OPERATIONS, WORDS

__all__ = ["OPERATIONS", "WORDS", "PrepaidCalls", "contract"]
