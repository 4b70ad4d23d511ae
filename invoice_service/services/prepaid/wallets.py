"""Wallets: who holds customers' money proves each call by a signature of its own.

A wallet's public key (Ed25519, PEM) lies in a folder, under the wallet's name. It signs, each with
a line end behind it: ``fapiao/v1/wallet``, the method, the path from ``/v1`` on, the time in unix
seconds; then the body as it is sent. A call that is caught and sent again says the same, once.
"""

import binascii
import re
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from chain.errors import NotFoundError, RefusedError, UnavailableError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WINDOW: Final = 300
"""Seconds by which a call's time may be off."""

_CONTEXT: Final = "fapiao/v1/wallet"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_TIME: Final = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)


class Call(NamedTuple):
    """What is signed."""

    method: str
    path: str
    time: str
    body: bytes

    def text(self) -> bytes:
        """The signed bytes."""
        return "\n".join((_CONTEXT, self.method, self.path, self.time, "")).encode() + self.body


def prove(folder: str, wallet: str, signature: str, call: Call, now: int) -> None:
    """Return if it is that wallet's call.

    1. wallets may call here at all;
    2. the time is within ``WINDOW`` of ours;
    3. a key of that wallet is here;
    4. the signature is that key's.

    Raises NotFoundError prepaid_off (1); RefusedError wallet_time_over (2), wallet_unknown (3),
    wallet_signature_invalid (4); UnavailableError ``wallet_keys_unreadable``.
    """
    if not folder:
        raise NotFoundError("prepaid_off", "no wallet's key is set here")
    if not _TIME.fullmatch(call.time) or abs(now - int(call.time)) > WINDOW:
        raise RefusedError("wallet_time_over", f"Wallet-Time is not within {WINDOW} seconds of now")
    _verify(_key(Path(folder), wallet), signature, call.text())


def _verify(key: "Ed25519PublicKey", signature: str, text: bytes) -> None:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(b64decode(signature, validate=True), text)
    except (InvalidSignature, binascii.Error, ValueError):
        raise RefusedError(
            "wallet_signature_invalid", "the signature is not the wallet's over this call"
        ) from None


def _key(folder: Path, wallet: str) -> "Ed25519PublicKey":
    """Read at every call, so that a key that is put there or taken away counts at once."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if not _NAME.fullmatch(wallet):
        raise _unknown()
    path = folder / f"{wallet}.pem"
    try:
        key = load_pem_public_key(path.read_bytes())
    except FileNotFoundError:
        raise _unknown() from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _unreadable(path, "it is no Ed25519 key")
    return key


def _unknown() -> RefusedError:
    return RefusedError("wallet_unknown", "no wallet of this name has its key here")


def _unreadable(path: Path, why: str) -> UnavailableError:
    return UnavailableError("wallet_keys_unreadable", f"{path}: {why}")
