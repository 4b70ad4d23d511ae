"""SD-JWT (RFC 9901): claims that are signed, some of which their holder may keep back.

A claim that may be kept back stands as a digest among the signed ones, and travels beside them as
a *disclosure*. Two common libraries pass over a disclosure whose digest nobody signed: a claim
that was changed is then missing, without a word. Here each must have its place, once; and there
is one spelling of everything: base64url without padding, canonical JSON.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from chain import canonical
from chain.canonical import JsonValue
from chain.errors import MalformedError, VerificationError
from chain.hashing import sha256
from chain.signing.es256 import WalletKey, WalletSigner
from chain.signing.keys import LogKeys

MAX_CREDENTIAL: Final = 64 << 10
"""In characters."""

TYPE: Final = "dc+sd-jwt"
SALT_SIZE: Final = 16
_DIGESTS, _PLACE = "_sd", "..."
_MOST: Final = 64
_PARTS: Final = 3

Claims = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A claim apart: its name (None for an element of an array), its value, its text."""

    name: str | None
    value: JsonValue
    text: str

    @classmethod
    def make(
        cls, name: str | None, value: JsonValue, randbytes: Callable[[int], bytes]
    ) -> "Disclosure":
        """Put a claim apart, behind a salt of its own."""
        salt = to_base64url(randbytes(SALT_SIZE))
        parts: list[JsonValue] = [salt, value] if name is None else [salt, name, value]
        return cls(name, value, to_base64url(canonical.encode(parts)))

    @classmethod
    def parse(cls, text: str) -> "Disclosure":
        """Read one; MalformedError ``credential``."""
        match _json(text):
            case [str(), str(name), value] if name not in (_DIGESTS, _PLACE):
                return cls(name, value, text)
            case [str(), value]:
                return cls(None, value, text)
        raise malformed("a part of it is no claim")

    @property
    def digest(self) -> str:
        """What stands for it among the signed claims."""
        return digest_of(self.text)

    def place(self) -> Claims:
        """What stands for it in an array."""
        return {_PLACE: self.digest}


class Signed(NamedTuple):
    """A JWS in its parts: what was signed, as text, and the signature."""

    header: Claims
    claims: Claims
    text: str
    signature: bytes


class Presented(NamedTuple):
    """An SD-JWT as it came: what the issuer signed, what is disclosed, whoever holds it."""

    signed: Signed
    disclosures: tuple[Disclosure, ...]
    holder: Signed | None
    shown: str
    """All but the holder's own part, which that is about."""


def digest_of(text: str) -> str:
    """The digest of a part as it is spelled."""
    return to_base64url(sha256(text.encode()))


def sign(header: Mapping[str, JsonValue], claims: Mapping[str, JsonValue], by: WalletSigner) -> str:
    """Return a JWS in its compact form."""
    text = ".".join(to_base64url(canonical.encode(dict(part))) for part in (header, claims))
    return f"{text}.{to_base64url(by.sign(text.encode()))}"


def join(jwt: str, disclosures: Sequence[Disclosure]) -> str:
    """The whole SD-JWT, without a part of its holder."""
    return "".join(f"{part}~" for part in (jwt, *(one.text for one in disclosures)))


def digests(disclosures: Sequence[Disclosure]) -> Claims:
    """What stands for named claims beside others."""
    found: list[JsonValue] = [*sorted(one.digest for one in disclosures)]
    return {_DIGESTS: found}


def parse_presented(text: str) -> Presented:
    """Take an SD-JWT apart without believing it; MalformedError ``credential``."""
    if len(text) > MAX_CREDENTIAL:
        raise malformed(f"it has more than {MAX_CREDENTIAL} characters")
    shown, tilde, own = text.rpartition("~")
    jwt, *parts = shown.split("~")
    if not tilde or len(parts) > _MOST:
        raise malformed("it does not have the parts of one")
    return Presented(
        parse_jws(jwt),
        tuple(map(Disclosure.parse, parts)),
        parse_jws(own, any_json) if own else None,
        f"{shown}~",
    )


def parse_jws(text: str, read: Callable[[bytes], JsonValue] | None = None) -> Signed:
    """Take a JWS apart; MalformedError ``credential``. Without ``read``, one spelling of JSON."""
    parts = text.split(".")
    if len(parts) != _PARTS:
        raise malformed("what is signed in it has not three parts")
    header, claims = (_object(part, read) for part in parts[:2])
    return Signed(header, claims, ".".join(parts[:2]), from_base64url(parts[2]))


def check_signature(signed: Signed, key: WalletKey) -> None:
    """VerificationError ``signature`` unless that key signed it."""
    key.verify(signed.text.encode(), signed.signature)


def named_key(key_id: object, keys: LogKeys) -> WalletKey:
    """The key of that id among those that a log's statements name for wallets.

    VerificationError ``key_revoked``, ``signature_missing``.
    """
    for known in keys.wallet_revoked:
        if known.key_id.hex() == key_id:
            raise VerificationError("key_revoked", "a key signed this that was stolen or lost")
    for known in keys.wallet:
        if known.key_id.hex() == key_id:
            return known
    raise VerificationError(
        "signature_missing", "no key signed this that the log's statements name for wallets"
    )


def disclosed(presented: Presented) -> Claims:
    """Return the claims with what is disclosed in its places, and what is kept back left out.

    VerificationError ``disclosure_unknown`` for one that has no place, or more than one.
    """
    waiting = {one.digest: one for one in presented.disclosures}
    if len(waiting) < len(presented.disclosures):
        raise _unknown()
    taken: set[str] = set()
    claims = _filled(presented.signed.claims, waiting, taken)
    if waiting or not isinstance(claims, dict):
        raise _unknown()
    return claims


def _filled(value: JsonValue, waiting: dict[str, Disclosure], taken: set[str]) -> JsonValue:
    if isinstance(value, list):
        places = [(one, _place_of(one)) for one in value]
        found = [
            (one, None if place is None else _take(place, waiting, taken, named=False))
            for one, place in places
        ]
        return [
            _filled(one if got is None else got.value, waiting, taken)
            for (one, got), (_, place) in zip(found, places, strict=True)
            if place is None or got is not None
        ]
    if not isinstance(value, dict):
        return value
    claims = {name: _filled(one, waiting, taken) for name, one in value.items() if name != _DIGESTS}
    for digest in _digests_of(value):
        one = _take(digest, waiting, taken, named=True)
        if one is None:
            continue
        if one.name is None or one.name in claims:
            raise _unknown()
        claims[one.name] = _filled(one.value, waiting, taken)
    return claims


def _place_of(value: JsonValue) -> str | None:
    """The digest that stands for an element of an array; None for one that stands there itself."""
    if isinstance(value, dict) and _PLACE in value:
        digest = value[_PLACE]
        if len(value) == 1 and isinstance(digest, str):
            return digest
        raise malformed("a place in it is spelled in another way")
    return None


def _digests_of(value: Claims) -> list[str]:
    found = value.get(_DIGESTS, [])
    texts = [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
    if not isinstance(found, list) or len(texts) != len(found):
        raise malformed("a digest in it is none")
    return texts


def _take(
    digest: str, waiting: dict[str, Disclosure], taken: set[str], *, named: bool
) -> Disclosure | None:
    if digest in taken:
        raise _unknown()
    taken.add(digest)
    one = waiting.pop(digest, None)
    if one is not None and (one.name is not None) != named:
        raise _unknown()
    return one


def to_base64url(raw: bytes) -> str:
    """Base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes of their one spelling; MalformedError ``credential``."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))  # leniently: compared below
    except (binascii.Error, ValueError):
        raise malformed("a part of it is not base64url") from None
    if to_base64url(raw) != text:
        raise malformed("a part of it is not base64url in its one spelling")
    return raw


def _object(text: str, read: Callable[[bytes], JsonValue] | None) -> Claims:
    value = _json(text, read)
    if not isinstance(value, dict):
        raise malformed("a part of it is no JSON object")
    return value


def any_json(data: bytes) -> JsonValue:
    """As wallets of others spell it."""
    return canonical.decode(data)


def _json(text: str, read: Callable[[bytes], JsonValue] | None = None) -> JsonValue:
    try:
        return (read or canonical.decode_canonical)(from_base64url(text))
    except MalformedError as error:
        raise malformed(error.detail) from error


def malformed(why: str) -> MalformedError:
    """What is no credential of ours."""
    return MalformedError("credential", f"this is not a receipt for wallets: {why}")


def _unknown() -> VerificationError:
    return VerificationError(
        "disclosure_unknown", "a claim was changed or added: nobody signed it as it stands here"
    )
