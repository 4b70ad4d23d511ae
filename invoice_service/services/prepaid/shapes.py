"""What wallets say of prepaid accounts, and merchants of meals that are paid from them."""

from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chain.hashing import sha256
from invoice_service.domain.reading import Wire, read_json
from invoice_service.domain.request import Bill
from invoice_service.domain.text import check_identifier, check_name, given_text

LONGEST_TEXT: Final = 500
MOST_BYTES: Final = 16_384
"""Of one call: what it says has a few hundred."""

RequestId = Annotated[str, Meta(min_length=1, max_length=64)]
Terms = Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT)]
Why = Annotated[str, Meta(max_length=200)]


class PrepaidRequest(Wire, frozen=True):
    """Money that a wallet has taken in for a customer and holds; ``merchant`` is a tax id.

    ``expires_at`` is a time: from then on what is left is to be paid back.
    """

    request_id: RequestId
    merchant: str
    amount: Bill
    terms: Terms
    expires_at: str


class RefundRequest(Wire, frozen=True):
    """What the wallet has paid back to the customer: ``amount`` (fen), or all that is held."""

    request_id: RequestId
    amount: Bill | UnsetType = UNSET
    reason: Why = ""


class RefusalRequest(Wire, frozen=True):
    """A meal that the wallet does not pay: its invoice's hash, and why."""

    request_id: RequestId
    hash: str
    reason: Why = ""


class ReleaseRequest(Wire, frozen=True):
    """A meal that was issued before, and is to be paid from here."""

    hash: str


_Said = TypeVar("_Said", PrepaidRequest, RefundRequest, RefusalRequest)
_encode: Final = msgspec.json.Encoder().encode
_PREFIX: Final = b"fapiao/v1/prepaid\n"

OPEN: Final = msgspec.json.Decoder(PrepaidRequest)
REFUND: Final = msgspec.json.Decoder(RefundRequest)
REFUSAL: Final = msgspec.json.Decoder(RefusalRequest)
RELEASE: Final = msgspec.json.Decoder(ReleaseRequest)


def read_said(body: bytes, decoder: msgspec.json.Decoder[_Said]) -> _Said:
    """What a wallet says; MalformedError as ``read_json``, ``check_identifier``, ``check_name``."""
    said = read_json(body, decoder, max_bytes=MOST_BYTES)
    check_identifier(said.request_id, "/request_id")
    if isinstance(said, PrepaidRequest):
        check_name(said.terms, "/terms")
        return said
    return msgspec.structs.replace(said, reason=given_text(said.reason, "/reason"))


def digest_of(of: str, said: _Said) -> bytes:
    """What two calls must share to be the same one; ``of`` is what they are about."""
    return bytes(sha256(_PREFIX + of.encode() + b"\n" + _encode(said)))
