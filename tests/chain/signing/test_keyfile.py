"""Encrypted keys: read back with the passphrase, refused with a code for everything else."""

import base64
import random
from contextlib import suppress

import pytest
from Crypto.Protocol.KDF import scrypt
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.errors import MalformedError, Problem, RefusedError, VerificationError
from chain.hashing import sha256
from chain.signing import keyfile
from chain.signing.keyfile import DEFAULT_COST, MAX_KEY_FILE, Cost, is_encrypted, open_key, seal_key
from chain.signing.note import SignerKey

SIGNER = SignerKey("log.example/log", bytes(range(32)))
PASSPHRASE = "正确的马电池".encode()
CHEAP = Cost(log_n=14)
FILE = seal_key(SIGNER, PASSPHRASE, random.Random(1).randbytes, CHEAP)
LINES = FILE.decode().split("\n")


def _code(data: bytes, passphrase: bytes = PASSPHRASE) -> str:
    with pytest.raises(Problem) as caught:
        open_key(data, passphrase)
    return caught.value.code


def _whole(*lines: str) -> bytes:
    """A file of these lines with a check that holds, as whoever bends it on purpose would."""
    body = "".join(f"{line}\n" for line in lines).encode()
    return body + f"check {sha256(body).hex()}\n".encode()


def _with(at: int, line: str) -> bytes:
    return _whole(*LINES[:at], line, *LINES[at + 1 : 5])


def test_a_key_comes_back_and_is_nowhere_in_the_file() -> None:
    assert open_key(FILE, PASSPHRASE) == SIGNER
    assert is_encrypted(FILE)
    assert not is_encrypted(SIGNER.text().encode())
    secret = SIGNER.text().rpartition("+")[2]
    for part in (secret, base64.b64encode(bytes(range(32))).decode(), bytes(range(32)).hex()):
        assert part.encode() not in FILE
    assert PASSPHRASE not in FILE


def test_the_file_has_the_form_that_its_docstring_gives() -> None:
    assert LINES[0] == "encrypted-key/v1"
    assert LINES[1] == "name log.example/log"
    assert LINES[2].startswith("kdf scrypt 14 8 1 ")
    assert LINES[3].startswith("cipher chacha20-poly1305 ")
    assert _whole(*LINES[:5]) == FILE


def test_scrypt_is_that_of_the_rfc() -> None:
    """RFC 7914, section 12, the third vector, which the library must meet."""
    made = scrypt(b"pleaseletmein", b"SodiumChloride", 64, 16384, 8, 1)
    assert isinstance(made, bytes)
    assert made.hex().startswith("7023bdcb3afd7348461c06cd81fd38eb")


def test_the_default_is_dear_and_every_file_has_its_own_salt_and_nonce() -> None:
    assert (DEFAULT_COST.log_n, DEFAULT_COST.r, DEFAULT_COST.p) >= (15, 8, 1)
    rng = random.Random(2)
    files = [seal_key(SIGNER, PASSPHRASE, rng.randbytes, CHEAP) for _ in range(2)]
    for at in (2, 3, 4):
        assert files[0].split(b"\n")[at] != files[1].split(b"\n")[at]


@pytest.mark.parametrize("wrong", [b"x", PASSPHRASE + b"\n", PASSPHRASE[:-1], PASSPHRASE + b" "])
def test_another_passphrase_is_wrong(wrong: bytes) -> None:
    assert _code(FILE, wrong) == "passphrase_wrong"


def test_no_passphrase_is_refused() -> None:
    assert _code(FILE, b"") == "passphrase_missing"
    with pytest.raises(RefusedError):
        seal_key(SIGNER, b"", random.Random(1).randbytes, CHEAP)


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_every_damaged_byte_is_seen_without_the_passphrase(at: int, flip: int) -> None:
    damaged = FILE[:at] + bytes([FILE[at] ^ flip]) + FILE[at + 1 :]
    assert _code(damaged, b"whatever") == "key_file_damaged"


def test_a_file_cut_anywhere_is_damaged() -> None:
    for size in range(len(FILE)):
        assert _code(FILE[:size]) == "key_file_damaged"
    assert _code(FILE + b"\n") == "key_file_damaged"
    assert _code(FILE + bytes(MAX_KEY_FILE)) == "key_file_damaged"


def _other(line: str) -> str:
    """The same line with another salt, nonce or seal of the same length."""
    start, _, encoded = line.rpartition(" ")
    raw = base64.b64decode(encoded)
    return f"{start} {base64.b64encode(bytes([raw[0] ^ 1]) + raw[1:]).decode()}".lstrip()


@pytest.mark.parametrize(
    ("at", "line"),
    [
        (1, "name log.example/other"),
        (2, LINES[2].replace("14 8 1", "15 8 1")),
        (2, LINES[2].replace("14 8 1", "14 8 2")),
        (2, _other(LINES[2])),
        (3, _other(LINES[3])),
        (4, _other(LINES[4])),
    ],
    ids=["name", "N", "p", "salt", "nonce", "sealed"],
)
def test_name_and_parameters_are_bound_to_the_key(at: int, line: str) -> None:
    assert _code(_with(at, line)) == "passphrase_wrong"


@pytest.mark.parametrize(
    "cost", ["1 8 1", "13 8 1", "19 8 1", "63 8 1", "99 8 1", "14 1 1", "14 9 1", "14 8 5"]
)
def test_no_file_makes_its_reader_spend_too_much_or_too_little(
    monkeypatch: pytest.MonkeyPatch, cost: str
) -> None:
    monkeypatch.setattr(keyfile, "scrypt", None)  # refused before any work
    assert _code(_with(2, LINES[2].replace("14 8 1", cost))) == "key_file_cost"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (_with(0, "encrypted-key/v2"), "key_file_version"),
        (_with(0, ""), "key_file_version"),
        (_with(1, "Name x"), "key_file"),
        (_with(1, "name "), "key_file"),
        (_with(1, "name a+b"), "key_file"),
        (_with(2, LINES[2].replace("scrypt", "pbkdf2")), "key_file"),
        (_with(2, LINES[2].replace("14", "014")), "key_file"),
        (_with(2, LINES[2].replace("14 8 1", "14 8 0")), "key_file"),
        (_with(2, "kdf scrypt 14 8 1 AAAA"), "key_file"),
        (_with(2, f"{LINES[2]} "), "key_file"),
        (_with(3, "cipher aes-gcm AAAA"), "key_file"),
        (_with(3, "cipher chacha20-poly1305 AAAA"), "key_file"),
        (_with(4, ""), "key_file"),
        (_with(4, "!"), "key_file"),
        (_with(4, base64.b64encode(bytes(16)).decode()), "key_file"),
        (_with(4, LINES[4].rstrip("=") + "\u00e9"), "key_file"),
        (_whole(*LINES[:4]), "key_file"),
        (_whole(*LINES[:5], "more"), "key_file"),
    ],
)
def test_other_forms_are_refused(data: bytes, code: str) -> None:
    assert _code(data) == code


def test_bytes_that_are_no_text_are_refused() -> None:
    body = FILE.rpartition(b"check ")[0].replace(b"name ", b"name \xff")
    assert _code(body + f"check {sha256(body).hex()}\n".encode()) == "key_file"


def test_who_is_at_fault() -> None:
    for data, passphrase, fault in (
        (FILE, b"x", VerificationError),
        (FILE[1:], PASSPHRASE, VerificationError),
        (_with(0, "encrypted-key/v2"), PASSPHRASE, MalformedError),
    ):
        with pytest.raises(fault):
            open_key(data, passphrase)


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_nothing_else_gets_out_of_the_parser(data: bytes) -> None:
    lines = data.split(b"\n")
    body = b"encrypted-key/v1\n" + b"\n".join(lines) + b"\n"
    for one in (data, body + f"check {sha256(body).hex()}\n".encode()):
        with suppress(Problem):
            open_key(one, PASSPHRASE)


@pytest.mark.parametrize("cost", ["14 8 1", "18 8 4"])
def test_the_cheapest_and_the_dearest_are_read(monkeypatch: pytest.MonkeyPatch, cost: str) -> None:
    asked: list[tuple[object, ...]] = []

    def spend(*arguments: object) -> bytes:
        asked.append(arguments[-3:])
        return bytes(32)

    monkeypatch.setattr(keyfile, "scrypt", spend)
    assert _code(_with(2, LINES[2].replace("14 8 1", cost))) == "passphrase_wrong"
    log_n, r, p = map(int, cost.split())
    assert asked == [(1 << log_n, r, p)]


def test_the_longest_file_is_read_and_no_longer_one() -> None:
    spare = MAX_KEY_FILE - len(_whole(*LINES[:4], ""))
    assert len(_with(4, "!" * spare)) == MAX_KEY_FILE
    assert _code(_with(4, "!" * spare)) == "key_file"
    assert _code(_with(4, "!" * (spare + 1))) == "key_file_damaged"
