"""What a log signs: its name, its size and its root (C2SP tlog-checkpoint)."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Self

from chain.errors import MalformedError, VerificationError
from chain.hashing import EMPTY_ROOT, Digest, to_digest
from chain.signing.keys import TrustedKeys, keys_of
from chain.signing.note import NoteSigner, is_key_name, open_note, sign_note
from chain.tree.merkle import MAX_SIZE

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_LINES = 4


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree of ``size`` entries of the log ``origin``."""

    origin: str
    size: int
    root: Digest

    def to_text(self) -> str:
        """Return the three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read exactly what ``to_text`` writes; extension lines are refused.

        Raises MalformedError ``checkpoint``; VerificationError ``empty_root`` for size 0
        with another root than the empty tree's.
        """
        lines = text.split("\n")
        if len(lines) != _LINES or not _SIZE.fullmatch(lines[1]) or int(lines[1]) > MAX_SIZE:
            raise _malformed()
        checkpoint = cls(_check_origin(lines[0]), int(lines[1]), _root(lines[2]))
        if checkpoint.to_text() != text:
            raise _malformed()
        if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
            raise VerificationError("empty_root", "a tree without entries has another root")
        return checkpoint


def sign_checkpoint(checkpoint: Checkpoint, *signers: NoteSigner) -> bytes:
    """Return the checkpoint as a note; MalformedError ``checkpoint`` if it cannot be read back."""
    text = checkpoint.to_text()
    Checkpoint.parse(text)
    return sign_note(text, *signers)


def open_checkpoint(data: bytes, log_key: TrustedKeys) -> Checkpoint:
    """Return the checkpoint if the log of that key signed it, under its own name.

    Of several keys, each that signed must have signed rightly, and one must count for this size.
    Raises MalformedError: ``note``, ``checkpoint``, ``key_type``; VerificationError:
    ``signature``, ``signature_missing``, ``origin_mismatch``, ``empty_root``, ``key_retired``,
    ``key_revoked``.
    """
    keys = keys_of(log_key)
    note = open_note(data, keys.verifiers)
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != keys.origin:
        raise VerificationError("origin_mismatch", "the checkpoint is of another log than the key")
    keys.check(checkpoint.size, checkpoint.root, note.signatures)
    return checkpoint


def _check_origin(origin: str) -> str:
    if not is_key_name(origin):
        raise _malformed()
    return origin


def _root(text: str) -> Digest:
    try:
        return to_digest(base64.b64decode(text))  # leniently: ``parse`` compares
    except (binascii.Error, ValueError, MalformedError):
        raise _malformed() from None


def _malformed() -> MalformedError:
    return MalformedError("checkpoint", "a checkpoint is three lines: origin, size, base64 root")
