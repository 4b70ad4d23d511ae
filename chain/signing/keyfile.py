"""A secret key at rest, sealed by ChaCha20-Poly1305 with what scrypt makes of a passphrase.

Six lines of text; the first four are authenticated together with the sealed key, so that no
name and no parameter can be put in the place of another::

    encrypted-key/v1
    name <the key's name>
    kdf scrypt <log2 of N> <r> <p> <base64 of 16 bytes of salt>
    cipher chacha20-poly1305 <base64 of 12 bytes of nonce>
    <base64 of the sealed text of the key, and 16 bytes of tag>
    check <SHA-256 of the five lines above, in hex>

scrypt is RFC 7914, ChaCha20-Poly1305 is RFC 8439. The check needs no passphrase: it is what
tells a damaged file from a wrong passphrase, and protects from nothing else.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from Crypto.Cipher import ChaCha20_Poly1305
from Crypto.Protocol.KDF import scrypt

from chain.errors import MalformedError, RefusedError, VerificationError
from chain.hashing import sha256
from chain.signing.es256 import SecretKey, parse_secret
from chain.signing.note import is_key_name

HEADER: Final = "encrypted-key/v1"
MAX_KEY_FILE: Final = 16_384
"""In bytes."""

_FAMILY: Final = b"encrypted-key/"
_SALT_SIZE: Final = 16
_NONCE_SIZE: Final = 12
_TAG_SIZE: Final = 16
_KEY_SIZE: Final = 32
_KDF: Final = re.compile(r"kdf scrypt ([1-9][0-9]?) ([1-9][0-9]?) ([1-9]) (\S+)")
_CHECK: Final = re.compile(rb"(.*\n)check ([0-9a-f]{64})\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess of a passphrase costs: scrypt with N = 2**log_n, 128 * N * r bytes of memory.

    Whoever writes a key file chooses, but no file makes its reader spend more than 256 MiB and
    about five seconds, and none is so cheap that guessing is easy.
    """

    log_n: int = 16
    r: int = 8
    p: int = 1

    def __post_init__(self) -> None:
        """Refuse what is too dear or too cheap: MalformedError ``key_file_cost``."""
        if not (14 <= self.log_n <= 18 and self.r == 8 and 1 <= self.p <= 4):
            raise MalformedError(
                "key_file_cost", "scrypt takes N from 2**14 to 2**18, r = 8, p from 1 to 4 here"
            )


DEFAULT_COST: Final = Cost()
"""64 MiB, and 0.2 s on a server of 2020."""


def is_encrypted(data: bytes) -> bool:
    """Whether this is a key file of any version, rather than the plain text of a key."""
    return data.startswith(_FAMILY)


def seal_key(
    signer: SecretKey,
    passphrase: bytes,
    randbytes: Callable[[int], bytes],
    cost: Cost = DEFAULT_COST,
) -> bytes:
    """Return the key file; ``randbytes`` must be fit for secrets. RefusedError as ``open_key``."""
    salt, nonce = randbytes(_SALT_SIZE), randbytes(_NONCE_SIZE)
    head = (
        f"{HEADER}\nname {signer.name}\n"
        f"kdf scrypt {cost.log_n} {cost.r} {cost.p} {_to_base64(salt)}\n"
        f"cipher chacha20-poly1305 {_to_base64(nonce)}\n"
    ).encode()
    cipher = _cipher(passphrase, salt, nonce, cost)
    cipher.update(head)
    sealed, tag = cipher.encrypt_and_digest(signer.text().encode())
    body = head + _to_base64(sealed + tag).encode() + b"\n"
    return body + _check_line(body)


def open_key(data: bytes, passphrase: bytes) -> SecretKey:
    """Return the key of a key file, of either kind.

    Raises VerificationError: ``key_file_damaged``, ``passphrase_wrong``; MalformedError:
    ``key_file_version``, ``key_file_cost``, ``key_file`` for a whole file of another form;
    RefusedError ``passphrase_missing`` for an empty passphrase.
    """
    head, name, salt, nonce, cost, sealed = _parse(data)
    cipher = _cipher(passphrase, salt, nonce, cost)
    cipher.update(head)
    try:
        text = cipher.decrypt_and_verify(sealed[:-_TAG_SIZE], sealed[-_TAG_SIZE:])
    except ValueError:
        raise VerificationError("passphrase_wrong", "the passphrase is not this key's") from None
    signer = parse_secret(_decode(text))
    if signer.name != name:  # only whoever has the passphrase can make such a file
        raise _malformed("it holds a key of another name")
    return signer


def _parse(data: bytes) -> tuple[bytes, str, bytes, bytes, Cost, bytes]:
    """Return (authenticated lines, name, salt, nonce, cost, sealed) of a whole key file."""
    found = _CHECK.fullmatch(data) if len(data) <= MAX_KEY_FILE else None
    if found is None or _check_line(found[1]) != data[len(found[1]) :]:
        raise VerificationError(
            "key_file_damaged", "the key file is damaged: its check does not hold; use a copy"
        )
    if not data.startswith(f"{HEADER}\n".encode()):
        raise MalformedError("key_file_version", f"this reads {HEADER}")
    lines = _decode(found[1]).split("\n")
    if len(lines) != 6 or lines[5]:
        raise _malformed("it has more or fewer lines")
    name, nonce = _after("name ", lines[1]), _after("cipher chacha20-poly1305 ", lines[3])
    kdf = _KDF.fullmatch(lines[2])
    if kdf is None or not is_key_name(name):
        raise _malformed("its name or parameters cannot be read")
    cost = Cost(int(kdf[1]), int(kdf[2]), int(kdf[3]))
    sealed = _from_base64(lines[4])
    if len(sealed) <= _TAG_SIZE:
        raise _malformed("it holds no key")
    head = "".join(f"{line}\n" for line in lines[:4]).encode()
    salt = _sized(_from_base64(kdf[4]), _SALT_SIZE)
    return head, name, salt, _sized(_from_base64(nonce), _NONCE_SIZE), cost, sealed


def _cipher(
    passphrase: bytes, salt: bytes, nonce: bytes, cost: Cost
) -> ChaCha20_Poly1305.ChaCha20Poly1305Cipher:
    if not passphrase:
        raise RefusedError("passphrase_missing", "an empty passphrase protects nothing")
    key = scrypt(passphrase, salt, _KEY_SIZE, 1 << cost.log_n, cost.r, cost.p)
    return ChaCha20_Poly1305.new(key=key, nonce=nonce)


def _check_line(body: bytes) -> bytes:
    return f"check {sha256(body).hex()}\n".encode()


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise _malformed("it is not UTF-8") from None


def _after(start: str, line: str) -> str:
    if not line.startswith(start):
        raise _malformed(f"a line does not begin with {start.strip()}")
    return line.removeprefix(start)


def _sized(raw: bytes, size: int) -> bytes:
    if len(raw) != size:
        raise _malformed("its salt or nonce has another length")
    return raw


def _to_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _from_base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text)  # leniently: compared below
    except (binascii.Error, ValueError):
        raw = b""
    if _to_base64(raw) != text:
        raise _malformed("a part of it is not spelled in base64")
    return raw


def _malformed(why: str) -> MalformedError:
    return MalformedError("key_file", f"this is not an encrypted key: {why}")
