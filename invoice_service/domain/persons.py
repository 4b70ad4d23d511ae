"""What an individual told of themselves, stored so that it can be erased (ADR 0034).

The buyer group of a person is stored sealed under a key of its own, its salt with it, and what
else is made from it is made with that key, too. Who destroys the key has erased the person: no row
of invoices changes, and the commitment that stands beside the sealed text still proves the rest.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from chain.commitment import SALT_SIZE, group_digest
from chain.hashing import DIGEST_SIZE, Digest, sha256

from .document import BuyerGroup, write

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_SIZE: Final = 32
GONE: Final = bytes(KEY_SIZE)
"""What stands in the place of a key that was destroyed."""

ERASED_NAME: Final = "已删除"
NOBODY: Final = write(
    BuyerGroup(address_phone="", kind="individual", name="", payment_id="", tax_id="")
)
"""The group of a person who told nothing; there is nothing in it to erase."""

SHOWN_ERASED: Final = write(
    BuyerGroup(address_phone="", kind="erased", name=ERASED_NAME, payment_id="", tax_id="")
)
"""What is shown in the place of a group that was erased; no invoice was issued with it."""

_MARK: Final = b"\x01"  # no JSON text begins with it
_HIDDEN: Final = b"\x02"
_NONCE: Final = bytes(12)  # a key seals one text, ever
_BLOCK: Final = 64
"""What is sealed is filled up to a multiple of it: the length of a name tells much."""

_HALF: Final = DIGEST_SIZE // 2
_PREFIX: Final = b"fapiao/v1/person\n"

_read: Final = msgspec.json.Decoder(BuyerGroup).decode

NewKey = Callable[[int], bytes]
"""Gives so many random bytes, fit for secrets."""


class Kept(NamedTuple):
    """A buyer group as it is stored, and its key; "" where it is stored as it is.

    ``salts`` are those of the groups beside it, and its own unless that is sealed.
    """

    buyer: bytes
    salts: bytes
    key: bytes = b""


class Opened(NamedTuple):
    """A group that was sealed; ``erased`` is its commitment where nobody can open it any more."""

    buyer: bytes
    salts: bytes
    erased: bytes = b""


def is_person(group: BuyerGroup) -> bool:
    """Whether somebody who is no company and no organisation said anything of themselves."""
    return group.kind == "individual" and bool(
        group.name or group.tax_id or group.address_phone or group.payment_id
    )


def read_group(document: bytes) -> BuyerGroup:
    """The group; raises msgspec.MsgspecError for what is none."""
    return _read(document)


def keep(
    group: BuyerGroup, document: bytes, salts: bytes, commitment: Digest, new_key: NewKey
) -> Kept:
    """How ``group`` is stored; ``document`` is its canonical bytes, ``salts`` are all three."""
    if not is_person(group):
        return Kept(document, salts)
    key = new_key(KEY_SIZE)
    text = salts[SALT_SIZE : 2 * SALT_SIZE] + document
    text += bytes(-len(text) % _BLOCK)
    head = _MARK + commitment
    sealed = head + _cipher(key).encrypt(_NONCE, text, head)
    return Kept(sealed, salts[:SALT_SIZE] + salts[2 * SALT_SIZE :], key)


def is_sealed(stored: bytes) -> bool:
    """Whether a stored group is a person's."""
    return stored[:1] == _MARK


def open_kept(stored: bytes, salts: bytes, key: bytes | None) -> Opened:
    """The sealed group with all three salts, or what is shown in its place once ``key`` is GONE.

    ValueError for a key that is missing, and for what was never sealed under it.
    """
    if key is None or len(salts) != 2 * SALT_SIZE:
        raise ValueError("the key of its buyer is missing, or a salt")
    face, lines = salts[:SALT_SIZE], salts[SALT_SIZE:]
    head = stored[: 1 + DIGEST_SIZE]
    if key == GONE:
        return Opened(SHOWN_ERASED, face + bytes(SALT_SIZE) + lines, head[1:])
    text = _unseal(key, head, stored[1 + DIGEST_SIZE :])
    salt, document = text[:SALT_SIZE], text[SALT_SIZE:].rstrip(b"\0")
    if group_digest("buyer", salt, document) != head[1:]:
        raise ValueError("its buyer is not the one committed to")
    return Opened(document, face + salt + lines)


def hide(text: bytes, key: bytes, nonce: bytes) -> bytes:
    """A text of people that changes: sealed under ``key``, with a ``nonce`` of its own each time.

    Texts end in no zero byte.
    """
    head = _HIDDEN + nonce
    return head + _cipher(key).encrypt(nonce, text + bytes(-len(text) % _BLOCK), head)


def show(hidden: bytes, key: bytes) -> bytes:
    """The text that was hidden; ValueError where it was not hidden under this key."""
    head = hidden[: 1 + len(_NONCE)]
    return _unseal(key, head, hidden[len(head) :], head[1:]).rstrip(b"\0")


def kept_digest(key: bytes, rest: bytes, whole: bytes) -> bytes:
    """What is stored of a person's request: half of the digest of all but the person, half keyed.

    Where there is no ``rest``, nothing of a person is in ``whole``, which is stored as it is.
    """
    return rest[:_HALF] + _keyed(key, whole) if rest else whole


def is_same(kept: bytes, key: bytes | None, rest: bytes, whole: bytes) -> bool:
    """Whether a request is the one of which ``kept`` was stored, as far as can be told.

    ``key`` is that under which it was stored, None where it holds no person. Of an erased person
    all but the person is compared; ``rest`` is b"" where no person asks.
    """
    if key is None:
        return kept == whole
    if key == GONE:
        return bool(rest) and kept[:_HALF] == rest[:_HALF]
    return kept[_HALF:] == _keyed(key, whole)


def _keyed(key: bytes, whole: bytes) -> bytes:
    # All three have one length each: none runs into the next.
    return sha256(_PREFIX + key + whole)[:_HALF]


def _unseal(key: bytes, head: bytes, text: bytes, nonce: bytes = _NONCE) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        return _cipher(key).decrypt(nonce, text, head)
    except InvalidTag:
        raise ValueError("its buyer was not sealed under this key") from None


def _cipher(key: bytes) -> "AESGCM":
    """AES-256-GCM (NIST SP 800-38D); loaded with the first person."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
