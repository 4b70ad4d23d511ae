"""Offers to wallets (OpenID4VCI, pre-authorized code): one code, one token, one credential.

Of codes and tokens the store has keyed digests only. A nonce is a time that we sealed: nothing is
kept of it. Whoever has claimed an invoice may have as many offers of it as are open at once.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

from chain.errors import MalformedError, RefusedError
from invoice_service.services.links import Sealer

CODE_SECONDS: Final = 600
"""For which a code may be redeemed, and a token used after that."""

TOKEN_SECONDS: Final = 300
NONCE_SECONDS: Final = 300
OPEN_AT_ONCE: Final = 5
"""Offers of one invoice; a new one takes the place of the oldest."""

_BYTES: Final = 24
_TEXT: Final = re.compile(r"[A-Za-z0-9_-]{32}", re.ASCII)
_CODE, _TOKEN, _NONCE = "wallet-code", "wallet-token", "wallet-nonce"
_TIME: Final = 8


class OfferStore(Protocol):
    """What offers need of the store."""

    def add_offer(self, code: bytes, hash_: str, now: int, until: int, most: int) -> None:
        """Keep an offer; those that are over go, and the oldest beyond ``most`` of the invoice."""
        ...

    def redeem_offer(self, codes: Sequence[bytes], token: bytes, now: int, until: int) -> bool:
        """Put a token in the place of a code that is open, once."""
        ...

    def take_offer(self, tokens: Sequence[bytes], now: int) -> str | None:
        """The invoice's hash of a token that is open, which is used up by that."""
        ...

    def return_offer(self, tokens: Sequence[bytes]) -> None:
        """It came to nothing: the token is open again."""
        ...


class Offers:
    """Makes and redeems them."""

    def __init__(
        self,
        store: OfferStore,
        sealer: Sealer,
        clock: Callable[[], datetime],
        randbytes: Callable[[int], bytes],
    ) -> None:
        """``randbytes`` must be fit for secrets."""
        self._store, self._sealer, self._clock = store, sealer, clock
        self._randbytes = randbytes

    def code(self, hash_: str) -> str:
        """A new code for an invoice; UnavailableError ``key_unreadable`` and the store's."""
        text = self._secret()
        now = self._now()
        [mark, *_] = self._marks(text, _CODE)
        self._store.add_offer(mark, hash_, now, now + CODE_SECONDS, OPEN_AT_ONCE)
        return text

    def token(self, code: str) -> str:
        """The access token for a code, once; MalformedError ``grant_invalid``."""
        text, now = self._secret(), self._now()
        [mark, *_] = self._marks(text, _TOKEN)
        if not self._store.redeem_offer(self._marks(code, _CODE), mark, now, now + TOKEN_SECONDS):
            raise MalformedError(
                "grant_invalid", "this code is unknown, used or over", error="invalid_grant"
            )
        return text

    def take(self, token: str) -> str:
        """The hash of the invoice that a token is for, once; RefusedError ``wallet_token``."""
        found = self._store.take_offer(self._marks(token, _TOKEN), self._now())
        if found is None:
            raise RefusedError(
                "wallet_token", "this token is unknown, used or over", error="invalid_token"
            )
        return found

    def give_back(self, token: str) -> None:
        """What was taken came to nothing."""
        self._store.return_offer(self._marks(token, _TOKEN))

    def nonce(self) -> str:
        """What a wallet has to sign, so that its proof is of now."""
        time = self._now().to_bytes(_TIME, "big")
        return urlsafe_b64encode(self._sealer.seal(time, _NONCE)).rstrip(b"=").decode()

    def check_nonce(self, text: str) -> None:
        """MalformedError ``nonce_invalid`` for one that is not ours, or not of now."""
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            made = int.from_bytes(self._sealer.open(raw, _NONCE), "big")
        except (ValueError, MalformedError):
            made = 0
        if not 0 <= self._now() - made <= NONCE_SECONDS:
            raise MalformedError(
                "nonce_invalid", "ask for a new nonce, and sign that", error="invalid_nonce"
            )

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _secret(self) -> str:
        return urlsafe_b64encode(self._randbytes(_BYTES)).decode()

    def _marks(self, text: str, of: str) -> tuple[bytes, ...]:
        raw = urlsafe_b64decode(text) if _TEXT.fullmatch(text) else b""
        return self._sealer.marks(raw, of)
