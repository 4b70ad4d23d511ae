"""The customer's page of an order: who it is for, and the invoice once it is issued."""

from invoice_service.web.claim.own import OwnInvoice
from invoice_service.web.claim.pages import ClaimPages, Told, WalletDoor

__all__ = ["ClaimPages", "OwnInvoice", "Told", "WalletDoor"]
