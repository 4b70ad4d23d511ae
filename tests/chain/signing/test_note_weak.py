"""Keys that vouch for anything are refused, and a signature has one form."""

import pytest
from Crypto.PublicKey.ECC import EccKey
from Crypto.Signature import eddsa

from chain.errors import MalformedError, VerificationError
from chain.signing.note import (
    ED25519,
    Note,
    Signature,
    SignerKey,
    VerifierKey,
    open_note,
)
from tests.chain.odd_signatures import signed_beside, signed_with_nothing

LOG = SignerKey("log.example/fapiao", bytes(range(32)))
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493

LOW_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]
OTHER_SPELLINGS = [
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # p: zero again
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # p + 1: one again
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0100000000000000000000000000000000000000000000000000000000000080",  # minus zero
    "0200000000000000000000000000000000000000000000000000000000000000",  # not on the curve
]


@pytest.mark.parametrize("public", LOW_ORDER)
def test_keys_of_low_order_are_refused(public: str) -> None:
    with pytest.raises(MalformedError) as caught:
        VerifierKey("a", ED25519, bytes.fromhex(public))
    assert caught.value.code == "key_weak"


@pytest.mark.parametrize("public", OTHER_SPELLINGS)
def test_keys_that_are_no_points_are_refused(public: str) -> None:
    with pytest.raises(MalformedError) as caught:
        VerifierKey("a", ED25519, bytes.fromhex(public))
    assert caught.value.code == "key_text"


@pytest.mark.parametrize("public", LOW_ORDER[1:])
def test_keys_of_mixed_order_are_refused(public: str) -> None:
    """A good key plus a point of low order: verifiers disagree on what it signed."""
    good, low = (
        eddsa.import_public_key(raw).pointQ for raw in (LOG.verifier.public, bytes.fromhex(public))
    )
    with pytest.raises(MalformedError) as caught:
        VerifierKey("a", ED25519, EccKey(point=good + low).export_key(format="raw"))
    assert caught.value.code == "key_weak"


@pytest.mark.parametrize("low", LOW_ORDER[1:])
def test_a_signature_holds_without_the_cofactor_too(low: str) -> None:
    """Its maker could else have it hold in one program and fail in the next."""
    odd = signed_beside(bytes(range(32)), b"text\n", bytes.fromhex(low))
    with pytest.raises(VerificationError) as caught:
        LOG.verifier.verify("text\n", Signature(LOG.name, LOG.verifier.key_id, odd))
    assert caught.value.code == "signature"


def test_a_signature_that_gives_the_key_away_still_holds() -> None:
    plain = signed_with_nothing(bytes(range(32)), b"text\n")
    LOG.verifier.verify("text\n", Signature(LOG.name, LOG.verifier.key_id, plain))


def test_a_signature_has_one_form() -> None:
    """Adding the group's order to the second half must not make another valid signature."""
    signature = LOG.sign("text\n")
    number = int.from_bytes(signature.payload[32:], "little") + GROUP_ORDER
    bent = signature.payload[:32] + number.to_bytes(32, "little")
    note = Note("text\n", (Signature(signature.name, signature.key_id, bent),))
    with pytest.raises(VerificationError):
        open_note(note.to_bytes(), [LOG.verifier])
