"""A device with a passkey, as the WebAuthn standard describes one; it believes every site."""

import json
import struct
from base64 import urlsafe_b64encode
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from chain.hashing import sha256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """One passkey. ``count`` is what it has counted; ``flags`` what it says of its person."""

    def __init__(self, credential: bytes, origin: str) -> None:
        self.credential = credential
        self.origin = origin
        self.count = 0
        self.flags = PRESENT | VERIFIED
        self._key = ec.generate_private_key(ec.SECP256R1())

    def make(self, options: str) -> str:
        """The answer to ``navigator.credentials.create``."""
        asked = json.loads(options)
        data = self._data(asked["rp"]["id"], self.flags | ATTESTED) + bytes(16)
        data += struct.pack(">H", len(self.credential)) + self.credential + self._public()
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        said = self._said("webauthn.create", asked)
        return self._answer({"attestationObject": text(attestation), "clientDataJSON": text(said)})

    def show(self, options: str) -> str:
        """The answer to ``navigator.credentials.get``."""
        asked = json.loads(options)
        said = self._said("webauthn.get", asked)
        data = self._data(asked["rpId"], self.flags)
        signature = self._key.sign(data + sha256(said), ec.ECDSA(SHA256()))
        return self._answer(
            {
                "authenticatorData": text(data),
                "clientDataJSON": text(said),
                "signature": text(signature),
            }
        )

    def _data(self, site: str, flags: int) -> bytes:
        return sha256(site.encode()) + struct.pack(">BI", flags, self.count)

    def _said(self, kind: str, asked: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": asked["challenge"], "origin": self.origin}
        return json.dumps(said).encode()

    def _public(self) -> bytes:
        numbers = self._key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def _answer(self, response: dict[str, str]) -> str:
        name = text(self.credential)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def text(raw: bytes) -> str:
    """Bytes as browsers write them."""
    return urlsafe_b64encode(raw).decode().rstrip("=")
