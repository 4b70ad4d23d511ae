"""Checking Ed25519 signatures (RFC 8032, section 5.1.7) exactly: without the cofactor.

The library's own check multiplies both sides of the equation by 8, which some signatures pass
that most verifiers refuse. Here the point that the signature must begin with is computed, and
its bytes compared: whatever else those 32 bytes could spell is refused, too.
"""

from typing import Final

from Crypto.PublicKey.ECC import EccKey
from Crypto.Signature import eddsa

from chain.hashing import sha512

_SIZE: Final = 32
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_BASE: Final = b"\x58" + b"\x66" * 31  # y = 4/5, and x is even


class Ed25519Verifier:
    """One public key, whose point must be in the group of prime order."""

    def __init__(self, key: EccKey, public: bytes) -> None:
        self._minus = -key.pointQ
        self._public = public
        self._base = eddsa.import_public_key(_BASE).pointQ

    def verify(self, message: bytes, signature: bytes) -> None:
        """Return if the signature is of this key over ``message``; raises ValueError else.

        1. its second half is a number S below the order of the group;
        2. R = S B - k A, where k is the digest of R, the key and the message.
        """
        start, number = signature[:_SIZE], int.from_bytes(signature[_SIZE:], "little")
        if len(signature) != 2 * _SIZE or number >= _ORDER:
            raise ValueError("this is no signature")
        challenge = int.from_bytes(sha512(start + self._public + message), "little") % _ORDER
        point = self._base * number + self._minus * challenge
        if EccKey(point=point).export_key(format="raw") != start:
            raise ValueError("the signature is of another text or key")


def in_prime_group(key: EccKey) -> bool:
    """Whether the order of the key's point divides the group's prime."""
    return (key.pointQ * _ORDER).is_point_at_infinity()
