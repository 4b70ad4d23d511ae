"""What stands in an invoice's groups, as structs whose fields are in canonical order (RFC 8785).

So they are encoded as they are, without sorting or looking at each value again; a test compares
every one of them with ``chain.canonical``, which does both.

A *form* is a face with gaps for what differs from one invoice to the next. A gap is the name of
the value between two zero bytes; JSON escapes every control character, so that no text has one.
"""

from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from chain import canonical
from chain.errors import MalformedError

from .money import Fen
from .numbering import format_issued_at
from .tax import TaxKind

_GAP: Final = b"\0"
_encode: Final = msgspec.json.Encoder().encode
_encode_sorted: Final = msgspec.json.Encoder(order="deterministic").encode


class Seller(msgspec.Struct, frozen=True):
    """The merchant as it stands on the face."""

    address_phone: str
    bank_account: str
    name: str
    tax_id: str


def _gap(name: str) -> msgspec.Raw:
    return msgspec.Raw(_GAP + name.encode() + _GAP)


DAY: Final = _gap("business_day")
"""In a form, for orders of any day."""


class BlueForm(msgspec.Struct, frozen=True, kw_only=True):
    """A blue invoice's face: what has a column of its own in the store is left open."""

    amount: msgspec.Raw = _gap("amount")
    business_day: msgspec.Raw | UnsetType = UNSET
    code: msgspec.Raw = _gap("code")
    currency: str = "CNY"
    district: str
    drawer: str
    industry: str
    issued_at: msgspec.Raw = _gap("issued_at")
    number: msgspec.Raw = _gap("number")
    order_id: msgspec.Raw = _gap("order_id")
    order_total: Fen | UnsetType = UNSET
    part: int | UnsetType = UNSET
    parts: int | UnsetType = UNSET
    payee: str
    remark: str
    replaces: str | UnsetType = UNSET
    reviewer: str
    seller: Seller
    tax: msgspec.Raw = _gap("tax")
    till: str | UnsetType = UNSET
    total: msgspec.Raw = _gap("total")
    type: str = "blue"


class BuyerGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The buyer, every field given."""

    address_phone: str
    kind: str
    name: str
    payment_id: str
    tax_id: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is stored; what is unset is absent.

    On a red invoice over a part, ``line`` is the number of the blue line that it takes from, and
    ``nature`` "allowance" means money alone, without a quantity.

    A line of what was sold has ``quantity``, ``spec`` and ``unit``, and the price that was given:
    ``unit_price`` (fen), ``unit_price_yuan`` (decimal), or none where only its total was. Directly
    after it may stand one of ``nature`` "discount", with negative amounts and none of these.
    """

    amount: Fen
    line: int | UnsetType = UNSET
    name: str
    nature: Literal["discount", "allowance"] | UnsetType = UNSET
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

    business_day: str | UnsetType = UNSET
    drawer: str
    order_id: str
    order_total: Fen | UnsetType = UNSET
    part: int | UnsetType = UNSET
    parts: int | UnsetType = UNSET
    payee: str
    prepaid: str | UnsetType = UNSET
    remark: str
    replaces: str | UnsetType = UNSET
    reviewer: str
    till: str | UnsetType = UNSET


read_lines: Final = msgspec.json.Decoder(list[Line]).decode
"""The lines of stored bytes; raises msgspec.MsgspecError for what are none."""

_ALLOTTED: Final = {name: _gap(name) for name in ("code", "number", "issued_at")}


def write(group: BlueForm | BuyerGroup | list[Line] | Rest) -> bytes:
    """Return the canonical bytes; of a form, with its gaps.

    Raises MalformedError ``not_canonical`` for half a surrogate pair.
    """
    try:
        return _encode(group)
    except UnicodeEncodeError:
        raise MalformedError("not_canonical", "a string has half a surrogate pair") from None


def write_open(face: dict[str, Any]) -> bytes:
    """Return the canonical bytes of any face, with gaps for what is allotted."""
    canonical.encode(face)
    return _encode_sorted(face | _ALLOTTED)


def fill(
    form: bytes,
    *,
    amount: Fen,
    code: str,
    issued_at: int,
    number: str,
    order_id: str,
    tax: Fen,
    total: Fen,
    business_day: str = "",
) -> bytes:
    """Return the face: the form with these values in its gaps; ValueError for what is no form."""
    values = {
        b"amount": b"%d" % amount,
        b"business_day": _encode(business_day),
        b"code": _encode(code),
        b"issued_at": _encode(format_issued_at(issued_at)),
        b"number": _encode(number),
        b"order_id": _encode(order_id),
        b"tax": b"%d" % tax,
        b"total": b"%d" % total,
    }
    parts = form.split(_GAP)
    if not len(parts) % 2:
        raise ValueError("a gap does not end")
    try:
        parts[1::2] = [values[name] for name in parts[1::2]]
    except KeyError as name:
        raise ValueError(f"a form has no gap {name}") from None
    return b"".join(parts)
