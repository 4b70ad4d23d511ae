"""Text signed by one or more keys: C2SP signed-note, with Ed25519 (RFC 8032).

Witnesses also sign with ML-DSA-44 (FIPS 204); what it is over stands in ``subtree``.

A key is known by its name and the four bytes of its id. Who opens a note says which keys
count: signatures of other keys are passed over, one bad signature of a known key refuses
the note.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

from Crypto.PublicKey import MLDSA
from Crypto.PublicKey.ECC import EccKey
from Crypto.Signature import eddsa, mldsa
from Crypto.Signature.eddsa import EdDSASigScheme
from Crypto.Signature.mldsa import MLDSASigScheme

from chain.errors import MalformedError, VerificationError
from chain.hashing import sha256
from chain.signing.ed25519 import Ed25519Verifier, in_prime_group
from chain.signing.subtree import MAX_NAME, whole_tree_message

ED25519 = 0x01
"""Signature type: Ed25519 over the note's text."""

COSIGNATURE_V1 = 0x04
"""Signature type: a witness's timestamped Ed25519 signature over a checkpoint."""

ML_DSA_44 = 0x06
"""Signature type: a witness's timestamped ML-DSA-44 signature over a checkpoint's tree."""

KEY_SIZE = 32
ML_DSA_KEY_SIZE = 1312
SIGNATURE_SIZE = 64
ML_DSA_SIGNATURE_SIZE = 2420
MAX_SIGNATURES = 100
MAX_NOTE_SIZE = 1_000_000
"""In bytes; room for post-quantum signatures of other people's witnesses."""

STRUCTURE: Final = b"\x84"
"""How the bytes begin that are signed in another way than as text."""

_KEY_ID_SIZE = 4
_TIMESTAMP_SIZE = 8
_MAX_TIMESTAMP = 2**63 - 1
_SECRET_PREFIX = "PRIVATE+KEY+"  # noqa: S105  # how the text of a secret key begins
_DASH = "\u2014 "
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_NO_TEXT = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line; ``payload`` is what stands behind the key id."""

    name: str
    key_id: bytes
    payload: bytes

    def line(self) -> str:
        """Return the line, with its line feed."""
        return f"{_DASH}{self.name} {_to_base64(self.key_id + self.payload)}\n"

    @property
    def timestamp(self) -> int | None:
        """A cosignature's POSIX seconds; None for other types, told by their length."""
        sizes = (SIGNATURE_SIZE, ML_DSA_SIGNATURE_SIZE)
        if len(self.payload) - _TIMESTAMP_SIZE not in sizes:
            return None
        return int.from_bytes(self.payload[:_TIMESTAMP_SIZE], "big")


class NoteSigner(Protocol):
    """What signs a note: a key, or what makes another kind of line with one."""

    @property
    def name(self) -> str:
        """The key's name."""
        ...

    @property
    def key_id(self) -> bytes:
        """The id that its line has."""
        ...

    def sign(self, text: str) -> Signature:
        """Sign a note's text; MalformedError for what it signs not."""
        ...


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name; make one with ``parse`` or ``SignerKey.verifier``."""

    name: str
    kind: int
    public: bytes
    key_id: bytes = field(init=False)
    _scheme: Ed25519Verifier | MLDSASigScheme = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.kind == ML_DSA_44:
            scheme: Ed25519Verifier | MLDSASigScheme = _ml_dsa_scheme(self.name, self.public)
        elif self.kind in (ED25519, COSIGNATURE_V1):
            scheme = Ed25519Verifier(_public_key(self.public), self.public)
        else:
            raise MalformedError("key_type", "this type of key is not known here")
        object.__setattr__(self, "key_id", _key_id(self.name, self.kind, self.public))
        object.__setattr__(self, "_scheme", scheme)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name+<8 hex key id>+base64(type || public key)``.

        Raises MalformedError: ``key_text``, ``key_type``, ``key_weak``, ``key_id``.
        """
        name, key_id, raw = _split_key(text)
        key = cls(name, raw[0], raw[1:])
        if key.key_id.hex() != key_id:
            raise MalformedError("key_id", "the key id does not belong to this name and key")
        return key

    def text(self) -> str:
        """Return the key as ``parse`` reads it."""
        encoded = _to_base64(bytes([self.kind]) + self.public)
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def verify(self, text: str, signature: Signature) -> None:
        """Check one signature over a note's text; VerificationError ``signature`` if it fails."""
        message, raw = self._signed(text, signature)
        try:
            self._scheme.verify(message, raw)
        except ValueError:
            raise _bad_signature(self.name) from None

    def verify_structure(self, message: bytes, signature: bytes) -> None:
        """Check what ``SignerKey.sign_structure`` signed; VerificationError ``signature``."""
        if self.kind != ED25519 or message[:1] != STRUCTURE:
            raise _bad_signature(self.name)
        try:
            self._scheme.verify(message, signature)
        except ValueError:
            raise _bad_signature(self.name) from None

    def _signed(self, text: str, signature: Signature) -> tuple[bytes, bytes]:
        """What must have been signed, and the bare signature."""
        if self.kind == ED25519:
            return text.encode(), signature.payload
        time = signature.timestamp
        if time is None or time > _MAX_TIMESTAMP:
            raise _bad_signature(self.name)
        raw = signature.payload[_TIMESTAMP_SIZE:]
        if self.kind == COSIGNATURE_V1:
            return f"cosignature/v1\ntime {time}\n{text}".encode(), raw
        try:
            return whole_tree_message(self.name, time, text), raw
        except MalformedError:
            raise _bad_signature(self.name) from None


@dataclass(frozen=True, slots=True)
class OtherKey:
    """A key of a type that is not known here: nothing by it can be checked."""

    name: str
    kind: int
    key_id: bytes
    public: bytes


def parse_any_key(text: str) -> VerifierKey | OtherKey:
    """Read a key of any type; of one that is not known, only the spelling. Errors as ``parse``."""
    name, key_id, raw = _split_key(text)
    if raw[0] in (ED25519, COSIGNATURE_V1, ML_DSA_44):
        return VerifierKey.parse(text)
    _check_name(name)
    if not _KEY_ID.fullmatch(key_id) or len(raw) == 1:
        raise _bad_key_text()
    return OtherKey(name, raw[0], bytes.fromhex(key_id), raw[1:])


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A secret Ed25519 key with its name; never shown by ``repr``."""

    name: str
    _seed: bytes = field(repr=False)
    verifier: VerifierKey = field(init=False)
    _scheme: EdDSASigScheme = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        secret = eddsa.import_private_key(_check_key_size(self._seed))
        public = secret.public_key().export_key(format="raw")
        object.__setattr__(self, "verifier", VerifierKey(self.name, ED25519, public))
        object.__setattr__(self, "_scheme", eddsa.new(secret, "rfc8032"))

    @classmethod
    def generate(cls, name: str, randbytes: Callable[[int], bytes]) -> Self:
        """Make a new key; ``randbytes`` must be fit for secrets."""
        return cls(name, randbytes(KEY_SIZE))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``PRIVATE+KEY+name+<8 hex key id>+base64(type || seed)``; errors as VerifierKey."""
        name, key_id, seed = parse_secret_key(text, ED25519)
        key = cls(name, seed)
        if key.verifier.key_id.hex() != key_id:
            raise MalformedError("key_id", "the key id does not belong to this name and key")
        return key

    @property
    def key_id(self) -> bytes:
        """The id of the public key."""
        return self.verifier.key_id

    def text(self) -> str:
        """Return the secret key as ``parse`` reads it."""
        return secret_key_text(self.verifier, self._seed)

    def sign(self, text: str) -> Signature:
        """Sign a note's text; MalformedError ``note`` for what no note can hold."""
        _check_text(text)
        return Signature(self.name, self.verifier.key_id, self._scheme.sign(text.encode()))

    def sign_structure(self, message: bytes) -> bytes:
        """Sign what COSE signs: an array of four, which begins as no text in UTF-8 can.

        So no signature over a note is ever one over such an array, or the other way round. Raises
        MalformedError ``cose_structure`` for anything else.
        """
        if message[:1] != STRUCTURE:
            raise MalformedError("cose_structure", "only arrays of four are signed in this way")
        return self._scheme.sign(message)


def parse_secret_key(text: str, kind: int) -> tuple[str, str, bytes]:
    """Take the text of a secret key apart: name, key id, and what stands behind the type."""
    if not text.startswith(_SECRET_PREFIX):
        raise MalformedError("key_text", "this is not the text of a secret key")
    name, key_id, raw = _split_key(text.removeprefix(_SECRET_PREFIX))
    if raw[0] != kind:
        raise MalformedError("key_type", "this type of key is not known here")
    return name, key_id, raw[1:]


def secret_key_text(public: VerifierKey, seed: bytes) -> str:
    """Return the text of the secret key behind ``public``."""
    encoded = _to_base64(bytes([public.kind]) + seed)
    return f"{_SECRET_PREFIX}{public.name}+{public.key_id.hex()}+{encoded}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures; ``open_note`` returns only those that it checked."""

    text: str
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """Return the note as ``parse_note`` reads it."""
        lines = "".join(signature.line() for signature in self.signatures)
        return f"{self.text}\n{lines}".encode()


def sign_note(text: str, *signers: NoteSigner) -> bytes:
    """Return ``text`` as a note signed by all ``signers``; MalformedError ``note``."""
    return Note(text, tuple(signer.sign(text) for signer in signers)).to_bytes()


def is_key_name(name: str) -> bool:
    """Tell whether a key, and so a log, can have this name."""
    bad = any(
        char == "+" or char < " " or char.isspace() or "\ud800" <= char <= "\udfff" for char in name
    )
    return bool(name) and not bad


def parse_note(data: bytes) -> Note:
    """Take a note apart without believing it; MalformedError ``note`` for any other spelling."""
    if len(data) > MAX_NOTE_SIZE:
        raise _malformed(f"it is longer than {MAX_NOTE_SIZE} bytes")
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError:
        raise _malformed("it is not UTF-8") from None
    text, gap, lines = content.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise _malformed("it has no empty line followed by signature lines")
    text += "\n"
    _check_text(text)
    if lines.count("\n") > MAX_SIGNATURES:
        raise _malformed(f"it has more than {MAX_SIGNATURES} signatures")
    return Note(text, tuple(_parse_line(line) for line in lines[:-1].split("\n")))


def open_note(data: bytes, keys: Sequence[VerifierKey]) -> Note:
    """Return the text and one signature for each of ``keys`` that signed, all of them checked.

    Raises MalformedError ``note``; VerificationError ``signature`` when a known key's
    signature fails, ``signature_missing`` when there is none by a known key.
    """
    note = parse_note(data)
    known = {(key.name, key.key_id): key for key in keys}
    if len(known) != len(set(keys)):
        raise MalformedError("key_ambiguous", "two different keys have the same name and id")
    checked: dict[tuple[str, bytes], Signature] = {}
    for signature in dict.fromkeys(note.signatures):
        who = (signature.name, signature.key_id)
        if who in known:
            known[who].verify(note.text, signature)
            checked.setdefault(who, signature)
    if not checked:
        raise VerificationError("signature_missing", "none of the keys asked for signed this note")
    return Note(note.text, tuple(checked.values()))


def _parse_line(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not is_key_name(name):
        raise _malformed("a line below the text is not a signature")
    raw = _from_base64(encoded)
    if raw is None or len(raw) <= _KEY_ID_SIZE:
        raise _malformed("a signature is not spelled in base64")
    return Signature(name, raw[:_KEY_ID_SIZE], raw[_KEY_ID_SIZE:])


def _split_key(text: str) -> tuple[str, str, bytes]:
    parts = text.split("+", 2)
    raw = _from_base64(parts[2]) if len(parts) == 3 else None
    if not raw:
        raise _bad_key_text()
    return parts[0], parts[1], raw


def _public_key(public: bytes) -> EccKey:
    """Read a public key; MalformedError ``key_weak`` unless its order is the group's prime.

    The library takes keys of low order, for which one signature fits many texts.
    """
    try:
        key = eddsa.import_public_key(_check_key_size(public))
    except ValueError:
        raise MalformedError("key_text", "the public key is not a point of the curve") from None
    if key.pointQ.is_point_at_infinity() or not in_prime_group(key):
        raise MalformedError("key_weak", "the public key has low order: anybody can sign for it")
    return key


def _ml_dsa_scheme(name: str, public: bytes) -> MLDSASigScheme:
    """Read an ML-DSA-44 key; each text of its length is one."""
    if len(name.encode()) > MAX_NAME:
        raise MalformedError("key_text", f"the name of such a key has at most {MAX_NAME} bytes")
    if len(public) != ML_DSA_KEY_SIZE:
        raise MalformedError("key_text", f"an ML-DSA-44 key has {ML_DSA_KEY_SIZE} bytes")
    return mldsa.new(MLDSA.construct(param_set=MLDSA.ML_DSA_44, pk=public))


def _check_key_size(key: bytes) -> bytes:
    if len(key) != KEY_SIZE:  # the library would take 57 bytes as a key of another curve
        raise MalformedError("key_text", f"a key has {KEY_SIZE} bytes")
    return key


def _key_id(name: str, kind: int, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([kind]) + public)[:_KEY_ID_SIZE]


def _check_name(name: str) -> None:
    if not is_key_name(name):
        raise MalformedError("key_text", "a key's name has no spaces, control characters or plus")


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise _malformed("its text does not end in a line feed")
    if _NO_TEXT.search(text):
        raise _malformed("it has a control character, or half of one that takes two")


def _to_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _from_base64(text: str) -> bytes | None:
    """Return the bytes if ``text`` is their one spelling (RFC 4648, section 4, padded)."""
    try:
        raw = base64.b64decode(text)  # leniently: compared below
    except (binascii.Error, ValueError):
        return None
    return raw if _to_base64(raw) == text else None


def _bad_key_text() -> MalformedError:
    return MalformedError("key_text", "a key is written name+id+base64 of its type and itself")


def _bad_signature(name: str) -> VerificationError:
    return VerificationError("signature", f"the signature by {name} fails")


def _malformed(why: str) -> MalformedError:
    return MalformedError("note", f"this is not a signed note: {why}")
