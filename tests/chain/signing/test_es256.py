"""Keys for wallets: one spelling, signatures that another library takes, secrets never shown."""

import base64
import os
from collections.abc import Callable, Iterator

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chain.errors import MalformedError, VerificationError
from chain.hashing import sha256
from chain.signing.es256 import WalletKey, WalletSigner, parse_secret
from chain.signing.keyfile import Cost, open_key, seal_key
from chain.signing.note import SignerKey

NAME = "log.example/a/wallet"
SIGNER = WalletSigner(NAME, bytes(range(32)))
KEY = SIGNER.verifier
CHEAP = Cost(log_n=14)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1


def _outside() -> ec.EllipticCurvePublicKey:
    """The same key in another library, from the secret alone."""
    number = int.from_bytes(bytes(range(32)), "big")
    return ec.derive_private_key(number, ec.SECP256R1()).public_key()


def test_another_library_has_the_same_key_and_takes_its_signature() -> None:
    der = _outside().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert KEY.key_id == sha256(der)[:4]
    assert WalletKey.parse(KEY.text()) == KEY
    raw = SIGNER.sign(b"message")
    assert raw == SIGNER.sign(b"message")  # RFC 6979: no chance in it
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    signature = encode_dss_signature(r, s)
    _outside().verify(signature, b"message", ec.ECDSA(SHA256()))
    with pytest.raises(InvalidSignature):
        _outside().verify(signature, b"massage", ec.ECDSA(SHA256()))


def test_a_signature_is_of_one_message_and_one_key() -> None:
    raw = SIGNER.sign(b"message")
    KEY.verify(b"message", raw)
    other = WalletSigner(NAME, bytes(range(1, 33))).verifier
    bent = raw[:5] + bytes([raw[5] ^ 1]) + raw[6:]
    for key, message, signature in (
        (KEY, b"massage", raw),
        (other, b"message", raw),
        (KEY, b"message", bent),
        (KEY, b"message", raw[:63]),
        (KEY, b"message", raw + b"\x00"),
        (KEY, b"message", bytes(64)),
        (KEY, b"message", b""),
    ):
        with pytest.raises(VerificationError) as caught:
            key.verify(message, signature)
        assert caught.value.code == "signature"


def test_its_secret_is_read_back_and_shown_to_nobody() -> None:
    assert WalletSigner.parse(SIGNER.text()) == SIGNER == parse_secret(SIGNER.text())
    assert SIGNER.text().rpartition("+")[2] not in repr(SIGNER)
    plain = SignerKey("log.example/a", bytes(range(32)))
    assert parse_secret(plain.text()) == plain
    for text in ("", "x", SIGNER.verifier.text(), SIGNER.text()[:-4], SIGNER.text() + "="):
        with pytest.raises(MalformedError):
            parse_secret(text)
    for secret in (bytes(32), b"\xff" * 32, bytes(31), bytes(33)):
        with pytest.raises(MalformedError):
            WalletSigner(NAME, secret)


def test_it_is_kept_encrypted_like_the_others() -> None:
    file = seal_key(SIGNER, b"secret", os.urandom, CHEAP)
    assert open_key(file, b"secret") == SIGNER


def test_secrets_are_drawn_until_one_is_a_number_of_the_curve() -> None:
    drawn = iter([bytes(32), b"\xff" * 32, bytes(range(32))])
    assert WalletSigner.generate(NAME, lambda _: next(drawn)) == SIGNER


@pytest.mark.parametrize("x", [bytes(32), bytes(31), b"\xff" * 32])
def test_points_beside_the_curve_are_no_keys(x: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        WalletKey(NAME, x, KEY.y)
    assert caught.value.code == "key_text"
    for name in ("", "a b", "a+b"):
        with pytest.raises(MalformedError) as caught:
            WalletKey(name, KEY.x, KEY.y)
        assert caught.value.code == "key_text"


def _code(text: str) -> str:
    with pytest.raises(MalformedError) as caught:
        parse_secret(text)
    return caught.value.code


def test_other_spellings_of_a_secret_are_refused() -> None:
    head, key_id, encoded = SIGNER.text().rsplit("+", 2)
    assert _code(f"{head}+00000000+{encoded}") == "key_id"
    assert _code(f"{head}+{key_id}+{base64.b64encode(bytes([3]) * 33).decode()}") == "key_type"
    assert _code(f"{head}+{key_id}+{base64.b64encode(bytes([2]) * 32).decode()}") == "key_text"
    assert _code(KEY.text()) == "key_text"


def test_other_spellings_of_a_key_are_refused() -> None:
    keys = [WalletSigner(NAME, bytes([number]) * 32).verifier for number in range(1, 9)]
    assert [WalletKey.parse(key.text()) for key in keys] == keys
    assert any(key.text().count("+") > 2 for key in keys)  # base64 has that sign, too
    head, key_id, encoded = KEY.text().split("+", 2)
    other = base64.b64encode(b"\x01" + base64.b64decode(encoded)[1:]).decode()
    long = base64.b64encode(base64.b64decode(encoded) + b"\x00").decode()
    texts = ["", NAME, f"{NAME}+{key_id}", f"{head}+{key_id}+é", f"{head}+00000000+{encoded}"]
    texts += [f"{head}+{key_id}+{bent}" for bent in (encoded[:-1], encoded[:40], other, long)]
    texts += [KEY.text() + "\n", f"{head}+{key_id.upper()}+{encoded}"]
    for text in texts:
        with pytest.raises(MalformedError) as caught:
            WalletKey.parse(text)
        assert caught.value.code == "key_text"


def _next_of(drawn: Iterator[bytes]) -> Callable[[int], bytes]:
    return lambda _: next(drawn)


def test_secrets_are_the_numbers_from_one_to_before_the_order() -> None:
    least, most = (number.to_bytes(32, "big") for number in (1, ORDER - 1))
    assert WalletSigner(NAME, least).verifier.x == WalletSigner(NAME, most).verifier.x
    none = ORDER.to_bytes(32, "big")
    for secret in (none, b"\x00" + least, least[1:], bytes(32)):
        with pytest.raises(MalformedError) as caught:
            WalletSigner(NAME, secret)
        assert caught.value.code == "key_text"
    for secret in (least, most):
        drawn = iter([none, secret])
        made = WalletSigner.generate(NAME, _next_of(drawn))
        assert made == WalletSigner(NAME, secret)
        made.verifier.verify(b"x", made.sign(b"x"))


def test_each_number_of_a_point_has_one_spelling() -> None:
    on_axis = bytes.fromhex("66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4")
    assert WalletKey(NAME, bytes(32), on_axis).x == bytes(32)
    for x, other in (
        (FIELD.to_bytes(32, "big"), on_axis),  # nought once more
        (bytes(32), bytes(32)),  # the point at infinity
        (b"\x00" + KEY.x, KEY.y),
        (KEY.x, b"\x00" + KEY.y),
        (KEY.y, KEY.x),
    ):
        with pytest.raises(MalformedError) as caught:
            WalletKey(NAME, x, other)
        assert caught.value.code == "key_text"
