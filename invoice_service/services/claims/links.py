"""Links by which a customer claims: a random token that stands nowhere as it is.

The store has its digest under the people's key, by which it is found, and the token sealed with
that key, so that its merchant can print the link again. Who has the database alone has no link.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Final, NamedTuple

from chain.hashing import sha256
from invoice_service.services.claims.ports import Order, Sealer

TOKEN_BYTES: Final = 18
"""144 random bits: 24 letters."""

SECRET_BYTES: Final = 24
_OF: Final = "claim"
_BUYER: Final = "claim-buyer"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{24}", re.ASCII)
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{32}", re.ASCII)
_PREFIX: Final = b"fapiao/v1/claimer\n"


class Link(NamedTuple):
    """A new one, as the store has it."""

    sealed: bytes
    mark: bytes


class Links:
    """Makes them, and finds what they are of."""

    def __init__(self, sealer: Sealer, randbytes: Callable[[int], bytes], public_url: str) -> None:
        """``randbytes`` must be fit for secrets."""
        self._sealer, self._randbytes = sealer, randbytes
        self._base = f"{public_url}/claim/"

    def new(self) -> Link:
        """A link that nobody can guess."""
        token = self._randbytes(TOKEN_BYTES)
        return Link(self._sealer.seal(token, _OF), self._sealer.marks(token, _OF)[0])

    def url(self, order: Order) -> str:
        """The address; UnavailableError ``key_unreadable``."""
        token = self._sealer.open(order.sealed, _OF)
        return self._base + urlsafe_b64encode(token).decode()

    def marks(self, text: str) -> tuple[bytes, ...]:
        """By which an order is found; of what is no token, those of none."""
        token = urlsafe_b64decode(text) if _TOKEN.fullmatch(text) else b""
        return self._sealer.marks(token, _OF)

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


def marked_again(sealer: Sealer, sealed: bytes) -> Link:
    """The same link under the newest key."""
    token = sealer.open(sealed, _OF)
    return Link(sealer.seal(token, _OF), sealer.marks(token, _OF)[0])
