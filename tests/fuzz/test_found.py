"""What fuzzing has found: inputs that once got something else out of a parser than a Problem."""

import base64
from pathlib import Path

import pytest
from Crypto.Cipher import ChaCha20_Poly1305
from Crypto.Protocol.KDF import scrypt

from chain.errors import MalformedError
from chain.hashing import sha256
from chain.signing.keyfile import open_key
from chain.witness.server import read_key
from invoice_service.config import load
from tests.chain.books import SIGNER


def code_of(path: Path | None, environ: dict[str, str]) -> str:
    """How the settings are refused."""
    with pytest.raises(MalformedError) as refused:
        load(path, environ)
    return refused.value.code


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x = " + "[" * 5000, id="lists without end"),
        pytest.param("x = " + "{a=" * 5000, id="tables without end"),
        pytest.param('[service]\ndata_dir = "a\\u0000b"\n', id="a zero byte in a path"),
        pytest.param("[anchor]\nmax_delay = " + "9" * 5000, id="thousands of digits"),
    ],
)
def test_settings_no_file_should_hold(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    assert code_of(path, {}) == "config_invalid"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("FAPIAO_WEB_PORT", "9" * 5000, id="thousands of digits"),
        pytest.param("FAPIAO_WEB_PORT", "[" * 5000, id="lists without end"),
        pytest.param("FAPIAO_WEB_P\udc80RT", "8000", id="a name that is not UTF-8"),
        pytest.param("FAPIAO_SERVICE_DATA_DIR", "", id="no folder"),
    ],
)
def test_settings_no_environment_should_hold(name: str, value: str) -> None:
    assert code_of(None, {name: value}) == "config_invalid"


def test_half_a_surrogate_is_not_signed() -> None:
    """A caller's text, so ours: but the docstring promises MalformedError."""
    with pytest.raises(MalformedError) as refused:
        SIGNER.sign("books.example/log\n\ud800\n")
    assert refused.value.code == "note"


@pytest.mark.parametrize("sealed", [b"\xff", SIGNER.text().encode().replace(b"books", b"b\xc3oks")])
def test_a_sealed_key_that_is_no_text(sealed: bytes) -> None:
    """Only whoever has the passphrase can make such a file."""
    salt, nonce = "A" * 22 + "==", "A" * 16
    head = (
        f"encrypted-key/v1\nname {SIGNER.name}\nkdf scrypt 14 8 1 {salt}\n"
        f"cipher chacha20-poly1305 {nonce}\n"
    ).encode()
    cipher = ChaCha20_Poly1305.new(
        key=scrypt(b"secret", bytes(16), 32, 1 << 14, 8, 1), nonce=bytes(12)
    )
    cipher.update(head)
    body = head + base64.b64encode(b"".join(cipher.encrypt_and_digest(sealed))) + b"\n"
    data = body + b"check " + sha256(body).hex().encode() + b"\n"
    with pytest.raises(MalformedError) as refused:
        open_key(data, b"secret")
    assert refused.value.code == "key_file"


def test_a_witnesss_key_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(SIGNER.text().encode()[:-1] + b"\xff\n")
    path.chmod(0o600)
    with pytest.raises(MalformedError) as refused:
        read_key(path)
    assert refused.value.code == "key_text"
