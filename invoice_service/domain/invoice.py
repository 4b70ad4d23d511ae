"""The invoice document: everything but the number is computed before it is issued."""

from functools import lru_cache
from typing import Any, Final, Literal

import msgspec
from msgspec import UnsetType

from chain import commitment
from chain.errors import MalformedError
from chain.hashing import Digest, sha256, to_digest

from .document import (
    DAY,
    BlueForm,
    BuyerGroup,
    Rest,
    Seller,
    fill,
    write,
)
from .lifecycle import Reversal, Type, reversal_of
from .lines import RateTotal, add_up, write_lines
from .merchant import Merchant
from .money import Fen, check_fen
from .numbering import Allotment
from .orders import NOWHERE, Asked, Place, given, place_in
from .persons import NewKey, keep, kept_digest
from .request import (
    Buyer,
    InvoiceRequest,
    LineRequest,
    ReversalRequest,
    check_buyer,
    check_idempotency_key,
    check_request,
    parse_record,
    parse_request,
    parse_reversal,
)
from .tax import TaxRates

__all__ = [
    "SALTS_SIZE",
    "Buyer",
    "Frozen",
    "InvoiceRequest",
    "Issued",
    "LineRequest",
    "NoPromise",
    "Prepared",
    "ReversalRequest",
    "StoredInvoice",
    "check_buyer",
    "check_idempotency_key",
    "check_request",
    "document_digest",
    "finish",
    "parse_record",
    "parse_request",
    "parse_reversal",
    "prepare",
    "split_salts",
]

SALTS_SIZE = 3 * commitment.SALT_SIZE
"""Random bytes of one invoice: the salts of face, buyer and lines, in this order."""

NoPromise = Literal["overdue", "unsigned"]
"""Why an answer has no promise: it is known to be broken; nobody there had the key."""


class Prepared(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """An invoice that only waits for its number; goes through msgpack as it is.

    ``form`` is the face with gaps for code, number, time, and whatever else differs. When it is
    ``shared``, other invoices have the same one, and the store keeps it once. ``reverses`` is the
    blue one's digest on a red one, ``takes_back`` what of it is asked back.
    ``max_wait`` is for how many seconds the oldest invoice may have waited for the log, if this one
    is to be promised a place in it; 0 when nothing is promised. ``promised`` is whether the answer
    is to carry the promise. ``place`` is there where its order has more than a number.

    Where the buyer is a person, ``buyer`` is sealed under ``buyer_key``, ``salts`` are those of
    face and lines, and ``rest_digest`` is that of the request without the person. What is stored of
    ``request_digest`` is ``kept_digest``. ``prepaid`` is the account that pays it, "" for none.
    """

    merchant_id: int
    key_id: int
    kind: Type
    order_id: str
    idempotency_key: str
    request_digest: bytes
    form: bytes
    buyer: bytes
    lines: bytes
    salts: bytes
    buyer_digest: bytes
    lines_digest: bytes
    amount: Fen
    tax: Fen
    total: Fen
    industry: str
    district: str
    rates: list[RateTotal]
    shared: bool = False
    reverses: bytes | None = None
    takes_back: ReversalRequest | None = None
    max_wait: int = 0
    promised: bool = False
    place: Place | None = None
    buyer_key: bytes = b""
    rest_digest: bytes = b""
    prepaid: str = ""

    def asked(self) -> Asked:
        """What decides whether its order may have it."""
        place = self.place or NOWHERE
        keyed = bool(self.idempotency_key)
        digest, rest = self.request_digest, self.rest_digest
        return Asked(place, self.total, digest, self.salts, keyed, rest)

    @property
    def kept_digest(self) -> bytes:
        """What is stored of its request."""
        return kept_digest(self.buyer_key, self.rest_digest, self.request_digest)


class Frozen(msgspec.Struct, frozen=True):
    """A numbered invoice's canonical face and digest; nothing in it changes from here on."""

    code: str
    number: str
    issued_at: int
    face: bytes
    digest: Digest

    @property
    def hash(self) -> str:
        """The password area, 66 characters."""
        return commitment.password_area(self.digest)

    @property
    def check_code(self) -> str:
        return commitment.check_code(self.digest)


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an issue: on disk when it is given; times are unix seconds, money fen.

    ``promise`` (its text) or ``no_promise`` is there where the call wanted one.
    """

    seq: int
    merchant_id: int
    hash: str
    code: str
    number: str
    check_code: str
    type: Type
    issued_at: int
    order_id: str
    amount: Fen
    tax: Fen
    total: Fen
    place: Place | None = None
    replayed: bool = False
    promise: str | None = None
    no_promise: NoPromise | None = None


class StoredInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """An issued invoice as it was read back; the three groups are their canonical bytes.

    A buyer who is a person is ``sealed``. Of one who was erased only the commitment is left
    (``erased``), and zeros of the salt; ``buyer`` is what is shown in its place.
    """

    seq: int
    merchant_id: int
    hash: str
    code: str
    number: str
    check_code: str
    type: Type
    issued_at: int
    order_id: str
    amount: Fen
    tax: Fen
    total: Fen
    face: bytes
    buyer: bytes
    lines: bytes
    salts: bytes
    industry: str
    district: str
    rates: list[RateTotal]
    till: str = ""
    business_day: str = ""
    part: int = 0
    reverses: int | None = None
    reverses_hash: str | None = None
    reversed_by: tuple[str, ...] = ()
    returned: Fen = 0
    sealed: bool = False
    erased: bytes = b""

    @property
    def left(self) -> Fen:
        """What stands of a blue one."""
        return self.total - self.returned

    @property
    def place(self) -> Place | None:
        """Where its order stands besides the number, as its face says; None for nowhere."""
        found = place_in(self.face)
        return None if found is NOWHERE else found

    @property
    def reversal(self) -> Reversal | None:
        """What is true of it now."""
        return reversal_of(self.total, self.returned) if self.reversed_by else None


def no_key(_size: int) -> bytes:
    """Whoever issues to people has to say where their keys come from."""
    raise ValueError("a buyer who is a person needs a key")


def committed(salts: bytes, buyer: bytes, lines: bytes) -> tuple[Digest, Digest]:
    """The commitments to buyer and lines."""
    _, buyer_salt, lines_salt = split_salts(salts)
    return (
        commitment.group_digest("buyer", buyer_salt, buyer),
        commitment.group_digest("lines", lines_salt, lines),
    )


def prepare(
    request: InvoiceRequest,
    merchant: Merchant,
    *,
    salts: bytes,
    rates: TaxRates,
    key_id: int = 0,
    idempotency_key: str = "",
    new_key: NewKey = no_key,
) -> Prepared:
    """Compute the whole blue invoice but its number; ``salts`` are 48 fresh random bytes.

    ``new_key`` is asked for the key of a buyer who is a person.

    Raises MalformedError as ``write_lines`` does, and: total_zero, totals_mismatch.
    """
    lines = write_lines(request, rates)
    amount, tax, by_rate = add_up(lines)
    check_fen(amount + tax)
    _check_totals(request, amount, tax)
    told = given(request)
    group = _buyer(request.buyer)
    buyer, lines_bytes = write(group), write(lines)
    buyer_digest, lines_digest = committed(salts, buyer, lines_bytes)
    kept = keep(group, buyer, salts, buyer_digest, new_key)
    rest = _rest(request, told)
    return Prepared(
        merchant_id=merchant.id,
        key_id=key_id,
        kind="blue",
        order_id=request.order_id,
        idempotency_key=idempotency_key,
        request_digest=_request_digest(rest, buyer, lines_bytes),
        form=_form(
            merchant,
            request.drawer or merchant.drawer,
            request.payee or merchant.payee,
            request.remark,
            request.reviewer or merchant.reviewer,
            tuple(told.items()) if told else (),
        ),
        shared=not request.remark and told.keys() <= _SHARED,
        buyer=kept.buyer,
        lines=lines_bytes,
        salts=kept.salts,
        buyer_digest=buyer_digest,
        lines_digest=lines_digest,
        amount=amount,
        tax=tax,
        total=amount + tax,
        industry=merchant.industry,
        district=merchant.district,
        rates=by_rate,
        place=Place(**told) if told else None,
        buyer_key=kept.key,
        rest_digest=_request_digest(rest, b"", lines_bytes) if kept.key else b"",
        prepaid="" if isinstance(request.prepaid, UnsetType) else request.prepaid,
    )


def finish(prepared: Prepared, allotment: Allotment) -> Frozen:
    """Put the number on the face and close the document: this is its digest for ever."""
    face = fill(
        prepared.form,
        amount=prepared.amount,
        code=allotment.code,
        issued_at=allotment.issued_at,
        number=allotment.number,
        order_id=prepared.order_id,
        tax=prepared.tax,
        total=prepared.total,
        business_day=prepared.place.business_day if prepared.place else "",
    )
    face_salt = prepared.salts[: commitment.SALT_SIZE]
    digest = commitment.document_digest(
        commitment.group_digest("face", face_salt, face),
        Digest(prepared.buyer_digest),
        Digest(prepared.lines_digest),
    )
    return Frozen(allotment.code, allotment.number, allotment.issued_at, face, digest)


def split_salts(salts: bytes) -> tuple[bytes, bytes, bytes]:
    """The salts of face, buyer and lines; MalformedError "salt_length" unless 48 bytes."""
    if len(salts) != SALTS_SIZE:
        raise MalformedError("salt_length", f"three salts have {SALTS_SIZE} bytes together")
    size = commitment.SALT_SIZE
    return salts[:size], salts[size : 2 * size], salts[2 * size :]


def document_digest(face: bytes, buyer: bytes, lines: bytes, salts: bytes) -> Digest:
    """The invoice digest over the bytes of its groups, made anew."""
    face_salt, buyer_salt, lines_salt = split_salts(salts)
    return commitment.document_digest(
        commitment.group_digest("face", face_salt, face),
        commitment.group_digest("buyer", buyer_salt, buyer),
        commitment.group_digest("lines", lines_salt, lines),
    )


def stored_digest(invoice: StoredInvoice) -> Digest:
    """The same over what is stored; of a buyer who was erased, over the commitment as it stands."""
    if not invoice.erased:
        return document_digest(invoice.face, invoice.buyer, invoice.lines, invoice.salts)
    face_salt, _, lines_salt = split_salts(invoice.salts)
    return commitment.document_digest(
        commitment.group_digest("face", face_salt, invoice.face),
        to_digest(invoice.erased),
        commitment.group_digest("lines", lines_salt, invoice.lines),
    )


def _check_totals(request: InvoiceRequest, amount: Fen, tax: Fen) -> None:
    if amount + tax == 0:
        raise MalformedError("total_zero", "the lines come to 0 fen", pointer="/lines")
    for name, claimed, found in (
        ("total", request.total, amount + tax),
        ("amount", request.amount, amount),
        ("tax", request.tax, tax),
    ):
        if not isinstance(claimed, UnsetType) and claimed != found:
            raise MalformedError(
                "totals_mismatch",
                f"{name} is {claimed}, but the lines add up to {found} fen",
                pointer=f"/{name}",
                expected=found,
            )


_SHARED: Final = frozenset({"till", "business_day"})
"""What an order may be told and have its face's form in common with many others."""


def _form(
    merchant: Merchant,
    drawer: str,
    payee: str,
    remark: str,
    reviewer: str,
    told: tuple[tuple[str, Any], ...],
) -> bytes:
    """A blue invoice's face without what has a column of its own, and many values."""
    if told:
        told = tuple((name, "" if name == "business_day" else value) for name, value in told)
    return _kept_form(merchant, drawer, payee, remark, reviewer, told)


@lru_cache(maxsize=1024)
def _kept_form(  # its arguments are what it depends on
    merchant: Merchant,
    drawer: str,
    payee: str,
    remark: str,
    reviewer: str,
    told: tuple[tuple[str, Any], ...],
) -> bytes:
    days = {"business_day": DAY} if "business_day" in dict(told) else {}
    return write(
        BlueForm(
            district=merchant.district,
            drawer=drawer,
            industry=merchant.industry,
            payee=payee,
            remark=remark,
            reviewer=reviewer,
            seller=Seller(
                merchant.address_phone, merchant.bank_account, merchant.name, merchant.tax_id
            ),
            **(dict(told) | days),
        )
    )


def _buyer(buyer: Buyer) -> BuyerGroup:
    return BuyerGroup(
        address_phone=buyer.address_phone,
        kind=buyer.kind,
        name=buyer.name,
        payment_id=buyer.payment_id,
        tax_id=buyer.tax_id,
    )


def _rest(request: InvoiceRequest, told: dict[str, Any]) -> bytes:
    """What tells requests apart besides buyer and lines."""
    return write(
        Rest(
            drawer=request.drawer,
            order_id=request.order_id,
            payee=request.payee,
            prepaid=request.prepaid,
            remark=request.remark,
            reviewer=request.reviewer,
            **told,
        )
    )


def _request_digest(rest: bytes, buyer: bytes, lines: bytes) -> Digest:
    """What two requests must share to be the same one, however they were spelled."""
    # Canonical JSON has no line end in it: the parts cannot run into one another.
    return sha256(b"\n".join((b"fapiao/v1/request", rest, buyer, lines)))
