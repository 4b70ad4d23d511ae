"""The text of an invoice's QR code, in the two forms that are in use; PILOT "QR code"."""

import re
from typing import Final

import msgspec

from chain.commitment import parse_password_area
from chain.errors import MalformedError

from .money import Fen, parse_amount, parse_yuan
from .numbering import parse_bill_number

_LONGEST: Final = 2048
_PATH: Final = "/verify/scan"
_URL = re.compile(
    r"(?i:https?)://(?P<host>[A-Za-z0-9.:\[\]-]+)(?:/[^?#]*)?/verify/scan"
    r"\?hash=(?P<hash>[^&#]*)&bill_num=(?P<number>[^&#]*)&total_amount=(?P<total>[^&#]*)"
)
_DAY = re.compile(r"20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_CODE = re.compile(r"[0-9]{12}")


class QrText(msgspec.Struct, frozen=True, kw_only=True):
    """What a code says; the URL form has ``host`` and ``total``, the comma form the others."""

    hash: str
    number: str
    host: str | None = None
    total: Fen | None = None
    code: str | None = None
    seller_tax_id: str | None = None
    amount: Fen | None = None
    day: str | None = None


def scan_url(public_url: str, hash: str, number: str, total: Fen) -> str:  # noqa: A002 # the field's name in the format
    """The text that we print: a URL that a phone opens by itself."""
    return f"{public_url}{_PATH}?hash={hash}&bill_num={number}&total_amount={total}"


def parse_qr_text(text: str) -> QrText:
    """Read either form.

    Raises MalformedError: qr_invalid, qr_ordinary_vat, password_area, bill_num_invalid,
    amount_invalid.
    """
    text = text.strip()
    if len(text) > _LONGEST or not text.isascii() or not text.isprintable():
        raise _invalid()
    if "://" in text:
        return _parse_url(text)
    return _parse_commas(text.split(","))


def _parse_url(text: str) -> QrText:
    match = _URL.fullmatch(text)
    if not match:
        raise _invalid()
    parse_password_area(match["hash"])
    return QrText(
        hash=match["hash"],
        number=parse_bill_number(match["number"]),
        host=match["host"].lower(),
        total=parse_amount(match["total"]),
    )


def _parse_commas(fields: list[str]) -> QrText:
    if len(fields) == 9 and fields[0] == "01" and not fields[8]:
        # It has no seller, so the amount stands fifth; it ends in a CRC and a comma.
        raise MalformedError(
            "qr_ordinary_vat", "an ordinary VAT invoice's code: it carries no password area"
        )
    if len(fields) != 8 or fields[:2] != ["01", "10"]:
        raise _invalid()
    code, number, tax_id, amount, day, hash_ = fields[2:]
    if not _CODE.fullmatch(code) or not _DAY.fullmatch(day):
        raise _invalid()
    parse_password_area(hash_)
    return QrText(
        hash=hash_,
        number=parse_bill_number(number),
        code=code,
        seller_tax_id=tax_id,
        amount=parse_yuan(amount),
        day=f"{day[:4]}-{day[4:6]}-{day[6:]}",
    )


def _invalid() -> MalformedError:
    return MalformedError(
        "qr_invalid",
        "not an invoice's code: it is a /verify/scan address or eight fields with commas",
    )
