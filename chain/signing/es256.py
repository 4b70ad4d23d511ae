"""Keys that sign for wallets: ES256 (ECDSA on P-256 with SHA-256), as JWS has it (RFC 7518).

Their text is that of a signed note's ECDSA key: ``name+<8 hex key id>+base64(0x02 || DER)``, the
id being the beginning of the digest of the DER (SubjectPublicKeyInfo) alone. They sign no notes.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Self, TypeAlias

from Crypto.PublicKey import ECC
from Crypto.PublicKey.ECC import EccKey
from Crypto.Signature import DSS

from chain.errors import MalformedError, VerificationError
from chain.hashing import sha256, sha256_state
from chain.signing.note import SignerKey, is_key_name, parse_secret_key

ECDSA: Final = 0x02
SIGNATURE_SIZE: Final = 64

_CURVE: Final = "P-256"
_SECRET_SIZE: Final = 32
_KEY_ID_SIZE: Final = 4
# The type, and what a DER of such a key begins with: kind of key, curve, an uncompressed point.
_START: Final = bytes.fromhex("023059301306072a8648ce3d020106082a8648ce3d03010703420004")
_FIELD: Final = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
# What an order of the curve is, for secrets made of random bytes.
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True, slots=True)
class WalletKey:
    """A public key with its name; make one with ``parse``, ``of_point`` or a signer."""

    name: str
    x: bytes
    y: bytes
    _key: EccKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what is no key: MalformedError ``key_text``."""
        if not is_key_name(self.name):
            raise MalformedError("key_text", "a key's name has no spaces, control characters, plus")
        object.__setattr__(self, "_key", _point(self.x, self.y))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a key; MalformedError ``key_text`` for any other spelling."""
        name, _, rest = text.partition("+")
        try:
            raw = base64.b64decode(rest.partition("+")[2])  # leniently: compared below
        except (binascii.Error, ValueError):
            raise _bad_text() from None
        if not raw.startswith(_START):
            raise _bad_text()
        point = raw[len(_START) :]
        key = cls(name, point[:_SECRET_SIZE], point[_SECRET_SIZE:])
        if key.text() != text:
            raise _bad_text()
        return key

    @property
    def key_id(self) -> bytes:
        """The first four bytes of the digest of the key."""
        return sha256(self._der())[:_KEY_ID_SIZE]

    def text(self) -> str:
        """The key as ``parse`` reads it."""
        encoded = base64.b64encode(_START + self.x + self.y).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check r and s over the message; VerificationError ``signature`` if they do not fit."""
        scheme = DSS.new(self._key, "deterministic-rfc6979")
        try:
            if len(signature) != SIGNATURE_SIZE:
                raise ValueError
            scheme.verify(sha256_state(message), signature)
        except ValueError:
            raise VerificationError("signature", f"the signature by {self.name} fails") from None

    def _der(self) -> bytes:
        return _START[1:] + self.x + self.y


@dataclass(frozen=True, slots=True)
class WalletSigner:
    """A secret key with its name; never shown by ``repr``."""

    name: str
    _secret: bytes = field(repr=False)
    verifier: WalletKey = field(init=False)
    _key: EccKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        number = int.from_bytes(self._secret, "big")
        if len(self._secret) != _SECRET_SIZE or not 0 < number < _ORDER:
            raise MalformedError("key_text", "this is not a secret of P-256")
        key = ECC.construct(curve=_CURVE, d=number)
        point = key.pointQ
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "verifier", WalletKey(self.name, _bytes(point.x), _bytes(point.y)))

    @classmethod
    def generate(cls, name: str, randbytes: Callable[[int], bytes]) -> Self:
        """Make a new key; ``randbytes`` must be fit for secrets."""
        while not 0 < int.from_bytes(secret := randbytes(_SECRET_SIZE), "big") < _ORDER:
            pass  # one time in four billion
        return cls(name, secret)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``text`` writes; MalformedError ``key_text``, ``key_type``, ``key_id``."""
        name, key_id, secret = parse_secret_key(text, ECDSA)
        signer = cls(name, secret)
        if signer.verifier.key_id.hex() != key_id:
            raise MalformedError("key_id", "the key id does not belong to this name and key")
        return signer

    def text(self) -> str:
        """The secret key as ``parse`` reads it."""
        encoded = base64.b64encode(bytes([ECDSA]) + self._secret).decode()
        return f"PRIVATE+KEY+{self.name}+{self.verifier.key_id.hex()}+{encoded}"

    def sign(self, message: bytes) -> bytes:
        """Sign by RFC 6979, so that no chance can give the key away: r and s, 32 bytes each."""
        scheme = DSS.new(self._key, "deterministic-rfc6979")
        signature: bytes = scheme.sign(sha256_state(message))
        return signature


SecretKey: TypeAlias = SignerKey | WalletSigner
"""A secret key of either kind; both have a name and a text."""


def parse_secret(text: str) -> SecretKey:
    """Read the text of a secret key of either kind; errors as theirs."""
    try:
        return SignerKey.parse(text)
    except MalformedError as problem:
        if problem.code != "key_type":
            raise
        return WalletSigner.parse(text)


def _point(x: bytes, y: bytes) -> EccKey:
    if len(x) != _SECRET_SIZE or len(y) != _SECRET_SIZE:
        raise _bad_text()
    numbers = int.from_bytes(x, "big"), int.from_bytes(y, "big")
    try:
        # The library takes (0, 0), which is beside the curve, for the point at infinity.
        if max(numbers) >= _FIELD or not any(numbers):
            raise ValueError
        return ECC.construct(curve=_CURVE, point_x=numbers[0], point_y=numbers[1])
    except ValueError:
        raise MalformedError("key_text", "the public key is not a point of P-256") from None


def _bytes(number: object) -> bytes:
    return int(str(number)).to_bytes(_SECRET_SIZE, "big")


def _bad_text() -> MalformedError:
    return MalformedError(
        "key_text", "a wallet's key is written name+id+base64 of its type and DER"
    )
