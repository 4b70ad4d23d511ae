"""Red invoices: the document that takes back a blue one, as a whole or in part (ADR 0028)."""

from collections.abc import Sequence
from typing import Any

import msgspec

from chain import commitment
from chain.commitment import SALT_SIZE
from chain.errors import MalformedError, UnavailableError
from chain.hashing import Digest, sha256

from .document import Line, read_lines, write, write_open
from .invoice import Prepared, StoredInvoice, no_key, split_salts, stored_digest
from .lifecycle import REASON_ZH, Reason, check_reversible
from .lines import add_up, rates_within
from .orders import Place
from .persons import NOBODY, NewKey, keep, read_group
from .request import ReversalRequest
from .returns import left_of, negated, return_lines


def prepare_red(
    blue: StoredInvoice,
    asked: ReversalRequest,
    salts: bytes,
    *,
    key_id: int = 0,
    idempotency_key: str = "",
    new_key: NewKey = no_key,
) -> Prepared:
    """The red invoice that takes back the whole of ``blue``: same parties, everything negated.

    A person among them has a key of this one's own, from ``new_key``; one who was erased is nobody.
    What is ``asked`` for goes with it: the transaction that issues it knows what is left, and where
    that is not the whole, or not all of it is asked for, puts ``take_part`` in its place.
    RefusedError "not_reversible" when ``blue`` is red itself.
    """
    check_reversible(blue.type)
    face: dict[str, Any] = msgspec.json.decode(blue.face)
    digest = commitment.parse_password_area(blue.hash)
    buyer = NOBODY if blue.erased else blue.buyer
    taken = _taken_back(blue, asked.reason, negated(read_lines(blue.lines)), salts)
    buyer_digest = commitment.group_digest("buyer", split_salts(salts)[1], buyer)
    kept = keep(read_group(buyer), buyer, salts, buyer_digest, new_key)
    return Prepared(
        merchant_id=blue.merchant_id,
        key_id=key_id,
        kind="red",
        order_id=face["order_id"],
        idempotency_key=idempotency_key,
        request_digest=_reversal_digest(digest, asked),
        buyer=kept.buyer,
        buyer_key=kept.key,
        buyer_digest=buyer_digest,
        salts=kept.salts,
        industry=face["industry"],
        district=face["district"],
        reverses=digest,
        place=_place_of_red(blue),
        takes_back=asked,
        **taken,
    )


def take_part(
    prepared: Prepared, blue: StoredInvoice, earlier: Sequence[StoredInvoice]
) -> Prepared:
    """``prepared`` as what it asks for comes to, after the red invoices that there are.

    Raises ConflictError "return_too_large" and MalformedError as ``return_lines`` does;
    UnavailableError "record_damaged" for rows that are not what was issued.
    """
    if prepared.takes_back is None:
        raise MalformedError("missing_field", "what is taken back?", pointer="/reason")
    sold, *reds = (_believed(invoice) for invoice in (blue, *earlier))
    lines = return_lines(left_of(sold, reds), prepared.takes_back, rates_within(sold))
    return msgspec.structs.replace(
        prepared, **_taken_back(blue, prepared.takes_back.reason, lines, prepared.salts)
    )


def _place_of_red(blue: StoredInvoice) -> Place | None:
    place = blue.place
    return place and msgspec.structs.replace(place, replaces="")


def _taken_back(
    blue: StoredInvoice, reason: Reason, lines: list[Line], salts: bytes
) -> dict[str, Any]:
    """What of a red invoice follows from its lines."""
    amount, tax, rates = add_up(lines)
    face: dict[str, Any] = msgspec.json.decode(blue.face)
    face.pop("replaces", None)  # it takes back, and stands in nothing's place
    face |= {
        "type": "red",
        "amount": amount,
        "tax": tax,
        "total": amount + tax,
        "reverses": blue.hash,
        "remark": (
            f"对应正数发票代码:{blue.code}号码:{blue.number} 红冲原因:{REASON_ZH[reason]} {reason}"
        ),
    }
    written = write(lines)
    return {
        "form": write_open(face),
        "lines": written,
        "lines_digest": commitment.group_digest("lines", salts[-SALT_SIZE:], written),
        "amount": amount,
        "tax": tax,
        "total": amount + tax,
        "rates": rates,
    }


def _reversal_digest(blue: Digest, asked: ReversalRequest) -> Digest:
    """What two returns must share to be the same one."""
    part = b"" if asked.whole else b"\n" + msgspec.json.encode(asked)
    return sha256(b"fapiao/v1/reversal\n" + blue + asked.reason.encode() + part)


def _believed(invoice: StoredInvoice) -> list[Line]:
    """Its lines, once its digest has been made again."""
    try:
        digest = stored_digest(invoice)
        lines = read_lines(invoice.lines)
    except (MalformedError, msgspec.MsgspecError) as error:
        raise _damaged(invoice, f"cannot be read: {error}") from error
    if commitment.password_area(digest) != invoice.hash:
        raise _damaged(invoice, "is not what was issued")
    return lines


def _damaged(invoice: StoredInvoice, what: str) -> UnavailableError:
    return UnavailableError("record_damaged", f"invoice {invoice.seq} {what}")
