"""What somebody looks for in the log: a height, an index, a day, an anchor; and what we refuse.

A password area opens its invoice, so it is turned into its anchor where it was typed; one that
comes here all the same is not looked up. Invoices' numbers are dense: who could look up one could
walk through all of a merchant's, so they are for officials.
"""

import re
from typing import Final, Literal, NamedTuple

from chain.entry import parse_day
from chain.errors import MalformedError

LONGEST: Final = 2_000
"""Characters that are looked at; the text of a code, with its address, has a few hundred."""

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_INVOICE: Final = re.compile(r"[0-9]{8}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PASSWORD_AREA: Final = re.compile(r"(?<![0-9a-f])01[0-9a-f]{64}(?![0-9a-f])", re.ASCII)
_BLANKS: Final = re.compile(r"[\s,]+")

Unsaid = Literal["", "password_area", "number", "unclear"]


class Asked(NamedTuple):
    """What was typed may be any of these; ``unsaid`` says why it is (also) something else."""

    number: int | None = None
    anchor: bytes | None = None
    day: str = ""
    unsaid: Unsaid = ""


def asked(text: str) -> Asked:
    """What the text may mean."""
    if len(text) > LONGEST:
        return Asked(unsaid="unclear")
    plain = _BLANKS.sub("", text)
    if any(_PASSWORD_AREA.search(one.lower()) for one in (text, plain)):
        return Asked(unsaid="password_area")
    if _DIGEST.fullmatch(plain.lower()):
        return Asked(anchor=bytes.fromhex(plain))
    unsaid: Unsaid = "number" if _INVOICE.fullmatch(plain) else ""
    if _NUMBER.fullmatch(plain):
        return Asked(number=int(plain), unsaid=unsaid)
    if unsaid:
        return Asked(unsaid=unsaid)
    try:
        return Asked(day=parse_day(plain))
    except MalformedError:
        return Asked(unsaid="unclear")
