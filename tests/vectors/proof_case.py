"""What the cases of ``tests/vectors/proofs`` are made of."""

import base64
import json
from dataclasses import dataclass

from chain.canonical import encode
from chain.proof.file import Proof
from chain.signing.note import Signature, SignerKey
from tests.chain.books import SIGNER

KEY = SIGNER.verifier.text()
OTHER = SignerKey("other.example/log", bytes(range(1, 33)))

Outcome = tuple[str, int | None]
OK: Outcome = ("ok", None)
BENT = None
"""Refused, whatever the code; the file says which, and all verifiers say the same."""


@dataclass(frozen=True)
class Case:
    """One file with one key, and what must come out.

    ``spaces`` more follow the file; its ``~`` stands ``stretch`` times. ``statements`` are
    those of the log's keys, ``policy`` names the witnesses; without one, nobody is asked for.
    """

    name: str
    data: bytes
    outcome: Outcome | None
    key: str = KEY
    spaces: int = 0
    stretch: int = 1
    statements: tuple[str, ...] = ()
    policy: str | None = None

    def whole(self) -> bytes:
        """The file at its full length."""
        return self.data.replace(b"~", b"~" * self.stretch, 1) + b" " * self.spaces


def text_of(proof: Proof) -> str:
    """The signed text of the proof's checkpoint."""
    return proof.checkpoint.decode().rpartition("\n\n")[0] + "\n"


def line_of(proof: Proof) -> str:
    """The log's signature line."""
    return SIGNER.sign(text_of(proof)).line()


def raw_of(proof: Proof) -> bytes:
    """The log's signature."""
    return SIGNER.sign(text_of(proof)).payload


def noted(proof: Proof, note: str) -> bytes:
    """The file with another note, whatever that is."""
    return encode(json.loads(proof.to_bytes()) | {"checkpoint": note})


def signed(proof: Proof, text: str) -> bytes:
    """The file with another text that the log did sign."""
    raw = SIGNER.sign(text).line()
    return noted(proof, f"{text}\n{raw}")


def signature(name: str, key_id: bytes, payload: bytes) -> str:
    """A signature line."""
    return Signature(name, key_id, payload).line()


def to_base64(raw: bytes) -> str:
    """Base64 with padding."""
    return base64.b64encode(raw).decode()


def next_digit(text: str) -> str:
    """The same bytes for a lenient reader: bits that padding leaves over are not zero."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = text.rstrip("=")
    assert body != text
    return body[:-1] + digits[digits.index(body[-1]) + 1] + text[len(body) :]
