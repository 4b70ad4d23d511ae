"""Title codes (抬头二维码): the code that a company shows where an invoice is to be made out to it.

``$01``, then ``name</>tax id</>address and phone</>bank and account</>check sum``, then ``$``. The
specification has these fields as they are, in GBK; in use are also base64 of them in UTF-8 or GBK.
The sum is a CRC-16 (polynomial 0x8005, from 0, the highest bit first) over GBK; writers differ in
whether the last mark counts.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Final, NamedTuple

from chain.errors import MalformedError

LONGEST: Final = 2_000
_CODE: Final = re.compile(r"\$01(.+)\$", re.DOTALL)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_SUM: Final = re.compile(r"[0-9A-Fa-f]{1,4}")
_MARK: Final = "</>"
_MOST_FIELDS: Final = 8
_LONGEST_FIELD: Final = 100


class Title(NamedTuple):
    """Whose title it is; ``sure`` is whether a check sum stands there, and fits."""

    name: str
    tax_id: str = ""
    address_phone: str = ""
    bank_account: str = ""
    sure: bool = False


def is_title_code(text: str) -> bool:
    """Whether it begins as one."""
    return text.strip().startswith("$01")


def parse_title(text: str) -> Title:
    """What a code says; MalformedError ``title_invalid``."""
    found = _CODE.fullmatch(text.strip()) if len(text) <= LONGEST else None
    for said in _readings(found[1]) if found else ():
        title = _fields(said)
        if title is not None:
            return title
    raise MalformedError("title_invalid", "a title code is $01, fields with </> between, and $")


def _readings(body: str) -> Iterator[str]:
    """The fields as a writer may have meant them."""
    if _BASE64.fullmatch(body):
        yield from _decoded(body)
        return
    yield _regained(body)


def _decoded(body: str) -> Iterator[str]:
    try:
        said = b64decode(body.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error:
        return
    for charset in ("utf-8", "gb18030"):
        try:
            yield said.decode(charset)
        except UnicodeDecodeError:
            continue


def _regained(body: str) -> str:
    """Text of GBK that a scanner took for Latin letters, one for each byte."""
    try:
        return body.encode("latin-1").decode("gb18030")
    except UnicodeError:
        return body


def _fields(text: str) -> Title | None:
    parts = [part.strip() for part in text.split(_MARK)]
    if not 2 <= len(parts) <= _MOST_FIELDS or not 0 < len(parts[0]) <= _LONGEST_FIELD:
        return None
    given = parts.pop() if len(parts) > 2 and _SUM.fullmatch(parts[-1]) else ""
    name, tax_id, address, bank = [*parts, "", "", ""][:4]
    return Title(
        name,
        re.sub(r"\s", "", tax_id).upper(),
        address.replace("|", " ")[:_LONGEST_FIELD],
        bank.replace("|", " ")[:_LONGEST_FIELD],
        sure=bool(given) and int(given, 16) in _sums(text, given),
    )


def _sums(text: str, given: str) -> set[int]:
    """The check sums that a writer may have meant."""
    before = text[: text.rindex(given)]
    spelled = (before, before.removesuffix(_MARK))
    encoded = [(one, charset) for one in spelled for charset in ("gb18030", "utf-8")]
    return {crc16(one.encode(charset, "replace")) for one, charset in encoded}


def crc16(data: bytes) -> int:
    """CRC-16 with x^16 + x^15 + x^2 + 1, the highest bit first, from 0."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x8005 if crc & 0x8000 else 0)) & 0xFFFF
    return crc
