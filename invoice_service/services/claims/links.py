"""Links by which a customer claims, and what her browser keeps to see again what it has claimed."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Final

from chain.hashing import sha256
from invoice_service.services.claims.ports import Order
from invoice_service.services.links import Sealer, SecretLinks

CLAIM: Final = "claim"
SECRET_BYTES: Final = 24
_BUYER: Final = "claim-buyer"
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{32}", re.ASCII)
_PREFIX: Final = b"fapiao/v1/claimer\n"


class Links(SecretLinks):
    """Makes them, and finds what they are of."""

    def __init__(self, sealer: Sealer, randbytes: Callable[[int], bytes], public_url: str) -> None:
        """``randbytes`` must be fit for secrets."""
        super().__init__(sealer, randbytes, public_url, CLAIM)

    def url(self, order: Order) -> str:
        """The address; UnavailableError ``key_unreadable``."""
        return self.address(order.sealed)

    def hide(self, buyer: bytes) -> bytes:
        """A buyer, for as long as a claim is under way."""
        return self._sealer.seal(buyer, _BUYER)

    def reveal(self, sealed: bytes) -> bytes:
        """The buyer again; MalformedError ``seal_invalid`` where the key was changed meanwhile."""
        return self._sealer.open(sealed, _BUYER)

    def new_secret(self) -> str:
        """What a browser keeps to see again what it has claimed."""
        return urlsafe_b64encode(self._randbytes(SECRET_BYTES)).decode()


def secret_digest(text: str) -> bytes:
    """What is kept of a browser's secret; b"" for what is none."""
    return bytes(sha256(_PREFIX + text.encode())) if _SECRET.fullmatch(text) else b""
