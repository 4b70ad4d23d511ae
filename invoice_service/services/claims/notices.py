"""Payment notices: what payment services send of their own accord, believed only once it is proven.

A notice is signed by its service. What it says is looked at afterwards, so that a forged one learns
nothing of our orders; what it says of money is a fact that is written down once (ADR 0041).
"""

from typing import TYPE_CHECKING, Final, NamedTuple

from chain.errors import MalformedError, NotFoundError, RefusedError
from invoice_service.domain.money import Fen
from invoice_service.services.claims.desk import Claims
from invoice_service.services.claims.ports import Payer, Payment

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

LONGEST: Final = 65_536
"""Bytes of a notice; real ones have two thousand."""


class Paid(NamedTuple):
    """What a proven notice says: for which order of ours how much was paid."""

    by: Payer
    reference: str
    order_id: str
    amount: Fen


def note(claims: Claims, paid: Paid) -> bool:
    """Write it down; whether it is news.

    NotFoundError ``payment_order_unknown``: the order has not come yet, and the notice comes again.
    ConflictError ``payment_amount_differs``.
    """
    whole = claims.store.order(paid.order_id, None)
    if whole is None:
        raise NotFoundError("payment_order_unknown", "no order of ours has this number")
    payment = Payment(by=paid.by, reference=paid.reference, amount=paid.amount, at=claims.now())
    return claims.pay(whole, payment)


def require_signed(key: "RSAPublicKey", signature: bytes, text: bytes) -> None:
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017); RefusedError ``payment_signature_invalid``."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(signature, text, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise forged("the signature is not that of the payment service") from None


def forged(detail: str) -> RefusedError:
    """Of a notice that proves nothing."""
    return RefusedError("payment_signature_invalid", detail)


def malformed(detail: str) -> MalformedError:
    """Of a notice that cannot be read."""
    return MalformedError("payment_malformed", detail)
