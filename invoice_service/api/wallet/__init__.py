"""Issuing to wallets: OpenID4VCI with a code that the customer's page shows."""

from flask import Blueprint

from invoice_service.api.parts import Parts
from invoice_service.api.wallet import contract, lists
from invoice_service.api.wallet.calls import WalletCalls
from invoice_service.api.wallet.known import known_blueprint

OPERATIONS = contract.OPERATIONS
WORDS = contract.WORDS

__all__ = ["OPERATIONS", "WORDS", "blueprints"]


def blueprints(parts: Parts) -> tuple[Blueprint, ...]:
    """What wallets call, and what they read first."""
    return WalletCalls(parts).blueprint(), known_blueprint(parts), lists.blueprint(parts)
