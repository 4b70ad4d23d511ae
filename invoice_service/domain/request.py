"""What a merchant sends to have an invoice issued or reversed: one JSON object each."""

import re
from operator import is_
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chain.errors import MalformedError

from .lifecycle import Reason
from .merchant import check_tax_id
from .money import LIMIT
from .orders import check_place
from .quantity import parse_quantity
from .reading import Wire, read_json
from .text import LONGEST_TILL, check_identifier, check_name, given_texts

MAX_BYTES: Final = 1 << 20
MAX_LINES: Final = 2_000
"""Of one invoice, unless the settings say otherwise."""

Text100 = Annotated[str, Meta(max_length=100)]
Text40 = Annotated[str, Meta(max_length=40)]
Remark = Annotated[str, Meta(max_length=230)]
Amount = Annotated[int, Meta(ge=-LIMIT, le=LIMIT)]
LineNumber = Annotated[int, Meta(ge=1, le=2 * MAX_LINES)]
Required = Annotated[str, Meta(min_length=1, max_length=100)]
Till = Annotated[str, Meta(min_length=1, max_length=LONGEST_TILL)]
Part = Annotated[int, Meta(ge=1, le=5)]
Bill = Annotated[int, Meta(ge=1, le=LIMIT)]
PrepaidId = Annotated[str, Meta(min_length=1, max_length=32)]

_KEY = re.compile(r"[!-~]{1,255}")


class Buyer(Wire, frozen=True):
    """Who gets the invoice; a company must have a name and a tax id.

    An ``organisation`` is whoever is no person and has no Chinese tax id: a public body, a foreign
    firm. It must have a name.
    """

    kind: Literal["individual", "company", "organisation"] = "individual"
    name: Text100 = ""
    tax_id: Text40 = ""
    address_phone: Text100 = ""
    payment_id: Text100 = ""


class LineRequest(Wire, frozen=True):
    """One thing sold; all money includes tax, and is in fen but for ``unit_price_yuan``.

    It has one of ``unit_price``, ``unit_price_yuan`` (a decimal string) and ``total``; ``quantity``
    is "1" when unset. ``discount`` is taken off the line.
    """

    name: Required
    tax_rate: str
    unit_price: Amount | UnsetType = UNSET
    unit_price_yuan: str | UnsetType = UNSET
    total: Amount | UnsetType = UNSET
    discount: Amount = 0
    quantity: str | UnsetType = UNSET
    spec: Text40 = ""
    unit: Text40 = ""
    tax_kind: Literal["zero", "exempt", "untaxed"] | UnsetType = UNSET


class InvoiceRequest(Wire, frozen=True):
    """An invoice to issue; ``total``, ``amount``, ``tax`` in fen are checked when given.

    ``discount`` is taken off the whole order, and spread over its lines. ``prepaid`` is the account
    that pays it; no part of the document.
    """

    order_id: Annotated[str, Meta(min_length=1, max_length=64)]
    lines: Annotated[list[LineRequest], Meta(min_length=1)]
    buyer: Buyer = Buyer()
    discount: Amount = 0
    total: Amount | UnsetType = UNSET
    amount: Amount | UnsetType = UNSET
    tax: Amount | UnsetType = UNSET
    remark: Remark = ""
    drawer: Text40 = ""
    payee: Text40 = ""
    reviewer: Text40 = ""
    till: Till | UnsetType = UNSET
    business_day: str | UnsetType = UNSET
    part: Part | UnsetType = UNSET
    parts: Part | UnsetType = UNSET
    order_total: Bill | UnsetType = UNSET
    replaces: str | UnsetType = UNSET
    prepaid: PrepaidId | UnsetType = UNSET


class BatchRecord(InvoiceRequest, frozen=True):
    """One of many; its key is that of the call, and no part of the invoice."""

    idempotency_key: str | UnsetType = UNSET


class ReturnedLine(Wire, frozen=True):
    """So much of one line to take back; all that is left of it when ``quantity`` is unset.

    ``line`` is the number of the stored line, counted from 1.
    """

    line: LineNumber
    quantity: str | UnsetType = UNSET


class ReversalRequest(Wire, frozen=True):
    """What to take back: ``lines``, or an ``amount`` (fen, tax included), or all that is left.

    ``rate`` says from which rate the amount is taken, where there are several, and ``tax_kind``
    from which kind of rate 0.
    """

    reason: Reason
    lines: Annotated[list[ReturnedLine], Meta(min_length=1)] | UnsetType = UNSET
    amount: Amount | UnsetType = UNSET
    rate: str | UnsetType = UNSET
    tax_kind: Literal["zero", "exempt", "untaxed"] | UnsetType = UNSET

    @property
    def whole(self) -> bool:
        """Whether all that is left is asked for."""
        return self.lines is UNSET and self.amount is UNSET


def parse_request(
    body: bytes, *, max_bytes: int = MAX_BYTES, max_lines: int = MAX_LINES
) -> InvoiceRequest:
    """Read one issue request and check its texts, its buyer and how many lines it has.

    Texts of which nothing can be seen are left out.

    Raises MalformedError as ``read_json`` does, and: too_many_lines, price_twice,
    control_character, text_damaged, identifier_ambiguous, buyer_incomplete, tax_id_invalid,
    business_day_invalid, parts_invalid, password_area. Money is checked when the invoice is
    prepared.
    """
    request = read_json(body, _decoder, max_bytes=max_bytes)
    return check_request(request, max_lines)


def parse_record(
    body: bytes, *, max_bytes: int = MAX_BYTES, max_lines: int = MAX_LINES
) -> tuple[InvoiceRequest, str]:
    """Read one record of a batch: the request, and its Idempotency-Key or "".

    Raises MalformedError as ``parse_request`` and ``check_idempotency_key`` do.
    """
    record = read_json(body, _record_decoder, max_bytes=max_bytes)
    if record.idempotency_key is UNSET:
        return check_request(record, max_lines), ""
    key = check_idempotency_key(record.idempotency_key, "/idempotency_key")
    return check_request(record, max_lines), key


def parse_reversal(body: bytes, *, max_bytes: int = MAX_BYTES) -> ReversalRequest:
    """Read one reversal request; quantities get their one spelling, lines their order.

    Raises MalformedError as ``read_json`` and ``parse_quantity`` do, and: return_unclear,
    amount_not_positive, line_twice.
    """
    request = read_json(body, _reversal_decoder, max_bytes=max_bytes)
    return check_reversal(request)


def check_reversal(request: ReversalRequest) -> ReversalRequest:
    """The request in its one spelling; raises what ``parse_reversal`` does."""
    by_lines, by_amount = request.lines is not UNSET, request.amount is not UNSET
    if by_lines and by_amount:
        raise MalformedError("return_unclear", _EITHER, pointer="/amount")
    for name in ("rate", "tax_kind"):
        needed = by_amount if name == "rate" else request.rate is not UNSET
        if getattr(request, name) is not UNSET and not needed:
            raise MalformedError("return_unclear", _EITHER, pointer=f"/{name}")
    if not isinstance(request.amount, UnsetType) and request.amount <= 0:
        raise MalformedError(
            "amount_not_positive", "what is taken back is above 0 fen", pointer="/amount"
        )
    if isinstance(request.lines, UnsetType):
        return request
    lines = [_check_returned(line, index) for index, line in enumerate(request.lines)]
    if len({line.line for line in lines}) < len(lines):
        raise MalformedError("line_twice", "each line is named once", pointer="/lines")
    return msgspec.structs.replace(request, lines=sorted(lines, key=lambda line: line.line))


def _check_returned(line: ReturnedLine, index: int) -> ReturnedLine:
    if isinstance(line.quantity, UnsetType):
        return line
    quantity = parse_quantity(line.quantity, f"/lines/{index}")
    return msgspec.structs.replace(line, quantity=quantity.text)


_EITHER: Final = "a return is by lines, or by amount (with its rate), or of all that is left"


def check_request(request: InvoiceRequest, max_lines: int) -> InvoiceRequest:
    """Check everything that one field's type cannot say, but money; without its blank texts."""
    if len(request.lines) > max_lines:
        raise MalformedError(
            "too_many_lines",
            f"an invoice has at most {max_lines} lines, and this order {len(request.lines)}",
            pointer="/lines",
            limit=max_lines,
        )
    check_identifier(request.order_id, "/order_id")
    given = given_texts(request, _TEXTS, "")
    place = check_place(request)
    if place:
        given = msgspec.structs.replace(given, **place)
    buyer = check_buyer(request.buyer)
    lines = [_check_line(line, f"/lines/{index}") for index, line in enumerate(request.lines)]
    if buyer is request.buyer and all(map(is_, lines, request.lines)):
        return given
    return msgspec.structs.replace(given, buyer=buyer, lines=lines)


def _check_line(line: LineRequest, pointer: str) -> LineRequest:
    check_name(line.name, f"{pointer}/name")
    _check_price(line, pointer)
    return given_texts(line, ("spec", "unit"), pointer)


def _check_price(line: LineRequest, pointer: str) -> None:
    """Exactly one way of saying what the line comes to."""
    given = (
        (line.unit_price is not UNSET)
        + (line.unit_price_yuan is not UNSET)
        + (line.total is not UNSET)
    )
    if given == 1:
        return
    if not given:
        raise MalformedError("missing_field", _PRICES, pointer=f"{pointer}/unit_price")
    raise MalformedError("price_twice", _PRICES, pointer=pointer)


_PRICES: Final = "a line has one of unit_price (fen), unit_price_yuan (decimal) and total (fen)"


def check_buyer(buyer: Buyer) -> Buyer:
    """The buyer without blank texts.

    Raises MalformedError: buyer_incomplete, tax_id_invalid, control_character, text_damaged.
    """
    buyer = given_texts(buyer, ("name", "address_phone", "payment_id"), "/buyer")
    if buyer.kind == "organisation" and not buyer.name:
        raise MalformedError(
            "buyer_incomplete", "an organisation has a name", pointer="/buyer/name"
        )
    if buyer.kind == "company" and not (buyer.name and buyer.tax_id):
        missing = "tax_id" if buyer.name else "name"
        raise MalformedError(
            "buyer_incomplete", "a company has a name and a tax id", pointer=f"/buyer/{missing}"
        )
    if buyer.tax_id:
        check_tax_id(buyer.tax_id, "/buyer/tax_id")
    return buyer


def check_idempotency_key(text: str, pointer: str = "") -> str:
    """``text`` itself: 1-255 visible ASCII characters, else "idempotency_key_invalid"."""
    if not _KEY.fullmatch(text):
        raise MalformedError(
            "idempotency_key_invalid",
            "an Idempotency-Key is 1-255 visible ASCII characters",
            pointer=pointer,
        )
    return text


_TEXTS: Final = ("remark", "drawer", "payee", "reviewer")
_decoder = msgspec.json.Decoder(InvoiceRequest)
_record_decoder = msgspec.json.Decoder(BatchRecord)
_reversal_decoder = msgspec.json.Decoder(ReversalRequest)
