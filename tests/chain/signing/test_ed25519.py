"""Signatures checked exactly: as by the library, and a second look at what they begin with."""

import pytest
from Crypto.Signature import eddsa
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.signing.ed25519 import Ed25519Verifier, in_prime_group
from tests.chain.odd_signatures import (
    EIGHTH,
    add_order,
    signed_beside,
    signed_with_nothing,
)

SEED = bytes(range(32))
KEY = eddsa.import_private_key(SEED).public_key()
PUBLIC = eddsa.import_private_key(SEED).public_key().export_key(format="raw")
MESSAGE = b"text\n"

# RFC 8032, section 7.1, tests 1 to 3: public key, message, signature.
PUBLISHED = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


def verifier(public: bytes) -> Ed25519Verifier:
    """The verifier of a key."""
    return Ed25519Verifier(eddsa.import_public_key(public), public)


def holds(message: bytes, signature: bytes) -> bool:
    """What the verifier says."""
    try:
        verifier(bytes(PUBLIC)).verify(message, signature)
    except ValueError:
        return False
    return True


def holds_by_the_library(message: bytes, signature: bytes) -> bool:
    """The same by the library's check, which goes by the cofactor, and by the group of R."""
    try:
        eddsa.new(KEY, "rfc8032").verify(message, signature)
        return in_prime_group(eddsa.import_public_key(signature[:32]))
    except ValueError:
        return False


@pytest.mark.parametrize(("public", "message", "signature"), PUBLISHED)
def test_published_signatures(public: str, message: str, signature: str) -> None:
    one = verifier(bytes.fromhex(public))
    one.verify(bytes.fromhex(message), bytes.fromhex(signature))
    with pytest.raises(ValueError, match="another text"):
        one.verify(bytes.fromhex(message) + b"\x00", bytes.fromhex(signature))


def _sign(message: bytes) -> bytes:
    return eddsa.new(eddsa.import_private_key(SEED), "rfc8032").sign(message)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 511) | st.none())
def test_a_signature_of_ours_bent_in_one_bit(message: bytes, bit: int | None) -> None:
    signature = bytearray(_sign(message))
    if bit is not None:
        signature[bit // 8] ^= 1 << bit % 8
    assert holds(message, bytes(signature)) is (bit is None)
    assert holds_by_the_library(message, bytes(signature)) is (bit is None)


ODD = {
    "another spelling of S": add_order(_sign(MESSAGE)),
    "S beyond 255 bits": add_order(_sign(MESSAGE), 15),
    "R beside the group": signed_beside(SEED, MESSAGE),
    "neutral R": signed_with_nothing(SEED, MESSAGE),
    "neutral R, minus zero": signed_with_nothing(SEED, MESSAGE)[:31]
    + b"\x80"
    + signed_with_nothing(SEED, MESSAGE)[32:],
    "R of order 8": EIGHTH + _sign(MESSAGE)[32:],
    "too short": _sign(MESSAGE)[:63],
    "too long": _sign(MESSAGE) + b"\x00",
    "nothing": b"",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_signatures_are_taken_as_by_the_library_and_a_second_look(name: str) -> None:
    assert holds(MESSAGE, ODD[name]) is holds_by_the_library(MESSAGE, ODD[name])


def test_what_holds_only_times_the_cofactor_is_refused() -> None:
    eddsa.new(KEY, "rfc8032").verify(MESSAGE, ODD["R beside the group"])
    assert not holds(MESSAGE, ODD["R beside the group"])


def test_a_number_has_one_spelling() -> None:
    """With a key that adds nothing, zero signs everything; the order would come to the same."""
    nothing = b"\x01" + bytes(31)
    verifier(nothing).verify(MESSAGE, nothing + bytes(32))
    with pytest.raises(ValueError, match="no signature"):
        verifier(nothing).verify(MESSAGE, add_order(nothing + bytes(32)))
