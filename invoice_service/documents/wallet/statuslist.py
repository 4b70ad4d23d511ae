"""Token Status List (draft-ietf-oauth-status-list-21): what has become of credentials, for anyone.

A list is of ``LENGTH`` entries of the log, by their places: two bits each, which say of an invoice
how far it was taken back. The place stands in a credential's receipt, and what takes an invoice
back stands in the log; so a list tells nothing that the log does not, and its index nothing that
the receipt beside it does not. Whoever fetches one tells which 131,072 entries are asked about.
"""

import zlib
from dataclasses import dataclass
from typing import Final, NamedTuple

from chain.entry import Reversal
from chain.errors import MalformedError, VerificationError
from chain.signing.es256 import WalletSigner
from chain.signing.keys import LogKeys
from invoice_service.documents.wallet.sdjwt import (
    Claims,
    check_signature,
    from_base64url,
    named_key,
    parse_jws,
    sign,
    to_base64url,
)

LENGTH: Final = 1 << 17
"""Entries of the log that one list is of; the next ones stand in the next list."""

TYPE: Final = "statuslist+jwt"
MEDIA: Final = f"application/{TYPE}"
LIFE: Final = 2 * 86_400
"""Seconds for which a list is good; it is made anew long before."""

TTL: Final = 300
"""Seconds after which who keeps a list should ask for the next."""

MAX_LIST: Final = 64 << 10
"""In characters; one that cannot be made smaller at all has some 59,000."""

SIZE: Final = LENGTH // 4
_BITS: Final = 2
_EARLY: Final = 300
_VALUES: Final[dict[str, int]] = {"": 0, "full": 1, "part": 3}
"""VALID, INVALID, and what is left to each application."""

_NAMES: Final = {value: name for name, value in _VALUES.items()}


class Place(NamedTuple):
    """Where an entry of the log has its status: the number of a list, the index in it."""

    number: int
    at: int

    @classmethod
    def of(cls, entry: int) -> "Place":
        """That of the log's entry at this index."""
        return cls(*divmod(entry, LENGTH))

    def address(self, issuer: str) -> str:
        """Where the list is."""
        return f"{issuer}/v1/wallet/status/{self.number}"

    def claim(self, issuer: str) -> Claims:
        """The ``status`` of a credential."""
        return {"status_list": {"idx": self.at, "uri": self.address(issuer)}}


def is_taken_back(statuses: bytearray, index: int, how: Reversal) -> bool:
    """Set what stands at ``index``; whether that changed it. What is whole stays so."""
    at, shift = index >> 2, (index & 3) * _BITS
    before = statuses[at] >> shift & 3
    if before in (_VALUES["full"], _VALUES[how]):
        return False
    statuses[at] = statuses[at] & ~(3 << shift) | _VALUES[how] << shift
    return True


def make_list(statuses: bytes, issuer: str, number: int, as_of: "AsOf", by: WalletSigner) -> str:
    """The signed list of these statuses, ``SIZE`` bytes."""
    header: Claims = {"alg": "ES256", "kid": by.verifier.key_id.hex(), "typ": TYPE}
    packed = to_base64url(zlib.compress(statuses, 9))
    claims: Claims = {
        "exp": as_of.at + LIFE,
        "iat": as_of.at,
        "log_size": as_of.size,
        "status_list": {"bits": _BITS, "lst": packed},
        "sub": Place(number, 0).address(issuer),
        "ttl": TTL,
    }
    return sign(header, claims, by)


class AsOf(NamedTuple):
    """When (unix seconds) and of how many of the log's entries a list speaks."""

    at: int
    size: int


@dataclass(frozen=True, slots=True)
class Status:
    """How far an invoice was taken back ("", "part", "full"), and as of when."""

    state: str
    as_of: AsOf


def read_status(text: str, uri: str, index: int, keys: LogKeys, now: int) -> Status:
    """What a list says at ``index``, or raise a Problem.

    1. it is a status list in its one spelling, of the size that ours have: else MalformedError
       ``status_list``;
    2. a key that the log's statements name for wallets signed it: else ``signature_missing``,
       ``key_revoked``, ``signature``;
    3. it is the list that the credential names (``uri``): else ``status_other``;
    4. it was made by now, and has not expired: else ``status_expired``.
    """
    if len(text) > MAX_LIST:
        raise _malformed(f"it has more than {MAX_LIST} characters")
    try:
        signed = parse_jws(text)
    except MalformedError as problem:
        raise _malformed(problem.detail) from problem
    key_id, claims = signed.header.get("kid"), signed.claims
    if signed.header != {"alg": "ES256", "kid": key_id, "typ": TYPE}:
        raise _malformed("it is of another kind")
    check_signature(signed, named_key(key_id, keys))
    numbers = [claims.get(name) for name in ("iat", "exp", "log_size")]
    made, expires, size = (one if type(one) is int else -1 for one in numbers)
    if claims.get("sub") != uri:
        raise VerificationError("status_other", "this is another list than the credential names")
    if not made <= now + _EARLY or not now < expires:
        raise VerificationError("status_expired", "this status list is past its time: fetch it")
    value = _unpacked(claims.get("status_list"))[index >> 2] >> (index & 3) * _BITS & 3
    if value not in _NAMES:
        raise _malformed("it says what has no meaning")
    return Status(_NAMES[value], AsOf(made, size))


def _unpacked(value: object) -> bytes:
    packed = value.get("lst") if isinstance(value, dict) else None
    if value != {"bits": _BITS, "lst": packed} or not isinstance(packed, str):
        raise _malformed("it has no list of two bits each")
    unpacking = zlib.decompressobj()
    try:
        found = unpacking.decompress(from_base64url(packed), SIZE + 1)
    except (zlib.error, MalformedError):
        raise _malformed("what is in it cannot be unpacked") from None
    if len(found) != SIZE or not unpacking.eof or unpacking.unused_data:
        raise _malformed(f"it is not of {LENGTH} entries")
    return found


def _malformed(why: str) -> MalformedError:
    return MalformedError("status_list", f"this is not a status list of ours: {why}")
