"""Wallets with keys that were made for the tests."""

import json
from base64 import b64encode
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NAMES = ("blue-bank", "red-bank")


@cache
def key(wallet: str) -> Ed25519PrivateKey:
    """A wallet's own."""
    return Ed25519PrivateKey.from_private_bytes(wallet.encode().ljust(32, b"."))


def settings(folder: Path) -> dict[str, str]:
    """A folder with two wallets' public keys, and the setting that names it."""
    folder.mkdir(parents=True)
    for wallet in NAMES:
        public = key(wallet).public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{wallet}.pem").write_bytes(pem)
    return {"FAPIAO_PREPAID_WALLETS": str(folder)}


def headers(
    method: str, path: str, body: bytes, at: int, *, wallet: str = NAMES[0], signer: str = ""
) -> dict[str, str]:
    """What proves a call at a time; ``signer`` is another wallet than it says."""
    said = f"fapiao/v1/wallet\n{method}\n{path}\n{at}\n".encode() + body
    return {
        "Wallet": wallet,
        "Wallet-Time": str(at),
        "Wallet-Signature": b64encode(key(signer or wallet).sign(said)).decode(),
    }


def encode(body: object) -> bytes:
    """A body as these wallets send it."""
    return json.dumps(body).encode()
