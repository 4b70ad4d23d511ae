"""What an ML-DSA-44 cosignature is over: C2SP tlog-cosignature, ``cosigned_message`` (type 6).

Unlike an Ed25519 cosignature it names its signer and stands for a part of a tree. Of a checkpoint
that part is the whole tree, and extension lines below its three are not signed.
"""

import base64
import binascii
import re
from typing import Final

from chain.errors import MalformedError
from chain.hashing import DIGEST_SIZE

MAX_NAME: Final = 255
"""In bytes of UTF-8, for the cosigner's name and for the log's."""

_LABEL: Final = b"subtree/v1\n\x00"
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_MAX_SIZE: Final = 2**63 - 1
_LINES: Final = 3


def whole_tree_message(cosigner: str, time: int, text: str) -> bytes:
    """The bytes to sign for the tree of a checkpoint's ``text`` as of ``time``, POSIX seconds.

    Raises MalformedError ``note`` for a text that is no checkpoint, or names that are too long.
    """
    origin, size, root = _head(text)
    return b"".join(
        (
            _LABEL,
            _short(cosigner),
            time.to_bytes(8, "big"),
            _short(origin),
            bytes(8),  # the tree's first entry
            size.to_bytes(8, "big"),
            root,
        )
    )


def _head(text: str) -> tuple[str, int, bytes]:
    """The first three lines of a checkpoint: origin, size, root."""
    lines = text.split("\n")
    if len(lines) <= _LINES or not _SIZE.fullmatch(lines[1]) or int(lines[1]) > _MAX_SIZE:
        raise _malformed()
    try:
        root = base64.b64decode(lines[2])  # leniently: compared below
    except (binascii.Error, ValueError):
        raise _malformed() from None
    if len(root) != DIGEST_SIZE or base64.b64encode(root).decode() != lines[2]:
        raise _malformed()
    return lines[0], int(lines[1]), root


def _short(name: str) -> bytes:
    raw = name.encode()
    if not 0 < len(raw) <= MAX_NAME:
        raise MalformedError("note", f"a name in a cosignature has from 1 to {MAX_NAME} bytes")
    return bytes([len(raw)]) + raw


def _malformed() -> MalformedError:
    return MalformedError("note", "only a checkpoint can be cosigned: origin, size, base64 root")
