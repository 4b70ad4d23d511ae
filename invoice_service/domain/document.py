"""What stands in an invoice's groups, as structs whose fields are in canonical order (RFC 8785).

So they are encoded as they are, without sorting or looking at each value again; a test compares
every one of them with ``chain.canonical``, which does both.
"""

from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from chain import canonical
from chain.errors import MalformedError

from .lifecycle import Type
from .money import Fen
from .numbering import Allotment, format_issued_at
from .tax import TaxKind

_GAP: Final = b"\0"  # JSON escapes every control character: no other byte of a text is this one
_gap: Final = msgspec.Raw(_GAP)
_encode: Final = msgspec.json.Encoder().encode
_encode_sorted: Final = msgspec.json.Encoder(order="deterministic").encode


class Seller(msgspec.Struct, frozen=True):
    """The merchant as it stands on the face."""

    address_phone: str
    bank_account: str
    name: str
    tax_id: str


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """The face before it has a number: what is allotted is left open."""

    amount: Fen
    code: msgspec.Raw = _gap
    currency: str = "CNY"
    district: str
    drawer: str
    industry: str
    issued_at: msgspec.Raw = _gap
    number: msgspec.Raw = _gap
    order_id: str
    payee: str
    remark: str
    reviewer: str
    seller: Seller
    tax: Fen
    total: Fen
    type: Type


class BuyerGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The buyer, every field given."""

    address_phone: str
    kind: str
    name: str
    payment_id: str
    tax_id: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is stored; what is unset is absent.

    A line of what was sold has ``quantity``, ``spec`` and ``unit``, and the price that was given:
    ``unit_price`` (fen), ``unit_price_yuan`` (decimal), or none where only its total was. Directly
    after it may stand one of ``nature`` "discount", with negative amounts and none of these.
    """

    amount: Fen
    name: str
    nature: Literal["discount"] | UnsetType = UNSET
    quantity: str | UnsetType = UNSET
    spec: str | UnsetType = UNSET
    tax: Fen
    tax_kind: TaxKind | UnsetType = UNSET
    tax_rate: str
    unit: str | UnsetType = UNSET
    unit_price: Fen | UnsetType = UNSET
    unit_price_yuan: str | UnsetType = UNSET

    @property
    def total(self) -> Fen:
        """Tax included."""
        return self.amount + self.tax


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """What tells requests apart besides buyer and lines."""

    drawer: str
    order_id: str
    payee: str
    remark: str
    reviewer: str


read_lines: Final = msgspec.json.Decoder(list[Line]).decode
"""The lines of stored bytes; raises msgspec.MsgspecError for what are none."""

_ALLOTTED: Final = ("code", "number", "issued_at")


def write(group: Face | BuyerGroup | list[Line] | Rest) -> bytes:
    """Return the canonical bytes; of a face, with gaps for what is allotted.

    Raises MalformedError ``not_canonical`` for half a surrogate pair.
    """
    try:
        return _encode(group)
    except UnicodeEncodeError:
        raise MalformedError("not_canonical", "a string has half a surrogate pair") from None


def write_open(face: dict[str, Any]) -> bytes:
    """Return the canonical bytes of any face, with gaps for what is allotted."""
    canonical.encode(face)
    return _encode_sorted(face | dict.fromkeys(_ALLOTTED, _gap))


def close_face(face: bytes, allotment: Allotment) -> bytes:
    """Fill the gaps of a face; ValueError for what is no open face."""
    start, after_code, between, end = face.split(_GAP)
    when = format_issued_at(allotment.issued_at)
    return (
        f'"{allotment.code}"'.encode().join((start, after_code))
        + f'"{when}"'.encode()
        + f'"{allotment.number}"'.encode().join((between, end))
    )
