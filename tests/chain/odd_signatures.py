"""Ed25519 signatures that a verifier could take or leave, made by whoever has the secret key."""

from Crypto.Hash import SHA512
from Crypto.PublicKey.ECC import EccKey
from Crypto.Signature import eddsa

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
EIGHTH = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
"""A point of order 8."""

IDENTITY = bytes([1]) + bytes(31)
BASE = bytes([0x58]) + bytes([0x66]) * 31  # RFC 8032: y = 4/5, x even


def add_order(signature: bytes, times: int = 1) -> bytes:
    """The same signature with S + times * L: the same equation, another spelling."""
    number = int.from_bytes(signature[32:], "little") + times * GROUP_ORDER
    return signature[:32] + number.to_bytes(32, "little")


def signed_beside(seed: bytes, message: bytes, low: bytes = EIGHTH) -> bytes:
    """A signature whose R has the point ``low`` added: it holds only times the cofactor."""
    nonce = 1 + int.from_bytes(SHA512.new(b"nonce" + seed + message).digest(), "little") % (
        GROUP_ORDER - 1
    )
    base, beside = (eddsa.import_public_key(raw).pointQ for raw in (BASE, low))
    start = EccKey(point=base * nonce + beside).export_key(format="raw")
    assert isinstance(start, bytes)
    return _answer(seed, message, start, nonce)


def signed_with_nothing(seed: bytes, message: bytes) -> bytes:
    """A signature whose R is the neutral point: it holds, and gives the secret away."""
    return _answer(seed, message, IDENTITY, 0)


def _answer(seed: bytes, message: bytes, start: bytes, nonce: int) -> bytes:
    public = eddsa.import_private_key(seed).public_key().export_key(format="raw")
    half = bytearray(SHA512.new(seed).digest()[:32])
    half[0] &= 248
    half[31] = half[31] & 127 | 64
    challenge = int.from_bytes(SHA512.new(start + public + message).digest(), "little")
    number = (nonce + challenge * int.from_bytes(half, "little")) % GROUP_ORDER
    return start + number.to_bytes(32, "little")
