"""Codes of the invoices that the tax administration itself issues: named, not checked here.

``01,`` kind, code, number, amount, day, check code, sum ``,``: of a digital invoice (kinds 31, 32)
code and check code are empty, the number has 20 digits and the amount includes tax. The sum is
CRC-16 with x^16 + x^15 + x^2 + 1 over all that stands before it, as their printed codes have it.
"""

import re
from typing import Final
from urllib.parse import unquote_plus

import msgspec

from chain.errors import MalformedError

from .money import Fen, parse_yuan

KINDS: Final = {
    "01": "special",
    "02": "freight",
    "03": "vehicle",
    "04": "ordinary",
    "08": "electronic_special",
    "10": "electronic_ordinary",
    "11": "roll",
    "14": "toll",
    "15": "used_vehicle",
    "31": "digital_special",
    "32": "digital_ordinary",
}
"""What each kind is called here; others between 01 and 32 are "other"."""

_MOST: Final = 32
_POLYNOMIAL: Final = 0x8005
_CODE = re.compile(
    r"(?<![\w,])(?P<body>01,(?P<kind>[0-9]{2}),(?P<code>[0-9]{0,12}),(?P<number>[0-9]{8}|[0-9]{20}),"
    r"(?P<amount>-?[0-9]{1,13}(?:\.[0-9]{1,2})?)?,(?P<day>20[0-9]{6}),(?P<check>[0-9]{0,20}),)"
    r"(?P<sum>[0-9A-Fa-f]{1,4}),?",
    re.ASCII,
)


class VatCode(msgspec.Struct, frozen=True, kw_only=True):
    """What such a code says; ``fits`` is whether its sum is that of the rest."""

    kind: str
    name: str
    code: str
    number: str
    amount: Fen | None
    day: str
    check: str
    fits: bool


def read_vat(text: str) -> VatCode | None:
    """The code, if ``text`` is one; None for anything else."""
    found = _CODE.fullmatch(text)
    if found is None or not 1 <= int(found["kind"]) <= _MOST:
        return None
    day = found["day"]
    return VatCode(
        kind=found["kind"],
        name=KINDS.get(found["kind"], "other"),
        code=found["code"],
        number=found["number"],
        amount=_amount(found["amount"]),
        day=f"{day[:4]}-{day[4:6]}-{day[6:]}",
        check=found["check"],
        fits=crc16(found["body"].encode()) == int(found["sum"], 16),
    )


def _amount(text: str | None) -> Fen | None:
    """Fen; a red one's are negative. What cannot be an amount is none."""
    try:
        value = parse_yuan((text or "").removeprefix("-"))
    except MalformedError:
        return None
    return -value if (text or "").startswith("-") else value


def crc16(data: bytes) -> int:
    """The highest bit first, from 0."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (_POLYNOMIAL if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def find_vat(text: str) -> VatCode | None:
    """The first such code within a text, an address's or one that was pasted."""
    for reading in (text, unquote_plus(text)):
        for found in _CODE.finditer(reading):
            if (code := read_vat(found[0])) is not None:
                return code
    return None
