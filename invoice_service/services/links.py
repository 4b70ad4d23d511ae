"""Secret links for customers: a random token that stands nowhere as it is.

The store has its digest under the people's key, by which it is found, and the token sealed with
that key, so that the link can be told again. Who has the database alone has no link.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

TOKEN_BYTES: Final = 18
"""144 random bits: 24 letters."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{24}", re.ASCII)


class Sealer(Protocol):
    """Who keeps tokens from those who have the database alone."""

    def seal(self, what: bytes, of: str) -> bytes:
        """For this purpose only."""
        ...

    def open(self, sealed: bytes, of: str) -> bytes:
        """What was sealed."""
        ...

    def marks(self, what: bytes, of: str) -> tuple[bytes, ...]:
        """Keyed digests, the first with the newest key."""
        ...


class Link(NamedTuple):
    """A new one, as the store has it."""

    sealed: bytes
    mark: bytes


class SecretLinks:
    """Makes links of one purpose, and finds what they lead to."""

    def __init__(
        self, sealer: Sealer, randbytes: Callable[[int], bytes], public_url: str, of: str
    ) -> None:
        """``randbytes`` must be fit for secrets; ``of`` is the purpose, and the address's start."""
        self._sealer, self._randbytes, self._of = sealer, randbytes, of
        self._base = f"{public_url}/{of}/"

    def new(self) -> Link:
        """A link that nobody can guess."""
        return _link(self._sealer, self._randbytes(TOKEN_BYTES), self._of)

    def address(self, sealed: bytes) -> str:
        """Where it is; UnavailableError ``key_unreadable``."""
        return self._base + urlsafe_b64encode(self._sealer.open(sealed, self._of)).decode()

    def marks(self, text: str) -> tuple[bytes, ...]:
        """By which it is found; of what is no token, those of none."""
        token = urlsafe_b64decode(text) if _TOKEN.fullmatch(text) else b""
        return self._sealer.marks(token, self._of)


def marked_again(sealer: Sealer, sealed: bytes, of: str) -> Link:
    """The same link under the newest key."""
    return _link(sealer, sealer.open(sealed, of), of)


def _link(sealer: Sealer, token: bytes, of: str) -> Link:
    return Link(sealer.seal(token, of), sealer.marks(token, of)[0])
